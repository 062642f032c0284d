//! One process as the system shows it.

use crate::base::process::{Identity, Pid};

/// What every process check needs: one record of the process table, without the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number and start time.
    pub identity: Identity,
    /// The parent; `None` when the system shows none (parent 0).
    pub parent: Option<Pid>,
    /// Dead, waiting to be reaped.
    pub zombie: bool,
    /// Real user id.
    pub uid: Option<u32>,
    /// Effective user id.
    pub euid: Option<u32>,
    /// Real group id.
    pub gid: Option<u32>,
}

/// A process with its command line, as patterns see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The record.
    pub entry: Entry,
    /// Arguments joined by single blanks; the process's name where arguments cannot be read.
    pub command: Vec<u8>,
}
