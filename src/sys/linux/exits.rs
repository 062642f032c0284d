//! Word of processes that end: one descriptor of pidfd_open(2) for each, which is readable once the process is dead. Any
//! process may be watched, whoever's it is. Kernels before 5.3 have no such call and say ENOSYS.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::base::process::Pid;
use crate::sys::fault::{self, Call};
use crate::sys::posix::fd;

/// The processes that are watched. Dropping it ends that.
#[derive(Debug, Default)]
pub struct Exits {
    watched: HashMap<Pid, OwnedFd>,
}

impl Exits {
    /// Begins to watch a process; false when there is none with that number. Whether the number still is who was meant has
    /// to be looked up after this: from here on it cannot change unnoticed.
    ///
    /// # Errors
    /// Half of our descriptors are in use for this (EMFILE), or the kernel cannot do it.
    pub fn watch(&mut self, pid: Pid) -> io::Result<bool> {
        fault::check(Call::Watch)?;
        if self.watched.len() >= fd::limit() / 2 {
            return Err(io::Error::from_raw_os_error(libc::EMFILE));
        }
        // SAFETY: plain integers. The descriptor is new, close-on-exec by definition, and nobody else's.
        let opened = unsafe {
            match libc::syscall(libc::SYS_pidfd_open, pid.get(), 0) {
                -1 => Err(io::Error::last_os_error()),
                number => Ok(OwnedFd::from_raw_fd(number as RawFd)),
            }
        };
        match opened {
            Ok(descriptor) => {
                self.watched.insert(pid, descriptor);
                Ok(true)
            }
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends the watching of a process.
    pub fn forget(&mut self, pid: Pid) {
        self.watched.remove(&pid);
    }

    /// The descriptors to poll for reading; a ready one has to be given to [`Exits::take`].
    pub fn fds(&self) -> impl Iterator<Item = RawFd> {
        self.watched.values().map(AsRawFd::as_raw_fd)
    }

    /// Who has ended, by a descriptor that is ready. It is not watched any longer.
    pub fn take(&mut self, ready: RawFd) -> Vec<Pid> {
        let ended = self.watched.iter().find(|(_, descriptor)| descriptor.as_raw_fd() == ready).map(|(pid, _)| *pid);
        ended.inspect(|pid| self.forget(*pid)).into_iter().collect()
    }
}

#[cfg(test)]
#[path = "../exits_tests.rs"]
mod tests;
