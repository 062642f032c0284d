//! Tests of rules.

use super::{Secrets, account, connection, operand, operator, quoted};
use crate::config::model::{Attribute, Content, Hash, Limit, Measure, Patterns, Test, Timestamp, Unit};

/// What stands between `if` and `then`, without the rate.
pub fn test(test: &Test, secrets: Secrets) -> String {
    match test {
        Test::NotExist => "not exist".to_owned(),
        Test::Exist => "exist".to_owned(),
        // Not a statement: only the name of a rule that every file has.
        Test::Type => "failed type".to_owned(),
        Test::Exited => "exited".to_owned(),
        Test::Measured { measure, limit } => format!("{} {}", self::measure(*measure), self::limit(limit)),
        Test::Transferred { upload, limit, minutes } => {
            let word = if *upload { "upload" } else { "download" };
            let range = match minutes {
                1440 => "1 day".to_owned(),
                minutes if minutes % 60 == 0 && *minutes > 0 => format!("{} hours", minutes / 60),
                minutes => format!("{minutes} minutes"),
            };
            format!("total {word} {} in last {range}", self::limit(limit))
        }
        Test::Content(content) => self::content(content),
        Test::ContentChanged(true) => "content changed".to_owned(),
        Test::ContentChanged(false) => "content not changed".to_owned(),
        Test::Link(true) => "link up".to_owned(),
        Test::Link(false) => "link down".to_owned(),
        Test::Permission(mode) => format!("failed permission {mode:04o}"),
        Test::Uid(user) => format!("failed uid {}", account(user.name.as_deref(), user.uid)),
        Test::EffectiveUid(user) => format!("failed euid {}", account(user.name.as_deref(), user.uid)),
        Test::Gid(group) => format!("failed gid {}", account(group.name.as_deref(), group.gid)),
        Test::Checksum { kind, expected } => {
            let expected = expected.as_ref().map(|text| format!(" expect {}", quoted(text)));
            format!("failed {} checksum{}", hash(*kind), expected.unwrap_or_default())
        }
        Test::SecurityAttribute { differs, attribute, pattern } => {
            let operator = match (pattern, differs) {
                (false, _) => "",
                (true, false) => "= ",
                (true, true) => "!= ",
            };
            format!("failed security attribute {operator}{}", quoted(attribute))
        }
        Test::Changed(attribute) => format!("changed {}", self::attribute(*attribute)),
        Test::Connection(found) => connection(found, secrets),
    }
}

/// `content = "…"`
pub fn content(content: &Content) -> String {
    let operator = if content.differs { "!=" } else { "=" };
    let text = match &content.patterns {
        Patterns::One(pattern) => quoted(&pattern.source),
        Patterns::File(path, _) => operand(path),
    };
    format!("content {operator} {text}")
}

/// `> 5 MB`
fn limit(limit: &Limit) -> String {
    let (value, unit) = match limit.unit {
        Unit::One => (number(limit.millionths), ""),
        Unit::Percent => (number(limit.millionths), "%"),
        Unit::Bytes(1) => (number(limit.millionths), " bytes"),
        Unit::Bytes(1024) => (number(limit.millionths), " kb"),
        Unit::Bytes(1_048_576) => (number(limit.millionths), " mb"),
        Unit::Bytes(_) => (number(limit.millionths), " gb"),
        Unit::Milliseconds(1) => (number(limit.millionths), " ms"),
        Unit::Milliseconds(60_000) => (number(limit.millionths), " minutes"),
        Unit::Milliseconds(3_600_000) => (number(limit.millionths), " hours"),
        Unit::Milliseconds(86_400_000) => (number(limit.millionths), " days"),
        Unit::Milliseconds(2_678_400_000) => (number(limit.millionths), " months"),
        Unit::Milliseconds(_) => (number(limit.millionths), " seconds"),
        Unit::Operations => (number(limit.millionths), " operations/s"),
        Unit::Packets => (number(limit.millionths), " packets"),
    };
    format!("{} {value}{unit}", operator(limit.operator))
}

/// Millionths as a decimal number.
fn number(millionths: u64) -> String {
    let (ones, parts) = (millionths / 1_000_000, millionths % 1_000_000);
    if parts == 0 { ones.to_string() } else { format!("{ones}.{parts:06}").trim_end_matches('0').to_owned() }
}

fn measure(measure: Measure) -> String {
    let word = match measure {
        Measure::Cpu(Some(kind)) => return format!("cpu({})", kind.word()),
        Measure::Load { minutes, per_core } => {
            return format!("loadavg({minutes}min){}", if per_core { " per core" } else { "" });
        }
        Measure::Age(timestamp) => self::timestamp(timestamp),
        Measure::Cpu(None) => "cpu",
        Measure::TotalCpu => "total cpu",
        Measure::Memory => "memory",
        Measure::TotalMemory => "total memory",
        Measure::Swap => "swap",
        Measure::Threads => "threads",
        Measure::Children => "children",
        Measure::FileDescriptors => "filedescriptors",
        Measure::TotalFileDescriptors => "total filedescriptors",
        Measure::Uptime => "uptime",
        Measure::Space => "space",
        Measure::SpaceFree => "space free",
        Measure::Inodes => "inodes",
        Measure::InodesFree => "inodes free",
        Measure::Read => "read",
        Measure::Write => "write",
        Measure::DiskRead => "disk read",
        Measure::DiskWrite => "disk write",
        Measure::ServiceTime => "service time",
        Measure::Size => "size",
        Measure::Status => "status",
        Measure::Saturation => "saturation",
        Measure::Upload => "upload",
        Measure::Download => "download",
        Measure::Hardlink => "hardlink",
    };
    word.to_owned()
}

fn timestamp(timestamp: Timestamp) -> &'static str {
    match timestamp {
        Timestamp::Newest => "timestamp",
        Timestamp::Access => "access time",
        Timestamp::Change => "change time",
        Timestamp::Modification => "modification time",
    }
}

/// The word for a kind of checksum.
pub fn hash(hash: Hash) -> &'static str {
    match hash {
        Hash::Md5 => "md5",
        Hash::Sha1 => "sha1",
        Hash::Sha256 => "sha256",
    }
}

fn attribute(attribute: Attribute) -> String {
    let word = match attribute {
        Attribute::Pid => "pid",
        Attribute::ParentPid => "ppid",
        Attribute::Size => "size",
        Attribute::Permission => "permission",
        Attribute::Checksum(None) => "checksum",
        Attribute::Checksum(Some(kind)) => return format!("{} checksum", hash(kind)),
        Attribute::Time(timestamp) => self::timestamp(timestamp),
        Attribute::FilesystemFlags => "fsflags",
        Attribute::Link => "link",
        Attribute::Status => "status",
        Attribute::Hardlink => "hardlink",
    };
    word.to_owned()
}
