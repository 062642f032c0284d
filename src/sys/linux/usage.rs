//! What processes use, from the same /proc as the process table: `stat`, and on demand `status`, `io`, `fd`, `limits`,
//! `attr/current` (proc(5)). What may not be read for want of permission is unknown.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::process::{BUFFER, ProcessTable, Stat};
use crate::base::process::Pid;
use crate::facts::usage::{Descriptors, ProcessFacts, ProcessIo, Row, UNLIMITED, Wanted};
use crate::sys::count;

/// Whether the system counts the bytes that a process reads and writes.
pub const TELLS_BYTES: bool = true;

/// Whether labels of mandatory access control are read of processes: without a security module the file (proc(5),
/// `/proc/PID/attr/current`) is there and cannot be read.
pub fn tells_labels() -> bool {
    std::fs::read("/proc/self/attr/current").is_ok_and(|label| !label.is_empty())
}

/// `f_type` of procfs (PROC_SUPER_MAGIC of <linux/magic.h>).
const PROC_MAGIC: u64 = 0x9fa0;

impl ProcessTable {
    /// What the process uses, as far as it is wanted; `None` when it is gone. Three system calls, and three more for each
    /// kind of reading wanted, eight for descriptors.
    ///
    /// # Errors
    /// Those of [`ProcessTable::entry`].
    pub fn usage(&self, pid: Pid, wanted: Wanted) -> io::Result<Option<ProcessFacts>> {
        let Some(stat) = self.stat(pid)? else { return Ok(None) };
        let owner = if wanted.owner { self.owner(pid)? } else { None };
        Ok(Some(ProcessFacts {
            parent: stat.entry.parent,
            uid: owner.map(|owner| owner.uid),
            euid: owner.map(|owner| owner.euid),
            gid: owner.map(|owner| owner.gid),
            zombie: stat.entry.zombie,
            threads: stat.threads,
            cpu_time: stat.cpu_time,
            resident_bytes: self.resident_bytes(&stat),
            descriptors: if wanted.descriptors { self.descriptors(pid)? } else { Descriptors::default() },
            io: if wanted.io { self.io(pid)? } else { ProcessIo::default() },
            security: if wanted.security { self.security(pid)? } else { None },
            ..ProcessFacts::unknown(stat.entry.identity)
        }))
    }

    /// The whole table, for sums over descendants. One listing, and three system calls for each process.
    ///
    /// # Errors
    /// Those of [`ProcessTable::scan`].
    pub fn rows(&self) -> io::Result<Vec<Row>> {
        let mut rows = Vec::new();
        self.each(|stat| {
            rows.push(self.row(&stat));
            Ok(())
        })?;
        Ok(rows)
    }

    fn row(&self, stat: &Stat) -> Row {
        Row {
            identity: stat.entry.identity,
            parent: stat.entry.parent,
            threads: stat.threads,
            cpu_time: stat.cpu_time,
            resident_bytes: self.resident_bytes(stat),
        }
    }

    /// The rows of about `most` processes with numbers after `after`, and the number to go on after; `None` at the end.
    ///
    /// # Errors
    /// The table could not be read.
    pub fn rows_after(&self, after: Option<Pid>, most: usize) -> io::Result<(Vec<Row>, Option<Pid>)> {
        let numbers = self.numbers_after(after)?;
        let mut rows = Vec::new();
        for pid in numbers.iter().take(most) {
            match self.stat(*pid) {
                Ok(stat) => rows.extend(stat.map(|stat| self.row(&stat))),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                Err(error) => return Err(error),
            }
        }
        let last = numbers.get(most.wrapping_sub(1)).filter(|_| numbers.len() > most);
        Ok((rows, last.copied()))
    }

    /// How many descriptors the process has open; `None` when it is gone or may not be looked into. Two system calls since
    /// Linux 6.2, whose directory of descriptors says how many it holds; before that the listing.
    ///
    /// # Errors
    /// The system would not tell.
    pub fn open_descriptors(&self, pid: Pid) -> io::Result<Option<u64>> {
        let path = self.root.join(format!("{pid}/fd"));
        let listing = || {
            count::bump();
            let size = path.metadata()?.len();
            // An older procfs says 0, and any other filesystem something else.
            if size > 0 && is_proc(&path)? {
                return Ok(size);
            }
            count::bump();
            let mut number = 0;
            for entry in std::fs::read_dir(&path)? {
                entry?;
                number += 1;
            }
            Ok(number)
        };
        known(listing())
    }

    fn resident_bytes(&self, stat: &Stat) -> Option<u64> {
        stat.resident_pages.map(|pages| pages.saturating_mul(self.page_bytes))
    }

    fn descriptors(&self, pid: Pid) -> io::Result<Descriptors> {
        let open = self.open_descriptors(pid)?;
        let mut buffer = self.buffer.borrow_mut();
        let limits = known(self.read(pid, "limits", &mut buffer, BUFFER))?.flatten().and_then(parse_limits);
        let (soft, hard) = limits.unzip();
        Ok(Descriptors { open, soft_limit: soft, hard_limit: hard })
    }

    fn io(&self, pid: Pid) -> io::Result<ProcessIo> {
        let mut buffer = self.buffer.borrow_mut();
        Ok(known(self.read(pid, "io", &mut buffer, BUFFER))?.flatten().map(parse_io).unwrap_or_default())
    }

    /// The label of the security module; `None` also where there is no module.
    fn security(&self, pid: Pid) -> io::Result<Option<String>> {
        let mut buffer = self.buffer.borrow_mut();
        let label = match self.read(pid, "attr/current", &mut buffer, BUFFER) {
            // Without a module the file is there and cannot be read.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EOPNOTSUPP)) => return Ok(None),
            result => known(result)?.flatten(),
        };
        let label = label.map(|label| String::from_utf8_lossy(label).trim_end_matches(['\0', '\n']).to_owned());
        Ok(label.filter(|label| !label.is_empty()))
    }
}

/// `None` for what may not be looked at, or is gone.
fn known<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) => match error.raw_os_error() {
            Some(libc::EACCES | libc::EPERM | libc::ENOENT | libc::ESRCH) => Ok(None),
            _ => Err(error),
        },
    }
}

/// Whether the path lies on a real procfs.
fn is_proc(path: &Path) -> io::Result<bool> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: all-zero is a valid `struct statfs`: integers.
    let mut answer = unsafe { std::mem::zeroed::<libc::statfs>() };
    count::bump();
    // SAFETY: the path ends with a NUL, and `answer` is valid for the call to fill.
    crate::sys::posix::errno::cerr(unsafe { libc::statfs(path.as_ptr(), &mut answer) })?;
    Ok(answer.f_type as u64 == PROC_MAGIC)
}

/// Lines such as `rchar: 663855`.
fn parse_io(bytes: &[u8]) -> ProcessIo {
    let value = |key: &str| {
        let line = bytes.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(key.as_bytes()))?;
        std::str::from_utf8(line.strip_prefix(b":")?).ok()?.trim().parse().ok()
    };
    ProcessIo {
        read_bytes: value("rchar"),
        written_bytes: value("wchar"),
        disk_read_bytes: value("read_bytes"),
        disk_written_bytes: value("write_bytes"),
        reads: value("syscr"),
        writes: value("syscw"),
    }
}

/// Soft and hard limit of `Max open files            20000                20000                files`.
fn parse_limits(bytes: &[u8]) -> Option<(u64, u64)> {
    let line = bytes.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"Max open files"))?;
    let mut limits = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let mut limit = || match limits.next()? {
        "unlimited" => Some(UNLIMITED),
        number => number.parse().ok(),
    };
    Some((limit()?, limit()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process::StartTime;
    use crate::sys::linux::fake::{FakeProc, FakeProcess};
    use std::time::Duration;

    const ALL: Wanted = Wanted { owner: true, io: true, descriptors: true, security: true };

    fn pid(number: i32) -> Pid {
        Pid::new(number).unwrap()
    }

    fn proc_with_one() -> FakeProc {
        let proc = FakeProc::new();
        let name = b"x) Z (\n1 2".to_vec();
        proc.add(&FakeProcess { name, cpu: (250, 50), threads: 7, resident: 10, ..FakeProcess::new(40, 7, 500, "x") });
        proc.file("40/status", b"Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n");
        proc.file(
            "40/io",
            b"rchar: 100\nwchar: 200\nsyscr: 3\nsyscw: 4\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 0\n",
        );
        proc.file("40/limits", b"Limit   Soft Limit  Hard Limit Units\nMax open files   1024  unlimited  files\n");
        for descriptor in 0..5 {
            proc.file(&format!("40/fd/{descriptor}"), b"");
        }
        proc.file("40/attr/current", b"unconfined\n\0");
        proc
    }

    #[test]
    fn a_process_shows_what_it_uses_whatever_its_name() {
        let facts = proc_with_one().table().usage(pid(40), ALL).unwrap().unwrap();
        assert_eq!(facts.identity.start, StartTime::from_boot(Duration::from_secs(5)));
        assert_eq!(facts.parent, Pid::new(7));
        assert_eq!((facts.uid, facts.euid, facts.gid), (Some(1), Some(2), Some(5)));
        assert_eq!((facts.threads, facts.resident_bytes), (Some(7), Some(40_960)));
        assert_eq!(facts.cpu_time, Some(Duration::from_secs(3)));
        let open = Descriptors { open: Some(5), soft_limit: Some(1024), hard_limit: Some(UNLIMITED) };
        assert_eq!(facts.descriptors, open);
        assert_eq!((facts.io.read_bytes, facts.io.written_bytes), (Some(100), Some(200)));
        assert_eq!((facts.io.disk_read_bytes, facts.io.disk_written_bytes), (Some(4096), Some(8192)));
        assert_eq!((facts.io.reads, facts.io.writes), (Some(3), Some(4)));
        assert_eq!(facts.security.as_deref(), Some("unconfined"));
        assert!(!facts.zombie);
    }

    #[test]
    fn only_what_is_wanted_is_read() {
        let proc = proc_with_one();
        let table = proc.table();
        let before = count::taken();
        let facts = table.usage(pid(40), Wanted::default()).unwrap().unwrap();
        assert_eq!(count::taken() - before, 3);
        assert_eq!((facts.uid, facts.io, facts.descriptors), (None, ProcessIo::default(), Descriptors::default()));
        assert!(facts.security.is_none() && facts.cpu_time.is_some());
    }

    #[test]
    fn what_vanished_between_two_reads_or_is_no_process_is_unknown_or_none() {
        let proc = FakeProc::new();
        proc.add(&FakeProcess::new(41, 1, 1, "x"));
        proc.add_vanishing(42);
        let table = proc.table();
        // Only its `stat` is there: it ended after that was read.
        let facts = table.usage(pid(41), ALL).unwrap().unwrap();
        assert_eq!((facts.uid, facts.io, facts.descriptors), (None, ProcessIo::default(), Descriptors::default()));
        assert_eq!(table.usage(pid(42), ALL).unwrap(), None);
        assert_eq!(table.usage(pid(43), ALL).unwrap(), None);
    }

    #[test]
    fn torn_and_foreign_files_are_unknown() {
        let proc = proc_with_one();
        proc.file("40/io", b"rchar 5\nwchar: x\nsyscr: 99999999999999999999\n");
        proc.file("40/limits", b"Max open files   many\n");
        proc.file("40/attr/current", b"\0\n");
        let facts = proc.table().usage(pid(40), ALL).unwrap().unwrap();
        assert_eq!(facts.io, ProcessIo::default());
        assert_eq!(facts.descriptors, Descriptors { open: Some(5), soft_limit: None, hard_limit: None });
        assert_eq!(facts.security, None);
    }

    #[test]
    fn the_whole_table_has_a_row_for_each() {
        let proc = FakeProc::new();
        proc.add(&FakeProcess::new(1, 0, 1, "init"));
        proc.add(&FakeProcess::kernel_thread(2, "kthreadd"));
        proc.add(&FakeProcess { cpu: (100, 0), ..FakeProcess::new(4_194_304, 1, 2, "last") });
        proc.add(&FakeProcess::new(50, 4_194_304, 3, "dead").zombie());
        proc.add_vanishing(51);
        let mut rows = proc.table().rows().unwrap();
        rows.sort_by_key(|row| row.identity.pid);
        let pids: Vec<i32> = rows.iter().map(|row| row.identity.pid.get()).collect();
        assert_eq!(pids, [1, 2, 50, 4_194_304]);
        assert_eq!((rows[3].parent, rows[3].cpu_time), (Pid::new(1), Some(Duration::from_secs(1))));
        proc.remove(1);
        assert_eq!(proc.table().rows().unwrap().len(), 3);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_table_read_in_parts_is_the_whole_table() {
        let table = ProcessTable::live().unwrap();
        for most in [1, 7, 100_000] {
            let (mut parts, mut after) = (Vec::new(), None);
            loop {
                let (rows, last) = table.rows_after(after, most).unwrap();
                assert!(
                    rows.len() <= most && rows.iter().all(|row| after.is_none_or(|after| row.identity.pid > after))
                );
                parts.extend(rows.iter().map(|row| row.identity));
                assert!(last.is_none_or(|last| after.is_none_or(|after| last > after)), "it goes on");
                after = last;
                if after.is_none() {
                    break;
                }
            }
            let whole: Vec<_> = table.rows().unwrap().iter().map(|row| row.identity).collect();
            // Others come and go meanwhile; this process and its parent do not.
            let own = [std::process::id(), std::os::unix::process::parent_id()];
            for pid in own.iter().filter_map(|pid| Pid::new(i32::try_from(*pid).ok()?)) {
                let is = |identities: &[crate::base::process::Identity]| {
                    identities.iter().filter(|found| found.pid == pid).count()
                };
                assert_eq!((is(&parts), is(&whole)), (1, 1), "{pid}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_program_is_measured() {
        let table = ProcessTable::live().unwrap();
        let own = table.own_identity().unwrap();
        let facts = table.usage(own.pid, ALL).unwrap().unwrap();
        assert_eq!(facts.identity, own);
        assert!(facts.threads.unwrap() >= 1 && facts.resident_bytes.unwrap() > 100_000, "{facts:?}");
        let listed = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
        assert!(facts.descriptors.open.unwrap().abs_diff(listed) < 50, "{facts:?}");
        assert!(facts.descriptors.soft_limit.is_some());
        assert!(table.rows().unwrap().iter().any(|row| row.identity == own));
    }
}
