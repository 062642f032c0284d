//! What becomes of programs, from the gate to their first line.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;
use crate::sys::posix::account;
use crate::sys::posix::poll::{Interest, PollSet};
use crate::sys::posix::wait::{self, Exit};

/// A directory of one test that programs of all users may enter.
fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("pollux-spawn-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn script(dir: &Path, text: &[u8]) -> PathBuf {
    let path = dir.join("script");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Runs a program to its end: how it ended, and what it printed.
fn run(program: &Path, credentials: Option<Credentials>) -> (Exit, String) {
    let spec = Spec::new([program.as_os_str()], [("A".to_owned(), "b".to_owned())], credentials).unwrap();
    let (read, write) = signal::pipe().unwrap();
    let held = hold(&spec, Some(write.as_raw_fd())).unwrap();
    drop(write);
    let pid = held.pid();
    held.release().unwrap();
    // The end of what it prints is the end of the program, or nearly.
    let mut set = PollSet::default();
    set.add(read.as_raw_fd(), Interest::Read, ());
    set.wait(None).unwrap();
    let mut printed = Vec::new();
    std::io::Read::read_to_end(&mut std::fs::File::from(read), &mut printed).unwrap();
    let exit = loop {
        match wait::reap(pid) {
            Some(exit) => break exit,
            None => std::thread::yield_now(),
        }
    };
    (exit, String::from_utf8(printed).unwrap())
}

#[test]
fn a_missing_interpreter_is_named() {
    let dir = directory("interpreter");
    let says = |text: &[u8]| {
        let path = script(&dir, text);
        let (exit, printed) = run(&path, None);
        assert_eq!(exit, Exit::Code(NOT_EXECUTED), "{printed}");
        printed.trim_end().replace(&path.display().to_string(), "SCRIPT")
    };
    assert_eq!(
        says(b"#!/usr/local/bin/no-ruby -w\nputs 1\n"),
        "pollux: cannot execute SCRIPT: its interpreter /usr/local/bin/no-ruby does not exist"
    );
    assert_eq!(
        says(b"#! \t/no/sh\r\nexit 0\r\n"),
        "pollux: cannot execute SCRIPT: its interpreter /no/sh does not exist, because its first line ends in a carriage return"
    );
    let (exit, printed) = run(&dir.join("nothing"), None);
    assert_eq!(exit, Exit::Code(NOT_EXECUTED));
    assert!(printed.ends_with("/nothing: no such file or directory\n"), "{printed}");
    let why = |status, printed: &str| {
        why_not_executed(dir.join("nothing").as_os_str(), Some(status), printed.trim_end()).map(str::to_owned)
    };
    assert_eq!(why(NOT_EXECUTED, &printed).as_deref(), Some("no such file or directory"));
    assert_eq!(why(NOT_EXECUTED, &printed[..25]).as_deref(), Some("it cannot be executed"));
    assert_eq!(why(0, &printed), None);
    // A program that ran and ends with this status itself.
    assert_eq!(why(NOT_EXECUTED, "sh: 1: nothing: not found"), None);
    std::fs::remove_dir_all(&dir).unwrap();
}

fn nobody() -> Option<Credentials> {
    let uid = account::uid_of("nobody")?;
    let gid = account::account(uid)?.gid;
    Some(Credentials { uid: Some(uid), gid, name: Some(c"nobody".to_owned()) })
}

#[test]
#[allow(clippy::print_stderr)]
fn a_program_of_somebody_else_has_nothing_of_ours_left() {
    let (0, Some(credentials)) = (account::effective_uid(), nobody()) else {
        return eprintln!("skipped a_program_of_somebody_else_has_nothing_of_ours_left: needs root and a user nobody");
    };
    let dir = directory("nobody");
    let path =
        script(&dir, b"#!/bin/sh\nPATH=/bin:/usr/bin; id -u; id -g; id -G; env | grep -v PATH | sort | head -1\n");
    let (exit, printed) = run(&path, Some(credentials.clone()));
    let (uid, gid) = (credentials.uid.unwrap(), credentials.gid);
    assert_eq!(exit, Exit::Code(0), "{printed}");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[..3], [uid.to_string(), gid.to_string(), gid.to_string()]);
    assert_eq!(lines[3], "A=b");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
#[cfg(debug_assertions)]
fn who_cannot_become_somebody_else_executes_nothing() {
    let own = account::effective_uid();
    let credentials = Credentials { uid: Some(own), gid: account::account(own).map_or(own, |a| a.gid), name: None };
    let dir = directory("refused");
    let path = script(&dir, b"#!/bin/sh\necho executed\n");
    for call in ["setgroups", "setgid", "setuid"] {
        fault::set(&format!("{call}=EAGAIN"));
        let (exit, printed) = run(&path, Some(credentials.clone()));
        assert_eq!(exit, Exit::Code(NOT_RUN), "{call}");
        assert!(printed.starts_with("pollux: cannot become the requested user or group: "), "{call}: {printed}");
        assert!(!printed.contains("executed"));
        let why = why_not_executed(path.as_os_str(), Some(NOT_RUN), printed.trim_end());
        assert!(why.is_some_and(|why| why.starts_with("cannot become the requested user or group: ")), "{why:?}");
        // Who stays who we are asks for none of this.
        assert_eq!(run(&path, None), (Exit::Code(0), "executed\n".to_owned()));
    }
    fault::set("");
    // The real calls, when we may not make them.
    if own != 0 {
        let root = Credentials { uid: Some(0), gid: 0, name: None };
        assert_eq!(run(&path, Some(root)).0, Exit::Code(NOT_RUN));
    }
    std::fs::remove_dir_all(&dir).unwrap();
}
