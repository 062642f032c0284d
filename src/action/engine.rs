//! The engine's memory and its simple questions.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use super::plan::{Plan, Stage};
use super::{Command, Effect};
use crate::base::level::Level;
use crate::base::process::{Identity, Pid};
use crate::base::program::Purpose;
use crate::base::time::Mono;
use crate::config::{Config, Kind, Service, ServiceId};
use crate::event::ledger::{Ledger, Monitor, Saved};

/// One service at run time.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub ledger: Ledger,
    pub plan: Option<Plan>,
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
}

impl Engine {
    /// An engine that knows nothing yet.
    pub fn new(config: Rc<Config>) -> Engine {
        let runs = config.services.iter().map(|s| Run { ledger: Ledger::new(s), plan: None }).collect();
        let dependants = dependants(&config);
        Engine { config, runs, dependants, effects: VecDeque::new(), todo: VecDeque::new() }
    }

    /// Takes up what a state file tells. Actions that users asked for and that were not done are begun again.
    pub fn restore(&mut self, saved: &HashMap<String, Saved>, same_boot: bool, now: Mono) {
        let config = Rc::clone(&self.config);
        let mut goals = Vec::new();
        for (id, service) in ids(&config) {
            let Some(saved) = saved.get(&key(service)) else {
                if service.onreboot == crate::config::OnReboot::NoStart {
                    self.ledger_mut(id).monitor = Monitor::Off;
                }
                continue;
            };
            self.ledger_mut(id).restore(saved, same_boot, service.onreboot);
            if let Some(goal) = saved.goal.filter(|_| same_boot) {
                goals.push((id, goal));
            }
        }
        for (id, goal) in goals {
            if let Some(command) = Command::from_word(goal.word()) {
                self.command(command, &[id], now);
            }
        }
    }

    /// Puts a new configuration in place. What is known of a service stays with it when name and type are the same, also an
    /// action that is under way; what is known of services that are no more is forgotten.
    pub fn reconfigure(&mut self, config: Rc<Config>) {
        let old = Rc::clone(&self.config);
        let mut kept: HashMap<_, _> = old
            .services
            .iter()
            .zip(std::mem::take(&mut self.runs))
            .map(|(service, run)| ((key(service), service.service_type()), (service, run)))
            .collect();
        self.runs = config
            .services
            .iter()
            .map(|service| match kept.remove(&(key(service), service.service_type())) {
                Some((before, run)) => Run { ledger: run.ledger.carried_over(before, service), plan: run.plan },
                None => Run { ledger: Ledger::new(service), plan: None },
            })
            .collect();
        self.dependants = dependants(&config);
        self.config = config;
        // What was waited for may be gone: everything that waits for another service looks again.
        self.todo.clear();
        for (id, _) in ids(&Rc::clone(&self.config)) {
            self.todo.push_back(super::steps::Step::Advance(id));
        }
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
    pub fn pending(&self, id: ServiceId) -> Option<super::Goal> {
        self.runs[id.0].plan.as_ref().map(|plan| plan.goal)
    }

    /// Whether what depends on the service may run: it is watched, lives, and nothing is being done to it.
    pub fn is_up(&self, id: ServiceId) -> bool {
        let run = &self.runs[id.0];
        let lives = match self.service(id).kind {
            Kind::Process(_) => run.ledger.process.is_some(),
            Kind::System => true,
        };
        run.plan.is_none() && run.ledger.monitor == Monitor::On && lives
    }

    /// Whether any action is under way.
    pub fn is_busy(&self) -> bool {
        self.runs.iter().any(|run| run.plan.is_some())
    }

    /// What the state file shall keep of a service.
    pub fn saved(&self, id: ServiceId) -> Saved {
        let run = &self.runs[id.0];
        let goal = run.plan.as_ref().filter(|plan| plan.cause == super::Cause::User).map(|plan| plan.goal.purpose());
        Saved {
            monitored: run.ledger.monitor != Monitor::Off,
            restarts: run.ledger.restarts,
            restart_cycles: run.ledger.restart_cycles,
            taken_along: run.ledger.taken_along,
            goal,
            process: self.known(id),
        }
    }

    /// When [`Engine::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Mono> {
        self.runs.iter().filter_map(|run| run.plan.as_ref()?.stage.wait()?.next_look).min()
    }

    /// The service of that name, whatever its letters' case.
    pub fn find(&self, name: &str) -> Option<ServiceId> {
        self.config.services.iter().position(|service| service.name.eq_ignore_ascii_case(name)).map(ServiceId)
    }

    /// A start or restart program of an earlier daemon still runs: the service is in that action, and no other is started.
    pub fn adopted(&mut self, id: ServiceId, purpose: Purpose, now: Mono) {
        let service = self.service(id);
        let program = match purpose {
            Purpose::Start => &service.start,
            Purpose::Restart => &service.restart,
            Purpose::Stop => &service.stop,
            Purpose::Exec => return,
        };
        let timeout = program.as_ref().and_then(|program| program.timeout).or(Some(ADOPTED_TIMEOUT));
        let wait = super::plan::Wait::new(purpose, now, timeout);
        let run = &mut self.runs[id.0];
        let (goal, stage) = match (purpose, run.plan.as_ref().map(|plan| plan.goal)) {
            (Purpose::Stop, goal) => (goal.unwrap_or(super::Goal::Restart), Stage::Stopping(wait)),
            (Purpose::Restart, _) => (super::Goal::Restart, Stage::Starting(wait)),
            (_, goal) => (goal.unwrap_or(super::Goal::Start), Stage::Starting(wait)),
        };
        let before = run.plan.take();
        run.plan = Some(Plan {
            goal,
            cause: before.as_ref().map_or(super::Cause::Rule, |plan| plan.cause),
            stage,
            along: false,
            next: before.and_then(|plan| plan.next),
        });
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

    pub(super) fn dirty(&mut self) {
        if self.effects.back() != Some(&Effect::Dirty) {
            self.effects.push_back(Effect::Dirty);
        }
    }
}

/// Default for a program whose service has none any more.
const ADOPTED_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

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
