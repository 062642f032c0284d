//! Reading a file without pushing what others have in memory out of it.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;

/// Before the first [`read`]: tells the kernel that nothing of it is read twice (posix_fadvise(2)). Without effect on
/// filesystems that do not know it.
pub fn prepare(file: &File) {
    // SAFETY: plain integers and an open descriptor.
    unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_NOREUSE) };
}

/// Reads on.
///
/// # Errors
/// Those of read(2).
pub fn read(mut file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    file.read(buffer)
}
