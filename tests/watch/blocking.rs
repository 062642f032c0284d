//! Calls that could block the loop, and how long it was busy meanwhile.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{Sandbox, page, process, skipped, until};

fn httpd(port: u16) -> String {
    format!("set httpd port {port} and use address 127.0.0.1\n allow 127.0.0.1\n")
}

/// The longest the loop was busy in some time of cycles.
fn worst_lag(sandbox: &Sandbox, port: u16) -> Duration {
    (0..10)
        .map(|_| {
            sandbox.signal("USR1");
            (0..5).map(|_| page::lag(port)).max().expect("lags")
        })
        .max()
        .expect("lags")
}

/// The promise is 100 ms; a machine that does other things meanwhile needs more. What blocks, blocks for seconds.
const LAG: Duration = Duration::from_secs(1);

#[test]
fn fifos_and_dead_names_do_not_block_the_loop() {
    let sandbox = Sandbox::new();
    let port = page::free_port();
    for fifo in ["run/a.pid", "run/b.pid"] {
        assert!(Command::new("mkfifo").arg(sandbox.path(fifo)).status().expect("mkfifo").success());
    }
    let dir = sandbox.dir.display().to_string();
    let body = format!("{} allow no-such-name.invalid\n allow dead.example.invalid\n", httpd(port));
    sandbox.control(
        &(body
            + &format!("check process a with pidfile {dir}/run/a.pid\ncheck process b with pidfile {dir}/run/b.pid\n")),
    );
    sandbox.start();
    sandbox.await_log("'a' pidfile is a FIFO");
    let lag = worst_lag(&sandbox, port);
    eprintln!("loop lag with FIFOs and dead names: {lag:?}");
    assert!(lag < LAG, "{lag:?}");
    let begun = Instant::now();
    sandbox.signal("HUP");
    sandbox.await_log(" reloaded\n");
    assert!(begun.elapsed() < LAG, "{:?}", begun.elapsed());
}

#[test]
fn a_full_syslog_socket_does_not_block_the_loop() {
    let sandbox = Sandbox::new();
    let port = page::free_port();
    // A /dev of our own, in which /dev/log is a socket that nobody reads.
    let script = sandbox.script(
        "with-dev-log",
        "#!/bin/sh\nmkdir @DIR@/dev && mount --rbind /dev @DIR@/dev && mount -t tmpfs none /dev || exit 77\n\
         : >/dev/null && mount --bind @DIR@/dev/null /dev/null && ln -s @DIR@/syslog /dev/log || exit 77\nexec \"$@\"\n",
    );
    let mut probe = Command::new("unshare");
    probe.args(["-Urm", &script, "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let works = probe.status().is_ok_and(|status| status.success());
    let _ = fs::remove_dir(sandbox.path("dev"));
    if !works {
        return skipped(
            "traps::a_full_syslog_socket_does_not_block_the_loop",
            "/dev/log cannot be replaced in a user namespace here",
        );
    }
    let syslog = UnixDatagram::bind(sandbox.path("syslog")).expect("socket");
    let head = sandbox.head().lines().filter(|line| !line.contains("set log")).collect::<Vec<_>>().join("\n");
    sandbox.control_raw(&format!("{head}\nset log syslog\n{}{}", httpd(port), sandbox.service("puma")));
    let pid = sandbox.bring_up("puma");
    let mut command = Command::new("unshare");
    command.args(["-Urm", &script, env!("CARGO_BIN_EXE_pollux"), "-I", "-c"]).arg(sandbox.control_path());
    let plain = sandbox.command(&[]);
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    sandbox.launch(command);
    until("the page", || page::get(port, "/_ping").ok());
    // Far more lines than a socket's queue holds.
    for _ in 0..30 {
        sandbox.cycle();
    }
    let said = sandbox.daemon_said();
    assert!(said.matches("Awakened").count() >= 30, "{said}");
    let lag = worst_lag(&sandbox, port);
    eprintln!("loop lag with a full syslog socket: {lag:?}");
    assert!(lag < LAG, "{lag:?}");
    // Still a watchdog; and when somebody reads again, the loss is told.
    assert!(process::signal(pid, "KILL"));
    until("the death", || (!process::lives(pid)).then_some(()));
    sandbox.cycle();
    until("the revival", || sandbox.daemon_said().contains("'puma' process is running with pid").then_some(()));
    syslog.set_nonblocking(true).expect("socket");
    let mut buffer = [0; 8192];
    let mut told = Vec::new();
    until("the loss", || {
        while let Ok(length) = syslog.recv(&mut buffer) {
            told.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        sandbox.cycle();
        told.iter().any(|line| line.contains("log lines were lost before this one")).then_some(())
    });
    assert!(told.iter().all(|line| line.starts_with('<') && line.contains(" pollux[")), "{told:?}");
    assert_eq!(sandbox.cli(&["quit"]).code, Some(0));
    assert_eq!(sandbox.ended(), Some(0));
}
