//! `every "CRON"` and `not every "CRON"`, with the clock of [`World`], which began at 1970-01-01 00:00.

use super::*;
use crate::base::cron::Schedule;

fn timed(name: &str, depends: &[usize], not: bool, fields: &str) -> Service {
    let schedule = Schedule::parse(fields).unwrap();
    Service { cron: Some(Cron { not, schedule }), ..service(name, depends) }
}

/// Cycles of 40 seconds until the clock shows that minute, at which `x` dies again and again; the minutes of its starts.
fn starts_until(world: &mut World, last: i64) -> Vec<i64> {
    let mut minutes = Vec::new();
    while world.clock() <= Minute::from_number(last) {
        world.reals[0].process = None;
        let (before, clock) = (world.starts()[0], world.clock());
        world.cycle();
        world.run_until(world.now.plus(Duration::from_secs(40)));
        if world.starts()[0] > before {
            minutes.push(clock.number());
        }
    }
    minutes
}

#[test]
fn a_service_is_checked_once_in_each_minute_of_its_schedule() {
    let mut world = World::new(vec![timed("x", &[], false, "*/10,33 * * * *")]);
    assert_eq!(starts_until(&mut world, 62), [10, 20, 30, 33, 40, 50, 60]);
    assert!(world.engine.ledger(ServiceId(0)).waiting);
}

#[test]
fn a_minute_that_passes_while_a_parent_is_down_is_made_up_for() {
    let mut world = World::new(vec![service("db", &[]), timed("web", &[0], false, "5 * * * *")]);
    world.minute();
    world.minute();
    assert_eq!(world.alive(), [true; 2]);
    let (db, web, at) = (ServiceId(0), ServiceId(1), Minute::from_number);
    let process = world.engine.ledger_mut(db).process.take();
    assert!(!world.engine.due(web, world.now, at(5)) && !world.engine.due(web, world.now, at(6)));
    world.engine.ledger_mut(db).process = process;
    assert!(world.engine.due(web, world.now, at(7)));
    assert!(!world.engine.due(web, world.now, at(8)), "once is enough");
}

#[test]
fn minutes_that_pass_unwatched_are_not_made_up_for() {
    let mut world = World::new(vec![timed("x", &[], false, "5 * * * *")]);
    world.cycle();
    world.command(Command::Unmonitor, &[0]);
    for _ in 0..9 {
        world.minute();
    }
    world.command(Command::Monitor, &[0]);
    for _ in 0..9 {
        world.minute();
    }
    assert_eq!(world.starts(), [0]);
}

#[test]
fn not_every_keeps_quiet_while_its_schedule_matches() {
    let mut world = World::new(vec![timed("x", &[], true, "0-9,20-59 * * * *")]);
    let minutes = starts_until(&mut world, 30);
    assert_eq!((minutes.first(), minutes.last()), (Some(&10), Some(&19)));
    assert_eq!(minutes.len(), 15, "each of the cycles in between: {minutes:?}");
}
