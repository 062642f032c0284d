//! What the release is for: what dies is revived, once, and nothing waits for anything else.

use std::time::{Duration, Instant};

use crate::harness::{Sandbox, page, process, until};

/// Three services as the user has them, with a page.
fn three() -> (Sandbox, u16) {
    let sandbox = Sandbox::new();
    let port = page::free_port();
    let body = format!("set httpd port {port} and use address 127.0.0.1\n allow 127.0.0.1\n")
        + &sandbox.service("puma")
        + &sandbox.service("sidekiq")
        + &sandbox.service("node");
    sandbox.control(&body);
    (sandbox, port)
}

const ALL: [&str; 3] = ["puma", "sidekiq", "node"];

#[test]
fn any_of_three_that_is_killed_is_started_once_in_the_next_cycle() {
    let (sandbox, _) = three();
    for name in ALL {
        sandbox.bring_up(name);
    }
    sandbox.start();
    sandbox.cycle();
    assert_eq!(sandbox.record().iter().filter(|e| e.verb == "restart").count(), 0, "what lives is not started");
    for name in ALL {
        sandbox.skip_log();
        sandbox.kill_standin(name);
        sandbox.signal("USR1");
        sandbox.await_log("Awakened by User defined signal 1\n");
        sandbox.await_log(&format!(" error    : '{name}' process is not running\n"));
        sandbox.await_log(&format!(" info     : '{name}' trying to restart\n"));
        let start = format!(" info     : '{name}' start: '{}/bin/service {name} restart'\n", sandbox.dir.display());
        sandbox.await_log(&start);
        let running = format!(" info     : '{name}' process is running with pid ");
        sandbox.await_log(&running);
        let pid = sandbox.standin(name);
        assert!(sandbox.log().contains(&format!("{running}{pid}\n")));
        sandbox.cycle();
        sandbox.assert_not_logged("restart");
        assert_eq!(sandbox.begun(name, "restart"), 1);
    }
    sandbox.stop();
    for name in ALL {
        assert!(process::lives(sandbox.standin(name)), "a watchdog that ends restarts and stops nothing");
        assert_eq!(sandbox.begun(name, "restart"), 1);
    }
}

#[test]
fn three_that_die_together_are_started_side_by_side() {
    let (sandbox, _) = three();
    for name in ALL {
        sandbox.shut_gate(name);
    }
    sandbox.start();
    for name in ALL {
        sandbox.await_begun(name, "restart", 1);
    }
    assert_eq!(sandbox.most_at_once(None), 3);
    for name in ALL {
        sandbox.let_go(name, 1);
    }
    sandbox.await_all(&ALL.map(|name| format!("'{name}' process is running with pid")).each_ref().map(String::as_str));
    for name in ALL {
        assert_eq!(sandbox.begun(name, "restart"), 1);
    }
}

/// How long a signal or a question may take while a start program hangs.
const SOON: Duration = Duration::from_secs(1);

#[test]
fn a_start_program_that_hangs_delays_nobody() {
    let (sandbox, port) = three();
    sandbox.bring_up("sidekiq");
    sandbox.bring_up("node");
    sandbox.shut_gate("puma");
    sandbox.start();
    let hanging = sandbox.await_begun("puma", "restart", 1);

    // Another service is revived meanwhile.
    sandbox.kill_standin("node");
    sandbox.signal("USR1");
    sandbox.await_log("'node' process is running with pid");

    // The page and the command line answer.
    let begun = Instant::now();
    let status = page::get(port, "/_status").expect("an answer");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert!(status.contains("'puma'") && status.contains("restart pending"), "{status}");
    let begun = Instant::now();
    let summary = sandbox.cli(&["summary", "-B"]);
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert_eq!(summary.code, Some(0));
    assert!(summary.out.contains("Does not exist - restar..."), "{}", summary.out);

    // A reload acts at once, and does not start it again.
    let begun = Instant::now();
    sandbox.signal("HUP");
    sandbox.await_log(" reloaded\n");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    sandbox.cycle();
    assert_eq!(sandbox.begun("puma", "restart"), 1);

    // So does the end; the start program goes on, and the next daemon knows it.
    let begun = Instant::now();
    sandbox.signal("TERM");
    assert_eq!(sandbox.ended(), Some(0));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    assert!(process::lives(hanging));
    sandbox.start();
    sandbox.await_log("'puma' start program of an earlier daemon still runs");
    sandbox.cycle();
    assert_eq!(sandbox.begun("puma", "restart"), 1);
    sandbox.let_go("puma", 1);
    sandbox.await_log("'puma' process is running with pid");
    assert_eq!(sandbox.begun("puma", "restart"), 1);
}

#[test]
fn a_start_program_past_its_timeout_is_told_of_and_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service("puma").replacen("timeout 60 seconds", "timeout 1 seconds", 1));
    sandbox.shut_gate("puma");
    sandbox.start();
    let hanging = sandbox.await_begun("puma", "restart", 1);
    sandbox.await_log("'puma' failed to start (exit status -1) -- Program '");
    assert!(sandbox.log().contains("timed out after 1 s"));
    assert!(sandbox.log().contains(&format!("(it runs on as pid {hanging} and is left alone)")));

    // As long as it lives there is no second one, however often the service is found dead or a user asks.
    for _ in 0..3 {
        sandbox.cycle();
        sandbox.await_log("'puma' process is not running\n");
    }
    sandbox.cli(&["start", "puma"]);
    sandbox.await_log(&format!("its start program still runs (pid {hanging})"));
    sandbox.cli(&["restart", "puma"]);
    sandbox.cycle();
    assert!(process::lives(hanging));
    assert_eq!(sandbox.begun("puma", "restart"), 1);

    // A daemon that comes after a killed one knows it as well.
    sandbox.kill();
    sandbox.start();
    sandbox.cycle();
    assert!(process::lives(hanging));
    assert_eq!(sandbox.begun("puma", "restart"), 1);

    // When it has ended without bringing the service up, a start can happen again.
    assert!(process::signal(hanging, "KILL"));
    sandbox.remove_gate("puma");
    until("another start", || {
        sandbox.cycle();
        (sandbox.begun("puma", "restart") == 2).then_some(())
    });
    sandbox.await_log("'puma' process is running with pid");
    sandbox.cycle();
    assert_eq!(sandbox.begun("puma", "restart"), 2);
}

#[test]
fn a_late_start_that_succeeds_after_its_timeout_counts() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service("puma").replacen("timeout 60 seconds", "timeout 1 seconds", 1));
    sandbox.shut_gate("puma");
    sandbox.start();
    sandbox.await_log("'puma' failed to start");
    sandbox.let_go("puma", 1);
    sandbox.standin("puma");
    // Told by the start that came late, or by a cycle that was first.
    until("the recovery", || {
        sandbox.cycle();
        sandbox.log().contains("'puma' process is running with pid").then_some(())
    });
    assert_eq!(sandbox.begun("puma", "restart"), 1);
    assert!(sandbox.cli(&["summary", "-B"]).out.contains(" OK "));
}

#[test]
fn cycles_follow_the_clock() {
    let sandbox = Sandbox::new();
    sandbox.control_raw(&(sandbox.head_with_interval(1) + &sandbox.service("puma")));
    let first = sandbox.bring_up("puma");
    sandbox.start();
    process::signal(first, "KILL");
    sandbox.await_log("'puma' process is running with pid");
    let second = sandbox.kill_standin("puma");
    sandbox.await_log("'puma' process is running with pid");
    assert_ne!(second, sandbox.standin("puma"));
}

#[test]
fn a_title_that_changes_does_not_lose_the_process() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service("puma"));
    let pid = sandbox.bring_up("puma");
    sandbox.start();
    sandbox.cycle();
    sandbox.tell("run/puma.ctl", "title something else entirely\n");
    until("the new title", || process::command(pid).contains("something else").then_some(()));
    sandbox.cycle();
    // Also by a daemon that comes later and by a new configuration.
    sandbox.signal("HUP");
    sandbox.await_log(" reloaded\n");
    sandbox.cycle();
    sandbox.kill();
    sandbox.start();
    sandbox.cycle();
    assert!(sandbox.cli(&["status", "puma"]).out.contains(&format!("  {pid}\n")));
    assert_eq!(sandbox.begun("puma", "restart"), 0);
    // A process that comes later is found by its title of the day.
    sandbox.kill_standin("puma");
    sandbox.cycle();
    sandbox.await_log("'puma' process is running with pid");
    assert_eq!(sandbox.begun("puma", "restart"), 1);
}

#[test]
fn where_the_daemon_lands_in_sessions_and_groups_does_not_matter() {
    for mode in ["", "direct", "session", "direct session"] {
        let sandbox = Sandbox::new();
        sandbox.control(&sandbox.service("puma"));
        std::fs::write(sandbox.path("run/puma.mode"), mode).expect("mode");
        sandbox.start();
        sandbox.await_log("'puma' process is running with pid");
        let pid = sandbox.standin("puma");
        sandbox.cycle();
        sandbox.stop();
        assert!(process::lives(pid), "{mode}");
        sandbox.start();
        sandbox.cycle();
        assert_eq!(sandbox.begun("puma", "restart"), 1, "{mode}");
    }
}
