//! The engine's memory and its simple questions.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use super::exit::Early;
use super::plan::{Cause, Goal, Plan, Stage, Wish};
use super::{Command, Effect};
use crate::base::event::{EventKind, EventState};
use crate::base::logging::Level;
use crate::base::process::{Identity, Pid};
use crate::base::program::{Outcome, Purpose};
use crate::base::schedule::Rate;
use crate::base::time::{LocalTime, Mono, Wall};
use crate::config::{Config, Kind, OnReboot, Service, ServiceId, Test};
use crate::event::ledger::{Ledger, Monitor, Pace, Past, Saved, same_target};
use crate::event::track::Track;
use crate::facts::process::Entry;

/// One service at run time.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub ledger: Ledger,
    pub plan: Option<Plan>,
    /// Its process ended a moment ago.
    pub early: Option<Early>,
    /// When it was judged early last.
    pub judged_early: Option<Mono>,
    /// A late start program of it ended well while nobody watched it: until then its process may appear.
    pub coming: Option<Mono>,
}

impl Run {
    fn new(service: &Service) -> Run {
        Run { ledger: Ledger::new(service), plan: None, early: None, judged_early: None, coming: None }
    }

    fn of_new(service: &Service) -> Run {
        let mut run = Run::new(service);
        if service.onreboot == OnReboot::NoStart {
            run.ledger.monitor = Monitor::Off;
        }
        run
    }

    /// The cycle that follows a reload judges a process that has just ended.
    fn carried_over(self, before: &Service, after: &Service) -> Run {
        Run { ledger: self.ledger.carried_over(before, after), early: None, ..self }
    }
}

/// All services at run time, and what follows from what is learned about them.
#[derive(Debug)]
pub struct Engine {
    pub(super) config: Rc<Config>,
    pub(super) runs: Vec<Run>,
    /// Who depends on each service.
    pub(super) dependants: Vec<Vec<ServiceId>>,
    pub(super) effects: VecDeque<Effect>,
    pub(super) todo: VecDeque<super::steps::Step>,
    /// What users had asked of the daemon before this one.
    goals: BTreeMap<ServiceId, (Purpose, bool)>,
    pub(super) verbose: bool,
    /// When what is going on goes on.
    pub(super) now: Mono,
    /// Rules start nothing for now.
    pub(super) starts_held: bool,
}

impl Engine {
    /// An engine that knows nothing yet. A verbose one also tells of tests that pass.
    pub fn new(config: Rc<Config>, verbose: bool) -> Engine {
        let runs = config.services.iter().map(Run::new).collect();
        let dependants = dependants(&config);
        Engine {
            config,
            runs,
            dependants,
            effects: VecDeque::new(),
            todo: VecDeque::new(),
            goals: BTreeMap::new(),
            verbose,
            now: Mono::default(),
            starts_held: false,
        }
    }

    /// From now on starts and restarts that rules ask for are held back, or no longer. While a rule fails it asks again in
    /// each cycle; what it asks for once, it is owed.
    pub fn hold_starts(&mut self, held: bool) {
        self.starts_held = held;
    }

    /// Takes up what a state file tells. Then come [`Engine::adopted`] for each program that still runs, and
    /// [`Engine::resume`].
    pub fn restore(&mut self, saved: &HashMap<String, Saved>, past: Past) {
        let config = Rc::clone(&self.config);
        for (id, service) in ids(&config) {
            let Some(saved) = saved.get(&key(service)) else {
                if service.onreboot == crate::config::OnReboot::NoStart {
                    self.ledger_mut(id).monitor = Monitor::Off;
                }
                continue;
            };
            self.ledger_mut(id).restore(service, saved, past);
            if let Some(goal) = saved.goal.filter(|_| past != Past::OtherBoot) {
                self.goals.insert(id, (goal, saved.by_user));
            }
        }
    }

    /// Puts the times of files that a state file tells into the local time zone, for what is said of their changes.
    pub fn date_baselines(&mut self, local: impl Fn(Wall) -> LocalTime) {
        self.runs.iter_mut().for_each(|run| run.ledger.memory.path.date(&local));
    }

    /// Goes on waiting for processes that had not appeared when the earlier daemon ended, although their start programs
    /// had: another start would be a second one.
    pub fn take_up(&mut self, saved: &HashMap<String, Saved>, now: Mono) {
        self.now = now;
        let config = Rc::clone(&self.config);
        for (id, service) in ids(&config) {
            let appearing = saved.get(&key(service)).and_then(|saved| saved.appearing);
            let appearing = appearing.filter(|(_, until)| *until > now && self.is_process(id));
            let Some((purpose, until)) = appearing else { continue };
            self.adopted(id, purpose, now);
            self.await_appearance(id, purpose, until, now);
        }
    }

    /// A start or restart program that an earlier daemon began `then` is no more: whether it ended well is not known. Its
    /// process may still be on its way, so that another start would be a second one; what is no process has had its
    /// program, and needs no second one.
    pub fn ended_meanwhile(&mut self, id: ServiceId, purpose: Purpose, then: Mono, now: Mono) {
        self.now = now;
        let until = then.plus(self.timeout(id, purpose).unwrap_or(ADOPTED_TIMEOUT));
        if !purpose.brings_to_life() {
            return;
        }
        if !self.is_process(id) {
            self.goals.remove(&id);
        } else if until > now && !self.is_settled(id, purpose) {
            self.adopted(id, purpose, now);
            self.await_appearance(id, purpose, until, now);
        }
    }

    /// The service's start program has ended, and its process may take until then to appear.
    pub(super) fn await_appearance(&mut self, id: ServiceId, purpose: Purpose, until: Mono, now: Mono) {
        self.go_on_with(id, purpose, now);
        if let Some(Plan { stage: Stage::Starting(wait), .. }) = &mut self.runs[id.0].plan {
            wait.deadline = wait.deadline.map(|most| most.min(until));
            wait.ended = Some(Outcome::default());
            wait.next_look = Some(now);
        }
    }

    /// Begins again what was asked for, or begun, and not done when the earlier daemon ended. What a rule began is left to
    /// the rule, but for a stop, after which no rule would speak, and for what is no process, of which no rule may say that
    /// it is down. Whoever was to be started is watched, so that its rules speak.
    pub fn resume(&mut self, now: Mono) {
        self.now = now;
        for (id, (goal, by_user)) in std::mem::take(&mut self.goals) {
            match (Command::from_word(goal.word()), goal) {
                (Some(command), _) if by_user => self.command(command, &[id], now),
                (_, Purpose::Stop) => self.request(id, Goal::Stop, Cause::Rule),
                (_, Purpose::Start | Purpose::Restart) => {
                    if self.ledger(id).monitor == Monitor::Off {
                        self.ledger_mut(id).monitor = Monitor::Init;
                        self.end_absence(id);
                    }
                    if !self.is_process(id) {
                        let goal = if goal == Purpose::Start { Goal::Start } else { Goal::Restart };
                        self.request(id, goal, Cause::Dependency);
                        // It was spaced out when it was begun, and still counts as a start by a rule.
                        if let Some(plan) = &mut self.runs[id.0].plan {
                            plan.paced = true;
                        }
                    }
                }
                (_, Purpose::Exec | Purpose::Check) => {}
            }
        }
        self.pump(now);
    }

    /// Puts a new configuration in place. What is known of a service stays with it when name and type are the same, also an
    /// action that is under way; what is known of services that are no more is forgotten.
    ///
    /// A service that only changed its name keeps its run too; returned are the old names with the new ones.
    pub fn reconfigure(&mut self, config: Rc<Config>) -> Vec<(String, String)> {
        debug_assert!(self.effects.is_empty(), "effects name services by their old places");
        let old = Rc::clone(&self.config);
        let mut kept: HashMap<_, _> = old
            .services
            .iter()
            .zip(std::mem::take(&mut self.runs))
            .map(|(service, run)| ((key(service), service.service_type()), (service, run)))
            .collect();
        let mut runs: Vec<Option<Run>> = Vec::new();
        for service in &config.services {
            let run = kept.remove(&(key(service), service.service_type()));
            runs.push(run.map(|(before, run)| run.carried_over(before, service)));
        }
        let mut renamed = Vec::new();
        self.runs = Vec::new();
        for (service, run) in config.services.iter().zip(runs) {
            let run = run.or_else(|| {
                let name =
                    kept.iter().find(|(_, (before, _))| same_target(before, service)).map(|(name, _)| name.clone())?;
                let (before, run) = kept.remove(&name)?;
                renamed.push((before.name.clone(), service.name.clone()));
                Some(run.carried_over(before, service))
            });
            self.runs.push(run.unwrap_or_else(|| Run::of_new(service)));
        }
        self.dependants = dependants(&config);
        self.config = config;
        // What was waited for may be gone: everything that waits for another service looks again.
        self.todo.clear();
        for (id, _) in ids(&Rc::clone(&self.config)) {
            self.todo.push_back(super::steps::Step::Advance(id));
        }
        renamed
    }

    /// Whether a program of that purpose which still runs has done its work, or nobody waits for it: the service is not
    /// watched, or it is in another action by now.
    pub fn is_settled(&self, id: ServiceId, purpose: Purpose) -> bool {
        let ledger = self.ledger(id);
        let is_up = purpose == Purpose::Start && ledger.process.is_some();
        let nobody_waits = ledger.monitor == Monitor::Off && !self.goals.contains_key(&id);
        purpose.brings_to_life() && (is_up || nobody_waits || self.runs[id.0].plan.is_some())
    }

    /// A process known from before the daemon was restarted.
    pub fn remember_process(&mut self, id: ServiceId, entry: Entry) {
        self.ledger_mut(id).process = Some(entry);
    }

    /// How long the service's program of that purpose may take; `None` when it has none.
    pub fn timeout(&self, id: ServiceId, purpose: Purpose) -> Option<Duration> {
        let service = self.service(id);
        let program = match purpose {
            Purpose::Start => &service.start,
            Purpose::Stop => &service.stop,
            Purpose::Restart => &service.restart,
            Purpose::Exec | Purpose::Check => &None,
        };
        program.as_ref().and_then(|program| program.timeout)
    }

    /// The configuration in force.
    pub fn config(&self) -> &Rc<Config> {
        &self.config
    }

    /// The next effect to perform.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// What is known of a service.
    pub fn ledger(&self, id: ServiceId) -> &Ledger {
        &self.runs[id.0].ledger
    }

    /// The process a service was last seen as.
    pub fn known(&self, id: ServiceId) -> Option<Identity> {
        self.ledger(id).process.map(|entry| entry.identity)
    }

    /// Where the action under way leads.
    pub fn pending(&self, id: ServiceId) -> Option<Goal> {
        self.runs[id.0].plan.as_ref().map(|plan| plan.goal)
    }

    /// Whether what was asked of the service, or of one it depends on or that depends on it, is still to be done. What a
    /// rule does of its own accord does not count.
    pub fn obeys(&self, id: ServiceId) -> bool {
        self.runs[id.0].plan.as_ref().is_some_and(|plan| plan.cause != Cause::Rule || plan.next.is_some())
    }

    /// How far the action under way has come: `dependants` and `parents` are waited for, there is a `look before stop` or
    /// `look before start`, its program makes it `stopping` or `starting`, then it is `going` or `appearing`.
    pub fn stage(&self, id: ServiceId) -> Option<&'static str> {
        self.runs[id.0].plan.as_ref().map(|plan| plan.stage.word())
    }

    /// Whether what depends on the service may run: it is watched, lives, and nothing is being done to it.
    pub fn is_up(&self, id: ServiceId) -> bool {
        let run = &self.runs[id.0];
        let lives = match self.service(id).kind {
            Kind::Process(_) => run.ledger.process.is_some(),
            _ => run.ledger.lives,
        };
        run.plan.is_none() && run.ledger.monitor == Monitor::On && lives
    }

    /// Whether all it depends on is up.
    pub(super) fn parents_up(&self, id: ServiceId) -> bool {
        self.service(id).depends.iter().all(|parent| self.is_up(*parent))
    }

    /// Whether any service depends on this one.
    pub fn has_dependants(&self, id: ServiceId) -> bool {
        self.dependants.get(id.0).is_some_and(|dependants| !dependants.is_empty())
    }

    /// Whether any action is under way.
    pub fn is_busy(&self) -> bool {
        self.runs.iter().any(|run| run.plan.is_some() || run.early.is_some())
    }

    /// What the state file shall keep of a service.
    pub fn saved(&self, id: ServiceId) -> Saved {
        let run = &self.runs[id.0];
        let next = run.plan.as_ref().and_then(|plan| plan.next);
        let (goal, by_user) = match (&run.plan, next) {
            (_, Some(next)) => (Purpose::from_word(next.command.word()), true),
            // What goes down with another comes back with it.
            (Some(plan), None) if plan.cause == Cause::Dependency && plan.goal == Goal::Stop => (None, false),
            // A stop program of an earlier daemon, whose service is left alone by now, is only waited for.
            (Some(Plan { goal: Goal::Stop, cause: Cause::Rule, .. }), None) if run.ledger.monitor == Monitor::Off => {
                (None, false)
            }
            (Some(plan), None) => (Some(plan.goal.purpose()), plan.cause == Cause::User),
            (None, None) => (None, false),
        };
        let appearing = match run.plan.as_ref().map(|plan| &plan.stage) {
            Some(Stage::Starting(wait)) if wait.ended.is_some() => wait.deadline.map(|until| (wait.purpose, until)),
            _ => None,
        };
        Saved {
            monitored: match next.map(|next| next.command) {
                Some(Command::Unmonitor) => false,
                Some(Command::Monitor) => true,
                _ => run.ledger.monitor != Monitor::Off,
            },
            restarts: run.ledger.restarts,
            restart_cycles: run.ledger.restart_cycles,
            // It is no longer so when a user's wish begins.
            taken_along: run.ledger.taken_along && next.is_none(),
            pace: Pace { waits: false, ..run.ledger.pace },
            absence_ends: match next {
                Some(Wish { command: Command::Unmonitor, absence }) => absence,
                _ => run.ledger.absence_ends,
            },
            goal,
            by_user,
            appearing,
            process: self.known(id),
            scheduled: run.ledger.scheduled,
            tracks: run.ledger.tracks(self.service(id)),
            baselines: run.ledger.memory.keep(),
        }
    }

    /// When [`Engine::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Mono> {
        let looks = self.runs.iter().filter_map(|run| run.plan.as_ref()?.stage.wait()?.next_look);
        let ends = self.runs.iter().filter_map(|run| Some(run.ledger.absence_ends?.until));
        looks.chain(ends).chain(self.next_early_look()).min()
    }

    /// When a start that has to wait may come at the earliest.
    pub fn next_start(&self, id: ServiceId) -> Option<Mono> {
        let ledger = self.ledger(id);
        let is_wanted = ledger.monitor != Monitor::Off && ledger.rules.iter().any(Track::is_failed);
        (ledger.pace.waits && is_wanted).then_some(ledger.pace.next)
    }

    /// The service of that name, whatever its letters' case.
    pub fn find(&self, name: &str) -> Option<ServiceId> {
        self.config.services.iter().position(|service| service.name.eq_ignore_ascii_case(name)).map(ServiceId)
    }

    /// A start or restart program of an earlier daemon still runs: the service is in that action, and no other is started.
    pub fn adopted(&mut self, id: ServiceId, purpose: Purpose, now: Mono) {
        self.go_on_with(id, purpose, now);
        if purpose.brings_to_life() {
            // It is being started because it was gone; that it came back must be told.
            let config = Rc::clone(&self.config);
            for (rule, track) in config.services[id.0].rules.iter().zip(&mut self.runs[id.0].ledger.rules) {
                // One that needs more than one failure may not have failed yet.
                let fails_at_once = rule.failure.rate == Rate::ONCE;
                if matches!(rule.test, Test::NotExist | Test::Exited) && fails_at_once && !track.is_failed() {
                    track.reopen();
                }
            }
        }
    }

    /// The service is in the action that a program of that purpose stands for.
    fn go_on_with(&mut self, id: ServiceId, purpose: Purpose, now: Mono) {
        let timeout = self.timeout(id, purpose).or(Some(ADOPTED_TIMEOUT));
        let wait = super::plan::Wait::new(purpose, now, timeout);
        let begun = self.goals.get(&id).copied();
        let (goal, stage) = match purpose {
            Purpose::Stop if begun.is_some_and(|(goal, _)| goal == Purpose::Restart) => {
                (Goal::Restart, Stage::Stopping(wait))
            }
            // It had to go down before its start, because of what it depends on.
            Purpose::Stop if begun == Some((Purpose::Start, false)) => (Goal::Start, Stage::Stopping(wait)),
            Purpose::Stop => (Goal::Stop, Stage::Stopping(wait)),
            Purpose::Restart => (Goal::Restart, Stage::Starting(wait)),
            Purpose::Start | Purpose::Exec | Purpose::Check => (Goal::Start, Stage::Starting(wait)),
        };
        let mut plan = Plan::new(goal, Cause::Rule, stage);
        if goal == Goal::Stop && begun.is_none() && self.ledger(id).monitor != Monitor::Off {
            // Nobody wants it stopped: it goes down along with another, and comes back with that.
            plan = Plan { cause: Cause::Dependency, along: true, paced: false, ..plan };
            self.ledger_mut(id).taken_along = true;
        }
        self.runs[id.0].plan = Some(plan);
    }

    /// A start or restart program outlived its timeout: remembered until it ends, also for a service that is new.
    pub fn set_overdue(&mut self, id: ServiceId, pid: Option<Pid>) {
        let ledger = self.ledger_mut(id);
        ledger.overdue = pid;
        ledger.overdue_told = false;
    }

    pub(super) fn service(&self, id: ServiceId) -> &Service {
        &self.config.services[id.0]
    }

    pub(super) fn ledger_mut(&mut self, id: ServiceId) -> &mut Ledger {
        &mut self.runs[id.0].ledger
    }

    pub(super) fn log(&mut self, level: Level, id: ServiceId, text: &str) {
        let line = format!("'{}' {text}", self.service(id).name);
        self.effects.push_back(Effect::Log(level, line));
    }

    /// Tells of the end of an action, which is an event.
    pub(super) fn tell(&mut self, id: ServiceId, text: &str) {
        self.log(Level::Info, id, text);
        self.record(id, EventKind::Action, EventState::Changed, text);
    }

    pub(super) fn record(&mut self, id: ServiceId, kind: EventKind, state: EventState, text: &str) {
        let now = self.now;
        self.ledger_mut(id).recent.push(now, kind, state, text);
    }

    pub(super) fn dirty(&mut self) {
        if self.effects.back() != Some(&Effect::Dirty) {
            self.effects.push_back(Effect::Dirty);
        }
    }
}

/// Default for a program whose service has none any more.
const ADOPTED_TIMEOUT: Duration = Duration::from_secs(30);

/// How services are found again over reloads and restarts: names are unique without regard to case.
pub fn key(service: &Service) -> String {
    service.name.to_ascii_lowercase()
}

/// All services with their places.
pub fn ids(config: &Config) -> impl Iterator<Item = (ServiceId, &Service)> {
    config.services.iter().enumerate().map(|(place, service)| (ServiceId(place), service))
}

fn dependants(config: &Config) -> Vec<Vec<ServiceId>> {
    let mut dependants = vec![Vec::new(); config.services.len()];
    for (id, service) in ids(config) {
        for parent in &service.depends {
            if let Some(list) = dependants.get_mut(parent.0) {
                list.push(id);
            }
        }
    }
    dependants
}

impl Stage {
    pub(super) fn wait(&self) -> Option<&super::plan::Wait> {
        match self {
            Stage::Stopping(wait) | Stage::Starting(wait) => Some(wait),
            _ => None,
        }
    }
}
