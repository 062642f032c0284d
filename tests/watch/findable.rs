//! The files by which others find the daemon are taken away.

use std::fs;
use std::os::unix::net::UnixStream;

use crate::harness::Sandbox;

#[test]
fn who_cleans_its_directories_leaves_no_daemon_that_nobody_finds() {
    let mut sandbox = Sandbox::new();
    let sockets = sandbox.path("sockets");
    sandbox = sandbox.with_env("POLLUX_RUNDIR", &sockets.display().to_string());
    sandbox.control("set httpd unixsocket @DIR@/s\ncheck system box\n");
    sandbox.start();
    let (page, pidfile) = (sandbox.path("s"), sandbox.path("state/pid"));
    let record = |ending: &str| {
        let names = fs::read_dir(&sockets).expect("directory").flatten().map(|entry| entry.path());
        names.filter(|path| path.extension().is_some_and(|found| found == ending)).count()
    };

    for signal in ["USR1", "HUP"] {
        fs::remove_dir_all(&sockets).expect("directory");
        fs::remove_file(&page).expect("socket file");
        fs::remove_file(&pidfile).expect("pidfile");
        assert_eq!(sandbox.cli(&["report", "total"]).code, Some(1));
        sandbox.signal(signal);
        sandbox.await_all(&[
            &format!("the file {} was gone; it is made anew", pidfile.display()),
            ".run was gone; it is made anew",
            &format!("the file {} was gone; it is made anew", page.display()),
            ".sock was gone; it is made anew",
        ]);
        sandbox.skip_log();
        assert_eq!((record("run"), record("sock")), (1, 1));
        assert_eq!(sandbox.cli(&["report", "total"]).code, Some(0));
        UnixStream::connect(&page).expect("the page's socket file");
        assert_eq!(fs::read_to_string(&pidfile).expect("pidfile").trim(), sandbox.pid().to_string());
        let second = sandbox.cli(&["-I"]);
        assert!(second.code == Some(1) && second.err.contains("daemon"), "{second:?}");
    }

    // What somebody has put in their place is somebody's.
    for path in [&page, &pidfile] {
        fs::remove_file(path).expect("file");
        fs::write(path, "precious").expect("file");
    }
    sandbox.cycle();
    sandbox.assert_not_logged("made anew");
    sandbox.stop();
    for path in [&page, &pidfile] {
        assert_eq!(fs::read_to_string(path).expect("file"), "precious");
    }
    assert_eq!((record("run"), record("sock")), (0, 0));
}

#[test]
fn what_cannot_be_made_anew_is_said_once() {
    let mut sandbox = Sandbox::new();
    let sockets = sandbox.path("sockets");
    sandbox = sandbox.with_env("POLLUX_RUNDIR", &sockets.display().to_string());
    sandbox.control("check system box\n");
    sandbox.start();
    fs::remove_dir_all(&sockets).expect("directory");
    std::os::unix::fs::symlink("nowhere", &sockets).expect("link");
    let failure = " is gone and cannot be made anew: ";
    sandbox.signal("USR1");
    sandbox.await_log(failure);
    sandbox.await_log(failure);
    sandbox.signal("USR1");
    sandbox.await_log("Awakened by User defined signal 1");
    fs::remove_file(&sockets).expect("link");
    sandbox.signal("USR1");
    sandbox.await_log(".sock was gone; it is made anew");
    assert_eq!(sandbox.log().matches(failure).count(), 2);
    sandbox.stop();
}
