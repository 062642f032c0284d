//! Scenes about what has to go down before something else does.

use super::*;

/// The stop and start programs that were run, in words.
fn runs(world: &World) -> Vec<&str> {
    let is_run = |line: &&String| line.contains(": '/bin/");
    world.log.iter().filter(is_run).map(String::as_str).collect()
}

#[test]
fn a_dependant_that_comes_up_late_is_stopped_before_what_it_depends_on() {
    let mut world = World::new(vec![service("db", &[]), service("web", &[0])]);
    world.minute();
    world.minute();
    world.log.clear();
    let (db, web) = (ServiceId(0), ServiceId(1));
    world.reals[1].process = None;
    world.engine.command(Command::Restart, &[db], world.now);
    // Nobody is there to be stopped; before the answer about the database is there, its late start program ends.
    let answer = |world: &mut World, id: ServiceId| {
        let presence = world.presence(id);
        world.engine.looked(id, &presence, world.now, world.wall());
    };
    answer(&mut world, web);
    assert_eq!(world.engine.stage(db), Some("look before stop"));
    world.engine.set_overdue(web, Pid::new(1));
    world.engine.program_ended(web, Purpose::Start, Outcome { status: Some(0), ..Outcome::default() }, world.now);
    owed::appear(&mut world, 1);
    answer(&mut world, web);
    assert!(world.engine.is_up(web));
    answer(&mut world, db);
    // The looks that were asked for are answered once more.
    world.settle();
    world.run_until(world.now.plus(MINUTE));
    let order =
        ["'web' stop: '/bin/stop'", "'db' stop: '/bin/stop'", "'db' start: '/bin/start'", "'web' start: '/bin/start'"];
    assert_eq!(runs(&world), order, "{:#?}", world.log);
    assert_eq!(world.alive(), [true; 2]);
}

#[test]
fn a_dependant_with_a_restart_program_goes_down_before_what_it_depends_on() {
    let mut web = service("web", &[0]);
    web.restart = program("restart", 30);
    let mut world = World::new(vec![service("db", &[]), web]);
    world.minute();
    world.minute();
    world.log.clear();
    // It waits alive for what it depends on, which is to be restarted as soon as it is started.
    world.reals[0].process = None;
    for (command, place) in [(Command::Start, 0), (Command::Restart, 1), (Command::Restart, 0)] {
        world.engine.command(command, &[ServiceId(place)], world.now);
    }
    assert_eq!((world.engine.stage(ServiceId(1)), world.alive()), (Some("parents"), vec![false, true]));
    world.settle();
    world.run_until(world.now.plus(MINUTE * 2));
    let order = [
        "'db' start: '/bin/start'",
        "'web' stop: '/bin/stop'",
        "'db' stop: '/bin/stop'",
        "'db' start: '/bin/start'",
        "'web' restart: '/bin/restart'",
    ];
    assert_eq!((runs(&world), world.alive()), (order.to_vec(), vec![true; 2]), "{:#?}", world.log);
}

#[test]
fn a_dependant_on_its_way_back_comes_back_after_the_next_stop_too() {
    let mut leaf = service("leaf", &[0, 1]);
    leaf.rules[0].failure.action = Action::Alert;
    let mut world = World::new(vec![service("db", &[]), service("web", &[0]), leaf]);
    world.command(Command::Start, &[2]);
    world.minute();
    assert_eq!(world.alive(), [true; 3]);
    // The leaf goes down for the database, would come back with the web, and the web goes down for the database as well.
    world.reals[1].process = None;
    world.reals[1].takes = Duration::from_secs(5);
    world.command(Command::Start, &[1]);
    world.command(Command::Restart, &[0]);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!((world.alive(), world.reals[2].stops), (vec![true; 3], 1), "{:#?}", world.log);
}

#[test]
fn nobody_comes_back_with_what_has_no_start_program_and_stays_dead() {
    let mut db = service("db", &[]);
    (db.start, db.rules[0].failure.action) = (None, Action::Alert);
    let mut world = World::new(vec![db, service("web", &[0])]);
    owed::appear(&mut world, 0);
    world.minute();
    world.minute();
    assert_eq!(world.alive(), [true; 2]);
    world.command(Command::Stop, &[0]);
    world.minute();
    world.log.clear();
    world.command(Command::Start, &[0]);
    world.minute();
    assert_eq!((world.alive(), world.said("'web'")), (vec![false; 2], 0), "{:#?}", world.log);
    owed::appear(&mut world, 0);
    world.command(Command::Start, &[0]);
    world.minute();
    assert_eq!(world.alive(), [true; 2], "it was not forgotten");
}

/// A database and what depends on it, both up; a user's start of the latter waits for the former, which is started, and is to
/// be restarted after that.
fn waits_for_its_start(watched: bool) -> World {
    let mut world = World::new(vec![service("db", &[]), service("web", &[0])]);
    world.minute();
    world.minute();
    if !watched {
        world.command(Command::Unmonitor, &[1]);
    }
    world.log.clear();
    world.reals[0].process = None;
    for (command, place) in [(Command::Start, 0), (Command::Start, 1), (Command::Restart, 0)] {
        world.engine.command(command, &[ServiceId(place)], world.now);
    }
    assert_eq!((world.engine.stage(ServiceId(1)), world.alive()), (Some("parents"), vec![false, true]));
    world
}

#[test]
fn a_dependant_whose_start_waits_goes_down_before_what_it_depends_on_and_comes_back() {
    let mut world = waits_for_its_start(true);
    world.settle();
    world.run_until(world.now.plus(MINUTE * 2));
    let order = [
        "'db' start: '/bin/start'",
        "'web' stop: '/bin/stop'",
        "'db' stop: '/bin/stop'",
        "'db' start: '/bin/start'",
        "'web' start: '/bin/start'",
    ];
    assert_eq!((runs(&world), world.alive()), (order.to_vec(), vec![true; 2]), "{:#?}", world.log);
    assert_eq!((world.said("'web' start action done"), world.monitor(1)), (1, Monitor::On));
}

#[test]
fn nothing_goes_down_under_a_dependant_whose_start_waits_and_whose_stop_fails() {
    let mut world = waits_for_its_start(true);
    world.reals[1].broken = true;
    world.settle();
    world.run_until(world.now.plus(MINUTE * 2));
    assert_eq!(runs(&world), ["'db' start: '/bin/start'", "'web' stop: '/bin/stop'"], "{:#?}", world.log);
    assert_eq!(world.alive(), [true; 2]);
    assert_eq!(world.said("'db' failed to restart -- could not stop required services: 'web'"), 1, "{:#?}", world.log);
    assert_eq!((world.monitor(0), world.monitor(1)), (Monitor::On, Monitor::On));
}

#[test]
fn a_dependant_that_is_not_watched_waits_for_its_start_untouched() {
    let mut world = waits_for_its_start(false);
    world.settle();
    world.run_until(world.now.plus(MINUTE * 2));
    assert_eq!((world.reals[1].stops, world.starts()[1], world.monitor(1)), (0, 1, Monitor::On), "{:#?}", world.log);
    assert_eq!((world.reals[0].stops, world.alive()), (1, vec![true; 2]));
}

#[test]
fn what_depends_on_a_dependant_whose_start_waits_goes_down_before_that_and_comes_back() {
    let mut world = World::new(vec![service("db", &[]), service("web", &[0]), service("leaf", &[1])]);
    world.minute();
    world.minute();
    world.log.clear();
    world.reals[0].process = None;
    for (command, place) in [(Command::Start, 0), (Command::Start, 1), (Command::Restart, 0)] {
        world.engine.command(command, &[ServiceId(place)], world.now);
    }
    world.settle();
    world.run_until(world.now.plus(MINUTE * 2));
    let stops: Vec<&str> = runs(&world).into_iter().filter(|line| line.contains("stop")).collect();
    assert_eq!(stops, ["leaf", "web", "db"].map(|name| format!("'{name}' stop: '/bin/stop'")), "{:#?}", world.log);
    assert_eq!(world.alive(), [true; 3]);
    assert!((0..3).all(|place| world.monitor(place) != Monitor::Off));
}

#[test]
fn a_restart_of_what_waits_alive_for_its_start_is_not_forgotten() {
    let mut world = World::new(vec![service("db", &[]), service("web", &[0])]);
    world.minute();
    world.minute();
    world.reals[0].process = None;
    world.command(Command::Start, &[0]);
    world.command(Command::Start, &[1]);
    world.command(Command::Restart, &[1]);
    world.minute();
    assert_eq!((world.reals[1].stops, world.alive()), (1, vec![true; 2]), "{:#?}", world.log);
}

#[test]
fn who_was_taken_along_and_lives_goes_down_first_the_next_time_too() {
    let services = vec![service("db", &[]), service("web", &[0])];
    let mut world = World::new(services.clone());
    world.minute();
    world.minute();
    // The web goes down with the database, and is to be left alone then; the daemon dies, and its stop program as well.
    world.command(Command::Restart, &[0]);
    world.leave_alone(&[1], Duration::from_secs(5));
    world.reals[1].program = None;
    restart_daemon(&mut world, &services);
    world.run_until(world.now.plus(Duration::from_secs(6)));
    assert_eq!((world.alive(), world.monitor(1)), (vec![true; 2], Monitor::Init), "{:#?}", world.log);
    world.log.clear();
    world.command(Command::Restart, &[0]);
    world.run_until(world.now.plus(MINUTE));
    let order =
        ["'web' stop: '/bin/stop'", "'db' stop: '/bin/stop'", "'db' start: '/bin/start'", "'web' start: '/bin/start'"];
    assert_eq!((runs(&world), world.alive()), (order.to_vec(), vec![true; 2]), "{:#?}", world.log);
}

#[test]
fn all_of_many_layers_of_services_are_watched_at_once_and_no_longer_at_once() {
    let layers = (0..80_usize).map(|n| service(&format!("s{n}"), &(n.saturating_sub(4)..n).collect::<Vec<_>>()));
    let mut world = World::new(layers.collect());
    world.command(Command::Unmonitor, &[0]);
    world.command(Command::Monitor, &[79]);
    assert!((0..80).all(|place| world.monitor(place) == Monitor::Init));
    for _ in 0..2 {
        world.leave_alone(&[0], MINUTE);
    }
    assert!((0..80).all(|place| world.monitor(place) == Monitor::Off));
}

#[test]
fn a_file_whose_stop_failed_is_stopped_the_next_time_before_what_it_depends_on() {
    let mut file = owed::file(Action::Alert);
    file.depends = vec![ServiceId(0)];
    let mut world = World::new(vec![service("db", &[]), file]);
    owed::appear(&mut world, 1);
    world.minute();
    world.minute();
    world.reals[1].takes = MINUTE * 9;
    world.command(Command::Stop, &[0]);
    world.minute();
    assert_eq!(
        (world.alive()[0], world.said("could not stop required services: 'file'")),
        (true, 1),
        "{:#?}",
        world.log
    );
    (world.reals[1].takes, world.reals[1].stops) = (Duration::from_secs(1), 0);
    world.command(Command::Stop, &[0]);
    world.minute();
    assert_eq!((world.reals[1].stops, world.alive()[0]), (1, false), "{:#?}", world.log);
}

#[test]
fn what_is_stopped_is_known_although_no_cycle_has_seen_it() {
    let mut world = World::new(vec![service("puma", &[])]);
    world.reals[0].process = Pid::new(77);
    world.command(Command::Restart, &[0]);
    assert!(world.reals[0].program.as_ref().is_some_and(|program| program.purpose == Purpose::Stop));
    assert_eq!(world.engine.known(ServiceId(0)).map(|known| known.pid.get()), Some(77), "it is waited for");
    world.minute();
    assert_eq!((world.reals[0].stops, world.starts()), (1, vec![1]));
}
