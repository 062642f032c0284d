//! The machine: which boot this is, since when, and what it is called.

use std::io;
use std::time::Duration;

use super::decode;
use super::process::boot_time;
use super::sysctl::{self, Fetched};
use crate::base::process::BootId;
use crate::sys::posix::clock::monotonic;
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

/// Time since boot, on the clock that process start times are counted by: FreeBSD's `CLOCK_MONOTONIC` begins at boot.
///
/// # Errors
/// None; other systems have some.
pub fn uptime() -> io::Result<Duration> {
    Ok(monotonic().since_origin())
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
