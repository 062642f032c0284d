//! Filesystems: `check filesystem`.

use super::limit::{self, Show, Words, amount, measured};
use super::{Findings, Verdict};
use crate::base::time::Mono;
use crate::config::{Attribute, Kind, Limit, Measure, Service, Test, Unit};
use crate::facts::file::FileFacts;
use crate::facts::filesystem::{DiskCounters, DiskRates, FilesystemFacts};
use crate::facts::observation::{FilesystemObservation, FilesystemProblem};

/// What is remembered of a filesystem.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The mount options of the last look: what `changed fsflags` compares with.
    pub flags: Option<String>,
    /// The permission bits of the mount point in the last look: what `changed permission` compares with.
    pub mode: Option<u32>,
    disk: Option<(Mono, DiskCounters)>,
    /// What it and its mount point said last.
    pub last: Option<(FilesystemFacts, Option<FileFacts>)>,
    /// What its disk did between the last two looks.
    pub rates: DiskRates,
}

/// What a look at a filesystem says of its rules.
pub fn judge(service: &Service, seen: &FilesystemObservation, memory: &mut Memory, now: Mono) -> Findings {
    let path = match &service.kind {
        Kind::Filesystem(path) => path.as_str(),
        _ => "",
    };
    let facts = match &seen.facts {
        Ok(facts) => facts,
        Err(FilesystemProblem::Silent(why)) => {
            return Findings::unreadable(format!("unable to read filesystem '{path}' state -- {why}"));
        }
        Err(FilesystemProblem::Missing(why)) => {
            memory.disk = None;
            memory.rates = DiskRates::default();
            let text = format!("unable to read filesystem '{path}' state -- {why}");
            return Findings::of(service, false, |rule| existence(&rule.test, false, &text));
        }
    };
    let is_first = memory.disk.is_none();
    memory.rates =
        memory.disk.map(|(at, disk)| DiskRates::between(&disk, &facts.disk, now.since(at))).unwrap_or_default();
    memory.disk = Some((now, facts.disk));
    memory.last = Some((facts.clone(), seen.mount_point));
    let flags = memory.flags.replace(facts.flags.clone());
    let mode = std::mem::replace(&mut memory.mode, seen.mount_point.map(|file| file.mode));
    let rates = memory.rates;
    Findings::of(service, true, |rule| {
        let file = seen.mount_point.as_ref();
        let unread = || Verdict::Unknown(format!("the mount point {} cannot be read", facts.mount_point.display()));
        Some(match &rule.test {
            Test::NotExist | Test::Exist => {
                let text = format!("succeeded getting filesystem statistics for '{path}'");
                existence(&rule.test, true, &text)?
            }
            Test::Measured { measure, limit } => usage(*measure, limit, facts, &rates, is_first)?,
            Test::Changed(Attribute::FilesystemFlags) => match &flags {
                None => Verdict::Later,
                Some(before) if *before == facts.flags => {
                    Verdict::unchanged(format!("filesystem flags has not changed [current flags '{before}']"))
                }
                Some(before) => {
                    Verdict::changed(format!("filesystem flags changed from '{before}' to '{}'", facts.flags))
                }
            },
            Test::Permission(expected) => {
                file.map_or_else(unread, |file| limit::permission(file.mode, *expected, path))
            }
            Test::Changed(Attribute::Permission) => {
                file.map_or_else(unread, |file| limit::permission_changed(file.mode, mode, path))
            }
            Test::Uid(user) => limit::owner("uid", file.map(|file| file.uid), user.uid, &service.name),
            Test::Gid(group) => limit::owner("gid", file.map(|file| file.gid), group.gid, &service.name),
            _ => return None,
        })
    })
}

fn existence(test: &Test, exists: bool, text: &str) -> Option<Verdict> {
    match test {
        Test::NotExist => Some(Verdict::of(!exists, text)),
        Test::Exist => Some(Verdict::of(exists, text)),
        _ => None,
    }
}

fn usage(
    measure: Measure,
    limit: &Limit,
    facts: &FilesystemFacts,
    rates: &DiskRates,
    is_first: bool,
) -> Option<Verdict> {
    let is_percent = limit.unit == Unit::Percent;
    let bytes = |value: u64| Some(value as f64);
    let number = |value: Option<u64>| value.map(|value| value as f64);
    // A filesystem that counts no inodes has none to run out of: nothing to judge, as in the original.
    let has_inodes = facts.inodes_total.is_some_and(|total| total > 0);
    let io = |bytes: Option<f64>, operations: Option<f64>| {
        if limit.unit == Unit::Operations { operations } else { bytes }
    };
    Some(match measure {
        Measure::Space if is_percent => amount(facts.used_percent(), limit, Show::Percent, "space usage"),
        Measure::Space => amount(bytes(facts.used_bytes()), limit, Show::Bytes, "space usage"),
        Measure::SpaceFree if is_percent => amount(facts.free_percent(), limit, Show::Percent, "space free"),
        Measure::SpaceFree => amount(bytes(facts.free_bytes()), limit, Show::Bytes, "space free"),
        Measure::Inodes | Measure::InodesFree if !has_inodes => Verdict::Later,
        Measure::Inodes if is_percent => amount(facts.inodes_used_percent(), limit, Show::Percent, "inode usage"),
        Measure::Inodes => amount(number(facts.inodes_used()), limit, Show::Count, "inode usage"),
        Measure::InodesFree if is_percent => amount(facts.inodes_free_percent(), limit, Show::Percent, "inode free"),
        Measure::InodesFree => amount(number(facts.inodes_free), limit, Show::Count, "inode free"),
        Measure::Read => {
            let value = io(rates.read_bytes_per_second, rates.reads_per_second);
            limit::rate(value, limit, "read", false).later_if(is_first)
        }
        Measure::Write => {
            let value = io(rates.written_bytes_per_second, rates.writes_per_second);
            limit::rate(value, limit, "write", false).later_if(is_first)
        }
        Measure::ServiceTime => measured(
            rates.service_millis,
            limit,
            Show::PerOperation,
            &Words {
                subject: "service time",
                name: "service time",
                matches: "matches resource limit",
                success: "service time test succeeded",
                current: "current service time",
            },
        )
        .later_if(is_first),
        _ => return None,
    })
}
