//! Files, FIFOs and directories.

use std::time::Duration;

use super::told;
use crate::base::digest::Hash;
use crate::base::time::{LocalTime, Wall};
use crate::check::path::{Baseline, Memory, checksums_wanted, judge, judge_checksums};
use crate::config::tests::first;
use crate::facts::content::{NewText, Position};
use crate::facts::file::{FileFacts, Kind, Look};
use crate::facts::observation::{Checksums, LocalTimes, PathObservation};

fn at(seconds: u64) -> Wall {
    Wall::from_epoch(Duration::from_secs(seconds))
}

fn local(hour: u8) -> LocalTime {
    LocalTime { year: 2026, month: 11, day: 23, hour, minute: 0, second: 0, weekday: 1, offset: 0 }
}

fn facts() -> FileFacts {
    FileFacts {
        kind: Kind::Regular,
        mode: 0o644,
        uid: 0,
        gid: 0,
        size_bytes: 2048,
        links: 1,
        inode: 5,
        device: 1,
        accessed: at(900),
        changed: at(800),
        modified: at(700),
    }
}

fn seen(facts: FileFacts) -> PathObservation {
    PathObservation {
        look: Look::Found(facts),
        local: Some(LocalTimes { accessed: local(9), changed: local(8), modified: local(7) }),
        text: None,
        at: at(1000),
    }
}

#[test]
fn a_path_of_the_wrong_type_is_judged_by_that_alone() {
    let service = first("check file f path /f if size > 1 B then alert");
    let directory = FileFacts { kind: Kind::Directory, ..facts() };
    let findings = judge(&service, &seen(directory), &mut Memory::default());
    assert_eq!(told(&findings), ["- is neither a regular file nor a socket", "+ file exists"]);
    assert!(!findings.is_up);
    let socket = judge(&service, &seen(FileFacts { kind: Kind::Socket, ..facts() }), &mut Memory::default());
    assert!(socket.is_up);
    let service = first("check directory d path /d");
    assert_eq!(
        told(&judge(&service, &seen(directory), &mut Memory::default())),
        ["+ is directory", "+ directory exists"]
    );
}

#[test]
fn what_is_missing_does_not_exist_and_what_is_not_told_is_neither() {
    let service = first("check fifo f path /f");
    let missing = PathObservation { look: Look::Missing, local: None, ..seen(facts()) };
    let findings = judge(&service, &missing, &mut Memory::default());
    assert_eq!((told(&findings), findings.unreadable), (vec!["- fifo doesn't exist".to_owned()], None));
    let failed = PathObservation { look: Look::Failed("Permission denied".to_owned()), ..missing };
    let findings = judge(&service, &failed, &mut Memory::default());
    assert_eq!(findings.unreadable.as_deref(), Some("fifo data cannot be read: Permission denied"));
    assert!(findings.rules.is_empty());
}

#[test]
fn limits_on_what_stat_says() {
    let service = first(
        "check file f path /f if size > 1 kB then alert if timestamp > 3 minutes then alert if mtime < 300 then alert \
         if failed permission 600 then alert if failed uid 0 then alert if hardlink > 1 then alert",
    );
    assert_eq!(
        told(&judge(&service, &seen(facts()), &mut Memory::default()))[2..],
        [
            "- size test failed for /f -- current size is 2 kB",
            "- modify/change time for /f failed -- current modify/change time is Mon, 23 Nov 2026 08:00:00",
            "+ modify time test succeeded for /f [current modify time is Mon, 23 Nov 2026 07:00:00]",
            "- permission test failed for /f [current permission 0644]",
            "+ uid test succeeded [current uid = 0]",
            "+ hardlink test succeeded [current hardlink = 1]",
        ]
    );
}

#[test]
fn changes_are_told_from_the_second_look_on() {
    let service = first(
        "check file f path /f if changed size then alert if changed permission then alert if changed mtime then alert \
         if changed timestamp then alert if changed hardlink then alert",
    );
    let mut memory = Memory::default();
    assert_eq!(told(&judge(&service, &seen(facts()), &mut memory)).len(), 2);
    let later = FileFacts { mode: 0o600, modified: at(990), size_bytes: 1, ..facts() };
    assert_eq!(
        told(&judge(&service, &seen(later), &mut memory))[2..],
        [
            "! size for /f changed to 1 B",
            "! permission for /f changed from 0644 to 0600",
            "! modify time for /f changed from Mon, 23 Nov 2026 07:00:00 to Mon, 23 Nov 2026 07:00:00",
            "! modify/change time for /f changed from Mon, 23 Nov 2026 08:00:00 to Mon, 23 Nov 2026 07:00:00",
            "= hardlink has not changed",
        ]
    );
    assert_eq!(told(&judge(&service, &seen(later), &mut memory))[2], "= size has not changed [current size = 1 B]");
}

fn computed(facts: FileFacts, sum: Result<&str, &str>) -> Checksums {
    let sum = sum.map(str::to_owned).map_err(str::to_owned);
    Checksums { facts: Some(facts), sums: vec![(Hash::Md5, sum)], is_settled: true }
}

#[test]
fn checksums_are_compared_with_what_is_expected_with_the_first_and_with_the_last() {
    let sum = "a".repeat(32);
    let mut service = first(&format!("check file f path /f if failed checksum expect {sum} then alert"));
    // A control file gives a service one of them only.
    for rule in ["failed", "changed"] {
        service.rules.extend(first(&format!("check file f path /f if {rule} checksum then alert")).rules.pop());
    }
    let mut memory = Memory::default();
    assert_eq!(checksums_wanted(&service, &memory), [], "before the file was looked at");
    assert_eq!(told(&judge(&service, &seen(facts()), &mut memory)).len(), 2);
    let mut arrives = |facts, sum: Result<&str, &str>| {
        let findings = judge_checksums(&service, &computed(facts, sum), &mut memory).unwrap();
        (told(&findings), findings.unreadable, checksums_wanted(&service, &memory))
    };
    let valid = ["+ checksum is valid", "+ checksum is valid"].map(str::to_owned);
    assert_eq!(arrives(facts(), Ok(&sum)), (valid.to_vec(), None, vec![]));
    let other = [
        format!("- checksum failed, expected {sum} got bb"),
        format!("- checksum failed, expected {sum} got bb"),
        "! checksum changed to bb".to_owned(),
    ];
    let later = FileFacts { modified: at(990), ..facts() };
    assert_eq!(arrives(later, Ok("bb")), (other.to_vec(), None, vec![Hash::Md5]), "of what the file is not any more");
    let (told, unreadable, wanted) = arrives(later, Err("Input/output error"));
    assert_eq!((told, wanted), (vec![], vec![Hash::Md5]));
    assert_eq!(unreadable.as_deref(), Some("cannot compute checksum for /f: Input/output error"));
}

#[test]
fn a_checksum_counts_in_each_look_until_the_file_changes_and_is_told_once_in_each() {
    let service = first("check file f path /f if changed checksum then alert");
    let mut memory = Memory::default();
    let look = |facts, memory: &mut Memory| {
        let findings = judge(&service, &seen(facts), memory);
        (told(&findings)[2..].to_vec(), findings.unreadable, checksums_wanted(&service, memory))
    };
    assert_eq!(look(facts(), &mut memory), (vec![], None, vec![Hash::Md5]));
    let first = Checksums { is_settled: false, ..computed(facts(), Ok("aa")) };
    assert_eq!(told(&judge_checksums(&service, &first, &mut memory).unwrap()), [""; 0]);
    let same = vec!["= checksum has not changed".to_owned()];
    assert_eq!(look(facts(), &mut memory), (same.clone(), None, vec![Hash::Md5]), "too close to a change");
    assert_eq!(judge_checksums(&service, &computed(facts(), Ok("aa")), &mut memory), None, "said in this look already");
    let (before, gone) = (memory.clone(), Checksums { facts: None, sums: Vec::new(), is_settled: false });
    assert_eq!(judge_checksums(&service, &gone, &mut memory), None, "of a file that went away nothing is said");
    assert_eq!(memory, before);
    assert_eq!(look(facts(), &mut memory), (same, None, vec![]));
    let later = FileFacts { modified: at(990), ..facts() };
    assert_eq!(look(later, &mut memory), (vec![], None, vec![Hash::Md5]));
    // A failure stays told until it is over; without facts of its own it is about the file that was seen last.
    let failed = Checksums { facts: None, ..computed(later, Err("Permission denied")) };
    assert!(judge_checksums(&service, &failed, &mut memory).unwrap().unreadable.is_some());
    let (none, unreadable, wanted) = look(later, &mut memory);
    assert_eq!((none, unreadable.is_some(), wanted), (vec![], true, vec![Hash::Md5]));
    assert_eq!(judge_checksums(&service, &failed, &mut memory), None);
    let findings = judge_checksums(&service, &computed(later, Ok("bb")), &mut memory).unwrap();
    assert_eq!((told(&findings), findings.unreadable), (vec!["! checksum changed to bb".to_owned()], None));
}

#[test]
fn matching_lines_of_one_look_are_one_event_and_ignored_ones_are_none() {
    let service = first(
        "check file f path /f ignore content = \"^debug\" if content = \"error\" then alert if content != \"x\" then alert",
    );
    let mut memory = Memory::default();
    let position = Position { device: Some(1), inode: 5, offset: 0, is_within_line: false };
    let mut look = |lines: &[&str]| {
        let chunk: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let text = NewText::new(chunk.into_bytes(), position, 511, false);
        told(&judge(&service, &PathObservation { text: Some(Ok(text)), ..seen(facts()) }, &mut memory))[2..].to_vec()
    };
    assert_eq!(look(&[]), ["= content doesn't match", "= content doesn't match"]);
    assert_eq!(
        look(&["error one", "debug error", "x", "error two"]),
        ["! content match:\nerror one\nerror two\n", "! content match:\nerror one\nerror two\n"]
    );
    let long = "error ".repeat(40);
    let many: Vec<&str> = vec![&long; 10];
    let told = look(&many);
    assert!(told[0].len() < 1000 && told[0].ends_with("...\n"), "{told:?}");
    assert_eq!(memory.position, Some(Position { offset: 2410, ..position }));
    assert_eq!(memory.matched, Some(true));
}

#[test]
fn of_a_file_that_was_missing_everything_is_new() {
    let service = first("check file f path /f if content = \"x\" then alert");
    let mut memory = Memory::default();
    let text = Some(Ok(NewText::none(Position::at_end(&facts()))));
    judge(&service, &PathObservation { text, ..seen(facts()) }, &mut memory);
    judge(&service, &PathObservation { look: Look::Missing, local: None, ..seen(facts()) }, &mut memory);
    assert_eq!(memory.position.map(|position| position.resumed(&facts())), Some(Position::at_start(&facts())));
}

#[test]
fn times_from_a_state_file_are_put_into_words() {
    let service = first("check file f path /f if changed mtime then alert");
    let mut memory = Memory { last: Some(Baseline { facts: facts(), local: None }), ..Memory::default() };
    memory.date(|_| local(6));
    let later = FileFacts { modified: at(990), ..facts() };
    let told = told(&judge(&service, &seen(later), &mut memory));
    let text = "! modify time for /f changed from Mon, 23 Nov 2026 06:00:00 to Mon, 23 Nov 2026 07:00:00";
    assert_eq!(told.last().map(String::as_str), Some(text));
}
