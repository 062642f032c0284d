//! What must hold at every step. Whoever breaks a promise panics; the caller adds the seed.
//!
//! A service is *startable* when it is watched and not passive, has a rule that starts it and a start program, is known to be
//! gone, everything it depends on is up, no action of it is under way, none of its start programs runs past its timeout, and
//! its back-off is over. An action is under way until its process has appeared or its program's timeout is over, counted
//! from the program's beginning, whoever was there to see it: a start program that has ended may have left something behind
//! that takes its time to appear, and a second start beside it is worse than a late one. That holds also for a start whose
//! end no daemon has seen.

use std::time::Duration;

use pollux::action::{self, Command, Engine, ExecSource};
use pollux::base::program::Purpose;
use pollux::base::schedule::Every;
use pollux::base::time::Mono;
use pollux::config::{Action, Config, Kind, Mode, Service, ServiceId, Test};
use pollux::event::ledger::Monitor;
use pollux::facts::process::Presence;

use crate::control::{Written, unit_of};
use crate::daemon::{INTERVAL, World};
use crate::looks::has_pidfile;
use crate::machine::Fault;

/// From the notice that a process has ended to the judgement.
const SETTLE: Duration = Duration::from_millis(30);

/// What is remembered of one unit.
#[derive(Clone, Default)]
struct Memory {
    /// Somebody asked for it, or for something that takes it along, since it was left alone.
    asked: bool,
    /// The failure of its exec rule is open; `None`: not known.
    open: Option<bool>,
    /// Starts by rules and checks since, as the limits count them; `None`: not known.
    counts: Option<(u32, u32)>,
    /// Starts in a row by rules, and when the next may come; `None`: not known.
    pace: Option<(u32, Mono)>,
    /// A user wants it left alone until then.
    absent: Option<Mono>,
    /// It went down with another and is not watched until that is started.
    along: bool,
    /// Since when its end is looked into early, and whether somebody was seen at it.
    early: Option<(Mono, bool)>,
    /// Since when it could be started.
    startable: Option<Mono>,
    /// How often a program was run for it.
    runs: u64,
}

impl Memory {
    /// Of a service that the daemon sees for the first time.
    fn new() -> Memory {
        Memory { open: Some(false), counts: Some((0, 0)), pace: Some((0, Mono::default())), ..Memory::default() }
    }
}

/// What is remembered of all, now and when the state file was written.
pub struct Promises {
    units: Vec<Memory>,
    saved: Vec<Memory>,
    changed_unseen: bool,
}

impl Promises {
    pub fn new(units: usize) -> Promises {
        let fresh = vec![Memory::new(); units];
        Promises { units: fresh.clone(), saved: fresh, changed_unseen: false }
    }

    /// Another file was put in place while no daemon ran.
    pub fn changed_unseen(&mut self) {
        self.changed_unseen = true;
    }

    pub fn daemon_died(&mut self) {
        self.units.iter_mut().for_each(|memory| (memory.early, memory.startable) = (None, None));
    }

    /// Another daemon knows what the state file told it.
    pub fn take_up(&mut self, same_boot: bool) {
        let changed = std::mem::take(&mut self.changed_unseen);
        for (memory, saved) in self.units.iter_mut().zip(&self.saved) {
            let asked = memory.asked;
            // What was done between the last writing and the end may have been done or not.
            let open = memory.open.filter(|open| Some(*open) == saved.open && same_boot && !changed);
            let runs = memory.runs;
            *memory = if same_boot { saved.clone() } else { Memory::new() };
            (memory.asked, memory.open, memory.runs) = (asked, open, runs);
            (memory.early, memory.startable) = (None, None);
            if changed {
                memory.pace = None;
            }
        }
    }

    /// After a boot everything that is not told otherwise is watched.
    pub fn forget_wishes(&mut self) {
        self.units.iter_mut().for_each(|memory| memory.asked = false);
    }

    /// How many programs were run for each unit.
    pub fn runs(&self) -> Vec<u64> {
        self.units.iter().map(|memory| memory.runs).collect()
    }
}

fn unit(config: &Config, id: ServiceId) -> Option<usize> {
    unit_of(&config.services[id.0].name)
}

/// Spelled out here, so that a mistake in the engine's own notion is seen.
fn is_up(engine: &Engine, id: ServiceId) -> bool {
    let service = &engine.config().services[id.0];
    let lives = if is_process(service) { engine.known(id).is_some() } else { engine.ledger(id).lives };
    engine.pending(id).is_none() && engine.ledger(id).monitor == Monitor::On && lives
}

fn dependants(config: &Config, id: ServiceId) -> impl Iterator<Item = ServiceId> + '_ {
    let depends = move |place: &usize| config.services[*place].depends.contains(&id);
    (0..config.services.len()).filter(depends).map(ServiceId)
}

/// Services with all they depend on and all that depends on those.
fn families(config: &Config, ids: impl IntoIterator<Item = ServiceId>) -> Vec<ServiceId> {
    let mut dependants = vec![Vec::new(); config.services.len()];
    for (id, service) in action::ids(config) {
        service.depends.iter().for_each(|parent| dependants[parent.0].push(id));
    }
    let above = closure(ids, |id| &config.services[id.0].depends, config.services.len());
    closure(above, |id| &dependants[id.0], config.services.len())
}

/// These and all that is reached from them.
fn closure<'a>(
    ids: impl IntoIterator<Item = ServiceId>,
    next: impl Fn(ServiceId) -> &'a Vec<ServiceId>,
    count: usize,
) -> Vec<ServiceId> {
    let (mut all, mut seen) = (Vec::new(), vec![false; count]);
    let mut todo: Vec<ServiceId> = ids.into_iter().collect();
    while let Some(id) = todo.pop() {
        if !std::mem::replace(&mut seen[id.0], true) {
            all.push(id);
            todo.extend(next(id));
        }
    }
    all
}

fn is_process(service: &Service) -> bool {
    matches!(service.kind, Kind::Process(_))
}

/// Whether the service is started when it is gone; `early`: as soon as its end is told.
fn rule_starts(service: &Service, early: bool) -> bool {
    let asks = |test: &Test| *test == Test::Exited || !early && *test == Test::NotExist;
    let mut actions: Vec<&Action> = service.rules.iter().filter(|r| asks(&r.test)).map(|r| &r.failure.action).collect();
    actions.retain(|action| !matches!(action, Action::Exec(_) | Action::Alert | Action::Ignore));
    !actions.is_empty() && actions.iter().all(|action| matches!(action, Action::Restart | Action::Start))
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
        self.promises.units[unit].runs += 1;
        let Some(engine) = self.engine() else { return };
        let config = engine.config().clone();
        let service = &config.services[id.0];
        let name = &service.name;
        let watched = engine.ledger(id).monitor != Monitor::Off;
        self.promise(
            watched || self.promises.units[unit].asked,
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
            // An answer that took its time may be old; of what is no process nothing is known before it is started.
            let stale = self.answers || !is_process(service);
            let lives = machine.units[unit].process.is_some() && matches!(presence, Presence::Running(_));
            self.promise(stale || !lives, name, "is started while it lives");
            self.promise(stale || !machine.units[unit].is_coming(), name, "is started while it is coming up");
            for parent in &service.depends {
                // One that was asked to go down since waits for this start to end.
                let lives = !is_process(&config.services[parent.0]) || engine.known(*parent).is_some();
                let waits = lives && engine.stage(*parent) == Some("dependants");
                self.promise(waits || is_up(engine, *parent), name, "is started before what it depends on");
            }
        }
        if purpose != Purpose::Start {
            for dependant in dependants(&config, id).filter(|id| self.is_in_the_way(*id)) {
                let other = &config.services[dependant.0].name;
                self.promise(false, name, &format!("goes down before '{other}', which depends on it"));
            }
        }
        if purpose.brings_to_life() {
            self.check_pace(id, unit);
        }
    }

    /// Whether a dependant has to be down, and is not. What is not watched has no order, and what has no stop program is not
    /// waited for.
    fn is_in_the_way(&self, id: ServiceId) -> bool {
        let Some(engine) = self.engine() else { return false };
        let service = &engine.config().services[id.0];
        let ledger = engine.ledger(id);
        if ledger.monitor == Monitor::Off || service.stop.is_none() {
            return false;
        }
        // Whether a file is up nobody knows: where a user's wish for it meets another it may be stopped once more, late.
        let asked = unit(engine.config(), id).is_some_and(|unit| self.promises.units[unit].asked);
        if asked && !is_process(service) {
            return false;
        }
        match engine.stage(id) {
            None => engine.known(id).is_some(),
            // A late start program may end at any time, and what it brings is waited for.
            Some("parents" | "dependants" | "look before stop" | "look before start" | "appearing") => {
                engine.known(id).is_some()
            }
            Some(_) => true,
        }
    }

    /// What was taken along comes back without being paced, maybe at once.
    pub fn note_along(&mut self) {
        for (id, unit) in self.all() {
            if self.engine().is_some_and(|engine| engine.ledger(id).taken_along) {
                self.promises.units[unit].pace = None;
            }
        }
    }

    /// Starts by rules keep their distance from each other, and no more than that.
    fn check_pace(&mut self, id: ServiceId, unit: usize) {
        let Some(engine) = self.engine() else { return };
        let service = &engine.config().services[id.0];
        let (now, pace) = (self.machine.now, engine.ledger(id).pace);
        let Some(backoff) = service.backoff else { return };
        if self.promises.units[unit].asked {
            self.promises.units[unit].pace = None;
            return;
        }
        if let Some((starts, next)) = self.promises.units[unit].pace {
            self.promise(starts == 0 || now >= next, &service.name, "is started before its back-off is over");
            let starts = if now >= next.plus(backoff.longest) { 1 } else { starts + 1 };
            let doubled = backoff.first * 2_u32.pow(starts.min(20) - 1);
            let expected = (starts, now.plus(doubled.min(backoff.longest)));
            let found = (pace.starts, pace.next);
            self.promise(found == expected, &service.name, &format!("is paced {found:?} instead of {expected:?}"));
        }
        self.promises.units[unit].pace = Some((pace.starts, pace.next));
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
        let each_cycle = service.every == Every::Cycle && service.cron.is_none();
        (each_cycle && service.restart_limits.is_empty()).then_some(!engine.is_settling(id))
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
        // A limit may have acted, and its cycle has one action: the next one is for the rules.
        if !service.restart_limits.is_empty() && !due {
            self.promises.units[unit].startable = None;
        }
        let Some(engine) = self.engine() else { return };
        // The limits count each check from the first start by a rule on.
        let ledger = engine.ledger(id);
        let counted = (ledger.restarts, ledger.restart_cycles);
        let is_checked = engine.ledger(id).monitor != Monitor::Off || !due;
        // A wish that waits may clear them at any time.
        let known = self.promises.units[unit].counts.filter(|_| !self.promises.units[unit].asked);
        let Some((restarts, cycles)) = known else {
            let begins_anew = ledger.absence_ends.is_some();
            self.promises.units[unit].counts = (!begins_anew).then_some(counted);
            return;
        };
        // A cycle counts also while an early look is under way.
        let waits = may == Some(false) && !engine.is_settling(id) || ledger.waiting;
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
        self.promises.units[unit].counts = Some(expected);
    }

    /// Nothing keeps its rules from starting it but what the engine may still have to learn.
    fn is_free(&self, id: ServiceId, unit: usize) -> bool {
        let Some(engine) = self.engine() else { return false };
        let service = &engine.config().services[id.0];
        let ledger = engine.ledger(id);
        let is_early = service.backoff.is_some() && ledger.pace.holds(self.machine.now);
        let fails = self.machine.units[unit].fault == Fault::NoFork;
        service.mode == Mode::Active && service.start.is_some() && ledger.overdue.is_none() && !is_early && !fails
    }

    /// A service was judged.
    pub fn check_judged(&mut self, id: ServiceId, presence: &Presence, was_busy: bool) {
        let Some(engine) = self.engine() else { return };
        let config = engine.config().clone();
        let service = &config.services[id.0];
        let Some(unit) = unit(&config, id) else { return };
        let ledger = engine.ledger(id);
        let began = engine.pending(id).is_some();
        match presence {
            Presence::Gone(_) => {
                let startable = rule_starts(service, false) && self.is_free(id, unit);
                let begins = began || engine.is_settling(id);
                self.promise(!startable || begins, &service.name, "is dead and nothing is done");
            }
            Presence::Running(_) if is_process(service) => {
                self.promise(ledger.process.is_some(), &service.name, "lives and is not known");
            }
            Presence::Running(_) | Presence::Unknown(_) => {}
        }
        if began {
            self.promises.units[unit].startable = None;
        }
        // What has no program is done with at once.
        if !is_process(service) && service.start.is_none() {
            self.promises.units[unit].counts = None;
        } else if began && !was_busy && rule_starts(service, false) && matches!(presence, Presence::Gone(_)) {
            self.count_start(service, unit);
        }
    }

    fn count_start(&mut self, service: &Service, unit: usize) {
        if !service.restart_limits.is_empty()
            && let Some((restarts, _)) = &mut self.promises.units[unit].counts
        {
            *restarts += 1;
        }
    }

    /// The daemon looks at a service because its process ended.
    pub fn begin_early(&mut self, id: ServiceId) {
        let now = self.machine.now;
        if let Some(unit) = self.engine().and_then(|engine| unit(engine.config(), id)) {
            self.promises.units[unit].early.get_or_insert((now, false));
        }
    }

    /// Whether the answer to an early look counts.
    pub fn before_early(&self, id: ServiceId) -> bool {
        let Some(engine) = self.engine() else { return false };
        let parents = &engine.config().services[id.0].depends;
        let rests = engine.pending(id).is_none() && engine.ledger(id).monitor != Monitor::Off;
        rests && engine.is_settling(id) && parents.iter().all(|parent| is_up(engine, *parent))
    }

    /// An early look was answered: a process that is gone is judged after the settle time; when somebody was seen at it, after
    /// the time that its start program has.
    pub fn check_early(&mut self, id: ServiceId, presence: &Presence, script: bool, counts: bool) {
        let Some(engine) = self.engine() else { return };
        let config = engine.config().clone();
        let service = &config.services[id.0];
        let Some(unit) = unit(&config, id) else { return };
        let Some((since, handled)) = self.promises.units[unit].early.filter(|_| counts) else { return };
        let (settling, began) = (engine.is_settling(id), engine.pending(id).is_some());
        let is_off = engine.ledger(id).monitor == Monitor::Off;
        if !matches!(presence, Presence::Gone(_)) {
            self.promise(!settling && !began, &service.name, "is not left alone by an early look");
            return;
        }
        let handled = handled || script;
        self.promises.units[unit].early = Some((since, handled));
        let timeout = [&service.start, &service.restart].into_iter().flatten().find_map(|program| program.timeout);
        let over = if handled { timeout.unwrap_or(Duration::from_secs(30)) } else { SETTLE };
        if self.machine.now.since(since) < over {
            self.promise(settling && !began, &service.name, "is judged early too early");
            return;
        }
        let starts = rule_starts(service, true) && self.is_free(id, unit);
        self.promise(!settling, &service.name, "is looked at early for too long");
        self.promise(!starts || began || is_off, &service.name, "has ended and nothing is done");
        self.promises.units[unit].startable = None;
        if let Some((restarts, cycles)) = self.promises.units[unit].counts {
            let limits = service.restart_limits.iter();
            let struck = limits.filter(|l| restarts >= l.restarts && cycles.max(1) <= l.cycles).count() > 0;
            if struck {
                self.promises.units[unit].counts = Some((0, 0));
            }
        }
        let engine = self.engine().and_then(|engine| engine.pending(id));
        if engine.is_some_and(|goal| goal.word() != "stop") {
            self.count_start(service, unit);
        }
    }

    /// Time has passed, and everything that was due is done.
    pub fn check_time(&mut self) {
        let now = self.machine.now;
        for (id, unit) in self.all() {
            let Some(engine) = self.engine() else { return };
            let config = engine.config().clone();
            let service = &config.services[id.0];
            let is_off = engine.ledger(id).monitor == Monitor::Off;
            if let Some(until) = self.promises.units[unit].absent {
                self.promise(is_off == (now < until), &service.name, "is left alone too long, or not long enough");
                self.promises.units[unit].absent = Some(until).filter(|until| now < *until);
            }
            let startable = self.is_startable(id, unit);
            let since = *self.promises.units[unit].startable.get_or_insert(now);
            if !startable {
                self.promises.units[unit].startable = None;
            } else if now.since(since) > INTERVAL {
                self.broken(&format!("'{}' could be started for longer than a cycle", service.name));
            }
        }
    }

    fn is_startable(&self, id: ServiceId, unit: usize) -> bool {
        let (Some(engine), Some(daemon)) = (self.engine(), &self.daemon) else { return false };
        let service = &engine.config().services[id.0];
        let rests = engine.pending(id).is_none() && engine.ledger(id).monitor != Monitor::Off;
        let parents_up = service.depends.iter().all(|parent| is_up(engine, *parent));
        // While an answer is on its way nothing is known; and somebody else may be at it.
        let asked = has_pidfile(service) && daemon.late.iter().any(|late| late.service == service.name);
        let each_cycle = service.every == Every::Cycle && service.cron.is_none();
        let known = !asked && !engine.is_settling(id) && each_cycle;
        let gone = matches!(self.presence(id, None), Presence::Gone(_));
        rests && parents_up && known && gone && rule_starts(service, false) && self.is_free(id, unit)
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
        };
        let open = self.promises.units[unit].open;
        let promise = if failed { "tells a failure twice" } else { "tells a recovery without a failure" };
        self.promise(open != Some(failed), &config.services[id.0].name, promise);
        self.promises.units[unit].open = Some(failed);
    }

    /// A user asks for something: it may touch a whole family.
    pub fn note_wish(&mut self, command: Command, ids: &[ServiceId]) {
        let Some(engine) = self.engine() else { return };
        let config = engine.config().clone();
        for member in families(&config, ids.iter().copied()) {
            let Some(memory) = unit(&config, member).and_then(|unit| self.promises.units.get_mut(unit)) else {
                continue;
            };
            memory.absent = None;
            if command != Command::Unmonitor {
                memory.asked = true;
                // A wish, and what follows from it, may clear the counts.
                (memory.counts, memory.pace) = (None, None);
            }
        }
    }

    /// A user wanted services left alone until then.
    pub fn note_absence(&mut self, ids: &[ServiceId], until: Mono) {
        let Some(engine) = self.engine() else { return };
        // One whose action is under way is left alone when that has ended, and its counts are cleared then.
        let (rests, acts): (Vec<_>, Vec<_>) = ids.iter().copied().partition(|id| engine.pending(*id).is_none());
        let config = engine.config().clone();
        for unit in acts.into_iter().filter_map(|id| unit(&config, id)) {
            self.promises.units[unit].counts = None;
        }
        for unit in rests.into_iter().filter_map(|id| unit(&config, id)) {
            self.promises.units[unit].absent = Some(until);
        }
    }

    /// Another file is about to be taken over: what stands in it as before keeps its history.
    pub fn note_reload(&mut self, before: &[Written]) {
        let after = self.services.clone();
        for (unit, memory) in self.promises.units.iter_mut().enumerate() {
            let find = |services: &[Written]| services.iter().find(|written| written.unit == unit).cloned();
            match (find(before), find(&after)) {
                (Some(old), Some(new)) if old.file == new.file => {
                    if old.told != new.told {
                        memory.open = Some(false);
                    }
                    if old.backoff != new.backoff {
                        memory.pace = None;
                    }
                }
                _ => *memory = Memory { asked: memory.asked, runs: memory.runs, ..Memory::new() },
            }
            memory.early = None;
        }
    }

    /// The other file is in force: what was asked for may depend on others now, which follow.
    pub fn note_new_parents(&mut self) {
        let Some(engine) = self.engine() else { return };
        let config = engine.config().clone();
        let is_asked = |id: &ServiceId| unit(&config, *id).is_some_and(|unit| self.promises.units[unit].asked);
        let asked: Vec<ServiceId> =
            action::ids(&config).map(|(id, _)| id).filter(|id| engine.pending(*id).is_some() && is_asked(id)).collect();
        for unit in families(&config, asked).into_iter().filter_map(|id| unit(&config, id)) {
            self.promises.units[unit].asked = true;
        }
    }

    /// The state file is written.
    pub fn keep(&mut self) {
        let (all, now) = (self.all(), self.machine.now);
        let Some(engine) = self.daemon.as_ref().map(|daemon| &daemon.engine) else { return };
        let mut saved = vec![Memory::new(); self.promises.units.len()];
        for (id, unit) in all {
            let ledger = engine.ledger(id);
            let memory = &mut self.promises.units[unit];
            // Who is to be left alone after its action does not come back.
            let stays_along = engine.pending(id).is_none() || engine.saved(id).taken_along;
            memory.along = ledger.taken_along && ledger.monitor == Monitor::Off && stays_along;
            let absent = memory.absent.filter(|until| now < *until);
            // Who is watched again begins anew, and a wish that waits may have cleared them.
            let counts = memory.counts.filter(|_| ledger.absence_ends.is_none() && !memory.asked);
            saved[unit] = Memory { absent, counts, ..memory.clone() };
        }
        self.promises.saved = saved;
    }

    /// A daemon has taken up what the last one left.
    pub fn check_taken_up(&mut self) {
        for (id, unit) in self.all() {
            let Some(engine) = self.engine() else { return };
            let ledger = engine.ledger(id);
            let returns = ledger.taken_along || ledger.monitor != Monitor::Off || engine.pending(id).is_some();
            let along = self.promises.units[unit].along;
            self.promise(!along || returns, &self.name(id), "does not come back with what it depends on");
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
        let wished =
            |id: &ServiceId| along(id) || unit(&config, *id).is_some_and(|unit| self.promises.units[unit].asked);
        let wished: Vec<ServiceId> = (0..config.services.len()).map(ServiceId).filter(wished).collect();
        let is_busy = engine.is_busy();
        for unit in families(&config, wished).into_iter().filter_map(|id| unit(&config, id)) {
            let memory = &mut self.promises.units[unit];
            (memory.asked, memory.absent) = (true, None);
        }
        // A wish lasts until everything that belongs together has come to rest.
        if !is_busy {
            for unit in left_alone {
                let memory = &mut self.promises.units[unit];
                // A wish that had to wait may have cleared them since they were looked at.
                if std::mem::replace(&mut memory.asked, false) {
                    memory.counts = None;
                }
            }
        }
        for (id, unit) in self.all() {
            let Some(engine) = self.daemon.as_ref().map(|daemon| &daemon.engine) else { return };
            let memory = &mut self.promises.units[unit];
            if !engine.is_settling(id) {
                memory.early = None;
            }
            // Who is watched again begins anew.
            if engine.ledger(id).absence_ends.is_some() {
                memory.counts = None;
            }
        }
    }
}
