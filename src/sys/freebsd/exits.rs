//! Word of processes that end: one kqueue(2) for all, EVFILT_PROC with NOTE_EXIT for each. A process may be watched if it
//! may be seen (`security.bsd.see_other_uids`, jails); whose it is does not matter.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use super::kevent::{self, RECORD_SIZE};
use crate::base::process::Pid;
use crate::sys::fault::{self, Call};
use crate::sys::posix::errno::cerr;

/// Events that are taken at a time; the rest makes the descriptor ready again.
const EVENTS_MAX: usize = 64;

/// The processes that are watched. Dropping it ends that.
#[derive(Debug, Default)]
pub struct Exits {
    /// Made when the first process is watched: a kqueue does not survive the fork into the background.
    queue: Option<OwnedFd>,
}

impl Exits {
    /// Begins to watch a process; false when there is none with that number (ESRCH). Whether the number still is who was
    /// meant has to be looked up after this: from here on it cannot change unnoticed.
    ///
    /// # Errors
    /// No kqueue, or no memory for another event.
    pub fn watch(&mut self, pid: Pid) -> io::Result<bool> {
        fault::check(Call::Watch)?;
        match self.change(pid, libc::EV_ADD | libc::EV_ONESHOT) {
            Ok(()) => Ok(true),
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends the watching of a process.
    pub fn forget(&mut self, pid: Pid) {
        // The kernel forgets by itself whoever has ended, and then says ENOENT.
        let _ = self.change(pid, libc::EV_DELETE);
    }

    /// The descriptors to poll for reading; a ready one has to be given to [`Exits::take`].
    pub fn fds(&self) -> impl Iterator<Item = RawFd> {
        self.queue.iter().map(AsRawFd::as_raw_fd)
    }

    /// Who has ended, by a descriptor that is ready. They are not watched any longer.
    pub fn take(&mut self, ready: RawFd) -> Vec<Pid> {
        let mut events = [const { zeroed() }; EVENTS_MAX];
        let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: no changes; the pointer and the count describe `events`, which the kernel fills; `now` is only read.
        let count =
            cerr(unsafe { libc::kevent(ready, ptr::null(), 0, events.as_mut_ptr(), EVENTS_MAX as libc::c_int, &now) });
        let count = count.ok().and_then(|count| usize::try_from(count).ok()).unwrap_or(0).min(EVENTS_MAX);
        // SAFETY: so many events were filled by the kernel, each of RECORD_SIZE bytes without padding; all of them were
        // initialised before.
        let bytes = unsafe { std::slice::from_raw_parts(events.as_ptr().cast::<u8>(), count * RECORD_SIZE) };
        kevent::ended(bytes)
    }

    fn change(&mut self, pid: Pid, flags: u16) -> io::Result<()> {
        let queue = match &self.queue {
            Some(queue) => queue.as_raw_fd(),
            None => self.queue.insert(new_queue()?).as_raw_fd(),
        };
        let mut change = zeroed();
        change.ident = pid.get().unsigned_abs() as libc::uintptr_t;
        change.filter = libc::EVFILT_PROC;
        change.flags = flags;
        change.fflags = libc::NOTE_EXIT;
        // SAFETY: one change, which is only read; no room for events, so an error comes as the result.
        cerr(unsafe { libc::kevent(queue, &change, 1, ptr::null_mut(), 0, ptr::null()) }).map(|_| ())
    }
}

fn new_queue() -> io::Result<OwnedFd> {
    // SAFETY: kqueue takes nothing; the descriptor is new and nobody else's; F_SETFD takes plain integers.
    unsafe {
        let queue = OwnedFd::from_raw_fd(cerr(libc::kqueue())?);
        cerr(libc::fcntl(queue.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC))?;
        Ok(queue)
    }
}

const fn zeroed() -> libc::kevent {
    libc::kevent { ident: 0, filter: 0, flags: 0, fflags: 0, data: 0, udata: ptr::null_mut(), ext: [0; 4] }
}

#[cfg(test)]
#[path = "../exits_tests.rs"]
mod tests;
