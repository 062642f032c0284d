//! The rc.d script with the real program, under a stand-in for rc.subr(8).

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use crate::room::{ROOT, Room, read, said};

/// The script as it would be installed in `room`, its daemon, and the machine's rc.conf.
struct Machine {
    room: Room,
    script: PathBuf,
}

impl Machine {
    fn new(name: &str) -> Machine {
        let room = Room::new(name);
        let dir = room.0.display().to_string();
        fs::create_dir_all(room.path("bin")).expect("directory");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_pollux"), room.path("bin/pollux")).expect("program");
        let filled = read("port/sysutils/pollux/files/pollux.in")
            .replace("%%PREFIX%%", &dir)
            .replace("%%SYSCONFDIR%%", &dir)
            .replace("%%PIDFILE%%", &format!("{dir}/default.pid"))
            .replace("%%RUNDIR%%", &format!("{dir}/run"))
            .replace("/etc/rc.subr", &format!("{ROOT}/tests/port/rc.subr"));
        assert!(!filled.contains("%%"), "{filled}");
        let script = room.file("rc.d/pollux", 0o755, &filled);
        let machine = Machine { room, script };
        machine.rc_conf("pollux_enable=YES\n");
        machine.control("");
        machine
    }

    fn rc_conf(&self, text: &str) {
        self.room.file("rc.conf", 0o644, text);
    }

    /// Writes the control file.
    fn control(&self, more: &str) {
        let dir = self.room.0.display();
        let text = format!(
            "set daemon 3600 with start delay 0\nset log {dir}/log\nset pidfile {dir}/pid\nset idfile {dir}/id\nset statefile {dir}/state\n{more}"
        );
        self.room.file("monitrc", 0o600, &text);
    }

    fn rc(&self, verb: &str) -> Output {
        let mut command = self.room.command("sh");
        command.env("RC_CONF", self.room.path("rc.conf"));
        command.arg(&self.script).arg(verb).output().expect("sh")
    }

    /// What a verb says; it must succeed.
    fn does(&self, verb: &str) -> String {
        let output = self.rc(verb);
        assert!(output.status.success(), "{verb}: {}", said(&output));
        said(&output)
    }

    /// What a verb says; it must fail.
    fn refuses(&self, verb: &str) -> String {
        let output = self.rc(verb);
        assert!(!output.status.success(), "{verb}: {}", said(&output));
        said(&output)
    }

    fn pid_in(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.room.path(name)).ok().map(|text| text.trim().to_owned())
    }

    /// The number of the running daemon, by the socket.
    fn answers(&self) -> bool {
        let mut command = self.room.command(env!("CARGO_BIN_EXE_pollux"));
        command.arg("-c").arg(self.room.path("monitrc")).arg("summary").output().expect("pollux").status.success()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let mut command = self.room.command(env!("CARGO_BIN_EXE_pollux"));
        let _ = command.arg("-c").arg(self.room.path("monitrc")).arg("quit").output();
    }
}

#[test]
fn start_status_stop() {
    let machine = Machine::new("start");
    assert!(machine.refuses("status").contains("pollux is not running"));
    machine.does("start");
    let pid = machine.pid_in("pid").expect("pidfile");
    assert!(machine.answers());
    assert_eq!(machine.does("status").trim(), format!("pollux is running as pid {pid}."));
    assert!(machine.refuses("start").contains(&format!("already running?  (pid={pid})")));
    assert!(machine.does("stop").contains("Stopping pollux."));
    assert!(!machine.answers());
    assert_eq!(machine.pid_in("pid"), None);
    assert!(machine.refuses("stop").contains("pollux not running?"));
}

#[test]
fn nothing_starts_unless_it_is_enabled() {
    let machine = Machine::new("enable");
    machine.rc_conf("");
    assert!(machine.does("start").contains("Set pollux_enable to YES"));
    assert!(!machine.answers());
    machine.does("onestart");
    assert!(machine.answers());
    machine.does("onestop");
    assert!(!machine.answers());
    assert!(machine.does("rcvar").contains("pollux_enable=\"NO\""));
}

#[test]
fn restart_makes_a_new_daemon_and_reload_keeps_the_old_one() {
    let machine = Machine::new("restart");
    machine.does("start");
    let first = machine.pid_in("pid").expect("pidfile");
    assert!(machine.does("restart").contains("Control file syntax OK"));
    let second = machine.pid_in("pid").expect("pidfile");
    assert_ne!(first, second);
    assert!(machine.answers());
    machine.control("check file rc path /etc/hosts\n");
    assert!(machine.does("reload").contains("Control file syntax OK"));
    let knows = || {
        let mut command = machine.room.command(env!("CARGO_BIN_EXE_pollux"));
        let output =
            command.arg("-c").arg(machine.room.path("monitrc")).args(["-B", "summary"]).output().expect("pollux");
        said(&output).contains(" rc ")
    };
    // SIGHUP says nothing when it has been done: the new service shows.
    let begun = std::time::Instant::now();
    while !knows() {
        assert!(begun.elapsed().as_secs() < 30, "{}", fs::read_to_string(machine.room.path("log")).unwrap_or_default());
    }
    assert_eq!(machine.pid_in("pid"), Some(second));
}

#[test]
fn a_broken_control_file_stops_restart_and_reload_but_not_stop() {
    let machine = Machine::new("broken");
    machine.does("start");
    let pid = machine.pid_in("pid");
    assert!(machine.does("configtest").contains("Control file syntax OK"));
    machine.control("}{ nonsense\n");
    for verb in ["configtest", "restart", "reload"] {
        let said = machine.refuses(verb);
        assert!(said.contains("monitrc:6:1: error"), "{verb}: {said}");
        assert_eq!(machine.pid_in("pid"), pid, "{verb}");
        assert!(machine.answers(), "{verb}");
    }
    assert!(machine.does("status").contains("is running as pid"));
    machine.does("stop");
    assert!(!machine.answers());
    machine.refuses("start");
}

#[test]
fn what_this_release_does_not_run_counts_as_broken() {
    let machine = Machine::new("unbuilt");
    let noted = "note: this release does not run 'x', the daemon will refuse to start with it\nControl file syntax OK";
    fs::remove_file(machine.room.path("bin/pollux")).unwrap();
    machine.room.file("bin/pollux", 0o755, &format!("#!/bin/sh\necho \"{noted}\"\n"));
    assert!(machine.refuses("configtest").contains(noted));
}

#[test]
fn the_running_daemon_is_found_wherever_its_pidfile_is() {
    let machine = Machine::new("pidfile");
    let dir = machine.room.0.display().to_string();
    // Named by an option, which the control file does not know.
    machine.rc_conf(&format!("pollux_enable=YES\npollux_flags='-p {dir}/by-option.pid'\n"));
    machine.does("start");
    assert!(machine.pid_in("by-option.pid").is_some());
    machine.does("status");
    machine.does("stop");
    assert!(!machine.answers());
    // Changed since the start.
    machine.rc_conf("pollux_enable=YES\n");
    machine.does("start");
    machine.control(&format!("set pidfile {dir}/later.pid\n"));
    let first = machine.pid_in("pid");
    machine.does("restart");
    assert!(first.is_some() && machine.pid_in("later.pid").is_some() && machine.pid_in("pid").is_none());
    // Set in an included file.
    machine.does("stop");
    machine.room.file("more", 0o600, &format!("set pidfile {dir}/included.pid\n"));
    machine.control(&format!("include {dir}/more\n"));
    machine.does("start");
    machine.does("status");
    assert!(machine.pid_in("included.pid").is_some());
    // Of a daemon that was killed nothing is left that stands in the way.
    let pid = machine.pid_in("included.pid").unwrap();
    let killed = machine.room.command("sh").args(["-c", &format!("kill -9 {pid}")]).status().expect("kill");
    assert!(killed.success());
    let begun = std::time::Instant::now();
    while machine.answers() {
        assert!(begun.elapsed().as_secs() < 30);
    }
    machine.refuses("status");
    machine.does("start");
    machine.does("stop");
}

#[test]
fn whoever_was_started_is_protected_wherever_its_pidfile_is() {
    let machine = Machine::new("protect");
    let dir = machine.room.0.display().to_string();
    machine.room.file("protect", 0o755, &format!("#!/bin/sh\necho \"$@\" >{dir}/protected\n"));
    let enabled = format!("pollux_enable=YES\nPROTECT={dir}/protect\n");
    let protected = |name: &str| {
        let pid = machine.pid_in(name).expect("pidfile");
        assert_eq!(machine.pid_in("protected"), Some(format!("-p {pid}")), "{name}");
    };
    machine.rc_conf(&enabled);
    machine.does("start");
    protected("pid");
    // In another place than the daemon before.
    machine.control(&format!("set pidfile {dir}/later.pid\n"));
    machine.does("restart");
    protected("later.pid");
    machine.does("stop");
    // In one that the control file does not know.
    machine.rc_conf(&format!("{enabled}pollux_flags='-p {dir}/by-option.pid'\n"));
    machine.does("start");
    protected("by-option.pid");
    // Not at all.
    machine.does("stop");
    fs::remove_file(machine.room.path("protected")).expect("it was protected");
    machine.rc_conf(&format!("{enabled}pollux_oomprotect=NO\n"));
    machine.does("start");
    assert_eq!(machine.pid_in("protected"), None);
}

#[test]
fn an_interval_is_missed() {
    let machine = Machine::new("interval");
    let dir = machine.room.0.display().to_string();
    machine.room.file(
        "monitrc",
        0o600,
        &format!("set statefile {dir}/state\nset idfile {dir}/id\nset log {dir}/log\n"),
    );
    let said = machine.refuses("start");
    assert!(said.contains("'set daemon'"), "{said}");
}

#[test]
fn a_control_file_that_is_not_there_is_said() {
    let machine = Machine::new("missing");
    fs::remove_file(machine.room.path("monitrc")).unwrap();
    assert!(machine.refuses("start").contains("monitrc is not readable"));
}

#[test]
fn rc_starts_pollux_behind_everything_else() {
    let script = read("port/sysutils/pollux/files/pollux.in");
    for line in ["# PROVIDE: pollux", "# REQUIRE: LOGIN", "# KEYWORD: shutdown"] {
        assert!(script.lines().any(|known| known == line), "{line}");
    }
    for default in ["enable:=NO", "oomprotect:=YES", "svcj:=NO", "flags:=}"] {
        assert!(script.contains(&format!(": \"${{pollux_{default}")), "{default}");
    }
}
