//! Files, FIFOs and directories.

use std::time::Duration;

use super::told;
use crate::base::digest::Hash;
use crate::base::time::{LocalTime, Wall};
use crate::check::path::{Memory, judge};
use crate::config::tests::first;
use crate::facts::content::{NewText, Position};
use crate::facts::file::{FileFacts, Kind, Look};
use crate::facts::observation::{LocalTimes, PathObservation};

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
        checksums: Vec::new(),
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
            "! modify/change time for /f changed from Mon, 23 Nov 2026 07:00:00 to Mon, 23 Nov 2026 07:00:00",
            "= hardlink has not changed",
        ]
    );
    assert_eq!(told(&judge(&service, &seen(later), &mut memory))[2], "= size has not changed [current size = 1 B]");
}

#[test]
fn checksums_are_compared_with_what_is_expected_with_the_first_and_with_the_last() {
    let sum = "a".repeat(32);
    let service = first(&format!(
        "check file f path /f if failed checksum expect {sum} then alert if failed checksum then alert \
         if changed checksum then alert"
    ));
    let mut memory = Memory::default();
    let mut look = |sum: Option<Result<&str, &str>>| {
        let sum = sum.map(|sum| (Hash::Md5, sum.map(str::to_owned).map_err(str::to_owned)));
        let seen = PathObservation { checksums: sum.into_iter().collect(), ..seen(facts()) };
        let findings = judge(&service, &seen, &mut memory);
        (told(&findings)[2..].to_vec(), findings.unreadable)
    };
    assert_eq!(look(None).0, [""; 0]);
    assert_eq!(look(Some(Ok(&sum))).0, ["+ checksum is valid", "+ checksum is valid"]);
    let other = [
        format!("- checksum failed, expected {sum} got bb"),
        format!("- checksum failed, expected {sum} got bb"),
        "! checksum changed to bb".to_owned(),
    ];
    assert_eq!(look(Some(Ok("bb"))).0, other);
    assert_eq!(look(Some(Ok("bb"))).0[2], "= checksum has not changed");
    let (told, unreadable) = look(Some(Err("Input/output error")));
    assert_eq!(told, [""; 0]);
    assert_eq!(unreadable.as_deref(), Some("cannot compute checksum for /f: Input/output error"));
}

#[test]
fn matching_lines_of_one_look_are_one_event_and_ignored_ones_are_none() {
    let service = first(
        "check file f path /f ignore content = \"^debug\" if content = \"error\" then alert if content != \"x\" then alert",
    );
    let mut memory = Memory::default();
    let mut look = |lines: &[&str]| {
        let position = Position { device: 1, inode: 5, offset: 9 };
        let lines = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        let seen = PathObservation { text: Some(Ok(NewText { lines, position })), ..seen(facts()) };
        told(&judge(&service, &seen, &mut memory))[2..].to_vec()
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
    assert_eq!(memory.position, Some(Position { device: 1, inode: 5, offset: 9 }));
    assert_eq!(memory.matched, Some(true));
}
