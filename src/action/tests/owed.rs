//! Starts that rules ask for once, at a time at which nothing may be started.

use super::*;
use crate::base::schedule::Backoff;

/// A rule that starts or restarts when its test passes again.
fn on_recovery(service: Service, action: Action) -> Service {
    let once = |action| Reaction { rate: Rate::ONCE, action };
    let rules = vec![Rule { test: Test::NotExist, failure: once(Action::Alert), recovery: once(action) }];
    Service { rules, ..service }
}

/// A file with programs.
pub fn file(action: Action) -> Service {
    on_recovery(Service { kind: Kind::File(PathBuf::from("/f")), ..service("file", &[]) }, action)
}

pub fn appear(world: &mut World, place: usize) {
    world.reals[place].process = Pid::new(world.next_pid);
    world.next_pid += 1;
}

fn on_another_pid(service: Service) -> Service {
    let mut service = service;
    let once = |action| Reaction { rate: Rate::ONCE, action };
    let test = Test::Changed(Attribute::Pid);
    service.rules.push(Rule { test, failure: once(Action::Restart), recovery: once(Action::Alert) });
    service
}

#[test]
fn a_recovery_while_the_machine_boots_starts_when_that_is_over_and_once() {
    let mut world = World::new(vec![file(Action::Start)]);
    world.engine.hold_starts(true);
    world.minute();
    appear(&mut world, 0);
    world.minute();
    world.minute();
    assert_eq!((world.starts(), world.said("exist")), (vec![0], 2), "{:#?}", world.log);
    world.engine.hold_starts(false);
    world.minute();
    world.minute();
    assert_eq!((world.starts(), world.said("start: '/bin/start'")), (vec![1], 1));
}

#[test]
fn what_fails_again_is_not_started_for_its_recovery() {
    let mut world = World::new(vec![file(Action::Start)]);
    world.engine.hold_starts(true);
    world.minute();
    appear(&mut world, 0);
    world.minute();
    world.reals[0].process = None;
    world.minute();
    world.engine.hold_starts(false);
    world.minute();
    assert_eq!(world.starts(), [0]);
}

#[test]
fn a_change_while_the_machine_boots_restarts_when_that_is_over_and_once() {
    let mut world = World::new(vec![on_another_pid(service("x", &[]))]);
    world.minute();
    world.minute();
    world.minute();
    world.engine.hold_starts(true);
    appear(&mut world, 0);
    world.minute();
    world.minute();
    assert_eq!(world.reals[0].stops, 0);
    world.engine.hold_starts(false);
    world.minute();
    world.minute();
    assert_eq!((world.reals[0].stops, world.starts()), (1, vec![2]), "{:#?}", world.log);
}

#[test]
fn a_change_during_a_back_off_restarts_at_its_end_also_in_the_next_daemon() {
    let backoff = Some(Backoff { first: MINUTE * 5, longest: MINUTE * 5 });
    let services = vec![on_another_pid(Service { backoff, ..service("x", &[]) })];
    let mut world = World::new(services.clone());
    for _ in 0..3 {
        world.minute();
    }
    assert_eq!(world.starts(), [1]);
    appear(&mut world, 0);
    world.minute();
    assert_eq!((world.reals[0].stops, world.said("next start in")), (0, 1));
    restart_daemon(&mut world, &services);
    for _ in 0..5 {
        world.minute();
    }
    assert_eq!((world.reals[0].stops, world.starts()), (1, vec![2]), "{:#?}", world.log);
}

#[test]
fn whom_a_user_restarts_or_leaves_alone_meanwhile_is_not_restarted_after_that() {
    for command in [Command::Restart, Command::Unmonitor] {
        let mut world = World::new(vec![on_another_pid(service("x", &[]))]);
        world.minute();
        world.minute();
        world.engine.hold_starts(true);
        appear(&mut world, 0);
        world.minute();
        world.command(command, &[0]);
        world.run_until(world.now.plus(MINUTE));
        world.command(Command::Monitor, &[0]);
        let stops = world.reals[0].stops;
        world.engine.hold_starts(false);
        for _ in 0..3 {
            world.minute();
        }
        assert_eq!(world.reals[0].stops, stops, "{:#?}", world.log);
    }
}

#[test]
fn whoever_is_seldom_looked_at_is_started_when_the_boot_is_over() {
    let mut world = World::new(vec![Service { every: Every::Cycles(100), ..service("x", &[]) }]);
    world.engine.hold_starts(true);
    world.minute();
    world.engine.hold_starts(false);
    world.minute();
    assert_eq!(world.starts(), [1]);
}
