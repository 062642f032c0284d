//! Facts as lines of text, for the pipe of a helper child that asks filesystems which may never answer. Both ends are this
//! program; what does not follow the form is no answer.

use std::fmt::Write;
use std::str::FromStr;
use std::time::Duration;

use super::file::{FileFacts, Kind, Look};
use super::filesystem::{DiskCounters, FilesystemFacts, Mounted};
use crate::base::time::Wall;

/// Kinds in the order of their numbers on the wire.
const KINDS: [Kind; 7] = [
    Kind::Regular,
    Kind::Socket,
    Kind::Directory,
    Kind::Fifo,
    Kind::Other("a character device"),
    Kind::Other("a block device"),
    Kind::Other("of an unknown kind"),
];

/// What a look at a path showed.
pub fn encode_look(look: &Look) -> Vec<u8> {
    match look {
        Look::Found(f) => {
            let kind = KINDS.iter().position(|kind| *kind == f.kind).unwrap_or(KINDS.len() - 1);
            let mut line = format!("found {kind} {} {} {}", f.mode, f.uid, f.gid);
            let times = [f.accessed, f.changed, f.modified].map(Wall::since_epoch);
            let numbers = [f.size_bytes, f.links, f.inode, f.device].into_iter();
            for number in numbers.chain(times.iter().flat_map(|t| [t.as_secs(), u64::from(t.subsec_nanos())])) {
                let _ = write!(line, " {number}");
            }
            line.into_bytes()
        }
        Look::Missing => b"missing".to_vec(),
        Look::Failed(why) => format!("failed {why}").into_bytes(),
    }
}

/// The look that [`encode_look`] wrote.
pub fn decode_look(bytes: &[u8]) -> Option<Look> {
    let text = std::str::from_utf8(bytes).ok()?;
    if text == "missing" {
        return Some(Look::Missing);
    }
    if let Some(why) = text.strip_prefix("failed ") {
        return Some(Look::Failed(why.to_owned()));
    }
    let mut words = text.strip_prefix("found ")?.split(' ');
    let facts = FileFacts {
        kind: *KINDS.get(number::<usize>(&mut words)?)?,
        mode: number(&mut words)?,
        uid: number(&mut words)?,
        gid: number(&mut words)?,
        size_bytes: number(&mut words)?,
        links: number(&mut words)?,
        inode: number(&mut words)?,
        device: number(&mut words)?,
        accessed: instant(&mut words)?,
        changed: instant(&mut words)?,
        modified: instant(&mut words)?,
    };
    words.next().is_none().then_some(Look::Found(facts))
}

/// How full a filesystem is, or why that is not known. What the table of mounts tells does not travel, nor do counters of
/// disks: the kernel answers for both.
pub fn encode_filesystem(answer: &Result<FilesystemFacts, String>) -> Vec<u8> {
    match answer {
        Ok(f) => {
            let inodes = f.inodes_total.zip(f.inodes_free);
            let (total, free) =
                inodes.map_or(("-".to_owned(), "-".to_owned()), |(t, f)| (t.to_string(), f.to_string()));
            format!(
                "facts {} {} {} {} {total} {free}",
                f.block_size_bytes, f.blocks_total, f.blocks_free, f.blocks_available
            )
            .into_bytes()
        }
        Err(why) => format!("failed {why}").into_bytes(),
    }
}

/// The answer that [`encode_filesystem`] wrote, about that mount.
pub fn decode_filesystem(bytes: &[u8], mounted: &Mounted) -> Option<Result<FilesystemFacts, String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    if let Some(why) = text.strip_prefix("failed ") {
        return Some(Err(why.to_owned()));
    }
    let mut words = text.strip_prefix("facts ")?.split(' ');
    let facts = FilesystemFacts {
        fstype: mounted.fstype.clone(),
        flags: mounted.flags.clone(),
        mount_point: mounted.point.clone(),
        device: mounted.device.to_string_lossy().into_owned(),
        block_size_bytes: number(&mut words)?,
        blocks_total: number(&mut words)?,
        blocks_free: number(&mut words)?,
        blocks_available: number(&mut words)?,
        inodes_total: optional(&mut words)?,
        inodes_free: optional(&mut words)?,
        disk: DiskCounters::default(),
    };
    words.next().is_none().then_some(Ok(facts))
}

fn number<'t, N: FromStr>(words: &mut impl Iterator<Item = &'t str>) -> Option<N> {
    words.next()?.parse().ok()
}

fn optional<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<Option<u64>> {
    match words.next()? {
        "-" => Some(None),
        word => word.parse().ok().map(Some),
    }
}

fn instant<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<Wall> {
    let (seconds, nanos) = (number(words)?, number::<u32>(words).filter(|nanos| *nanos < 1_000_000_000)?);
    Some(Wall::from_epoch(Duration::new(seconds, nanos)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(kind: Kind) -> FileFacts {
        FileFacts {
            kind,
            mode: 0o4755,
            uid: 1,
            gid: u32::MAX,
            size_bytes: u64::MAX,
            links: 2,
            inode: 3,
            device: 4,
            accessed: Wall::from_epoch(Duration::new(5, 999_999_999)),
            changed: Wall::from_epoch(Duration::new(u64::MAX, 0)),
            modified: Wall::default(),
        }
    }

    fn mounted() -> Mounted {
        Mounted {
            point: "/nfs".into(),
            device: "server:/export".into(),
            device_number: None,
            fstype: "nfs".into(),
            flags: "rw".into(),
            may_stall: true,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let looks = KINDS.map(|kind| Look::Found(file(kind)));
        for look in looks.into_iter().chain([Look::Missing, Look::Failed("it is so\nand so".into())]) {
            assert_eq!(decode_look(&encode_look(&look)), Some(look));
        }
        let facts = FilesystemFacts {
            fstype: "nfs".into(),
            flags: "rw".into(),
            mount_point: "/nfs".into(),
            device: "server:/export".into(),
            block_size_bytes: 4096,
            blocks_total: 3,
            blocks_free: 2,
            blocks_available: 1,
            inodes_total: Some(9),
            inodes_free: Some(8),
            disk: DiskCounters::default(),
        };
        let without = FilesystemFacts { inodes_total: None, inodes_free: None, ..facts.clone() };
        for answer in [Ok(facts), Ok(without), Err("stale handle".to_owned())] {
            assert_eq!(decode_filesystem(&encode_filesystem(&answer), &mounted()), Some(answer));
        }
    }

    #[test]
    fn what_was_cut_or_is_something_else_is_no_answer() {
        let line = encode_look(&Look::Found(file(Kind::Fifo)));
        let cut = line.iter().rposition(|byte| *byte == b' ').unwrap();
        assert_eq!(decode_look(&line[..cut]), None);
        assert_eq!(decode_look(&[line.as_slice(), b" 1"].concat()), None);
        for nonsense in [&b""[..], b"found", b"found 9 1 1 1 1 1 1 1 1 1 1 1 1 1", b"\xff", b"missing "] {
            assert_eq!(decode_look(nonsense), None);
            assert_eq!(decode_filesystem(nonsense, &mounted()), None);
        }
        assert_eq!(decode_filesystem(b"facts 1 2 3 4 - 5 6", &mounted()), None);
        assert_eq!(decode_filesystem(b"facts 1 2 3 4 x -", &mounted()), None);
    }
}
