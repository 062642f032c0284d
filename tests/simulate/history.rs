//! What chance does to the world.

use std::time::Duration;

use pollux::action::Command;
use pollux::config::{Kind, Mode, ServiceId};
use pollux::event::ledger::Monitor;

use crate::control::{Written, unit_of};
use crate::daemon::{INTERVAL, World};
use crate::dice::Dice;
use crate::machine::{Fault, Unit};
use crate::table::{Event, State, Table};

const COMMANDS: [Command; 5] = [Command::Start, Command::Stop, Command::Restart, Command::Monitor, Command::Unmonitor];

/// One seed: a world, what happens to it, and a calm end in which everything comes to rest.
pub fn history(seed: u64) -> Table {
    let mut dice = Dice::new(seed);
    let (count, steps) = match seed % 250 {
        249 => (100 + dice.place(401), 30),
        n if n >= 240 => (10 + dice.place(40), 200),
        _ => (1 + dice.place(4), 1_500),
    };
    let services: Vec<Written> = (0..count).map(|unit| Written::of(unit, &mut dice)).collect();
    let mut world = World::new(services, count, dice.clone());
    // How long a step is, at most, and how much goes wrong.
    let pace = [500, 3_000, 20_000, 60_000][dice.place(4)];
    let trouble = 2 + dice.below(10);
    for _ in 0..steps {
        if !dice.once_in(3) {
            meet(&mut world, &mut dice, count);
        } else {
            step(&mut world, &mut dice, count, trouble);
        }
        let time = dice.time(Duration::from_millis(pace));
        world.run_for(time);
        if world.daemon.is_none() && dice.once_in(3) {
            world.start_daemon();
        }
    }
    calm(&mut world, count);
    world.table
}

/// What comes from outside meets the service whose state has seen least of it.
fn meet(world: &mut World, dice: &mut Dice, count: usize) {
    const OUTSIDE: [Event; 10] = [
        Event::CommandStart,
        Event::CommandStop,
        Event::CommandRestart,
        Event::CommandMonitor,
        Event::CommandUnmonitor,
        Event::Reload,
        Event::ReloadChanged,
        Event::ReloadRemoved,
        Event::Killed,
        Event::Reboot,
    ];
    let Some(engine) = world.engine() else { return };
    let config = engine.config().clone();
    let cell = |place: usize, event: Event| world.table.of(State::of(engine, ServiceId(place)), event);
    let units =
        config.services.iter().enumerate().filter_map(|(place, service)| Some((place, unit_of(&service.name)?)));
    let cells = units.flat_map(|(place, unit)| OUTSIDE.map(|event| (cell(place, event), place, unit, event)));
    let Some((_, place, unit, event)) = cells.min_by_key(|(seen, ..)| *seen) else { return };
    let name = vec![config.services[place].name.clone()];
    match event {
        Event::CommandStart => world.command(Command::Start, &name),
        Event::CommandStop => world.command(Command::Stop, &name),
        Event::CommandRestart => world.command(Command::Restart, &name),
        Event::CommandMonitor => world.command(Command::Monitor, &name),
        Event::CommandUnmonitor => world.command(Command::Unmonitor, &name),
        Event::ReloadChanged => replace(world, dice, unit),
        Event::ReloadRemoved if world.services.len() > 1 => {
            let mut services = world.services.clone();
            services.retain(|written| written.unit != unit);
            world.reload(services);
        }
        Event::Killed => {
            world.kill();
            if dice.once_in(2) {
                world.start_daemon();
            }
        }
        Event::Reboot => world.reboot(),
        _ => world.reload(world.services.clone()),
    }
    // What was taken out comes back some time.
    let missing = (0..count).find(|unit| world.services.iter().all(|written| written.unit != *unit));
    if let Some(unit) = missing.filter(|_| dice.once_in(2)) {
        replace(world, dice, unit);
    }
}

/// The service of a unit is written anew.
fn replace(world: &mut World, dice: &mut Dice, unit: usize) {
    let mut written = Written::of(unit, dice);
    // Under another name it would be another service, of which the daemon knows nothing.
    written.name.clone_from(&world.names[unit]);
    let mut services = world.services.clone();
    services.retain(|written| written.unit != unit);
    services.push(written);
    world.reload(services);
}

fn step(world: &mut World, dice: &mut Dice, count: usize, trouble: u64) {
    let unit = dice.place(count);
    let names = |world: &World, dice: &mut Dice| -> Vec<String> {
        let all = dice.once_in(5);
        let named = |written: &&Written| all || written.unit == unit;
        world.services.iter().filter(named).map(|written| written.name.clone()).collect()
    };
    match dice.below(26) {
        0 | 1 => world.machine.die(unit, dice),
        2 => world.machine.appear(unit),
        3..=5 => change(&mut world.machine.units[unit], dice, trouble),
        6 => world.machine.sweep(),
        7 => world.machine.units[unit].unreadable = dice.once_in(3),
        8..=12 => {
            let names = names(world, dice);
            world.command(COMMANDS[dice.place(COMMANDS.len())], &names);
        }
        13 => world.reload(world.services.clone()),
        14 => edit(world, dice, count),
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
        _ => world.wake(),
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
    unit.distance = if bad(dice) || dice.once_in(4) { dice.time(Duration::from_secs(9)) } else { Duration::ZERO };
}

/// The control file is changed, and read.
fn edit(world: &mut World, dice: &mut Dice, count: usize) {
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
            let unit = dice.place(count);
            return replace(world, dice, unit);
        }
    }
    for written in &services {
        world.names[written.unit].clone_from(&written.name);
    }
    world.reload(services);
}

/// Everything works again: whatever is watched comes to life, and what lives is left alone.
fn calm(world: &mut World, count: usize) {
    world.doom = None;
    for unit in &mut world.machine.units {
        let pidfile = unit.process.map(|pid| pid.to_string());
        *unit = Unit { process: unit.process, appears: unit.appears, until: unit.until, pidfile, ..Unit::new() };
    }
    world.machine.sweep();
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
        if watched && !held_down && matches!(service.kind, Kind::Process(_)) {
            assert!(engine.known(ServiceId(place)).is_some(), "'{}' is left dead\n{}", service.name, trace());
        }
    }
    let runs = world.promises.runs();
    world.run_for(INTERVAL * 3);
    assert_eq!(world.promises.runs(), runs, "what lives is touched\n{}", world.log.join("\n"));
}
