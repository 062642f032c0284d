//! Descriptors.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use super::errno::cerr;

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

/// Opens `/dev/null` (close-on-exec).
///
/// # Errors
/// A chroot without /dev/null.
pub fn dev_null() -> io::Result<std::fs::File> {
    std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")
}

/// At start: descriptors 0, 1 and 2 are made to exist (as /dev/null), so that no file of ours ever gets one of these
/// numbers, and everything our starter left open above them is closed.
///
/// # Errors
/// No /dev/null.
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

/// Points descriptors 0, 1 and 2 at /dev/null: the daemon has left its terminal.
///
/// # Errors
/// No /dev/null.
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
