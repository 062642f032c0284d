//! The daily report of periodic(8).

use std::fs;
use std::process::Output;

use crate::room::{Room, read, said};

/// Ends the daemon of a room when the test is over, however it ends.
struct Ending<'a>(&'a Room);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        pollux(self.0, &["quit"]);
    }
}

fn room(name: &str, enable: &str) -> Room {
    let room = Room::new(name);
    let dir = room.0.display().to_string();
    fs::create_dir_all(room.path("bin")).expect("directory");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_pollux"), room.path("bin/pollux")).expect("program");
    let confs = format!("source_periodic_confs() {{ daily_status_pollux_enable={enable}; }}\n");
    let confs = room.file("periodic.conf", 0o644, &confs);
    let filled = read("port/etc/periodic.in")
        .replace("%%PREFIX%%", &dir)
        .replace("%%SYSCONFDIR%%", &dir)
        .replace("/etc/defaults/periodic.conf", &confs.display().to_string());
    room.file("485.status-pollux", 0o555, &filled);
    room
}

fn control(room: &Room, more: &str) {
    let dir = room.0.display();
    let head = format!(
        "set daemon 3600 with start delay 0\nset log {dir}/log\nset pidfile {dir}/pid\nset idfile {dir}/id\nset statefile {dir}/state\n"
    );
    room.file("monitrc", 0o600, &format!("{head}{more}"));
}

fn report(room: &Room) -> Output {
    room.command("sh").arg(room.path("485.status-pollux")).output().expect("sh")
}

fn pollux(room: &Room, arguments: &[&str]) -> Output {
    let mut command = room.command(room.path("bin/pollux"));
    command.arg("-c").arg(room.path("monitrc")).args(arguments).output().expect("pollux")
}

/// Asks until the report ends with this code; the daemon needs a cycle.
fn until(room: &Room, code: i32) -> String {
    let begun = std::time::Instant::now();
    loop {
        let output = report(room);
        if output.status.code() == Some(code) {
            return said(&output);
        }
        assert!(begun.elapsed().as_secs() < 30, "{:?}: {}", output.status, said(&output));
    }
}

#[test]
fn without_its_knob_it_says_nothing() {
    let room = room("quiet", "NO");
    let output = report(&room);
    assert_eq!((output.status.code(), said(&output).as_str()), (Some(0), ""));
}

#[test]
fn its_exit_code_tells_how_things_are() {
    let room = room("daily", "YES");
    assert_eq!(report(&room).status.code(), Some(2), "there is no control file");
    let there = room.file("there", 0o644, "");
    control(&room, &format!("check file there path {}\n", there.display()));
    let silent = report(&room);
    assert_eq!(silent.status.code(), Some(3), "no daemon runs: {}", said(&silent));
    let ending = Ending(&room);
    let started = pollux(&room, &[]);
    assert!(started.status.success(), "{}", said(&started));
    let well = until(&room, 0);
    assert!(well.contains("Services watched by pollux:") && well.contains(" there "), "{well}");
    pollux(&room, &["unmonitor", "there"]);
    let left = until(&room, 1);
    assert!(left.contains("0 down, 1 not monitored"), "{left}");
    drop(ending);
    assert_eq!(report(&room).status.code(), Some(3));
}
