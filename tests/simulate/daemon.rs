//! The daemon around the engine: what `src/daemon` does with real programs, done on the made-up machine. It can be killed
//! between any two steps; then only the machine and the state file are left.

use std::time::Duration;

use pollux::action::{self, Command, Effect, Engine};
use pollux::base::cron::Minute;
use pollux::base::process::{BootId, Identity};
use pollux::base::program::{Outcome, Purpose};
use pollux::base::time::{Mono, Wall};
use pollux::config::ServiceId;
use pollux::event::ledger::Past;
use pollux::job::JournalEntry;
use pollux::state::State;

use crate::control::{self, Read, Written, unit_of};
use crate::dice::Dice;
use crate::looks::{Asked, Late};
use crate::machine::{Fault, Machine};
use crate::promises::Promises;
use crate::table::{self, Event, Table};

/// From one cycle to the next.
pub const INTERVAL: Duration = Duration::from_secs(30);
/// From TERM to KILL.
const GRACE: Duration = Duration::from_secs(5);
/// For a program whose service has none any more.
const ADOPTED_TIMEOUT: Duration = Duration::from_secs(30);
/// A daemon that was away no longer than that goes on with the rates of rules.
const RECENT: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Held,
    Running,
    Overdue,
    Terminating(Mono),
    Killed,
}

/// A program as the daemon knows it.
pub struct Job {
    pub service: String,
    pub purpose: Purpose,
    pub identity: Identity,
    deadline: Option<Mono>,
    pub phase: Phase,
    adopted: bool,
}

/// What dies with kill -9.
pub struct Daemon {
    pub engine: Engine,
    pub jobs: Vec<Job>,
    pub late: Vec<Late>,
    /// Processes whose end was told.
    pub told_of: Vec<Identity>,
    dirty: bool,
    next_cycle: Mono,
    next_adopted: Mono,
}

/// Everything.
pub struct World {
    pub machine: Machine,
    pub daemon: Option<Daemon>,
    /// The state file.
    pub disk: Option<String>,
    pub services: Vec<Written>,
    /// The name under which each unit is or was known.
    pub names: Vec<String>,
    pub dice: Dice,
    /// So many more steps until the daemon is killed.
    pub doom: Option<u64>,
    /// What is performed is what time asked for.
    ticks: bool,
    /// What is performed follows from an answer that took its time.
    pub answers: bool,
    pub table: Table,
    pub promises: Promises,
    pub log: Vec<String>,
    /// The system cannot tell of the ends of processes.
    pub deaf: bool,
    read: Read,
}

fn purpose_events(purpose: Purpose) -> [Event; 3] {
    if purpose == Purpose::Stop {
        [Event::StopEnded, Event::StopFailed, Event::StopNotRun]
    } else {
        [Event::StartEnded, Event::StartFailed, Event::StartNotRun]
    }
}

fn command_event(command: Command) -> Event {
    match command {
        Command::Start => Event::CommandStart,
        Command::Stop => Event::CommandStop,
        Command::Restart => Event::CommandRestart,
        Command::Monitor => Event::CommandMonitor,
        Command::Unmonitor => Event::CommandUnmonitor,
    }
}

impl World {
    pub fn new(services: Vec<Written>, units: usize, mut dice: Dice) -> World {
        let machine = Machine::new(units, &mut dice);
        let mut world = World {
            machine,
            daemon: None,
            disk: None,
            services,
            names: (0..units).map(|unit| format!("u{unit}")).collect(),
            dice,
            doom: None,
            ticks: false,
            answers: false,
            table: Table::default(),
            promises: Promises::new(units),
            log: Vec::new(),
            deaf: false,
            read: Read::default(),
        };
        world.deaf = world.dice.once_in(4);
        world.start_daemon();
        world
    }

    pub fn wall(&self) -> Wall {
        Wall::from_epoch(self.machine.now.since_origin() + Duration::from_secs(self.machine.wall))
    }

    pub fn engine(&self) -> Option<&Engine> {
        self.daemon.as_ref().map(|daemon| &daemon.engine)
    }

    fn tell(&mut self, text: String) {
        const KEPT: usize = 1_000;
        if self.log.len() >= 2 * KEPT {
            self.log.drain(..KEPT);
        }
        self.log.push(format!("{:>10.3} {text}", self.machine.now.since_origin().as_secs_f64()));
    }

    /// A step is done; the daemon may be killed here. False when it is dead.
    fn step(&mut self) -> bool {
        if let Some(left) = &mut self.doom {
            if *left == 0 {
                self.kill();
            } else {
                *left -= 1;
            }
        }
        self.daemon.is_some()
    }

    /// kill -9
    pub fn kill(&mut self) {
        self.doom = None;
        if let Some(daemon) = self.daemon.take() {
            for (id, _) in action::ids(daemon.engine.config()) {
                self.table.count(table::State::of(&daemon.engine, id), Event::Killed);
            }
            self.machine.drop_held();
            self.promises.daemon_died();
            self.tell("-- kill -9".to_owned());
        }
    }

    /// The power fails and comes back; the daemon is started with the machine.
    pub fn reboot(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            for (id, _) in action::ids(daemon.engine.config()) {
                self.table.count(table::State::of(&daemon.engine, id), Event::Reboot);
            }
        }
        self.doom = None;
        self.machine.reboot();
        self.tell("-- reboot".to_owned());
        self.promises.forget_wishes();
        self.start_daemon();
    }

    fn boot(&self) -> BootId {
        BootId(format!("boot-{}", self.machine.boot))
    }

    /// A new daemon takes up what the last one left.
    pub fn start_daemon(&mut self) {
        self.tell("-- a daemon starts".to_owned());
        let now = self.machine.now;
        let mut engine = Engine::new(self.read.config(&self.services), false);
        let mut jobs = Vec::new();
        let state = self.disk.as_ref().map(|text| State::parse(text.as_bytes()).expect("a whole state file"));
        let same_boot = state.as_ref().is_none_or(|state| state.boot == self.boot());
        let state = state.unwrap_or_else(|| State {
            boot: self.boot(),
            written: now,
            services: [].into(),
            journal: Vec::new(),
        });
        let past = match (same_boot, now.since(state.written) <= RECENT) {
            (false, _) => Past::OtherBoot,
            (true, false) => Past::Earlier,
            (true, true) => Past::Recent,
        };
        engine.restore(&state.services, past);
        if same_boot {
            let config = engine.config().clone();
            for (id, service) in action::ids(&config) {
                let known = state.services.get(&action::key(service)).and_then(|saved| saved.process);
                if let Some(known) = known
                    && let Ok(Some(entry)) = pollux::sys::table::Processes::entry(&self.machine, known.pid)
                    && !entry.zombie
                    && entry.identity.is_same(known, pollux::sys::table::Processes::tolerance(&self.machine))
                {
                    engine.remember_process(id, entry);
                }
            }
            engine.take_up(&state.services, now);
            let mut journal = state.journal;
            journal.sort_by_key(|entry| entry.purpose.brings_to_life());
            for entry in journal {
                let id = engine.find(&entry.service);
                let deadline = match id {
                    Some(id) if engine.is_settled(id, entry.purpose) => None,
                    Some(id) => Some(now.plus(engine.timeout(id, entry.purpose).unwrap_or(ADOPTED_TIMEOUT))),
                    None => Some(now.plus(ADOPTED_TIMEOUT)),
                };
                // Nobody waits for what it brings about.
                if id.is_some_and(|id| engine.is_settled(id, entry.purpose)) {
                    self.machine.forget_promises();
                }
                if !self.machine.runs(entry.identity) {
                    if let Some(id) = id {
                        let begun = Mono::from_origin(entry.identity.start.since_boot());
                        engine.ended_meanwhile(id, entry.purpose, begun, now);
                    }
                    continue;
                }
                if let Some(id) = id {
                    match deadline {
                        Some(_) => engine.adopted(id, entry.purpose, now),
                        None => engine.set_overdue(id, Some(entry.identity.pid)),
                    }
                }
                jobs.push(Job {
                    service: entry.service,
                    purpose: entry.purpose,
                    identity: entry.identity,
                    deadline,
                    phase: if deadline.is_some() { Phase::Running } else { Phase::Overdue },
                    adopted: true,
                });
            }
            engine.resume(now);
        }
        self.promises.take_up(same_boot);
        self.daemon = Some(Daemon {
            engine,
            jobs,
            late: Vec::new(),
            told_of: Vec::new(),
            dirty: true,
            next_cycle: now,
            next_adopted: now,
        });
        self.check_taken_up();
        self.check_settled();
        self.settle();
    }

    pub fn note(&mut self, id: ServiceId, event: Event) {
        if let Some(daemon) = &self.daemon {
            let state = table::State::of(&daemon.engine, id);
            self.table.count(state, event);
        }
    }

    pub fn name(&self, id: ServiceId) -> String {
        self.engine().map(|engine| engine.config().services[id.0].name.clone()).unwrap_or_default()
    }

    /// Performs effects until the engine has no more.
    pub fn perform(&mut self) {
        const MOST: usize = 300_000;
        let mut effects = 0;
        while let Some(effect) = self.daemon.as_mut().and_then(|daemon| daemon.engine.next_effect()) {
            effects += 1;
            if effects + 100 > MOST {
                self.tell(format!("{effect:?}"));
            }
            if effects > MOST {
                self.broken("the engine comes to no end");
            }
            match effect {
                Effect::Log(_, text) => {
                    self.tell(text);
                }
                Effect::Look(id) => {
                    let waits = self.engine().and_then(|engine| engine.stage(id));
                    if self.ticks && matches!(waits, Some("going" | "appearing")) {
                        self.note(id, Event::LookDue);
                    }
                    self.look(id);
                }
                Effect::LookEarly(id) => self.look_early(id),
                Effect::Run { service, purpose, timeout } => self.run(service, purpose, timeout),
                Effect::Exec { service, source, .. } => {
                    let name = self.name(service);
                    self.tell(format!("'{name}' exec {source:?}"));
                    self.check_exec(service, source);
                }
                Effect::Dirty => {
                    if let Some(daemon) = &mut self.daemon {
                        daemon.dirty = true;
                    }
                }
                #[allow(unreachable_patterns)] // effects that the simulation has no use for
                _ => {}
            }
            if !self.step() {
                return;
            }
        }
    }

    fn run(&mut self, id: ServiceId, purpose: Purpose, timeout: Option<Duration>) {
        let service = self.name(id);
        let Some(unit) = unit_of(&service) else { return };
        self.check_run(id, unit, purpose);
        let is_refused = std::mem::take(&mut self.machine.units[unit].no_fork);
        if is_refused || self.machine.units[unit].fault == Fault::NoFork {
            self.note(id, purpose_events(purpose)[2]);
            let now = self.machine.now;
            if let Some(daemon) = &mut self.daemon {
                daemon.engine.program_not_run(id, purpose, "cannot create a process", now);
            }
            return;
        }
        let identity = self.machine.fork(unit, purpose, timeout);
        let deadline = timeout.map(|timeout| self.machine.now.plus(timeout));
        if let Some(daemon) = &mut self.daemon {
            daemon.jobs.push(Job { service, purpose, identity, deadline, phase: Phase::Held, adopted: false });
        }
    }

    /// Performs everything, writes the state, and only then lets the programs run.
    pub fn settle(&mut self) {
        self.perform();
        let Some(daemon) = &mut self.daemon else { return };
        let held: Vec<Identity> =
            daemon.jobs.iter().filter(|job| job.phase == Phase::Held).map(|job| job.identity).collect();
        if daemon.dirty || !held.is_empty() {
            if !self.step() {
                return;
            }
            self.save();
        }
        for identity in held {
            if !self.step() {
                return;
            }
            self.machine.release(identity);
            if let Some(daemon) = &mut self.daemon {
                daemon.jobs.iter_mut().filter(|job| job.identity == identity).for_each(|j| j.phase = Phase::Running);
            }
        }
        if self.step() {
            self.check_settled();
        }
    }

    fn save(&mut self) {
        let boot = self.boot();
        let Some(daemon) = &mut self.daemon else { return };
        daemon.dirty = false;
        let engine = &daemon.engine;
        let services =
            action::ids(engine.config()).map(|(id, service)| (action::key(service), engine.saved(id))).collect();
        let entry =
            |job: &Job| JournalEntry { service: job.service.clone(), purpose: job.purpose, identity: job.identity };
        let state =
            State { boot, written: self.machine.now, services, journal: daemon.jobs.iter().map(entry).collect() };
        let text = state.print();
        let again = State::parse(text.as_bytes()).map(|state| state.print());
        assert_eq!(again.as_ref(), Ok(&text), "a state file says something else than was written");
        self.disk = Some(text);
        self.keep();
    }

    /// When the next thing happens.
    fn next(&self) -> Option<Mono> {
        let daemon = self.daemon.iter().flat_map(|daemon| {
            let deadlines = daemon.jobs.iter().filter_map(|job| match job.phase {
                Phase::Running => job.deadline,
                Phase::Terminating(at) => Some(at),
                _ => None,
            });
            let adopted = daemon.jobs.iter().any(|job| job.adopted).then_some(daemon.next_adopted);
            let late = daemon.late.iter().map(|late| late.at);
            deadlines.chain(adopted).chain(late).chain([daemon.next_cycle]).chain(daemon.engine.next_deadline())
        });
        daemon.chain(self.machine.next()).min()
    }

    /// Lets time pass.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Lets time pass, until the world is as wanted at the most.
    pub fn run_until(&mut self, time: Duration, wanted: impl Fn(&World) -> bool) {
        let until = self.machine.now.plus(time);
        while let Some(next) = self.next().filter(|next| *next <= until) {
            self.machine.now = self.machine.now.max(next);
            self.turn();
            if wanted(self) {
                return;
            }
        }
        self.machine.now = until;
    }

    /// A cycle as soon as possible.
    pub fn wake(&mut self) {
        let now = self.machine.now;
        if let Some(daemon) = &mut self.daemon {
            daemon.next_cycle = now;
        }
        self.turn();
    }

    /// Everything that is due now.
    pub fn turn(&mut self) {
        let now = self.machine.now;
        self.machine.turn(&mut self.dice);
        self.take_news();
        self.perform();
        self.take_exits();
        self.take_answers();
        let Some(daemon) = &mut self.daemon else { return };
        if now >= daemon.next_cycle {
            let next = daemon.next_cycle.plus(INTERVAL);
            daemon.next_cycle = if next > now { next } else { now.plus(INTERVAL) };
            self.cycle();
        }
        self.perform();
        if let Some(daemon) = &mut self.daemon {
            daemon.engine.tick(now);
        }
        self.ticks = true;
        self.settle();
        self.ticks = false;
        self.check_time();
        if self.engine().and_then(Engine::next_deadline).is_some_and(|next| next <= now) {
            self.broken("the engine wants to be asked again at once");
        }
    }

    fn take_news(&mut self) {
        let now = self.machine.now;
        let Some(daemon) = &mut self.daemon else { return };
        let look_at_adopted = now >= daemon.next_adopted;
        if look_at_adopted {
            daemon.next_adopted = now.plus(Duration::from_secs(1));
        }
        let mut place = 0;
        while let Some(job) = self.daemon.as_ref().and_then(|daemon| daemon.jobs.get(place)) {
            let (identity, adopted) = (job.identity, job.adopted);
            let gone = !self.machine.runs(identity);
            if gone && (!adopted || look_at_adopted) {
                let end = self.machine.reap(identity);
                let Some(daemon) = &mut self.daemon else { return };
                let job = daemon.jobs.swap_remove(place);
                daemon.dirty = true;
                self.ended(&job, end.filter(|_| !adopted));
                continue;
            }
            self.judge_job(place);
            place += 1;
        }
    }

    fn ended(&mut self, job: &Job, end: Option<crate::machine::End>) {
        let Some(id) = self.engine().and_then(|engine| engine.find(&job.service)) else { return };
        let timed_out = matches!(job.phase, Phase::Terminating(_) | Phase::Killed);
        let refused = end.is_some_and(|end| end.refused).then(|| "use 'onestart'".to_owned());
        let [ended, failed, _] = purpose_events(job.purpose);
        let event = match end {
            _ if timed_out => Event::StopTimedOut,
            Some(end) if end.refused && job.purpose != Purpose::Stop => Event::StartRefused,
            Some(end) if end.status != 0 => failed,
            _ => ended,
        };
        let stage = self.engine().and_then(|engine| engine.stage(id));
        let is_late = job.purpose.brings_to_life() && stage.is_some_and(|stage| stage != "starting");
        self.note(id, if is_late { Event::LateStartEnded } else { event });
        let outcome = Outcome { status: end.map(|end| end.status), timed_out, refused, ..Outcome::default() };
        let now = self.machine.now;
        if let Some(daemon) = &mut self.daemon {
            daemon.engine.program_ended(id, job.purpose, outcome, now);
        }
    }

    fn judge_job(&mut self, place: usize) {
        let now = self.machine.now;
        let Some(daemon) = &mut self.daemon else { return };
        let job = &mut daemon.jobs[place];
        match job.phase {
            Phase::Running if job.deadline.is_some_and(|deadline| now >= deadline) => {
                if job.purpose.brings_to_life() {
                    job.phase = Phase::Overdue;
                    let (service, purpose, pid) = (job.service.clone(), job.purpose, job.identity.pid);
                    daemon.dirty = true;
                    if let Some(id) = daemon.engine.find(&service) {
                        self.note(id, Event::StartOverdue);
                        if let Some(daemon) = &mut self.daemon {
                            daemon.engine.program_overdue(id, purpose, pid, String::new());
                        }
                    }
                } else {
                    job.phase = Phase::Terminating(now.plus(GRACE));
                    self.machine.signal(job.identity, false);
                }
            }
            Phase::Terminating(kill_at) if now >= kill_at => {
                job.phase = Phase::Killed;
                self.machine.signal(job.identity, true);
            }
            _ => {}
        }
        // What a signal ended is seen in the next turn.
        self.machine.turn(&mut self.dice);
    }

    fn cycle(&mut self) {
        let Some(daemon) = &self.daemon else { return };
        let config = daemon.engine.config().clone();
        let now = self.machine.now;
        let minute = Minute::from_number(i64::try_from(self.wall().secs() / 60).expect("a wall clock of today"));
        for (id, service) in action::ids(&config) {
            let Some(daemon) = &self.daemon else { return };
            if !daemon.late.iter().any(|late| late.service == service.name) {
                let state = table::State::of(&daemon.engine, id);
                let may = self.may_be_due(id);
                let due = self.daemon.as_mut().is_some_and(|daemon| daemon.engine.due(id, now, minute));
                self.check_due(id, may, due);
                if !due {
                    self.table.count(state, Event::PassedOver);
                } else if !self.ask(id, Asked::Cycle) {
                    self.observed(id, None, state);
                }
            }
            self.perform();
        }
        // Histories move on without telling anybody.
        if let Some(daemon) = &mut self.daemon {
            daemon.dirty = true;
        }
    }

    /// Users ask for something.
    pub fn command(&mut self, command: Command, names: &[String]) {
        let Some(daemon) = &self.daemon else { return };
        let ids: Vec<ServiceId> = names.iter().filter_map(|name| daemon.engine.find(name)).collect();
        self.tell(format!("-- {} {names:?}", command.word()));
        for id in &ids {
            self.note(*id, command_event(command));
        }
        let now = self.machine.now;
        if command != Command::Start {
            // Nobody is bound to wait for what a user interferes with.
            self.machine.forget_promises();
        }
        self.note_wish(command, &ids);
        if let Some(daemon) = &mut self.daemon {
            daemon.engine.command(command, &ids, now);
        }
        self.settle();
    }

    /// Users ask that services are left alone for a while.
    pub fn leave_alone(&mut self, names: &[String], time: Duration) {
        let Some(daemon) = &self.daemon else { return };
        let ids: Vec<ServiceId> = names.iter().filter_map(|name| daemon.engine.find(name)).collect();
        self.tell(format!("-- unmonitor {names:?} for {time:?}"));
        for id in &ids {
            self.note(*id, Event::CommandUnmonitorFor);
        }
        let now = self.machine.now;
        self.machine.forget_promises();
        self.note_wish(Command::Unmonitor, &ids);
        if let Some(daemon) = &mut self.daemon {
            daemon.engine.unmonitor_for(&ids, time, now);
        }
        self.note_absence(&ids, now.plus(time));
        self.settle();
    }

    /// Another control file is put in place, and the daemon reads it.
    pub fn reload(&mut self, services: Vec<Written>) {
        let before: Vec<Written> = std::mem::replace(&mut self.services, services);
        // A changed timeout is another promise.
        self.machine.forget_promises();
        // Killed before the new names are written, it would know renamed services no more.
        let doom = self.doom.take();
        self.settle();
        if self.daemon.is_none() {
            self.promises.changed_unseen();
        }
        let Some(daemon) = &self.daemon else { return };
        let config = self.read.config(&self.services);
        for (id, old) in action::ids(&daemon.engine.config().clone()) {
            let text = |services: &[Written]| {
                services.iter().find(|written| written.name == old.name).map(|written| written.text(services))
            };
            self.note(
                id,
                match (text(&before), text(&self.services)) {
                    (Some(old), Some(new)) if old == new => Event::Reload,
                    (_, Some(_)) => Event::ReloadChanged,
                    (None, None) => Event::Reload,
                    _ => Event::ReloadRemoved,
                },
            );
        }
        self.tell(format!("-- reload\n{}", control::text(&self.services)));
        let now = self.machine.now;
        self.note_reload(&before);
        let Some(daemon) = &mut self.daemon else { return };
        for (old, new) in daemon.engine.reconfigure(config.clone()) {
            daemon.jobs.iter_mut().filter(|job| job.service == old).for_each(|job| job.service.clone_from(&new));
            daemon.late.iter_mut().filter(|late| late.service == old).for_each(|late| late.service.clone_from(&new));
        }
        for (id, service) in action::ids(&config) {
            let serving = |job: &&Job| job.service == service.name;
            let overdue = daemon.jobs.iter().filter(serving).find(|job| job.phase == Phase::Overdue);
            daemon.engine.set_overdue(id, overdue.map(|job| job.identity.pid));
            let acting = daemon.jobs.iter().filter(serving).find(|job| job.phase != Phase::Overdue);
            if daemon.engine.pending(id).is_none()
                && let Some(job) = acting
            {
                daemon.engine.adopted(id, job.purpose, now);
            }
        }
        daemon.next_cycle = now;
        daemon.dirty = true;
        self.note_new_parents();
        self.ask_anew();
        // What follows from an answer is done before the machine goes on.
        self.perform();
        self.check_settled();
        self.turn();
        self.doom = doom;
    }
}
