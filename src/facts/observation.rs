//! What one look at a service found, whatever it checks.

use super::content::NewText;
use super::file::{FileFacts, Look};
use super::filesystem::FilesystemFacts;
use super::network::LinkFacts;
use super::process::Presence;
use super::system::SystemFacts;
use super::usage::{ProcessFacts, TreeSample};
use crate::base::digest::Hash;
use crate::base::time::{LocalTime, Wall};

/// What a look found.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// At a process.
    Process(Box<ProcessObservation>),
    /// At a file, a FIFO or a directory.
    Path(Box<PathObservation>),
    /// Into a file, apart from what is to be seen of it: only rules about checksums are judged.
    Checksums(Box<Checksums>),
    /// At a filesystem.
    Filesystem(Box<FilesystemObservation>),
    /// At a network interface; otherwise why it could not be read.
    Link(Result<LinkFacts, String>),
    /// At the machine.
    System(Box<SystemFacts>),
    /// At a program that has ended.
    Program(ProgramRun),
    /// At something of which no more is asked than that it is watched.
    Nothing,
}

/// What a look at a process found.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessObservation {
    /// Whether it is there.
    pub presence: Presence,
    /// Whether more was asked than that.
    pub is_read: bool,
    /// What the rules ask for; `None` when they ask for nothing more, or when the system does not tell.
    pub facts: Option<ProcessFacts>,
    /// The processor time of it and its descendants, when a rule asks.
    pub tree: Option<TreeSample>,
    /// Processors of the machine.
    pub cpus: Option<u32>,
    /// Bytes of memory of the machine.
    pub memory_bytes: Option<u64>,
}

/// What a look at a path found.
#[derive(Clone, Debug, PartialEq)]
pub struct PathObservation {
    /// What stat(2) says.
    pub look: Look,
    /// The times of that in the local time zone; `None` when it is not there.
    pub local: Option<LocalTimes>,
    /// What was written to it since the last look; `None` when no rule asks.
    pub text: Option<Result<NewText, String>>,
    /// When this was seen, for ages.
    pub at: Wall,
}

/// Checksums of a file, which come when they come: large files take their time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksums {
    /// The file that was read, as it was before; `None` when it could not be had.
    pub facts: Option<FileFacts>,
    /// In lower-case hexadecimal digits, or why there is none; empty when the file went away meanwhile.
    pub sums: Vec<(Hash, Result<String, String>)>,
    /// Whether a change of the file after it was read must show in its times. Clocks of filesystems are coarse: what was
    /// written in the same instant as the file was read would look like nothing.
    pub is_settled: bool,
}

/// The three times of a file in the local time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTimes {
    /// Last read.
    pub accessed: LocalTime,
    /// Last change of its inode.
    pub changed: LocalTime,
    /// Last change of its content.
    pub modified: LocalTime,
}

impl LocalTimes {
    /// Those of a file, which `local` puts into the local time zone.
    pub fn of(facts: &FileFacts, local: impl Fn(Wall) -> LocalTime) -> LocalTimes {
        LocalTimes { accessed: local(facts.accessed), changed: local(facts.changed), modified: local(facts.modified) }
    }
}

/// What a look at a filesystem found.
#[derive(Clone, Debug, PartialEq)]
pub struct FilesystemObservation {
    /// What is known of it; otherwise why nothing is.
    pub facts: Result<FilesystemFacts, FilesystemProblem>,
    /// What stat(2) says of its mount point, when a rule asks.
    pub mount_point: Option<FileFacts>,
}

/// Why nothing is known of a filesystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilesystemProblem {
    /// Nothing is mounted there, or there is no such path.
    Missing(String),
    /// It did not answer in time, or the system would not tell.
    Silent(String),
}

/// A check program that has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramRun {
    /// When it was started; `None` when it could not be run.
    pub started: Option<Wall>,
    /// Its exit status, or the number of the signal that ended it; `None` when it could not be run.
    pub status: Option<i32>,
    /// What it printed, without blanks at the end, up to the limit.
    pub output: String,
    /// Why it could not be run.
    pub not_run: Option<String>,
}

impl ProcessObservation {
    /// A look that asked for no more than the process.
    pub fn of(presence: Presence) -> ProcessObservation {
        ProcessObservation { presence, is_read: false, facts: None, tree: None, cpus: None, memory_bytes: None }
    }
}

impl Observation {
    /// Of a process, of which no more was asked than whether it is there.
    pub fn presence_of(presence: Presence) -> Observation {
        Observation::Process(Box::new(ProcessObservation::of(presence)))
    }

    /// Whether the process is there; `None` for what is no process.
    pub fn presence(&self) -> Option<&Presence> {
        match self {
            Observation::Process(process) => Some(&process.presence),
            _ => None,
        }
    }
}
