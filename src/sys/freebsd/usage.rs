//! What processes use: all but descriptors is in the record that the process table is made of. Descriptors are the entries of
//! KERN_PROC_FILEDESC, their limit is KERN_PROC_RLIMIT; both only for processes we may look into (p_candebug). The kernel
//! counts no bytes of a process's I/O, and shows no label of MAC modules for others' processes: both are unknown.

use super::decode::{DecodeError, int, long};
use crate::facts::usage::UNLIMITED;

/// Whether the system counts the bytes that a process reads and writes.
pub const TELLS_BYTES: bool = false;

/// Whether labels of mandatory access control are read of processes: not on this system.
pub fn tells_labels() -> bool {
    false
}

/// Where the fields of `struct kinfo_file` (<sys/user.h>) begin.
mod offset {
    pub const STRUCTSIZE: usize = 0;
    pub const FD: usize = 8;
}

/// The least that a `struct kinfo_file` has: as far as its fields are read here.
const FILE_MIN: usize = 12;

/// The most that one has: its size with the longest path.
const FILE_MAX: usize = 1392;

/// Size of `struct rlimit` (<sys/resource.h>).
pub const LIMIT_SIZE: usize = 16;

/// RLIM_INFINITY.
const INFINITY: i64 = i64::MAX;

/// Counts the open descriptors among the answers of KERN_PROC_FILEDESC, each as long as it says. Directories, the program
/// file and the terminal come with numbers below 0 and are none.
///
/// # Errors
/// A torn answer.
pub fn open_descriptors(bytes: &[u8]) -> Result<u64, DecodeError> {
    let mut open = 0;
    let mut rest = bytes;
    while !rest.is_empty() {
        let size = match usize::try_from(int(rest, offset::STRUCTSIZE)?) {
            Ok(0) => break,
            Ok(size) if size >= FILE_MIN => size,
            _ => return Err(DecodeError::Nonsense("kf_structsize")),
        };
        let file = rest.get(..size).ok_or(DecodeError::Truncated)?;
        if int(file, offset::FD)? >= 0 {
            open += 1;
        }
        rest = rest.get(size..).unwrap_or_default();
    }
    Ok(open)
}

/// Whether an answer of KERN_PROC_FILEDESC with `length` bytes in a buffer of `room` is the whole list: what does not fit, the
/// kernel leaves out without a word.
pub fn is_whole(length: usize, room: usize) -> bool {
    room.saturating_sub(length) >= FILE_MAX
}

/// Decodes a `struct rlimit`: soft limit, hard limit.
///
/// # Errors
/// A torn answer.
pub fn limit(bytes: &[u8]) -> Result<(u64, u64), DecodeError> {
    let value = |at: usize| match long(bytes, at)? {
        INFINITY => Ok(UNLIMITED),
        value => u64::try_from(value).map_err(|_| DecodeError::Nonsense("rlimit")),
    };
    Ok((value(0)?, value(8)?))
}

#[cfg(target_os = "freebsd")]
mod fetch {
    use std::io;

    use super::{LIMIT_SIZE, is_whole, limit, open_descriptors};
    use crate::base::process::Pid;
    use crate::facts::usage::{Descriptors, ProcessFacts, ProcessIo, Row, Wanted};
    use crate::sys::freebsd::decode::Record;
    use crate::sys::freebsd::process::ProcessTable;
    use crate::sys::freebsd::sysctl::{self, Fetched};

    /// The compiler's view of the system's structures must be ours.
    const _: () = {
        use super::offset;
        use std::mem::{offset_of, size_of};
        assert!(size_of::<libc::kinfo_file>() == super::FILE_MAX);
        assert!(offset_of!(libc::kinfo_file, kf_structsize) == offset::STRUCTSIZE);
        assert!(offset_of!(libc::kinfo_file, kf_fd) == offset::FD);
        assert!(size_of::<libc::rlimit>() == LIMIT_SIZE);
        assert!(libc::RLIM_INFINITY == super::INFINITY);
    };

    /// Bytes of the largest list of descriptors.
    const FILES_MAX: usize = 256 * 1024 * 1024;

    impl ProcessTable {
        /// What the process uses, as far as it is wanted; `None` when it is gone. Two system calls, and three more for
        /// descriptors.
        ///
        /// # Errors
        /// Those of [`ProcessTable::entry`].
        pub fn usage(&self, pid: Pid, wanted: Wanted) -> io::Result<Option<ProcessFacts>> {
            let Some(record) = self.record(pid)? else { return Ok(None) };
            let Record { entry, owner, usage, .. } = record;
            Ok(Some(ProcessFacts {
                parent: entry.parent,
                uid: Some(owner.uid),
                euid: Some(owner.euid),
                gid: Some(owner.gid),
                zombie: entry.zombie,
                threads: usage.threads,
                cpu_time: usage.cpu_time,
                resident_bytes: self.resident_bytes(&record),
                descriptors: if wanted.descriptors { self.descriptors(pid)? } else { Descriptors::default() },
                io: ProcessIo { reads: usage.reads, writes: usage.writes, ..ProcessIo::default() },
                ..ProcessFacts::unknown(entry.identity)
            }))
        }

        /// The whole table, for sums over descendants. Three system calls.
        ///
        /// # Errors
        /// Those of [`ProcessTable::scan`].
        pub fn rows(&self) -> io::Result<Vec<Row>> {
            let row = |record: Record| Row {
                identity: record.entry.identity,
                parent: record.entry.parent,
                threads: record.usage.threads,
                cpu_time: record.usage.cpu_time,
                resident_bytes: self.resident_bytes(&record),
            };
            Ok(self.all_records()?.into_iter().map(row).collect())
        }

        /// How many descriptors the process has open; `None` when it is gone or may not be looked into. Two system calls,
        /// whose cost grows with the number.
        ///
        /// # Errors
        /// The system would not tell.
        pub fn open_descriptors(&self, pid: Pid) -> io::Result<Option<u64>> {
            let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_FILEDESC, pid.get()];
            match known(sysctl::whole_at(&mib, FILES_MAX, is_whole))?.flatten() {
                None => Ok(None),
                Some(bytes) => Ok(Some(open_descriptors(&bytes)?)),
            }
        }

        fn resident_bytes(&self, record: &Record) -> Option<u64> {
            record.usage.resident_pages.map(|pages| pages.saturating_mul(self.page_bytes))
        }

        fn descriptors(&self, pid: Pid) -> io::Result<Descriptors> {
            let open = self.open_descriptors(pid)?;
            let name = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_RLIMIT, pid.get(), libc::RLIMIT_NOFILE];
            let mut bytes = [0; LIMIT_SIZE];
            let limits = match known(sysctl::fetch(&name, &mut bytes))? {
                None => None,
                Some(Fetched::Whole(length) | Fetched::Cut(length)) => {
                    Some(limit(bytes.get(..length).unwrap_or_default())?)
                }
            };
            let (soft, hard) = limits.unzip();
            Ok(Descriptors { open, soft_limit: soft, hard_limit: hard })
        }
    }

    /// `None` for what may not be looked at, or is gone.
    fn known<T>(result: io::Result<T>) -> io::Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) => match error.raw_os_error() {
                Some(libc::EACCES | libc::EPERM | libc::ENOENT | libc::ESRCH | libc::EBUSY) => Ok(None),
                _ => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record as the headers lay it out; the kernel leaves out what the path does not fill.
    fn file(fd: i32, size: i32) -> Vec<u8> {
        let mut raw = vec![0xa5; usize::try_from(size).unwrap()];
        raw[0..4].copy_from_slice(&size.to_ne_bytes()); // kf_structsize
        raw[4..8].copy_from_slice(&1_i32.to_ne_bytes()); // kf_type
        raw[8..12].copy_from_slice(&fd.to_ne_bytes()); // kf_fd
        raw
    }

    #[test]
    fn descriptors_are_counted_and_directories_are_none() {
        // KF_FD_TYPE_TEXT, CWD and ROOT of <sys/user.h>, then what is open; records differ in length.
        let files = [file(-5, 400), file(-1, 376), file(-2, 368), file(0, 1392), file(1, 376), file(77, 384)];
        assert_eq!(open_descriptors(&files.concat()), Ok(3));
        let mut padded = file(3, 376);
        padded.extend([0; 40]);
        assert_eq!(open_descriptors(&padded), Ok(1));
        assert_eq!(open_descriptors(&[]), Ok(0));
    }

    #[test]
    fn torn_lists_are_refused_and_end() {
        let files = [file(0, 376), file(1, 376)].concat();
        assert_eq!(open_descriptors(&files[..400]), Err(DecodeError::Truncated));
        assert_eq!(open_descriptors(&files[..2]), Err(DecodeError::Truncated));
        for size in [-1_i32, 4] {
            let mut nonsense = file(0, 376);
            nonsense[0..4].copy_from_slice(&size.to_ne_bytes());
            assert_eq!(open_descriptors(&nonsense), Err(DecodeError::Nonsense("kf_structsize")));
        }
    }

    #[test]
    fn a_list_that_fills_its_room_may_have_been_cut() {
        assert!(is_whole(376, 376 + 1392) && is_whole(0, 1392));
        assert!(!is_whole(376, 376 + 1391) && !is_whole(376, 376));
    }

    #[test]
    fn a_limit_may_be_none() {
        let raw = |soft: i64, hard: i64| [soft.to_ne_bytes(), hard.to_ne_bytes()].concat();
        assert_eq!(limit(&raw(1024, i64::MAX)), Ok((1024, UNLIMITED)));
        assert_eq!(limit(&raw(-1, 5)), Err(DecodeError::Nonsense("rlimit")));
        assert_eq!(limit(&raw(1, 2)[..15]), Err(DecodeError::Truncated));
    }

    #[cfg(target_os = "freebsd")]
    #[test]
    fn this_program_is_measured() {
        use crate::facts::usage::Wanted;
        let table = super::super::process::ProcessTable::live().unwrap();
        let own = table.own_identity().unwrap();
        let facts = table.usage(own.pid, Wanted { descriptors: true, ..Wanted::default() }).unwrap().unwrap();
        assert_eq!(facts.identity.pid, own.pid);
        assert!(facts.threads.unwrap() >= 1 && facts.resident_bytes.unwrap() > 100_000, "{facts:?}");
        assert!(facts.descriptors.open.unwrap() >= 3 && facts.descriptors.soft_limit.is_some(), "{facts:?}");
        assert!(table.rows().unwrap().iter().any(|row| row.identity.pid == own.pid));
    }
}
