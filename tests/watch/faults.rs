//! What happens when something is wrong around the daemon: does it start, with which exit code and words, do checks go on?
//!
//! Each test prints its row of that table: `cargo test --test watch faults -- --nocapture | grep '^|' | sort`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{Sandbox, Told, page, process, skipped, until, without_monit};

/// A row of the table. Paths are shown without the sandbox's part.
fn row(sandbox: &Sandbox, fault: &str, starts: &str, message: &str, checks: &str) {
    let message = message.trim().replace(&sandbox.dir.display().to_string(), "DIR").replace('\n', "<br>");
    let message = message.replace(&sandbox.tag, "TAG").replace('|', "\\|");
    // One write, so that rows of tests that run side by side do not mix.
    eprintln!("| {fault} | {starts} | `{message}` | {checks} |");
}

/// The daemon is asked to start in the foreground, and must refuse.
fn refused(sandbox: &Sandbox, fault: &str) -> Told {
    let told = sandbox.cli(&["-I"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    row(sandbox, fault, "no, exit 1", &told.err, "-");
    told
}

/// The daemon runs and still does its work: a service that dies comes back.
fn assert_goes_on(sandbox: &Sandbox, name: &str) {
    let before = sandbox.begun(name, "restart");
    sandbox.kill_standin(name);
    sandbox.cycle();
    sandbox.await_log(&format!("'{name}' process is running with pid"));
    assert_eq!(sandbox.begun(name, "restart"), before + 1);
}

/// A sandbox with one service that lives and is watched by pattern.
fn with_puma() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    let body = sandbox.service("puma");
    sandbox.bring_up("puma");
    (sandbox, body)
}

#[test]
fn control_file_with_a_wrong_mode() {
    let (sandbox, body) = with_puma();
    sandbox.control(&body);
    for (mode, word) in [(0o644, "0644"), (0o660, "0660"), (0o701, "0701")] {
        fs::set_permissions(sandbox.control_path(), fs::Permissions::from_mode(mode)).expect("mode");
        let told = sandbox.cli(&["-I"]);
        assert_eq!(told.code, Some(1));
        let path = sandbox.control_path();
        let text = format!("The control file '{}' permission {word} is wrong, maximum 0700 allowed", path.display());
        assert!(told.err.contains(&text), "{told:?}");
        assert_eq!(sandbox.cli(&["-t"]).code, Some(1));
        row(&sandbox, &format!("control file of mode {word}"), "no, exit 1", &told.err, "-");
    }
    fs::set_permissions(sandbox.control_path(), fs::Permissions::from_mode(0o700)).expect("mode");
    assert_eq!(sandbox.cli(&["-t"]).code, Some(0));
}

#[test]
fn control_file_of_another_owner() {
    let (sandbox, body) = with_puma();
    sandbox.control(&body);
    let own = std::os::unix::fs::MetadataExt::uid(&fs::metadata(&sandbox.dir).expect("directory"));
    if std::os::unix::fs::chown(sandbox.control_path(), Some(own + 1), None).is_err() {
        return skipped("faults::control_file_of_another_owner", "only root can give files away");
    }
    let told = refused(&sandbox, "control file of another owner");
    assert!(told.err.contains("must be owned by you."), "{told:?}");
}

#[test]
fn control_file_that_is_missing() {
    let sandbox = Sandbox::new();
    let told = refused(&sandbox, "control file missing");
    assert!(told.err.contains("is not a file"), "{told:?}");
}

#[test]
fn include_of_what_is_not_there() {
    for (pattern, fault, warns) in [
        ("@DIR@/run/*.conf", "include: a pattern without a match", false),
        ("@DIR@/missing.conf", "include: a path that is not there", true),
        ("@DIR@/missing.d/*", "include: a directory that is not there", true),
    ] {
        let (sandbox, body) = with_puma();
        sandbox.control(&format!("include {pattern}\n{body}"));
        let tested = sandbox.cli(&["-t"]);
        assert_eq!((tested.code, tested.out.as_str()), (Some(0), "Control file syntax OK\n"));
        assert_eq!(tested.err.contains("warning: there is no such"), warns, "{tested:?}");
        sandbox.start();
        assert_eq!(sandbox.daemon_said().contains("warning: there is no such"), warns);
        assert_goes_on(&sandbox, "puma");
        row(&sandbox, fault, "yes", &tested.err, "yes");
    }
}

#[test]
fn state_file_that_cannot_be_written() {
    let (sandbox, body) = with_puma();
    let head = sandbox.head().replace("/state/state", "/blocked/state");
    // A file where a directory is needed stops root, too.
    fs::write(sandbox.path("blocked"), "").expect("file");
    sandbox.control_raw(&(head + &body));
    sandbox.start();
    let passed = sandbox.await_log("cannot write the state file");
    let line = passed.lines().last().expect("a line").to_owned();
    assert!(line.contains("/blocked/state") && line.contains("checks go on"), "{line}");
    assert_goes_on(&sandbox, "puma");
    let log = sandbox.log();
    assert_eq!(log.matches("cannot write the state file").count(), 1, "told once");
    let status = sandbox.cli(&["status", "-B"]).out;
    assert!(status.contains("warning: the state file") && status.contains("cannot be written"), "{status}");
    // When it can be written again, that is told as well.
    fs::remove_file(sandbox.path("blocked")).expect("file");
    fs::create_dir(sandbox.path("blocked")).expect("directory");
    sandbox.kill_standin("puma");
    sandbox.cycle();
    sandbox.await_log("/blocked/state is written again");
    assert!(!sandbox.cli(&["status", "-B"]).out.contains("warning:"));
    row(&sandbox, "state file not writable", "yes", line.split(" : ").nth(1).expect("text"), "yes");
}

#[test]
fn disk_that_is_full() {
    if !cfg!(debug_assertions) {
        return skipped("faults::disk_that_is_full", "a release build has no fault switch");
    }
    let (sandbox, body) = with_puma();
    // The pidfile is written first; everything after that meets a full disk.
    let sandbox = sandbox.with_env("POLLUX_FAULT", "write@3=ENOSPC");
    sandbox.control(&body);
    sandbox.start();
    let passed = sandbox.await_log("cannot write the state file");
    let line = passed.lines().last().expect("a line").to_owned();
    assert!(line.contains("No space left on device"), "{line}");
    assert_goes_on(&sandbox, "puma");
    assert!(sandbox.cli(&["status", "-B"]).out.contains("cannot be written"));
    sandbox.stop();
    row(&sandbox, "disk full", "yes", line.split(" : ").nth(1).expect("text"), "yes");
}

#[test]
fn disk_that_is_full_before_the_pidfile_is_written() {
    if !cfg!(debug_assertions) {
        return skipped(
            "faults::disk_that_is_full_before_the_pidfile_is_written",
            "a release build has no fault switch",
        );
    }
    let (sandbox, body) = with_puma();
    let sandbox = sandbox.with_env("POLLUX_FAULT", "write=ENOSPC");
    sandbox.control(&body);
    let told = refused(&sandbox, "disk full, pidfile cannot be written");
    assert!(told.err.contains("cannot write the pidfile"), "{told:?}");
}

/// A file system that is full in truth, when we may mount one in a namespace of our own.
#[test]
fn disk_that_is_really_full() {
    let (sandbox, body) = with_puma();
    let full = sandbox.path("full");
    fs::create_dir(&full).expect("directory");
    let script = sandbox.script(
        "on-full-disk",
        "#!/bin/sh\nmount -t tmpfs -o size=64k none @DIR@/full || exit 77\n\
         cat /dev/zero >@DIR@/full/filler 2>/dev/null\nexec \"$@\"\n",
    );
    let mut probe = Command::new("unshare");
    probe.args(["-Urm", &script, "true"]).stdin(Stdio::null()).stderr(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        return skipped("faults::disk_that_is_really_full", "no file system can be mounted in a user namespace here");
    }
    sandbox
        .control_raw(&(sandbox.head().replace("/state/state", "/full/state").replace("/log\n", "/full/log\n") + &body));
    let mut command = Command::new("unshare");
    command.args(["-Urm", &script, env!("CARGO_BIN_EXE_pollux"), "-I", "-c"]).arg(sandbox.control_path());
    let plain = sandbox.command(&[]);
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    sandbox.launch(command);
    // No log line can be written there; the terminal has them.
    until("the daemon's words", || sandbox.daemon_said().contains("cannot write the state file").then_some(()));
    sandbox.kill_standin("puma");
    sandbox.cycle();
    until("the revival", || sandbox.daemon_said().contains("'puma' process is running with pid").then_some(()));
    let said = sandbox.daemon_said();
    let line = said.lines().find(|line| line.contains("cannot write the state file")).expect("a line");
    row(&sandbox, "disk full (tmpfs)", "yes", line, "yes");
    assert_eq!(sandbox.cli(&["quit"]).code, Some(0));
    assert_eq!(sandbox.ended(), Some(0));
}

#[test]
fn log_in_a_missing_directory() {
    let (sandbox, body) = with_puma();
    sandbox.control_raw(&(sandbox.head().replace("/log\n", "/missing/log\n") + &body));
    let told = refused(&sandbox, "log file in a missing directory");
    assert!(told.err.contains("/missing/log") && told.err.contains("make its directory"), "{told:?}");
}

/// A service whose pidfile is made by `make` is not running; its start program mends it.
fn service_pidfile(fault: &str, reason: Option<&str>, make: impl Fn(&Sandbox, &Path)) {
    let sandbox = Sandbox::new();
    let other = sandbox.service("node");
    let body = sandbox.service_by_pidfile("puma") + &other;
    sandbox.control(&body);
    sandbox.bring_up("node");
    // The daemon must know its own number before the file can name it.
    let old = sandbox.bring_up("puma");
    sandbox.start();
    sandbox.cycle();
    sandbox.assert_not_logged("not running");
    let pidfile = sandbox.path("run/puma.pid");
    fs::remove_file(&pidfile).expect("pidfile");
    make(&sandbox, &pidfile);
    fs::write(sandbox.path("run/puma.fail"), "it was asked to start\n").expect("file");
    sandbox.skip_log();
    sandbox.cycle();
    // It lives still, and another beside it would do harm.
    sandbox.assert_not_logged("'puma'");
    assert_eq!(sandbox.begun("puma", "restart"), 0);
    assert!(process::signal(old, "KILL"));
    until("its end", || (!process::lives(old)).then_some(()));
    sandbox.cycle();
    let passed = sandbox.await_log("'puma' process is not running\n");
    if let Some(reason) = reason {
        assert!(passed.contains(&format!("'puma' {reason}\n")), "{passed}");
    }
    sandbox.await_log("'puma' start: '");
    sandbox.await_begun("puma", "restart", 1);
    // Others are checked meanwhile, and nobody was signalled.
    assert_goes_on(&sandbox, "node");
    assert!(process::lives(sandbox.pid()));
    let message = reason.map_or(String::new(), |reason| format!("'puma' {reason}; "));
    row(&sandbox, fault, "yes", &format!("{message}'puma' process is not running"), "yes, it is started");
}

#[test]
fn service_pidfile_that_is_missing() {
    service_pidfile("service pidfile missing", Some("pidfile does not exist"), |_, _| {});
}

#[test]
fn service_pidfile_that_is_empty() {
    service_pidfile("service pidfile empty", Some("pidfile is empty"), |_, path| fs::write(path, "").expect("file"));
}

#[test]
fn service_pidfile_that_is_a_directory() {
    let make = |_: &Sandbox, path: &Path| fs::create_dir(path).expect("directory");
    service_pidfile("service pidfile is a directory", Some("pidfile is a directory"), make);
}

#[test]
fn service_pidfile_that_is_a_fifo() {
    let make = |_: &Sandbox, path: &Path| {
        assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
    };
    service_pidfile("service pidfile is a FIFO", Some("pidfile is a FIFO"), make);
}

#[test]
fn service_pidfile_with_a_number_that_is_none() {
    for number in ["0", "-1", "99999999999"] {
        let reason = format!("pidfile holds {number}, which is no process number");
        service_pidfile(&format!("service pidfile holds {number}"), Some(&reason), |_, path| {
            fs::write(path, format!("{number}\n")).expect("file");
        });
    }
}

#[test]
fn service_pidfile_with_words() {
    let make = |_: &Sandbox, path: &Path| fs::write(path, "pid=12\n").expect("file");
    service_pidfile("service pidfile holds words", Some("pidfile does not begin with a number"), make);
}

#[test]
fn service_pidfile_that_names_process_1() {
    let make = |_: &Sandbox, path: &Path| fs::write(path, "1\n").expect("file");
    let reason = "pidfile holds 1, the number of init, which is no service";
    service_pidfile("service pidfile names process 1", Some(reason), make);
}

#[test]
fn service_pidfile_that_names_pollux() {
    let make = |sandbox: &Sandbox, path: &Path| fs::write(path, format!("{}\n", sandbox.pid())).expect("file");
    let reason = "pidfile holds the process number of pollux itself";
    service_pidfile("service pidfile names pollux", Some(reason), make);
}

#[test]
fn own_pidfile_that_is_stale() {
    let (sandbox, body) = with_puma();
    sandbox.control(&body);
    let mut gone = Command::new("true").spawn().expect("true");
    let number = gone.id();
    gone.wait().expect("wait");
    fs::write(sandbox.path("state/pid"), format!("{number}\n")).expect("pidfile");
    sandbox.start();
    assert_eq!(fs::read_to_string(sandbox.path("state/pid")).expect("pidfile"), format!("{}\n", sandbox.pid()));
    assert_goes_on(&sandbox, "puma");
    row(&sandbox, "own pidfile stale (process gone)", "yes", "", "yes");
}

#[test]
fn own_pidfile_that_names_a_stranger() {
    let (sandbox, body) = with_puma();
    sandbox.control(&body);
    // USR1, TERM and HUP end a cat: if it lives, nobody signalled it.
    let mut stranger = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("cat");
    let number = stranger.id();
    for arguments in [&["quit"][..], &["reload"], &["status"]] {
        fs::write(sandbox.path("state/pid"), format!("{number}\n")).expect("pidfile");
        let told = sandbox.cli(arguments);
        assert_eq!(told.code, Some(1), "{arguments:?}: {told:?}");
    }
    sandbox.start();
    assert_eq!(fs::read_to_string(sandbox.path("state/pid")).expect("pidfile"), format!("{}\n", sandbox.pid()));
    assert_goes_on(&sandbox, "puma");
    sandbox.stop();
    assert!(process::lives(number), "a stranger was signalled");
    drop(stranger.stdin.take());
    assert!(stranger.wait().expect("wait").success());
    row(&sandbox, "own pidfile names a live stranger", "yes", "", "yes; the stranger is never signalled");
}

#[test]
fn own_pidfile_in_a_missing_directory() {
    let (sandbox, body) = with_puma();
    sandbox.control_raw(&(sandbox.head().replace("/state/pid", "/missing/pid") + &body));
    let told = refused(&sandbox, "own pidfile in a missing directory");
    assert!(told.err.contains("/missing/pid") && told.err.contains("make its directory"), "{told:?}");
}

#[test]
fn own_pidfile_that_is_no_file() {
    for kind in ["fifo", "directory"] {
        let (sandbox, body) = with_puma();
        sandbox.control(&body);
        let path = sandbox.path("state/pid");
        if kind == "fifo" {
            assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
        } else {
            fs::create_dir(&path).expect("directory");
        }
        let told = refused(&sandbox, &format!("own pidfile is a {kind}"));
        assert!(told.err.contains("cannot use the pidfile"), "{told:?}");
    }
}

#[test]
fn own_pidfile_that_is_a_link() {
    let (sandbox, body) = with_puma();
    sandbox.control(&body);
    fs::write(sandbox.path("precious"), "precious\n").expect("file");
    std::os::unix::fs::symlink(sandbox.path("precious"), sandbox.path("state/pid")).expect("link");
    let told = refused(&sandbox, "own pidfile is a symbolic link");
    assert!(told.err.contains("cannot use the pidfile"), "{told:?}");
    assert_eq!(fs::read_to_string(sandbox.path("precious")).expect("file"), "precious\n");
}

#[test]
fn port_that_is_taken() {
    let (sandbox, body) = with_puma();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("address").port();
    let httpd = format!("set httpd port {port} and use address 127.0.0.1\n allow 127.0.0.1\n");
    sandbox.control(&(httpd + &body));
    let told = refused(&sandbox, "port taken, at start");
    assert!(told.err.contains(&port.to_string()) && told.err.contains("stop it first"), "{told:?}");
    assert!(!sandbox.path("state/pid").exists(), "a refused start leaves no pidfile");

    // At a reload the configuration in force is kept.
    let free = page::free_port();
    let httpd = format!("set httpd port {free} and use address 127.0.0.1\n allow 127.0.0.1\n");
    sandbox.control(&(httpd.clone() + &body));
    sandbox.start();
    sandbox.control(&(httpd.replace(&free.to_string(), &port.to_string()) + &body));
    let told = sandbox.cli(&["reload"]);
    assert_eq!(told.code, Some(1));
    assert!(told.err.contains(&port.to_string()), "{told:?}");
    sandbox.await_log("the configuration in force is kept");
    assert!(page::get(free, "/_ping").expect("an answer").contains("200"));
    assert_goes_on(&sandbox, "puma");
    row(&sandbox, "port taken, at reload", "runs on, `reload` exit 1", &told.err, "yes, on the old port");
}

#[test]
fn service_name_of_10000_characters() {
    let sandbox = Sandbox::new();
    let name = "n".repeat(10_000);
    let dir = sandbox.dir.display().to_string();
    let body = sandbox.service("puma")
        + &format!(
            "check process {name} matching \"nobody-has-this-{}\"\n start program \"{dir}/bin/code 7\" timeout 1 seconds\n",
            sandbox.tag
        );
    sandbox.control(&body);
    let tested = sandbox.cli(&["-t"]);
    row(&sandbox, "service name of 10,000 characters: -t", &format!("exit {:?}", tested.code), &tested.err, "-");
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.await_log(&format!("'{name}' failed to start (exit status 7)"));
    assert_goes_on(&sandbox, "puma");
    assert!(sandbox.cli(&["status", &name]).out.contains(&name));
    sandbox.stop();
    sandbox.start();
    assert_goes_on(&sandbox, "puma");
    row(
        &sandbox,
        "service name of 10,000 characters",
        "yes",
        "'nnn…' failed to start (exit status 7) -- no output",
        "yes",
    );
}

#[test]
fn run_directory_whose_path_is_too_long_for_a_socket() {
    let (sandbox, body) = with_puma();
    let long = sandbox.path(&"d".repeat(200));
    let sandbox = sandbox.with_env("POLLUX_RUNDIR", long.to_str().expect("path"));
    sandbox.control(&body);
    sandbox.start();
    let told = sandbox.cli(&["summary", "-B"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_goes_on(&sandbox, "puma");
    assert_eq!(sandbox.cli(&["quit"]).code, Some(0));
    assert_eq!(sandbox.ended(), Some(0));
    row(&sandbox, "run directory of 200 characters (longer than sun_path)", "yes", "", "yes, command line works");
}

#[test]
fn run_directory_that_cannot_be_made() {
    let (sandbox, body) = with_puma();
    fs::write(sandbox.path("blocked"), "").expect("file");
    let path = sandbox.path("blocked/run").display().to_string();
    let sandbox = sandbox.with_env("POLLUX_RUNDIR", &path);
    sandbox.control(&body);
    let told = refused(&sandbox, "run directory cannot be made");
    assert!(told.err.contains("POLLUX_RUNDIR names another directory"), "{told:?}");
    assert!(!sandbox.path("state/pid").exists(), "a refused start leaves no pidfile");
}

#[test]
fn state_file_that_is_damaged() {
    let Some(_one) = without_monit("faults::state_file_that_is_damaged") else { return };
    for (content, why) in [
        ("pollux-state 1\nboot x\n", "it is damaged"),
        ("pollux-state 99\nboot x\nend 0\n", "it was written by a newer version"),
        ("hello\n", "it is no state file"),
        ("\0\0\0\0\x05\0\0\0", "it was written by Monit"),
    ] {
        let (sandbox, body) = with_puma();
        sandbox.control(&body);
        fs::write(sandbox.path("state/state"), content).expect("state");
        sandbox.start();
        let passed = sandbox.log();
        let line = passed.lines().find(|line| line.contains("is not used")).expect("a line");
        assert!(line.contains(why), "{line}");
        assert_eq!(fs::read_to_string(sandbox.path("state/state.aside")).expect("aside"), content);
        assert_goes_on(&sandbox, "puma");
        row(&sandbox, &format!("state file: {why}"), "yes", line.split(" : ").nth(1).expect("text"), "yes");
    }
}

#[test]
fn no_process_can_be_made() {
    if !cfg!(debug_assertions) {
        return skipped("faults::no_process_can_be_made", "a release build has no fault switch");
    }
    let sandbox = Sandbox::new().with_env("POLLUX_FAULT", "fork=EAGAIN:1");
    sandbox.control(&sandbox.service("puma"));
    sandbox.start();
    let passed = sandbox.await_log("cannot create a process");
    let line = passed.lines().last().expect("a line").to_owned();
    sandbox.cycle();
    sandbox.await_log("'puma' process is running with pid");
    assert_eq!(sandbox.begun("puma", "restart"), 1);
    row(&sandbox, "fork fails once", "yes", line.split(" : ").nth(1).expect("text"), "yes, tried again next cycle");
}

#[test]
fn process_table_that_cannot_be_read() {
    if !cfg!(debug_assertions) {
        return skipped("faults::process_table_that_cannot_be_read", "a release build has no fault switch");
    }
    let (sandbox, body) = with_puma();
    // Behind the readings of the start, of which there are more for who is not root.
    let sandbox = sandbox.with_env("POLLUX_FAULT", "readproc@8=EIO:20");
    sandbox.control(&body);
    sandbox.start();
    until("a reading that fails", || {
        sandbox.cycle();
        sandbox.log().contains("'puma' process data cannot be read").then_some(())
    });
    let passed = sandbox.await_log("'puma' process data cannot be read");
    let line = passed.lines().last().expect("a line").to_owned();
    until("facts again", || {
        sandbox.cycle();
        sandbox.log().contains("'puma' process data can be read again").then_some(())
    });
    assert_eq!(sandbox.begun("puma", "restart"), 0, "unknown is not dead");
    row(
        &sandbox,
        "process table unreadable for a while",
        "yes",
        line.split(" : ").nth(1).expect("text"),
        "yes; unknown is not dead",
    );
}

#[test]
fn a_limit_for_the_size_of_files_costs_lines_of_the_log_and_nothing_else() {
    let sandbox = Sandbox::new();
    let puma = sandbox.service("puma");
    sandbox.control(&puma);
    fs::write(sandbox.path("log"), vec![b'\n'; 20_000]).expect("log");
    let command = sandbox.command(&[]);
    let mut limited = Command::new("/bin/sh");
    limited.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
    limited
        .args(["-c", "ulimit -f 16; exec \"$0\" -I -c \"$1\""])
        .arg(command.get_program())
        .arg(sandbox.control_path());
    sandbox.launch(limited);
    until("an answer", || (sandbox.cli(&["report", "total"]).code == Some(0)).then_some(()));
    sandbox.standin("puma");
    let told = sandbox.cli(&["check"]);
    assert!(told.out.contains("log cannot be written"), "{told:?}");
    sandbox.stop();
    assert_eq!(sandbox.log().trim(), "");
}
