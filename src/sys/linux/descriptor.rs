//! Closing many descriptors: close_range(2). Who is at the other end of one.

use std::os::fd::{AsRawFd, BorrowedFd};

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

/// The user at the other end of a connection over a socket file (unix(7), SO_PEERCRED); `None` when it is not told.
pub fn peer_user(socket: BorrowedFd<'_>) -> Option<u32> {
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = size_of_val(&peer) as libc::socklen_t;
    let (level, option) = (libc::SOL_SOCKET, libc::SO_PEERCRED);
    // SAFETY: the kernel writes at most `length` bytes into `peer`, which is that large; both outlive the call.
    let done = unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, (&raw mut peer).cast(), &mut length) };
    (done == 0).then_some(peer.uid)
}
