//! Rules, actions and dependencies, through the real thing.

use std::fs;

use crate::harness::{Sandbox, process, until};

/// The records `begin NAME VERB` in their order.
fn order(sandbox: &Sandbox) -> Vec<String> {
    sandbox.record().iter().filter(|e| e.begins).map(|e| format!("{} {}", e.name, e.verb)).collect()
}

/// `db` <- `app` <- `web`, in a control file that names them the other way round.
fn chain() -> Sandbox {
    let sandbox = Sandbox::new();
    let plain = |text: String| text.replace(" restart\" with timeout", " start\" with timeout");
    let body = plain(sandbox.service_with("web", "depends on app"))
        + &plain(sandbox.service_with("app", "depends on db"))
        + &plain(sandbox.service("db"));
    sandbox.control(&body);
    sandbox
}

#[test]
fn what_is_depended_on_starts_first_and_stops_last() {
    let sandbox = chain();
    sandbox.start();
    let up = |sandbox: &Sandbox| {
        until("all three", || {
            let summary = sandbox.cli(&["report", "up"]);
            sandbox.cycle();
            (summary.out.trim() == "4").then_some(())
        });
    };
    up(&sandbox);
    assert_eq!(order(&sandbox), ["db start", "app start", "web start"]);

    assert_eq!(sandbox.cli(&["stop", "db"]).code, Some(0));
    sandbox.await_log("'db' stop action done");
    assert_eq!(order(&sandbox)[3..], ["web stop", "app stop", "db stop"]);
    sandbox.cycle();
    assert_eq!(order(&sandbox).len(), 6, "what was stopped by a user stays stopped, with all that needs it");

    assert_eq!(sandbox.cli(&["start", "web"]).code, Some(0));
    sandbox.await_log("'web' start action done");
    assert_eq!(order(&sandbox)[6..], ["db start", "app start", "web start"]);
    up(&sandbox);

    assert_eq!(sandbox.cli(&["restart", "app"]).code, Some(0));
    sandbox.await_log("'app' restart action done");
    up(&sandbox);
    assert_eq!(order(&sandbox)[9..], ["web stop", "app stop", "app start", "web start"]);
}

#[test]
fn what_dies_takes_its_dependants_along_and_they_come_back() {
    let sandbox = chain();
    sandbox.start();
    let up = || {
        until("all three", || {
            sandbox.cycle();
            (sandbox.cli(&["report", "up"]).out.trim() == "4").then_some(())
        });
    };
    up();
    let before = order(&sandbox).len();
    sandbox.kill_standin("db");
    sandbox.cycle();
    until("web again", || (sandbox.begun("web", "start") == 2).then_some(()));
    up();
    assert_eq!(order(&sandbox)[before..], ["web stop", "app stop", "db start", "app start", "web start"]);
    assert!(sandbox.cli(&["report", "down"]).out.trim() == "0");
}

#[test]
fn nobody_is_started_on_top_of_what_did_not_come_up() {
    let sandbox = chain();
    fs::write(sandbox.path("run/db.fail"), "no disk\n").expect("file");
    let text = fs::read_to_string(sandbox.control_path()).expect("control file");
    sandbox.control_raw(&text.replace("timeout 60 seconds", "timeout 1 seconds"));
    sandbox.start();
    sandbox.await_log("'db' failed to start (exit status 1) -- '");
    assert!(sandbox.log().contains("no disk"));
    assert_eq!(sandbox.cli(&["start", "web"]).code, Some(0));
    sandbox.await_log("could not start required services: 'app'");
    assert_eq!(sandbox.begun("app", "start") + sandbox.begun("web", "start"), 0);
    fs::remove_file(sandbox.path("run/db.fail")).expect("file");
    until("all three", || {
        sandbox.cycle();
        (sandbox.cli(&["report", "up"]).out.trim() == "4").then_some(())
    });
}

#[test]
fn a_restart_limit_ends_the_watching() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service_with("puma", "if 2 restarts within 5 cycles then unmonitor"));
    sandbox.bring_up("puma");
    sandbox.start();
    for count in 1..=2 {
        sandbox.kill_standin("puma");
        sandbox.cycle();
        sandbox.await_log("'puma' process is running with pid");
        assert_eq!(sandbox.begun("puma", "restart"), count);
    }
    sandbox.kill_standin("puma");
    sandbox.cycle();
    sandbox.await_log("'puma' service restarted 2 times within 2 cycles(s) - unmonitor\n");
    sandbox.cycle();
    assert_eq!(sandbox.begun("puma", "restart"), 2);
    assert!(sandbox.cli(&["status", "puma"]).out.contains("Not monitored"));
    // Also after the daemon was killed. A user's monitor begins anew.
    sandbox.kill();
    sandbox.start();
    sandbox.cycle();
    assert_eq!(sandbox.begun("puma", "restart"), 2);
    assert_eq!(sandbox.cli(&["monitor", "puma"]).code, Some(0));
    sandbox.cycle();
    sandbox.await_log("'puma' process is running with pid");
    assert_eq!(sandbox.begun("puma", "restart"), 3);
}

#[test]
fn restarts_are_counted_over_the_daemons_own_restart_and_forgotten_with_their_cycles() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service_with("puma", "if 2 restarts within 3 cycles then unmonitor"));
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.kill_standin("puma");
    sandbox.cycle();
    sandbox.await_log("'puma' process is running with pid");
    // Four cycles later that one is forgotten.
    for _ in 0..4 {
        sandbox.cycle();
    }
    for _ in 0..2 {
        sandbox.kill_standin("puma");
        sandbox.cycle();
        sandbox.await_log("'puma' process is running with pid");
        // What is in the log is in the state file by the end of that turn.
        sandbox.settled();
        sandbox.kill();
        sandbox.start();
    }
    sandbox.await_log("'puma' service restarted 2 times within");
    assert_eq!(sandbox.begun("puma", "restart"), 3);
}

#[test]
fn passive_services_are_watched_and_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service_with("puma", "mode passive"));
    sandbox.start();
    sandbox.await_log("'puma' process is not running\n");
    sandbox.cycle();
    assert_eq!(sandbox.begun("puma", "restart"), 0);
    sandbox.assert_not_logged("trying to restart");
    assert_eq!(sandbox.cli(&["start", "puma"]).code, Some(0));
    sandbox.await_log("'puma' start action done");
    assert_eq!(sandbox.begun("puma", "restart"), 1);
}

#[test]
fn a_schedule_says_when_a_service_is_checked() {
    let sandbox = Sandbox::new();
    let never = sandbox.service_with("never", "every \"0 0 31 feb *\"");
    let always = sandbox.service_with("always", "every \"*/1 0-23 * * sun-sat\"");
    sandbox.control(&(never + &always + &sandbox.service_with("quiet", "not every \"* * * * *\"")));
    sandbox.start();
    sandbox.await_log("'always' process is running with pid");
    sandbox.cycle();
    assert_eq!((sandbox.begun("never", "restart"), sandbox.begun("quiet", "restart")), (0, 0));
    for name in ["never", "quiet"] {
        let told = sandbox.cli(&["status", name]);
        assert!(told.out.contains("Waiting"), "{told:?}");
    }
}

#[test]
fn every_second_cycle_is_every_second_cycle() {
    let sandbox = Sandbox::new();
    sandbox.control(&(sandbox.service_with("puma", "every 2 cycles") + &sandbox.service("node")));
    sandbox.bring_up("puma");
    sandbox.bring_up("node");
    sandbox.start();
    // The first cycle is the start's; the second passes it over.
    sandbox.kill_standin("puma");
    sandbox.kill_standin("node");
    let told = sandbox.cycle();
    sandbox.await_log("'node' process is running with pid");
    sandbox.assert_not_logged("'puma'");
    assert!(told.out.contains("Waiting"), "{told:?}");
    sandbox.cycle();
    sandbox.await_log("'puma' process is running with pid");
    assert_eq!(sandbox.begun("puma", "restart"), 1);
}

#[test]
fn a_reboot_is_seen_and_onreboot_obeyed() {
    let sandbox = Sandbox::new();
    let names = ["plain", "never", "last", "off"];
    let body = sandbox.service("plain")
        + &sandbox.service_with("never", "onreboot nostart")
        + &sandbox.service_with("last", "onreboot laststate")
        + &sandbox.service_with("off", "onreboot laststate");
    sandbox.control(&body);
    for name in names {
        sandbox.bring_up(name);
    }
    sandbox.start();
    sandbox.cycle();
    assert_eq!(sandbox.cli(&["unmonitor", "off"]).code, Some(0));
    assert_eq!(sandbox.cli(&["unmonitor", "plain"]).code, Some(0));
    sandbox.stop();
    // The machine was booted since: everybody is dead, and the file is of another boot.
    for name in names {
        sandbox.kill_standin(name);
    }
    let path = sandbox.path("state/state");
    let text = fs::read_to_string(&path).expect("state");
    let boot = text.lines().find(|line| line.starts_with("boot ")).expect("boot").to_owned();
    fs::write(&path, text.replace(&boot, "boot another")).expect("state");
    sandbox.start();
    sandbox.await_all(&["'plain' process is running with pid", "'last' process is running with pid"]);
    sandbox.cycle();
    for (name, starts) in [("plain", 1), ("never", 0), ("last", 1), ("off", 0)] {
        assert_eq!(sandbox.begun(name, "restart"), starts, "{name}");
    }
    // Without a reboot the last state holds.
    sandbox.stop();
    sandbox.kill_standin("plain");
    sandbox.start();
    sandbox.await_log("'plain' process is running with pid");
    assert_eq!(sandbox.begun("never", "restart"), 0);
}

#[test]
fn an_exec_program_learns_what_happened() {
    let sandbox = Sandbox::new();
    let notify = sandbox.script(
        "notify",
        "#!/bin/sh\nenv | grep ^MONIT_ | sort >@DIR@/run/env.new\nmv @DIR@/run/env.new @DIR@/run/env\n",
    );
    let rule = format!("if does not exist then exec \"{notify} now\" else if succeeded then exec \"{notify} again\"");
    sandbox.control(&sandbox.service_with("puma", &rule));
    let environment = || until("the program", || fs::read_to_string(sandbox.path("run/env")).ok());
    sandbox.start();
    sandbox.await_log(&format!("'puma' exec: '{notify} now'"));
    let text = environment();
    for line in [
        "MONIT_SERVICE=puma",
        "MONIT_EVENT=Does not exist",
        "MONIT_DESCRIPTION=process is not running",
        "MONIT_DATE=",
        "MONIT_HOST=",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    // Once at the change, not in each cycle.
    fs::remove_file(sandbox.path("run/env")).expect("env");
    sandbox.cycle();
    sandbox.cycle();
    sandbox.assert_not_logged("exec: ");
    let pid = sandbox.bring_up("puma");
    sandbox.cycle();
    sandbox.await_log(&format!("'puma' exec: '{notify} again'"));
    let text = environment();
    for known in ["MONIT_PROCESS_MEMORY=", "MONIT_PROCESS_CHILDREN=0\n", "MONIT_PROCESS_CPU_PERCENT="] {
        assert!(text.contains(known), "{known} is not in {text}");
    }
    assert!(text.contains("MONIT_EVENT=Exists\n") && text.contains(&format!("MONIT_PROCESS_PID={pid}\n")), "{text}");
    assert_eq!(sandbox.begun("puma", "restart"), 0, "the rule replaces the one that restarts");
}

#[test]
fn below_its_rate_a_failure_is_a_warning() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service_with("puma", "if does not exist for 2 cycles then restart"));
    sandbox.start();
    sandbox.await_log(" warning  : 'puma' process is not running\n");
    assert_eq!(sandbox.begun("puma", "restart"), 0);
    sandbox.cycle();
    sandbox.await_log(" error    : 'puma' process is not running\n");
    sandbox.await_log("'puma' trying to restart\n");
    sandbox.await_log(" info     : 'puma' process is running with pid");
}

#[test]
fn a_stop_program_that_ignores_its_timeout_is_killed() {
    let sandbox = Sandbox::new();
    sandbox.fifo("run/never");
    let body = sandbox.service("puma");
    let stop = format!("{}/bin/service puma stop\" with timeout 60 seconds", sandbox.dir.display());
    assert!(body.contains(&stop));
    let stubborn = format!("{}/bin/stubborn puma\" with timeout 1 seconds", sandbox.dir.display());
    sandbox.control(&body.replace(&stop, &stubborn));
    let pid = sandbox.bring_up("puma");
    sandbox.start();
    sandbox.cycle();
    assert_eq!(sandbox.cli(&["stop", "puma"]).code, Some(0));
    let program = sandbox.await_begun("puma", "stop", 1);
    sandbox.await_log("'puma' failed to stop (exit status 9) -- ");
    sandbox.await_log("'puma' stop action failed\n");
    assert!(!process::lives(program));
    assert!(process::lives(pid), "only the stop program was killed");
}

#[test]
fn programs_that_cannot_be_executed_say_why() {
    let sandbox = Sandbox::new();
    let dir = sandbox.dir.display().to_string();
    fs::write(sandbox.path("bin/plain"), "#!/bin/sh\n").expect("file");
    sandbox.script("lost", "#!/nonexistent/interpreter\n");
    let mut body = String::new();
    for name in ["missing", "plain", "lost"] {
        let tag = &sandbox.tag;
        body += &format!(
            "check process {name} matching \"nobody-has-this-{tag}\"\n start program \"{dir}/bin/{name}\" timeout 1 seconds\n"
        );
    }
    sandbox.control(&body);
    let tested = sandbox.cli(&["-t"]);
    assert_eq!(tested.code, Some(0), "a program may come later: {tested:?}");
    assert_eq!(tested.err.matches("warning:").count(), 3, "{tested:?}");
    sandbox.start();
    let words = [
        format!(
            "'missing' failed to start (exit status 127) -- '{dir}/bin/missing': pollux: cannot execute {dir}/bin/missing: no such file or directory"
        ),
        format!(
            "'plain' failed to start (exit status 127) -- '{dir}/bin/plain': pollux: cannot execute {dir}/bin/plain: permission denied"
        ),
        format!(
            "'lost' failed to start (exit status 127) -- '{dir}/bin/lost': pollux: cannot execute {dir}/bin/lost: its interpreter /nonexistent/interpreter does not exist"
        ),
    ];
    sandbox.await_all(&words.each_ref().map(String::as_str));
}

#[test]
fn a_refusal_of_rc_subr_is_said_though_its_exit_status_is_0() {
    let sandbox = Sandbox::new();
    let line =
        "Cannot 'restart' puma. Set puma_enable to YES in /etc/rc.conf or use 'onerestart' instead of 'restart'.";
    let service = sandbox.script("refuse", &format!("#!/bin/sh\necho \"{line}\"\nexit 0\n"));
    sandbox.control(&format!(
        "check process puma matching \"nobody-has-this-{}\"\n start program \"{service} puma restart\" timeout 60 seconds\n",
        sandbox.tag
    ));
    sandbox.start();
    // At once, not after the timeout: nothing will come of it.
    sandbox.await_log(&format!("'puma' failed to start -- service(8) did nothing: {line}\n"));
}

#[test]
fn a_failing_start_is_tried_again_in_each_cycle() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service("puma").replacen("timeout 60 seconds", "timeout 1 seconds", 1));
    fs::write(sandbox.path("run/puma.fail"), "the database is missing\n").expect("file");
    sandbox.start();
    for count in 1..=3 {
        sandbox.await_log("'puma' failed to start (exit status 1) -- '");
        assert_eq!(sandbox.begun("puma", "restart"), count);
        sandbox.cycle();
    }
    sandbox.await_log("'puma' failed to start");
    assert!(sandbox.cli(&["status", "puma"]).out.contains("the database is missing"));
    fs::remove_file(sandbox.path("run/puma.fail")).expect("file");
    sandbox.cycle();
    sandbox.await_log("'puma' process is running with pid");
    assert!(!sandbox.cli(&["status", "puma"]).out.contains("last failure"));
}

#[test]
fn a_restart_program_replaces_stop_and_start() {
    let sandbox = Sandbox::new();
    let restart = format!("restart program \"{}/bin/service puma restart\"", sandbox.dir.display());
    let body = sandbox.service_with("puma", &restart).replacen("puma restart\" with", "puma start\" with", 1);
    sandbox.control(&body);
    sandbox.start();
    sandbox.await_log("'puma' restart: '");
    sandbox.await_log("'puma' process is running with pid");
    assert_eq!(sandbox.cli(&["restart", "puma"]).code, Some(0));
    sandbox.await_log("'puma' restart action done");
    assert_eq!(order(&sandbox), ["puma restart", "puma restart"]);
}
