//! Closing many descriptors: closefrom(2).

/// Closes every descriptor from `first` on. Async-signal-safe.
pub fn close_from(first: i32) {
    // SAFETY: plain integer; every descriptor of ours from `first` on is given up by the caller.
    unsafe { libc::closefrom(first) };
}
