//! From C's `-1 and errno` to [`io::Result`].

use std::io;

/// A type whose -1 means failure.
pub trait Failing: Copy {
    /// Whether this is -1.
    fn failed(self) -> bool;
}

impl Failing for i32 {
    fn failed(self) -> bool {
        self == -1
    }
}

impl Failing for isize {
    fn failed(self) -> bool {
        self == -1
    }
}

/// Turns -1 into the error `errno` names.
pub fn cerr<T: Failing>(result: T) -> io::Result<T> {
    if result.failed() { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Calls again as long as a signal interrupts the call (EINTR).
pub fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => return result,
        }
    }
}

/// The address of this thread's `errno`.
pub(super) fn location() -> *mut libc::c_int {
    crate::sys::platform::errno::location()
}
