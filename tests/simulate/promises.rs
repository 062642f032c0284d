//! What must hold at every step. Whoever breaks a promise panics; the caller adds the seed.

use pollux::action::{Command, Engine, ExecSource};
use pollux::base::program::Purpose;
use pollux::base::schedule::Every;
use pollux::config::{Action, Config, Kind, Mode, Service, ServiceId, Test};
use pollux::event::ledger::Monitor;
use pollux::facts::process::Presence;

use crate::control::unit_of;
use crate::daemon::World;
use crate::machine::Fault;

/// What is remembered of one unit.
#[derive(Clone, Default)]
struct Memory {
    /// Somebody asked for it, or for something that takes it along, since it was left alone.
    asked: bool,
    /// The failure of its exec rule is open; `None`: not known.
    open: Option<bool>,
    /// Starts by rules and checks since, as the limits count them; `None`: not known.
    counts: Option<(u32, u32)>,
    /// How often a program was run for it.
    runs: u64,
}

/// What is remembered of all, and whether a file was read while something was being done: then what was decided before
/// rests on other dependencies.
pub struct Promises(Vec<Memory>, bool);

impl Promises {
    pub fn new(units: usize) -> Promises {
        Promises(vec![Memory { open: Some(false), counts: Some((0, 0)), ..Memory::default() }; units], false)
    }

    /// Another daemon or another file: the engine may have forgotten.
    pub fn forget_counts(&mut self) {
        for memory in &mut self.0 {
            (memory.open, memory.counts) = (None, None);
        }
    }

    /// Another file: other dependencies, until what is being done is done.
    pub fn forget_order(&mut self) {
        self.1 = true;
    }

    /// After a boot everything that is not told otherwise is watched.
    pub fn forget_wishes(&mut self) {
        self.0.iter_mut().for_each(|memory| memory.asked = false);
    }

    /// How many programs were run for each unit.
    pub fn runs(&self) -> Vec<u64> {
        self.0.iter().map(|memory| memory.runs).collect()
    }
}

fn unit(config: &Config, id: ServiceId) -> Option<usize> {
    unit_of(&config.services[id.0].name)
}

/// Spelled out here, so that a mistake in the engine's own notion is seen.
fn is_up(engine: &Engine, id: ServiceId) -> bool {
    let service = &engine.config().services[id.0];
    let lives = !matches!(service.kind, Kind::Process(_)) || engine.known(id).is_some();
    engine.pending(id).is_none() && engine.ledger(id).monitor == Monitor::On && lives
}

fn dependants(config: &Config, id: ServiceId) -> impl Iterator<Item = ServiceId> + '_ {
    let depends = move |place: &usize| config.services[*place].depends.contains(&id);
    (0..config.services.len()).filter(depends).map(ServiceId)
}

/// A service with all it depends on and all that depends on those.
fn family(config: &Config, id: ServiceId) -> Vec<ServiceId> {
    let mut all = vec![id];
    let mut place = 0;
    while let Some(id) = all.get(place).copied() {
        for parent in &config.services[id.0].depends {
            if !all.contains(parent) {
                all.push(*parent);
            }
        }
        place += 1;
    }
    place = 0;
    while let Some(id) = all.get(place).copied() {
        for dependant in dependants(config, id) {
            if !all.contains(&dependant) {
                all.push(dependant);
            }
        }
        place += 1;
    }
    all
}

fn rule_starts(service: &Service) -> bool {
    let first = service.rules.iter().find(|rule| rule.test == Test::NotExist);
    first.is_some_and(|rule| matches!(rule.failure.action, Action::Restart | Action::Start))
}

impl World {
    pub fn broken(&self, promise: &str) -> ! {
        const LINES: usize = 120;
        let tail = self.log.len().saturating_sub(LINES);
        let mut states = String::new();
        for (place, service) in self.engine().iter().flat_map(|engine| engine.config().services.iter().enumerate()) {
            let (id, engine) = (ServiceId(place), self.engine().expect("a daemon"));
            let ledger = engine.ledger(id);
            let (process, along) = (ledger.process.map(|entry| entry.identity.pid), ledger.taken_along);
            let depends: Vec<usize> = service.depends.iter().map(|parent| parent.0).collect();
            let (stage, goal) = (engine.stage(id), engine.pending(id));
            states += &format!(
                "{place} '{}' {:?} {goal:?} {stage:?} process {process:?} along {along} depends {depends:?}\n",
                service.name, ledger.monitor
            );
        }
        panic!("{promise}\n{states}{}", self.log[tail..].join("\n"));
    }

    fn promise(&self, holds: bool, name: &str, promise: &str) {
        if !holds {
            self.broken(&format!("'{name}' {promise}"));
        }
    }

    /// A program is about to run.
    pub fn check_run(&mut self, id: ServiceId, unit: usize, purpose: Purpose) {
        self.promises.0[unit].runs += 1;
        let Some(engine) = self.engine() else { return };
        let config = engine.config().clone();
        let service = &config.services[id.0];
        let name = &service.name;
        let watched = engine.ledger(id).monitor != Monitor::Off;
        self.promise(
            watched || self.promises.0[unit].asked,
            name,
            "is touched although nobody watches it or asked for it",
        );
        let machine = &self.machine;
        let mut beside = machine.programs.iter().filter(|program| program.unit == unit);
        if purpose.brings_to_life() {
            let itself = machine.units[unit].process;
            let second = beside.find(|p| p.purpose.brings_to_life() && Some(p.identity.pid.get()) != itself);
            self.promise(second.is_none(), name, "is started twice at once");
        }
        if purpose == Purpose::Start {
            let presence = self.presence(id, None);
            // An answer that took its time may be old.
            let stale = self.answers;
            let lives = machine.units[unit].process.is_some() && matches!(presence, Presence::Running(_));
            self.promise(stale || !lives, name, "is started while it lives");
            self.promise(stale || !machine.units[unit].is_coming(), name, "is started while it is coming up");
            for parent in &service.depends {
                self.promise(is_up(engine, *parent), name, "is started before what it depends on");
            }
        }
        for dependant in dependants(&config, id) {
            // What is not watched and asked for at the same time has no order.
            let is_off = engine.ledger(dependant).monitor == Monitor::Off;
            // A late start program may end at any time, and what it brings is waited for.
            let before = ["parents", "dependants", "look before stop", "look before start", "appearing"];
            let idle = match engine.stage(dependant) {
                None | Some("parents") => true,
                Some(stage) => before.contains(&stage) && engine.known(dependant).is_none(),
            };
            // One with a restart program stays up while it waits for its turn.
            let stays = config.services[dependant.0].restart.is_some();
            let waits = is_off || idle || stays;
            let has_stop = config.services[dependant.0].stop.is_some();
            let ledger = engine.ledger(dependant);
            let lives =
                ledger.monitor == Monitor::On && ledger.process.is_some() && engine.pending(dependant).is_none();
            if purpose != Purpose::Start && !self.promises.1 {
                self.promise(waits && !(lives && has_stop), name, "goes down before what depends on it");
            }
        }
    }

    /// A cycle comes to a service: may it be observed? `None`: that depends on more than is known here.
    pub fn may_be_due(&self, id: ServiceId) -> Option<bool> {
        let engine = self.engine()?;
        let service = &engine.config().services[id.0];
        if engine.ledger(id).monitor == Monitor::Off || engine.pending(id).is_some() {
            return Some(false);
        }
        if !service.depends.iter().all(|parent| is_up(engine, *parent)) {
            return Some(false);
        }
        (service.every == Every::Cycle && service.restart_limits.is_empty()).then_some(true)
    }

    /// The engine has decided whether it is.
    pub fn check_due(&mut self, id: ServiceId, may: Option<bool>, due: bool) {
        let Some(engine) = self.engine() else { return };
        let config = engine.config().clone();
        let service = &config.services[id.0];
        self.promise(
            may.is_none_or(|may| may == due),
            &service.name,
            "is looked at when it is not due, or not when it is",
        );
        let Some(unit) = unit(&config, id) else { return };
        // The limits count each check from the first start by a rule on.
        let ledger = engine.ledger(id);
        let counted = (ledger.restarts, ledger.restart_cycles);
        let is_checked = engine.ledger(id).monitor != Monitor::Off || !due;
        // A wish that waits may clear them at any time.
        let known = self.promises.0[unit].counts.filter(|_| !self.promises.0[unit].asked);
        let Some((restarts, cycles)) = known else {
            self.promises.0[unit].counts = Some(counted);
            return;
        };
        let waits = may == Some(false) || ledger.waiting;
        let mut expected = (restarts, cycles);
        if restarts > 0 && !waits && is_checked {
            expected.1 += 1;
            let struck = service.restart_limits.iter().any(|l| restarts >= l.restarts && expected.1 <= l.cycles);
            let longest = service.restart_limits.iter().map(|limit| limit.cycles).max().unwrap_or(0);
            if struck || expected.1 > longest {
                expected = (0, 0);
            }
            // A limit may restart, which counts again.
            if struck && counted == (1, 0) {
                expected = counted;
            }
        }
        self.promise(counted == expected, &service.name, &format!("counts {counted:?} instead of {expected:?}"));
        self.promises.0[unit].counts = Some(expected);
    }

    /// A service was judged.
    pub fn check_judged(&mut self, id: ServiceId, presence: &Presence, was_busy: bool) {
        let Some(engine) = self.engine() else { return };
        let config = engine.config().clone();
        let service = &config.services[id.0];
        let Some(unit) = unit(&config, id) else { return };
        let fault = self.machine.units[unit].fault;
        let ledger = engine.ledger(id);
        let began = engine.pending(id).is_some();
        match presence {
            Presence::Gone(_) => {
                let startable = service.mode == Mode::Active && rule_starts(service) && service.start.is_some();
                let at_once = fault != Fault::NoFork && ledger.overdue.is_none();
                self.promise(!startable || !at_once || began, &service.name, "is dead and nothing is done");
            }
            Presence::Running(_) => {
                self.promise(ledger.process.is_some(), &service.name, "lives and is not known");
            }
            Presence::Unknown(_) => {}
        }
        if began
            && !was_busy
            && rule_starts(service)
            && matches!(presence, Presence::Gone(_))
            && !service.restart_limits.is_empty()
            && let Some((restarts, _)) = &mut self.promises.0[unit].counts
        {
            *restarts += 1;
        }
    }

    /// A program of a rule runs: each failure is told once, and each has one recovery.
    pub fn check_exec(&mut self, id: ServiceId, source: ExecSource) {
        let Some(engine) = self.engine() else { return };
        let config = engine.config().clone();
        let Some(unit) = unit(&config, id) else { return };
        let failed = match source {
            ExecSource::Failure(_) => true,
            ExecSource::Recovery(_) => false,
            ExecSource::Limit(_) => return,
            #[allow(unreachable_patterns)] // sources that the simulation's files do not use
            _ => return,
        };
        let open = self.promises.0[unit].open;
        let promise = if failed { "tells a failure twice" } else { "tells a recovery without a failure" };
        self.promise(open != Some(failed), &config.services[id.0].name, promise);
        self.promises.0[unit].open = Some(failed);
    }

    /// A user asks for something: it may touch a whole family.
    pub fn note_wish(&mut self, command: Command, ids: &[ServiceId]) {
        let Some(engine) = self.engine() else { return };
        let config = engine.config().clone();
        for id in ids {
            let reset: Vec<ServiceId> = match command {
                Command::Unmonitor => continue,
                _ => family(&config, *id),
            };
            for member in reset {
                if let Some(unit) = unit(&config, member) {
                    self.promises.0[unit].asked = true;
                    // A wish, and what follows from it, may clear the counts.
                    self.promises.0[unit].counts = None;
                }
            }
        }
    }

    /// Everything that was decided is done.
    pub fn check_settled(&mut self) {
        let Some(engine) = self.engine() else { return };
        let config = engine.config().clone();
        let off = |id: ServiceId| {
            let ledger = engine.ledger(id);
            ledger.monitor == Monitor::Off && engine.pending(id).is_none() && !ledger.taken_along
        };
        let left_alone: Vec<usize> = (0..config.services.len())
            .map(ServiceId)
            .filter(|id| off(*id))
            .filter_map(|id| unit(&config, id))
            .collect();
        // What was taken along comes back, and a changed file makes other families.
        let along = |id: &ServiceId| engine.ledger(*id).taken_along;
        let wished = |id: &ServiceId| along(id) || unit(&config, *id).is_some_and(|unit| self.promises.0[unit].asked);
        let wished: Vec<ServiceId> = (0..config.services.len()).map(ServiceId).filter(wished).collect();
        let is_busy = engine.is_busy();
        for unit in wished.iter().flat_map(|id| family(&config, *id)).filter_map(|id| unit(&config, id)) {
            self.promises.0[unit].asked = true;
        }
        // A wish lasts until everything that belongs together has come to rest.
        if !is_busy {
            self.promises.1 = false;
            for unit in left_alone {
                self.promises.0[unit].asked = false;
            }
        }
    }
}
