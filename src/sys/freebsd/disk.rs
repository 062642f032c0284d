//! What the disk below a filesystem did: devstat(9) (`kern.devstat.all`) of the disk that GEOM (`kern.geom.conftxt`) shows
//! below the mounted device, or the kstats of a dataset of ZFS (`kstat.zfs.POOL.dataset.objset-*`), which tell no times.
//!
//! Of a mirror or a stripe the first disk stands for all. Unknown for what has no disk of its own: NFS, tmpfs, nullfs, FUSE.

use std::time::Duration;

use super::decode::{DecodeError, int, long};
use crate::facts::filesystem::DiskCounters;

#[cfg(target_os = "freebsd")]
pub use fetch::Disks;

/// Size of `struct devstat` (<sys/devicestat.h>), whose layout is that of `kern.devstat.version` 6.
pub const RECORD_SIZE: usize = 288;

/// The version of that structure (DEVSTAT_VERSION).
pub const VERSION: i32 = 6;

/// The generation of the list (a `long`), which comes before the records.
const HEAD_SIZE: usize = 8;

/// Where the fields of `struct devstat` begin. Arrays have one element for each of no data, read, write and free.
mod offset {
    pub const NAME: usize = 44;
    pub const NAME_SIZE: usize = 16;
    pub const UNIT: usize = 60;
    pub const BYTES: usize = 64;
    pub const OPERATIONS: usize = 96;
    pub const DURATION: usize = 128;
}

/// DEVSTAT_READ and DEVSTAT_WRITE.
const READ: usize = 1;
const WRITE: usize = 2;

/// Decodes `kern.devstat.all`, and finds the disk of that name, such as `ada0`.
///
/// # Errors
/// A torn record.
pub fn find(bytes: &[u8], disk: &str) -> Result<Option<DiskCounters>, DecodeError> {
    for record in bytes.get(HEAD_SIZE..).ok_or(DecodeError::Truncated)?.chunks(RECORD_SIZE) {
        if record.len() < RECORD_SIZE {
            return Err(DecodeError::Truncated);
        }
        let name = record.get(offset::NAME..offset::NAME + offset::NAME_SIZE).ok_or(DecodeError::Truncated)?;
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let unit = int(record, offset::UNIT)?.to_string();
        if disk.as_bytes().strip_prefix(name) == Some(unit.as_bytes()) {
            return counters(record).map(Some);
        }
    }
    Ok(None)
}

fn counters(record: &[u8]) -> Result<DiskCounters, DecodeError> {
    let number = |at: usize, kind: usize| long(record, at + 8 * kind).map(|value| Some(value as u64));
    let time = |kind: usize| bintime(record, offset::DURATION + 16 * kind).map(Some);
    Ok(DiskCounters {
        read_bytes: number(offset::BYTES, READ)?,
        written_bytes: number(offset::BYTES, WRITE)?,
        reads: number(offset::OPERATIONS, READ)?,
        writes: number(offset::OPERATIONS, WRITE)?,
        read_time: time(READ)?,
        write_time: time(WRITE)?,
    })
}

/// `struct bintime`: seconds, and parts of 2 to the 64th of one.
fn bintime(bytes: &[u8], at: usize) -> Result<Duration, DecodeError> {
    let seconds = u64::try_from(long(bytes, at)?).unwrap_or_default();
    let part = long(bytes, at + 8)? as u64;
    let nanos = (u128::from(part) * 1_000_000_000) >> 64;
    Ok(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos as u64)))
}

/// The disk that a device such as `/dev/ada0p2`, `/dev/gpt/root` or `/dev/mirror/gm0s1` lies on, by `kern.geom.conftxt`: lines
/// of depth, class and name, below each disk what is made of it.
pub fn disk_of<'t>(conftxt: &'t str, device: &str) -> Option<&'t str> {
    let wanted = device.strip_prefix("/dev/")?;
    let mut disk = None;
    for line in conftxt.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(depth), Some(_class), Some(name)) = (words.next(), words.next(), words.next()) else { continue };
        if depth == "0" {
            disk = Some(name);
        }
        if name == wanted {
            return disk;
        }
    }
    None
}

#[cfg(target_os = "freebsd")]
mod fetch {
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::ffi::CString;
    use std::io;

    use super::{RECORD_SIZE, VERSION, disk_of, find};
    use crate::facts::filesystem::{DiskCounters, Mounted};
    use crate::sys::freebsd::{decode, sysctl};

    /// The compiler's view of the system's structure must be ours.
    const _: () = {
        use super::offset;
        use std::mem::{offset_of, size_of};
        assert!(size_of::<libc::devstat>() == RECORD_SIZE);
        assert!(offset_of!(libc::devstat, device_name) == offset::NAME);
        assert!(offset_of!(libc::devstat, unit_number) == offset::UNIT);
        assert!(offset_of!(libc::devstat, bytes) == offset::BYTES);
        assert!(offset_of!(libc::devstat, operations) == offset::OPERATIONS);
        assert!(offset_of!(libc::devstat, duration) == offset::DURATION);
    };

    /// Bytes of the largest answers.
    const ANSWER_MAX: usize = 4 * 1024 * 1024;

    /// Most variables that are looked at for a dataset.
    const STEPS_MAX: usize = 65_536;

    /// The reader of disks.
    #[derive(Debug, Default)]
    pub struct Disks {
        /// Which disk a device lies on: asking GEOM means waiting for its thread.
        disks: RefCell<HashMap<String, String>>,
        /// Where the kstats of a dataset are: finding them is a walk over all of its pool.
        datasets: RefCell<HashMap<String, String>>,
    }

    impl Disks {
        /// The running system's.
        pub fn live() -> Disks {
            Disks::default()
        }

        /// What the disk below `mounted` did since boot, or the dataset since it was mounted; all unknown when there is
        /// none. Asks the kernel alone, never the filesystem.
        ///
        /// # Errors
        /// The system would not tell.
        pub fn counters(&self, mounted: &Mounted) -> io::Result<DiskCounters> {
            let device = mounted.device.to_string_lossy();
            if mounted.fstype == "zfs" {
                return self.dataset(&device);
            }
            if !device.starts_with("/dev/") || sysctl::number(c"kern.devstat.version")? != Some(VERSION as u64) {
                return Ok(DiskCounters::default());
            }
            let Some(all) = sysctl::whole(c"kern.devstat.all", ANSWER_MAX)? else {
                return Ok(DiskCounters::default());
            };
            if let Some(disk) = self.disks.borrow().get(&*device)
                && let Some(counters) = find(&all, disk)?
            {
                return Ok(counters);
            }
            let conftxt = sysctl::whole(c"kern.geom.conftxt", ANSWER_MAX)?.unwrap_or_default();
            let conftxt = String::from_utf8_lossy(&conftxt);
            let Some(disk) = disk_of(&conftxt, &device) else { return Ok(DiskCounters::default()) };
            let counters = find(&all, disk)?;
            self.disks.borrow_mut().insert(device.into_owned(), disk.to_owned());
            Ok(counters.unwrap_or_default())
        }

        fn dataset(&self, name: &str) -> io::Result<DiskCounters> {
            let known = self.datasets.borrow().get(name).cloned();
            let node = match known {
                Some(node) if dataset_at(&node)?.as_deref() == Some(name) => node,
                _ => match search(name)? {
                    None => return Ok(DiskCounters::default()),
                    Some(node) => node,
                },
            };
            let number = |key: &str| sysctl::number(&CString::new(format!("{node}.{key}"))?);
            let counters = DiskCounters {
                read_bytes: number("nread")?,
                written_bytes: number("nwritten")?,
                reads: number("reads")?,
                writes: number("writes")?,
                read_time: None,
                write_time: None,
            };
            self.datasets.borrow_mut().insert(name.to_owned(), node);
            Ok(counters)
        }
    }

    /// The dataset whose kstats are below `node`.
    fn dataset_at(node: &str) -> io::Result<Option<String>> {
        let name = sysctl::whole(&CString::new(format!("{node}.dataset_name"))?, 1024)?;
        Ok(name.map(|name| decode::text(&name)))
    }

    /// The node of a dataset's kstats, such as `kstat.zfs.zroot.dataset.objset-0x36`.
    fn search(dataset: &str) -> io::Result<Option<String>> {
        let pool = dataset.split('/').next().unwrap_or_default();
        let Some(root) = sysctl::mib(&CString::new(format!("kstat.zfs.{pool}.dataset"))?)? else { return Ok(None) };
        let mut at = root.clone();
        for _ in 0..STEPS_MAX {
            at = match sysctl::next(&at)? {
                Some(next) if next.starts_with(&root) => next,
                _ => return Ok(None),
            };
            let name = sysctl::name(&at)?;
            if let Some(node) = name.strip_suffix(".dataset_name")
                && dataset_at(node)?.as_deref() == Some(dataset)
            {
                return Ok(Some(node.to_owned()));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record as the headers lay it out.
    fn raw(name: &[u8], unit: i32) -> Vec<u8> {
        let mut raw = vec![0xa5; 288];
        let mut put = |at: usize, bytes: &[u8]| raw[at..at + bytes.len()].copy_from_slice(bytes);
        put(44, &[0; 16]);
        put(44, name);
        put(60, &unit.to_ne_bytes());
        for (kind, scale) in [(0, 1_000_000_u64), (1, 1), (2, 10), (3, 9_000_000)] {
            put(64 + 8 * kind, &(4096 * scale).to_ne_bytes());
            put(96 + 8 * kind, &(7 * scale).to_ne_bytes());
            put(128 + 16 * kind, &(2 * scale as i64).to_ne_bytes());
            put(136 + 16 * kind, &(1_u64 << 62).to_ne_bytes()); // a quarter of a second
        }
        raw
    }

    fn all(records: &[Vec<u8>]) -> Vec<u8> {
        let mut all = 42_i64.to_ne_bytes().to_vec();
        all.extend(records.concat());
        all
    }

    #[test]
    fn a_disk_is_found_by_name_and_unit_and_its_fields_too() {
        let mut other = raw(b"ada", 1);
        other[64..128].fill(0);
        let all = all(&[other, raw(b"ada", 11), raw(b"a-name-of-16-byt", 0)]);
        let disk = find(&all, "ada11").unwrap().unwrap();
        assert_eq!((disk.read_bytes, disk.written_bytes), (Some(4096), Some(40_960)));
        assert_eq!((disk.reads, disk.writes), (Some(7), Some(70)));
        assert_eq!(disk.read_time, Some(Duration::from_millis(2250)));
        assert_eq!(disk.write_time, Some(Duration::from_millis(20_250)));
        assert_eq!(find(&all, "ada1").unwrap().unwrap().read_bytes, Some(0));
        assert!(find(&all, "a-name-of-16-byt0").unwrap().is_some());
        assert_eq!(find(&all, "ada").unwrap(), None);
        assert_eq!(find(&all, "da1").unwrap(), None);
    }

    #[test]
    fn torn_answers_are_refused() {
        let all = all(&[raw(b"ada", 0)]);
        assert_eq!(find(&all[..7], "ada0"), Err(DecodeError::Truncated));
        assert_eq!(find(&all[..200], "ada0"), Err(DecodeError::Truncated));
        assert_eq!(find(&all[..8], "ada0"), Ok(None));
    }

    #[test]
    fn labels_partitions_and_mirrors_lie_on_a_disk() {
        let conftxt = "0 DISK ada1 500107862016 512 hd 16 sc 63\n\
                       1 PART ada1p1 499 512 i 1 o 20480 ty freebsd-zfs xs GPT xt x\n\
                       0 DISK ada0 500107862016 512 hd 16 sc 63\n\
                       1 MIRROR mirror/gm0 500107861504 512 i 0 o 0\n\
                       2 PART mirror/gm0s1 21474836480 512 i 1 o 1 ty freebsd xs MBR xt 165\n\
                       1 PART ada0p2 21474836480 512 i 2 o 544768 ty freebsd-ufs xs GPT xt y\n\
                       2 LABEL gpt/root 21474836480 512 i 0 o 0\n\n";
        assert_eq!(disk_of(conftxt, "/dev/gpt/root"), Some("ada0"));
        assert_eq!(disk_of(conftxt, "/dev/mirror/gm0s1"), Some("ada0"));
        assert_eq!(disk_of(conftxt, "/dev/ada1"), Some("ada1"));
        assert_eq!(disk_of(conftxt, "/dev/ada9"), None);
        assert_eq!(disk_of(conftxt, "zroot/data"), None);
        assert_eq!(disk_of("", "/dev/ada0"), None);
    }

    #[cfg(target_os = "freebsd")]
    #[test]
    fn the_running_system_answers_for_every_mount() {
        let disks = Disks::live();
        for mount in super::super::mounts::table().unwrap() {
            disks.counters(&mount).unwrap();
        }
    }
}
