//! What both systems promise about processes that end.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::*;
use crate::sys::posix::poll::{Interest, PollSet};

fn sleeper() -> (Child, Pid) {
    let child = Command::new("/bin/sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
    let pid = i32::try_from(child.id()).ok().and_then(Pid::new).unwrap();
    (child, pid)
}

/// Polls once and takes what has ended.
fn ended(exits: &mut Exits, patience: Duration) -> Vec<Pid> {
    let mut set = PollSet::default();
    for fd in exits.fds() {
        set.add(fd, Interest::Read, fd);
    }
    let ready = set.wait(Some(patience)).unwrap();
    ready.into_iter().flat_map(|ready| exits.take(ready.token)).collect()
}

#[test]
fn the_end_of_a_process_is_told_once_even_before_it_is_reaped() {
    let mut exits = Exits::default();
    let (mut first, first_pid) = sleeper();
    let (mut second, second_pid) = sleeper();
    assert!(exits.watch(first_pid).unwrap() && exits.watch(second_pid).unwrap());
    assert_eq!(ended(&mut exits, Duration::ZERO), []);
    first.kill().unwrap();
    assert_eq!(ended(&mut exits, Duration::from_secs(20)), [first_pid]);
    assert_eq!(ended(&mut exits, Duration::ZERO), [], "nothing is left that would be ready for ever");
    first.wait().unwrap();
    second.kill().unwrap();
    assert_eq!(ended(&mut exits, Duration::from_secs(20)), [second_pid]);
    second.wait().unwrap();
}

#[test]
fn who_is_forgotten_is_not_told_of() {
    let mut exits = Exits::default();
    let (mut child, pid) = sleeper();
    assert!(exits.watch(pid).unwrap());
    exits.forget(pid);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(ended(&mut exits, Duration::ZERO), []);
    exits.forget(pid);
}

#[test]
fn who_is_no_more_cannot_be_watched_and_a_zombie_is_told_at_once() {
    let mut exits = Exits::default();
    let (mut child, pid) = sleeper();
    child.kill().unwrap();
    assert!(exits.watch(pid).unwrap());
    assert_eq!(ended(&mut exits, Duration::from_secs(20)), [pid]);
    child.wait().unwrap();
    assert!(!exits.watch(pid).unwrap());
    assert!(!exits.watch(Pid::new(i32::MAX).unwrap()).unwrap());
    assert_eq!(ended(&mut exits, Duration::ZERO), []);
}
