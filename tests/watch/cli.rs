//! The command line: exit codes, words, and who may be started beside whom.

use std::fs;
use std::process::{Command, Stdio};

use crate::harness::{Sandbox, process, until};

/// A daemon that watches two services which live; `lost` does not and cannot be started.
fn running(name: &str) -> Sandbox {
    let sandbox = Sandbox::new().called(name);
    let body = sandbox.service_with("puma", "group web") + &sandbox.service_with("node", "group Web\n group other");
    sandbox.control(&body);
    sandbox.bring_up("puma");
    sandbox.bring_up("node");
    sandbox.start();
    sandbox.cycle();
    sandbox
}

#[test]
fn the_version_is_one_that_tools_of_the_original_understand() {
    for name in ["pollux", "monit"] {
        let sandbox = Sandbox::new().called(name);
        let told = sandbox.call(&["-V"]);
        assert_eq!(told.code, Some(0));
        let first = told.out.lines().next().expect("a line");
        assert!(first.ends_with("compatible with Monit version 5.35.2"), "{first}");
        assert_eq!(sandbox.call(&["--version"]).out, told.out);
        let help = sandbox.call(&["-h"]);
        assert_eq!(help.code, Some(0));
        assert!(help.out.contains("-c, --conf") && help.out.contains("procmatch"), "{}", help.out);
        assert_eq!(sandbox.call(&["--nonsense"]).code, Some(1));
        assert_eq!(sandbox.call(&["dance"]).code, Some(1));
    }
}

#[test]
fn the_syntax_check_speaks_as_the_original_does() {
    for name in ["pollux", "monit"] {
        let sandbox = Sandbox::new().called(name);
        sandbox.control(&sandbox.service("puma"));
        let told = sandbox.cli(&["-t"]);
        assert_eq!((told.code, told.out.as_str(), told.err.as_str()), (Some(0), "Control file syntax OK\n", ""));
        sandbox.control("check nonsense\n");
        let told = sandbox.cli(&["-t"]);
        assert_eq!((told.code, told.out.as_str()), (Some(1), ""));
        assert!(told.err.contains("monitrc:6:"), "{told:?}");
        assert!(told.err.ends_with(&format!("{name} exiting due to parsing errors in the configuration file.\n")));
    }
}

#[test]
fn options_stand_anywhere_and_the_last_of_a_kind_counts() {
    let sandbox = running("pollux");
    let control = sandbox.control_path().display().to_string();
    let plain = sandbox.call(&["-c", &control, "-B", "summary"]);
    assert_eq!(plain.code, Some(0));
    let arrangements: [&[&str]; 6] = [
        &["summary", "-B", "-c", &control],
        &["-B", "summary", "-c", &control],
        &["-c", "/nonexistent", "-c", &control, "summary", "-B"],
        &["--conf", &control, "--batch", "summary"],
        &["--conf", &control, "--bat", "summary"],
        &["-Bc", &control, "summary"],
    ];
    for arguments in arrangements {
        let told = sandbox.call(arguments);
        assert_eq!((told.code, &told.out), (plain.code, &plain.out), "{arguments:?}");
    }
    let equals = format!("--conf={control}");
    assert_eq!(sandbox.call(&[&equals, "summary"]).code, Some(0));
}

#[test]
fn services_are_named_one_by_one_by_group_or_all() {
    let sandbox = running("pollux");
    for arguments in [&["status", "puma"][..], &["summary", "PUMA"], &["status", "puma", "node"], &["summary"]] {
        assert_eq!(sandbox.cli(arguments).code, Some(0), "{arguments:?}");
    }
    let web = sandbox.cli(&["-g", "web", "summary"]).out;
    assert!(web.contains("puma") && web.contains("node"), "{web}");
    let other = sandbox.cli(&["summary", "-g", "OTHER"]).out;
    assert!(!other.contains("puma") && other.contains("node"), "{other}");
    for verb in ["status", "summary", "start", "stop", "restart", "monitor", "unmonitor"] {
        let told = sandbox.cli(&[verb, "nobody"]);
        assert_eq!(told.code, Some(1), "{verb}");
        assert!(told.err.contains("nobody"), "{told:?}");
    }
    assert_eq!(sandbox.cli(&["-g", "nobodies", "stop"]).code, Some(1));
    assert_eq!(sandbox.cli(&["stop"]).code, Some(1), "nobody means all by accident");
    assert_eq!(sandbox.record().iter().filter(|e| e.verb == "stop").count(), 0);

    assert_eq!(sandbox.cli(&["-g", "other", "unmonitor"]).code, Some(0));
    assert!(sandbox.cli(&["report", "unmonitored"]).out.trim() == "1");
    assert_eq!(sandbox.cli(&["monitor", "all"]).code, Some(0));
    sandbox.cycle();
    assert_eq!(sandbox.cli(&["report", "up"]).out.trim(), "3");
    assert_eq!(sandbox.cli(&["report", "nonsense"]).code, Some(1));
}

#[test]
fn stop_and_start_do_what_they_say() {
    for name in ["pollux", "monit"] {
        let sandbox = running(name);
        let pid = sandbox.standin("puma");
        assert_eq!(sandbox.cli(&["stop", "puma"]).code, Some(0));
        sandbox.await_log("'puma' stop on user request\n");
        sandbox.await_log("'puma' stop: '");
        sandbox.await_log("'puma' stop action done\n");
        assert!(!process::lives(pid));
        sandbox.cycle();
        sandbox.cycle();
        assert_eq!(sandbox.begun("puma", "restart"), 0, "what was stopped stays stopped");
        assert_eq!(sandbox.cli(&["start", "puma"]).code, Some(0));
        sandbox.await_log("'puma' start on user request\n");
        sandbox.await_log("'puma' start: '");
        sandbox.await_log("'puma' start action done\n");
        let second = sandbox.standin("puma");
        assert_eq!(sandbox.cli(&["restart", "puma"]).code, Some(0));
        sandbox.await_log("'puma' restart on user request\n");
        sandbox.await_log("'puma' restart action done\n");
        assert_ne!(sandbox.standin("puma"), second);
        assert_eq!(sandbox.begun("puma", "stop"), 2);
        assert_eq!(sandbox.begun("puma", "restart"), 2);
    }
}

#[test]
fn validate_is_truthful_for_pollux_and_as_ever_for_monit() {
    let sandbox = running("pollux");
    assert_eq!(sandbox.cli(&["validate"]).code, Some(0));
    fs::write(sandbox.path("run/puma.fail"), "no\n").expect("file");
    sandbox.kill_standin("puma");
    let told = sandbox.cli(&["validate"]);
    assert_eq!(told.code, Some(1));
    assert!(told.out.contains("Does not exist"), "{told:?}");
    let sandbox = running("monit");
    assert_eq!(sandbox.cli(&["validate"]).code, Some(1));
}

#[test]
fn without_a_daemon_questions_are_answered_with_its_absence() {
    let sandbox = Sandbox::new().called("pollux");
    sandbox.control(&sandbox.service("puma"));
    for verb in ["status", "summary", "report", "reload", "quit"] {
        let told = sandbox.cli(&[verb]);
        assert_eq!(told.code, Some(1), "{verb}");
        assert!(told.err.contains("no daemon runs with the control file"), "{told:?}");
    }
    let sandbox = Sandbox::new().called("monit");
    sandbox.control(&sandbox.service("puma"));
    for verb in ["status", "summary"] {
        let told = sandbox.cli(&[verb]);
        assert_eq!((told.code, told.err.as_str()), (Some(1), "Monit: the monit daemon is not running\n"), "{verb}");
    }
    for verb in ["quit", "reload"] {
        let told = sandbox.cli(&[verb]);
        assert_eq!(told.code, Some(0), "{verb}");
        assert!(told.out.ends_with("Monit daemon is not running\n"), "{told:?}");
    }
}

#[test]
fn without_a_daemon_validate_is_one_pass() {
    for (name, code) in [("pollux", 0), ("monit", 1)] {
        let sandbox = Sandbox::new().called(name);
        sandbox.control(&sandbox.service("puma"));
        assert_eq!(sandbox.cli(&["validate"]).code, Some(code));
        assert_eq!(sandbox.begun("puma", "restart"), 1);
        assert_eq!(sandbox.cli(&["validate"]).code, Some(code));
        assert_eq!(sandbox.begun("puma", "restart"), 1);
    }
}

#[test]
fn one_pass_looks_at_what_depends_on_a_check_program() {
    let sandbox = Sandbox::new();
    let script = sandbox.script("net", "#!/bin/sh\nexit 0\n");
    let checks = format!("check program net with path \"{script}\" if status != 0 then alert\n");
    let failing = format!("check program down with path \"{script} 1\" if status = 0 then alert\n");
    let puma = sandbox.service_with("puma", "depends on net");
    sandbox.control(&(checks + &failing + &puma + &sandbox.service_with("other", "depends on down")));
    assert_eq!(sandbox.cli(&["validate"]).code, Some(1));
    assert_eq!((sandbox.begun("puma", "restart"), sandbox.begun("other", "restart")), (1, 0));
}

#[test]
fn without_a_daemon_nothing_listens() {
    let sandbox = Sandbox::new();
    // The port is taken, which would refuse a daemon.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its number").port();
    let httpd = format!("set httpd port {port} and use address 127.0.0.1\n allow 127.0.0.1\n");
    sandbox.control(&(httpd + &sandbox.service("puma")));
    assert_eq!(sandbox.cli(&["start", "puma"]).code, Some(0));
    assert_eq!(sandbox.begun("puma", "restart"), 1);
}

#[test]
fn without_a_daemon_a_service_is_started_once() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service("puma"));
    let told = sandbox.cli(&["start", "puma"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let pid = sandbox.standin("puma");
    assert_eq!(sandbox.begun("puma", "restart"), 1);
    assert!(!sandbox.path("state/pid").exists());
    // It lives: nothing to do. Then it is stopped.
    assert_eq!(sandbox.cli(&["start", "puma"]).code, Some(0));
    assert_eq!(sandbox.begun("puma", "restart"), 1);
    assert_eq!(sandbox.cli(&["stop", "puma"]).code, Some(0));
    assert!(!process::lives(pid));
    // A daemon that comes later keeps to that.
    sandbox.start();
    sandbox.cycle();
    assert_eq!(sandbox.begun("puma", "restart"), 1);
    sandbox.stop();
    let told = sandbox.cli(&["start", "nobody"]);
    assert_eq!(told.code, Some(1));
    fs::write(sandbox.path("run/puma.fail"), "the database is missing\n").expect("file");
    sandbox.control(&sandbox.service("puma").replacen("timeout 60 seconds", "timeout 1 seconds", 1));
    let told = sandbox.cli(&["start", "puma"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.err.contains("the database is missing"), "{told:?}");
}

#[test]
fn without_a_poll_time_one_pass_is_made() {
    let sandbox = Sandbox::new();
    let head = sandbox.head().lines().filter(|line| !line.contains("daemon")).collect::<Vec<_>>().join("\n");
    sandbox.control_raw(&format!("{head}\n{}", sandbox.service("puma")));
    let told = sandbox.cli(&[]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(sandbox.begun("puma", "restart"), 1);
    assert!(process::lives(sandbox.standin("puma")));
    assert_eq!(sandbox.cli(&[]).code, Some(0));
    assert_eq!(sandbox.begun("puma", "restart"), 1);
}

#[test]
fn without_a_daemon_a_command_tells_of_what_it_was_asked_for_alone() {
    let sandbox = Sandbox::new();
    let broken =
        "check process broken matching \"none such @DIR@\"\n start program = \"/bin/false\" with timeout 1 second\n";
    sandbox.control(&(sandbox.service("puma") + broken));
    // From now on it is remembered that one of them is down.
    assert_eq!(sandbox.cli(&["validate"]).code, Some(1));
    for (command, name, code) in
        [("start", "broken", 1), ("start", "puma", 0), ("restart", "puma", 0), ("stop", "puma", 0), ("start", "all", 1)]
    {
        let told = sandbox.cli(&[command, name]);
        assert_eq!(told.code, Some(code), "{command} {name}: {told:?}");
    }
    assert!(process::lives(sandbox.standin("puma")));
}

#[test]
fn quit_works_though_the_control_file_is_broken() {
    for name in ["pollux", "monit"] {
        let sandbox = running(name);
        let pid = sandbox.pid();
        sandbox.control("check nonsense\n");
        let told = sandbox.cli(&["quit"]);
        assert_eq!(told.code, Some(0), "{told:?}");
        let word =
            if name == "monit" { "Monit daemon with pid [@] killed\n" } else { "pollux daemon with pid [@] stopped\n" };
        assert_eq!(told.out, word.replace('@', &pid.to_string()));
        assert_eq!(sandbox.ended(), Some(0));
        assert!(!sandbox.path("state/pid").exists());
        assert!(process::lives(sandbox.standin("puma")), "services run on");
    }
}

#[test]
fn a_second_daemon_is_refused_in_the_foreground_and_wakes_the_first_in_the_background() {
    let sandbox = running("pollux");
    sandbox.skip_log();
    let told = sandbox.cli(&["-I"]);
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains(&format!("another daemon (pid {})", sandbox.pid())), "{told:?}");
    sandbox.assert_not_logged("Awakened");
    let told = sandbox.cli(&[]);
    assert_eq!(told.code, Some(0));
    assert_eq!(told.out, format!("pollux daemon with PID {} awakened\n", sandbox.pid()));
    sandbox.await_log("Awakened");
    // The same pidfile under another control file: it is not that one's daemon, so it is not woken.
    let other = sandbox.path("other");
    fs::copy(sandbox.control_path(), &other).expect("copy");
    let told = sandbox.call(&["-c", other.to_str().expect("path")]);
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains("its own 'set pidfile'"), "{told:?}");
    sandbox.assert_not_logged("Awakened");
    // Another pidfile under the same control file: the state would be shared, and without that the socket.
    let (pidfile, statefile) = (sandbox.path("state/pid2"), sandbox.path("state/state2"));
    let pidfile = pidfile.to_str().expect("path");
    let told = sandbox.cli(&["-I", "-p", pidfile]);
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains("another daemon keeps its state in"), "{told:?}");
    let told = sandbox.cli(&["-I", "-p", pidfile, "-s", statefile.to_str().expect("path")]);
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains("another daemon runs with the control file"), "{told:?}");
    sandbox.cycle();
}

#[test]
fn a_live_monit_that_holds_the_pidfile_is_not_joined() {
    for name in ["pollux", "monit"] {
        let sandbox = Sandbox::new().called(name);
        sandbox.control(&sandbox.service("puma"));
        let mut command = Command::new("cat");
        std::os::unix::process::CommandExt::arg0(&mut command, "/usr/local/bin/monit");
        let mut monit = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("cat");
        fs::write(sandbox.path("state/pid"), format!("{}\n", monit.id())).expect("pidfile");
        until("its title", || process::command(monit.id()).contains("monit").then_some(()));
        for arguments in [&["-I"][..], &[], &["start", "puma"]] {
            let told = sandbox.cli(arguments);
            assert_eq!(told.code, Some(1), "{arguments:?} {told:?}");
            assert!(told.err.contains(&format!("monit (pid {}) is running", monit.id())), "{told:?}");
            assert!(told.err.contains("stop it first"), "{told:?}");
        }
        assert!(process::lives(monit.id()), "it was not signalled");
        assert_eq!(fs::read_to_string(sandbox.path("state/pid")).expect("pidfile"), format!("{}\n", monit.id()));
        assert_eq!(sandbox.record().len(), 0);
        drop(monit.stdin.take());
        assert!(monit.wait().expect("wait").success());
        sandbox.start();
        sandbox.await_log("'puma' process is running with pid");
    }
}

#[test]
fn the_daemon_goes_to_the_background_and_says_when_it_is_ready() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service("puma"));
    sandbox.bring_up("puma");
    let told = sandbox.cli(&[]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.out.starts_with("Starting pollux"), "{told:?}");
    // Ready means ready: the very next question is answered.
    assert_eq!(sandbox.cli(&["summary", "-B"]).code, Some(0));
    let pid: u32 = fs::read_to_string(sandbox.path("state/pid")).expect("pidfile").trim().parse().expect("number");
    sandbox.register(pid);
    if cfg!(target_os = "linux") {
        for fd in ["0", "1", "2"] {
            let target = fs::read_link(format!("/proc/{pid}/fd/{fd}")).expect("fd");
            assert_eq!(target, std::path::Path::new("/dev/null"));
        }
    }
    sandbox.kill_standin("puma");
    sandbox.cycle();
    sandbox.await_log("'puma' process is running with pid");
    assert_eq!(sandbox.cli(&["quit"]).code, Some(0));
    until("its end", || (!process::lives(pid)).then_some(()));
    // What refuses does so before the terminal is left, with a true exit code.
    sandbox.control("check nonsense\n");
    assert_eq!(sandbox.cli(&[]).code, Some(1));
}

#[test]
fn the_id_is_made_once() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service("puma"));
    let told = sandbox.cli(&["-i"]);
    assert_eq!(told.code, Some(0));
    let id = told.out.strip_prefix("Monit ID: ").expect("an id").trim().to_owned();
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    assert_eq!(sandbox.cli(&["-i"]).out, told.out);
    assert_eq!(fs::read_to_string(sandbox.path("state/id")).expect("id").trim(), id);
}

#[test]
fn procmatch_shows_whom_a_pattern_means() {
    let sandbox = Sandbox::new();
    sandbox.service("puma");
    let pid = sandbox.bring_up("puma");
    let told = sandbox.call(&["procmatch", &format!("puma .* \\[{}\\]", sandbox.tag)]);
    assert_eq!(told.code, Some(0));
    assert!(told.out.contains(&pid.to_string()), "{told:?}");
    // The pattern is in the command line of the program that asks.
    let told = sandbox.call(&["procmatch", &format!("nobody-has-this-{}", sandbox.tag)]);
    assert!(told.out.contains("Total matches: 0"), "{told:?}");
    assert_eq!(sandbox.call(&["procmatch", "("]).code, Some(1));
}
