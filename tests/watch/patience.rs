//! Waits that are longer than a daemon's life: between starts, and until a service is watched again.

use crate::harness::Sandbox;

#[test]
fn a_service_left_alone_for_a_while_is_watched_again_by_itself() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service("puma"));
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.cycle();
    assert_eq!(sandbox.cli(&["unmonitor", "puma", "--for", "6s"]).code, Some(0));
    sandbox.await_log("'puma' unmonitor for 6 s on user request\n");
    assert!(sandbox.cli(&["status", "puma"]).out.contains("\n  not monitored until "));
    sandbox.kill_standin("puma");
    sandbox.kill();
    sandbox.start();
    // The next cycle is an hour away: the daemon wakes for this alone.
    sandbox.await_log("'puma' monitored again: the time to leave it alone is over\n");
    assert_eq!(sandbox.begun("puma", "restart"), 0);
    sandbox.cycle();
    sandbox.await_log("'puma' process is running with pid");
    assert_eq!(sandbox.begun("puma", "restart"), 1);
    let refused = sandbox.cli(&["stop", "puma", "--for", "6s"]);
    assert!(refused.code == Some(1) && refused.err.contains("--for goes with unmonitor only"), "{refused:?}");
}

#[test]
fn the_wait_between_two_starts_outlasts_the_daemon_and_is_not_for_users() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service_with("puma", "with backoff 1 hour up to 2 hours"));
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.kill_standin("puma");
    sandbox.cycle();
    sandbox.await_log("'puma' process is running with pid");
    sandbox.kill_standin("puma");
    sandbox.cycle();
    sandbox.await_log("(back-off, started once in a row)\n");
    assert!(sandbox.cycle().out.contains("\n  next start                   in "));
    sandbox.assert_not_logged("back-off");
    sandbox.kill();
    sandbox.start();
    sandbox.cycle();
    sandbox.await_log("(back-off, started once in a row)\n");
    assert_eq!(sandbox.begun("puma", "restart"), 1);
    assert_eq!(sandbox.cli(&["start", "puma"]).code, Some(0));
    sandbox.await_log("'puma' start action done\n");
    assert_eq!(sandbox.begun("puma", "restart"), 2);
    assert!(!sandbox.cycle().out.contains("next start"));
}
