//! Closing many descriptors: closefrom(2). Who is at the other end of one: getpeereid(3).

use std::os::fd::{AsRawFd, BorrowedFd};

/// Closes every descriptor from `first` on. Async-signal-safe.
pub fn close_from(first: i32) {
    // SAFETY: plain integer; every descriptor of ours from `first` on is given up by the caller.
    unsafe { libc::closefrom(first) };
}

/// The user at the other end of a connection over a socket file (getpeereid(3)); `None` when it is not told.
pub fn peer_user(socket: BorrowedFd<'_>) -> Option<u32> {
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: both pointers are valid for writing and outlive the call.
    let done = unsafe { libc::getpeereid(socket.as_raw_fd(), &mut uid, &mut gid) };
    (done == 0).then_some(uid)
}
