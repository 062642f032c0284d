//! Closing many descriptors: close_range(2).

/// Closes every descriptor from `first` on. Async-signal-safe.
pub fn close_from(first: i32) {
    // SAFETY: plain integers; every descriptor of ours from `first` on is given up by the caller.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) };
    if done == 0 {
        return;
    }
    // Kernels before 5.9. All our own descriptors are close-on-exec and small numbers; this catches inherited ones.
    for fd in first..4096 {
        // SAFETY: as above; closing a number that is not open fails harmlessly.
        unsafe { libc::close(fd) };
    }
}
