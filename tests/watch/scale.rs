//! What a steady cycle costs with many services. Run by hand, with a release build:
//! `cargo test --release --test watch scale -- --ignored --nocapture`.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::{Sandbox, process, until};

const SERVICES: usize = 1000;
const PROCESSES: usize = 2000;
const CYCLES: u64 = 100;

/// Stand-ins that cost little: children of one shell, so that one number ends them all.
fn crowd(sandbox: &Sandbox) -> std::process::Child {
    let sleep = Command::new("sh").args(["-c", "command -v sleep"]).output().expect("sh").stdout;
    let sleep = String::from_utf8(sleep).expect("path");
    std::os::unix::fs::symlink(sleep.trim(), sandbox.path("bin/sleep")).expect("link");
    // The duration is the title: 100001 s belongs to the first service, and so on.
    let script = sandbox.script(
        "crowd",
        &format!(
            "#!/bin/sh\ni=1\nwhile [ $i -le {PROCESSES} ]; do\n@DIR@/bin/sleep $((100000 + i)) &\n\
             echo $! >@DIR@/run/c$i.pid\necho \"$! crowd\" >>@DIR@/run/pids\ni=$((i + 1))\ndone\n\
             echo ready >@DIR@/run/ready\nexec 3<>@DIR@/run/never\nread -r x <&3\n"
        ),
    );
    sandbox.fifo("run/never");
    let child = Command::new(script).stdin(Stdio::null()).spawn().expect("crowd");
    until("the crowd", || sandbox.path("run/ready").exists().then_some(()));
    child
}

fn measure(name: &str, target: impl Fn(&Sandbox, usize) -> String) {
    let sandbox = Sandbox::new();
    let mut crowd = crowd(&sandbox);
    let dir = sandbox.dir.display().to_string();
    let mut body = String::new();
    for i in 1..=SERVICES {
        let target = target(&sandbox, i);
        body += &format!("check process s{i} {target}\n start program \"{dir}/bin/service s{i} start\"\n");
    }
    sandbox.control(&body);
    sandbox.start();
    sandbox.cycle();
    assert!(!sandbox.log().contains("not running"), "all live");
    assert_eq!(sandbox.cli(&["report", "up"]).out.trim(), (SERVICES + 1).to_string());
    let pid = sandbox.pid();

    let ticks = process::cpu_ticks(pid);
    for _ in 0..CYCLES {
        sandbox.skip_log();
        sandbox.signal("USR1");
        sandbox.await_log("Awakened");
    }
    // The last cycle is done when this is answered.
    sandbox.settled();
    let used = process::cpu_ticks(pid) - ticks;
    let milliseconds = used as f64 * 10.0 / CYCLES as f64;

    let sleeps = process::sleeps(pid);
    std::thread::sleep(Duration::from_secs(5));
    let idle = process::sleeps(pid) - sleeps;
    eprintln!(
        "{name}: {SERVICES} services among {PROCESSES} processes: {milliseconds:.1} ms of CPU per steady cycle \
         ({CYCLES} cycles), resident {}, {idle} wake-ups in 5 idle seconds",
        process::status_field(pid, "VmRSS"),
    );
    let _ = crowd.kill();
    let _ = crowd.wait();
    if !cfg!(debug_assertions) {
        assert!(milliseconds < 100.0);
    }
}

#[test]
#[ignore = "takes a minute and 2000 processes"]
fn a_thousand_patterns() {
    measure("patterns", |sandbox, i| format!("matching \"{}/bin/sleep {}$\"", sandbox.dir.display(), 100_000 + i));
}

#[test]
#[ignore = "takes a minute and 2000 processes"]
fn a_thousand_pidfiles() {
    measure("pidfiles", |sandbox, i| format!("with pidfile {}/run/c{i}.pid", sandbox.dir.display()));
}
