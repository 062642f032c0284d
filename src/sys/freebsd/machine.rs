//! The machine: which boot this is, since when, and what it is called.

use std::io;
use std::time::Duration;

use super::decode;
use super::process::boot_time;
use super::sysctl::{self, Fetched};
use crate::base::process::BootId;
use crate::sys::posix::errno::cerr;
pub use crate::sys::uname::{host_name, load, platform};

/// Where syslogd listens, in the order to try: the first is for root alone.
pub const SYSLOG_SOCKETS: &[&str] = &["/var/run/logpriv", "/var/run/log"];

/// What tells this boot from others: `kern.boot_id`, or the second of `kern.boottime` where a kernel has none. The latter
/// changes when the clock is set.
///
/// # Errors
/// The kernel tells neither.
pub fn boot_id() -> io::Result<BootId> {
    let mut bytes = [0; 16];
    match sysctl::fetch_by_name(c"kern.boot_id", &mut bytes) {
        Ok(Fetched::Whole(length)) => Ok(decode::boot_id(bytes.get(..length).unwrap_or_default())?),
        Ok(Fetched::Cut(_)) => Err(decode::DecodeError::Truncated.into()),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
            boot_time().map(|boot| BootId(format!("boottime-{}", boot.seconds())))
        }
        Err(error) => Err(error),
    }
}

/// Time since boot, on the clock that process start times are counted by (`CLOCK_UPTIME`).
///
/// # Errors
/// Those of clock_gettime(2).
pub fn uptime() -> io::Result<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec for the call to fill.
    cerr(unsafe { libc::clock_gettime(libc::CLOCK_UPTIME, &mut time) })?;
    Ok(Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_boot_has_an_id_and_an_age() {
        assert_eq!(boot_id().unwrap(), boot_id().unwrap());
        assert!(uptime().unwrap() > Duration::ZERO);
    }
}
