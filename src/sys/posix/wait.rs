//! Reaping children and ending them.

use std::io;

use super::errno::cerr;
use crate::base::process::Pid;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By exit(3) with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// The number messages show: the exit status, or the number of the signal.
    pub fn number(self) -> i32 {
        match self {
            Exit::Code(number) | Exit::Signal(number) => number,
        }
    }
}

/// A child that ended and was not reaped yet (waitid(2) with WNOWAIT): while its entry stands, its number and its process
/// group cannot be reused.
///
/// # Errors
/// Those of waitid(2) other than "no children", which is `None`.
pub fn peek_exited() -> io::Result<Option<Pid>> {
    // SAFETY: an all-zero siginfo_t is valid; waitid fills it, or leaves the pid 0 when no child has ended.
    let answer = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        cerr(libc::waitid(libc::P_ALL, 0, &mut info, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT))
            .map(|_| info.si_pid())
    };
    match answer {
        Ok(number) => Ok(Pid::new(number)),
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reaps the child that ended and tells how; `None` when it is no child of ours or still runs.
pub fn reap(pid: Pid) -> Option<Exit> {
    let mut status = 0;
    // SAFETY: waitpid writes one int.
    let reaped = unsafe { libc::waitpid(pid.get(), &mut status, libc::WNOHANG) };
    if reaped != pid.get() {
        return None;
    }
    if libc::WIFSIGNALED(status) {
        Some(Exit::Signal(libc::WTERMSIG(status)))
    } else {
        Some(Exit::Code(libc::WEXITSTATUS(status)))
    }
}

/// Sends a signal to the process group a child of ours leads, or to the child alone when it did not get that far.
///
/// # Errors
/// Those of kill(2); ESRCH when nobody is left.
pub fn signal_group(leader: Pid, signal: i32) -> io::Result<()> {
    // SAFETY: kill takes plain integers; `leader` is positive, so the group is never 0 or -1.
    match cerr(unsafe { libc::kill(-leader.get(), signal) }) {
        Ok(_) => Ok(()),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {
            // SAFETY: as above.
            cerr(unsafe { libc::kill(leader.get(), signal) }).map(|_| ())
        }
        Err(error) => Err(error),
    }
}

/// Whether a process of that number is there and this program may not send it signals.
pub fn is_anothers(pid: Pid) -> bool {
    // SAFETY: plain integers; signal 0 is sent to nobody.
    let answer = cerr(unsafe { libc::kill(pid.get(), 0) });
    answer.is_err_and(|error| error.raw_os_error() == Some(libc::EPERM))
}

/// SIGTERM.
pub const TERM: i32 = libc::SIGTERM;
/// SIGKILL.
pub const KILL: i32 = libc::SIGKILL;
