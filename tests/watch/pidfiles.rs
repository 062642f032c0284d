//! Pidfiles that are held to a pattern and a user, with real processes.

use std::fs;
use std::process::Command;

use crate::harness::{Sandbox, process, until};

/// The name of the user who runs the tests.
fn own_name() -> String {
    let output = Command::new("id").arg("-un").output().expect("id");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A service by pidfile, with more words behind it.
fn held_to(sandbox: &Sandbox, name: &str, more: &str) -> String {
    let file = format!("run/{name}.pid\n");
    sandbox.service_by_pidfile(name).replace(&file, &format!("run/{name}.pid {more}\n"))
}

#[test]
fn a_pidfile_whose_number_came_around_leads_to_a_start_and_says_why() {
    let sandbox = Sandbox::new();
    let revive = sandbox.script("revive", "#!/bin/sh\nrm @DIR@/run/puma.pid\nexec @DIR@/bin/service puma start\n");
    let pattern = format!("matching \"puma .* \\[{}\\]\" as user {}", sandbox.tag, own_name());
    let start = format!("{}/bin/service puma restart", sandbox.dir.display());
    let puma = held_to(&sandbox, "puma", &pattern).replace(&start, &revive);
    sandbox.control(&(puma + &sandbox.service_by_pidfile("node")));
    let first = sandbox.bring_up("puma");
    let stranger = sandbox.bring_up("node");
    sandbox.start();
    sandbox.cycle();
    // A new title is no other process.
    sandbox.tell("run/puma.ctl", "title something else\n");
    until("the title", || process::command(first).contains("something else").then_some(()));
    sandbox.cycle();
    sandbox.assert_not_logged("restart");

    sandbox.kill_standin("puma");
    fs::write(sandbox.path("run/puma.pid"), format!("{stranger}\n")).expect("pidfile");
    sandbox.signal("USR1");
    sandbox.await_log(&format!("'puma' pidfile names process {stranger}, whose command line '"));
    sandbox.await_log("'puma' process is not running\n");
    sandbox.await_log("'puma' process is running with pid");
    // The stop program would have killed it.
    assert!(process::lives(stranger));
    assert_ne!(sandbox.standin("puma"), stranger);
    assert_eq!(sandbox.begun("puma", "stop"), 0);
}

#[test]
fn another_users_process_is_not_the_service() {
    let sandbox = Sandbox::new();
    let other = if own_name() == "root" { "nobody" } else { "root" };
    let file = sandbox.path("run/puma.pid");
    sandbox.control(&format!("check process puma with pidfile {} as user {other}\n", file.display()));
    let pid = std::process::id();
    fs::write(&file, format!("{pid}\n")).expect("pidfile");
    sandbox.start();
    sandbox.await_log(&format!("'puma' pidfile names process {pid}, which runs as the user with number "));
    sandbox.await_log("'puma' process is not running\n");
}
