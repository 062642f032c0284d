//! What rules test.

use std::path::PathBuf;

use super::{Connection, Endpoint, Group, Pattern, ServiceType, User};
use crate::base::event::EventKind;
use crate::syntax::statement as written;
pub use crate::syntax::statement::{Attribute, CpuKind, Hash, Measure, Operator, Timestamp, Unit};

/// The tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// `if not exist`: fails while the service is gone.
    NotExist,
    /// `if exist`: fails while the service is there.
    Exist,
    /// Fails while the path is something else than the service says; implicit, cannot be written.
    Type,
    /// `if exited`: as `if not exist`, but judged as soon as the process has ended.
    Exited,
    /// A measured value and a limit: fails while the comparison holds.
    Measured {
        /// What is measured.
        measure: Measure,
        /// The limit.
        limit: Limit,
    },
    /// `total upload` and `total download`.
    Transferred {
        /// Upload; otherwise download.
        upload: bool,
        /// The limit.
        limit: Limit,
        /// How many minutes are looked at, at most 1440.
        minutes: u32,
    },
    /// `content`: fails when it is there.
    Content(Content),
    /// `content changed` (true) and `content not changed`.
    ContentChanged(bool),
    /// `link up` (true) and `link down`.
    Link(bool),
    /// `failed permission`: permission bits, at most 07777.
    Permission(u32),
    /// `failed uid`.
    Uid(User),
    /// `failed euid`.
    EffectiveUid(User),
    /// `failed gid`.
    Gid(Group),
    /// `failed checksum`.
    Checksum {
        /// The kind.
        kind: Hash,
        /// What is expected, in lower-case hexadecimal digits; `None`: what it is when the daemon first sees it.
        expected: Option<String>,
    },
    /// `failed security attribute`.
    SecurityAttribute {
        /// `!=`.
        differs: bool,
        /// The attribute, or a pattern for it.
        attribute: String,
        /// Whether it is a pattern.
        pattern: bool,
    },
    /// `changed`.
    Changed(Attribute),
    /// A port, an address, a socket, ping.
    Connection(Box<Connection>),
}

/// An operator, a value and its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The operator.
    pub operator: Operator,
    /// The value in millionths of the unit.
    pub millionths: u64,
    /// The unit.
    pub unit: Unit,
}

/// What `content` looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// `!=`.
    pub differs: bool,
    /// The patterns.
    pub patterns: Patterns,
}

/// One pattern, or those of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patterns {
    /// One.
    One(Pattern),
    /// Those of a file, one in a line.
    File(PathBuf, Vec<Pattern>),
}

impl Test {
    /// The kind of event this test posts.
    pub fn event_kind(&self) -> EventKind {
        match self {
            Test::NotExist | Test::Exited => EventKind::NonExist,
            Test::Exist => EventKind::Exist,
            Test::Type => EventKind::Invalid,
            Test::Measured { measure, limit } => measured(*measure, limit.unit),
            Test::Transferred { upload, limit, .. } => {
                measured(if *upload { Measure::Upload } else { Measure::Download }, limit.unit)
            }
            Test::Content(_) | Test::ContentChanged(_) => EventKind::Content,
            Test::Link(_) => EventKind::Link,
            Test::Permission(_) => EventKind::Permission,
            Test::Uid(_) | Test::EffectiveUid(_) => EventKind::Uid,
            Test::Gid(_) => EventKind::Gid,
            Test::Checksum { .. } => EventKind::Checksum,
            Test::SecurityAttribute { .. } => EventKind::Invalid,
            Test::Changed(attribute) => changed(*attribute),
            Test::Connection(connection) => match connection.endpoint {
                Endpoint::Ping { .. } => EventKind::Icmp,
                _ => EventKind::Connection,
            },
        }
    }
}

fn measured(measure: Measure, unit: Unit) -> EventKind {
    match measure {
        Measure::Uptime => EventKind::Uptime,
        Measure::Size => EventKind::Size,
        Measure::Age(_) => EventKind::Timestamp,
        Measure::Status => EventKind::Status,
        Measure::Saturation => EventKind::Saturation,
        Measure::Upload if unit == Unit::Packets => EventKind::PacketOut,
        Measure::Upload => EventKind::ByteOut,
        Measure::Download if unit == Unit::Packets => EventKind::PacketIn,
        Measure::Download => EventKind::ByteIn,
        _ => EventKind::Resource,
    }
}

fn changed(attribute: Attribute) -> EventKind {
    match attribute {
        Attribute::Pid => EventKind::Pid,
        Attribute::ParentPid => EventKind::Ppid,
        Attribute::Size => EventKind::Size,
        Attribute::Permission => EventKind::Permission,
        Attribute::Checksum(_) => EventKind::Checksum,
        Attribute::Time(_) => EventKind::Timestamp,
        Attribute::FilesystemFlags => EventKind::FsFlags,
        Attribute::Link => EventKind::Speed,
        Attribute::Status => EventKind::Status,
        Attribute::Hardlink => EventKind::Resource,
    }
}

/// Whether a service of that type can have the test.
pub fn fits(kind: ServiceType, test: &written::Test) -> bool {
    use ServiceType::{Directory, Fifo, File, Filesystem, Host, Network, Process, Program, System};
    let path = matches!(kind, File | Fifo | Directory);
    match test {
        written::Test::NotExist | written::Test::Exist => path || matches!(kind, Process | Filesystem),
        written::Test::Measured { measure, limit } => match measure {
            Measure::Cpu(Some(_)) | Measure::Swap => kind == System,
            Measure::Cpu(None)
            | Measure::Memory
            | Measure::Load { .. }
            | Measure::FileDescriptors
            | Measure::Uptime => {
                matches!(kind, Process | System)
            }
            Measure::TotalCpu
            | Measure::TotalMemory
            | Measure::TotalFileDescriptors
            | Measure::Threads
            | Measure::Children
            | Measure::DiskRead
            | Measure::DiskWrite => kind == Process,
            Measure::Read | Measure::Write => kind == Filesystem || kind == Process && limit.unit != Unit::Operations,
            Measure::Space | Measure::SpaceFree | Measure::Inodes | Measure::InodesFree | Measure::ServiceTime => {
                kind == Filesystem
            }
            Measure::Size => kind == File,
            Measure::Age(_) | Measure::Hardlink => path,
            Measure::Status => kind == Program,
            Measure::Saturation | Measure::Upload | Measure::Download => kind == Network,
        },
        written::Test::Exited => kind == Process,
        written::Test::Transferred { .. } | written::Test::Link(_) => kind == Network,
        written::Test::Content(content) => kind == File || kind == Program && !content.is_match,
        written::Test::ContentChanged(_) => kind == Program,
        written::Test::Failed(expectation) => match expectation {
            written::Expectation::Permission(_) => path || kind == Filesystem,
            written::Expectation::Uid(_) | written::Expectation::Gid(_) => path || matches!(kind, Process | Filesystem),
            written::Expectation::EffectiveUid(_) | written::Expectation::SecurityAttribute { .. } => kind == Process,
            written::Expectation::Checksum { .. } => kind == File,
            written::Expectation::Link => kind == Network,
        },
        written::Test::Changed(attribute) => match attribute {
            Attribute::Pid | Attribute::ParentPid => kind == Process,
            Attribute::Size | Attribute::Checksum(_) => kind == File,
            Attribute::Permission => path || kind == Filesystem,
            Attribute::Time(_) | Attribute::Hardlink => path,
            Attribute::FilesystemFlags => kind == Filesystem,
            Attribute::Link => kind == Network,
            Attribute::Status => kind == Program,
        },
        written::Test::Connection(connection) => match connection.endpoint {
            written::Endpoint::Port { .. } | written::Endpoint::Url(_) => matches!(kind, Process | Host),
            written::Endpoint::Socket(_) => kind == Process,
            written::Endpoint::Ping(_) => kind == Host,
        },
    }
}
