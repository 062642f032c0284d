//! Check programs on the real daemon: each kind of program that misbehaves ends as documented.

use std::process::Command;

use crate::harness::{Sandbox, process, turns, until};

fn check(sandbox: &Sandbox, name: &str, script: &str, more: &str) -> String {
    let script = sandbox.script(name, &format!("#!/bin/sh\n{script}\n"));
    format!("check program {name} with path \"{script}\" {more}\n")
}

#[test]
fn a_program_is_judged_as_soon_as_it_has_ended() {
    let sandbox = Sandbox::new();
    let failing = check(&sandbox, "failing", "echo out; echo err >&2; exit 3", "if status != 0 then alert");
    let passing = check(&sandbox, "passing", "exit 0", "if status != 0 then alert");
    sandbox.control(&format!("{failing}{passing}"));
    sandbox.start();
    // The interval of the sandbox is far longer than this takes: no second cycle is needed.
    sandbox.await_log("'failing' status failed (3) -- out\\nerr\n");
    let status = sandbox.cli(&["status", "failing"]);
    assert!(status.out.contains("  last exit value              3\n"), "{}", status.out);
    assert!(
        status.out.contains("  last output                  out\n                               err\n"),
        "{}",
        status.out
    );
    sandbox.assert_not_logged("'passing'");
}

#[test]
fn one_that_prints_for_ever_or_ignores_term_is_ended_with_all_that_it_started() {
    let sandbox = Sandbox::new();
    let child = sandbox.path("child");
    let endless = check(&sandbox, "endless", "exec yes", "with timeout 1 seconds\n if status != 0 then alert");
    let deaf = check(
        &sandbox,
        "deaf",
        &format!("trap '' TERM\nsleep 600 &\necho $! > {}\nwait\nwhile :; do sleep 600; done", child.display()),
        "with timeout 1 seconds\n if status != 0 then alert",
    );
    sandbox.control(&format!("{endless}{deaf}"));
    sandbox.start();
    sandbox.await_all(&["'endless' program timed out after", "'endless' status failed (15) -- y\\ny"]);
    assert!(sandbox.log().lines().all(|line| line.len() < 2000), "what is kept has a limit");
    sandbox.await_log("'deaf' status failed (9) -- no output\n");
    let pid = std::fs::read_to_string(child).expect("pid").trim().parse().expect("number");
    until("the end of the group", || (!process::lives(pid)).then_some(()));
}

#[test]
fn one_that_closes_its_output_or_leaves_a_child_behind_is_judged_when_it_ends() {
    let sandbox = Sandbox::new();
    let pidfile = sandbox.path("left.pid");
    let closer = check(&sandbox, "closer", "exec >&- 2>&-; exit 2", "if status = 2 then alert");
    let leaver = check(
        &sandbox,
        "leaver",
        &format!("sleep 600 &\necho $! > {}\necho hello; exit 1", pidfile.display()),
        "if status = 1 then alert",
    );
    sandbox.control(&format!("{closer}{leaver}"));
    sandbox.start();
    sandbox.await_all(&["'closer' status failed (2) -- no output\n", "'leaver' status failed (1) -- hello\n"]);
    let pid = std::fs::read_to_string(pidfile).expect("pid").trim().parse().expect("number");
    assert!(process::lives(pid), "what a program leaves behind in time is its own affair");
    process::signal(pid, "KILL");
}

#[test]
fn one_that_prints_for_ever_hardly_wakes_the_loop_and_much_output_keeps_no_program_from_its_end() {
    let sandbox = Sandbox::new();
    let endless = check(&sandbox, "endless", "exec yes", "with timeout 600 seconds\n if status != 0 then alert");
    let much = check(&sandbox, "much", "head -c 3000000 /dev/zero; exit 3", "if status != 0 then alert");
    sandbox.control(&format!("{endless}{much}"));
    sandbox.start();
    sandbox.await_log("'much' status failed (3) -- ");
    let before = turns(&sandbox);
    // Time passing is the point.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let woken = turns(&sandbox) - before;
    assert!((10..200).contains(&woken), "{woken} turns in a second");
    sandbox.stop();
}

#[test]
fn one_that_stops_itself_or_lives_on_without_output_is_ended_by_its_timeout() {
    let sandbox = Sandbox::new();
    let timeout = "with timeout 1 seconds\n if status != 0 then alert";
    let stopped = check(&sandbox, "stopped", "echo here; kill -STOP $$", timeout);
    let mute = check(&sandbox, "mute", "echo said; exec >&- 2>&-; exec sleep 600", timeout);
    sandbox.control(&format!("{stopped}{mute}"));
    sandbox.start();
    sandbox.await_all(&["'mute' program timed out after", "'mute' status failed (15) -- said\n"]);
    // A process that was stopped hears of nothing but KILL.
    sandbox.await_all(&["'stopped' program timed out after", "'stopped' status failed (9) -- here\n"]);
}

#[test]
fn what_a_program_leaves_behind_printing_is_not_waited_for() {
    let sandbox = Sandbox::new();
    let pidfile = sandbox.path("left.pid");
    let script = format!("yes &\necho $! > {}\nexit 4", pidfile.display());
    sandbox.control(&check(&sandbox, "leaver", &script, "if status = 4 then alert"));
    sandbox.start();
    sandbox.await_log("'leaver' status failed (4) -- ");
    let pid = std::fs::read_to_string(pidfile).expect("pid").trim().parse().expect("number");
    until("its end, since nobody reads it", || (!process::lives(pid)).then_some(()));
}

#[test]
fn one_that_cannot_be_run_is_told_and_a_stopped_one_delays_nobody() {
    let sandbox = Sandbox::new();
    // None of its rules is judged: what did not run says nothing of what it looks at.
    let gone = check(&sandbox, "gone", "exit 0", "if status != 0 then exec \"/bin/false\"\n if status = 0 then alert");
    // It outlives the daemon, and is ended with the sandbox.
    let script = format!("echo $$ >>{}\nkill -STOP $$", sandbox.path("run/pids").display());
    let stopped = check(&sandbox, "stopped", &script, "with timeout 600 seconds\n if status != 0 then alert");
    sandbox.control(&format!("{gone}{stopped}{}", sandbox.service("puma")));
    std::fs::write(sandbox.path("bin/gone"), "#!/no/such/interpreter\n").expect("script");
    sandbox.start();
    sandbox.await_log(&format!(
        "'gone' failed to execute '{}' -- its interpreter /no/such/interpreter does not exist",
        sandbox.path("bin/gone").display()
    ));
    assert!(sandbox.cli(&["summary", "gone"]).out.contains("Data access error"));
    sandbox.assert_not_logged("'gone' exec");
    sandbox.await_log("'puma' process is running with pid");
    sandbox.stop();
}

#[test]
fn a_reload_ends_a_program_that_its_service_does_not_run_any_more() {
    let sandbox = Sandbox::new();
    let pidfile = sandbox.path("old.pid");
    let script = format!("echo $$ > {}\ntrap 'exit 3' TERM\nsleep 600 & wait", pidfile.display());
    let old = check(&sandbox, "old", &script, "with timeout 600 seconds\n if status != 0 then alert");
    sandbox.control(&old);
    sandbox.start();
    let pid = until("the pid", || std::fs::read_to_string(&pidfile).ok()?.trim().parse().ok());
    // The same name, another program: it does not wait for the one before it, and hears nothing of it.
    let new = check(&sandbox, "new", "echo new", "").replace("program new", "program old") + "if status = 0 then alert";
    sandbox.control(&new);
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    sandbox.await_log("'old' status failed (0) -- new\n");
    until("the end of the old program", || (!process::lives(pid)).then_some(()));
    sandbox.cycle();
    sandbox.rewind_log();
    sandbox.assert_not_logged("(3)");
    sandbox.assert_not_logged("timed out");
}

#[test]
fn more_programs_than_descriptors_are_run_one_after_the_other() {
    let sandbox = Sandbox::new();
    let nap = sandbox.script("nap", "#!/bin/sh\nsleep 0.3\nexit 3\n");
    let names: Vec<String> = (0..150).map(|place| format!("nap{place}")).collect();
    let checks =
        names.iter().map(|name| format!("check program {name} with path \"{nap}\" if status != 0 then alert\n"));
    sandbox.control(&checks.collect::<String>());
    let control = sandbox.control_path();
    let daemon = sandbox.command(&["-I", "-c", control.to_str().expect("path")]);
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -n 96; exec \"$@\"", "sh"]).arg(daemon.get_program()).args(daemon.get_args());
    limited.env_clear().envs(daemon.get_envs().filter_map(|(name, value)| Some((name, value?))));
    sandbox.start_by(limited);
    let texts: Vec<String> = names.iter().map(|name| format!("'{name}' status failed (3)")).collect();
    sandbox.await_all(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    sandbox.rewind_log();
    sandbox.assert_not_logged("failed to execute");
}

#[test]
fn what_a_program_saw_before_a_restart_does_not_count_after_it() {
    let sandbox = Sandbox::new();
    let (state, gate) = (sandbox.path("well"), sandbox.path("gate"));
    let script = format!(
        "w={}\n[ -e $w ] && exit 0\nwhile [ ! -e {} ]; do sleep 0.05; done\nexit 3",
        state.display(),
        gate.display()
    );
    let mend = sandbox.script("mend", &format!("#!/bin/sh\n: > {}\n", state.display()));
    let more = format!("with timeout 600 seconds\n start program = \"{mend}\"\n if status != 0 then restart");
    sandbox.control(&check(&sandbox, "ill", &script, &more));
    sandbox.start();
    assert_eq!(sandbox.cli(&["restart", "ill"]).code, Some(0));
    sandbox.await_log("'ill' restart action done\n");
    std::fs::write(&gate, "").expect("gate");
    sandbox.cycle();
    until("the next verdict", || {
        sandbox.cli(&["status", "ill"]).out.contains("last exit value              0").then_some(())
    });
    sandbox.rewind_log();
    sandbox.assert_not_logged("status failed");
}
