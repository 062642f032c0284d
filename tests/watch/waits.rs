//! `--wait`: the end of an action, told by the exit code of whoever asked for it.

use std::fs;
use std::process::Child;

use crate::harness::{Sandbox, process, until};

fn services(sandbox: &Sandbox) -> String {
    sandbox.service_with("puma", "group web") + &sandbox.service_with("node", "depends on puma")
}

fn watched(name: &str) -> Sandbox {
    let sandbox = Sandbox::new().called(name);
    sandbox.control(&services(&sandbox));
    sandbox.bring_up("puma");
    sandbox.bring_up("node");
    sandbox.start();
    sandbox.cycle();
    sandbox
}

/// A call that is under way, whose end comes later.
struct Call<'a> {
    child: Child,
    sandbox: &'a Sandbox,
}

impl<'a> Call<'a> {
    fn begin(sandbox: &'a Sandbox, arguments: &[&str]) -> Call<'a> {
        let control = sandbox.control_path();
        let mut command = sandbox.command(&["-c", control.to_str().expect("path")]);
        command.args(arguments).stderr(fs::File::create(sandbox.path("waiting.err")).expect("file"));
        Call { child: command.spawn().expect("the program"), sandbox }
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("wait").is_some()
    }

    /// Its exit code, and what it wrote to standard error.
    fn end(mut self) -> (Option<i32>, String) {
        let status = until("the end of the call", || self.child.try_wait().expect("wait"));
        (status.code(), fs::read_to_string(self.sandbox.path("waiting.err")).expect("file"))
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_action_that_is_waited_for_is_done_when_the_call_comes_back() {
    for name in ["pollux", "monit"] {
        let sandbox = watched(name);
        let before = sandbox.standin("puma");
        let told = sandbox.cli(&["restart", "puma", "--wait"]);
        assert_eq!((told.code, told.out.as_str(), told.err.as_str()), (Some(0), "", ""));
        assert!(!process::lives(before));
        assert_eq!(sandbox.done("puma", "restart"), 1);
        // By group, and with what has to stop before it.
        assert_eq!(sandbox.cli(&["--wait=60", "-g", "web", "stop"]).code, Some(0));
        assert_eq!((sandbox.done("puma", "stop"), sandbox.done("node", "stop")), (2, 2));
        assert_eq!(sandbox.live_standins(), Vec::<String>::new());
        assert_eq!(sandbox.cli(&["start", "all", "--wait"]).code, Some(0));
        assert_eq!(sandbox.live_standins().len(), 2);
        assert_eq!(sandbox.cli(&["start", "all", "--wait"]).code, Some(0), "it runs already");
        assert_eq!(sandbox.cli(&["unmonitor", "all", "--wait"]).code, Some(0));
        assert_eq!(sandbox.cli(&["report", "unmonitored"]).out.trim(), "3", "the machine too");
        assert_eq!(sandbox.cli(&["monitor", "all", "--wait"]).code, Some(0));
        assert_eq!(sandbox.cli(&["report", "unmonitored"]).out.trim(), "0");
        assert_eq!(sandbox.cli(&["start", "nobody", "--wait"]).code, Some(1));
    }
}

#[test]
fn an_action_that_fails_says_so_with_its_reason() {
    let sandbox = watched("pollux");
    // A process may go and come after its program has failed, until the timeout.
    sandbox.control(&services(&sandbox).replace("60 seconds", "1 second"));
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    fs::write(sandbox.path("run/puma.fail"), "no such port\n").expect("file");
    let told = sandbox.cli(&["stop", "all", "--wait"]);
    assert_eq!(told.code, Some(1));
    assert!(told.err.starts_with("'puma' failed to stop (exit status 1) -- "), "{told:?}");
    assert!(told.err.ends_with(": no such port\n"), "{told:?}");
    assert!(!told.err.contains("'node'"), "that one has stopped: {told:?}");
    sandbox.kill_standin("puma");
    let told = sandbox.cli(&["start", "node", "--wait"]);
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains("'node' failed to start -- could not start required services: 'puma'"), "{told:?}");
    fs::remove_file(sandbox.path("run/puma.fail")).expect("file");
    assert_eq!(sandbox.cli(&["start", "node", "--wait"]).code, Some(0), "an old failure is past");
}

#[test]
fn what_cannot_be_brought_about_is_no_success() {
    let sandbox = Sandbox::new();
    sandbox.control(&format!("check process lone matching \"lone .* \\[{}\\]\"\n", sandbox.tag));
    sandbox.start();
    let told = sandbox.cli(&["start", "lone", "--wait"]);
    assert_eq!((told.code, told.err.as_str()), (Some(1), "'lone' does not run; it has no start program\n"));
    assert_eq!(sandbox.cli(&["stop", "lone", "--wait"]).code, Some(0), "it does not run");
}

#[test]
fn a_wait_ends_when_its_time_is_over_and_the_action_goes_on() {
    let sandbox = watched("pollux");
    sandbox.shut_gate("puma");
    let told = sandbox.cli(&["restart", "puma", "--wait=1"]);
    assert_eq!(told.code, Some(124));
    assert_eq!(told.err, "the time to wait is over: 'puma' restart is not done yet\n");
    let mut call = Call::begin(&sandbox, &["restart", "puma", "--wait"]);
    sandbox.await_log("'puma' restart on user request\n");
    // Nobody else has to wait meanwhile.
    assert!(sandbox.cli(&["summary"]).out.contains("restart pending"));
    assert!(!call.has_ended());
    sandbox.let_go("puma", 2);
    assert_eq!(call.end(), (Some(0), String::new()));
}

#[test]
fn a_wait_outlasts_a_reload_but_not_its_service_and_not_the_daemon() {
    let sandbox = Sandbox::new();
    let services = sandbox.service("puma") + &sandbox.service("node");
    sandbox.control(&services);
    sandbox.bring_up("node");
    sandbox.start();
    sandbox.shut_gate("puma");
    let call = Call::begin(&sandbox, &["start", "puma", "--wait"]);
    sandbox.await_begun("puma", "restart", 1);
    sandbox.control(&format!("# another first line\n{services}"));
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    sandbox.let_go("puma", 1);
    assert_eq!(call.end(), (Some(0), String::new()));

    let call = Call::begin(&sandbox, &["restart", "puma", "--wait"]);
    sandbox.await_begun("puma", "stop", 1);
    sandbox.control(&sandbox.service("node"));
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    assert_eq!(call.end(), (Some(1), "There is no service named \"puma\"\n".to_owned()));

    sandbox.shut_gate("node");
    let call = Call::begin(&sandbox, &["restart", "node", "--wait"]);
    sandbox.await_begun("node", "stop", 1);
    sandbox.kill();
    let (code, said) = call.end();
    assert!(code == Some(1) && said.contains("daemon"), "{said}");
    sandbox.remove_gate("puma");
    sandbox.remove_gate("node");
}

#[test]
fn without_a_daemon_an_action_is_done_by_the_call_itself() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service("puma"));
    assert_eq!(sandbox.cli(&["start", "puma", "--wait=30"]).code, Some(0));
    assert_eq!(sandbox.live_standins().len(), 1);
}
