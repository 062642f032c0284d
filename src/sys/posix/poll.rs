//! poll(2), the one place where the daemon sleeps.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use super::errno::cerr;

/// What a descriptor waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Bytes or connections to read, or the end of file.
    Read,
    /// Room to write.
    Write,
}

/// A descriptor that has something to say, under the token it was added with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready<T> {
    /// Names the source.
    pub token: T,
    /// What it waited for can be done, or an error or hang-up waits to be read.
    pub broken: bool,
}

/// The descriptors of one sleep. Built anew each time, so that nothing stale is waited for: a descriptor that reached its
/// end is simply not added again.
#[derive(Debug)]
pub struct PollSet<T> {
    fds: Vec<libc::pollfd>,
    tokens: Vec<T>,
}

impl<T: Copy> Default for PollSet<T> {
    fn default() -> Self {
        PollSet { fds: Vec::new(), tokens: Vec::new() }
    }
}

impl<T: Copy> PollSet<T> {
    /// Forgets all descriptors; keeps the memory.
    pub fn clear(&mut self) {
        self.fds.clear();
        self.tokens.clear();
    }

    /// Adds a descriptor.
    pub fn add(&mut self, fd: RawFd, interest: Interest, token: T) {
        let events = match interest {
            Interest::Read => libc::POLLIN,
            Interest::Write => libc::POLLOUT,
        };
        self.fds.push(libc::pollfd { fd, events, revents: 0 });
        self.tokens.push(token);
    }

    /// Sleeps until a descriptor is ready, a signal arrives or `timeout` passed (`None`: for ever), and returns what is
    /// ready. An interrupted sleep returns nothing. Timeouts are rounded up to the next millisecond, so that a deadline
    /// has passed when the sleep for it ends.
    ///
    /// # Errors
    /// Those of poll(2), which leave the caller nothing but to go on.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<Vec<Ready<T>>> {
        let millis = match timeout {
            None => -1,
            Some(left) => i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX),
        };
        // SAFETY: the pointer and the length describe the vector of initialised pollfd records, which outlives the call.
        let count = cerr(unsafe { libc::poll(self.fds.as_mut_ptr(), self.fds.len() as libc::nfds_t, millis) });
        match count {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Vec::new()),
            Err(error) => return Err(error),
            Ok(0) => return Ok(Vec::new()),
            Ok(_) => {}
        }
        let broken = libc::POLLERR | libc::POLLHUP | libc::POLLNVAL;
        Ok(self
            .fds
            .iter()
            .zip(&self.tokens)
            .filter(|(fd, _)| fd.revents != 0)
            .map(|(fd, token)| Ready { token: *token, broken: fd.revents & broken != 0 })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn readiness_is_told_by_token() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let mut set = PollSet::default();
        set.add(far.as_raw_fd(), Interest::Read, 'r');
        assert_eq!(set.wait(Some(Duration::ZERO)).unwrap(), []);
        near.write_all(b"x").unwrap();
        assert_eq!(set.wait(None).unwrap(), [Ready { token: 'r', broken: false }]);
        drop(near);
        assert_eq!(set.wait(None).unwrap(), [Ready { token: 'r', broken: true }]);
    }
}
