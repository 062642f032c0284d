//! Services that are left alone for a while.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn pair() -> World {
    let mut world = World::new(vec![service("p", &[]), service("c", &[0])]);
    world.minute();
    world.minute();
    assert_eq!(world.alive(), [true, true]);
    world.log.clear();
    world
}

#[test]
fn monitoring_returns_by_itself_once_and_with_what_went_along() {
    let mut world = pair();
    world.leave_alone(&[0], HOUR);
    assert_eq!(world.said("'p' unmonitor for 1 h on user request"), 1);
    assert_eq!([0, 1].map(|place| world.monitor(place)), [Monitor::Off; 2]);
    world.reals[0].process = None;
    world.run_until(world.now.plus(HOUR - Duration::from_secs(1)));
    world.cycle();
    assert_eq!((world.starts(), world.said("again")), (vec![1, 1], 0), "nobody touches it");
    assert!(world.engine.next_deadline().is_some(), "the daemon wakes for it");
    for _ in 0..5 {
        world.minute();
    }
    assert_eq!(world.said("'p' monitored again: the time to leave it alone is over"), 1);
    assert_eq!(world.said("'c' monitored again"), 1);
    assert_eq!((world.alive(), world.starts()), (vec![true, true], vec![2, 2]));
    assert_eq!(world.engine.next_deadline(), None);
}

#[test]
fn a_user_ends_it_early_and_what_went_along_returns_too() {
    for command in [Command::Monitor, Command::Start, Command::Restart] {
        let mut world = pair();
        world.leave_alone(&[0], HOUR);
        world.command(command, &[0]);
        world.minute();
        world.minute();
        assert_eq!([0, 1].map(|place| world.monitor(place)), [Monitor::On; 2], "{command:?}");
        world.log.clear();
        world.run_until(world.now.plus(HOUR * 2));
        assert_eq!(world.said("again"), 0, "not a second time: {command:?}");
    }
}

#[test]
fn a_users_last_word_counts() {
    // For ever after a while, and the other way round.
    let mut world = pair();
    world.leave_alone(&[0], HOUR);
    world.command(Command::Unmonitor, &[0]);
    world.run_until(world.now.plus(HOUR * 2));
    assert_eq!([0, 1].map(|place| world.monitor(place)), [Monitor::Off; 2]);
    world.leave_alone(&[0], HOUR);
    world.run_until(world.now.plus(HOUR * 2));
    assert_eq!([0, 1].map(|place| world.monitor(place)), [Monitor::Init, Monitor::Off]);

    // A stop is for ever too.
    let mut world = pair();
    world.leave_alone(&[0, 1], HOUR);
    world.command(Command::Stop, &[0]);
    world.run_until(world.now.plus(HOUR * 2));
    world.minute();
    assert_eq!((world.monitor(0), world.alive()), (Monitor::Off, vec![false, true]), "c waits for p, untouched");

    // Longer than before: what went along goes along again.
    let mut world = pair();
    world.leave_alone(&[0], HOUR);
    world.leave_alone(&[0], HOUR * 3);
    world.run_until(world.now.plus(HOUR * 2));
    assert_eq!([0, 1].map(|place| world.monitor(place)), [Monitor::Off; 2]);
    world.run_until(world.now.plus(HOUR * 2));
    assert_eq!(world.said("monitored again"), 2);
}

#[test]
fn what_a_user_left_alone_by_itself_returns_by_itself() {
    let mut world = pair();
    world.leave_alone(&[1], HOUR * 3);
    world.leave_alone(&[0], HOUR);
    world.run_until(world.now.plus(HOUR * 2));
    assert_eq!([0, 1].map(|place| world.monitor(place)), [Monitor::Init, Monitor::Off]);
    world.command(Command::Monitor, &[0]);
    assert_eq!(world.monitor(1), Monitor::Off);
    world.run_until(world.now.plus(HOUR * 2));
    assert_eq!(world.monitor(1), Monitor::Init);
}

#[test]
fn it_outlasts_the_daemon_but_not_the_boot() {
    let services = [service("p", &[]), service("c", &[0])];
    let mut world = pair();
    world.leave_alone(&[0], HOUR);
    restart_daemon(&mut world, &services);
    world.minute();
    assert_eq!([0, 1].map(|place| world.monitor(place)), [Monitor::Off; 2]);
    world.run_until(world.now.plus(HOUR));
    assert_eq!(world.said("monitored again"), 2);

    for onreboot in [OnReboot::Start, OnReboot::LastState] {
        let mut lazy = service("p", &[]);
        lazy.onreboot = onreboot;
        let mut world = pair();
        world.leave_alone(&[0], HOUR);
        let saved = HashMap::from([("p".to_owned(), world.engine.saved(ServiceId(0)))]);
        let mut engine = Engine::new(config(vec![lazy]), false);
        engine.restore(&saved, Past::OtherBoot);
        assert_eq!(engine.ledger(ServiceId(0)).monitor, Monitor::Init, "{onreboot:?}");
        assert_eq!(engine.next_deadline(), None);
    }
}

#[test]
fn it_waits_for_the_action_that_is_under_way() {
    let mut world = World::new(vec![service("x", &[])]);
    world.reals[0].takes = Duration::from_secs(20);
    world.cycle();
    world.leave_alone(&[0], HOUR);
    let services = world.engine.config().services.clone();
    restart_daemon(&mut world, &services);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!((world.alive(), world.monitor(0)), (vec![true], Monitor::Off));
    world.run_until(world.now.plus(HOUR));
    assert_eq!(world.said("monitored again"), 1);
}

#[test]
fn a_rule_and_a_limit_may_leave_a_service_alone_for_a_while() {
    let mut resting = service("x", &[]);
    resting.rules[0].failure.action = Action::UnmonitorFor(HOUR);
    let mut world = World::new(vec![resting]);
    world.minute();
    assert_eq!(world.monitor(0), Monitor::Off);
    world.run_until(world.now.plus(HOUR));
    assert_eq!((world.monitor(0), world.said("monitored again")), (Monitor::Init, 1));
    world.minute();
    assert_eq!(world.monitor(0), Monitor::Off, "still dead, so again");

    let mut limited = service("x", &[]);
    limited.restart_limits = vec![RestartLimit { restarts: 2, cycles: 5, action: Action::UnmonitorFor(HOUR) }];
    let mut world = World::new(vec![limited]);
    world.reals[0].broken = true;
    for _ in 0..50 {
        world.minute();
    }
    assert_eq!((world.starts(), world.monitor(0)), (vec![2], Monitor::Off));
    assert_eq!(world.said("service restarted 2 times within 2 cycles(s) - unmonitor"), 1);
    world.reals[0].broken = false;
    for _ in 0..50 {
        world.minute();
    }
    assert_eq!((world.alive(), world.starts()), (vec![true], vec![3]));
}

#[test]
fn a_rule_touches_nothing_that_is_not_monitored() {
    // c is being restarted by its rule when its parent is left alone.
    let mut world = pair();
    world.reals[1].takes = Duration::from_secs(20);
    world.engine.request(ServiceId(1), plan::Goal::Restart, Cause::Rule);
    world.engine.tick(world.now);
    world.settle();
    world.command(Command::Unmonitor, &[0]);
    world.run_until(world.now.plus(MINUTE * 3));
    assert_eq!([0, 1].map(|place| world.monitor(place)), [Monitor::Off; 2]);
    assert_eq!(world.starts(), [1, 1]);
    assert_eq!(world.said("'c' failed to start -- 'p', which it needs, is not monitored"), 1);
}

#[test]
fn an_absence_that_is_over_before_the_action_ends_does_not_begin() {
    let mut world = pair();
    world.reals[0].takes = Duration::from_secs(20);
    world.command(Command::Restart, &[0]);
    world.run_until(world.now.plus(Duration::from_secs(2)));
    world.leave_alone(&[0], Duration::from_secs(5));
    world.minute();
    world.minute();
    assert_eq!((world.said("unmonitor action done"), world.said("again")), (0, 0), "{:#?}", world.log);
    assert_eq!((world.monitor(0), world.alive()), (Monitor::On, vec![true, true]));
}
