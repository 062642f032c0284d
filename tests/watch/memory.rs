//! What outlives the daemon: what people were told, half-filled rates, what Monit knew.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::{Sandbox, process, skipped, until, without_monit};

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

/// Makes the state file one of another boot.
fn boot(sandbox: &Sandbox) {
    let path = sandbox.path("state/state");
    let text = fs::read_to_string(&path).expect("state");
    let line = text.lines().find(|line| line.starts_with("boot ")).expect("boot").to_owned();
    fs::write(&path, text.replace(&line, "boot another")).expect("state");
}

#[test]
fn the_first_cycle_after_a_boot_waits_as_long_as_the_control_file_says() {
    let sandbox = Sandbox::new();
    let head = sandbox.head();
    sandbox.control_raw(&(head.replace("start delay 0", "start delay 3600") + &sandbox.service("puma")));
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.stop();
    sandbox.kill_standin("puma");
    boot(&sandbox);
    sandbox.start();
    assert!(sandbox.log().contains("will delay for 3600s on first start after reboot ...\n"));
    sandbox.assert_not_logged("'puma'");
    assert_eq!(sandbox.begun("puma", "restart"), 0);
    // The next daemon is not the first.
    sandbox.stop();
    sandbox.start();
    sandbox.await_log("'puma' process is running with pid");
}

#[test]
fn after_a_boot_of_the_machine_a_failure_is_told_anew_and_its_end_never_lost() {
    let sandbox = Sandbox::new();
    sandbox.control(&telling(&sandbox, ""));
    sandbox.start();
    sandbox.await_log("/bin/tell down'");
    sandbox.stop();
    boot(&sandbox);
    sandbox.start();
    sandbox.await_log("/bin/tell down'");
    sandbox.stop();
    boot(&sandbox);
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.await_log("/bin/tell up'");
    sandbox.cycle();
    assert_eq!(told(&sandbox), (2, 1));
}

/// Writes a state file as Monit 5.33 does, of this boot, with processes: name, whether monitored, restarts, cycles.
fn of_monit(path: &Path, services: &[(&str, bool, i32, i32)]) {
    let up = pollux::sys::platform::machine::uptime().expect("uptime").as_secs();
    let now = std::time::UNIX_EPOCH.elapsed().expect("time").as_secs();
    let mut bytes = [0_i32.to_ne_bytes(), 4_i32.to_ne_bytes()].concat();
    bytes.extend((now - up).to_ne_bytes());
    for (name, monitored, restarts, cycles) in services {
        let mut record = name.as_bytes().to_vec();
        record.resize(256, 0);
        for number in [3, i32::from(*monitored), *restarts, *cycles] {
            record.extend(number.to_ne_bytes());
        }
        record.resize(392, 0);
        bytes.extend(record);
    }
    fs::write(path, bytes).expect("state");
}

#[test]
fn what_monit_did_not_watch_is_not_watched_and_its_file_is_kept() {
    let Some(_one) = without_monit("memory::what_monit_did_not_watch_is_not_watched_and_its_file_is_kept") else {
        return;
    };
    let sandbox = Sandbox::new();
    let limited = sandbox.service_with("limited", "if 3 restarts within 9 cycles then unmonitor");
    let body = sandbox.service("puma") + &sandbox.service("Off") + &limited;
    sandbox.control(&body);
    let path = sandbox.path("state/state");
    of_monit(&path, &[("puma", true, 0, 0), ("Off", false, 0, 0), ("limited", true, 2, 4), ("gone", false, 0, 0)]);
    let before = fs::read(&path).expect("state");
    sandbox.start();
    let log = sandbox.log();
    let kept = sandbox.path("state/state.monit");
    let line = format!(
        "what Monit knew of 3 services, 1 of them not monitored, is taken over from {}; kept as {}\n",
        path.display(),
        kept.display()
    );
    assert!(log.contains(&line), "{log}");
    assert_eq!(fs::read(&kept).expect("kept"), before);
    assert!(fs::read_to_string(&path).expect("state").starts_with("pollux-state 1\n"));
    sandbox.await_all(&["'puma' process is running with pid", "'limited' process is running with pid"]);
    // The third restart is one too many, as it would have been for Monit.
    sandbox.kill_standin("limited");
    sandbox.cycle();
    sandbox.await_log("'limited' service restarted 3 times within 6 cycles(s) - unmonitor");
    assert_eq!(sandbox.begun("off", "restart") + sandbox.begun("Off", "restart"), 0);
    assert_eq!(sandbox.begun("limited", "restart"), 1);
    assert!(sandbox.cli(&["status", "Off"]).out.contains("Not monitored"));
    // Once: from then on the file is ours.
    sandbox.stop();
    sandbox.skip_log();
    sandbox.start();
    sandbox.assert_not_logged("Monit knew");
    assert!(process::lives(sandbox.standin("puma")));
}

#[test]
fn the_state_of_a_monit_that_runs_is_not_taken_from_beneath_it() {
    let Some(_one) = without_monit("memory::the_state_of_a_monit_that_runs_is_not_taken_from_beneath_it") else {
        return;
    };
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service("puma"));
    let path = sandbox.path("state/state");
    of_monit(&path, &[("puma", false, 0, 0)]);
    let before = fs::read(&path).expect("state");
    // It has the file open all the time, and a pidfile of its own.
    let monit = sandbox.script("monit", "#!/bin/sh\nexec 9<>$1\necho $$ >$2\nread -r line <$3\n");
    let (ready, gate) = (sandbox.path("ready"), sandbox.path("gate"));
    assert!(Command::new("mkfifo").arg(&gate).status().expect("mkfifo").success());
    let link = sandbox.path("bin/sh-monit/monit");
    fs::create_dir_all(link.parent().expect("directory")).expect("directory");
    std::os::unix::fs::symlink("/bin/sh", &link).expect("link");
    let mut child = Command::new(&link).arg(&monit).args([&path, &ready, &gate]).spawn().expect("monit");
    sandbox.register(child.id());
    until("it to run", || fs::read_to_string(&ready).ok()?.ends_with('\n').then_some(()));
    for verb in [&["validate"] as &[&str], &["start", "puma"]] {
        let told = sandbox.cli(verb);
        assert!(told.code == Some(1) && told.err.contains("is running, and its state is in"), "{told:?}");
    }
    assert_eq!(fs::read(&path).expect("state"), before);
    process::signal(child.id(), "KILL");
    child.wait().expect("its end");
    assert_eq!(sandbox.cli(&["validate"]).code, Some(0));
    assert_eq!(fs::read(sandbox.path("state/state.monit")).expect("kept"), before);
    assert_eq!(sandbox.begun("puma", "restart"), 0);
}

#[test]
fn what_a_program_said_and_a_filesystem_was_is_compared_over_restarts_of_the_daemon() {
    let sandbox = Sandbox::new();
    let script = sandbox.script("said", "#!/bin/sh\necho one; exit 3\n");
    sandbox.control(&format!(
        "check program said with path \"{script}\"\n if changed status then alert\n if content changed then alert\n\
         check filesystem root with path /\n if changed fsflags then alert\n\
         check network lo with interface lo\n if changed link then alert\n"
    ));
    sandbox.start();
    until("the first run", || sandbox.cli(&["status", "said"]).out.contains("last exit value").then_some(()));
    sandbox.stop();
    let path = sandbox.path("state/state");
    let state = fs::read_to_string(&path).expect("state");
    assert!(state.contains("base said status 3\n") && state.contains("base lo duplex"), "{state}");
    // Another daemon finds other flags than those that are written here.
    let place = state.find("base root flags ").expect("flags") + "base root flags ".len();
    fs::write(&path, format!("{}x,{}", &state[..place], &state[place..])).expect("state");
    sandbox.script("said", "#!/bin/sh\necho two; exit 4\n");
    sandbox.start();
    sandbox.await_all(&[
        "'said' status changed (3 -> 4) -- two\n",
        "'said' content changed on program output:\\ntwo",
        "'root' filesystem flags changed from 'x,",
    ]);
    sandbox.assert_not_logged("'lo'");
}

#[test]
fn monit_s_own_place_is_looked_at_when_nothing_else_is_said() {
    if pollux::sys::posix::account::effective_uid() == 0 {
        return skipped("memory::monit_s_own_place", "root's state is not in the sandbox");
    }
    let Some(_one) = without_monit("memory::monit_s_own_place") else { return };
    let sandbox = Sandbox::new();
    let head = sandbox.head();
    let silent: String = head.split_inclusive('\n').filter(|line| !line.starts_with("set statefile")).collect();
    sandbox.control_raw(&(silent + &sandbox.service("puma")));
    of_monit(&sandbox.path(".monit.state"), &[("PUMA", false, 0, 0)]);
    let told = sandbox.cli(&["validate"]);
    assert!(told.err.contains("what Monit knew of 1 services") || sandbox.log().contains("of 1 services"), "{told:?}");
    assert!(sandbox.path(".monit.state").exists());
    assert_eq!(sandbox.begun("puma", "restart"), 0);
}
