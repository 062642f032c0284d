//! How full a filesystem is, how it is mounted, and what its disk did.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::rate;

/// What the system says about one mounted filesystem.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilesystemFacts {
    /// Type, such as `ext4` or `zfs`.
    pub fstype: String,
    /// How it is mounted, as mount(8) of the system writes it: `rw,relatime`.
    pub flags: String,
    /// Where it is mounted.
    pub mount_point: PathBuf,
    /// What is mounted there: a device, a dataset, `server:/export`.
    pub device: String,
    /// Unit of the block numbers, in bytes.
    pub block_size_bytes: u64,
    /// Blocks in all.
    pub blocks_total: u64,
    /// Blocks that are free, those kept for root among them.
    pub blocks_free: u64,
    /// Blocks that are free for everyone.
    pub blocks_available: u64,
    /// Inodes in all; `None` where the filesystem does not count them.
    pub inodes_total: Option<u64>,
    /// Free inodes.
    pub inodes_free: Option<u64>,
    /// What its disk did; all unknown unless it was asked for.
    pub disk: DiskCounters,
}

impl FilesystemFacts {
    /// Size in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.blocks_total.saturating_mul(self.block_size_bytes)
    }

    /// Free bytes, those kept for root among them.
    pub fn free_bytes(&self) -> u64 {
        self.blocks_free.saturating_mul(self.block_size_bytes)
    }

    /// Bytes free for everyone.
    pub fn available_bytes(&self) -> u64 {
        self.blocks_available.saturating_mul(self.block_size_bytes)
    }

    /// Used bytes: all that is not free, so that what is kept for root counts as free (unlike df(1)).
    pub fn used_bytes(&self) -> u64 {
        self.total_bytes().saturating_sub(self.free_bytes())
    }

    /// Used space in percent of all; `None` for a filesystem of no size.
    pub fn used_percent(&self) -> Option<f64> {
        rate::percent(Some(self.used_bytes()), Some(self.total_bytes()))
    }

    /// What is missing to 100 % in [`FilesystemFacts::used_percent`].
    pub fn free_percent(&self) -> Option<f64> {
        self.used_percent().map(|used| 100.0 - used)
    }

    /// Inodes in use.
    pub fn inodes_used(&self) -> Option<u64> {
        Some(self.inodes_total?.saturating_sub(self.inodes_free?))
    }

    /// Inodes in use in percent of all.
    pub fn inodes_used_percent(&self) -> Option<f64> {
        rate::percent(self.inodes_used(), self.inodes_total)
    }

    /// What is missing to 100 % in [`FilesystemFacts::inodes_used_percent`].
    pub fn inodes_free_percent(&self) -> Option<f64> {
        self.inodes_used_percent().map(|used| 100.0 - used)
    }
}

/// One line of the system's table of mounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    /// Where it is mounted, absolute.
    pub point: PathBuf,
    /// What is mounted: a device, a dataset, `server:/export`.
    pub device: PathBuf,
    /// Major and minor number of the device (Linux); `None` where the table does not tell.
    pub device_number: Option<(u32, u32)>,
    /// Type, such as `ext4` or `zfs`.
    pub fstype: String,
    /// How it is mounted, as mount(8) of the system writes it.
    pub flags: String,
    /// It needs somebody beyond the kernel to answer: a server, another process.
    pub may_stall: bool,
}

/// The mount that a `check filesystem` means by `wanted`: the one with that mount point (of several the last, which hides the
/// others), else the first of that device, dataset or connection string. A file or directory somewhere below a mount point
/// names none: an unplugged disk must not be mistaken for the filesystem its mount point lies on. Nothing is asked of
/// the system, so symbolic links are the caller's.
pub fn find<'t>(table: &'t [Mounted], wanted: &Path) -> Option<&'t Mounted> {
    let point = table.iter().rev().find(|mount| mount.point == wanted);
    point.or_else(|| table.iter().find(|mount| !mount.device.as_os_str().is_empty() && mount.device == wanted))
}

/// What the disk (or dataset) below a filesystem did since the system counts, or since it was mounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskCounters {
    /// Bytes read.
    pub read_bytes: Option<u64>,
    /// Bytes written.
    pub written_bytes: Option<u64>,
    /// Completed reads.
    pub reads: Option<u64>,
    /// Completed writes.
    pub writes: Option<u64>,
    /// Time that reads took, all together.
    pub read_time: Option<Duration>,
    /// Time that writes took, all together.
    pub write_time: Option<Duration>,
}

/// What a disk did between two samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DiskRates {
    /// Bytes read per second.
    pub read_bytes_per_second: Option<f64>,
    /// Bytes written per second.
    pub written_bytes_per_second: Option<f64>,
    /// Reads per second.
    pub reads_per_second: Option<f64>,
    /// Writes per second.
    pub writes_per_second: Option<f64>,
    /// Milliseconds an operation took on average: the sum of the next two.
    pub service_millis: Option<f64>,
    /// The part of [`DiskRates::service_millis`] that reads are the cause of.
    pub read_millis: Option<f64>,
    /// The part of it that writes are the cause of.
    pub write_millis: Option<f64>,
}

impl DiskRates {
    /// What happened between two samples that lie `passed` apart. Without operations there is no service time to speak of:
    /// it is 0.
    pub fn between(earlier: &DiskCounters, later: &DiskCounters, passed: Duration) -> DiskRates {
        let reads = rate::growth(earlier.reads, later.reads);
        let writes = rate::growth(earlier.writes, later.writes);
        let operations = reads.zip(writes).map(|(reads, writes)| reads.saturating_add(writes));
        let millis = |earlier: Option<Duration>, later: Option<Duration>| {
            let spent = later?.checked_sub(earlier?)?.as_secs_f64() * 1000.0;
            operations.map(|operations| if operations == 0 { 0.0 } else { spent / operations as f64 })
        };
        let read_millis = millis(earlier.read_time, later.read_time);
        let write_millis = millis(earlier.write_time, later.write_time);
        let bytes = |earlier, later| rate::per_second(rate::growth(earlier, later), passed);
        DiskRates {
            read_bytes_per_second: bytes(earlier.read_bytes, later.read_bytes),
            written_bytes_per_second: bytes(earlier.written_bytes, later.written_bytes),
            reads_per_second: rate::per_second(reads, passed),
            writes_per_second: rate::per_second(writes, passed),
            service_millis: read_millis.zip(write_millis).map(|(read, write)| read + write),
            read_millis,
            write_millis,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_for_root_counts_as_free() {
        let facts = FilesystemFacts {
            block_size_bytes: 4096,
            blocks_total: 1000,
            blocks_free: 250,
            blocks_available: 200,
            inodes_total: Some(400),
            inodes_free: Some(100),
            ..FilesystemFacts::default()
        };
        assert_eq!((facts.used_bytes(), facts.free_bytes()), (750 * 4096, 250 * 4096));
        assert_eq!((facts.used_percent(), facts.free_percent()), (Some(75.0), Some(25.0)));
        assert_eq!((facts.inodes_used(), facts.inodes_used_percent()), (Some(300), Some(75.0)));
        assert_eq!(facts.inodes_free_percent(), Some(25.0));
    }

    fn mounted(point: &str, device: &str) -> Mounted {
        Mounted {
            point: point.into(),
            device: device.into(),
            device_number: None,
            fstype: "ext4".into(),
            flags: "rw".into(),
            may_stall: false,
        }
    }

    #[test]
    fn mount_points_devices_and_connection_strings_name_a_filesystem_and_files_do_not() {
        let table = [
            mounted("/", "/dev/sda1"),
            mounted("/mnt", "/dev/sdb1"),
            mounted("/srv", "/dev/sda1"),
            mounted("/nfs", "server:/export"),
            mounted("/mnt", "zroot/data"),
        ];
        let found = |wanted: &str| {
            find(&table, Path::new(wanted)).map(|m| (m.point.to_str().unwrap(), m.device.to_str().unwrap()))
        };
        assert_eq!(found("/mnt/"), Some(("/mnt", "zroot/data")));
        assert_eq!(found("/dev/sda1"), Some(("/", "/dev/sda1")));
        assert_eq!(found("server:/export"), Some(("/nfs", "server:/export")));
        assert_eq!(found("zroot/data"), Some(("/mnt", "zroot/data")));
        assert_eq!(found("/mnt/unplugged"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn a_filesystem_without_size_or_inodes_has_no_percentages() {
        let facts = FilesystemFacts::default();
        assert_eq!((facts.used_percent(), facts.inodes_used_percent()), (None, None));
        let huge = FilesystemFacts { block_size_bytes: u64::MAX, blocks_total: 3, ..facts };
        assert_eq!(huge.total_bytes(), u64::MAX);
    }

    #[test]
    fn an_operation_takes_the_time_of_reads_and_writes_together() {
        let earlier = DiskCounters {
            read_bytes: Some(1000),
            written_bytes: None,
            reads: Some(10),
            writes: Some(20),
            read_time: Some(Duration::from_millis(100)),
            write_time: Some(Duration::from_millis(50)),
        };
        let later = DiskCounters {
            read_bytes: Some(5000),
            written_bytes: None,
            reads: Some(13),
            writes: Some(21),
            read_time: Some(Duration::from_millis(108)),
            write_time: Some(Duration::from_millis(54)),
        };
        let rates = DiskRates::between(&earlier, &later, Duration::from_secs(2));
        assert_eq!(rates.read_bytes_per_second, Some(2000.0));
        assert_eq!(rates.written_bytes_per_second, None);
        assert_eq!((rates.reads_per_second, rates.writes_per_second), (Some(1.5), Some(0.5)));
        assert_eq!((rates.service_millis, rates.read_millis, rates.write_millis), (Some(3.0), Some(2.0), Some(1.0)));
        let idle = DiskRates::between(&later, &later, Duration::from_secs(2));
        assert_eq!(idle.service_millis, Some(0.0));
        assert_eq!(DiskRates::between(&later, &earlier, Duration::from_secs(2)), DiskRates::default());
    }
}
