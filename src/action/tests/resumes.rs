//! Daemons that take up what happened while there was none.

use super::*;
use crate::event::ledger::Saved;

#[test]
fn a_restart_whose_stop_ended_unseen_is_gone_on_with_where_no_rule_would_ask_again() {
    let services = vec![owed::file(Action::Restart)];
    let mut world = World::new(services.clone());
    world.minute();
    owed::appear(&mut world, 0);
    world.cycle();
    assert_eq!(world.reals[0].stops, 1);
    // The daemon is killed; the program ends before the next one comes.
    world.reals[0].program = None;
    world.reals[0].process = None;
    restart_daemon(&mut world, &services);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!((world.starts(), world.alive()), (vec![1], vec![true]), "{:#?}", world.log);
}

#[test]
fn whoever_was_being_brought_back_is_watched_by_the_next_daemon() {
    let services = vec![service("parent", &[]), service("child", &[0])];
    let mut world = World::new(services.clone());
    world.minute();
    world.minute();
    world.command(Command::Stop, &[0]);
    world.minute();
    world.command(Command::Start, &[0]);
    while world.reals[1].program.is_none() {
        world.run_until(world.now.plus(Duration::from_millis(100)));
    }
    // The daemon is killed; the start program does its work before the next one comes.
    world.reals[1].program = None;
    owed::appear(&mut world, 1);
    restart_daemon(&mut world, &services);
    world.minute();
    assert_eq!((world.monitor(1), world.starts()), (Monitor::On, vec![2, 2]), "{:#?}", world.log);
}

#[test]
fn what_is_no_process_is_not_started_again_when_its_program_ended_unseen() {
    let services = vec![owed::file(Action::Alert)];
    for has_run in [true, false] {
        let mut world = World::new(services.clone());
        world.command(Command::Start, &[0]);
        let saved = HashMap::from([("file".to_owned(), world.engine.saved(ServiceId(0)))]);
        let mut engine = Engine::new(config(services.clone()), false);
        engine.restore(&saved, Past::Recent);
        if has_run {
            engine.ended_meanwhile(ServiceId(0), Purpose::Start, Mono::default(), Mono::default());
        }
        engine.resume(world.now);
        assert_eq!(engine.pending(ServiceId(0)).is_none(), has_run);
    }
}

#[test]
fn who_is_stopped_along_with_another_comes_back_in_the_next_daemon() {
    // Nothing but what stopped it brings the child back.
    let mut child = service("child", &[0]);
    child.rules[0].failure.action = Action::Alert;
    let services = vec![service("parent", &[]), child];
    for command in [Command::Restart, Command::Stop] {
        let mut world = World::new(services.clone());
        world.command(Command::Start, &[1]);
        world.minute();
        assert_eq!(world.alive(), [true; 2]);
        world.command(command, &[0]);
        assert!(world.reals[1].program.is_some());
        restart_daemon(&mut world, &services);
        world.minute();
        if command == Command::Stop {
            assert_eq!(world.alive(), [false; 2]);
            world.command(Command::Start, &[0]);
            world.minute();
        }
        world.minute();
        assert_eq!((world.monitor(1), world.alive()), (Monitor::On, vec![true; 2]), "{:#?}", world.log);
    }
}

#[test]
fn who_was_stopped_along_with_another_comes_back_with_it_in_the_next_daemon() {
    let mut child = service("child", &[0]);
    child.rules[0].failure.action = Action::Alert;
    let services = vec![service("parent", &[]), child];
    let mut world = World::new(services.clone());
    world.command(Command::Start, &[1]);
    world.minute();
    world.command(Command::Stop, &[0]);
    world.minute();
    assert_eq!((world.alive(), world.monitor(1)), (vec![false; 2], Monitor::Off));
    restart_daemon(&mut world, &services);
    world.minute();
    assert_eq!(world.alive(), [false; 2]);
    world.command(Command::Start, &[0]);
    world.minute();
    assert_eq!((world.monitor(1), world.alive()), (Monitor::On, vec![true; 2]), "{:#?}", world.log);
}

#[test]
fn a_stop_program_of_what_is_left_alone_by_now_is_not_run_again() {
    let services = vec![owed::file(Action::Restart)];
    let mut world = World::new(services.clone());
    world.minute();
    owed::appear(&mut world, 0);
    world.cycle();
    world.command(Command::Unmonitor, &[0]);
    restart_daemon(&mut world, &services);
    assert_eq!(world.engine.stage(ServiceId(0)), Some("stopping"));
    // The second daemon is killed, too, and the program ends before the third one comes.
    world.reals[0].program = None;
    restart_daemon(&mut world, &services);
    world.minute();
    assert_eq!((world.reals[0].stops, world.monitor(0)), (1, Monitor::Off), "{:#?}", world.log);
}

#[test]
fn who_went_down_before_its_start_comes_back_in_the_next_daemon() {
    let (db, web) = (ServiceId(0), ServiceId(1));
    let mut world = World::new(vec![service("db", &[]), service("web", &[0])]);
    owed::appear(&mut world, 0);
    let seen = Observation::presence_of(world.presence(db));
    world.engine.observed(db, &seen, world.now, world.wall());
    // It came back with another, and went down with the database first.
    let saved = Saved { monitored: true, goal: Some(Purpose::Start), ..Saved::default() };
    world.engine.restore(&HashMap::from([("web".to_owned(), saved)]), Past::Recent);
    world.engine.adopted(web, Purpose::Stop, world.now);
    world.engine.resume(world.now);
    world.minute();
    assert_eq!(world.alive(), [true, false]);
    world.engine.program_ended(web, Purpose::Stop, Outcome { status: Some(0), ..Outcome::default() }, world.now);
    world.settle();
    world.minute();
    assert_eq!((world.alive(), world.monitor(1)), (vec![true; 2], Monitor::On), "{:#?}", world.log);
}
