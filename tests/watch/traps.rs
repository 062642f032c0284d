//! The traps of a watchdog that is one loop around poll(2), each with the test that catches it.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::harness::{Sandbox, page, process, skipped, until};

fn httpd(port: u16) -> String {
    format!("set httpd port {port} and use address 127.0.0.1\n allow 127.0.0.1\n")
}

/// The started daemon keeps the start program's output for ever: neither its writing nor our end may hurt it.
#[test]
fn a_daemon_that_writes_to_what_it_inherited_survives_everything() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service("puma"));
    fs::write(sandbox.path("run/puma.mode"), "direct").expect("mode");
    sandbox.start();
    sandbox.await_log("'puma' process is running with pid");
    let pid = sandbox.standin("puma");
    let output =
        fs::read_dir(sandbox.path("state/state.output")).expect("output").flatten().next().expect("a file").path();
    let size = || fs::metadata(&output).expect("output").len();
    let flooded = |count: usize| {
        sandbox.tell("run/puma.ctl", "flood\n");
        until("the flood's end", || {
            let done = fs::read_to_string(sandbox.path("run/puma.done")).unwrap_or_default();
            (done.lines().count() == count).then_some(())
        });
    };
    // A line a second, all the while.
    sandbox.tell("run/puma.ctl", "chat\n");
    until("a line", || fs::read_to_string(&output).expect("output").contains("tick").then_some(()));
    flooded(1);
    assert!(size() > 64 * 1024);
    sandbox.cycle();
    assert!(size() <= 64 * 1024, "a cycle empties what has grown too large");

    sandbox.stop();
    flooded(2);
    assert!(process::lives(pid), "after TERM");
    sandbox.start();
    sandbox.cycle();
    assert!(size() <= 64 * 1024, "also what was written while nobody watched");
    sandbox.kill();
    flooded(3);
    assert!(process::lives(pid), "after kill -9");
    sandbox.start();
    sandbox.signal("HUP");
    sandbox.await_log(" reloaded\n");
    sandbox.cycle();
    flooded(4);
    sandbox.cycle();
    assert!(size() <= 64 * 1024);
    assert_eq!(sandbox.standin("puma"), pid);
    assert!(process::lives(pid));
    assert_eq!(sandbox.begun("puma", "restart"), 1);
    // It still writes: the end of its file moves.
    let before = size();
    until("another line", || (size() > before).then_some(()));
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&output).expect("output").permissions());
    assert_eq!(mode & 0o777, 0o600);
}

/// How long an idle daemon is looked at. This time is the thing that is measured.
const IDLE: Duration = Duration::from_secs(5);

/// At most so many wake-ups, and next to no CPU: a poll(2) that returns at once does not sleep, but it spins.
fn assert_idle(sandbox: &Sandbox, wake_ups: u64) {
    let pid = sandbox.pid();
    let (sleeps, ticks) = (process::sleeps(pid), process::cpu_ticks(pid));
    std::thread::sleep(IDLE);
    let (sleeps, ticks) = (process::sleeps(pid) - sleeps, process::cpu_ticks(pid) - ticks);
    assert!(sleeps <= wake_ups, "{sleeps} wake-ups in {IDLE:?}");
    assert!(ticks <= 20, "{ticks} ticks of CPU in {IDLE:?}");
}

#[test]
fn an_idle_daemon_does_not_wake_up() {
    if !cfg!(target_os = "linux") {
        return skipped("traps::an_idle_daemon_does_not_wake_up", "it reads Linux's /proc");
    }
    let sandbox = Sandbox::new();
    let port = page::free_port();
    sandbox.control(&(httpd(port) + &sandbox.service("puma")));
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.cycle();
    page::get(port, "/").expect("an answer");
    // The command line's connections are closed by now or will be within their linger time: one wake-up each.
    assert_idle(&sandbox, 4);
}

#[test]
fn descriptors_at_their_end_do_not_spin_the_loop() {
    if !cfg!(target_os = "linux") {
        return skipped("traps::descriptors_at_their_end_do_not_spin_the_loop", "it reads Linux's /proc");
    }
    let sandbox = Sandbox::new();
    let port = page::free_port();
    let closed = sandbox.script(
        "closed",
        "#!/bin/sh\necho $$ >>@DIR@/run/pids\nexec >&- 2>&- <&-\nexec 3<>@DIR@/run/never\nread -r x <&3\n",
    );
    sandbox.fifo("run/never");
    sandbox.control(
        &(httpd(port)
            + &sandbox.service("puma")
            + &format!("check process closed matching \"nobody-has-this-{}\"\n start program \"{closed}\" timeout 3600 seconds\n", sandbox.tag)),
    );
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.await_log("'closed' start: '");
    sandbox.cycle();
    // Half a request and no more to come; a whole one and no more to come, whose answer nobody reads.
    let mut half = page::connect(port).expect("connect");
    half.write_all(b"GET / HT").expect("write");
    half.shutdown(Shutdown::Write).expect("shutdown");
    let mut whole = page::connect(port).expect("connect");
    whole.write_all(b"GET /_status HTTP/1.0\r\n\r\n").expect("write");
    whole.shutdown(Shutdown::Write).expect("shutdown");
    let silent = page::connect(port).expect("connect");
    assert_idle(&sandbox, 10);
    drop((half, whole, silent));
    page::lag(port);
}

#[test]
fn two_hundred_programs_that_end_at_once_are_told_apart() {
    let sandbox = Sandbox::new();
    let dir = sandbox.dir.display().to_string();
    let mut body = String::new();
    for code in 1..=200 {
        body.push_str(&format!(
            "check process s{code} matching \"nobody-has-this-{}\"\n if does not exist then exec \"{dir}/bin/code {code}\"\n",
            sandbox.tag
        ));
    }
    sandbox.control(&body);
    sandbox.shut_gate("code");
    sandbox.start();
    until("200 programs", || (sandbox.record().len() == 200).then_some(()));
    sandbox.signal("STOP");
    until("the stop", || process::status_is(sandbox.pid(), 'T').then_some(()));
    sandbox.let_go("code", 200);
    let programs = sandbox.record();
    until("their ends", || programs.iter().all(|program| !process::lives(program.pid)).then_some(()));
    sandbox.signal("CONT");
    for code in 1..=200 {
        let text = format!("'s{code}' exec program ended with status {code} ");
        until(&text, || sandbox.log().contains(&text).then_some(()));
    }
    assert_eq!(sandbox.log().matches("exec program ended with status").count(), 200);
}

#[test]
fn fifty_start_programs_that_end_at_once_are_told_apart() {
    let sandbox = Sandbox::new();
    let dir = sandbox.dir.display().to_string();
    let mut body = String::new();
    for code in 1..=50 {
        body.push_str(&format!(
            "check process s{code} matching \"nobody-has-this-{}\"\n start program \"{dir}/bin/code {code}\" timeout 8 seconds\n",
            sandbox.tag
        ));
    }
    sandbox.control(&body);
    sandbox.shut_gate("code");
    sandbox.start();
    until("50 programs", || (sandbox.record().len() == 50).then_some(()));
    sandbox.signal("STOP");
    until("the stop", || process::status_is(sandbox.pid(), 'T').then_some(()));
    sandbox.let_go("code", 50);
    let programs = sandbox.record();
    until("their ends", || programs.iter().all(|program| !process::lives(program.pid)).then_some(()));
    sandbox.signal("CONT");
    for code in 1..=50 {
        let text = format!("'s{code}' failed to start (exit status {code}) ");
        until(&text, || sandbox.log().contains(&text).then_some(()));
    }
    assert_eq!(sandbox.record().len(), 50, "each ran once");
}

/// What has arrived counts, however long we were away: nobody is told to have been too slow because we were. Where in its
/// loop a daemon is stopped is chance, so several are, each kept busy by another client.
#[test]
fn a_request_that_waits_while_the_daemon_is_stopped_is_answered() {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let mut clients = Vec::new();
        for _ in 0..8 {
            let sandbox = Sandbox::new();
            let port = page::free_port();
            sandbox.control(&(httpd(port) + &sandbox.service("puma")));
            sandbox.bring_up("puma");
            sandbox.start();
            let mut begun = page::connect(port).expect("connect");
            begun.write_all(b"GET /_ping HT").expect("write");
            // Connections are accepted in their order: when this one is answered, that one was accepted.
            page::lag(port);
            let over = &over;
            scope.spawn(move || while !over.load(Ordering::Relaxed) && page::get(port, "/_ping").is_ok() {});
            sandbox.signal("STOP");
            until("the stop", || process::status_is(sandbox.pid(), 'T').then_some(()));
            begun.write_all(b"TP/1.0\r\n\r\n").expect("write");
            let mut later = page::connect(port).expect("connect");
            later.write_all(b"GET /_ping HTTP/1.0\r\n\r\n").expect("write");
            clients.push((sandbox, begun, later));
        }
        // Longer than a client may take for its request.
        std::thread::sleep(Duration::from_secs(6));
        over.store(true, Ordering::Relaxed);
        for (sandbox, ..) in &clients {
            sandbox.signal("CONT");
        }
        for (sandbox, begun, later) in clients {
            for mut client in [begun, later] {
                let mut answer = String::new();
                client.read_to_string(&mut answer).expect("an answer");
                assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
            }
            sandbox.cycle();
            sandbox.assert_not_logged("not running");
        }
    });
}

#[test]
fn a_stop_that_is_long_over_when_the_daemon_wakes_is_no_failure() {
    let sandbox = Sandbox::new();
    sandbox.control(&sandbox.service("puma").replacen("timeout 60 seconds", "timeout 2 seconds", 1));
    sandbox.shut_gate("puma");
    sandbox.start();
    sandbox.await_begun("puma", "restart", 1);
    sandbox.signal("STOP");
    until("the stop", || process::status_is(sandbox.pid(), 'T').then_some(()));
    // It succeeds in time; that we slept past its timeout is not its fault.
    sandbox.let_go("puma", 1);
    sandbox.standin("puma");
    std::thread::sleep(Duration::from_secs(3));
    sandbox.signal("CONT");
    sandbox.await_log("'puma' process is running with pid");
    assert!(!sandbox.log().contains("failed to start"));
    assert_eq!(sandbox.begun("puma", "restart"), 1);
}

#[test]
fn a_flood_of_connections_neither_stops_the_loop_nor_the_private_socket() {
    let sandbox = Sandbox::new();
    let port = page::free_port();
    sandbox.control(&(httpd(port) + &sandbox.service("puma")));
    sandbox.bring_up("puma");
    sandbox.start();
    let mut open = Vec::new();
    for round in 0..100 {
        let Ok(mut client) = page::connect(port) else { continue };
        // Some are readable while they are evicted by the next.
        let _ = client.write_all(if round % 2 == 0 { b"GET /_ping HTTP/1.0\r\n\r\n" } else { b"GET /_pi" });
        open.push(client);
    }
    assert_eq!(sandbox.cli(&["summary", "-B"]).code, Some(0));
    sandbox.kill_standin("puma");
    sandbox.cycle();
    sandbox.await_log("'puma' process is running with pid");
    drop(open);
    page::lag(port);
}

#[test]
fn a_reload_during_a_start_starts_nothing_twice() {
    let sandbox = Sandbox::new();
    let head = sandbox.head();
    let [a, b, c] = ["alpha", "beta", "gamma"].map(|name| sandbox.service(name));
    sandbox.control_raw(&format!("{head}{a}{b}{c}"));
    sandbox.bring_up("alpha");
    sandbox.bring_up("gamma");
    sandbox.shut_gate("beta");
    sandbox.start();
    let hanging = sandbox.await_begun("beta", "restart", 1);
    let reload = || {
        sandbox.signal("HUP");
        sandbox.await_log(" reloaded\n");
        sandbox.cycle();
        assert_eq!(sandbox.begun("beta", "restart"), 1);
        assert!(process::lives(hanging));
    };
    // Others take its place, it goes away, it comes back, all while its start program runs.
    sandbox.control_raw(&format!("{head}{c}{b}"));
    reload();
    sandbox.control_raw(&format!("{head}{c}{a}"));
    reload();
    sandbox.control_raw(&format!("{head}{b}{c}{a}"));
    reload();
    sandbox.let_go("beta", 1);
    until("the service", || {
        sandbox.cycle();
        let status = sandbox.cli(&["status", "beta"]).out;
        (status.contains("  status                       OK\n") && status.contains("  pid  ")).then_some(())
    });
    let record = sandbox.record();
    assert_eq!(record.iter().filter(|e| e.begins && e.verb == "restart").count(), 1, "{record:?}");
    sandbox.assert_not_logged("failed");
}

#[test]
fn the_result_of_a_service_that_is_gone_reaches_nobody() {
    let sandbox = Sandbox::new();
    let head = sandbox.head();
    let [a, b] = ["alpha", "beta"].map(|name| sandbox.service(name));
    sandbox.control_raw(&format!("{head}{b}{a}"));
    sandbox.bring_up("alpha");
    sandbox.shut_gate("beta");
    sandbox.start();
    let hanging = sandbox.await_begun("beta", "restart", 1);
    sandbox.control_raw(&format!("{head}{a}"));
    sandbox.signal("HUP");
    sandbox.await_log(" reloaded\n");
    assert!(process::signal(hanging, "KILL"));
    until("its end", || (!process::lives(hanging)).then_some(()));
    sandbox.cycle();
    let status = sandbox.cli(&["status"]).out;
    assert!(!status.contains("beta") && !status.contains("failed") && !status.contains("pending"), "{status}");
    sandbox.assert_not_logged("'alpha'");
}

#[test]
fn programs_inherit_nothing_but_what_the_manual_says() {
    if !cfg!(target_os = "linux") {
        return skipped("traps::programs_inherit_nothing_but_what_the_manual_says", "it reads Linux's /proc");
    }
    let sandbox =
        Sandbox::new().with_env("SECRET", "of the administrator").with_env("LC_ALL", "C").with_env("LANG", "C");
    let port = page::free_port();
    let sleep = String::from_utf8(Command::new("sh").args(["-c", "command -v sleep"]).output().expect("sh").stdout)
        .expect("path");
    std::os::unix::fs::symlink(sleep.trim(), sandbox.path("bin/sleep")).expect("link");
    let dir = sandbox.dir.display().to_string();
    sandbox.control(&format!(
        "{}check process x matching \"nobody-has-this-{}\"\n start program \"{dir}/bin/sleep 3600\" timeout 3600 seconds\n",
        httpd(port),
        sandbox.tag
    ));
    // A caller who leaves everything behind that can be left.
    let mut command = Command::new("/bin/sh");
    let script = "trap '' HUP QUIT USR2 PIPE TSTP; umask 077; cd @; exec 7</dev/null 9<>@/run/extra; exec \"$0\" -I -c @/monitrc";
    command.args(["-c", &script.replace('@', &dir), env!("CARGO_BIN_EXE_pollux")]);
    fs::write(sandbox.path("run/extra"), "").expect("file");
    let plain = sandbox.command(&[]);
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    sandbox.start_by(command);
    let state = || fs::read_to_string(sandbox.path("state/state")).unwrap_or_default();
    let pid: u32 = until("the journal", || {
        state().lines().find_map(|line| line.strip_prefix("job start ")?.split(' ').next()?.parse().ok())
    });
    sandbox.register(pid);
    until("its execution", || process::command(pid).contains("/bin/sleep 3600").then_some(()));

    let mut descriptors: Vec<_> =
        fs::read_dir(format!("/proc/{pid}/fd")).expect("fd").flatten().map(|e| e.file_name()).collect();
    descriptors.sort();
    assert_eq!(descriptors, ["0", "1", "2"]);
    let link = |what: &str| fs::read_link(format!("/proc/{pid}/{what}")).expect("link").display().to_string();
    assert_eq!(link("fd/0"), "/dev/null");
    assert_eq!(link("fd/1"), format!("{dir}/state/state.output/x"));
    assert_eq!(link("fd/2"), link("fd/1"));
    assert_eq!(link("cwd"), "/");
    // Signals 32 and 33 belong to the C library, which lets nobody reset them; who ran the tests may have ignored them.
    const OF_LIBC: u64 = 0b11 << 31;
    for mask in ["SigBlk", "SigIgn", "SigPnd", "ShdPnd"] {
        let bits = u64::from_str_radix(&process::status_field(pid, mask), 16).expect("a mask");
        assert_eq!(bits & !OF_LIBC, 0, "{mask} {bits:x}");
    }
    assert_eq!(process::status_field(pid, "Umask"), "0022");
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("stat");
    let fields: Vec<&str> = stat.rsplit_once(") ").expect("name").1.split(' ').collect();
    assert_eq!(fields[2..4], [pid.to_string(), pid.to_string()], "its own process group and session");
    let environment = fs::read(format!("/proc/{pid}/environ")).expect("environ");
    let environment = String::from_utf8(environment).expect("text");
    let mut names: Vec<&str> = environment.split_terminator('\0').map(|v| v.split_once('=').expect("=").0).collect();
    names.sort_unstable();
    let expected = [
        "HOME",
        "LANG",
        "LC_ALL",
        "LOGNAME",
        "MONIT_DATE",
        "MONIT_DESCRIPTION",
        "MONIT_EVENT",
        "MONIT_HOST",
        "MONIT_SERVICE",
        "PATH",
        "SHELL",
        "TZ",
        "USER",
    ];
    assert_eq!(names, expected);
    assert!(environment.contains("PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin\0"));
    assert!(environment.contains("MONIT_SERVICE=x\0MONIT_"));

    // The listener is not among what it holds: its port can be bound while it lives.
    sandbox.stop();
    assert!(process::lives(pid));
    drop(std::net::TcpListener::bind(("127.0.0.1", port)).expect("the port is free"));
    sandbox.start();
    sandbox.await_log("'x' start program of an earlier daemon still runs");
    page::lag(port);
    sandbox.kill();
    sandbox.start();
    page::lag(port);
    assert!(process::lives(pid));
}

#[test]
fn a_service_whose_name_changes_case_is_the_same_service() {
    let sandbox = Sandbox::new();
    let body = sandbox.service("puma").replacen("timeout 60 seconds", "timeout 1 seconds", 1);
    sandbox.control(&body);
    sandbox.shut_gate("puma");
    sandbox.start();
    let hanging = sandbox.await_begun("puma", "restart", 1);
    sandbox.await_log("'puma' failed to start");
    sandbox.control(&body.replace("check process puma", "check process Puma"));
    sandbox.signal("HUP");
    sandbox.await_log(" reloaded\n");
    sandbox.cycle();
    sandbox.cycle();
    assert!(process::lives(hanging));
    assert_eq!(sandbox.begun("puma", "restart"), 1);
    sandbox.await_log("'Puma' its start program still runs");
}
