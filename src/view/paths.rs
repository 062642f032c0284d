//! The lines of `status` about files, FIFOs, directories and filesystems.

use super::readings::{Row, bytes, operations};
use super::status::{FilesystemReadings, PathReadings};
use crate::base::format;
use crate::base::time::LocalTime;
use crate::config::{Hash, ServiceType};
use crate::facts::file::FileFacts;

fn owner(facts: Option<&FileFacts>) -> [Row; 3] {
    [
        ("permission", facts.map(|facts| format!("{:o}", facts.mode))),
        ("uid", facts.map(|facts| facts.uid.to_string())),
        ("gid", facts.map(|facts| facts.gid.to_string())),
    ]
}

/// Of a file, a FIFO or a directory.
pub(super) fn path(kind: ServiceType, path: &PathReadings) -> Vec<Row> {
    let mut rows = Vec::from(owner(Some(&path.facts)));
    if kind == ServiceType::File {
        rows.push(("size", Some(format::size(path.facts.size_bytes as f64))));
    }
    let date = |time: Option<LocalTime>| time.map(|time| time.rfc_date());
    rows.push(("access timestamp", date(path.local.map(|local| local.accessed))));
    rows.push(("change timestamp", date(path.local.map(|local| local.changed))));
    rows.push(("modify timestamp", date(path.local.map(|local| local.modified))));
    if let Some(matched) = path.matched {
        rows.push(("content match", Some(if matched { "yes" } else { "no" }.to_owned())));
    }
    for (kind, sum) in &path.checksums {
        let kind = match kind {
            Hash::Md5 => "MD5",
            Hash::Sha1 => "SHA1",
            Hash::Sha256 => "SHA256",
        };
        rows.push(("checksum", Some(format!("{sum} ({kind})"))));
    }
    rows
}

/// Of a file, a FIFO or a directory of which nothing is known.
pub(super) fn unknown(kind: ServiceType) -> Vec<Row> {
    let mut rows = Vec::from(owner(None));
    if kind == ServiceType::File {
        rows.push(("size", None));
    }
    rows.extend(["access timestamp", "change timestamp", "modify timestamp"].map(|label| (label, None)));
    rows
}

/// Of a filesystem. What its disk did is left out where nobody tells.
pub(super) fn filesystem(readings: &FilesystemReadings) -> Vec<Row> {
    let facts = &readings.facts;
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut rows = vec![("filesystem type", known(&facts.fstype)), ("filesystem flags", known(&facts.flags))];
    rows.extend(owner(readings.mount_point.as_ref()));
    let share = |bytes: u64| match facts.total_bytes() {
        0 => 0.0,
        total => 100.0 * bytes as f64 / total as f64,
    };
    let free = |bytes: u64| Some(format!("{} [{:.1}%]", format::size(bytes as f64), share(bytes)));
    let reserved = share(facts.free_bytes().saturating_sub(facts.available_bytes()));
    let total = format::size(facts.total_bytes() as f64);
    rows.push(("block size", Some(format::size(facts.block_size_bytes as f64))));
    rows.push(("space total", Some(format!("{total} (of which {reserved:.1}% is reserved for root user)"))));
    rows.push(("space free for non superuser", free(facts.available_bytes())));
    rows.push(("space free total", free(facts.free_bytes())));
    if let Some(total) = facts.inodes_total {
        rows.push(("inodes total", Some(total.to_string())));
        let percent = facts.inodes_free_percent().map(|percent| format!(" [{percent:.1}%]"));
        rows.push(("inodes free", facts.inodes_free.map(|free| format!("{free}{}", percent.unwrap_or_default()))));
    }
    let (disk, rates) = (&facts.disk, &readings.rates);
    let of_disk = [
        ("read bytes", bytes(rates.read_bytes_per_second, disk.read_bytes)),
        ("disk read operations", operations(rates.reads_per_second, disk.reads, "reads")),
        ("write bytes", bytes(rates.written_bytes_per_second, disk.written_bytes)),
        ("disk write operations", operations(rates.writes_per_second, disk.writes, "writes")),
    ];
    rows.extend(of_disk.into_iter().filter(|(_, text)| text.is_some()));
    if disk.read_time.is_some() {
        let text = rates.service_millis.zip(rates.read_millis.zip(rates.write_millis)).map(|(all, (read, write))| {
            let millis =
                |time: f64| format::duration(std::time::Duration::from_secs_f64(time.clamp(0.0, 1e12) / 1000.0));
            format!("{}/operation (of which read {}, write {})", millis(all), millis(read), millis(write))
        });
        rows.push(("service time", text));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Wall;
    use crate::facts::file::Kind;
    use crate::facts::filesystem::{DiskCounters, DiskRates, FilesystemFacts};
    use crate::facts::observation::LocalTimes;
    use std::time::Duration;

    fn file() -> FileFacts {
        let at = Wall::default();
        FileFacts {
            kind: Kind::Regular,
            mode: 0o600,
            uid: 0,
            gid: 5,
            size_bytes: 38,
            links: 1,
            inode: 1,
            device: 1,
            accessed: at,
            changed: at,
            modified: at,
        }
    }

    fn lines(rows: Vec<Row>) -> Vec<String> {
        rows.into_iter().map(|(label, text)| format!("{label:<28} {}", text.unwrap_or("-".to_owned()))).collect()
    }

    #[test]
    fn a_file_is_written_as_the_original_does() {
        let at =
            |hour| LocalTime { year: 2026, month: 11, day: 23, hour, minute: 30, second: 19, weekday: 1, offset: 0 };
        let local = LocalTimes { accessed: at(1), changed: at(2), modified: at(3) };
        let sum = "77c49f8c797f9043c911d72021055fd6".to_owned();
        let checksums = vec![(Hash::Md5, sum)];
        let readings = PathReadings { facts: file(), local: Some(local), matched: Some(false), checksums };
        assert_eq!(
            lines(path(ServiceType::File, &readings)),
            [
                "permission                   600",
                "uid                          0",
                "gid                          5",
                "size                         38 B",
                "access timestamp             Mon, 23 Nov 2026 01:30:19",
                "change timestamp             Mon, 23 Nov 2026 02:30:19",
                "modify timestamp             Mon, 23 Nov 2026 03:30:19",
                "content match                no",
                "checksum                     77c49f8c797f9043c911d72021055fd6 (MD5)",
            ]
        );
        let readings = PathReadings { matched: None, checksums: Vec::new(), ..readings };
        assert_eq!(path(ServiceType::Directory, &readings).len(), 6);
    }

    #[test]
    fn a_filesystem_is_written_as_the_original_does() {
        let facts = FilesystemFacts {
            fstype: "ext4".into(),
            flags: "rw,relatime".into(),
            block_size_bytes: 4096,
            blocks_total: 1000,
            blocks_free: 900,
            blocks_available: 250,
            inodes_total: Some(1000),
            inodes_free: Some(971),
            disk: DiskCounters {
                read_bytes: Some(2048),
                written_bytes: Some(1024),
                reads: Some(17),
                writes: Some(22),
                read_time: Some(Duration::ZERO),
                write_time: Some(Duration::ZERO),
            },
            ..FilesystemFacts::default()
        };
        let rates = DiskRates {
            read_bytes_per_second: Some(19354.0),
            reads_per_second: Some(4.7),
            service_millis: Some(0.164),
            read_millis: Some(0.082),
            write_millis: Some(0.082),
            ..DiskRates::default()
        };
        let readings = FilesystemReadings { facts, mount_point: Some(file()), rates };
        assert_eq!(
            lines(filesystem(&readings)),
            [
                "filesystem type              ext4",
                "filesystem flags             rw,relatime",
                "permission                   600",
                "uid                          0",
                "gid                          5",
                "block size                   4 kB",
                "space total                  3.9 MB (of which 65.0% is reserved for root user)",
                "space free for non superuser 1000 kB [25.0%]",
                "space free total             3.5 MB [90.0%]",
                "inodes total                 1000",
                "inodes free                  971 [97.1%]",
                "read bytes                   18.9 kB/s [2 kB total]",
                "disk read operations         4.7 reads/s [17 reads total]",
                "write bytes                  - [1 kB total]",
                "disk write operations        - [22 writes total]",
                "service time                 0.164 ms/operation (of which read 0.082 ms, write 0.082 ms)",
            ]
        );
        let bare = FilesystemReadings {
            facts: FilesystemFacts { disk: DiskCounters::default(), inodes_total: None, ..readings.facts },
            ..readings
        };
        assert_eq!(filesystem(&bare).len(), 9);
    }
}
