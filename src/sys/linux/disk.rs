//! What the disk below a filesystem did: `/sys/dev/block/MAJOR:MINOR/stat` (the fields of iostats in the kernel's
//! documentation), for ZFS the kstats of the dataset, for NFS `/proc/self/mountstats`. Unknown for everything else that has no
//! disk of its own: tmpfs, FUSE, SMB.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::facts::filesystem::{DiskCounters, Mounted};
use crate::sys::count;
use crate::sys::posix::mounted::device_number;

/// Unit of the numbers of sectors, whatever the disk's own are.
const SECTOR_BYTES: u64 = 512;

/// Bytes of one file that are looked at: NFS mounts write a few thousand each.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// Most datasets of a pool that are looked at.
const DATASETS_MAX: usize = 16_384;

/// The reader of disks under a /sys and a /proc.
#[derive(Debug)]
pub struct Disks {
    sys: PathBuf,
    proc: PathBuf,
}

impl Disks {
    /// The running system's.
    pub fn live() -> Disks {
        Disks::with_roots(PathBuf::from("/sys"), PathBuf::from("/proc"))
    }

    /// Those of trees laid out like /sys and /proc.
    pub fn with_roots(sys: PathBuf, proc: PathBuf) -> Disks {
        Disks { sys, proc }
    }

    /// What the disk below `mounted` did since boot; all unknown when there is none. Asks the kernel alone, never the
    /// filesystem.
    ///
    /// # Errors
    /// The system would not tell.
    pub fn counters(&self, mounted: &Mounted) -> io::Result<DiskCounters> {
        match mounted.fstype.as_str() {
            "zfs" => self.dataset(&mounted.device.to_string_lossy()),
            "nfs" | "nfs4" => {
                let stats = self.read(&self.proc.join("self/mountstats"))?;
                Ok(stats.map(|stats| nfs(&stats, mounted)).unwrap_or_default())
            }
            _ => {
                // Filesystems over several devices (btrfs) have a number of their own, and the name of one device.
                let number = match mounted.device_number {
                    Some((0, _)) | None if mounted.device.is_absolute() => device_number(&mounted.device),
                    number => number.filter(|(major, _)| *major != 0),
                };
                let Some((major, minor)) = number else { return Ok(DiskCounters::default()) };
                let stat = self.read(&self.sys.join(format!("dev/block/{major}:{minor}/stat")))?;
                Ok(stats(&stat.unwrap_or_default()))
            }
        }
    }

    /// The kstat of a dataset of ZFS: the file of its pool that names it.
    fn dataset(&self, name: &str) -> io::Result<DiskCounters> {
        let pool = name.split('/').next().unwrap_or_default();
        if pool.is_empty() || pool.starts_with('.') {
            return Ok(DiskCounters::default());
        }
        count::bump();
        let files = match std::fs::read_dir(self.proc.join("spl/kstat/zfs").join(pool)) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(DiskCounters::default()),
            Err(error) => return Err(error),
        };
        for file in files.take(DATASETS_MAX) {
            let file = file?;
            if !file.file_name().to_string_lossy().starts_with("objset-") {
                continue;
            }
            let Some(kstat) = self.read(&file.path())? else { continue };
            if word_of(&kstat, "dataset_name") == Some(name) {
                let number = |key| word_of(&kstat, key).and_then(|value| value.parse().ok());
                return Ok(DiskCounters {
                    read_bytes: number("nread"),
                    written_bytes: number("nwritten"),
                    reads: number("reads"),
                    writes: number("writes"),
                    read_time: None,
                    write_time: None,
                });
            }
        }
        Ok(DiskCounters::default())
    }

    /// A file as text; `None` when there is none.
    fn read(&self, path: &Path) -> io::Result<Option<String>> {
        count::bump();
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        count::bump();
        file.take(FILE_MAX).read_to_end(&mut bytes)?;
        count::bump(); // the close
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// The fields of a `stat` of a block device: reads, merged reads, sectors, milliseconds; the same of writes; more.
fn stats(text: &str) -> DiskCounters {
    let fields: Vec<u64> = text.split_ascii_whitespace().map_while(|field| field.parse().ok()).collect();
    let field = |at: usize| fields.get(at).copied();
    let bytes = |at| field(at).map(|sectors: u64| sectors.saturating_mul(SECTOR_BYTES));
    let time = |at| field(at).map(Duration::from_millis);
    DiskCounters {
        read_bytes: bytes(2),
        written_bytes: bytes(6),
        reads: field(0),
        writes: field(4),
        read_time: time(3),
        write_time: time(7),
    }
}

/// The third word of the kstat's line that begins with `key`: `nread 4 123`.
fn word_of<'t>(kstat: &'t str, key: &str) -> Option<&'t str> {
    let line = kstat.lines().find(|line| line.split_ascii_whitespace().next() == Some(key))?;
    line.split_ascii_whitespace().nth(2)
}

/// The mount's part of a `mountstats`: bytes to and from the server, and the operations READ and WRITE, of whose numbers the
/// first is how many there were and the eighth how many milliseconds they took from the request to the answer.
fn nfs(mountstats: &str, mounted: &Mounted) -> DiskCounters {
    let head = format!("device {} mounted on {} with", mounted.device.display(), mounted.point.display());
    let mut counters = DiskCounters::default();
    let part = mountstats.lines().skip_while(|line| !line.starts_with(&head)).skip(1);
    for line in part.take_while(|line| !line.starts_with("device ")) {
        let Some((key, numbers)) = line.trim_start().split_once(':') else { continue };
        let numbers: Vec<u64> = numbers.split_ascii_whitespace().map_while(|number| number.parse().ok()).collect();
        let number = |at: usize| numbers.get(at).copied();
        match key {
            "bytes" => (counters.read_bytes, counters.written_bytes) = (number(4), number(5)),
            "READ" => (counters.reads, counters.read_time) = (number(0), number(7).map(Duration::from_millis)),
            "WRITE" => (counters.writes, counters.write_time) = (number(0), number(7).map(Duration::from_millis)),
            _ => {}
        }
    }
    counters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::linux::fake::FakeProc;

    fn mounted(fstype: &str, device: &str, device_number: Option<(u32, u32)>) -> Mounted {
        Mounted {
            point: "/point".into(),
            device: device.into(),
            device_number,
            fstype: fstype.into(),
            flags: String::new(),
            may_stall: false,
        }
    }

    fn disks(tree: &FakeProc) -> Disks {
        Disks::with_roots(tree.root().to_path_buf(), tree.root().to_path_buf())
    }

    #[test]
    fn a_block_device_tells_sectors_operations_and_times() {
        let tree = FakeProc::new();
        let stat =
            b"  1455321   102464 107163146  3271609   120602   433947 97747992   328579        0   214432  3645252\n";
        tree.file("dev/block/254:1/stat", stat);
        let counters = disks(&tree).counters(&mounted("ext4", "/dev/vda1", Some((254, 1)))).unwrap();
        assert_eq!(counters.read_bytes, Some(107_163_146 * 512));
        assert_eq!(counters.written_bytes, Some(97_747_992 * 512));
        assert_eq!((counters.reads, counters.writes), (Some(1_455_321), Some(120_602)));
        assert_eq!(counters.read_time, Some(Duration::from_millis(3_271_609)));
        assert_eq!(counters.write_time, Some(Duration::from_millis(328_579)));
    }

    #[test]
    fn what_has_no_disk_or_tells_nonsense_is_unknown() {
        let tree = FakeProc::new();
        tree.file("dev/block/254:1/stat", b"x y\n");
        let disks = disks(&tree);
        for mount in [
            mounted("ext4", "/dev/vda1", Some((254, 1))),
            mounted("ext4", "/dev/vda2", Some((254, 2))),
            mounted("tmpfs", "tmpfs", Some((0, 27))),
            mounted("btrfs", "/dev/null", Some((0, 28))),
            mounted("zfs", "tank/data", Some((0, 29))),
            mounted("zfs", "../../x", Some((0, 29))),
            mounted("nfs4", "server:/export", Some((0, 30))),
        ] {
            assert_eq!(disks.counters(&mount).unwrap(), DiskCounters::default(), "{mount:?}");
        }
    }

    #[test]
    fn a_dataset_is_found_among_those_of_its_pool() {
        let tree = FakeProc::new();
        let kstat = |name: &str, read: u64| {
            format!(
                "24 1 0x01 7 2160 5214787391 73472345\nname                            type data\n\
                 dataset_name                    7    {name}\nwrites                          4    5\n\
                 nwritten                        4    600\nreads                           4    7\n\
                 nread                           4    {read}\nnunlinks                        4    0\n"
            )
        };
        tree.file("spl/kstat/zfs/tank/objset-0x36", kstat("tank/other", 1).as_bytes());
        tree.file("spl/kstat/zfs/tank/objset-0x37", kstat("tank/data", 800).as_bytes());
        tree.file("spl/kstat/zfs/tank/io", b"");
        let counters = disks(&tree).counters(&mounted("zfs", "tank/data", Some((0, 29)))).unwrap();
        assert_eq!((counters.read_bytes, counters.written_bytes), (Some(800), Some(600)));
        assert_eq!((counters.reads, counters.writes, counters.read_time), (Some(7), Some(5), None));
    }

    #[test]
    fn a_mount_of_nfs_has_its_part_of_the_statistics() {
        let tree = FakeProc::new();
        let part = |device: &str, reads: u64| {
            format!(
                "device {device} mounted on /point with fstype nfs4 statvers=1.1\n\topts:\trw,vers=4.2\n\
                 \tbytes:\t1 2 3 4 5000 6000 7 8\n\tper-op statistics\n\
                 \t        READ: {reads} 11 0 1 2 3 4 50 0\n\t       WRITE: 12 13 0 1 2 3 4 60 0\n"
            )
        };
        let all = format!(
            "device proc mounted on /proc with fstype proc\n{}{}",
            part("other:/", 1),
            part("server:/export", 10)
        );
        // `self` is a link to the process's directory.
        tree.file("1/mountstats", all.as_bytes());
        let counters = disks(&tree).counters(&mounted("nfs4", "server:/export", Some((0, 30)))).unwrap();
        assert_eq!((counters.read_bytes, counters.written_bytes), (Some(5000), Some(6000)));
        assert_eq!((counters.reads, counters.writes), (Some(10), Some(12)));
        assert_eq!(counters.read_time, Some(Duration::from_millis(50)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_running_system_answers_for_every_mount() {
        let disks = Disks::live();
        for mount in crate::sys::linux::mounts::table().unwrap() {
            disks.counters(&mount).unwrap();
        }
    }
}
