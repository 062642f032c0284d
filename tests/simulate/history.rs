//! What chance does to the world.

use std::time::Duration;

use pollux::action::Command;
use pollux::base::program::Purpose;
use pollux::config::{Mode, ServiceId};
use pollux::event::ledger::Monitor;

use crate::control::{Shape, Written, unit_of};
use crate::daemon::{INTERVAL, World};
use crate::dice::Dice;
use crate::machine::{Fault, Unit};
use crate::table::{EVENTS, Event, State, Table};

const COMMANDS: [Command; 5] = [Command::Start, Command::Stop, Command::Restart, Command::Monitor, Command::Unmonitor];

/// In one of so many steps a scene is played.
const SCENE: u64 = 3;

/// The stages in which scenes end, and how often.
const SCENES: [(&str, u64); 6] = [
    ("dependants", 8),
    ("look before stop", 2),
    ("stopping", 1),
    ("going", 1),
    ("parents", 5),
    ("look before start", 7),
];

/// What chance may do to a world, and has done.
struct Fate {
    dice: Dice,
    shape: Shape,
    /// Units.
    count: usize,
    /// How much goes wrong: once in so many times.
    trouble: u64,
    /// Most answers about pidfiles take their time.
    far: bool,
    /// What was tried on services in each state.
    tried: Table,
}

/// One seed: a world, what happens to it, and a calm end in which everything comes to rest.
pub fn history(seed: u64) -> Table {
    let mut dice = Dice::new(seed);
    let (count, steps) = match seed % 250 {
        249 => (100 + dice.place(401), 30),
        n if n >= 240 => (10 + dice.place(40), 200),
        _ => (1 + dice.place(4), 900),
    };
    let far = dice.once_in(2);
    let shape = Shape {
        parents: [1, 1, 2, 3, 6][dice.place(5)],
        files: [0, 0, 20, 50][dice.place(4)],
        patterns: if far { 10 } else { 50 },
    };
    let services: Vec<Written> = (0..count).map(|unit| Written::of(unit, &mut dice, shape)).collect();
    let mut world = World::new(services, count, dice.clone());
    // How long a step is, at most.
    let pace = [500, 3_000, 20_000, 60_000][dice.place(4)];
    let trouble = 2 + dice.below(10);
    let mut fate = Fate { dice, shape, count, trouble, far, tried: Table::default() };
    for unit in &mut world.machine.units {
        unit.distance = fate.distance();
    }
    for done in 0..steps {
        match fate.dice.below(SCENE) {
            0 if count < 9 => fate.scene(&mut world),
            n if n % 3 == 0 => fate.step(&mut world),
            _ => fate.meet(&mut world, None),
        }
        let time = fate.dice.time(Duration::from_millis(pace));
        // Time stops where something is seldom met.
        let few = 20 * (1 + done as u64 / 300);
        let tried = &fate.tried;
        let is_rare = |world: &World| {
            let engine = world.engine().filter(|_| count < 9);
            engine.is_some_and(|engine| world.all().iter().any(|(id, _)| tried.row(State::of(engine, *id)) < few))
        };
        if fate.dice.once_in(2) {
            world.run_for(time);
        } else {
            world.run_until(time, is_rare);
        }
        if world.daemon.is_none() && fate.dice.once_in(3) {
            world.start_daemon();
        }
    }
    calm(&mut world, count);
    world.table
}

impl Fate {
    /// Something meets the service whose state has seen least of it, of all or of one unit's.
    fn meet(&mut self, world: &mut World, only: Option<usize>) {
        let Some(engine) = world.engine() else { return };
        let mut least: Option<(u64, ServiceId, usize, State, Event)> = None;
        for (id, unit) in world.all().into_iter().filter(|(_, unit)| only.is_none_or(|only| only == *unit)) {
            let state = State::of(engine, id);
            // Where many are as rare, none comes first always.
            let first = self.dice.place(EVENTS.len());
            for (event, _) in EVENTS[first..].iter().chain(&EVENTS[..first]).copied() {
                let seen = self.tried.of(state, event).max(world.table.of(state, event));
                if least.is_none_or(|(least, ..)| seen < least) && can_bring_about(world, id, unit, state, event) {
                    least = Some((seen, id, unit, state, event));
                }
            }
        }
        let Some((_, id, unit, state, event)) = least else { return };
        self.tried.count(state, event);
        self.bring_about(world, id, unit, event);
        // What was taken out comes back some time.
        let missing = (0..self.count).find(|unit| world.services.iter().all(|written| written.unit != *unit));
        if let Some(unit) = missing.filter(|_| self.dice.once_in(2)) {
            self.replace(world, unit);
        }
    }

    /// What chance alone seldom brings together: a service is restarted beside a start program of its own that is past its
    /// timeout, or while what it depends on is restarted; watched, not judged yet, or not watched.
    fn scene(&mut self, world: &mut World) {
        if world.daemon.is_none() {
            world.start_daemon();
        }
        let mut place = self.dice.below(SCENES.iter().map(|(_, share)| share).sum());
        let ends_here = |(_, share): &&(&str, u64)| {
            let here = place < *share;
            place = place.saturating_sub(*share);
            here
        };
        let stage = SCENES.iter().find(ends_here).map_or("stopping", |(stage, _)| stage);
        let often = if stage == "dependants" { Monitor::Off } else { Monitor::On };
        let monitor = [Monitor::Off, Monitor::Init, Monitor::On, often][self.dice.place(4)];
        let services = &world.services;
        let parent = |written: &Written| {
            services.iter().find(|other| other.is_stopped_and_started() && written.needs(other.unit)).cloned()
        };
        let dependant = |written: &Written| {
            services.iter().find(|other| other.is_stopped_and_started() && other.needs(written.unit)).cloned()
        };
        // Watching of what has dependants ends with theirs, unless their action is under way.
        let ends_late = monitor == Monitor::Off && stage == "dependants";
        let is_met = ends_late || matches!(stage, "parents" | "look before start");
        let is_late = !is_met || self.dice.once_in(if monitor == Monitor::Init { 2 } else { 3 });
        let fits = |written: &&Written| {
            let needs_parent = ends_late || matches!(stage, "parents" | "look before start");
            written.is_stopped_and_started()
                && (!needs_parent || parent(written).is_some())
                && (stage != "dependants" || dependant(written).is_some())
                && (!stage.starts_with("look") || written.pidfile)
        };
        let chosen: Vec<&Written> = services.iter().filter(fits).collect();
        if chosen.is_empty() {
            return;
        }
        let written = chosen[self.dice.place(chosen.len())];
        let (unit, name) = (written.unit, vec![written.name.clone()]);
        let parent: Vec<String> = parent(written).into_iter().map(|parent| parent.name).collect();
        let dependant = dependant(written).filter(|_| stage == "dependants");
        for real in &mut world.machine.units {
            (real.fault, real.unreadable, real.becomes, real.lifetime) = (Fault::None, false, false, None);
            (real.takes, real.slow) = (Duration::from_secs(4), Duration::ZERO);
        }
        world.machine.units[unit].distance = Duration::from_secs(if stage.starts_with("look") { 3 } else { 0 });
        world.command(Command::Start, &name);
        world.run_until(Duration::from_secs(30), |world| world.stage(unit).is_none());
        if is_late {
            world.machine.units[unit].takes = Duration::from_secs(300);
            world.machine.die(unit, &mut self.dice);
            world.command(Command::Start, &name);
            let is_overdue = |world: &World| {
                let known = world.ledger(unit).is_some_and(|ledger| ledger.overdue.is_some());
                known && world.stage(unit).is_none()
            };
            world.run_until(Duration::from_secs(70), is_overdue);
            world.machine.appear(unit);
            world.wake();
            let is_known = |world: &World| world.ledger(unit).is_some_and(|ledger| ledger.process.is_some());
            if !is_known(world) {
                world.run_until(Duration::from_secs(40), is_known);
            }
        }
        if let Some(dependant) = dependant {
            let lives = |world: &World| world.ledger(dependant.unit).is_some_and(|ledger| ledger.process.is_some());
            world.command(Command::Start, &[dependant.name]);
            world.run_until(Duration::from_secs(30), |world| lives(world) && world.stage(dependant.unit).is_none());
        }
        let real = &mut world.machine.units[unit];
        (real.takes, real.slow) = (Duration::from_secs(4), Duration::from_secs(u64::from(stage == "going")));
        match monitor {
            Monitor::Off if !ends_late => world.command(Command::Unmonitor, &name),
            Monitor::Init => {
                world.kill();
                world.start_daemon();
            }
            _ => {}
        }
        world.command(Command::Restart, &name);
        if matches!(stage, "parents" | "look before start") {
            world.command(Command::Restart, &parent);
        }
        let is_there = |world: &World| world.stage(unit) == Some(stage);
        if !is_there(world) {
            world.run_until(Duration::from_secs(40), is_there);
        }
        if ends_late {
            world.command(Command::Unmonitor, &parent);
        }
        if is_there(world) && is_late {
            world.end(unit, Purpose::brings_to_life, [Fault::None, Fault::Fails, Fault::Refuses][self.dice.place(3)]);
            // A daemon looks only so often at what an earlier one began.
            world.run_for(Duration::from_secs(1));
            return;
        }
        for _ in 0..4 {
            if is_there(world) {
                self.meet(world, Some(unit));
            }
        }
    }

    fn bring_about(&mut self, world: &mut World, id: ServiceId, unit: usize, event: Event) {
        let name = vec![world.name(id)];
        match event {
            Event::CommandStart => world.command(Command::Start, &name),
            Event::CommandStop => world.command(Command::Stop, &name),
            Event::CommandRestart => world.command(Command::Restart, &name),
            Event::CommandMonitor => world.command(Command::Monitor, &name),
            Event::CommandUnmonitor => world.command(Command::Unmonitor, &name),
            Event::CommandUnmonitorFor => self.leave_alone(world, &name),
            Event::Reload => world.reload(world.services.clone()),
            Event::ReloadChanged => self.replace(world, unit),
            Event::ReloadRemoved => {
                let mut services = world.services.clone();
                services.retain(|written| written.unit != unit);
                world.reload(services);
            }
            Event::Killed => {
                world.kill();
                if self.dice.once_in(2) {
                    world.start_daemon();
                }
            }
            Event::Reboot => world.reboot(),
            Event::SeenRunning | Event::SeenGone | Event::SeenUnknown | Event::PassedOver => {
                self.make(world, unit, event);
                world.wake();
            }
            Event::LookedRunning | Event::LookedGone | Event::LookedUnknown => {
                self.make(world, unit, event);
                world.answer(&name[0]);
            }
            Event::StartNotRun | Event::StopNotRun => world.machine.units[unit].no_fork = true,
            Event::StartOverdue | Event::StopTimedOut => world.machine.last(unit, purposes(event)),
            Event::StartEnded | Event::LateStartEnded | Event::StopEnded => {
                world.end(unit, purposes(event), Fault::None)
            }
            Event::StartFailed | Event::StopFailed => world.end(unit, purposes(event), Fault::Fails),
            Event::StartRefused => world.end(unit, purposes(event), Fault::Refuses),
            Event::LookedLate => world.answer(&name[0]),
            Event::LookDue => {}
        }
    }

    /// What a look at the unit finds is changed.
    fn make(&mut self, world: &mut World, unit: usize, event: Event) {
        world.machine.units[unit].unreadable = matches!(event, Event::SeenUnknown | Event::LookedUnknown);
        match event {
            Event::SeenGone | Event::LookedGone => world.machine.die(unit, &mut self.dice),
            Event::SeenRunning | Event::LookedRunning => world.machine.appear(unit),
            _ => {}
        }
    }

    /// How long an answer about a pidfile takes.
    fn distance(&mut self) -> Duration {
        let is_far = if self.far { !self.dice.once_in(5) } else { self.dice.once_in(4) };
        if is_far { self.dice.time(Duration::from_secs(9)) } else { Duration::ZERO }
    }

    fn leave_alone(&mut self, world: &mut World, names: &[String]) {
        let seconds = [5, 40, 100, 400][self.dice.place(4)];
        world.leave_alone(names, Duration::from_secs(seconds));
    }

    /// The service of a unit is written anew.
    fn replace(&mut self, world: &mut World, unit: usize) {
        let mut written = Written::of(unit, &mut self.dice, self.shape);
        // Under another name it would be another service, of which the daemon knows nothing.
        written.name.clone_from(&world.names[unit]);
        let mut services = world.services.clone();
        services.retain(|written| written.unit != unit);
        services.push(written);
        world.reload(services);
    }

    fn step(&mut self, world: &mut World) {
        let unit = self.dice.place(self.count);
        let all = self.dice.once_in(5);
        let named = world.services.iter().filter(|written| all || written.unit == unit);
        let names: Vec<String> = named.map(|written| written.name.clone()).collect();
        let dice = &mut self.dice;
        match dice.below(28) {
            0 | 1 => world.machine.die(unit, dice),
            2 => world.machine.appear(unit),
            3..=5 => {
                change(&mut world.machine.units[unit], dice, self.trouble);
                world.machine.units[unit].distance = self.distance();
            }
            6 => world.machine.sweep(),
            7 => world.machine.units[unit].unreadable = dice.once_in(3),
            8..=12 => world.command(COMMANDS[dice.place(COMMANDS.len())], &names),
            13 => world.reload(world.services.clone()),
            14 => self.edit(world),
            15 => world.doom = Some(dice.below(40)),
            16 => world.kill(),
            17 if dice.once_in(4) => world.reboot(),
            // The wall clock steps: by an hour for the summer, or by anything.
            18 => world.machine.wall = world.machine.wall.wrapping_add(3_600) & 0xffff_ffff,
            19 => world.machine.wall = dice.below(4_000_000_000),
            20 => {
                world.machine.units[unit].pidfile =
                    ["", "x", "0", "50", "1", "4711"].get(dice.place(7)).map(|t| (*t).into())
            }
            21 => self.leave_alone(world, &names),
            22 => {
                let time = dice.time(Duration::from_secs(40));
                world.machine.hand(unit, time, dice);
            }
            _ => world.wake(),
        }
    }

    /// The control file is changed, and read.
    fn edit(&mut self, world: &mut World) {
        let dice = &mut self.dice;
        let mut services = world.services.clone();
        match dice.below(6) {
            0 if services.len() > 1 => drop(services.remove(dice.place(services.len()))),
            // A daemon that is not there cannot see that it is the same service.
            1 if world.daemon.is_some() => {
                let place = dice.place(services.len());
                let name = &mut services[place].name;
                if name.ends_with('x') {
                    name.pop();
                } else {
                    name.push('x');
                }
            }
            2 => {
                let place = dice.place(services.len());
                services.rotate_left(place);
            }
            _ => {
                let unit = dice.place(self.count);
                return self.replace(world, unit);
            }
        }
        for written in &services {
            world.names[written.unit].clone_from(&written.name);
        }
        world.reload(services);
    }
}

/// Whose programs an event is about.
fn purposes(event: Event) -> fn(Purpose) -> bool {
    match event {
        Event::StopEnded | Event::StopFailed | Event::StopTimedOut | Event::StopNotRun => {
            |purpose| purpose == Purpose::Stop
        }
        _ => Purpose::brings_to_life,
    }
}

/// Whether chance can make the event meet that service now, or soon.
fn can_bring_about(world: &World, id: ServiceId, unit: usize, state: State, event: Event) -> bool {
    let stage = state.stage();
    let has_yet_to_run = matches!(stage, "dependants" | "look before stop" | "parents" | "look before start");
    match event {
        Event::ReloadRemoved => world.services.len() > 1,
        Event::SeenRunning | Event::SeenGone | Event::SeenUnknown => state.is_watched() && stage == "idle",
        Event::LookedRunning | Event::LookedGone | Event::LookedUnknown => {
            stage != "idle" && world.is_asked(&world.name(id))
        }
        Event::LookedLate => stage == "idle" && world.is_asked(&world.name(id)),
        Event::LookDue => false,
        Event::PassedOver => !matches!(stage, "look before stop" | "look before start"),
        Event::StartNotRun | Event::StopNotRun => has_yet_to_run,
        Event::StartOverdue => stage == "starting",
        Event::StopTimedOut => stage == "stopping",
        Event::StartEnded | Event::StartFailed | Event::StartRefused => {
            matches!(stage, "idle" | "starting") && world.machine.is_at_it(unit, purposes(event))
        }
        Event::LateStartEnded => !matches!(stage, "idle" | "starting") && world.machine.is_at_it(unit, purposes(event)),
        Event::StopEnded | Event::StopFailed => stage == "stopping" && world.machine.is_at_it(unit, purposes(event)),
        _ => true,
    }
}

/// Programs and process behave otherwise from now on.
fn change(unit: &mut Unit, dice: &mut Dice, trouble: u64) {
    let bad = |dice: &mut Dice| dice.once_in(trouble);
    let takes = if bad(dice) { 90 } else { 5 };
    let slow = if bad(dice) { 40 } else { 2 };
    unit.takes = dice.time(Duration::from_secs(takes));
    unit.slow = dice.time(Duration::from_secs(slow));
    unit.fault =
        if bad(dice) { [Fault::Fails, Fault::Refuses, Fault::NoFork, Fault::Lies][dice.place(4)] } else { Fault::None };
    unit.becomes = bad(dice);
    unit.stubborn = bad(dice);
    unit.lifetime = bad(dice).then(|| dice.time(INTERVAL * 3));
}

/// Everything works again: whatever is watched comes to life, and what lives is left alone.
fn calm(world: &mut World, count: usize) {
    world.doom = None;
    for unit in &mut world.machine.units {
        let pidfile = unit.process.map(|pid| pid.to_string());
        *unit = Unit { process: unit.process, appears: unit.appears, until: unit.until, pidfile, ..Unit::new() };
    }
    world.machine.sweep();
    world.machine.clean = true;
    if world.daemon.is_none() {
        world.start_daemon();
    }
    let plain: Vec<Written> = world.services.iter().map(|written| written.clone().plain()).collect();
    world.reload(plain);
    world.run_for(INTERVAL * (count.min(60) as u32 * 3 + 12));
    let Some(engine) = world.engine() else { return };
    let config = engine.config().clone();
    let trace = || world.log[world.log.len().saturating_sub(150)..].join("\n");
    assert!(!engine.is_busy(), "an action never ends\n{}", trace());
    for (place, service) in config.services.iter().enumerate() {
        let held_down = service.depends.iter().any(|parent| !engine.is_up(*parent));
        let watched = engine.ledger(ServiceId(place)).monitor != Monitor::Off && service.mode == Mode::Active;
        // A stale pidfile may have named another unit's process, which counts until it ends.
        let misled = engine.known(ServiceId(place)).is_some_and(|known| {
            let own = unit_of(&service.name).and_then(|unit| world.machine.units[unit].process);
            world.machine.lives(known) && own != Some(known.pid.get())
        });
        if let Some(unit) = unit_of(&service.name).filter(|_| watched && !held_down && !misled) {
            assert!(world.machine.units[unit].process.is_some(), "'{}' is left dead\n{}", service.name, trace());
        }
    }
    let runs = world.promises.runs();
    world.run_for(INTERVAL * 3);
    assert_eq!(world.promises.runs(), runs, "what lives is touched\n{}", world.log.join("\n"));
}
