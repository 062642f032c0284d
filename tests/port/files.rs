//! The entries of FILES in pollux(8): a daemon makes what they say, with these modes.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Instant;

use pollux::cli::paths::{PIDFILE, RUNDIR, STATEDIR, SYSCONFDIR};

use crate::room::{Room, read, said};

/// The section of the page.
fn files() -> String {
    let page = read("man/pollux.8");
    let section = page.split("\n.Sh FILES\n").nth(1).and_then(|rest| rest.split("\n.Sh ").next());
    section.expect("FILES").to_owned()
}

#[test]
fn the_places_are_those_of_the_build() {
    let files = files();
    let state = |name: &str| format!("{STATEDIR}/{name}");
    let sample = format!("{SYSCONFDIR}/monitrc.sample");
    for place in [PIDFILE, RUNDIR, &sample, &state("state"), &state("state.old"), &state("state.lock"), &state("id")] {
        assert!(files.lines().any(|line| line == format!(".It Pa {place}")), "{place} is not in FILES");
    }
    assert!(files.contains(&format!(".It Pa {}/", state("state.output"))), "state.output is not in FILES");
}

fn mode(path: &Path) -> Option<u32> {
    Some(fs::metadata(path).ok()?.permissions().mode() & 0o777)
}

/// The one file in the directory of sockets and run records that ends like this.
fn in_run(room: &Room, end: &str) -> Option<std::path::PathBuf> {
    let entries = fs::read_dir(room.path("run")).ok()?.flatten().map(|entry| entry.path());
    entries.into_iter().find(|path| path.extension().is_some_and(|known| known == end))
}

#[test]
fn a_user_needs_no_directory_beforehand() {
    let room = Room::new("user");
    if fs::metadata(&room.0).expect("facts").uid() == 0 {
        eprintln!("skipped: root's files are the machine's");
        return;
    }
    let control = room.file("monitrc", 0o600, &format!("set log {}/log\n", room.0.display()));
    let output = room.command(env!("CARGO_BIN_EXE_pollux")).arg("-c").arg(control).env_remove("POLLUX_RUNDIR").output();
    let output = output.expect("pollux");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(mode(&room.path(".pollux")), Some(0o700));
    assert!(mode(&room.path(".pollux/state")).is_some());
}

#[test]
fn a_daemon_makes_the_files_that_the_page_names() {
    let room = Room::new("files");
    let dir = room.0.display();
    let text = format!(
        "set daemon 3600 with start delay 0\nset pidfile {dir}/pid\nset idfile {dir}/var/id\nset statefile {dir}/var/state\n\
         set log {dir}/log\ncheck program hello path \"/bin/sh -c 'echo hello'\"\n if status > 0 then alert\n\
         check process nothing pidfile {dir}/nothing\n start program = \"/bin/sh -c 'echo hello'\" with timeout 1 seconds\n"
    );
    room.file("monitrc", 0o600, &text);
    let pollux = |arguments: &[&str]| {
        let mut command = room.command(env!("CARGO_BIN_EXE_pollux"));
        command.arg("-c").arg(room.path("monitrc")).args(arguments).output().expect("pollux")
    };
    let started = pollux(&[]);
    assert!(started.status.success(), "{}", said(&started));
    let begun = Instant::now();
    let output = room.path("var/state.output/nothing");
    let is_there = |path: &Path| mode(path).is_some();
    while !(is_there(&output) && is_there(&room.path("var/state"))) && begun.elapsed().as_secs() < 30 {
        pollux(&["summary"]);
    }
    let socket = in_run(&room, "sock").and_then(|path| mode(&path));
    let record = in_run(&room, "run").and_then(|path| fs::read_to_string(path).ok());
    let seen = [
        ("pid", mode(&room.path("pid"))),
        ("run", mode(&room.path("run"))),
        ("var/state", mode(&room.path("var/state"))),
        ("var/state.lock", mode(&room.path("var/state.lock"))),
        ("var/id", mode(&room.path("var/id"))),
        ("var/state.output/nothing", mode(&output)),
    ];
    let pid = fs::read_to_string(room.path("pid")).unwrap_or_default();
    let ended = pollux(&["quit"]);
    assert!(ended.status.success(), "{}", said(&ended));
    assert_eq!(socket, Some(0o600));
    for (name, mode) in seen {
        let mode = mode.unwrap_or_else(|| panic!("{name} is not there"));
        // Whoever may know that the daemon runs may read its pidfile; nothing else is for others.
        let allowed = if name == "pid" { 0o644 } else { 0o700 };
        assert_eq!(mode & !allowed, 0, "{name} has mode {mode:o}");
    }
    let record = record.expect("the run record");
    assert!(record.contains(&format!("pid {}\n", pid.trim())), "{record}");
    assert_eq!(mode(&room.path("pid")), None, "the pidfile goes with the daemon");
}
