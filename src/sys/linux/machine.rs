//! The machine: which boot this is, since when, and what it is called.

use std::io;
use std::path::Path;
use std::time::Duration;

use crate::base::process::BootId;
use crate::sys::head::{HeadError, read_head};
pub use crate::sys::uname::{host_name, load, platform};

/// Where syslogd listens, in the order to try.
pub const SYSLOG_SOCKETS: &[&str] = &["/dev/log"];

/// Bytes of a file that holds one value.
const VALUE: usize = 128;

/// What tells this boot from others: `/proc/sys/kernel/random/boot_id`.
///
/// # Errors
/// /proc does not show it.
pub fn boot_id() -> io::Result<BootId> {
    boot_id_at(Path::new("/proc"))
}

/// Time since boot, sleep included, on the clock that process start times are counted by: `/proc/uptime`.
///
/// # Errors
/// /proc does not show it.
pub fn uptime() -> io::Result<Duration> {
    uptime_at(Path::new("/proc"))
}

fn boot_id_at(root: &Path) -> io::Result<BootId> {
    let id = value(&root.join("sys/kernel/random/boot_id"))?;
    let id = id.trim();
    let is_uuid = id.len() == 36 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if is_uuid { Ok(BootId(id.to_owned())) } else { Err(malformed("boot_id")) }
}

/// `350735.47 234388.90`: seconds and hundredths.
fn uptime_at(root: &Path) -> io::Result<Duration> {
    let text = value(&root.join("uptime"))?;
    let first = text.split_ascii_whitespace().next().and_then(|first| first.parse::<f64>().ok());
    first.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or_else(|| malformed("uptime"))
}

fn value(path: &Path) -> io::Result<String> {
    match read_head(path, VALUE) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(HeadError::Refused(error) | HeadError::Failed(error)) => Err(error),
        Err(HeadError::Missing) => Err(io::Error::from(io::ErrorKind::NotFound)),
        Err(HeadError::NotRegular(kind)) => Err(io::Error::other(format!("{} is {kind}", path.display()))),
    }
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} is not what proc(5) describes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::linux::fake::FakeProc;

    #[test]
    fn values_are_read_and_nonsense_is_refused() {
        let proc = FakeProc::new();
        proc.file("sys/kernel/random/boot_id", b"f0e1d2c3-0011-2233-4455-66778899aabb\n");
        proc.file("uptime", b"350735.47 234388.90\n");
        assert_eq!(boot_id_at(proc.root()).unwrap().0, "f0e1d2c3-0011-2233-4455-66778899aabb");
        assert_eq!(uptime_at(proc.root()).unwrap(), Duration::from_millis(350_735_470));
        for nonsense in ["", "-1 2", "1e400", "nan", "x"] {
            proc.file("uptime", nonsense.as_bytes());
            assert!(uptime_at(proc.root()).is_err(), "{nonsense}");
        }
        proc.file("sys/kernel/random/boot_id", b"\n");
        assert_eq!(boot_id_at(proc.root()).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let nowhere = uptime_at(&proc.root().join("nowhere")).unwrap_err();
        assert_eq!(nowhere.kind(), io::ErrorKind::NotFound);
    }
}
