//! What outlives the daemon: what people were told, half-filled rates, what Monit knew.

use std::fs;

use crate::harness::Sandbox;

/// A service whose rule counts what it tells: `down` for failures, `up` for recoveries.
fn telling(sandbox: &Sandbox, rate: &str) -> String {
    let tell = sandbox.script("tell", "#!/bin/sh\necho $1 >>@DIR@/run/told\n");
    sandbox.service_with(
        "puma",
        &format!("if does not exist {rate} then exec \"{tell} down\" else if succeeded then exec \"{tell} up\""),
    )
}

/// How often the log says that the rule's programs were run.
fn told(sandbox: &Sandbox) -> (usize, usize) {
    let log = sandbox.log();
    (log.matches("/bin/tell down'").count(), log.matches("/bin/tell up'").count())
}

#[test]
fn an_open_failure_is_told_once_and_so_is_its_end_however_the_daemon_ends() {
    let sandbox = Sandbox::new();
    let body = telling(&sandbox, "");
    sandbox.control(&body);
    sandbox.start();
    sandbox.await_log("/bin/tell down'");
    for ends in [Sandbox::kill, Sandbox::stop] {
        ends(&sandbox);
        sandbox.start();
        sandbox.cycle();
    }
    // A reload in which the rule has moved.
    let more = body.replace("if does not", "if 9 restarts within 9 cycles then alert\n if does not");
    sandbox.control(&(sandbox.service("other") + &more));
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    sandbox.cycle();
    assert_eq!(told(&sandbox), (1, 0), "{}", sandbox.log());
    // Its end comes while nobody looks.
    sandbox.kill();
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.await_log("/bin/tell up'");
    sandbox.kill();
    sandbox.start();
    sandbox.cycle();
    assert_eq!(told(&sandbox), (1, 1), "{}", sandbox.log());
}

#[test]
fn a_rate_is_filled_over_restarts_of_the_daemon() {
    let sandbox = Sandbox::new();
    sandbox.control(&telling(&sandbox, "for 3 cycles"));
    sandbox.start();
    sandbox.cycle();
    assert_eq!(told(&sandbox), (0, 0), "two of three");
    sandbox.kill();
    sandbox.start();
    sandbox.await_log("/bin/tell down'");
    assert_eq!(told(&sandbox), (1, 0));
}

#[test]
fn after_a_boot_of_the_machine_a_failure_is_told_anew_and_its_end_never_lost() {
    let sandbox = Sandbox::new();
    sandbox.control(&telling(&sandbox, ""));
    let boot = || {
        let path = sandbox.path("state/state");
        let text = fs::read_to_string(&path).expect("state");
        let line = text.lines().find(|line| line.starts_with("boot ")).expect("boot").to_owned();
        fs::write(&path, text.replace(&line, "boot another")).expect("state");
    };
    sandbox.start();
    sandbox.await_log("/bin/tell down'");
    sandbox.stop();
    boot();
    sandbox.start();
    sandbox.await_log("/bin/tell down'");
    sandbox.stop();
    boot();
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.await_log("/bin/tell up'");
    sandbox.cycle();
    assert_eq!(told(&sandbox), (2, 1));
}
