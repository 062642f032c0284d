//! Reading a file without pushing what others have in memory out of it.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;

use crate::sys::posix::errno::cerr;

/// Before the first [`read`]: nothing to do here.
pub fn prepare(_: &File) {}

/// Reads on. What was not in memory before does not stay there: `RWF_DONTCACHE` of preadv2(2), since Linux 6.14; where the
/// kernel or the filesystem has it not, it is an ordinary read(2).
///
/// # Errors
/// Those of read(2).
pub fn read(mut file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: the vector describes the buffer, which outlives the call; -1 reads at the file's own position and moves it.
    match cerr(unsafe { libc::preadv2(file.as_raw_fd(), &raw const part, 1, -1, libc::RWF_DONTCACHE) }) {
        Ok(length) => Ok(usize::try_from(length).unwrap_or_default()),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EINVAL | libc::ENOSYS)) => {
            file.read(buffer)
        }
        Err(error) => Err(error),
    }
}
