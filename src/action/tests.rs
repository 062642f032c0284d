//! The engine over a small world: scenes written out, and thousands of random histories whose invariants are checked after
//! every step.

use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::base::process::{Identity, Pid, StartTime};
use crate::base::program::Outcome;
use crate::base::schedule::{Every, Rate};
use crate::base::time::{Mono, Wall};
use crate::config::*;
use crate::event::ledger::Monitor;
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
        kind: Kind::Process(ProcessTarget::Pidfile(PathBuf::from("/p"))),
        groups: Vec::new(),
        depends: depends.iter().copied().map(ServiceId).collect(),
        every: Every::Cycle,
        mode: Mode::Active,
        onreboot: OnReboot::Start,
        start: program("start", 30),
        stop: program("stop", 30),
        restart: None,
        rules: vec![Rule { test: Test::NotExist, failure: once(Action::Restart), recovery: once(Action::Alert) }],
        restart_limits: Vec::new(),
        place: Place { file: PathBuf::new(), line: 0 },
    }
}

fn config(services: Vec<Service>) -> Rc<Config> {
    Rc::new(Config { control_file: PathBuf::new(), settings: Settings::default(), services })
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
    /// How long its programs take, and whether they do what they should.
    takes: Duration,
    broken: bool,
    starts: u32,
    stops: u32,
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

    fn wall(&self) -> Wall {
        Wall::from_epoch(self.now.since_origin())
    }

    fn settle(&mut self) {
        while let Some(effect) = self.engine.next_effect() {
            match effect {
                Effect::Log(_, text) => self.log.push(text),
                Effect::Look(id) => {
                    let presence = self.presence(id);
                    self.engine.looked(id, &presence, self.now, self.wall());
                }
                Effect::Run { service, purpose, timeout } => self.start_program(service, purpose, timeout),
                Effect::Exec { .. } | Effect::Dirty => {}
            }
        }
    }

    fn start_program(&mut self, id: ServiceId, purpose: Purpose, timeout: Option<Duration>) {
        let name = self.engine.config().services[id.0].name.clone();
        let depends = self.engine.config().services[id.0].depends.clone();
        let real = &mut self.reals[id.0];
        let beside = real.program.as_ref().map(|running| running.purpose);
        assert!(beside.is_none(), "{name}: a {} program beside {beside:?}: {:#?}", purpose.word(), self.log);
        if purpose == Purpose::Start {
            assert!(real.process.is_none(), "{name}: started while it lives");
            assert!(real.lingering.is_none(), "{name}: a second start program");
            real.starts += 1;
        }
        if purpose == Purpose::Stop {
            real.stops += 1;
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
                let known = self.engine.known(parent).is_some();
                let going = self.reals[parent.0].program.as_ref().is_some_and(|running| running.ends > self.now);
                assert!(known && !going, "{name}: started before what it depends on: {:#?}", self.log);
            }
        }
    }

    /// Runs the world until `until`: programs end, looks become due.
    fn run_until(&mut self, until: Mono) {
        self.settle();
        loop {
            let ends = self.reals.iter().flat_map(|real| {
                let program = real.program.iter().map(|running| running.deadline.min(running.ends));
                program.chain(real.lingering.iter().map(|running| running.ends))
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
    }

    fn program_turn(&mut self, id: ServiceId) {
        let now = self.now;
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
        let real = &mut self.reals[id.0];
        match running.purpose {
            Purpose::Stop if running.works => real.process = None,
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
            if self.engine.due(id) {
                let presence = self.presence(id);
                self.engine.observed(id, &presence, self.now, self.wall());
            }
            self.settle();
        }
    }

    /// A cycle, and what happens in the minute after it.
    fn minute(&mut self) {
        self.cycle();
        self.run_until(self.now.plus(MINUTE));
    }

    fn command(&mut self, command: Command, places: &[usize]) {
        let targets: Vec<_> = places.iter().copied().map(ServiceId).collect();
        self.engine.command(command, &targets, self.now);
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

fn chain() -> World {
    let mut world =
        World::new(vec![service("db", &[]), service("web", &[0]), service("cache", &[]), service("page", &[1, 2])]);
    world.minute();
    assert_eq!(world.starts(), [1, 1, 1, 1]);
    world.minute();
    assert_eq!(world.alive(), [true; 4]);
    world.log.clear();
    world
}

#[test]
fn a_dead_process_is_started_once_and_its_recovery_is_told_at_once() {
    let mut world = World::new(vec![service("puma", &[])]);
    world.minute();
    world.minute();
    assert_eq!(
        world.log,
        [
            "'puma' process is not running",
            "'puma' trying to restart",
            "'puma' start: '/bin/start'",
            "'puma' process is running with pid 100"
        ]
    );
}

#[test]
fn many_are_started_side_by_side() {
    let mut world = World::new(vec![service("a", &[]), service("b", &[]), service("c", &[])]);
    world.cycle();
    assert!(world.reals.iter().all(|real| real.program.is_some()));
}

#[test]
fn a_start_takes_its_parents_along_and_a_stop_its_dependants() {
    let mut world = chain();
    world.command(Command::Stop, &[0]);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.alive(), [false, false, true, false]);
    assert_eq!(world.monitor(1), Monitor::Off);
    let stops: Vec<_> = world.log.iter().filter(|line| line.contains("stop:")).collect();
    assert_eq!(stops, ["'page' stop: '/bin/stop'", "'web' stop: '/bin/stop'", "'db' stop: '/bin/stop'"]);
    world.minute();
    assert_eq!(world.alive(), [false, false, true, false], "what was stopped stays stopped");

    world.command(Command::Start, &[0]);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.alive(), [true; 4], "dependants come back with what they depend on");

    world.command(Command::Stop, &[0]);
    world.run_until(world.now.plus(MINUTE));
    world.command(Command::Start, &[3]);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.alive(), [true; 4]);
    assert_eq!(world.starts(), [3, 3, 1, 3]);
}

#[test]
fn a_restart_of_a_parent_restarts_each_dependant_once() {
    let mut world = chain();
    world.command(Command::Restart, &[0, 1, 2, 3]);
    world.run_until(world.now.plus(MINUTE * 3));
    world.minute();
    assert_eq!(world.alive(), [true; 4]);
    assert_eq!(world.starts(), [2, 2, 2, 2]);
}

#[test]
fn a_dependant_is_not_started_on_a_parent_that_failed_and_says_why() {
    let mut world = World::new(vec![service("db", &[]), service("web", &[0])]);
    world.reals[0].broken = true;
    world.command(Command::Start, &[1]);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.alive(), [false, false]);
    assert_eq!(world.reals[1].starts, 0);
    assert_eq!(world.said("'web' failed to start -- could not start required services: 'db'"), 1);
    assert_eq!(world.said("'web' start action failed"), 1);
    world.reals[0].broken = false;
    world.minute();
    world.minute();
    assert_eq!(world.alive(), [true, true], "both come up by their rules");
}

#[test]
fn a_parent_without_a_start_program_holds_its_dependant_back() {
    let mut parent = service("db", &[]);
    parent.start = None;
    let mut world = World::new(vec![parent, service("web", &[0])]);
    world.command(Command::Start, &[1]);
    world.minute();
    assert_eq!(world.reals[1].starts, 0);
    world.reals[0].process = Pid::new(7);
    world.minute();
    world.minute();
    assert_eq!(world.alive(), [true, true]);
}

#[test]
fn no_second_start_program_runs_beside_one_past_its_timeout() {
    let mut world = World::new(vec![service("slow", &[])]);
    world.reals[0].takes = MINUTE * 5 + Duration::from_secs(30);
    world.minute();
    assert_eq!(world.said("failed to start (exit status -1) -- Program '/bin/start' timed out after 30 s"), 1);
    for _ in 0..4 {
        world.minute();
        assert_eq!(world.starts(), [1]);
    }
    assert_eq!(world.said("its start program still runs"), 1, "told once");
    world.command(Command::Start, &[0]);
    assert_eq!(world.said("its start program still runs"), 2, "and to the user who asks");
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![true], vec![1]), "it came up late");
    world.reals[0].process = None;
    world.reals[0].takes = Duration::from_secs(1);
    world.minute();
    assert_eq!(world.starts(), [2]);
}

#[test]
fn a_start_program_that_is_the_service_counts_as_started() {
    let mut world = World::new(vec![service("node", &[])]);
    world.reals[0].takes = MINUTE * 60;
    world.cycle();
    world.reals[0].process = Pid::new(100);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.said("failed"), 0);
    assert_eq!(world.said("process is running with pid 100"), 1);
    world.minute();
    assert_eq!(world.said("still runs"), 0);
}

#[test]
fn a_restart_limit_strikes_after_its_restarts_and_a_user_clears_it() {
    let mut limited = service("x", &[]);
    limited.restart_limits = vec![RestartLimit { restarts: 2, cycles: 5, action: Action::Unmonitor }];
    let mut world = World::new(vec![limited]);
    world.reals[0].broken = true;
    for _ in 0..5 {
        world.minute();
    }
    assert_eq!(world.starts(), [2]);
    assert_eq!(world.said("service restarted 2 times within 2 cycles(s) - unmonitor"), 1);
    assert_eq!(world.monitor(0), Monitor::Off);
    world.reals[0].broken = false;
    world.command(Command::Monitor, &[0]);
    world.minute();
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![true], vec![3]));
    assert_eq!(world.said("process is running after previous restart timeout"), 1);
}

#[test]
fn restarts_far_apart_do_not_reach_the_limit() {
    let mut limited = service("x", &[]);
    limited.restart_limits = vec![RestartLimit { restarts: 2, cycles: 3, action: Action::Unmonitor }];
    let mut world = World::new(vec![limited]);
    for _ in 0..6 {
        world.reals[0].process = None;
        for _ in 0..5 {
            world.minute();
        }
    }
    assert_eq!(world.said("unmonitor"), 0);
    assert_eq!(world.starts(), [6]);
}

#[test]
fn passive_services_are_only_watched() {
    let mut passive = service("x", &[]);
    passive.mode = Mode::Passive;
    let mut world = World::new(vec![passive]);
    world.minute();
    assert_eq!(world.starts(), [0]);
    assert_eq!(world.said("process is not running"), 1);
    world.command(Command::Start, &[0]);
    world.minute();
    assert_eq!(world.alive(), [true], "a user may");
}

#[test]
fn every_n_cycles_skips_the_others() {
    let mut lazy = service("x", &[]);
    lazy.every = Every::Cycles(3);
    let mut world = World::new(vec![lazy]);
    world.minute();
    world.reals[0].process = None;
    world.minute();
    world.minute();
    assert_eq!(world.starts(), [1]);
    world.minute();
    assert_eq!(world.starts(), [2]);
}

#[test]
fn unknown_is_not_dead() {
    let mut world = World::new(vec![service("x", &[])]);
    assert!(world.engine.due(ServiceId(0)));
    let unknown = Presence::Unknown("too many open files".to_owned());
    world.engine.observed(ServiceId(0), &unknown, world.now, world.wall());
    world.settle();
    assert_eq!(world.starts(), [0]);
    assert_eq!(world.log, ["'x' process data cannot be read: too many open files"]);
}

#[test]
fn an_observation_that_took_its_time_counts_only_while_nothing_else_happened() {
    let mut world = World::new(vec![service("db", &[]), service("web", &[0])]);
    let (parent, child) = (ServiceId(0), ServiceId(1));
    assert!(world.engine.awaits_observation(parent));
    assert!(!world.engine.awaits_observation(child), "what it depends on was not seen yet");
    world.engine.command(Command::Start, &[parent], world.now);
    assert!(!world.engine.awaits_observation(parent), "a start is under way");
    world.settle();
    world.minute();
    world.minute();
    assert!(world.engine.awaits_observation(parent) && world.engine.awaits_observation(child));
    world.engine.command(Command::Unmonitor, &[parent], world.now);
    assert!(!world.engine.awaits_observation(parent), "nobody asks any more");
}

#[test]
fn a_refusal_of_service_8_is_told_in_its_own_words_and_not_waited_for() {
    let mut world = World::new(vec![service("x", &[])]);
    world.cycle();
    world.reals[0].program = None;
    let line = "Cannot 'start' x. Set x_enable to YES in /etc/rc.conf or use 'onestart' instead of 'start'.";
    let outcome = Outcome { status: Some(0), refused: Some(line.to_owned()), ..Outcome::default() };
    world.engine.program_ended(ServiceId(0), Purpose::Start, outcome, world.now);
    world.settle();
    assert_eq!(world.said(&format!("'x' failed to start -- service(8) did nothing: {line}")), 1);
    assert!(!world.engine.is_busy());
}

#[test]
fn a_restart_without_a_stop_program_leaves_the_live_process_alone_and_says_so() {
    let mut only_start = service("x", &[]);
    only_start.stop = None;
    let mut world = World::new(vec![only_start]);
    world.minute();
    world.command(Command::Restart, &[0]);
    world.minute();
    assert_eq!(world.starts(), [1]);
    assert_eq!(world.said("runs on: it has no stop program"), 1);
}

#[test]
fn what_a_user_asks_for_meanwhile_is_done_afterwards() {
    let mut world = World::new(vec![service("x", &[])]);
    world.cycle();
    world.command(Command::Stop, &[0]);
    assert_eq!(world.reals[0].stops, 0);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!((world.alive(), world.reals[0].stops), (vec![false], 1));
    world.minute();
    assert_eq!(world.starts(), [1]);
}

#[test]
fn a_reload_during_a_start_keeps_the_start_and_forgets_the_removed() {
    let mut world = World::new(vec![service("a", &[]), service("b", &[])]);
    world.cycle();
    // b moves to the front, a is gone, c is new.
    world.engine.reconfigure(config(vec![service("b", &[]), service("c", &[])]));
    world.reals.swap(0, 1);
    world.reals[1] = Real { takes: Duration::from_secs(1), ..Real::default() };
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.alive(), [true, false]);
    world.minute();
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![true, true], vec![1, 1]));
}

#[test]
fn a_restarted_daemon_takes_up_what_was_under_way() {
    let mut world = World::new(vec![service("x", &[])]);
    world.reals[0].takes = Duration::from_secs(20);
    world.cycle();
    let saved = HashMap::from([("x".to_owned(), world.engine.saved(ServiceId(0)))]);
    let mut engine = Engine::new(config(vec![service("x", &[])]), false);
    engine.restore(&saved, true);
    engine.adopted(ServiceId(0), Purpose::Start, world.now);
    world.engine = engine;
    world.cycle();
    assert_eq!(world.starts(), [1]);
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![true], vec![1]));
}

#[test]
fn a_boot_obeys_onreboot() {
    let state = |monitored| Saved { monitored, ..Saved::default() };
    let saved =
        HashMap::from([("a".to_owned(), state(false)), ("b".to_owned(), state(true)), ("c".to_owned(), state(false))]);
    let services = || {
        let mut all = vec![service("a", &[]), service("b", &[]), service("c", &[])];
        all[1].onreboot = OnReboot::NoStart;
        all[2].onreboot = OnReboot::LastState;
        all
    };
    let monitored = |same_boot| {
        let mut engine = Engine::new(config(services()), false);
        engine.restore(&saved, same_boot);
        [0, 1, 2].map(|place| engine.ledger(ServiceId(place)).monitor != Monitor::Off)
    };
    assert_eq!(monitored(true), [false, true, false]);
    assert_eq!(monitored(false), [true, false, false]);
}

use crate::event::ledger::Saved;

/// A small generator (SplitMix64): the same seed gives the same history.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// Services with random dependencies live through deaths, slow and failing programs, commands, reloads and restarts of the
/// daemon. `start_program` and the checks below panic on a broken promise; the seed replays alone.
fn history(seed: u64) {
    let mut dice = Dice(seed);
    let count = 1 + dice.below(8) as usize;
    let services: Vec<Service> = (0..count)
        .map(|place| {
            let depends: Vec<usize> = (0..place).filter(|_| dice.below(4) == 0).collect();
            let mut service = service(&format!("s{place}"), &depends);
            if dice.below(6) == 0 {
                service.stop = None;
            }
            if dice.below(6) == 0 {
                service.restart = program("restart", 20);
            }
            service
        })
        .collect();
    let mut world = World::new(services.clone());
    for _ in 0..60 {
        let place = dice.below(count as u64) as usize;
        match dice.below(10) {
            0 | 1 => world.reals[place].process = None,
            2 => world.reals[place].broken = dice.below(2) == 0,
            3 => world.reals[place].takes = Duration::from_millis(dice.below(50_000)),
            4 => {
                use Command::*;
                let command = [Start, Stop, Restart, Monitor, Unmonitor][dice.below(5) as usize];
                let all: Vec<usize> = if dice.below(3) == 0 { (0..count).collect() } else { vec![place] };
                world.command(command, &all);
            }
            5 => world.engine.reconfigure(config(services.clone())),
            6 => restart_daemon(&mut world, &services),
            _ => world.cycle(),
        }
        let step = Duration::from_millis(dice.below(40_000));
        world.run_until(world.now.plus(step));
    }
    // Calm: everything works again; whatever is watched and not held down by a stopped parent must come to live.
    for real in &mut world.reals {
        real.broken = false;
        real.takes = Duration::from_secs(1);
    }
    for _ in 0..count * 3 + 6 {
        world.minute();
    }
    let busy: Vec<_> = world.engine.runs.iter().map(|run| &run.plan).collect();
    assert!(!world.engine.is_busy(), "seed {seed}: an action never ends: {busy:#?}\n{services:#?}\n{:#?}", world.log);
    for (place, service) in services.iter().enumerate() {
        let held_down = service.depends.iter().any(|parent| !world.engine.is_up(*parent));
        if world.monitor(place) != Monitor::Off && !held_down {
            assert!(world.reals[place].process.is_some(), "seed {seed}: {} is left dead", service.name);
        }
    }
    let starts = world.starts();
    for _ in 0..3 {
        world.minute();
    }
    assert_eq!(world.starts(), starts, "seed {seed}: what lives is started again");
}

fn restart_daemon(world: &mut World, services: &[Service]) {
    let saved: HashMap<_, _> =
        (0..services.len()).map(|place| (services[place].name.clone(), world.engine.saved(ServiceId(place)))).collect();
    let mut engine = Engine::new(config(services.to_vec()), false);
    engine.restore(&saved, true);
    for (place, real) in world.reals.iter_mut().enumerate() {
        if let Some(process) = real.process {
            engine.remember_process(ServiceId(place), World::entry(process));
        }
        // A journal does not tell which program is late.
        if let Some(mut running) = real.program.take().or(real.lingering.take()) {
            engine.adopted(ServiceId(place), running.purpose, world.now);
            running.deadline = world.now.plus(Duration::from_secs(30));
            real.program = Some(running);
        }
    }
    engine.resume(world.now);
    world.engine = engine;
    world.settle();
}

#[test]
fn random_histories_break_no_promise() {
    for seed in 0..3000 {
        history(seed);
    }
}
