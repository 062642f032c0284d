//! The programs that run now.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use super::output::{self, Mark, Output};
use super::pipe::Pipe;
use crate::base::process::{Identity, Pid};
use crate::base::program::{Outcome, Purpose};
use crate::base::time::Mono;
use crate::sys::platform::process::{ProcessTable, START_TOLERANCE};
use crate::sys::posix::spawn::{self, Held, Spec};
use crate::sys::posix::wait::{self, Exit};

/// A program that shall run.
#[derive(Debug)]
pub struct Order {
    /// The service it serves.
    pub service: String,
    /// What for.
    pub purpose: Purpose,
    /// What to execute.
    pub spec: Spec,
    /// When it has taken too long; `None`: never.
    pub deadline: Option<Mono>,
    /// Where its output goes.
    pub sink: Sink,
}

/// Where a program's output goes.
#[derive(Debug)]
pub enum Sink {
    /// Nowhere.
    Nothing,
    /// Into a file.
    File(Output),
    /// To us, who keep so many bytes of it.
    Pipe(usize),
}

/// Where to read what a program printed.
#[derive(Debug)]
enum Printed {
    Nothing,
    File(Mark, FloodLook),
    Pipe(Pipe),
}

/// The next look at the file a program prints to.
#[derive(Debug)]
struct FloodLook {
    at: Mono,
    pause: Duration,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The service.
    pub service: String,
    /// What the program was run for.
    pub purpose: Purpose,
    /// The program's process.
    pub identity: Identity,
}

/// A program that is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The service.
    pub service: String,
    /// What it was run for.
    pub purpose: Purpose,
    /// How it ended.
    pub outcome: Outcome,
}

/// What the table has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A program ended.
    Ended(Ended),
    /// A start or restart program is past its deadline and runs on, or a check program is and is being ended.
    Overdue {
        /// The service.
        service: String,
        /// Start, restart or check.
        purpose: Purpose,
        /// The program's process.
        pid: Pid,
        /// What it printed so far.
        output: String,
    },
}

/// From TERM to KILL.
const GRACE: Duration = Duration::from_secs(5);
/// How often a program that is no child of ours is looked at.
const ADOPTED_LOOK: Duration = Duration::from_secs(1);
/// After how long the file a program prints to is looked at again: each pause is twice the one before, up to the longest,
/// and the first again after a flood.
const FIRST_FLOOD_LOOK: Duration = Duration::from_millis(100);
const LONGEST_FLOOD_LOOK: Duration = Duration::from_millis(1600);

#[derive(Debug)]
enum Phase {
    /// Forked, waits at its gate.
    Held(Held),
    /// Runs.
    Running,
    /// Start or restart past its deadline: left alone.
    Overdue,
    /// Told to end.
    Terminating { kill_at: Mono },
    /// Killed; ends as soon as the kernel lets it.
    Killed,
}

#[derive(Debug)]
struct Job {
    service: String,
    purpose: Purpose,
    identity: Identity,
    deadline: Option<Mono>,
    printed: Printed,
    phase: Phase,
    adopted: bool,
}

/// All programs.
#[derive(Debug, Default)]
pub struct Jobs {
    jobs: Vec<Job>,
}

impl Jobs {
    /// Forks the program and holds it before its first instruction. It runs when [`Jobs::release`] is called, after the
    /// journal was saved.
    ///
    /// # Errors
    /// No process or descriptor left; nothing runs then.
    pub fn hold(&mut self, order: Order, now: Mono, table: &ProcessTable) -> io::Result<Pid> {
        let (held, printed) = match order.sink {
            Sink::Nothing => (spawn::hold(&order.spec, None)?, Printed::Nothing),
            Sink::File(output) => (
                spawn::hold(&order.spec, Some(output.file().as_raw_fd()))?,
                Printed::File(output.into_mark(), FloodLook::first(now)),
            ),
            Sink::Pipe(limit) => {
                let (pipe, write) = Pipe::new(limit)?;
                (spawn::hold(&order.spec, Some(write.as_raw_fd()))?, Printed::Pipe(pipe))
            }
        };
        let pid = held.pid();
        // A held child is alive (or a zombie of ours): its entry is there. Were it not readable, nothing could be
        // journalled, and the child is dropped unrun.
        let identity = match table.entry(pid)? {
            Some(entry) => entry.identity,
            None => return Err(io::Error::other("the forked process cannot be seen in the process table")),
        };
        self.jobs.push(Job {
            service: order.service,
            purpose: order.purpose,
            identity,
            deadline: order.deadline,
            printed,
            phase: Phase::Held(held),
            adopted: false,
        });
        Ok(pid)
    }

    /// How many programs wait for [`Jobs::release`]; each holds a descriptor.
    pub fn held(&self) -> usize {
        self.jobs.iter().filter(|job| matches!(job.phase, Phase::Held(_))).count()
    }

    /// Lets every held program run.
    pub fn release(&mut self) {
        for job in &mut self.jobs {
            if let Phase::Held(_) = job.phase
                && let Phase::Held(held) = std::mem::replace(&mut job.phase, Phase::Running)
            {
                // A child that is gone is reaped and reported like any other.
                let _ = held.release();
            }
        }
    }

    /// What the state file must know: every program that must not be run a second time while it lives.
    pub fn journal(&self) -> Vec<Entry> {
        self.jobs
            .iter()
            .filter(|job| !matches!(job.purpose, Purpose::Exec | Purpose::Check))
            .map(|job| Entry { service: job.service.clone(), purpose: job.purpose, identity: job.identity })
            .collect()
    }

    /// Takes over a program an earlier daemon started, unless it is known to be gone; tells whether it was taken over.
    /// Without a deadline it counts as past it.
    pub fn adopt(&mut self, entry: Entry, deadline: Option<Mono>, table: &ProcessTable) -> bool {
        // Unknown is not dead: a second start beside a live one is worse than a late one.
        if life(entry.identity, table) == Some(false) {
            return false;
        }
        self.jobs.push(Job {
            service: entry.service,
            purpose: entry.purpose,
            identity: entry.identity,
            deadline,
            printed: Printed::Nothing,
            phase: if deadline.is_some() { Phase::Running } else { Phase::Overdue },
            adopted: true,
        });
        true
    }

    /// The process of a start or restart program of this service that still lives, overdue or not.
    pub fn starting(&self, service: &str) -> Option<Pid> {
        self.jobs.iter().find(|job| job.purpose.brings_to_life() && job.serves(service)).map(|job| job.identity.pid)
    }

    /// The process of such a program that is past its deadline.
    pub fn overdue(&self, service: &str) -> Option<Pid> {
        let mut overdue = self.jobs.iter().filter(|job| matches!(job.phase, Phase::Overdue) && job.serves(service));
        overdue.next().map(|job| job.identity.pid)
    }

    /// The purpose of a start, restart or stop program that is not past its deadline, or is made to end.
    pub fn acting_on(&self, service: &str) -> Option<Purpose> {
        let acts = |job: &&Job| {
            let is_action = job.purpose.brings_to_life() || job.purpose == Purpose::Stop;
            is_action && !matches!(job.phase, Phase::Overdue)
        };
        self.jobs.iter().filter(acts).find(|job| job.serves(service)).map(|job| job.purpose)
    }

    /// A service has another name now.
    pub fn rename(&mut self, old: &str, new: &str) {
        for job in self.jobs.iter_mut().filter(|job| job.serves(old)) {
            new.clone_into(&mut job.service);
        }
    }

    /// Nobody waits for what check programs of this service say any more: they are ended, and their end is nobody's.
    pub fn give_up_checks(&mut self, service: &str, now: Mono) {
        for job in self.jobs.iter_mut().filter(|job| job.purpose == Purpose::Check && job.serves(service)) {
            job.service.clear();
            job.deadline = Some(job.deadline.map_or(now, |deadline| deadline.min(now)));
        }
    }

    /// How many `exec` programs of this service live.
    pub fn count_exec(&self, service: &str) -> usize {
        self.jobs.iter().filter(|job| job.purpose == Purpose::Exec && job.serves(service)).count()
    }

    /// Whether a check program of this service runs.
    pub fn is_checking(&self, service: &str) -> bool {
        self.jobs.iter().any(|job| job.purpose == Purpose::Check && job.serves(service))
    }

    /// How many check programs run.
    pub fn checks(&self) -> usize {
        self.jobs.iter().filter(|job| job.purpose == Purpose::Check).count()
    }

    /// The descriptors to poll for reading; then call [`Jobs::read`].
    pub fn fds(&self, now: Mono) -> impl Iterator<Item = RawFd> {
        self.pipes().filter_map(move |pipe| pipe.fd(now))
    }

    fn pipes(&self) -> impl Iterator<Item = &Pipe> {
        self.jobs.iter().filter_map(|job| match &job.printed {
            Printed::Pipe(pipe) => Some(pipe),
            _ => None,
        })
    }

    /// Reads what check programs have printed, so that none of them waits for us.
    pub fn read(&mut self, now: Mono) {
        for job in &mut self.jobs {
            if let Printed::Pipe(pipe) = &mut job.printed {
                pipe.read(now);
            }
        }
    }

    /// Reaps every child that ended, ours and strangers (as process 1 we inherit orphans), and tells what our programs
    /// did. `stranger` hears of children that are no programs.
    pub fn reap(&mut self, stranger: &mut dyn FnMut(Pid)) -> Vec<News> {
        let mut news = Vec::new();
        while let Ok(Some(pid)) = wait::peek_exited() {
            let place = self.jobs.iter().position(|job| !job.adopted && job.identity.pid == pid);
            let Some(place) = place else {
                match wait::reap(pid) {
                    Some(_) => stranger(pid),
                    None => break,
                }
                continue;
            };
            let job = self.jobs.swap_remove(place);
            let timed_out = matches!(job.phase, Phase::Terminating { .. } | Phase::Killed);
            if timed_out {
                // The leader's entry still stands, so the group's number is still ours: end whoever stayed behind.
                let _ = wait::signal_group(pid, wait::KILL);
            }
            let exit = wait::reap(pid);
            news.push(News::Ended(job.ended(exit, timed_out)));
        }
        news
    }

    /// Looks at deadlines, and at programs that are no children of ours.
    pub fn tick(&mut self, now: Mono, table: &ProcessTable) -> Vec<News> {
        let mut news = Vec::new();
        let mut place = 0;
        while let Some(job) = self.jobs.get_mut(place) {
            let life = if job.adopted { life(job.identity, table) } else { Some(true) };
            if life == Some(false) {
                let job = self.jobs.swap_remove(place);
                let timed_out = matches!(job.phase, Phase::Terminating { .. } | Phase::Killed);
                news.push(News::Ended(job.ended(None, timed_out)));
                continue;
            }
            job.look_for_flood(now);
            // A number that cannot be verified now is not signalled now.
            if life.is_some() {
                job.judge(now, &mut news);
            }
            place += 1;
        }
        news
    }

    /// When [`Jobs::tick`] has something to do next, or [`Jobs::fds`] something to add.
    pub fn next_deadline(&self, now: Mono) -> Option<Mono> {
        // One that is past its deadline is nobody's concern between cycles.
        let awaited = self.jobs.iter().any(|job| job.adopted && !matches!(job.phase, Phase::Overdue));
        let adopted = awaited.then(|| now.plus(ADOPTED_LOOK));
        let deadlines = self.jobs.iter().filter_map(|job| match job.phase {
            Phase::Running => job.deadline,
            Phase::Terminating { kill_at } => Some(kill_at),
            Phase::Held(_) | Phase::Overdue | Phase::Killed => None,
        });
        let rests = self.pipes().filter_map(|pipe| pipe.rest(now));
        let floods = self.jobs.iter().filter_map(Job::next_flood_look);
        deadlines.chain(adopted).chain(rests).chain(floods).min()
    }
}

impl Job {
    /// Names of services are the same whatever their letters' case: a reload may change it.
    fn serves(&self, service: &str) -> bool {
        self.service.eq_ignore_ascii_case(service)
    }

    /// When to look at the file it prints to. One that is past its deadline and silent wakes nobody between cycles.
    fn next_flood_look(&self) -> Option<Mono> {
        let Printed::File(_, look) = &self.printed else { return None };
        let is_silent = look.pause >= LONGEST_FLOOD_LOOK;
        match self.phase {
            Phase::Held(_) => None,
            Phase::Overdue | Phase::Killed if is_silent => None,
            _ => Some(look.at),
        }
    }

    fn look_for_flood(&mut self, now: Mono) {
        if let Printed::File(mark, look) = &mut self.printed
            && now >= look.at
        {
            let pause = if mark.drain() { FIRST_FLOOD_LOOK } else { (look.pause * 2).min(LONGEST_FLOOD_LOOK) };
            *look = FloodLook { at: now.plus(pause), pause };
        }
    }

    fn judge(&mut self, now: Mono, news: &mut Vec<News>) {
        match self.phase {
            Phase::Running if self.deadline.is_some_and(|deadline| now >= deadline) => {
                if self.purpose.brings_to_life() || self.purpose == Purpose::Check {
                    news.push(News::Overdue {
                        service: self.service.clone(),
                        purpose: self.purpose,
                        pid: self.identity.pid,
                        output: self.printed(),
                    });
                }
                if self.purpose.brings_to_life() {
                    self.phase = Phase::Overdue;
                } else {
                    let _ = wait::signal_group(self.identity.pid, wait::TERM);
                    self.phase = Phase::Terminating { kill_at: now.plus(GRACE) };
                }
            }
            Phase::Terminating { kill_at } if now >= kill_at => {
                let _ = wait::signal_group(self.identity.pid, wait::KILL);
                self.phase = Phase::Killed;
            }
            _ => {}
        }
    }

    fn printed(&mut self) -> String {
        match &mut self.printed {
            Printed::Nothing => String::new(),
            Printed::File(mark, _) => mark.text(),
            Printed::Pipe(pipe) => {
                pipe.take();
                pipe.text()
            }
        }
    }

    fn ended(mut self, exit: Option<Exit>, timed_out: bool) -> Ended {
        let output = self.printed();
        let refused = output::refusal(&output).map(str::to_owned);
        let started = Some(self.identity.start);
        let outcome = Outcome { started, status: exit.map(Exit::number), timed_out, output, refused };
        Ended { service: self.service, purpose: self.purpose, outcome }
    }
}

impl FloodLook {
    fn first(now: Mono) -> FloodLook {
        FloodLook { at: now.plus(FIRST_FLOOD_LOOK), pause: FIRST_FLOOD_LOOK }
    }
}

/// Whether the process lives; `None` when the system does not tell.
fn life(identity: Identity, table: &ProcessTable) -> Option<bool> {
    match table.entry(identity.pid) {
        Ok(Some(entry)) => Some(!entry.zombie && entry.identity.is_same(identity, START_TOLERANCE)),
        Ok(None) => Some(false),
        Err(_) => None,
    }
}
