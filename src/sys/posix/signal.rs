//! Signals as bytes in a pipe (the self-pipe): the handler does nothing but write.

use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};

use super::errno::cerr;

/// The signals the daemon listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: reload.
    Reload,
    /// SIGUSR1: run a cycle now.
    Wake,
    /// SIGTERM or SIGINT: stop.
    Stop,
    /// SIGCHLD: a child changed state.
    Child,
}

const HANDLED: [(i32, Signal); 5] = [
    (libc::SIGHUP, Signal::Reload),
    (libc::SIGUSR1, Signal::Wake),
    (libc::SIGTERM, Signal::Stop),
    (libc::SIGINT, Signal::Stop),
    (libc::SIGCHLD, Signal::Child),
];

/// Write end of the self-pipe; -1 until [`SignalPipe::install`].
static WRITE_END: AtomicI32 = AtomicI32::new(-1);

extern "C" fn on_signal(number: libc::c_int) {
    let byte = number as u8;
    let fd = WRITE_END.load(Ordering::Relaxed);
    // SAFETY: write(2) is async-signal-safe, the buffer is one valid byte. A full pipe drops the byte, which loses
    // nothing: the reader is awake already. errno is restored, because the interrupted code may be about to read it.
    unsafe {
        let errno = super::errno::location();
        let before = *errno;
        libc::write(fd, (&raw const byte).cast(), 1);
        *errno = before;
    }
}

/// The read end, for the poll set.
#[derive(Debug)]
pub struct SignalPipe {
    read: std::fs::File,
    _write: OwnedFd,
}

impl SignalPipe {
    /// Creates the pipe and installs the handlers. From now on SIGPIPE is ignored, and SIGXFSZ: a log that has reached the
    /// limit of setrlimit(2) for files loses lines, not the daemon. To be called once.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn install() -> io::Result<SignalPipe> {
        let (read, write) = pipe()?;
        super::fd::set_nonblocking(read.as_raw_fd())?;
        super::fd::set_nonblocking(write.as_raw_fd())?;
        WRITE_END.store(write.as_raw_fd(), Ordering::Relaxed);
        for (number, _) in HANDLED {
            set_action(number, on_signal as *const () as libc::sighandler_t)?;
        }
        set_action(libc::SIGPIPE, libc::SIG_IGN)?;
        set_action(libc::SIGXFSZ, libc::SIG_IGN)?;
        unblock_all()?;
        Ok(SignalPipe { read: read.into(), _write: write })
    }

    /// The descriptor to poll for reading.
    pub fn fd(&self) -> RawFd {
        self.read.as_raw_fd()
    }

    /// The signals that arrived since the last call, each kind once.
    pub fn take(&mut self) -> Vec<Signal> {
        let mut signals = Vec::new();
        let mut bytes = [0; 64];
        while let Ok(count @ 1..) = self.read.read(&mut bytes) {
            for byte in bytes.iter().take(count) {
                let named = HANDLED.iter().find(|(number, _)| *number == i32::from(*byte));
                if let Some((_, signal)) = named
                    && !signals.contains(signal)
                {
                    signals.push(*signal);
                }
            }
        }
        signals
    }
}

fn set_action(number: i32, handler: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: an all-zero sigaction is valid; handler and mask are set below.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: `action` is initialised and outlives both calls; the handler is async-signal-safe (see `on_signal`).
    unsafe {
        libc::sigemptyset(&mut action.sa_mask);
        cerr(libc::sigaction(number, &action, std::ptr::null_mut()))?;
    }
    Ok(())
}

/// Whoever started us may have blocked signals; a watchdog that cannot be stopped helps nobody.
fn unblock_all() -> io::Result<()> {
    // SAFETY: sigemptyset fills the set before it is read; the old mask is not asked for.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        cerr(libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut()))?;
    }
    Ok(())
}

/// A close-on-exec pipe: read end, write end.
///
/// # Errors
/// No descriptors left.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: pipe2 fills both elements of the array on success.
    cerr(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) })?;
    // SAFETY: both descriptors were just made and belong to nobody else.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

/// In a child before exec: default action for every signal, nothing blocked. Async-signal-safe.
pub(super) fn reset_in_child() {
    for number in 1..128 {
        // SAFETY: as in `set_action`; signals that cannot be set (KILL, STOP, libc's own) fail harmlessly.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(number, &action, std::ptr::null_mut());
        }
    }
    let _ = unblock_all();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_handled_signal_has_its_meaning() {
        let of = |number| HANDLED.iter().find(|(n, _)| *n == number).map(|(_, s)| *s);
        assert_eq!(of(libc::SIGINT), Some(Signal::Stop));
        assert_eq!(of(libc::SIGHUP), Some(Signal::Reload));
        assert_eq!(of(libc::SIGQUIT), None);
    }
}
