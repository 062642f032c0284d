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

fn by_pidfile(path: &Path, sample: &Sample<'_>) -> Presence {
    by_content(path, &read_pidfile(path), sample)
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
    let Presence::Running(entry) = by_pattern(&puma, None, None, None, &mut sample) else { panic!("not found") };
    assert_eq!(entry.identity, identity(301, 300));
    proc.add(&FakeProcess::new(301, 1, 300, "ruby: another title"));
    assert_eq!(
        running(&by_pattern(&puma, None, None, Some(entry.identity), &mut Sample::new(&table, pid(OWN)))),
        Some(301)
    );
    // The number comes around to a stranger: the identity is gone, and the stranger is not matched.
    proc.add(&FakeProcess::new(301, 1, 301, "cron"));
    proc.remove(302);
    let presence = by_pattern(&puma, None, None, Some(entry.identity), &mut Sample::new(&table, pid(OWN)));
    assert_eq!(presence, Presence::Gone(GoneReason::NoMatch));
}

#[test]
fn a_zombie_is_dead() {
    let proc = mastodon();
    let table = proc.table();
    let sidekiq = pattern("sidekiq .* mastodon");
    proc.add(&FakeProcess::new(400, 1, 100, "sidekiq 6.1.1 mastodon").zombie());
    let presence = by_pattern(&sidekiq, None, None, Some(identity(400, 100)), &mut Sample::new(&table, pid(OWN)));
    assert_eq!(presence, Presence::Gone(GoneReason::NoMatch));
}

#[test]
fn the_control_file_in_our_own_title_matches_nothing() {
    let proc = mastodon();
    let table = proc.table();
    proc.add(&FakeProcess::new(OWN + 1, OWN, 400, "pollux -c /usr/local/etc/monitrc"));
    let presence = by_pattern(&pattern("monitrc"), None, None, None, &mut Sample::new(&table, pid(OWN)));
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
        let presence = by_pattern(&pattern("never tried"), None, None, Some(known), &mut sample);
        assert_eq!(running(&presence), Some(10_000 + number));
    }
    assert_eq!(count::taken() - before, 3000);
    // Two patterns without a match: one listing, then stat and cmdline of each process, once.
    let before = count::taken();
    for missing in ["missing-one", "missing-two"] {
        assert_eq!(by_pattern(&pattern(missing), None, None, None, &mut sample), Presence::Gone(GoneReason::NoMatch));
    }
    assert_eq!(count::taken() - before, 1 + 1000 * 6);
    // A known process that died: the failed open and the look whether /proc is there; the table is at hand already.
    proc.remove(10_001);
    let before = count::taken();
    let presence = by_pattern(&pattern("gone"), None, None, Some(identity(10_001, 7)), &mut sample);
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
fn a_known_process_lives_on_whatever_becomes_of_its_pidfile() {
    let proc = mastodon();
    let table = proc.table();
    let target = narrowed(&proc, None, None);
    let look = |known| observe(&target, Some(known), &mut Sample::new(&table, pid(OWN)));
    let file = proc.root().join("puma.pid");
    for content in ["500", "600", "601", "", "x", "0", "1", "4711"] {
        fs::write(&file, content).unwrap();
        assert_eq!(running(&look(identity(301, 300))), Some(301), "{content}");
        assert!(matches!(look(identity(301, 299)), Presence::Gone(_)), "{content}: the number has come around");
        assert!(matches!(look(identity(600, 300)), Presence::Gone(_)), "{content}: it has ended");
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(running(&look(identity(301, 300))), Some(301));
    assert_eq!(look(identity(600, 300)), Presence::Gone(GoneReason::Pidfile(PidfileProblem::Missing)));
    // Another that lives is followed.
    fs::write(&file, "400").unwrap();
    assert_eq!(running(&look(identity(301, 300))), Some(400));
    // What cannot be read has not ended.
    fs::write(&file, "").unwrap();
    crate::sys::fault::set("readproc=EIO:1");
    assert!(matches!(look(identity(301, 300)), Presence::Unknown(_)));
    crate::sys::fault::set("");
}

/// The pidfile `puma.pid` with a pattern and a user.
fn narrowed(proc: &FakeProc, pattern: Option<&str>, user: Option<u32>) -> ProcessTarget {
    let pattern = pattern.map(|text| Pattern { source: text.into(), regex: Regex::new(text).unwrap() });
    let user = user.map(|uid| User { uid, name: Some("www".into()) });
    ProcessTarget::Pidfile { path: proc.root().join("puma.pid"), pattern, user, jail: None }
}

fn owned(proc: &FakeProc, number: i32, euid: u32) {
    proc.file(&format!("{number}/status"), format!("Uid:\t0\t{euid}\t0\t0\nGid:\t0\t0\t0\t0\n").as_bytes());
}

#[test]
fn a_stale_pidfile_that_names_a_stranger_leads_to_no_process() {
    let proc = mastodon();
    let table = proc.table();
    let look = |target: &ProcessTarget, known| observe(target, known, &mut Sample::new(&table, pid(OWN)));
    fs::write(proc.root().join("puma.pid"), "301\n").unwrap();
    owned(&proc, 301, 80);
    let whole = narrowed(&proc, Some(r"puma .*\[mastodon\]"), Some(80));
    assert_eq!(running(&look(&whole, None)), Some(301));
    // Real ids do not count.
    let other = GoneReason::OtherUser { pid: pid(301), euid: 80, wanted: "www".into() };
    assert_eq!(look(&narrowed(&proc, None, Some(0)), None), Presence::Gone(other.clone()));
    assert_eq!(other.to_string(), "pidfile names process 301, which runs as the user with number 80, not as www");

    // The number has come around.
    proc.add(&FakeProcess::new(301, 1, 999, "cron -s"));
    let other = GoneReason::OtherCommand { pid: pid(301), command: "cron -s".into() };
    assert_eq!(look(&whole, Some(identity(301, 300))), Presence::Gone(other.clone()));
    assert_eq!(other.to_string(), "pidfile names process 301, whose command line 'cron -s' does not match the pattern");
    assert_eq!(running(&look(&narrowed(&proc, None, None), Some(identity(301, 300)))), Some(301));
    // What was found stays, whatever its title and its user become, and costs no more than without a pattern.
    let before = count::taken();
    assert_eq!(running(&look(&whole, Some(identity(301, 999)))), Some(301));
    assert_eq!(count::taken() - before, 4 + 3);
    // A long line is shown by its beginning.
    proc.add(&FakeProcess::new(301, 1, 999, &"x".repeat(5000)));
    let Presence::Gone(GoneReason::OtherCommand { command, .. }) = look(&whole, None) else { panic!() };
    assert_eq!(command.len(), COMMAND_SHOWN);
    proc.add(&FakeProcess::kernel_thread(301, "puma [mastodon]"));
    assert_eq!(look(&narrowed(&proc, None, None), None), Presence::Gone(GoneReason::Kernel(pid(301))));
}

#[test]
fn what_cannot_be_told_of_a_pidfiles_process_is_not_its_death() {
    let proc = mastodon();
    let table = proc.table();
    let look = |target: &ProcessTarget| observe(target, None, &mut Sample::new(&table, pid(OWN)));
    fs::write(proc.root().join("puma.pid"), "301\n").unwrap();
    let is_unknown = |presence: Presence| matches!(presence, Presence::Unknown(_));
    assert!(is_unknown(look(&narrowed(&proc, Some("puma"), Some(80)))), "no status");
    owned(&proc, 301, 80);
    // A process that is being started or ends has no arguments.
    proc.file("301/cmdline", b"");
    assert!(is_unknown(look(&narrowed(&proc, Some("puma"), None))));
    assert!(is_unknown(look(&narrowed(&proc, Some("cron"), None))));
    #[cfg(debug_assertions)]
    for errno in ["EACCES", "EMFILE"] {
        // Pidfiles are read elsewhere: first `stat`, then `cmdline` or `status`.
        for target in [narrowed(&proc, Some("cron"), None), narrowed(&proc, None, Some(0))] {
            crate::sys::fault::set(&format!("readproc@2={errno}:1"));
            assert!(is_unknown(look(&target)), "{errno}");
        }
        crate::sys::fault::set("");
    }
}

#[test]
fn a_pattern_can_be_held_to_one_users_processes() {
    let proc = mastodon();
    let table = proc.table();
    let puma = pattern(r"puma.*\[mastodon\]");
    let user = |uid| User { uid, name: None };
    let look = |uid, known| by_pattern(&puma, Some(&user(uid)), None, known, &mut Sample::new(&table, pid(OWN)));
    owned(&proc, 301, 80);
    owned(&proc, 302, 81);
    assert_eq!(running(&look(80, None)), Some(301));
    assert_eq!(running(&look(81, None)), Some(302), "the parent's user is another one");
    assert_eq!(look(82, None), Presence::Gone(GoneReason::NoMatch));
    assert_eq!(running(&look(82, Some(identity(302, 200)))), Some(302), "what was found stays");
    // Of one nobody knows whose it is.
    fs::remove_file(proc.root().join("302/status")).unwrap();
    assert_eq!(running(&look(80, None)), Some(301));
    assert!(matches!(look(82, None), Presence::Unknown(_)));
}

#[test]
fn nobody_is_dead_who_may_be_hidden() {
    let proc = mastodon();
    proc.remove(1);
    let table = proc.table().unprivileged();
    let nobody = pattern("nobody of that name");
    let look = |user: Option<&User>| by_pattern(&nobody, user, None, None, &mut Sample::new(&table, pid(OWN)));
    assert!(matches!(look(None), Presence::Unknown(_)));
    let own = User { uid: account::effective_uid(), name: None };
    assert_eq!(look(Some(&own)), Presence::Gone(GoneReason::NoMatch));
    assert!(matches!(look(Some(&User { uid: own.uid + 1, name: None })), Presence::Unknown(_)));
    proc.add(&FakeProcess::new(1, 0, 1, "/sbin/init"));
    assert_eq!(look(None), Presence::Gone(GoneReason::NoMatch));
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
    unknown(by_pattern(&puma, None, None, Some(identity(301, 300)), &mut sample));
    fault::set("readproc@5=EMFILE:1");
    assert!(unknown(by_pattern(&puma, None, None, None, &mut sample)).contains("cannot read the process table"));
    // The fault is over, but the cycle has its answer; the next one reads again.
    unknown(by_pattern(&puma, None, None, None, &mut sample));
    assert_eq!(running(&by_pattern(&puma, None, None, None, &mut Sample::new(&table, pid(OWN)))), Some(301));
    fault::set("");
}

#[test]
fn a_reader_makes_a_cycle_read_what_needs_two_looks_and_nothing_more() {
    let asked = Asked::by(&[]);
    assert!(!asked.any && !asked.tree && asked.wanted == Wanted::default());
    let wanted = Wanted { io: true, ..Wanted::default() };
    assert_eq!(asked.and_rates(), Asked { any: true, tree: true, wanted, tree_descriptors: false });
}

/// A table of processes with the number of their jail each; `www` is the name of jail 3.
struct Jails(Vec<(i32, i32)>);

impl Processes for Jails {
    fn entry(&self, pid: Pid) -> std::io::Result<Option<Entry>> {
        let found = self.0.iter().find(|(number, _)| *number == pid.get());
        Ok(found.map(|(number, jail)| Entry {
            identity: identity(*number, 100),
            parent: Some(Pid::new(1).unwrap()),
            zombie: false,
            kernel: false,
            jail: Some(*jail),
        }))
    }

    fn usage(&self, _: Pid, _: Wanted) -> std::io::Result<Option<usage::ProcessFacts>> {
        Ok(None)
    }

    fn rows(&self) -> std::io::Result<Vec<usage::Row>> {
        Ok(Vec::new())
    }

    fn open_descriptors(&self, _: Pid) -> std::io::Result<Option<u64>> {
        Ok(None)
    }

    fn scan(&self, _: bool) -> std::io::Result<Vec<Listed>> {
        let entry = |(number, _): &(i32, i32)| self.entry(pid(*number)).map(Option::unwrap);
        self.0.iter().map(|row| Ok(Listed { entry: entry(row)?, command: b"nginx: master".to_vec() })).collect()
    }

    fn arguments(&self, _: &Entry) -> std::io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn jail(&self, name: &str) -> std::io::Result<Option<i32>> {
        match name {
            "www" => Ok(Some(3)),
            "broken" => Err(std::io::ErrorKind::PermissionDenied.into()),
            _ => Ok(None),
        }
    }

    fn tolerance(&self) -> crate::base::process::Tolerance {
        crate::base::process::Tolerance(Duration::ZERO)
    }
}

fn named(name: &str) -> Jail {
    Jail::Named(name.to_owned())
}

#[test]
fn the_processes_of_jails_are_told_apart() {
    let table = Jails(vec![(100, 7), (200, 3), (300, 0)]);
    let look =
        |jail: Option<&Jail>| by_pattern(&pattern("nginx"), None, jail, None, &mut Sample::new(&table, pid(OWN)));
    assert_eq!(running(&look(None)), Some(100), "anywhere, as Monit does");
    assert_eq!(running(&look(Some(&Jail::Host))), Some(300));
    assert_eq!(running(&look(Some(&named("www")))), Some(200));
    assert_eq!(look(Some(&named("gone"))), Presence::Gone(GoneReason::NoJail("gone".to_owned())));
    assert!(matches!(look(Some(&named("broken"))), Presence::Unknown(why) if why.contains("'broken'")));
    // Once found it is watched wherever it goes.
    let known = Some(identity(100, 100));
    let host = Jail::Host;
    let mut sample = Sample::new(&table, pid(OWN));
    assert_eq!(running(&by_pattern(&pattern("nginx"), None, Some(&host), known, &mut sample)), Some(100));
}

#[test]
fn a_pidfile_may_not_name_a_process_of_another_jail() {
    let proc = FakeProc::new();
    let path = proc.root().join("nginx.pid");
    fs::write(&path, "200\n").unwrap();
    let table = Jails(vec![(200, 3)]);
    let look = |jail: Option<Jail>| {
        let target = ProcessTarget::Pidfile { path: path.clone(), pattern: None, user: None, jail };
        observe(&target, None, &mut Sample::new(&table, pid(OWN)))
    };
    assert_eq!(running(&look(None)), Some(200));
    assert_eq!(running(&look(Some(named("www")))), Some(200));
    let Presence::Gone(reason) = look(Some(Jail::Host)) else { panic!() };
    assert_eq!(reason.to_string(), "pidfile names process 200, which runs in the jail with number 3, not on the host");
    assert_eq!(look(Some(named("gone"))), Presence::Gone(GoneReason::NoJail("gone".to_owned())));
}

#[test]
fn what_is_found_in_a_jail_unasked_is_told_once() {
    let table = Jails(vec![(200, 3), (300, 0)]);
    let told = |number: i32, jail: Option<Jail>, known| {
        let target = ProcessTarget::Pidfile { path: "/x".into(), pattern: None, user: None, jail };
        let presence = Presence::Running(table.entry(pid(number)).unwrap().unwrap());
        found_in_jail(&target, known, &presence)
    };
    assert!(told(200, None, None).unwrap().contains("pid 200 runs in the jail with number 3"));
    assert_eq!(told(200, None, Some(identity(200, 100))), None);
    assert_eq!(told(200, Some(named("www")), None), None);
    assert_eq!(told(300, None, None), None);
}
