//! Short-lived children for calls that may block: they do one thing, send the answer down a pipe, and are gone.

use std::cell::RefCell;
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

/// So much of an answer is taken at a time, that a long one delays nobody.
const TAKE_MAX: usize = 1024 * 1024;

/// A helper at work. Dropping it ends the child.
#[derive(Debug)]
pub struct Helper {
    pid: Pid,
    pipe: File,
    answer: Vec<u8>,
    /// Bytes of an answer that are kept.
    limit: usize,
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
        Helper::start_telling(deadline, ANSWER_MAX, |pipe| {
            let _ = pipe.write_all(&work());
        })
    }

    /// The same for work that tells how far it is: what it writes can be seen before it has ended. Answers are cut at
    /// `limit` bytes.
    ///
    /// # Errors
    /// No process or descriptor left.
    pub fn start_telling(deadline: Mono, limit: usize, work: impl FnOnce(&mut dyn Write)) -> io::Result<Helper> {
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
        UNREAPED.with_borrow_mut(|pids| pids.push(pid));
        Ok(Helper { pid, pipe: read.into(), answer: Vec::new(), limit, deadline })
    }

    /// The descriptor to poll for reading.
    pub fn fd(&self) -> RawFd {
        self.pipe.as_raw_fd()
    }

    /// Reads what is there.
    pub fn read(&mut self) -> Progress {
        let mut chunk = [0; 64 * 1024];
        let mut taken = 0;
        while taken < TAKE_MAX {
            match self.pipe.read(&mut chunk) {
                Ok(0) => return Progress::Done(std::mem::take(&mut self.answer)),
                Ok(count) => {
                    taken += count;
                    let room = self.limit.saturating_sub(self.answer.len());
                    self.answer.extend(chunk.iter().take(count.min(room)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Progress::Pending,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Progress::Done(std::mem::take(&mut self.answer)),
            }
        }
        Progress::Pending
    }

    /// What was read of an answer that is not whole yet.
    pub fn so_far(&self) -> &[u8] {
        &self.answer
    }

    /// Gives the child up. A call that cannot be interrupted may keep it alive for as long as it likes.
    pub fn abandon(self) -> Abandoned {
        Abandoned { pid: self.pid }
    }
}

/// In a helper: leaves the processor to everybody else first (nice(2)), because the work takes long and nobody waits for it.
pub fn yield_to_others() {
    // SAFETY: a plain integer. Who may not be nicer goes on as before.
    unsafe { libc::nice(19) };
}

/// A child that was told to end and may not be able to.
#[derive(Debug)]
pub struct Abandoned {
    pid: Pid,
}

impl Abandoned {
    /// Whether it is still there. True until the loop has reaped it.
    pub fn lives(&self) -> bool {
        is_unreaped(self.pid)
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Once it is reaped its number may be that of a program we guard.
        if is_unreaped(self.pid) {
            let _ = wait::signal_group(self.pid, wait::KILL);
        }
    }
}

thread_local! {
    /// Helpers that were not reaped yet: as long as one is here, its number is its own.
    static UNREAPED: RefCell<Vec<Pid>> = const { RefCell::new(Vec::new()) };
}

fn is_unreaped(pid: Pid) -> bool {
    UNREAPED.with_borrow(|pids| pids.contains(&pid))
}

/// To be told of every child that is reaped and is no program.
pub fn reaped(pid: Pid) {
    UNREAPED.with_borrow_mut(|pids| pids.retain(|helper| *helper != pid));
}

/// The child's place for its pipe.
const PIPE: RawFd = 3;

fn child(write: RawFd, work: impl FnOnce(&mut dyn Write)) {
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
    work(&mut pipe);
}

/// Ends the child however `work` ends, also by a panic: it must never go on as a second daemon.
struct ExitAtEnd;

impl Drop for ExitAtEnd {
    fn drop(&mut self) {
        // SAFETY: runs no destructors, which are the parent's.
        unsafe { libc::_exit(0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::posix::clock;
    use crate::sys::posix::poll::{Interest, PollSet};
    use std::time::Duration;

    fn wait_for(helper: &Helper) {
        let mut set = PollSet::default();
        set.add(helper.fd(), Interest::Read, ());
        assert_eq!(set.wait(Some(Duration::from_secs(20))).unwrap().len(), 1);
    }

    #[test]
    fn a_long_answer_arrives_in_parts_and_is_cut_at_its_limit() {
        let deadline = clock::monotonic().plus(Duration::from_secs(20));
        let mut helper = Helper::start_telling(deadline, 3_000_000, |pipe| {
            let _ = pipe.write_all(&vec![b'x'; 4_000_000]);
        })
        .unwrap();
        let mut longest = 0;
        loop {
            wait_for(&helper);
            let before = helper.so_far().len();
            match helper.read() {
                Progress::Pending => longest = longest.max(helper.so_far().len() - before),
                Progress::Done(answer) => break assert_eq!(answer.len(), 3_000_000),
            }
        }
        assert!(longest < TAKE_MAX + 64 * 1024, "{longest}");
    }

    #[test]
    fn a_child_that_hangs_shows_how_far_it_got_and_lives_until_it_is_reaped() {
        let deadline = clock::monotonic().plus(Duration::from_secs(20));
        let mut helper = Helper::start_telling(deadline, 100, |pipe| {
            let _ = pipe.write_all(b"begun");
            clock::pause(Duration::from_secs(60));
        })
        .unwrap();
        wait_for(&helper);
        assert_eq!((helper.read(), helper.so_far()), (Progress::Pending, b"begun".as_slice()));
        let pid = helper.pid;
        let child = helper.abandon();
        assert!(child.lives());
        while child.lives() {
            if wait::reap(pid).is_some() {
                reaped(pid);
            }
            std::thread::yield_now();
        }
    }
}
