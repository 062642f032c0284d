//! Descriptors.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use super::errno::{cerr, retry};
use super::poll::{Interest, PollSet};
use super::random;

/// Makes reads and writes return EAGAIN instead of waiting.
///
/// # Errors
/// Those of fcntl(2).
pub fn set_nonblocking(fd: RawFd) -> io::Result<()> {
    // SAFETY: F_GETFL and F_SETFL take and return plain integers.
    unsafe {
        let flags = cerr(libc::fcntl(fd, libc::F_GETFL))?;
        cerr(libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK))?;
    }
    Ok(())
}

/// What has nothing to read and holds nothing that is written (close-on-exec): `/dev/null`, or, in a jail or chroot without
/// it, an empty file that cannot be written and has no name. There a write fails (EBADF), and ends nobody by a signal, as
/// it would with a pipe.
///
/// # Errors
/// Those of open(2), for a file in the directory of temporary ones.
pub fn dev_null() -> io::Result<File> {
    null_at("/dev/null")
}

fn null_at(path: &str) -> io::Result<File> {
    match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => empty(),
        result => result,
    }
}

fn empty() -> io::Result<File> {
    let name: String = random::bytes()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = std::env::temp_dir().join(format!("pollux-{name}"));
    File::options().write(true).create_new(true).mode(0o600).open(&path)?;
    let file = File::open(&path);
    std::fs::remove_file(&path)?;
    file
}

/// At start: descriptors 0, 1 and 2 are made to exist (as /dev/null), so that no file of ours ever gets one of these
/// numbers, and everything our starter left open above them is closed.
///
/// # Errors
/// Those of [`dev_null`].
pub fn tidy_inherited() -> io::Result<()> {
    for number in 0..=2 {
        // SAFETY: F_GETFD takes and returns plain integers.
        if unsafe { libc::fcntl(number, libc::F_GETFD) } == -1 {
            let null = dev_null()?;
            // SAFETY: both are descriptors; dup2 onto a closed number opens it without close-on-exec.
            cerr(unsafe { libc::dup2(null.as_raw_fd(), number) })?;
        }
    }
    crate::sys::platform::descriptor::close_from(3);
    Ok(())
}

/// How many descriptors this process may have (RLIMIT_NOFILE).
pub fn limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the record is valid for writing.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } {
        0 => usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX),
        _ => 256,
    }
}

/// Points descriptors 0, 1 and 2 at /dev/null: the daemon has left its terminal.
///
/// # Errors
/// Those of [`dev_null`].
pub fn detach_standard() -> io::Result<()> {
    let null = dev_null()?;
    for number in 0..=2 {
        // SAFETY: both are open descriptors.
        cerr(unsafe { libc::dup2(null.as_raw_fd(), number) })?;
    }
    Ok(())
}

/// Whether the descriptor is a terminal (isatty(3)).
pub fn is_terminal(fd: RawFd) -> bool {
    // SAFETY: isatty takes any integer.
    unsafe { libc::isatty(fd) == 1 }
}

/// Bytes for which a pipe that poll(2) calls writable has room: PIPE_BUF, the smallest that POSIX allows.
const PIPE_BUF: usize = 512;

/// Writes to a descriptor that others share and that therefore cannot be made non-blocking. False when it would have to
/// wait: a pipe that nobody empties, a terminal that was told to stop; part of the text may be written then. A reader that
/// went away is no reason to wait.
pub fn write_without_waiting(fd: RawFd, text: &[u8]) -> bool {
    text.chunks(PIPE_BUF).all(|chunk| {
        let mut set = PollSet::default();
        set.add(fd, Interest::Write, ());
        if !set.wait(Some(Duration::ZERO)).is_ok_and(|ready| !ready.is_empty()) {
            return false;
        }
        // SAFETY: the pointer and the length describe `chunk`, which is only read.
        let written = retry(|| cerr(unsafe { libc::write(fd, chunk.as_ptr().cast(), chunk.len()) }));
        written.is_err() || written.is_ok_and(|count| usize::try_from(count) == Ok(chunk.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::posix::signal;
    use std::io::{Read, Write};

    #[test]
    fn without_dev_null_there_is_nothing_to_read_either() {
        for path in ["/dev/null", "/nonexistent/null"] {
            let mut null = null_at(path).unwrap();
            assert_eq!(null.read(&mut [0; 8]).unwrap(), 0, "{path}");
            assert_eq!(null.write(b"x").is_ok(), path == "/dev/null", "and nobody is ended by a signal");
            assert!(write_without_waiting(null.as_raw_fd(), b"x"), "{path}");
        }
    }

    #[test]
    fn a_full_pipe_is_not_waited_for() {
        let (reader, writer) = signal::pipe().unwrap();
        let line = [b'x'; 2 * PIPE_BUF + 1];
        let mut lines = 0;
        while write_without_waiting(writer.as_raw_fd(), &line) {
            lines += 1;
        }
        assert!(lines > 0);
        drop(reader);
        assert!(write_without_waiting(writer.as_raw_fd(), &line), "nobody reads: nothing to wait for");
    }
}
