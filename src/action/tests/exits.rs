//! Scenes about processes whose end is told between two cycles.

use super::super::exit::{EARLY_INTERVAL, SETTLE};
use super::*;

/// A service with `if exited then restart`.
pub fn asking(name: &str, depends: &[usize]) -> Service {
    let mut service = service(name, depends);
    service.rules[0].test = Test::Exited;
    service
}

/// A world in which all services live and nothing was said yet.
fn living(services: Vec<Service>) -> World {
    let mut world = World::new(services);
    world.minute();
    world.minute();
    assert!(world.alive().iter().all(|lives| *lives), "{:#?}", world.log);
    world.log.clear();
    world
}

/// Lets time pass, and scripts of others do what they do: at their end the process is there, if they work.
fn pass(world: &mut World, time: Duration) {
    let until = world.now.plus(time);
    while world.now < until {
        world.run_until(world.now.plus(Duration::from_millis(10)).min(until));
        for real in &mut world.reals {
            if real.script.take_if(|end| *end <= world.now).is_some() && !real.broken {
                real.process = Pid::new(world.next_pid);
                world.next_pid += 1;
            }
        }
    }
}

#[test]
fn a_process_that_ends_is_started_after_the_settle_time_and_once() {
    let mut world = living(vec![asking("puma", &[])]);
    world.die(0);
    assert_eq!(world.engine.next_deadline(), Some(world.now.plus(SETTLE)));
    world.cycle();
    assert_eq!(world.starts(), [1], "a cycle does not come first");
    world.run_until(world.now.plus(SETTLE));
    assert_eq!(world.starts(), [2]);
    world.cycle();
    world.minute();
    world.minute();
    assert_eq!(world.starts(), [2]);
    assert_eq!(
        world.log,
        [
            "'puma' process is not running",
            "'puma' trying to restart",
            "'puma' start: '/bin/start'",
            "'puma' process is running with pid 101"
        ]
    );
}

#[test]
fn a_service_that_does_not_ask_is_left_to_the_cycle() {
    let mut world = living(vec![service("puma", &[]), asking("node", &[])]);
    let node = world.engine.known(ServiceId(1));
    assert_eq!(world.engine.watched().collect::<Vec<_>>(), node.into_iter().collect::<Vec<_>>());
    let puma = world.engine.known(ServiceId(0)).unwrap();
    world.reals[0].process = None;
    world.engine.exited(puma, world.now);
    assert_eq!(world.engine.next_deadline(), None);
    world.minute();
    assert_eq!(world.starts(), [2, 1]);
}

#[test]
fn a_cycle_that_is_faster_than_the_notice_settles_too() {
    let mut world = living(vec![asking("puma", &[])]);
    world.reals[0].process = None;
    world.reals[0].script = Some(world.now.plus(Duration::from_secs(3)));
    world.cycle();
    pass(&mut world, Duration::from_secs(5));
    world.cycle();
    assert_eq!((world.starts(), world.alive()), (vec![1], vec![true]));
}

#[test]
fn rules_that_count_cycles_count_cycles_only() {
    let mut two = asking("puma", &[]);
    two.start = None;
    let counts = Reaction { rate: Rate { count: 2, window: 2 }, action: Action::Alert };
    two.rules.push(Rule { test: Test::NotExist, failure: counts, recovery: two.rules[0].recovery.clone() });
    let mut world = World::new(vec![two]);
    world.reals[0].process = Pid::new(7);
    world.minute();
    world.log.clear();
    world.die(0);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.said("process is not running"), 1, "the early look concerns 'if exited' alone");
    world.cycle();
    assert_eq!(world.said("process is not running"), 3);
    assert!(!world.engine.ledger(ServiceId(0)).rules[1].is_failed());
    world.minute();
    assert!(world.engine.ledger(ServiceId(0)).rules[1].is_failed());
}

#[test]
fn a_restart_by_somebody_else_is_waited_for_and_not_doubled() {
    let mut world = living(vec![asking("puma", &[])]);
    world.reals[0].script = Some(world.now.plus(Duration::from_secs(8)));
    world.die(0);
    pass(&mut world, Duration::from_secs(4));
    world.cycle();
    pass(&mut world, Duration::from_secs(6));
    assert_eq!(
        world.log,
        [
            "'puma' process has ended; a script is at it, and is waited for",
            "'puma' process has ended, and another runs with pid 101"
        ]
    );
    assert_eq!(world.starts(), [1]);
    // The new process is watched in its turn.
    world.die(0);
    world.run_until(world.now.plus(SETTLE));
    assert_eq!(world.starts(), [2]);
}

#[test]
fn a_script_seen_only_at_the_first_look_is_waited_for_until_its_process_appears() {
    let mut world = living(vec![asking("puma", &[])]);
    world.reals[0].script = Some(world.now.plus(Duration::from_millis(10)));
    world.reals[0].broken = true;
    world.die(0);
    pass(&mut world, Duration::from_secs(20));
    assert_eq!(world.starts(), [1]);
    world.reals[0].process = Pid::new(500);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!((world.starts(), world.alive()), (vec![1], vec![true]));
}

#[test]
fn a_script_that_brings_nothing_back_is_given_the_time_of_a_start_program() {
    for ends in [2, 3600] {
        let mut world = living(vec![asking("puma", &[])]);
        world.reals[0].script = Some(world.now.plus(Duration::from_secs(ends)));
        world.reals[0].broken = true;
        world.die(0);
        pass(&mut world, Duration::from_secs(29));
        assert_eq!(world.starts(), [1]);
        world.reals[0].broken = false;
        world.run_until(world.now.plus(Duration::from_secs(1)));
        assert_eq!(world.starts(), [2], "{:#?}", world.log);
    }
}

#[test]
fn what_dies_again_at_once_is_started_no_faster_than_cycles_come() {
    let mut world = living(vec![asking("puma", &[])]);
    world.die(0);
    world.run_until(world.now.plus(EARLY_INTERVAL - Duration::from_secs(1)));
    assert_eq!((world.starts(), world.alive()), (vec![2], vec![true]));
    world.die(0);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.starts(), [2]);
    world.minute();
    assert_eq!(world.starts(), [3]);
}

#[test]
fn restart_limits_hold_for_early_restarts() {
    let mut limited = asking("puma", &[]);
    limited.restart_limits.push(RestartLimit { restarts: 3, cycles: 5, action: Action::Unmonitor });
    let mut world = World::new(vec![limited]);
    world.reals[0].process = Pid::new(7);
    world.cycle();
    for _ in 0..4 {
        world.die(0);
        world.run_until(world.now.plus(EARLY_INTERVAL * 2));
    }
    assert_eq!(world.starts(), [3]);
    assert_eq!(world.said("service restarted 3 times within 1 cycles(s) - unmonitor"), 1);
    assert_eq!(world.monitor(0), Monitor::Off);
}

#[test]
fn passive_services_and_those_whose_parents_are_down_are_not_started() {
    let mut passive = asking("puma", &[]);
    passive.mode = Mode::Passive;
    let mut world = living_except_starts(vec![passive, asking("web", &[0])]);
    world.die(0);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.said("'puma' process is not running"), 1);
    world.die(1);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.starts(), [0, 0]);
    assert_eq!(world.said("'web'"), 0, "{:#?}", world.log);
}

/// Services that live without having been started.
fn living_except_starts(services: Vec<Service>) -> World {
    let mut world = World::new(services);
    for (place, real) in world.reals.iter_mut().enumerate() {
        real.process = Pid::new(i32::try_from(place).unwrap() + 10);
    }
    world.minute();
    world.log.clear();
    world
}

#[test]
fn what_a_user_does_meanwhile_comes_first() {
    let mut world = living(vec![asking("puma", &[])]);
    world.die(0);
    world.command(Command::Unmonitor, &[0]);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.starts(), [1]);
    world.command(Command::Start, &[0]);
    world.run_until(world.now.plus(MINUTE));
    world.die(0);
    world.command(Command::Stop, &[0]);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!((world.starts(), world.monitor(0)), (vec![2], Monitor::Off));
    world.command(Command::Start, &[0]);
    world.run_until(world.now.plus(MINUTE));
    world.die(0);
    world.command(Command::Restart, &[0]);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!((world.starts(), world.alive()), (vec![4], vec![true]));
}

#[test]
fn a_reload_leaves_it_to_its_cycle() {
    let services = vec![asking("puma", &[])];
    let mut world = living(services.clone());
    world.die(0);
    drop(world.engine.reconfigure(config(services)));
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.starts(), [1]);
    world.minute();
    assert_eq!(world.starts(), [2]);
}

#[test]
fn unknown_is_not_dead_and_an_old_notice_means_nobody() {
    let mut world = living(vec![asking("puma", &[])]);
    let known = world.engine.known(ServiceId(0)).unwrap();
    world.engine.exited(known, world.now);
    world.engine.tick(world.now);
    assert_eq!(world.engine.next_effect(), Some(Effect::LookEarly(ServiceId(0))));
    let unknown = Presence::Unknown("no descriptors".to_owned());
    world.engine.looked_early(ServiceId(0), &unknown, None, world.now, world.wall());
    assert_eq!((world.engine.next_effect(), world.engine.next_deadline()), (None, None));
    let other = Identity { pid: known.pid, start: StartTime::from_boot(Duration::ZERO) };
    world.engine.exited(other, world.now);
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn the_end_of_what_a_start_program_had_become_is_not_taken_for_the_end_of_the_next_start() {
    let mut world = World::new(vec![service("x", &[])]);
    let x = ServiceId(0);
    owed::appear(&mut world, 0);
    world.minute();
    // Its start program is the service; that is gone, and a user starts it again before its end is told.
    world.engine.set_overdue(x, world.reals[0].process.take());
    world.reals[0].takes = Duration::from_secs(10);
    world.command(Command::Start, &[0]);
    assert_eq!((world.engine.stage(x), world.starts()), (Some("starting"), vec![1]), "{:#?}", world.log);
    world.engine.program_ended(x, Purpose::Start, Outcome { status: Some(9), ..Outcome::default() }, world.now);
    world.settle();
    assert_eq!((world.engine.stage(x), world.engine.ledger(x).overdue), (Some("starting"), None));
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![true], vec![1]), "{:#?}", world.log);
}

#[test]
fn a_start_beside_a_process_that_is_still_to_come_waits_for_that() {
    for appears in [true, false] {
        let mut world = World::new(vec![service("x", &[])]);
        let x = ServiceId(0);
        owed::appear(&mut world, 0);
        world.minute();
        world.command(Command::Unmonitor, &[0]);
        let pid = world.reals[0].process.take().unwrap();
        // Nobody watches it when its late start program has ended well; its process takes a moment more.
        world.engine.set_overdue(x, Some(pid));
        world.engine.program_ended(x, Purpose::Start, Outcome { status: Some(0), ..Outcome::default() }, world.now);
        assert_eq!((world.engine.pending(x), world.monitor(0)), (None, Monitor::Off), "who is not watched stays so");
        world.command(Command::Start, &[0]);
        assert_eq!((world.engine.stage(x), world.starts()), (Some("appearing"), vec![0]), "{:#?}", world.log);
        if appears {
            owed::appear(&mut world, 0);
        }
        world.minute();
        world.minute();
        // Where none comes, the start has failed, and is free to be tried again.
        assert_eq!((world.alive(), world.starts()), (vec![true], vec![u32::from(!appears)]), "{:#?}", world.log);
    }
}

#[test]
fn a_late_start_program_with_the_number_of_the_process_that_is_gone_is_not_taken_for_the_service() {
    let mut world = World::new(vec![service("x", &[])]);
    let x = ServiceId(0);
    owed::appear(&mut world, 0);
    world.minute();
    world.command(Command::Unmonitor, &[0]);
    let pid = world.reals[0].process.take().unwrap();
    world.reals[0].takes = MINUTE * 9;
    world.command(Command::Start, &[0]);
    world.engine.program_overdue(x, Purpose::Start, pid, String::new());
    world.settle();
    assert_eq!((world.engine.pending(x), world.engine.ledger(x).overdue), (None, Some(pid)), "{:#?}", world.log);
    world.command(Command::Start, &[0]);
    assert_eq!((world.starts(), world.said("no other is started")), (vec![1], 1), "{:#?}", world.log);
}
