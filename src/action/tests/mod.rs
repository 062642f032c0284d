//! The engine over a small world, in which promises are checked at every step.

mod absences;
mod backoff;
mod exits;
mod histories;
mod order;
mod owed;
mod resumes;
mod scenes;
mod timetables;

use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::base::cron::Minute;
use crate::base::process::{Identity, Pid, StartTime};
use crate::base::program::Outcome;
use crate::base::schedule::{Every, Rate};
use crate::base::time::{Mono, Wall};
use crate::config::*;
use crate::event::ledger::{Monitor, Past};
use crate::facts::file::{self, FileFacts, Look};
use crate::facts::observation::{Observation, PathObservation};
use crate::facts::process::{Entry, GoneReason, Presence};

const MINUTE: Duration = Duration::from_secs(60);

fn program(word: &str, timeout: u64) -> Option<Program> {
    let timeout = Some(Duration::from_secs(timeout));
    Some(Program { argv: vec![format!("/bin/{word}").into()], uid: None, gid: None, timeout })
}

fn service(name: &str, depends: &[usize]) -> Service {
    let once = |action| Reaction { rate: Rate::ONCE, action };
    Service {
        name: name.to_owned(),
        kind: Kind::Process(ProcessTarget::Pidfile {
            path: PathBuf::from(format!("/run/{name}")),
            pattern: None,
            user: None,
            jail: None,
        }),
        groups: Vec::new(),
        depends: depends.iter().copied().map(ServiceId).collect(),
        every: Every::Cycle,
        mode: Mode::Active,
        onreboot: OnReboot::Start,
        start: program("start", 30),
        stop: program("stop", 30),
        restart: None,
        backoff: None,
        rules: vec![Rule { test: Test::NotExist, failure: once(Action::Restart), recovery: once(Action::Alert) }],
        restart_limits: Vec::new(),
        cron: None,
        ignore: Vec::new(),
        alerts: Vec::new(),
        no_alerts: Vec::new(),
        place: Place { file: PathBuf::new(), line: 0 },
    }
}

fn config(services: Vec<Service>) -> Rc<Config> {
    let listed = (0..services.len()).map(ServiceId).collect();
    let settings = Settings::default();
    Rc::new(Config { control_file: PathBuf::new(), settings, services, listed, unbuilt: Vec::new() })
}

/// A program that runs.
struct Running {
    purpose: Purpose,
    ends: Mono,
    works: bool,
    deadline: Mono,
}

/// One service's reality.
#[derive(Default)]
struct Real {
    process: Option<Pid>,
    program: Option<Running>,
    /// A start or restart program past its timeout.
    lingering: Option<Running>,
    /// When a process appears whose start program has ended.
    appears: Option<Mono>,
    /// How long that takes.
    slow: Duration,
    /// How long its programs take, and whether they do what they should.
    takes: Duration,
    broken: bool,
    starts: u32,
    /// When each of these was.
    started: Vec<Mono>,
    stops: u32,
    /// When a rule started it last.
    paced: Option<Mono>,
    /// Until when somebody else's script is at it.
    script: Option<Mono>,
}

struct World {
    engine: Engine,
    now: Mono,
    reals: Vec<Real>,
    log: Vec<String>,
    next_pid: i32,
}

impl World {
    fn new(services: Vec<Service>) -> World {
        let reals = services.iter().map(|_| Real { takes: Duration::from_secs(1), ..Real::default() }).collect();
        let engine = Engine::new(config(services), false);
        World { engine, now: Mono::from_origin(MINUTE), reals, log: Vec::new(), next_pid: 100 }
    }

    fn entry(pid: Pid) -> Entry {
        let start = StartTime::from_boot(Duration::from_secs(pid.get().unsigned_abs().into()));
        Entry { identity: Identity { pid, start }, parent: None, zombie: false, kernel: false, jail: None }
    }

    fn presence(&self, id: ServiceId) -> Presence {
        match self.reals[id.0].process {
            Some(pid) => Presence::Running(Self::entry(pid)),
            None => Presence::Gone(GoneReason::NoMatch),
        }
    }

    fn is_process(&self, id: ServiceId) -> bool {
        matches!(self.engine.config().services[id.0].kind, Kind::Process(_))
    }

    /// A file exists where a process would live.
    fn file(&self, id: ServiceId) -> Observation {
        let wall = self.wall();
        let facts = FileFacts {
            kind: file::Kind::Regular,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size_bytes: 1,
            links: 1,
            inode: 1,
            device: 1,
            accessed: wall,
            changed: wall,
            modified: wall,
        };
        let look = if self.reals[id.0].process.is_some() { Look::Found(facts) } else { Look::Missing };
        Observation::Path(Box::new(PathObservation { look, local: None, text: None, at: wall }))
    }

    fn wall(&self) -> Wall {
        Wall::from_epoch(self.now.since_origin())
    }

    /// A clock on the wall that began with the world.
    fn clock(&self) -> Minute {
        Minute::from_number(i64::try_from(self.wall().secs() / 60).unwrap())
    }

    fn settle(&mut self) {
        while let Some(effect) = self.engine.next_effect() {
            match effect {
                Effect::Log(_, text) => self.log.push(text),
                Effect::Look(id) => {
                    let presence = self.presence(id);
                    self.engine.looked(id, &presence, self.now, self.wall());
                }
                Effect::LookEarly(id) => {
                    let presence = self.presence(id);
                    let script = self.reals[id.0].script.filter(|end| self.now < *end).map(|_| "a script");
                    self.engine.looked_early(id, &presence, script, self.now, self.wall());
                }
                Effect::Run { service, purpose, timeout } => self.start_program(service, purpose, timeout),
                Effect::Exec { .. } | Effect::Dirty => {}
            }
        }
    }

    fn start_program(&mut self, id: ServiceId, purpose: Purpose, timeout: Option<Duration>) {
        let name = self.engine.config().services[id.0].name.clone();
        let depends = self.engine.config().services[id.0].depends.clone();
        let is_process = self.is_process(id);
        let real = &mut self.reals[id.0];
        let beside = real.program.as_ref().map(|running| running.purpose);
        assert!(beside.is_none(), "{name}: a {} program beside {beside:?}: {:#?}", purpose.word(), self.log);
        if purpose == Purpose::Start {
            assert!(real.process.is_none() || !is_process, "{name}: started while it lives");
            assert!(real.lingering.is_none(), "{name}: a second start program");
            assert!(real.appears.is_none(), "{name}: started while it is coming up: {:#?}", self.log);
            real.starts += 1;
            real.started.push(self.now);
        }
        if purpose == Purpose::Stop {
            real.stops += 1;
        } else {
            self.check_pace(id);
        }
        let real = &mut self.reals[id.0];
        real.program = Some(Running {
            purpose,
            ends: self.now.plus(real.takes),
            works: !real.broken,
            deadline: self.now.plus(timeout.unwrap_or(Duration::MAX)),
        });
        if purpose == Purpose::Start {
            for parent in depends {
                // Known alive, and nothing has begun to stop it.
                let is_process = matches!(self.engine.config().services[parent.0].kind, Kind::Process(_));
                let known = !is_process || self.engine.known(parent).is_some();
                let going = self.reals[parent.0].program.as_ref().is_some_and(|running| running.ends > self.now);
                assert!(known && !going, "{name}: started before what it depends on: {:#?}", self.log);
            }
        }
    }

    /// A rule starts nothing that is not watched, nor before its time.
    fn check_pace(&mut self, id: ServiceId) {
        let service = &self.engine.config().services[id.0];
        let run = &self.engine.runs[id.0];
        let plan = run.plan.as_ref().unwrap();
        let is_watched = run.ledger.monitor != Monitor::Off;
        let returns = plan.cause == Cause::Dependency && !plan.paced;
        assert!(is_watched || plan.wished || returns, "{}: started unwatched: {:#?}", service.name, self.log);
        if let Some(backoff) = service.backoff
            && plan.paced
        {
            let starts = run.ledger.pace.starts;
            let last = self.reals[id.0].paced.replace(self.now);
            if let Some(last) = last.filter(|_| starts > 1) {
                let passed = self.now.since(last);
                assert!(passed >= backoff.delay(starts - 1), "{}: {starts}th start too early", service.name);
            }
        }
    }

    /// Runs the world until `until`: programs end, looks become due.
    fn run_until(&mut self, until: Mono) {
        self.engine.tick(self.now);
        self.settle();
        loop {
            let ends = self.reals.iter().flat_map(|real| {
                let program = real.program.iter().map(|running| running.deadline.min(running.ends));
                program.chain(real.lingering.iter().map(|running| running.ends)).chain(real.appears)
            });
            let Some(next) = ends.chain(self.engine.next_deadline()).min().filter(|next| *next <= until) else { break };
            self.now = self.now.max(next);
            for place in 0..self.reals.len() {
                self.program_turn(ServiceId(place));
            }
            self.engine.tick(self.now);
            self.settle();
        }
        self.now = until;
        self.engine.tick(self.now);
        self.settle();
        for run in &self.engine.runs {
            let Some(absence) = run.ledger.absence_ends else { continue };
            assert!(absence.until > self.now, "an absence lasts too long");
            assert!(run.ledger.monitor == Monitor::Off, "absent and watched");
        }
    }

    fn program_turn(&mut self, id: ServiceId) {
        let now = self.now;
        if self.reals[id.0].appears.take_if(|appears| *appears <= now).is_some() {
            self.reals[id.0].process = Pid::new(self.next_pid);
            self.next_pid += 1;
        }
        if let Some(running) = self.reals[id.0].lingering.take_if(|running| running.ends <= now) {
            self.end(id, &running);
        }
        if let Some(running) = self.reals[id.0].program.take_if(|running| running.ends <= now) {
            self.end(id, &running);
        }
        let Some(running) = self.reals[id.0].program.take_if(|running| running.deadline <= now) else { return };
        if running.purpose.brings_to_life() {
            let (pid, purpose) = (Pid::new(self.next_pid).unwrap(), running.purpose);
            self.reals[id.0].lingering = Some(running);
            self.engine.program_overdue(id, purpose, pid, String::new());
        } else {
            let outcome = Outcome { timed_out: true, ..Outcome::default() };
            self.engine.program_ended(id, Purpose::Stop, outcome, now);
        }
    }

    fn end(&mut self, id: ServiceId, running: &Running) {
        let is_process = self.is_process(id);
        let real = &mut self.reals[id.0];
        match running.purpose {
            Purpose::Stop if running.works => {
                real.process = None;
                real.appears = None;
            }
            // A restart program replaces what lives at once; nobody waits for what appears after the deadline.
            Purpose::Start if is_process && running.works && self.now.plus(real.slow) < running.deadline => {
                real.appears = Some(self.now.plus(real.slow));
            }
            Purpose::Start | Purpose::Restart if running.works => {
                real.process = Pid::new(self.next_pid);
                self.next_pid += 1;
            }
            _ => {}
        }
        let outcome = Outcome { status: Some(i32::from(!running.works)), ..Outcome::default() };
        self.engine.program_ended(id, running.purpose, outcome, self.now);
    }

    fn cycle(&mut self) {
        for place in 0..self.reals.len() {
            let id = ServiceId(place);
            if self.engine.due(id, self.now, self.clock()) {
                let seen = match self.engine.config().services[place].kind {
                    Kind::Process(_) => Observation::presence_of(self.presence(id)),
                    Kind::File(_) => self.file(id),
                    _ => Observation::Nothing,
                };
                self.engine.observed(id, &seen, self.now, self.wall());
            }
            self.settle();
        }
    }

    /// A cycle, and what happens in the minute after it.
    fn minute(&mut self) {
        self.cycle();
        self.run_until(self.now.plus(MINUTE));
    }

    /// The process ends; whoever wants to hear of that does.
    fn die(&mut self, place: usize) {
        let Some(pid) = self.reals[place].process.take() else { return };
        let identity = Self::entry(pid).identity;
        if self.engine.watched().any(|watched| watched == identity) {
            self.engine.exited(identity, self.now);
        }
        self.run_until(self.now);
    }

    fn command(&mut self, command: Command, places: &[usize]) {
        let targets: Vec<_> = places.iter().copied().map(ServiceId).collect();
        self.engine.command(command, &targets, self.now);
        self.settle();
    }

    fn leave_alone(&mut self, places: &[usize], time: Duration) {
        let targets: Vec<_> = places.iter().copied().map(ServiceId).collect();
        self.engine.unmonitor_for(&targets, time, self.now);
        self.settle();
    }

    fn alive(&self) -> Vec<bool> {
        self.reals.iter().map(|real| real.process.is_some()).collect()
    }

    fn starts(&self) -> Vec<u32> {
        self.reals.iter().map(|real| real.starts).collect()
    }

    fn said(&self, text: &str) -> usize {
        self.log.iter().filter(|line| line.contains(text)).count()
    }

    fn monitor(&self, place: usize) -> Monitor {
        self.engine.ledger(ServiceId(place)).monitor
    }
}

/// A new daemon in place of the old one, which left its state behind.
fn restart_daemon(world: &mut World, services: &[Service]) {
    let saved: HashMap<_, _> =
        (0..services.len()).map(|place| (services[place].name.clone(), world.engine.saved(ServiceId(place)))).collect();
    let mut engine = Engine::new(config(services.to_vec()), false);
    engine.restore(&saved, Past::Recent);
    engine.take_up(&saved, world.now);
    for (place, real) in world.reals.iter_mut().enumerate() {
        if let Some(process) = real.process.filter(|_| matches!(services[place].kind, Kind::Process(_))) {
            engine.remember_process(ServiceId(place), World::entry(process));
        }
        // A journal does not tell which program is late.
        for mut running in [real.program.take(), real.lingering.take()].into_iter().flatten() {
            let id = ServiceId(place);
            if engine.is_settled(id, running.purpose) {
                engine.set_overdue(id, Pid::new(1));
                real.lingering = Some(running);
            } else {
                engine.adopted(id, running.purpose, world.now);
                running.deadline = world.now.plus(Duration::from_secs(30));
                real.program = Some(running);
            }
        }
    }
    engine.resume(world.now);
    world.engine = engine;
    world.settle();
}
