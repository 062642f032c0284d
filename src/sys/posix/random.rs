//! Random bytes: getentropy(3), which Linux and FreeBSD share.

use std::io;

use super::errno::cerr;

/// 16 bytes nobody can guess.
///
/// # Errors
/// A kernel without a random source.
pub fn bytes() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    // SAFETY: the pointer and the length describe the array.
    cerr(unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) })?;
    Ok(bytes)
}
