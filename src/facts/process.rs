//! One process as the system shows it, and what a look for it can find.

use std::fmt;

use super::pidfile::PidfileProblem;
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
    /// A thread of the kernel, not a program.
    pub kernel: bool,
    /// The jail it runs in, 0 being the host; `None` where there are no jails.
    pub jail: Option<i32>,
}

/// Whom a process acts for. A reading of its own, because Linux keeps it in another file than [`Entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Real user id.
    pub uid: u32,
    /// Effective user id.
    pub euid: u32,
    /// Real group id.
    pub gid: u32,
}

/// A process with its command line, as patterns see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The record.
    pub entry: Entry,
    /// Arguments joined by single blanks; the process's name where arguments cannot be read; empty when commands were
    /// not asked for.
    pub command: Vec<u8>,
}

/// Whether a watched process is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It lives.
    Running(Entry),
    /// It does not.
    Gone(GoneReason),
    /// The system would not tell (out of descriptors, an I/O error): neither alive nor dead, and no ground for any
    /// action. The text says what failed.
    Unknown(String),
}

/// Why a process counts as dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoneReason {
    /// No command line matches the pattern.
    NoMatch,
    /// The pidfile names no process that could be the service.
    Pidfile(PidfileProblem),
    /// The pidfile names a number that no process has.
    NoProcess(Pid),
    /// The pidfile names a process that is dead and waits to be reaped.
    Zombie(Pid),
    /// The pidfile names a thread of the kernel.
    Kernel(Pid),
    /// The pidfile names a process that is another one than the service's: its command line does not match.
    OtherCommand {
        /// The process.
        pid: Pid,
        /// The beginning of its command line.
        command: String,
    },
    /// The process must run in a jail of that name, and there is none.
    NoJail(String),
    /// The pidfile names a process that runs elsewhere.
    OtherJail {
        /// The process.
        pid: Pid,
        /// The number of its jail; 0: none.
        jail: i32,
        /// Where it should run, as the control file has it.
        wanted: String,
    },
    /// The pidfile names a process of another user.
    OtherUser {
        /// The process.
        pid: Pid,
        /// Its effective user id.
        euid: u32,
        /// The user it should have, by name or number.
        wanted: String,
    },
}

impl fmt::Display for GoneReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GoneReason::NoMatch => f.write_str("no process matches the pattern"),
            GoneReason::Pidfile(problem) => problem.fmt(f),
            GoneReason::NoProcess(pid) => write!(f, "pidfile names process {pid}, which does not exist"),
            GoneReason::Zombie(pid) => write!(f, "pidfile names process {pid}, which is a zombie"),
            GoneReason::Kernel(pid) => write!(f, "pidfile names process {pid}, which is a thread of the kernel"),
            GoneReason::OtherCommand { pid, command } => {
                write!(f, "pidfile names process {pid}, whose command line '{command}' does not match the pattern")
            }
            GoneReason::NoJail(name) => write!(f, "there is no jail '{name}'"),
            GoneReason::OtherJail { pid, jail: 0, wanted } => {
                write!(f, "pidfile names process {pid}, which runs in no jail, not in jail '{wanted}'")
            }
            GoneReason::OtherJail { pid, jail, wanted } => {
                let place = if wanted == "host" { "on the host" } else { "there" };
                write!(f, "pidfile names process {pid}, which runs in the jail with number {jail}, not {place}")
            }
            GoneReason::OtherUser { pid, euid, wanted } => {
                write!(f, "pidfile names process {pid}, which runs as the user with number {euid}, not as {wanted}")
            }
        }
    }
}
