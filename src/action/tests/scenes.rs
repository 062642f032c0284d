//! Scenes written out.

use super::*;
use crate::event::ledger::Saved;

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
    assert!(world.engine.due(ServiceId(0), world.now, world.clock()));
    let unknown = Observation::presence_of(Presence::Unknown("too many open files".to_owned()));
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
    engine.restore(&saved, Past::Recent);
    engine.adopted(ServiceId(0), Purpose::Start, world.now);
    world.engine = engine;
    world.cycle();
    assert_eq!(world.starts(), [1]);
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![true], vec![1]));
}

#[test]
fn what_is_coming_up_is_not_started_again_by_the_next_daemon() {
    let mut world = World::new(vec![service("x", &[])]);
    world.reals[0].slow = Duration::from_secs(20);
    world.cycle();
    world.run_until(world.now.plus(Duration::from_secs(5)));
    assert!(world.reals[0].program.is_none() && world.reals[0].appears.is_some());
    restart_daemon(&mut world, &[service("x", &[])]);
    for _ in 0..4 {
        world.cycle();
        world.run_until(world.now.plus(Duration::from_secs(10)));
    }
    assert_eq!((world.alive(), world.starts()), (vec![true], vec![1]));
}

#[test]
fn the_next_daemon_goes_on_with_a_stop_and_a_queued_command() {
    let mut world = chain();
    world.command(Command::Stop, &[1]);
    let services = world.engine.config().services.clone();
    restart_daemon(&mut world, &services);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.alive(), [true, false, true, false]);
    assert_eq!(world.starts(), [1, 1, 1, 1]);
    assert_eq!(world.monitor(1), Monitor::Off);

    let mut world = World::new(vec![service("x", &[])]);
    world.cycle();
    world.command(Command::Stop, &[0]);
    restart_daemon(&mut world, &[service("x", &[])]);
    world.minute();
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![false], vec![1]));
}

#[test]
fn a_service_that_its_limit_restarts_is_not_judged_in_that_cycle() {
    let mut limited = service("x", &[]);
    limited.restart_limits = vec![RestartLimit { restarts: 1, cycles: 5, action: Action::Restart }];
    let mut world = World::new(vec![limited.clone()]);
    world.minute();
    assert_eq!(world.starts(), [1]);
    // What the rules would say ends the watching: what nobody watches must not be touched.
    limited.rules[0].failure.action = Action::Unmonitor;
    world.engine.reconfigure(config(vec![limited]));
    world.reals[0].process = None;
    world.minute();
    assert_eq!(
        (world.starts(), world.alive(), world.monitor(0)),
        (vec![2], vec![true], Monitor::On),
        "{:#?}",
        world.log
    );
}

#[test]
fn a_limit_may_stop_the_service() {
    let mut limited = service("x", &[]);
    limited.restart_limits = vec![RestartLimit { restarts: 1, cycles: 5, action: Action::Stop }];
    let mut world = World::new(vec![limited]);
    world.reals[0].broken = true;
    world.minute();
    world.minute();
    world.minute();
    assert_eq!((world.monitor(0), world.starts()), (Monitor::Off, vec![1]));
    assert!(!world.engine.is_busy());
}

#[test]
fn a_renamed_service_keeps_what_is_being_done_to_it() {
    let mut world = World::new(vec![service("old", &[])]);
    world.cycle();
    let mut new = service("old", &[]);
    new.name = "new".to_owned();
    let renamed = world.engine.reconfigure(config(vec![new]));
    assert_eq!(renamed, [("old".to_owned(), "new".to_owned())]);
    world.minute();
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![true], vec![1]));
}

#[test]
fn a_reload_that_removes_what_was_waited_for_lets_go() {
    let mut world = World::new(vec![service("p", &[]), service("c", &[0])]);
    world.reals[0].takes = Duration::from_secs(20);
    world.command(Command::Start, &[1]);
    world.engine.reconfigure(config(vec![service("c", &[])]));
    world.reals.swap_remove(0);
    world.engine.tick(world.now);
    world.minute();
    assert_eq!(world.alive(), [true]);
}

#[test]
fn a_service_added_by_a_reload_obeys_onreboot_nostart() {
    let mut world = World::new(vec![service("a", &[])]);
    let mut lazy = service("b", &[]);
    lazy.onreboot = OnReboot::NoStart;
    world.engine.reconfigure(config(vec![service("a", &[]), lazy]));
    world.reals.push(Real::default());
    world.minute();
    assert_eq!(world.starts(), [1, 0]);
}

#[test]
fn the_system_is_up_when_it_is_watched() {
    let mut system = service("host", &[]);
    system.kind = Kind::System;
    (system.start, system.stop) = (None, None);
    let mut world = World::new(vec![system, service("x", &[0])]);
    world.command(Command::Restart, &[0, 1]);
    world.minute();
    assert_eq!((world.starts(), world.said("failed")), (vec![0, 1], 0));
    assert_eq!(world.said("'host' restart action done"), 1);
    world.command(Command::Stop, &[0]);
    world.minute();
    assert_eq!((world.monitor(0), world.alive()[1]), (Monitor::Off, false), "its dependant stops before it");
}

#[test]
fn a_users_stop_is_not_undone_by_those_who_wait() {
    // Its child waits for it to come up.
    let mut world = World::new(vec![service("p", &[]), service("c", &[0])]);
    world.reals[0].takes = Duration::from_secs(20);
    world.command(Command::Start, &[1]);
    world.run_until(world.now.plus(Duration::from_secs(5)));
    world.command(Command::Stop, &[0]);
    world.run_until(world.now.plus(MINUTE));
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![false, false], vec![1, 0]));

    // Its parent is being restarted and would bring it back.
    let mut world = chain();
    world.command(Command::Restart, &[0]);
    world.command(Command::Stop, &[1]);
    world.run_until(world.now.plus(MINUTE));
    world.minute();
    assert_eq!(world.alive(), [true, false, true, false]);
}

#[test]
fn a_grandchild_comes_back_although_the_child_was_late() {
    let mut world = World::new(vec![service("p", &[]), service("c", &[0]), service("g", &[1])]);
    world.minute();
    world.minute();
    world.command(Command::Restart, &[0]);
    world.reals[1].broken = true;
    world.run_until(world.now.plus(MINUTE));
    world.reals[1].broken = false;
    for _ in 0..4 {
        world.minute();
    }
    assert_eq!(world.alive(), [true; 3]);
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
    let monitored = |past| {
        let mut engine = Engine::new(config(services()), false);
        engine.restore(&saved, past);
        [0, 1, 2].map(|place| engine.ledger(ServiceId(place)).monitor != Monitor::Off)
    };
    assert_eq!(monitored(Past::Recent), [false, true, false]);
    assert_eq!(monitored(Past::Earlier), [false, true, false]);
    assert_eq!(monitored(Past::OtherBoot), [true, false, false]);
    let mut engine = Engine::new(config(services()), false);
    engine.restore(&HashMap::new(), Past::Recent);
    let unknown = [0, 1, 2].map(|place| engine.ledger(ServiceId(place)).monitor != Monitor::Off);
    assert_eq!(unknown, [true, false, true], "of whom no file tells anything");
}

#[test]
fn a_recovery_names_what_was_run() {
    let mut world = World::new(vec![service("x", &[])]);
    world.reals[0].broken = true;
    world.minute();
    world.reals[0].broken = false;
    world.minute();
    assert_eq!((world.said("'x' started"), world.said("'x' restarted")), (1, 0), "{:#?}", world.log);
}

#[test]
fn a_dependant_that_waits_for_its_parent_is_not_called_well() {
    let mut world = chain();
    world.reals[0].process = None;
    world.reals[0].broken = true;
    world.minute();
    assert_eq!(world.alive(), [false, false, true, false]);
    assert_eq!([1, 3].map(|place| world.monitor(place)), [Monitor::Init; 2]);
}

#[test]
fn a_process_that_goes_late_after_a_stop_is_not_revived() {
    for by_user in [true, false] {
        let mut world = World::new(vec![service("x", &[])]);
        world.minute();
        world.reals[0].broken = true;
        if by_user {
            world.command(Command::Stop, &[0]);
        } else {
            world.engine.request(ServiceId(0), Goal::Stop, Cause::Rule);
            world.engine.tick(world.now);
            world.settle();
        }
        world.minute();
        assert_eq!((world.said("'x' failed to stop"), world.monitor(0)), (1, Monitor::Off));
        assert_eq!(world.said("'x' stop action failed"), usize::from(by_user));
        world.reals[0].process = None;
        world.minute();
        assert_eq!(world.starts(), [1]);
    }
}

#[test]
fn a_stop_of_many_tells_one_end_for_each_chain_but_every_failure() {
    let mut world = chain();
    world.command(Command::Stop, &[0, 1, 2, 3]);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.alive(), [false; 4]);
    assert_eq!(world.said("stop on user request"), 4);
    let done: Vec<_> = world.log.iter().filter(|line| line.contains("stop action done")).collect();
    assert_eq!(done, ["'cache' stop action done", "'db' stop action done"]);
    world.command(Command::Start, &[0]);
    world.minute();
    assert_eq!(world.alive(), [true, false, false, false], "each was asked to stop");
}

#[test]
fn a_restart_clears_the_windows_of_its_service() {
    let mut slow = service("x", &[]);
    slow.rules[0].failure.rate = Rate { count: 3, window: 3 };
    let mut world = World::new(vec![slow]);
    world.reals[0].broken = true;
    let starts: Vec<_> = (0..9)
        .map(|_| {
            world.minute();
            world.starts()[0]
        })
        .collect();
    assert_eq!(starts, [0, 0, 1, 1, 1, 2, 2, 2, 3], "three cycles each time");
    assert_eq!(world.said("process is not running"), 9);
}

#[test]
fn of_the_actions_of_one_cycle_the_highest_is_taken_and_every_exec_runs() {
    use Action::*;
    let exec = || Exec(crate::config::Exec { program: program("tell", 5).unwrap(), repeat: None });
    let taken = |actions: Vec<Action>| {
        let mut ruled = service("x", &[]);
        let rule = ruled.rules[0].clone();
        ruled.rules = actions
            .into_iter()
            .map(|action| Rule { failure: Reaction { action, ..rule.failure.clone() }, ..rule.clone() })
            .collect();
        let mut world = World::new(vec![ruled]);
        assert!(world.engine.due(ServiceId(0), world.now, world.clock()));
        let gone = Observation::presence_of(Presence::Gone(GoneReason::NoMatch));
        world.engine.observed(ServiceId(0), &gone, world.now, world.wall());
        let pending = world.engine.pending(ServiceId(0));
        let mut execs = 0;
        while let Some(effect) = world.engine.next_effect() {
            execs += u32::from(matches!(effect, Effect::Exec { .. }));
        }
        (pending, world.monitor(0) != Monitor::Off, execs)
    };
    let hour = UnmonitorFor(Duration::from_secs(3600));
    assert_eq!(taken(vec![exec(), Start, Alert, exec()]), (Some(Goal::Start), true, 2));
    assert_eq!(taken(vec![Restart, Start, exec()]), (Some(Goal::Restart), true, 1));
    assert_eq!(taken(vec![Start, Restart]), (Some(Goal::Restart), true, 0));
    assert_eq!(taken(vec![Unmonitor, Restart, exec()]), (None, false, 1));
    assert_eq!(taken(vec![Restart, hour.clone()]), (None, false, 0));
    assert_eq!(taken(vec![Start, Stop, Unmonitor, Restart]), (Some(Goal::Stop), true, 0));
    assert_eq!(taken(vec![Alert, Ignore]), (None, true, 0));

    let mut both = service("x", &[]);
    let rule = |action| Rule { failure: Reaction { rate: Rate::ONCE, action }, ..both.rules[0].clone() };
    both.rules = vec![rule(hour), rule(Unmonitor)];
    let mut world = World::new(vec![both]);
    world.minute();
    world.run_until(world.now.plus(MINUTE * 100));
    assert_eq!(world.monitor(0), Monitor::Off, "for ever beats for a while");
}

#[test]
fn what_happens_is_kept_as_events() {
    let mut world = World::new(vec![service("x", &[])]);
    world.reals[0].broken = true;
    for _ in 0..3 {
        world.minute();
    }
    world.reals[0].broken = false;
    world.command(Command::Start, &[0]);
    world.minute();
    let events: Vec<_> = world.engine.ledger(ServiceId(0)).recent.iter().cloned().collect();
    use crate::base::event::EventState;
    use EventKind::*;
    let said: Vec<_> = events.iter().rev().map(|event| (event.kind, event.state)).collect();
    assert_eq!(
        said,
        [
            (NonExist, EventState::Failed),
            (Exec, EventState::Failed),
            (Exec, EventState::Succeeded),
            (Action, EventState::Changed),
            (NonExist, EventState::Succeeded)
        ],
        "each once"
    );
    assert_eq!(events[0].text, "process is running with pid 100");
    assert!(events.windows(2).all(|pair| pair[0].at >= pair[1].at));
}

/// A file with programs that make it and take it away, and a process that needs it.
fn file_and_process() -> World {
    let mut file = service("file", &[]);
    file.kind = Kind::File(PathBuf::from("/f"));
    let mut world = World::new(vec![file, service("x", &[0])]);
    world.minute();
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![true, true], vec![1, 1]));
    world.log.clear();
    world
}

#[test]
fn what_is_no_process_is_started_and_stopped_by_its_programs() {
    let mut world = file_and_process();
    world.reals[0].process = None;
    world.minute();
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![true, true], vec![2, 2]));
    let order: Vec<_> = world.log.iter().filter(|line| line.contains(": '/bin/")).collect();
    let expected = ["'x' stop", "'file' stop", "'file' start", "'x' start"];
    assert!(order.iter().zip(expected).all(|(line, begin)| line.starts_with(begin)), "{order:?}");

    world.command(Command::Stop, &[0]);
    world.minute();
    world.minute();
    assert_eq!((world.alive(), world.said("'file' stop action done")), (vec![false, false], 1));
    world.command(Command::Start, &[1]);
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![true, true], vec![3, 3]));
}

#[test]
fn of_what_is_no_process_only_the_time_of_its_programs_counts() {
    let mut world = file_and_process();
    // A program that fails in time has done what it can: the next look tells.
    world.reals[0].process = None;
    world.reals[0].broken = true;
    world.cycle();
    world.run_until(world.now.plus(Duration::from_secs(5)));
    assert_eq!(world.said("failed to start"), 0);
    world.minute();
    assert_eq!(world.starts(), [3, 1], "restarted in each cycle, and nobody on top of what is not there");
    assert!(!world.alive()[1]);

    world.reals[0].takes = MINUTE * 3;
    world.minute();
    world.minute();
    assert_eq!(world.said("'file' failed to stop (exit status -1) -- Program '/bin/stop' timed out after 30 s"), 2);
    world.engine.reconfigure({
        let mut services = world.engine.config().services.clone();
        services[0].stop = None;
        config(services)
    });
    let starts = world.starts()[0];
    for _ in 0..3 {
        world.minute();
    }
    assert_eq!(world.starts()[0], starts + 1, "no second program beside one past its timeout");
    assert_eq!(world.said("'file' failed to start (exit status -1) -- Program '/bin/start' timed out after 30 s"), 1);
}

#[test]
fn while_the_machine_boots_rules_start_nothing_and_look_all_the_same() {
    let mut limited = service("x", &[]);
    limited.restart_limits = vec![RestartLimit { restarts: 2, cycles: 9, action: Action::Unmonitor }];
    let mut world = World::new(vec![limited, service("mine", &[])]);
    world.engine.hold_starts(true);
    for _ in 0..3 {
        world.minute();
    }
    assert_eq!((world.starts(), world.said("'x' process is not running")), (vec![0, 0], 3));
    // Whom a user asks for is started.
    world.command(Command::Start, &[1]);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.starts(), [0, 1]);
    world.engine.hold_starts(false);
    world.minute();
    assert_eq!((world.alive(), world.starts()), (vec![true; 2], vec![1, 1]));
    assert_eq!(world.engine.ledger(ServiceId(0)).restarts, 1, "what did not happen is not counted");
}

#[test]
fn a_late_start_tells_no_recovery_of_a_failure_that_was_never_told() {
    let exec = |word| Action::Exec(Exec { program: program(word, 30).unwrap(), repeat: None });
    let mut slow = service("x", &[]);
    slow.rules.push(Rule {
        test: Test::NotExist,
        failure: Reaction { rate: Rate { count: 2, window: 2 }, action: exec("failed") },
        recovery: Reaction { rate: Rate::ONCE, action: exec("recovered") },
    });
    let mut world = World::new(vec![slow]);
    // Past its timeout, and there in the end before a second look found it missing.
    world.reals[0].takes = Duration::from_secs(40);
    world.cycle();
    world.run_until(world.now.plus(Duration::from_secs(50)));
    world.cycle();
    assert_eq!(world.alive(), [true]);
    assert!(!world.engine.ledger(ServiceId(0)).rules[1].is_open());
    assert_eq!(world.said("process is running with pid"), 1, "of the rule that had failed alone: {:#?}", world.log);
}

#[test]
fn a_dependant_whose_stop_failed_is_stopped_the_next_time() {
    let mut world = chain();
    world.reals[1].broken = true;
    world.command(Command::Restart, &[0]);
    world.run_until(world.now.plus(MINUTE * 2));
    assert_eq!(world.said("could not stop required services: 'web'"), 1);
    assert!(world.alive()[1]);
    world.reals[1].broken = false;
    world.log.clear();
    world.command(Command::Stop, &[0]);
    world.run_until(world.now.plus(MINUTE));
    let stops: Vec<_> = world.log.iter().filter(|line| line.contains("stop:")).collect();
    assert_eq!(stops.last().map(|line| line.as_str()), Some("'db' stop: '/bin/stop'"), "{:#?}", world.log);
    assert_eq!(world.alive(), [false, false, true, false]);
}

#[test]
fn what_comes_back_touches_nothing_that_is_left_alone() {
    // page depends on web and cache; cache is left alone and dead.
    let mut world = chain();
    world.command(Command::Stop, &[1]);
    world.run_until(world.now.plus(MINUTE));
    world.command(Command::Unmonitor, &[2]);
    world.reals[2].process = None;
    world.command(Command::Start, &[1]);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.alive(), [true, true, false, false]);
    world.command(Command::Start, &[2]);
    world.run_until(world.now.plus(MINUTE));
    assert_eq!(world.alive(), [true; 4], "it comes back with the last of those it needs");
}

#[test]
fn a_start_program_that_ended_while_no_daemon_ran_is_waited_for() {
    let saved = HashMap::from([("x".to_owned(), Saved { monitored: true, ..Saved::default() })]);
    let begun = Mono::from_origin(MINUTE);
    let mut world = World::new(vec![service("x", &[])]);
    world.engine.restore(&saved, Past::Recent);
    world.engine.ended_meanwhile(ServiceId(0), Purpose::Start, begun, world.now);
    world.cycle();
    assert_eq!(world.starts(), [0], "it may be on its way");
    world.run_until(begun.plus(Duration::from_secs(31)));
    world.cycle();
    assert_eq!(world.starts(), [1], "it did not come");
}

#[test]
fn a_start_program_beside_a_stop_is_no_action_of_its_own() {
    let saved = Saved { monitored: true, goal: Some(Purpose::Stop), by_user: true, ..Saved::default() };
    let mut engine = Engine::new(config(vec![service("x", &[])]), false);
    engine.restore(&HashMap::from([("x".to_owned(), saved)]), Past::Recent);
    assert!(!engine.is_settled(ServiceId(0), Purpose::Start));
    engine.adopted(ServiceId(0), Purpose::Stop, Mono::from_origin(MINUTE));
    assert!(engine.is_settled(ServiceId(0), Purpose::Start), "it is only kept from being run again");
}

#[test]
fn a_live_dependant_that_waits_to_be_restarted_is_stopped_before_what_it_needs() {
    let mut web = service("web", &[0]);
    web.restart = program("restart", 30);
    let mut db = service("db", &[]);
    db.rules[0].failure.action = Action::Start;
    let mut world = World::new(vec![db, web]);
    world.minute();
    world.minute();
    assert_eq!(world.alive(), [true, true]);
    // Its parent is gone and is being started, so its restart waits.
    world.reals[0].process = None;
    world.reals[0].takes = Duration::from_secs(20);
    world.cycle();
    world.command(Command::Restart, &[1]);
    world.log.clear();
    world.command(Command::Stop, &[0]);
    world.run_until(world.now.plus(MINUTE * 2));
    assert_eq!(world.alive(), [false, false], "{:#?}", world.log);
    let stops: Vec<_> = world.log.iter().filter(|line| line.contains("stop:")).collect();
    assert_eq!(stops, ["'web' stop: '/bin/stop'", "'db' stop: '/bin/stop'"]);
}
