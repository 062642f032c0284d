//! Where `errno` lives.

/// Its address for the calling thread.
pub fn location() -> *mut libc::c_int {
    // SAFETY: always valid.
    unsafe { libc::__error() }
}
