//! Network links: `/proc/net/dev` and `/sys/class/net/NAME` (sysfs-class-net of the kernel's documentation).

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::facts::network::{LinkFacts, Traffic};
use crate::sys::count;

/// Bytes of a file that holds one value.
const VALUE: u64 = 64;
/// Bytes of `/proc/net/dev`: a line for each interface.
const TABLE: u64 = 4 * 1024 * 1024;
/// The longest name of an interface (IFNAMSIZ without the NUL).
const NAME_MAX: usize = 15;

/// What the system says about the interface `name`; `None` when there is none of that name. 15 system calls.
///
/// # Errors
/// /proc or /sys does not show it.
pub fn link(name: &str) -> io::Result<Option<LinkFacts>> {
    link_at(Path::new("/proc"), Path::new("/sys"), name)
}

fn link_at(proc: &Path, sys: &Path, name: &str) -> io::Result<Option<LinkFacts>> {
    if name.is_empty() || name.len() > NAME_MAX || name.contains('/') || name.starts_with('.') {
        return Ok(None);
    }
    let table = read(&proc.join("net/dev"), TABLE)?;
    let Some((download, upload)) = table.lines().find_map(|line| traffic(line, name)) else { return Ok(None) };
    let directory = sys.join("class/net").join(name);
    let value = |file: &str| value(directory.join(file));
    Ok(Some(LinkFacts {
        up: match value("operstate")?.as_deref() {
            Some("up") => Some(true),
            // Drivers that do not say, such as those of tunnels: what counts is whether there is a carrier. A link that is
            // switched off does not tell.
            Some("unknown") => Some(value("carrier")?.as_deref() == Some("1")),
            Some(_) => Some(false),
            None => None,
        },
        // -1 where it is not known, nothing where there is no such thing.
        speed_bits_per_second: value("speed")?
            .and_then(|speed| speed.parse::<u64>().ok())
            .filter(|megabits| (1..u64::from(u32::MAX)).contains(megabits))
            .map(|megabits| megabits * 1_000_000),
        full_duplex: match value("duplex")?.as_deref() {
            Some("full") => Some(true),
            Some("half") => Some(false),
            _ => None,
        },
        download,
        upload,
    }))
}

/// A line of `/proc/net/dev`: `eth0: bytes packets errs drop fifo frame compressed multicast bytes packets errs ...`.
fn traffic(line: &str, name: &str) -> Option<(Traffic, Traffic)> {
    let numbers = line.trim_start().strip_prefix(name)?.strip_prefix(':')?;
    let numbers: Vec<Option<u64>> = numbers.split_ascii_whitespace().map(|number| number.parse().ok()).collect();
    let number = |at: usize| numbers.get(at).copied().flatten();
    let direction = |at: usize| Traffic { bytes: number(at), packets: number(at + 1), errors: number(at + 2) };
    Some((direction(0), direction(8)))
}

/// The value in a file; `None` for one that is not there, or that the driver does not serve.
fn value(path: PathBuf) -> io::Result<Option<String>> {
    match read(&path, VALUE) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) => match error.raw_os_error() {
            Some(libc::ENOENT | libc::EINVAL | libc::EOPNOTSUPP | libc::ENODEV) => Ok(None),
            _ => Err(error),
        },
    }
}

fn read(path: &Path, limit: u64) -> io::Result<String> {
    count::bump();
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    count::bump();
    file.take(limit).read_to_end(&mut bytes)?;
    count::bump(); // the close
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::linux::fake::FakeProc;

    const TABLE: &[u8] = b"Inter-|   Receive                                                |  Transmit\n \
        face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    \
        lo: 3376947835 2002972    0    0    0     0          0         0 3376947835 2002972    0    0    0     0       0          0\n  \
        eth0:772196685   16059    3    9    9     9          9         9   700784    9687    4    9    9     9       9          9\n";

    fn link(tree: &FakeProc, name: &str) -> Option<LinkFacts> {
        link_at(tree.root(), tree.root(), name).unwrap()
    }

    #[test]
    fn a_link_tells_its_state_and_counters() {
        let tree = FakeProc::new();
        tree.file("net/dev", TABLE);
        for (file, value) in [("operstate", "up\n"), ("speed", "1000\n"), ("duplex", "full\n")] {
            tree.file(&format!("class/net/eth0/{file}"), value.as_bytes());
        }
        let eth0 = link(&tree, "eth0").unwrap();
        assert_eq!((eth0.up, eth0.full_duplex), (Some(true), Some(true)));
        assert_eq!(eth0.speed_bits_per_second, Some(1_000_000_000));
        assert_eq!(eth0.download, Traffic { bytes: Some(772_196_685), packets: Some(16_059), errors: Some(3) });
        assert_eq!(eth0.upload, Traffic { bytes: Some(700_784), packets: Some(9687), errors: Some(4) });
        let lo = link(&tree, "lo").unwrap();
        assert_eq!((lo.up, lo.speed_bits_per_second, lo.full_duplex), (None, None, None));
        assert_eq!(lo.upload.bytes, Some(3_376_947_835));
    }

    #[test]
    fn states_and_values_that_drivers_leave_open() {
        let tree = FakeProc::new();
        tree.file("net/dev", TABLE);
        let set = |file: &str, value: &str| tree.file(&format!("class/net/eth0/{file}"), value.as_bytes());
        for (state, carrier, up) in
            [("unknown", "1", true), ("unknown", "0", false), ("down", "1", false), ("lowerlayerdown", "0", false)]
        {
            set("operstate", state);
            set("carrier", carrier);
            assert_eq!(link(&tree, "eth0").unwrap().up, Some(up), "{state} {carrier}");
        }
        for speed in ["-1", "0", "4294967295", "fast", ""] {
            set("speed", speed);
            assert_eq!(link(&tree, "eth0").unwrap().speed_bits_per_second, None, "{speed}");
        }
        set("duplex", "half");
        assert_eq!(link(&tree, "eth0").unwrap().full_duplex, Some(false));
    }

    #[test]
    fn what_is_no_interface_is_none() {
        let tree = FakeProc::new();
        tree.file("net/dev", TABLE);
        for name in ["eth", "eth01", "", ".", "..", "../x", "a-name-that-is-too-long"] {
            assert_eq!(link(&tree, name), None, "{name}");
        }
        assert!(link_at(&tree.root().join("nowhere"), tree.root(), "lo").is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_a_loopback_link() {
        let before = count::taken();
        let lo = super::link("lo").unwrap().unwrap();
        assert!(count::taken() - before <= 15);
        assert!(lo.up.is_some() && lo.download.bytes.is_some(), "{lo:?}");
    }
}
