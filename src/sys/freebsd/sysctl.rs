//! sysctl(3) into byte buffers.

use std::ffi::CStr;
use std::io;
use std::ptr;

use crate::sys::count;
use crate::sys::fault::{self, Call};
use crate::sys::posix::errno::cerr;

/// How much of a value was fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fetched {
    /// All of it: so many bytes.
    Whole(usize),
    /// The value is longer than the buffer, whose first so many bytes are filled.
    Cut(usize),
}

/// Fetches the value named by `mib` into `buffer`.
pub(super) fn fetch(mib: &[libc::c_int], buffer: &mut [u8]) -> io::Result<Fetched> {
    fault::check(Call::ReadProc)?;
    let mut length = buffer.len();
    count::bump();
    // SAFETY: the name's pointer and count describe `mib`, which is only read; `buffer` and `length` are valid for
    // writing, and the kernel writes at most `length` bytes; no new value is set.
    let result = cerr(unsafe {
        libc::sysctl(mib.as_ptr(), mib.len() as libc::c_uint, buffer.as_mut_ptr().cast(), &mut length, ptr::null(), 0)
    });
    fetched(result, length.min(buffer.len()))
}

/// How many bytes the value named by `mib` has about now; the kernel rounds up for a table that grows.
pub(super) fn length(mib: &[libc::c_int]) -> io::Result<usize> {
    fault::check(Call::ReadProc)?;
    let mut length = 0;
    count::bump();
    // SAFETY: as in `fetch`; a null buffer asks for the length alone.
    cerr(unsafe {
        libc::sysctl(mib.as_ptr(), mib.len() as libc::c_uint, ptr::null_mut(), &mut length, ptr::null(), 0)
    })?;
    Ok(length)
}

/// Fetches the value with this name into `buffer`.
pub(super) fn fetch_by_name(name: &CStr, buffer: &mut [u8]) -> io::Result<Fetched> {
    fault::check(Call::ReadProc)?;
    let mut length = buffer.len();
    count::bump();
    // SAFETY: the name ends with a NUL; the rest as in `fetch`.
    let result =
        cerr(unsafe { libc::sysctlbyname(name.as_ptr(), buffer.as_mut_ptr().cast(), &mut length, ptr::null(), 0) });
    fetched(result, length.min(buffer.len()))
}

/// ENOMEM means that the buffer was too short; it is filled as far as it goes.
fn fetched(result: io::Result<libc::c_int>, length: usize) -> io::Result<Fetched> {
    match result {
        Ok(_) => Ok(Fetched::Whole(length)),
        Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => Ok(Fetched::Cut(length)),
        Err(error) => Err(error),
    }
}
