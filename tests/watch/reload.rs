//! A new control file in place of the old one, or the old one kept.

use std::fs;

use crate::harness::{Sandbox, page, process, until};

#[test]
fn a_broken_control_file_changes_nothing_and_says_so() {
    let sandbox = Sandbox::new();
    let body = sandbox.service("puma");
    sandbox.control(&body);
    let pid = sandbox.bring_up("puma");
    sandbox.start();
    sandbox.cycle();
    sandbox.control(&(body.clone() + "check process broken with\n"));
    let told = sandbox.cli(&["reload"]);
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains("error"), "{told:?}");
    sandbox.await_log("Reinitializing pollux");
    let passed = sandbox.await_log("the control file is refused; the configuration in force is kept");
    assert!(passed.contains("monitrc:") && passed.contains("error: "), "{passed}");
    let status = sandbox.cli(&["status", "-B"]);
    assert!(status.out.contains("warning: the control file was changed but not accepted"), "{status:?}");

    // By a signal it is the same.
    sandbox.signal("HUP");
    sandbox.await_log("the configuration in force is kept");
    assert!(process::signal(pid, "KILL"));
    until("the death", || (!process::lives(pid)).then_some(()));
    sandbox.cycle();
    sandbox.await_log("'puma' process is running with pid");

    // A good one ends the complaint.
    sandbox.control(&body);
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    assert!(!sandbox.cli(&["status", "-B"]).out.contains("warning:"));
    // A file that is gone or not trusted is a broken one.
    fs::remove_file(sandbox.control_path()).expect("control file");
    assert_eq!(sandbox.cli(&["reload"]).code, Some(1));
    assert_eq!(sandbox.cli(&["summary", "-B"]).code, Some(0));
    assert_eq!(sandbox.cli(&["quit"]).code, Some(0));
    assert_eq!(sandbox.ended(), Some(0));
}

#[test]
fn the_log_is_opened_anew_whether_the_file_is_accepted_or_not() {
    let sandbox = Sandbox::new();
    let body = sandbox.service("puma");
    sandbox.control(&body);
    sandbox.bring_up("puma");
    sandbox.start();
    for (text, word) in [(body.clone(), " reloaded\n"), (body + "nonsense\n", "configuration in force is kept\n")] {
        sandbox.control(&text);
        fs::rename(sandbox.path("log"), sandbox.path("log.1")).expect("rotate");
        sandbox.rewind_log();
        sandbox.signal("HUP");
        sandbox.await_log(word);
        sandbox.cycle();
        sandbox.await_log("Awakened by the command line");
        assert!(!fs::read_to_string(sandbox.path("log.1")).expect("old log").contains(word));
    }
}

#[test]
fn a_log_that_cannot_be_opened_anew_is_told_to_whoever_asks() {
    let sandbox = Sandbox::new();
    sandbox.control("check system box\n");
    sandbox.start();
    sandbox.cycle();
    assert_eq!(sandbox.cli(&["check"]).code, Some(0));
    fs::remove_file(sandbox.path("log")).expect("log");
    fs::create_dir(sandbox.path("log")).expect("directory");
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    let told = sandbox.cli(&["check"]);
    let trouble = format!("the log file {} cannot be opened", sandbox.path("log").display());
    assert!(told.code == Some(1) && told.out.contains(&trouble), "{told:?}");
    assert!(sandbox.cli(&["status", "-B"]).out.contains(&format!("warning: {trouble}")));
    fs::remove_dir(sandbox.path("log")).expect("directory");
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    assert_eq!(sandbox.cli(&["check"]).code, Some(0));
    sandbox.stop();
}

#[test]
fn what_is_known_is_kept() {
    let sandbox = Sandbox::new();
    let (puma, node) = (sandbox.service("puma"), sandbox.service("node"));
    sandbox.control(&(puma.clone() + &node));
    let pid = sandbox.bring_up("puma");
    sandbox.bring_up("node");
    sandbox.start();
    sandbox.cycle();
    assert_eq!(sandbox.cli(&["unmonitor", "node"]).code, Some(0));
    sandbox.tell("run/puma.ctl", "title changed\n");
    until("the new title", || process::command(pid).ends_with("changed").then_some(()));
    for text in [node.clone() + &puma, puma.clone() + &node] {
        sandbox.control(&text);
        assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
        sandbox.cycle();
        let status = sandbox.cli(&["status"]).out;
        assert!(status.contains(&format!("  pid                          {pid}\n")), "{status}");
        let node = status.split("\n\n").find(|block| block.contains("'node'")).expect("node");
        assert!(node.contains("Not monitored"), "{node}");
    }
    assert_eq!(sandbox.record().iter().filter(|e| e.verb == "restart").count(), 0);
}

#[test]
fn services_come_and_go() {
    let sandbox = Sandbox::new();
    let (puma, node) = (sandbox.service("puma"), sandbox.service("node"));
    sandbox.control(&puma);
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.control(&(puma + &node));
    sandbox.signal("HUP");
    sandbox.await_log("'node' process is running with pid");
    let pid = sandbox.standin("node");
    sandbox.control(&node);
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    assert!(!sandbox.cli(&["summary"]).out.contains("puma"));
    sandbox.kill_standin("puma");
    sandbox.cycle();
    sandbox.assert_not_logged("'puma'");
    assert_eq!(sandbox.begun("puma", "restart"), 0, "what is not watched is not started");
    assert!(process::lives(pid));
}

#[test]
fn a_pattern_that_changes_forgets_the_process() {
    let sandbox = Sandbox::new();
    let body = sandbox.service("puma");
    sandbox.control(&body);
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.cycle();
    fs::write(sandbox.path("run/puma.fail"), "no\n").expect("file");
    sandbox.control(&body.replace("puma .*", "nobody-has-this"));
    sandbox.signal("HUP");
    sandbox.await_log("'puma' process is not running");
}

#[test]
fn the_page_moves_to_another_port() {
    let sandbox = Sandbox::new();
    let (first, second) = (page::free_port(), page::free_port());
    let puma = sandbox.service("puma");
    sandbox.bring_up("puma");
    let httpd = |port| format!("set httpd port {port} and use address 127.0.0.1\n allow 127.0.0.1\n");
    sandbox.control(&(httpd(first) + &puma));
    sandbox.start();
    page::lag(first);
    sandbox.control(&(httpd(second) + &puma));
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    page::lag(second);
    assert!(page::get(first, "/_ping").is_err());
    sandbox.control(&puma);
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    assert!(page::get(second, "/_ping").is_err());
    assert_eq!(sandbox.cli(&["summary"]).code, Some(0));
}

#[test]
fn a_log_that_cannot_be_opened_is_refused_and_the_old_one_kept() {
    let sandbox = Sandbox::new();
    let puma = sandbox.service("puma");
    sandbox.bring_up("puma");
    sandbox.control(&puma);
    sandbox.start();
    sandbox.control_raw(&(sandbox.head().replace("/log\n", "/missing/log\n") + &puma));
    sandbox.cli(&["reload"]);
    sandbox.await_log("the old log is kept");
    sandbox.cycle();
    sandbox.await_log("Awakened by the command line");
}
