//! What scripts of rc.subr(8) answer, and what the daemon makes of it.

use std::fs;
use std::time::Instant;

use crate::room::{ROOT, Room, said};

/// A daemon with one service, `web`, which an rc.d script starts and stops.
struct Scene {
    room: Room,
}

impl Scene {
    /// `check` is how the service is found, `verbs` are those for start and stop.
    fn new(name: &str, enabled: bool, check: &str, (start, stop): (&str, &str)) -> Scene {
        let room = Room::new(name);
        let dir = room.0.display().to_string();
        let fifo = room.command("mkfifo").arg(room.path("never")).status().expect("mkfifo");
        assert!(fifo.success());
        room.file(
            "web.sh",
            0o755,
            &format!("echo $$ >{dir}/web.new\nmv {dir}/web.new {dir}/web.pid\nexec 3<>{dir}/never\nread -r _ <&3\n"),
        );
        let enable = if enabled { "YES" } else { "NO" };
        let script = format!(
            "#!/bin/sh\n. {ROOT}/tests/port/rc.subr\nname=web\nrcvar=web_enable\nweb_enable={enable}\npidfile={dir}/web.pid\n\
             command=/bin/sh\nstart_cmd=web_start\nweb_start() {{\n\
             [ -z \"$rc_pid\" ] || {{ default_start; return; }}\n/bin/sh {dir}/web.sh {dir} &\n}}\n\
             load_rc_config $name\nrun_rc_command \"$1\"\n"
        );
        let script = room.file("rc.d/web", 0o755, &script).display().to_string();
        let control = format!(
            "set daemon 3600 with start delay 0\nset log {dir}/log\nset pidfile {dir}/pid\nset idfile {dir}/id\nset statefile {dir}/state\n\
             check process web {check}\n start program = \"/bin/sh {script} {start}\" with timeout 2 seconds\n\
             stop program = \"/bin/sh {script} {stop}\"\n mode passive\n"
        );
        room.file("monitrc", 0o600, &control.replace("@DIR@", &dir));
        let scene = Scene { room };
        let started = scene.pollux(&[]);
        assert!(started.contains("Starting"), "{started}");
        scene
    }

    fn pollux(&self, arguments: &[&str]) -> String {
        let mut command = self.room.command(env!("CARGO_BIN_EXE_pollux"));
        let output = command.arg("-c").arg(self.room.path("monitrc")).args(arguments).output();
        said(&output.expect("pollux"))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.room.path("log")).unwrap_or_default()
    }

    /// Waits until the daemon's log, or what `pollux` says to these words, has this text.
    fn until(&self, arguments: &[&str], text: &str) {
        let begun = Instant::now();
        while !self.pollux(arguments).contains(text) && !self.log().contains(text) {
            assert!(begun.elapsed().as_secs() < 30, "no '{text}' in:\n{}\n{}", self.pollux(arguments), self.log());
        }
    }

    fn pid(&self) -> Option<String> {
        Some(fs::read_to_string(self.room.path("web.pid")).ok()?.trim().to_owned())
    }

    fn kill(&self) {
        if let Some(pid) = self.pid() {
            let _ = self.room.command("sh").args(["-c", &format!("kill -9 {pid}")]).output();
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.pollux(&["quit"]);
        self.kill();
    }
}

const BY_PIDFILE: &str = "with pidfile @DIR@/web.pid";

#[test]
fn a_refusal_is_a_failure_although_its_code_is_0() {
    let scene = Scene::new("refusal", false, BY_PIDFILE, ("start", "stop"));
    scene.pollux(&["start", "web"]);
    scene.until(&["summary"], "service(8) did nothing: Cannot 'start' web. Set web_enable to YES");
    assert_eq!(scene.pid(), None);
}

#[test]
fn the_verbs_of_using_service_work_whether_it_is_enabled_or_not() {
    for enabled in [false, true] {
        let scene = Scene::new("one", enabled, BY_PIDFILE, ("onestart", "onestop"));
        scene.pollux(&["start", "web"]);
        scene.until(&["status", "web"], "status                       OK");
        let pid = scene.pid().expect("it runs");
        scene.pollux(&["restart", "web"]);
        scene.until(&["summary"], "restart action done");
        assert_ne!(scene.pid().expect("it runs"), pid, "enabled: {enabled}");
        scene.pollux(&["stop", "web"]);
        scene.until(&["summary"], "stop action done");
        assert!(!scene.log().contains("failed to"), "{}", scene.log());
    }
}

#[test]
fn a_stop_that_finds_nothing_has_done_its_work_although_its_code_is_1() {
    let scene = Scene::new("gone", true, BY_PIDFILE, ("onestart", "onestop"));
    scene.pollux(&["start", "web"]);
    scene.until(&["status", "web"], "status                       OK");
    scene.kill();
    scene.pollux(&["stop", "web"]);
    scene.until(&["summary"], "stop action done");
    assert!(!scene.log().contains("failed to stop"), "{}", scene.log());
}

#[test]
fn what_a_script_says_runs_but_is_not_found_is_told_with_its_words() {
    let scene = Scene::new("already", true, "matching \"nothing-is-called-so @DIR@\"", ("onestart", "onestop"));
    let script = scene.room.path("rc.d/web");
    let by_hand = scene.room.command("sh").arg(&script).arg("onestart").stdout(std::process::Stdio::null()).status();
    assert!(by_hand.expect("sh").success());
    let begun = Instant::now();
    while scene.pid().is_none() {
        assert!(begun.elapsed().as_secs() < 30);
    }
    scene.pollux(&["start", "web"]);
    scene.until(&["summary"], "failed to start (exit status 1)");
    assert!(scene.log().contains("web already running?  (pid="), "{}", scene.log());
}
