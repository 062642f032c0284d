//! Short-lived children for calls that may block: they do one thing, send the answer down a pipe, and are gone.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

use super::errno::cerr;
use super::{fd, signal, wait};
use crate::base::process::Pid;
use crate::base::time::Mono;
use crate::sys::fault::{self, Call};
use crate::sys::platform;

/// Answers longer than this are cut.
const ANSWER_MAX: usize = 1024 * 1024;

/// A helper at work. Dropping it ends the child.
#[derive(Debug)]
pub struct Helper {
    pid: Pid,
    pipe: File,
    answer: Vec<u8>,
    /// When to give up on it.
    pub deadline: Mono,
}

/// How far a helper got.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not yet.
    Pending,
    /// The whole answer.
    Done(Vec<u8>),
}

impl Helper {
    /// Forks a child that sends what `work` returns. The child keeps no descriptor of ours but its pipe, so that a hung one
    /// holds neither our lock nor our port.
    ///
    /// # Errors
    /// No process or descriptor left.
    pub fn start(deadline: Mono, work: impl FnOnce() -> Vec<u8>) -> io::Result<Helper> {
        let (read, write) = signal::pipe()?;
        fd::set_nonblocking(read.as_raw_fd())?;
        fault::check(Call::Fork)?;
        // SAFETY: the daemon has one thread, so the child is a whole and consistent copy of it.
        let pid = cerr(unsafe { libc::fork() })?;
        if pid == 0 {
            let _no_way_out = ExitAtEnd;
            child(write.as_raw_fd(), work);
        }
        let pid = Pid::new(pid).ok_or_else(|| io::Error::other("fork returned no process number"))?;
        Ok(Helper { pid, pipe: read.into(), answer: Vec::new(), deadline })
    }

    /// The descriptor to poll for reading.
    pub fn fd(&self) -> RawFd {
        self.pipe.as_raw_fd()
    }

    /// Reads what is there.
    pub fn read(&mut self) -> Progress {
        let mut chunk = [0; 4096];
        loop {
            match self.pipe.read(&mut chunk) {
                Ok(0) => return Progress::Done(std::mem::take(&mut self.answer)),
                Ok(count) => {
                    let room = ANSWER_MAX - self.answer.len();
                    self.answer.extend(chunk.iter().take(count.min(room)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Progress::Pending,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Progress::Done(std::mem::take(&mut self.answer)),
            }
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Not reaped yet by anybody but our own loop, which hears of it as of a stranger; its number cannot be another's
        // while our pipe to it is open and its end was not seen, and killing a zombie of ours does nothing.
        if wait::is_own_child(self.pid) {
            let _ = wait::signal_group(self.pid, wait::KILL);
        }
    }
}

/// The child's place for its pipe.
const PIPE: RawFd = 3;

fn child(write: RawFd, work: impl FnOnce() -> Vec<u8>) {
    // SAFETY: the descriptors are this process's own; whatever else was open is given up. The pipe is moved to a fixed
    // place first, so that everything above it can be closed.
    let mut pipe = unsafe {
        libc::setsid();
        if write != PIPE {
            libc::dup2(write, PIPE);
        }
        platform::descriptor::close_from(PIPE + 1);
        File::from_raw_fd(PIPE)
    };
    signal::reset_in_child();
    let answer = work();
    let _ = pipe.write_all(&answer);
}

/// Ends the child however `work` ends, also by a panic: it must never go on as a second daemon.
struct ExitAtEnd;

impl Drop for ExitAtEnd {
    fn drop(&mut self) {
        // SAFETY: runs no destructors, which are the parent's.
        unsafe { libc::_exit(0) };
    }
}
