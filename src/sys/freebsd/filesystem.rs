//! How full a filesystem is: statfs(2), whose bytes are decoded apart from the call.

use super::decode::{DecodeError, long};
use super::mounts::{offset, record};
use crate::facts::filesystem::{DiskCounters, FilesystemFacts};

#[cfg(target_os = "freebsd")]
pub use fetch::facts;

/// Decodes one `struct statfs`. What may be negative (blocks for everyone, when root has begun to use its share) counts as
/// none.
///
/// # Errors
/// A record of another FreeBSD release, or a torn one.
pub fn decode(bytes: &[u8]) -> Result<FilesystemFacts, DecodeError> {
    let mounted = record(bytes)?;
    let number = |at: usize| long(bytes, at).map(|value| u64::try_from(value).unwrap_or_default());
    let inodes = number(offset::FILES)?;
    Ok(FilesystemFacts {
        fstype: mounted.fstype,
        flags: mounted.flags,
        mount_point: mounted.point,
        device: mounted.device.to_string_lossy().into_owned(),
        block_size_bytes: number(offset::BLOCK_SIZE)?,
        blocks_total: number(offset::BLOCKS)?,
        blocks_free: number(offset::BLOCKS_FREE)?,
        blocks_available: number(offset::BLOCKS_AVAILABLE)?,
        inodes_total: Some(inodes).filter(|inodes| *inodes > 0),
        inodes_free: Some(number(offset::FILES_FREE)?).filter(|_| inodes > 0),
        disk: DiskCounters::default(),
    })
}

#[cfg(target_os = "freebsd")]
mod fetch {
    use std::ffi::CString;
    use std::io;
    use std::os::unix::ffi::OsStrExt;

    use super::decode;
    use crate::facts::filesystem::{FilesystemFacts, Mounted};
    use crate::sys::count;
    use crate::sys::freebsd::mounts::RECORD_SIZE;
    use crate::sys::posix::errno::{cerr, retry};

    /// Asks the mounted filesystem. One system call; on a filesystem that may stall it belongs into a helper child.
    ///
    /// # Errors
    /// Those of statfs(2); the filesystem was unmounted meanwhile.
    pub fn facts(mounted: &Mounted) -> io::Result<FilesystemFacts> {
        let point = CString::new(mounted.point.as_os_str().as_bytes())?;
        // SAFETY: all-zero is a valid `struct statfs`: integers and arrays of them.
        let mut answer = unsafe { std::mem::zeroed::<libc::statfs>() };
        count::bump();
        // SAFETY: the path ends with a NUL, and `answer` is valid for the call to fill.
        retry(|| cerr(unsafe { libc::statfs(point.as_ptr(), &mut answer) }))?;
        // SAFETY: `answer` is initialised memory of exactly this length (asserted in `mounts`).
        let bytes = unsafe { std::slice::from_raw_parts((&raw const answer).cast::<u8>(), RECORD_SIZE) };
        let facts = decode(bytes)?;
        if facts.mount_point != mounted.point {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::mounts::tests::raw;
    use super::*;

    fn with(numbers: &[(usize, i64)]) -> FilesystemFacts {
        let mut bytes = raw("ufs", 0x1000, "/usr");
        for (at, number) in numbers {
            bytes[*at..at + 8].copy_from_slice(&number.to_ne_bytes());
        }
        decode(&bytes).unwrap()
    }

    #[test]
    fn the_fields_are_found() {
        // f_bsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree of <sys/mount.h>
        let facts = with(&[(16, 4096), (32, 1000), (40, 300), (48, 220), (56, 64), (64, 16)]);
        assert_eq!((facts.block_size_bytes, facts.blocks_total), (4096, 1000));
        assert_eq!((facts.blocks_free, facts.blocks_available), (300, 220));
        assert_eq!((facts.inodes_total, facts.inodes_free), (Some(64), Some(16)));
        assert_eq!(
            (facts.fstype.as_str(), facts.flags.as_str(), facts.device.as_str()),
            ("ufs", "local", "server:/export")
        );
        assert_eq!(facts.mount_point.to_str(), Some("/usr"));
    }

    #[test]
    fn less_than_nothing_is_nothing_and_no_inodes_are_unknown() {
        let facts = with(&[(16, 4096), (32, 1000), (40, 30), (48, -50), (56, 0), (64, 0)]);
        assert_eq!((facts.blocks_available, facts.inodes_total, facts.inodes_free), (0, None, None));
    }

    #[test]
    fn a_torn_record_is_refused() {
        let bytes = raw("ufs", 0x1000, "/usr");
        assert_eq!(decode(&bytes[..100]), Err(DecodeError::Truncated));
        assert_eq!(decode(&[]), Err(DecodeError::Truncated));
    }

    #[cfg(target_os = "freebsd")]
    #[test]
    fn the_root_of_this_machine_has_a_size() {
        let table = super::super::mounts::table().unwrap();
        let root = crate::sys::posix::mounted::find(&table, std::path::Path::new("/")).unwrap();
        assert!(facts(&root).unwrap().total_bytes() > 1024 * 1024);
    }
}
