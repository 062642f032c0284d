//! pollux as process 1, as in a container.

use std::process::{Command, Stdio};

use crate::harness::{Sandbox, skipped, until};

#[test]
fn as_process_1_it_reaps_strangers() {
    let sandbox = Sandbox::new();
    let probe = Command::new("unshare")
        .args(["-Urpf", "--mount-proc", "true"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        return skipped("init::as_process_1_it_reaps_strangers", "no namespaces of our own can be had here");
    }
    // Leaves orphans that end at once, then tells how many zombies there are in the namespace.
    let orphans = sandbox.script("orphans", "#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8; do (true & true) & done\nwait\n");
    let zombies = sandbox.script(
        "zombies",
        "#!/bin/sh\ngrep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l >@DIR@/run/zombies.new\n\
         cat /proc/1/cmdline | tr '\\0' ' ' >>@DIR@/run/zombies.new\nmv @DIR@/run/zombies.new @DIR@/run/zombies\n",
    );
    let tag = &sandbox.tag;
    // Without a word about the foreground: process 1 stays there by itself.
    let body = format!(
        "check process orphans matching \"nobody-has-this-{tag}\"\n if does not exist then exec \"{orphans}\" repeat every 1 cycles\n\
         check process zombies matching \"nobody-has-this-{tag}\"\n if does not exist then exec \"{zombies}\" repeat every 1 cycles\n"
    );
    sandbox.control(&(body + &sandbox.service("puma")));
    let mut command = Command::new("unshare");
    command
        .args(["-Urpf", "--mount-proc", "--kill-child", env!("CARGO_BIN_EXE_pollux"), "-c"])
        .arg(sandbox.control_path());
    let plain = sandbox.command(&[]);
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    sandbox.start_by(command);
    sandbox.await_log("'puma' process is running with pid");
    for _ in 0..5 {
        sandbox.cycle();
    }
    until("no zombies", || {
        let _ = std::fs::remove_file(sandbox.path("run/zombies"));
        sandbox.cycle();
        let text = until("the count", || std::fs::read_to_string(sandbox.path("run/zombies")).ok());
        let mut lines = text.lines();
        let count: usize = lines.next()?.trim().parse().ok()?;
        assert!(lines.next()?.contains("pollux"), "{text}");
        (count == 0).then_some(())
    });
    assert_eq!(sandbox.cli(&["quit"]).code, Some(0));
    sandbox.ended();
}
