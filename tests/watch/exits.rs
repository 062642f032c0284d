//! What `if exited` promises: a process that ends is revived without waiting for a cycle, and never twice.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Sandbox, process, skipped, until};

/// A service whose end is told; cycles come once an hour. Each test has names of its own: the scripts of another sandbox are
/// those of somebody else who is at a service of that name.
fn asking(sandbox: &Sandbox, name: &str) -> String {
    sandbox.service_with(name, "if exited then restart")
}

#[test]
fn a_killed_process_is_started_at_once_and_once() {
    for by_pidfile in [false, true] {
        let sandbox = Sandbox::new();
        if by_pidfile {
            sandbox.control(&(sandbox.service_by_pidfile("killed") + "  if exited then restart\n"));
        } else {
            sandbox.control(&asking(&sandbox, "killed"));
        }
        sandbox.bring_up("killed");
        sandbox.start();
        sandbox.cycle();
        sandbox.kill_standin("killed");
        sandbox.await_log("'killed' process is not running\n");
        sandbox.await_log("'killed' process is running with pid");
        assert_eq!(sandbox.begun("killed", "restart"), 1);
        sandbox.cycle();
        sandbox.cycle();
        assert_eq!(sandbox.begun("killed", "restart"), 1);
        assert!(process::lives(sandbox.standin("killed")));
    }
}

#[test]
fn a_restart_by_an_outside_script_is_waited_for_and_not_doubled() {
    let sandbox = Sandbox::new();
    sandbox.control(&asking(&sandbox, "outside"));
    let first = sandbox.bring_up("outside");
    sandbox.start();
    sandbox.cycle();
    // The script stops the process, and then takes its time: the gate holds it between stop and start.
    sandbox.script(
        "slow",
        "#!/bin/sh\n@DIR@/bin/service outside stop\nread -r line <@DIR@/run/slow.gate\nexec @DIR@/bin/service outside start\n",
    );
    sandbox.fifo("run/slow.gate");
    let script = sandbox.path("bin/slow");
    let mut child =
        Command::new("/bin/sh").arg(script).args(["outside", "restart"]).stdin(Stdio::null()).spawn().unwrap();
    sandbox.await_log("'outside' process has ended; '");
    let log = sandbox.log();
    assert!(log.contains("slow outside restart' (pid ") || log.contains("service outside stop' (pid "), "{log}");
    assert!(!process::lives(first));
    // Neither a cycle nor the settle time starts it beside the script.
    sandbox.cycle();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(sandbox.begun("outside", "restart"), 0);
    sandbox.tell("run/slow.gate", "go\n");
    assert!(child.wait().unwrap().success());
    sandbox.await_log("'outside' process has ended, and another runs with pid");
    sandbox.cycle();
    assert_eq!((sandbox.begun("outside", "restart"), sandbox.begun("outside", "start")), (0, 2));
    // The new process is watched in its turn.
    sandbox.kill_standin("outside");
    sandbox.await_log("'outside' process is running with pid");
    assert_eq!(sandbox.begun("outside", "restart"), 1);
}

#[test]
fn the_end_of_a_process_does_not_make_the_loop_spin() {
    if cfg!(not(target_os = "linux")) {
        return skipped("the_end_of_a_process_does_not_make_the_loop_spin", "counts sleeps as Linux tells them");
    }
    let sandbox = Sandbox::new();
    let alert = sandbox.service_with("calm", "mode passive\n  if exited then alert");
    sandbox.control(&alert);
    sandbox.bring_up("calm");
    sandbox.start();
    let daemon = sandbox.pid();
    sandbox.cycle();
    sandbox.kill_standin("calm");
    sandbox.await_log("'calm' process is not running\n");
    let before = process::sleeps(daemon);
    std::thread::sleep(Duration::from_secs(2));
    let slept = process::sleeps(daemon) - before;
    assert!(slept < 10, "{slept} sleeps in two seconds");
}

#[test]
fn without_descriptors_cycles_find_what_ended_and_it_is_said_once() {
    let sandbox = Sandbox::new().with_env("POLLUX_FAULT", "watch=EMFILE");
    if cfg!(not(debug_assertions)) {
        return skipped("without_descriptors_cycles_find_what_ended_and_it_is_said_once", "faults need a debug build");
    }
    sandbox.control(&(asking(&sandbox, "poor") + &asking(&sandbox, "poorer")));
    sandbox.bring_up("poor");
    sandbox.bring_up("poorer");
    sandbox.start();
    sandbox.cycle();
    sandbox.cycle();
    sandbox.kill_standin("poor");
    sandbox.cycle();
    sandbox.await_log("'poor' process is running with pid");
    assert_eq!(sandbox.begun("poor", "restart"), 1);
    assert_eq!(sandbox.log().matches("cannot be told when 2 processes end (").count(), 1, "{}", sandbox.log());
    assert_eq!(sandbox.log().matches("cannot be told").count(), 1);
}

/// From kill -9 to the first line of the start program, fifty services one after the other, `set daemon 30`. Run it by name:
/// `cargo test --release --test watch from_kill_to_start -- --ignored --nocapture`.
#[test]
#[ignore = "a benchmark"]
fn from_kill_to_start() {
    const COUNT: usize = 50;
    let sandbox = Sandbox::new();
    sandbox.fifo("run/bell");
    sandbox.script("ring", "#!/bin/sh\necho x >@DIR@/run/bell\nexec @DIR@/bin/service \"$@\"\n");
    let mut body = String::new();
    for place in 0..COUNT {
        let name = format!("s{place}");
        let statements = asking(&sandbox, &name);
        body += &statements.replace("/bin/service ", "/bin/ring ");
        sandbox.bring_up(&name);
    }
    sandbox.control_raw(&(sandbox.head_with_interval(30) + &body));
    sandbox.start();
    sandbox.cycle();
    let mut bell = std::fs::File::open(sandbox.path("run/bell")).unwrap();
    let mut times: Vec<Duration> = (0..COUNT)
        .map(|place| {
            let name = format!("s{place}");
            let pid = sandbox.standin(&name);
            let begun = Instant::now();
            process::signal(pid, "KILL");
            bell.read_exact(&mut [0; 2]).unwrap();
            let taken = begun.elapsed();
            until("the process", || (sandbox.done(&name, "restart") == 1).then_some(()));
            taken
        })
        .collect();
    times.sort();
    let (median, worst) = (times[COUNT / 2], times[COUNT - 1]);
    eprintln!("from kill -9 to start program, {COUNT} services: median {median:?}, worst {worst:?}");
    assert!(cfg!(debug_assertions) || median < Duration::from_millis(100), "{median:?}");
}
