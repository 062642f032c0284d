//! Filesystems, links and programs.

use std::time::Duration;

use super::told;
use crate::base::time::Mono;
use crate::check::{filesystem, network, program};
use crate::config::tests::first;
use crate::facts::filesystem::{DiskCounters, FilesystemFacts};
use crate::facts::network::{LinkFacts, Traffic};
use crate::facts::observation::{FilesystemObservation, FilesystemProblem, ProgramRun};

fn at(seconds: u64) -> Mono {
    Mono::from_origin(Duration::from_secs(seconds))
}

fn disk(bytes: u64, reads: u64, millis: u64) -> DiskCounters {
    DiskCounters {
        read_bytes: Some(bytes),
        reads: Some(reads),
        writes: Some(0),
        read_time: Some(Duration::from_millis(millis)),
        write_time: Some(Duration::ZERO),
        ..DiskCounters::default()
    }
}

fn filesystem(flags: &str, disk: DiskCounters) -> FilesystemObservation {
    let facts = FilesystemFacts {
        fstype: "ufs".to_owned(),
        flags: flags.to_owned(),
        mount_point: "/".into(),
        device: "/dev/ada0p2".to_owned(),
        block_size_bytes: 1024,
        blocks_total: 1000,
        blocks_free: 100,
        blocks_available: 20,
        inodes_total: None,
        inodes_free: None,
        disk,
    };
    FilesystemObservation { facts: Ok(facts), mount_point: None }
}

#[test]
fn space_rates_and_flags_of_a_filesystem() {
    let service = first(
        "check filesystem fs path / if space usage > 80% then alert if space free < 200 kB then alert \
         if inode usage > 90% then alert if read > 5 operations/s then alert if service time > 5 ms then alert \
         if failed permission 755 then alert",
    );
    let mut memory = filesystem::Memory::default();
    let look = |seen, memory: &mut _, seconds| told(&filesystem::judge(&service, &seen, memory, at(seconds)));
    let first = look(filesystem("rw", disk(0, 0, 0)), &mut memory, 0);
    assert_eq!(
        first,
        [
            "+ succeeded getting filesystem statistics for '/'",
            "- space usage 90.0% matches resource limit [space usage > 80.0%]",
            "- space free 100 kB matches resource limit [space free < 200 kB]",
            "? the mount point / cannot be read",
        ]
    );
    let second = look(filesystem("rw,noatime", disk(8192, 100, 800)), &mut memory, 10);
    assert_eq!(
        second[1..2].iter().chain(&second[4..6]).collect::<Vec<_>>(),
        [
            "! filesystem flags changed from 'rw' to 'rw,noatime'",
            "- read rate 10.0 operations/s matches resource limit [read > 5 operations/s]",
            "- service time 8 ms/operation matches resource limit [service time > 5 ms/operation]",
        ]
    );
}

#[test]
fn a_filesystem_that_is_not_there_is_gone_and_a_silent_one_is_not() {
    let service = first("check filesystem fs path /mnt if space usage > 80% then alert");
    let mut memory = filesystem::Memory::default();
    let of = |problem| FilesystemObservation { facts: Err(problem), mount_point: None };
    let missing = FilesystemProblem::Missing("nothing is mounted there".to_owned());
    let gone = filesystem::judge(&service, &of(missing), &mut memory, at(0));
    assert_eq!(told(&gone), ["- unable to read filesystem '/mnt' state -- nothing is mounted there"]);
    let silent = FilesystemProblem::Silent("no answer within 5 s".to_owned());
    let findings = filesystem::judge(&service, &of(silent), &mut memory, at(0));
    assert!(findings.rules.is_empty());
    assert_eq!(findings.unreadable.as_deref(), Some("unable to read filesystem '/mnt' state -- no answer within 5 s"));
}

fn link(up: bool, bytes: u64, errors: u64) -> LinkFacts {
    let traffic = |bytes| Traffic { bytes: Some(bytes), packets: Some(bytes / 100), errors: Some(errors) };
    LinkFacts {
        up: Some(up),
        speed_bits_per_second: Some(8_000_000),
        full_duplex: Some(true),
        download: traffic(bytes),
        upload: traffic(0),
    }
}

#[test]
fn a_link_with_its_rates_totals_and_errors() {
    let service = first(
        "check network n interface em0 if saturation > 10% then alert if download > 1 kB/s then alert \
         if upload > 1 packets/s then alert if total download > 1 MB in last 2 minutes then alert \
         if changed link then alert",
    );
    let mut memory = network::Memory::default();
    let mut look =
        |seen: Result<LinkFacts, String>, seconds| told(&network::judge(&service, &seen, &mut memory, at(seconds)));
    assert_eq!(look(Ok(link(true, 0, 0)), 0), ["+ link up"]);
    assert_eq!(
        look(Ok(link(true, 2_000_000, 0)), 10),
        [
            "+ link up",
            "- link download saturation of 20.0% matches limit [saturation > 10.0%]",
            "- download 195.3 kB matches limit [download rate > 1 kB in last 1 second]",
            "+ upload packets check succeeded [current upload packets 0 in last 1 second]",
            "- total download 1.9 MB matches limit [download rate > 1 MB in last 2 minute]",
            "= link capacity has not changed",
        ]
    );
    let quiet = look(Ok(link(true, 2_000_000, 3)), 20);
    assert_eq!(quiet[0], "- 3 upload errors detected");
    assert_eq!(quiet[1], "+ link upload saturation check succeeded [current upload saturation 0.0%]");
    assert_eq!(look(Ok(link(false, 2_000_000, 3)), 30), ["- link down"]);
    assert_eq!(look(Err("no such interface".to_owned()), 40), ["- link data collection failed -- no such interface"]);
    assert_eq!(look(Ok(link(true, 0, 0)), 50), ["+ link up"]);
}

#[test]
fn a_program_is_judged_by_its_status_and_what_it_printed() {
    let service = first(
        "check program p path /bin/true if status != 0 then alert if changed status then alert if content = \"bad\" then alert \
         if content changed then alert",
    );
    let mut memory = program::Memory::default();
    let mut look = |status, output: &str| {
        let run = ProgramRun { status, output: output.to_owned(), ..ProgramRun::default() };
        let findings = program::judge(&service, &run, &mut memory);
        (told(&findings), findings.is_up)
    };
    let good = ["+ status succeeded (0) -- no output", "= content doesn't match on program output:\n"];
    assert_eq!(look(Some(0), ""), (good.map(str::to_owned).to_vec(), true));
    let bad = [
        "- status failed (3) -- bad day",
        "! status changed (0 -> 3) -- bad day",
        "! content match on program output:\nbad day",
        "! content changed on program output:\nbad day",
    ];
    assert_eq!(look(Some(3), "bad day"), (bad.map(str::to_owned).to_vec(), false));
    let run = ProgramRun { not_run: Some("its interpreter /x does not exist".to_owned()), ..ProgramRun::default() };
    let findings = program::judge(&service, &run, &mut memory);
    assert_eq!(
        findings.unreadable.as_deref(),
        Some("failed to execute '/bin/true' -- its interpreter /x does not exist")
    );
    assert_eq!(findings.rules, [], "what did not run says nothing of what it looks at");
    // What it is compared with is the last run there was.
    let again = program::judge(&service, &ProgramRun { status: Some(4), ..ProgramRun::default() }, &mut memory);
    assert_eq!(told(&again)[1], "! status changed (3 -> 4) -- no output");
}
