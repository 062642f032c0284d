//! What is mounted: getfsstat(2) with MNT_NOWAIT, which copies what the kernel has and asks no filesystem anything. The
//! bytes are decoded apart from the call, so that it is tested on every system.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::decode::{DecodeError, long};
use crate::facts::filesystem::Mounted;

#[cfg(target_os = "freebsd")]
pub use fetch::table;

/// Size of `struct statfs` (<sys/mount.h>, FreeBSD 12 to 15).
pub const RECORD_SIZE: usize = 2344;

/// `f_version` of that structure (STATFS_VERSION).
const VERSION: u32 = 0x2014_0518;

/// The bit of `f_flags` that marks filesystems without a server (MNT_LOCAL).
const LOCAL: u64 = 0x1000;

/// Types that wait for a process or a server although they may be marked as local; fusefs appends a subtype after a dot.
const NOT_LOCAL: &[&[u8]] = &[b"autofs", b"fusefs", b"p9fs", b"virtiofs"];

/// How mount(8) calls the bits of `f_flags`, in its order (MNTOPT_NAMES of <sys/mount.h>).
const FLAG_NAMES: &[(u64, &str)] = &[
    (0x40, "asynchronous"),
    (0x100, "NFS exported"),
    (LOCAL, "local"),
    (0x1000_0000, "noatime"),
    (0x4, "noexec"),
    (0x8, "nosuid"),
    (0x40_0000, "nosymfollow"),
    (0x2000, "with quotas"),
    (0x1, "read-only"),
    (0x2, "synchronous"),
    (0x20, "union"),
    (0x4000_0000, "noclusterr"),
    (0x8000_0000, "noclusterw"),
    (0x10_0000, "suiddir"),
    (0x20_0000, "soft-updates"),
    (0x1_0000_0000, "journaled soft-updates"),
    (0x400_0000, "multilabel"),
    (0x800_0000, "acls"),
    (0x10, "nfsv4acls"),
    (0x200_0000, "gjournal"),
    (0x2_0000_0000, "automounted"),
    (0x4_0000_0000, "verified"),
    (0x8_0000_0000, "untrusted"),
    (0x200_0000_0000, "named attributes"),
];

/// Where the fields of `struct statfs` begin, and how long the texts are (MFSNAMELEN, MNAMELEN).
pub(super) mod offset {
    pub const VERSION: usize = 0;
    pub const FLAGS: usize = 8;
    pub const BLOCK_SIZE: usize = 16;
    pub const BLOCKS: usize = 32;
    pub const BLOCKS_FREE: usize = 40;
    pub const BLOCKS_AVAILABLE: usize = 48;
    pub const FILES: usize = 56;
    pub const FILES_FREE: usize = 64;
    pub const TYPE: usize = 280;
    pub const TYPE_SIZE: usize = 16;
    pub const DEVICE: usize = 296;
    pub const DEVICE_SIZE: usize = 1024;
    pub const POINT: usize = 1320;
    pub const POINT_SIZE: usize = 1024;
}

/// Decodes an array of `struct statfs`.
///
/// # Errors
/// Records of another FreeBSD release, or a torn one.
pub fn decode(bytes: &[u8]) -> Result<Vec<Mounted>, DecodeError> {
    bytes.chunks(RECORD_SIZE).map(record).collect()
}

/// Decodes one `struct statfs`, as far as it says what is mounted where and how.
pub(super) fn record(bytes: &[u8]) -> Result<Mounted, DecodeError> {
    let field = |at: usize, size: usize| bytes.get(at..at + size).ok_or(DecodeError::Truncated);
    let version = field(offset::VERSION, 4)?.try_into().map_err(|_| DecodeError::Truncated)?;
    if u32::from_ne_bytes(version) != VERSION {
        return Err(DecodeError::Nonsense("f_version"));
    }
    let flags = long(bytes, offset::FLAGS)? as u64;
    let kind = text(field(offset::TYPE, offset::TYPE_SIZE)?);
    let device = text(field(offset::DEVICE, offset::DEVICE_SIZE)?);
    let point = text(field(offset::POINT, offset::POINT_SIZE)?);
    let family = kind.split(|byte| *byte == b'.').next().unwrap_or_default();
    Ok(Mounted {
        point: PathBuf::from(OsStr::from_bytes(point)),
        device: PathBuf::from(OsStr::from_bytes(device)),
        device_number: None,
        fstype: String::from_utf8_lossy(kind).into_owned(),
        flags: names(flags),
        may_stall: flags & LOCAL == 0 || NOT_LOCAL.contains(&family),
    })
}

/// `local, soft-updates`, as mount(8) prints it.
fn names(flags: u64) -> String {
    let names: Vec<&str> = FLAG_NAMES.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    names.join(", ")
}

/// The bytes before the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(target_os = "freebsd")]
mod fetch {
    use std::io;

    use super::{RECORD_SIZE, decode};
    use crate::facts::filesystem::Mounted;
    use crate::sys::count;
    use crate::sys::posix::errno::cerr;

    /// More mounts are not looked at.
    const RECORDS_MAX: usize = 10_000;

    /// The compiler's view of the system's structure must be ours.
    const _: () = {
        use super::offset;
        use std::mem::{offset_of, size_of};
        assert!(size_of::<libc::statfs>() == RECORD_SIZE);
        assert!(offset_of!(libc::statfs, f_version) == offset::VERSION);
        assert!(offset_of!(libc::statfs, f_flags) == offset::FLAGS);
        assert!(offset_of!(libc::statfs, f_bsize) == offset::BLOCK_SIZE);
        assert!(offset_of!(libc::statfs, f_blocks) == offset::BLOCKS);
        assert!(offset_of!(libc::statfs, f_bfree) == offset::BLOCKS_FREE);
        assert!(offset_of!(libc::statfs, f_bavail) == offset::BLOCKS_AVAILABLE);
        assert!(offset_of!(libc::statfs, f_files) == offset::FILES);
        assert!(offset_of!(libc::statfs, f_ffree) == offset::FILES_FREE);
        assert!(offset_of!(libc::statfs, f_fstypename) == offset::TYPE);
        assert!(offset_of!(libc::statfs, f_mntfromname) == offset::DEVICE);
        assert!(offset_of!(libc::statfs, f_mntonname) == offset::POINT);
        assert!(offset::POINT + offset::POINT_SIZE == RECORD_SIZE);
        assert!(libc::MNT_LOCAL == super::LOCAL);
    };

    /// All mounts this process sees, in the order they were made; in a jail perhaps its root alone.
    ///
    /// # Errors
    /// Those of getfsstat(2), records of another release, too many mounts.
    pub fn table() -> io::Result<Vec<Mounted>> {
        count::bump();
        // SAFETY: a null buffer of size 0 asks for the number of mounts alone.
        let number = cerr(unsafe { libc::getfsstat(std::ptr::null_mut(), 0, libc::MNT_NOWAIT) })?;
        // Something may be mounted between the two calls.
        let room = usize::try_from(number).unwrap_or_default().saturating_add(8);
        if room > RECORDS_MAX {
            return Err(io::Error::other("too many mounts"));
        }
        // SAFETY: all-zero is a valid `struct statfs`: integers and arrays of them.
        let mut table = vec![unsafe { std::mem::zeroed::<libc::statfs>() }; room];
        count::bump();
        let size = (room * RECORD_SIZE) as libc::c_long;
        // SAFETY: the buffer has `size` bytes, and the kernel writes whole records, no more than fit.
        let number = cerr(unsafe { libc::getfsstat(table.as_mut_ptr(), size, libc::MNT_NOWAIT) })?;
        let filled = usize::try_from(number).unwrap_or_default();
        if filled >= room {
            return Err(io::Error::other("the table of mounts grows while it is read"));
        }
        // SAFETY: the table's first `filled` records are initialised memory of exactly this length.
        let bytes = unsafe { std::slice::from_raw_parts(table.as_ptr().cast::<u8>(), filled * RECORD_SIZE) };
        Ok(decode(bytes)?)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::facts::mount::Mounts;
    use std::path::Path;

    /// A record as the headers lay it out.
    pub(in crate::sys::freebsd) fn raw(kind: &str, flags: u64, point: &str) -> Vec<u8> {
        let mut raw = vec![0xa5; 2344];
        let mut put = |at: usize, bytes: &[u8]| raw[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &0x2014_0518_u32.to_ne_bytes());
        put(8, &flags.to_ne_bytes());
        put(280, &[0; 16]);
        put(280, kind.as_bytes());
        put(296, b"server:/export\0");
        put(1320, &[0; 1024]);
        put(1320, point.as_bytes());
        raw
    }

    #[test]
    fn what_is_not_local_may_stall() {
        let mut table = raw("zfs", 0x1000_1000, "/");
        table.extend(raw("nfs", 0x1000_0000, "/nfs"));
        table.extend(raw("fusefs.sshfs", 0x1000, "/ssh"));
        table.extend(raw("nullfs", 0x1000, "/nfs/local"));
        table.extend(raw("autofs", 0, "/net"));
        let table = Mounts::of(&decode(&table).unwrap());
        let stalls = |path: &str| table.stalling(Path::new(path)).is_some();
        assert!(!stalls("/var/run/x.pid") && !stalls("/nfs/local/x.pid"));
        assert!(stalls("/nfs/x.pid") && stalls("/ssh/x.pid") && stalls("/net/x/y.pid"));
    }

    #[test]
    fn a_record_says_what_is_mounted_where_and_how() {
        let mounted = &decode(&raw("ufs", 0x1000_1000 | 0x20_0000 | 0x4000, "/usr/home")).unwrap()[0];
        assert_eq!((mounted.point.to_str(), mounted.device.to_str()), (Some("/usr/home"), Some("server:/export")));
        assert_eq!((mounted.fstype.as_str(), mounted.flags.as_str()), ("ufs", "local, noatime, soft-updates"));
    }

    #[test]
    fn foreign_and_torn_records_are_refused() {
        let mut record = raw("zfs", 0x1000, "/");
        for end in 1..RECORD_SIZE {
            assert_eq!(decode(&record[..end]), Err(DecodeError::Truncated));
        }
        record[0] ^= 1;
        assert_eq!(decode(&record), Err(DecodeError::Nonsense("f_version")));
        assert_eq!(decode(&[]), Ok(Vec::new()));
    }

    #[cfg(target_os = "freebsd")]
    #[test]
    fn this_machine_has_a_root() {
        assert_ne!(table().unwrap(), []);
    }
}
