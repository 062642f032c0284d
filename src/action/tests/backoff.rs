//! Starts that are spaced out.

use super::*;
use crate::base::schedule::Backoff;

const SECOND: Duration = Duration::from_secs(1);

/// First delay and longest, in seconds.
fn patient(first: u64, longest: u64) -> Service {
    let (first, longest) = (Duration::from_secs(first), Duration::from_secs(longest));
    Service { backoff: Some(Backoff { first, longest }), ..service("x", &[]) }
}

/// Cycles ten seconds apart; the instants of starts, counted from the beginning.
fn starts_at(world: &mut World, cycles: u32) -> Vec<u64> {
    let begun = world.now;
    let before = world.reals[0].started.len();
    for _ in 0..cycles {
        world.cycle();
        world.run_until(world.now.plus(SECOND * 10));
    }
    world.reals[0].started[before..].iter().map(|at| at.since(begun).as_secs()).collect()
}

#[test]
fn delays_grow_up_to_the_longest_and_each_wait_is_told_once() {
    let mut world = World::new(vec![patient(15, 90)]);
    world.reals[0].broken = true;
    // The start program's timeout of 30 s is part of each delay.
    assert_eq!(starts_at(&mut world, 60), [0, 30, 60, 120, 210, 300, 390, 480, 570]);
    assert_eq!(world.said("trying to restart"), 9);
    assert_eq!(world.said("next start in 30 s (back-off, started 3 times in a row)"), 1);
    assert_eq!(world.said("next start in 1 m (back-off, started 4 times in a row)"), 1);
    assert_eq!(world.said("next start in"), 6);
}

#[test]
fn a_row_ends_when_nothing_was_started_for_the_longest_delay() {
    let mut world = World::new(vec![patient(60, 120)]);
    let crash = |world: &mut World| world.reals[0].process = None;
    assert_eq!(starts_at(&mut world, 1), [0]);
    crash(&mut world);
    assert_eq!(starts_at(&mut world, 12), [50], "60 s after the first start");
    crash(&mut world);
    assert_eq!(starts_at(&mut world, 24), [50], "120 s after the second, which was 70 s ago");
    // It may start again at 120 s, and stays up for 120 s more: the next crash is the first.
    assert_eq!(starts_at(&mut world, 8), []);
    crash(&mut world);
    assert_eq!(starts_at(&mut world, 1), [0]);
    assert_eq!(world.engine.ledger(ServiceId(0)).pace.starts, 1);
}

#[test]
fn a_users_start_is_never_delayed_and_ends_the_row() {
    let mut world = World::new(vec![patient(600, 600), Service { name: "c".to_owned(), ..service("c", &[0]) }]);
    assert_eq!(starts_at(&mut world, 2), [0]);
    world.reals[0].process = None;
    assert_eq!(starts_at(&mut world, 2), []);
    let next = world.engine.next_start(ServiceId(0)).unwrap();
    assert_eq!(next.since(world.now).as_secs(), 560);
    world.command(Command::Start, &[0]);
    world.run_until(world.now.plus(SECOND * 10));
    assert!(world.alive()[0]);
    assert_eq!(world.engine.next_start(ServiceId(0)), None);

    // The same through a service that needs it.
    world.reals[0].process = None;
    assert_eq!(starts_at(&mut world, 2), [1], "the first of a new row; its dependant stops before it");
    world.reals[0].process = None;
    assert_eq!(starts_at(&mut world, 2), []);
    world.command(Command::Start, &[1]);
    world.run_until(world.now.plus(SECOND * 20));
    assert_eq!(world.alive(), [true, true]);
}

#[test]
fn a_wait_outlasts_the_daemon_and_a_reload() {
    let services = [patient(600, 600)];
    let mut world = World::new(services.to_vec());
    world.reals[0].broken = true;
    assert_eq!(starts_at(&mut world, 6), [0]);
    restart_daemon(&mut world, &services);
    assert_eq!(starts_at(&mut world, 6), []);
    world.engine.reconfigure(config(services.to_vec()));
    assert_eq!(starts_at(&mut world, 60), [480]);
    // Without back-off in the file nothing waits any more.
    world.engine.reconfigure(config(vec![service("x", &[])]));
    assert_eq!(starts_at(&mut world, 1), [0]);
}

#[test]
fn what_comes_up_meanwhile_is_left_alone() {
    let mut world = World::new(vec![patient(600, 600)]);
    starts_at(&mut world, 1);
    world.reals[0].process = None;
    starts_at(&mut world, 3);
    assert!(world.engine.next_start(ServiceId(0)).is_some());
    world.reals[0].process = Pid::new(99);
    starts_at(&mut world, 100);
    assert_eq!(world.starts(), [1]);
    assert_eq!(world.engine.next_start(ServiceId(0)), None, "nothing waits any more");
    assert_eq!(world.said("process is running with pid 99"), 1);
}

#[test]
fn a_limit_counts_starts_and_not_waits() {
    let mut limited = patient(60, 60);
    limited.restart_limits = vec![RestartLimit { restarts: 3, cycles: 30, action: Action::Unmonitor }];
    let mut world = World::new(vec![limited]);
    world.reals[0].broken = true;
    assert_eq!(starts_at(&mut world, 40), [0, 60, 120]);
    assert_eq!(world.said("service restarted 3 times within"), 1);
}

#[test]
fn dependants_come_back_at_once() {
    let mut world = World::new(vec![service("p", &[]), Service { depends: vec![ServiceId(0)], ..patient(600, 600) }]);
    world.minute();
    world.minute();
    assert_eq!(world.alive(), [true, true]);
    world.reals[1].process = None;
    world.minute();
    world.reals[1].process = None;
    world.minute();
    assert_eq!(world.alive(), [true, false], "it waits");
    world.command(Command::Restart, &[0]);
    world.minute();
    world.minute();
    world.minute();
    assert_eq!(world.alive(), [true, true], "the restart of its parent brings it back");
    assert_eq!(world.starts(), [2, 3]);
}

#[test]
fn a_shorter_back_off_counts_as_soon_as_it_is_read() {
    let mut world = World::new(vec![patient(86_400, 86_400)]);
    assert_eq!(starts_at(&mut world, 1), [0]);
    world.reals[0].process = None;
    assert_eq!(starts_at(&mut world, 3), []);
    world.engine.reconfigure(config(vec![patient(20, 60)]));
    let starts = starts_at(&mut world, 12);
    assert!(starts.first().is_some_and(|at| *at <= 60), "{starts:?}");
}
