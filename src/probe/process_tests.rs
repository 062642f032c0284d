//! Pidfiles and patterns over a fake /proc, and what a cycle costs.

use super::*;
use crate::base::process::StartTime;
use crate::facts::pidfile::FileKind;
use crate::sys::count;
use crate::sys::linux::fake::{FakeProc, FakeProcess};
use std::fs;
use std::os::unix::net::UnixListener;
use std::time::Duration;

const OWN: i32 = 4711;

fn pid(number: i32) -> Pid {
    Pid::new(number).unwrap()
}

fn identity(number: i32, start: u64) -> Identity {
    Identity { pid: pid(number), start: StartTime::from_boot(Duration::from_millis(start * 10)) }
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

fn running(presence: &Presence) -> Option<i32> {
    match presence {
        Presence::Running(entry) => Some(entry.identity.pid.get()),
        _ => None,
    }
}

/// The three daemons of a Mastodon machine among other processes.
fn mastodon() -> FakeProc {
    let proc = FakeProc::new();
    proc.add(&FakeProcess::new(1, 0, 1, "/sbin/init"));
    proc.add(&FakeProcess::kernel_thread(2, "puma [mastodon]"));
    proc.add(&FakeProcess::new(OWN, 1, 5, "pollux -c /usr/local/etc/monitrc"));
    proc.add(&FakeProcess::new(301, 1, 300, "puma 5.6.5 (tcp://127.0.0.1:3000) [mastodon]"));
    proc.add(&FakeProcess::new(302, 301, 200, "puma: cluster worker 0: 301 [mastodon]"));
    proc.add(&FakeProcess::new(400, 1, 100, "sidekiq 6.1.1 mastodon [0 of 25 busy]"));
    proc.add(&FakeProcess::new(500, 1, 90, "sidekiq 6.1.1 mastodon").zombie());
    proc.add_vanishing(600);
    proc
}

#[test]
fn a_pattern_finds_the_master_and_holds_on_to_it_through_new_titles() {
    let proc = mastodon();
    let table = proc.table();
    let puma = pattern(r"puma .*\[mastodon\]");
    let mut sample = Sample::new(&table, pid(OWN));
    let Presence::Running(entry) = by_pattern(&puma, None, &mut sample) else { panic!("not found") };
    assert_eq!(entry.identity, identity(301, 300));
    proc.add(&FakeProcess::new(301, 1, 300, "ruby: another title"));
    assert_eq!(running(&by_pattern(&puma, Some(entry.identity), &mut Sample::new(&table, pid(OWN)))), Some(301));
    // The number comes around to a stranger: the identity is gone, and the stranger is not matched.
    proc.add(&FakeProcess::new(301, 1, 301, "cron"));
    proc.remove(302);
    let presence = by_pattern(&puma, Some(entry.identity), &mut Sample::new(&table, pid(OWN)));
    assert_eq!(presence, Presence::Gone(GoneReason::NoMatch));
}

#[test]
fn a_zombie_is_dead() {
    let proc = mastodon();
    let table = proc.table();
    let sidekiq = pattern("sidekiq .* mastodon");
    proc.add(&FakeProcess::new(400, 1, 100, "sidekiq 6.1.1 mastodon").zombie());
    let presence = by_pattern(&sidekiq, Some(identity(400, 100)), &mut Sample::new(&table, pid(OWN)));
    assert_eq!(presence, Presence::Gone(GoneReason::NoMatch));
}

#[test]
fn the_control_file_in_our_own_title_matches_nothing() {
    let proc = mastodon();
    let table = proc.table();
    proc.add(&FakeProcess::new(OWN + 1, OWN, 400, "pollux -c /usr/local/etc/monitrc"));
    let presence = by_pattern(&pattern("monitrc"), None, &mut Sample::new(&table, pid(OWN)));
    assert_eq!(presence, Presence::Gone(GoneReason::NoMatch));
}

#[test]
fn a_thousand_known_services_cost_three_calls_each_and_all_patterns_share_one_scan() {
    let proc = FakeProc::new();
    for number in 1..=1000 {
        proc.add(&FakeProcess::new(10_000 + number, 1, 7, &format!("service-{number}")));
    }
    let table = proc.table();
    let mut sample = Sample::new(&table, pid(OWN));
    let before = count::taken();
    for number in 1..=1000 {
        let known = identity(10_000 + number, 7);
        let presence = by_pattern(&pattern("never tried"), Some(known), &mut sample);
        assert_eq!(running(&presence), Some(10_000 + number));
    }
    assert_eq!(count::taken() - before, 3000);
    // Two patterns without a match: one listing, then stat and cmdline of each process, once.
    let before = count::taken();
    for missing in ["missing-one", "missing-two"] {
        assert_eq!(by_pattern(&pattern(missing), None, &mut sample), Presence::Gone(GoneReason::NoMatch));
    }
    assert_eq!(count::taken() - before, 1 + 1000 * 6);
    // A known process that died: the failed open and the look whether /proc is there; the table is at hand already.
    proc.remove(10_001);
    let before = count::taken();
    let presence = by_pattern(&pattern("gone"), Some(identity(10_001, 7)), &mut sample);
    assert_eq!((presence, count::taken() - before), (Presence::Gone(GoneReason::NoMatch), 2));
}

#[test]
fn a_pidfile_is_followed_in_each_cycle() {
    let proc = mastodon();
    let table = proc.table();
    let sample = Sample::new(&table, pid(OWN));
    let file = proc.root().join("puma.pid");
    fs::write(&file, "301\n").unwrap();
    let before = count::taken();
    assert_eq!(running(&by_pidfile(&file, &sample)), Some(301));
    assert_eq!(count::taken() - before, 4 + 3);
    fs::write(&file, "400").unwrap();
    assert_eq!(running(&by_pidfile(&file, &sample)), Some(400));
    for (content, reason) in [
        ("500", GoneReason::Zombie(pid(500))),
        ("600", GoneReason::NoProcess(pid(600))),
        ("601", GoneReason::NoProcess(pid(601))),
        ("", GoneReason::Pidfile(PidfileProblem::Empty)),
        ("x", GoneReason::Pidfile(PidfileProblem::NotANumber)),
        ("0", GoneReason::Pidfile(PidfileProblem::OutOfRange("0".into()))),
        ("-1", GoneReason::Pidfile(PidfileProblem::OutOfRange("-1".into()))),
        ("99999999999", GoneReason::Pidfile(PidfileProblem::OutOfRange("99999999999".into()))),
        ("1", GoneReason::Pidfile(PidfileProblem::Init)),
        ("4711", GoneReason::Pidfile(PidfileProblem::Own)),
    ] {
        fs::write(&file, content).unwrap();
        assert_eq!(by_pidfile(&file, &sample), Presence::Gone(reason), "{content}");
    }
}

#[test]
fn a_pidfile_that_is_no_file_neither_blocks_nor_counts() {
    let proc = mastodon();
    let table = proc.table();
    let sample = Sample::new(&table, pid(OWN));
    let path = |name: &str| proc.root().join(name);
    let problem = |name: &str| match by_pidfile(&path(name), &sample) {
        Presence::Gone(GoneReason::Pidfile(problem)) => problem,
        other => panic!("{other:?}"),
    };
    assert_eq!(problem("missing"), PidfileProblem::Missing);
    assert_eq!(problem("meminfo/below-a-file"), PidfileProblem::Missing);
    fs::create_dir(path("directory")).unwrap();
    assert_eq!(problem("directory"), PidfileProblem::NotRegular(FileKind::Directory));
    let made = std::process::Command::new("mkfifo").arg(path("fifo")).status().unwrap();
    assert!(made.success());
    assert_eq!(problem("fifo"), PidfileProblem::NotRegular(FileKind::Fifo));
    let _listener = UnixListener::bind(path("socket")).unwrap();
    assert_eq!(problem("socket"), PidfileProblem::NotRegular(FileKind::Socket));
    std::os::unix::fs::symlink("/dev/null", path("device")).unwrap();
    assert_eq!(problem("device"), PidfileProblem::NotRegular(FileKind::CharacterDevice));
    std::os::unix::fs::symlink("loop", path("loop")).unwrap();
    assert!(matches!(problem("loop"), PidfileProblem::Unreadable(_)));
}

#[cfg(debug_assertions)]
#[test]
fn what_cannot_be_read_is_unknown_and_asked_once_per_cycle() {
    use crate::sys::fault;
    let proc = mastodon();
    let table = proc.table();
    let file = proc.root().join("puma.pid");
    fs::write(&file, "301\n").unwrap();
    let unknown = |presence| match presence {
        Presence::Unknown(why) => why,
        other => panic!("{other:?}"),
    };
    let puma = pattern("puma");
    let mut sample = Sample::new(&table, pid(OWN));
    fault::set("readproc=EMFILE:1");
    assert!(unknown(by_pidfile(&file, &sample)).contains("cannot read process 301"));
    fault::set("open=EMFILE:1");
    assert!(unknown(by_pidfile(&file, &sample)).contains("cannot read pidfile"));
    fault::set("read=EIO:1");
    assert!(unknown(by_pidfile(&file, &sample)).contains("cannot read pidfile"));
    fault::set("readproc=ENFILE:1");
    unknown(by_pattern(&puma, Some(identity(301, 300)), &mut sample));
    fault::set("readproc@5=EMFILE:1");
    assert!(unknown(by_pattern(&puma, None, &mut sample)).contains("cannot read the process table"));
    // The fault is over, but the cycle has its answer; the next one reads again.
    unknown(by_pattern(&puma, None, &mut sample));
    assert_eq!(running(&by_pattern(&puma, None, &mut Sample::new(&table, pid(OWN)))), Some(301));
    fault::set("");
}
