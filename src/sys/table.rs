//! What the process tables of all systems share: the interface a check sees, the bounds, and how arguments become the
//! line that patterns match.

use std::io;

use crate::base::process::{Pid, Tolerance};
use crate::facts::process::{Entry, Listed};
use crate::facts::usage::{ProcessFacts, Row, Wanted};

/// Bytes kept of one command line.
pub const COMMAND_MAX: usize = 1024 * 1024;
/// Bytes kept of all command lines together; past it each further one is cut to [`COMMAND_CUT`], so that no user can
/// fill the daemon's memory, or its time with matching, by starting programs with megabytes of arguments.
pub const COMMANDS_MAX: usize = 64 * 1024 * 1024;
/// Bytes kept of a command line when [`COMMANDS_MAX`] is used up.
pub const COMMAND_CUT: usize = 4096;
/// Processes in one table: Linux's largest `kernel.pid_max` on 64 bits; FreeBSD numbers them up to 99,999.
pub const PROCESSES_MAX: usize = 4_194_304;

/// A process table. The daemon's is `platform::process::ProcessTable`.
pub trait Processes {
    /// The process with this number, dead (zombie) or alive; `None` when there is none, or when the number is a mere
    /// thread's.
    ///
    /// # Errors
    /// The system would not tell; the process may live.
    fn entry(&self, pid: Pid) -> io::Result<Option<Entry>>;

    /// What the process with this number uses, as far as it is wanted; `None` when there is none.
    ///
    /// # Errors
    /// The system would not tell.
    fn usage(&self, pid: Pid, wanted: Wanted) -> io::Result<Option<ProcessFacts>>;

    /// All processes, for sums over descendants.
    ///
    /// # Errors
    /// The table could not be read.
    fn rows(&self) -> io::Result<Vec<Row>>;

    /// Some of all processes, for who has no time to read them all at once: those with numbers after `after`, about `most`
    /// of them, and the number to go on after; `None` when there are no more. A system that tells all at once does so here,
    /// too.
    ///
    /// # Errors
    /// The table could not be read.
    fn rows_after(&self, after: Option<Pid>, most: usize) -> io::Result<(Vec<Row>, Option<Pid>)> {
        let _ = (after, most);
        Ok((self.rows()?, None))
    }

    /// How many descriptors the process has open; `None` when that is not known.
    ///
    /// # Errors
    /// The system would not tell.
    fn open_descriptors(&self, pid: Pid) -> io::Result<Option<u64>>;

    /// All processes (no threads), with their command lines if asked for. What vanishes or is hidden meanwhile is left out.
    ///
    /// # Errors
    /// The table could not be read, or not whole.
    fn scan(&self, with_commands: bool) -> io::Result<Vec<Listed>>;

    /// The process's arguments joined by blanks; `None` when it has none, when they may not be read, or when it is gone.
    ///
    /// # Errors
    /// The system would not tell.
    fn arguments(&self, entry: &Entry) -> io::Result<Option<Vec<u8>>>;

    /// Whether processes of other users may be there that this program is not shown; with a number, whether that one may.
    fn may_hide(&self, pid: Option<Pid>) -> bool {
        let _ = pid;
        false
    }

    /// The number of the jail with this name; `None` when there is none.
    ///
    /// # Errors
    /// The system would not tell, or has no jails.
    fn jail(&self, name: &str) -> io::Result<Option<i32>> {
        let _ = name;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// How far two readings of one start time may differ.
    fn tolerance(&self) -> Tolerance;
}

/// Space for command lines in one scan.
pub(super) struct Room {
    left: usize,
}

impl Room {
    pub(super) fn new() -> Room {
        Room { left: COMMANDS_MAX }
    }

    /// How long the next command line may be.
    pub(super) fn limit(&self) -> usize {
        self.left.clamp(COMMAND_CUT, COMMAND_MAX)
    }

    pub(super) fn take(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}

/// Arguments, each ended by a NUL, as one line: every NUL becomes a blank, those at the end go. A title that a program
/// wrote over its arguments (setproctitle) is padded with NULs or blanks and comes out the same way. `None` when nothing
/// is left: a kernel thread, a zombie.
pub(super) fn command_line(arguments: &[u8]) -> Option<Vec<u8>> {
    let end = arguments.iter().rposition(|b| !matches!(b, 0 | b' '))?;
    let line = arguments.get(..=end)?;
    Some(line.iter().map(|b| if *b == 0 { b' ' } else { *b }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_become_a_line() {
        let line = |arguments: &[u8]| command_line(arguments).map(|l| String::from_utf8(l).unwrap());
        assert_eq!(line(b"ruby\0-e\0a b\0").as_deref(), Some("ruby -e a b"));
        assert_eq!(line(b"nginx: master process\0\0\0\0\0").as_deref(), Some("nginx: master process"));
        assert_eq!(line(b"sidekiq 6.1.1 [3 of 25 busy]    \0").as_deref(), Some("sidekiq 6.1.1 [3 of 25 busy]"));
        assert_eq!(line(b"x\0\0y\0").as_deref(), Some("x  y"));
        assert_eq!(line(b""), None);
        assert_eq!(line(b"\0\0"), None);
    }

    #[test]
    fn megabytes_of_arguments_fill_the_room_and_later_lines_are_cut() {
        let mut room = Room::new();
        for _ in 0..64 {
            assert_eq!(room.limit(), COMMAND_MAX);
            room.take(COMMAND_MAX);
        }
        assert_eq!(room.limit(), COMMAND_CUT);
    }
}
