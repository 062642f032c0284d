//! How full a filesystem is: statvfs(3).

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;

use crate::facts::filesystem::{DiskCounters, FilesystemFacts, Mounted};
use crate::sys::count;
use crate::sys::posix::errno::{cerr, retry};

/// Asks the mounted filesystem. One system call; on a filesystem that may stall it belongs into a helper child.
///
/// # Errors
/// Those of statvfs(3).
pub fn facts(mounted: &Mounted) -> io::Result<FilesystemFacts> {
    let point = CString::new(mounted.point.as_os_str().as_bytes())?;
    // SAFETY: all-zero is a valid `struct statvfs`: integers.
    let mut answer = unsafe { std::mem::zeroed::<libc::statvfs>() };
    count::bump();
    // SAFETY: the path ends with a NUL, and `answer` is valid for the call to fill.
    retry(|| cerr(unsafe { libc::statvfs(point.as_ptr(), &mut answer) }))?;
    let counts_inodes = answer.f_files > 0;
    Ok(FilesystemFacts {
        fstype: mounted.fstype.clone(),
        flags: mounted.flags.clone(),
        mount_point: mounted.point.clone(),
        device: mounted.device.to_string_lossy().into_owned(),
        block_size_bytes: answer.f_frsize,
        blocks_total: answer.f_blocks,
        blocks_free: answer.f_bfree,
        blocks_available: answer.f_bavail,
        inodes_total: Some(answer.f_files).filter(|_| counts_inodes),
        inodes_free: Some(answer.f_ffree).filter(|_| counts_inodes),
        disk: DiskCounters::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::linux::mounts;
    use crate::sys::posix::mounted;
    use std::path::Path;

    #[test]
    fn the_root_of_this_machine_has_a_size() {
        let table = mounts::table().unwrap();
        let root = mounted::find(&table, Path::new("/")).unwrap();
        let facts = facts(&root).unwrap();
        assert!(facts.total_bytes() > 1024 * 1024, "{facts:?}");
        assert!(facts.blocks_available <= facts.blocks_free && facts.blocks_free <= facts.blocks_total, "{facts:?}");
        assert!((0.0..=100.0).contains(&facts.used_percent().unwrap()));
    }

    #[test]
    fn what_is_gone_is_an_error() {
        let gone = Mounted {
            point: "/nowhere".into(),
            device: "x".into(),
            device_number: None,
            fstype: "ext4".into(),
            flags: String::new(),
            may_stall: false,
        };
        assert_eq!(facts(&gone).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
