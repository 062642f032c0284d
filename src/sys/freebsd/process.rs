//! The process table from sysctl(3): KERN_PROC_PID, KERN_PROC_PROC and KERN_PROC_ARGS.
//!
//! A live process costs two system calls: its record, and `kern.boottime` that its start time is counted from.

use std::cell::{Cell, RefCell};
use std::io;
use std::time::Duration;

use super::decode::{self, RECORD_SIZE, Record, TIMEVAL_SIZE, Timeval};
use super::sysctl::{self, Fetched};
use crate::base::process::{Identity, Pid, Tolerance};
use crate::facts::process::{Entry, Listed, Owner};
use crate::facts::usage::{ProcessFacts, Row, Wanted};
use crate::sys::count;
use crate::sys::posix::account;
use crate::sys::table::{self, Processes, Room};

/// The kernel rounds both terms of a start time (see [`decode::records`]).
pub const START_TOLERANCE: Tolerance = Tolerance(Duration::from_secs(1));

/// First size of the buffer for arguments: more than most processes have.
const BUFFER: usize = 16 * 1024;
/// Bytes of the largest table: PID_MAX is 99,999.
const TABLE_MAX: usize = 131_072 * RECORD_SIZE;
/// How often the table is asked for again when it grew meanwhile, and a record when the clock was set meanwhile.
const TRIES: u32 = 8;

/// The process table of the running system.
#[derive(Debug)]
pub struct ProcessTable {
    /// `kern.boottime` as it was last seen.
    boot: Cell<Timeval>,
    pub(super) page_bytes: u64,
    buffer: RefCell<Vec<u8>>,
}

impl ProcessTable {
    /// The running system's.
    ///
    /// # Errors
    /// The kernel's records are not those this program was built for.
    pub fn live() -> io::Result<ProcessTable> {
        let page_bytes = sysctl::number(c"hw.pagesize")?.ok_or_else(|| io::Error::other("hw.pagesize is not told"))?;
        let buffer = RefCell::new(vec![0; BUFFER]);
        let table = ProcessTable { boot: Cell::new(boot_time()?), page_bytes, buffer };
        table.own_identity()?;
        Ok(table)
    }

    /// This program.
    ///
    /// # Errors
    /// The table does not show it.
    pub fn own_identity(&self) -> io::Result<Identity> {
        let own = i32::try_from(std::process::id()).ok().and_then(Pid::new);
        let entry = own.map(|pid| self.entry(pid)).transpose()?.flatten();
        entry.map(|entry| entry.identity).ok_or_else(|| io::Error::other("the kernel does not show this process"))
    }

    /// The process with this number, dead (zombie) or alive; `None` when there is none, when it is hidden from us
    /// (`security.bsd.see_other_uids`, a jail), or when the number is a mere thread's. Two system calls.
    ///
    /// # Errors
    /// The system would not tell.
    pub fn entry(&self, pid: Pid) -> io::Result<Option<Entry>> {
        Ok(self.record(pid)?.map(|record| record.entry))
    }

    /// Whom the process acts for; `None` when it is gone. Two system calls.
    ///
    /// # Errors
    /// Those of [`ProcessTable::entry`].
    pub fn owner(&self, pid: Pid) -> io::Result<Option<Owner>> {
        Ok(self.record(pid)?.map(|record| record.owner))
    }

    /// The command line: arguments (or the title of setproctitle(3)) joined by blanks, or the program's name when there
    /// are none or they may not be read. `None` when the process is gone. One system call, three for a process without
    /// arguments.
    ///
    /// # Errors
    /// Those of [`ProcessTable::entry`].
    pub fn command(&self, entry: &Entry) -> io::Result<Option<Vec<u8>>> {
        match self.arguments(entry, table::COMMAND_MAX)? {
            Some(line) => Ok(Some(line)),
            None => Ok(self.record(entry.identity.pid)?.map(|record| record.name)),
        }
    }

    /// Whether `security.bsd.see_*` keeps processes of other users, other groups or jails from this program, which it does
    /// unless it is the superuser's. Of one number nobody else knows either. Three system calls; none for the superuser.
    pub fn may_hide(&self, _pid: Option<Pid>) -> bool {
        let hides = |name| matches!(sysctl::number(name), Ok(Some(0)) | Err(_));
        account::effective_uid() != 0
            && [c"security.bsd.see_other_uids", c"security.bsd.see_other_gids", c"security.bsd.see_jail_proc"]
                .into_iter()
                .any(hides)
    }

    /// All processes (no threads), with their command lines if asked for. Three system calls, and one more for each
    /// process with arguments when commands are asked for.
    ///
    /// # Errors
    /// The table could not be read, or not whole.
    pub fn scan(&self, with_commands: bool) -> io::Result<Vec<Listed>> {
        let mut room = Room::new();
        let mut listed = Vec::new();
        for Record { entry, name, .. } in self.all_records()? {
            let command = match with_commands {
                true => self.arguments(&entry, room.limit())?.unwrap_or(name),
                false => Vec::new(),
            };
            room.take(command.len());
            listed.push(Listed { entry, command });
        }
        Ok(listed)
    }

    /// The record of one process. The kernel also answers to the numbers of threads, with the process they belong to.
    pub(super) fn record(&self, pid: Pid) -> io::Result<Option<Record>> {
        let records = self.fetch(|| fetch_process(pid))?;
        Ok(records.into_iter().find(|record| record.entry.identity.pid == pid))
    }

    /// The records of all processes.
    pub(super) fn all_records(&self) -> io::Result<Vec<Record>> {
        self.fetch(fetch_table)
    }

    /// Fetches records, and `kern.boottime` behind them. If the clock was set since it was last seen, they may stem from
    /// before or after that, and are fetched again.
    fn fetch(&self, fetch: impl Fn() -> io::Result<Vec<u8>>) -> io::Result<Vec<Record>> {
        for _ in 0..TRIES {
            let bytes = fetch()?;
            let boot = boot_time()?;
            if self.boot.replace(boot) == boot {
                return Ok(decode::records(&bytes, boot)?);
            }
        }
        Err(io::Error::other("kern.boottime does not stand still"))
    }

    /// The arguments as one line; `None` for those that have none (kernel processes and zombies are not even asked), and
    /// where they may not be read or the process is gone.
    fn arguments(&self, entry: &Entry, limit: usize) -> io::Result<Option<Vec<u8>>> {
        if entry.kernel || entry.zombie {
            return Ok(None);
        }
        let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_ARGS, entry.identity.pid.get()];
        let mut buffer = self.buffer.borrow_mut();
        loop {
            let room = buffer.len().min(limit);
            let fetched = sysctl::fetch(&mib, buffer.get_mut(..room).unwrap_or_default());
            let length = match fetched {
                Ok(Fetched::Cut(_)) if room < limit => {
                    buffer.resize(limit, 0);
                    continue;
                }
                Ok(Fetched::Whole(length) | Fetched::Cut(length)) => length,
                // Gone; not ours to look into (p_candebug); a process that is being started or ends.
                Err(error) if is_refusal(&error) => return Ok(None),
                Err(error) => return Err(error),
            };
            return Ok(buffer.get(..length).and_then(table::command_line));
        }
    }
}

impl Processes for ProcessTable {
    fn entry(&self, pid: Pid) -> io::Result<Option<Entry>> {
        ProcessTable::entry(self, pid)
    }

    fn usage(&self, pid: Pid, wanted: Wanted) -> io::Result<Option<ProcessFacts>> {
        ProcessTable::usage(self, pid, wanted)
    }

    fn rows(&self) -> io::Result<Vec<Row>> {
        ProcessTable::rows(self)
    }

    fn open_descriptors(&self, pid: Pid) -> io::Result<Option<u64>> {
        ProcessTable::open_descriptors(self, pid)
    }

    fn scan(&self, with_commands: bool) -> io::Result<Vec<Listed>> {
        ProcessTable::scan(self, with_commands)
    }

    fn arguments(&self, entry: &Entry) -> io::Result<Option<Vec<u8>>> {
        ProcessTable::arguments(self, entry, table::COMMAND_MAX)
    }

    fn may_hide(&self, pid: Option<Pid>) -> bool {
        ProcessTable::may_hide(self, pid)
    }

    fn jail(&self, name: &str) -> io::Result<Option<i32>> {
        jail_number(name)
    }

    fn tolerance(&self) -> Tolerance {
        START_TOLERANCE
    }
}

/// Whether the kernel answered the question for arguments with "not this process": ESRCH, EPERM, EACCES, EBUSY, and
/// EFAULT, EINVAL or ENOEXEC from a process whose memory does not hold proper arguments (it may write there).
fn is_refusal(error: &io::Error) -> bool {
    let refusals =
        [libc::ESRCH, libc::EPERM, libc::EACCES, libc::EBUSY, libc::EFAULT, libc::EINVAL, libc::ENOEXEC, libc::EIO];
    error.raw_os_error().is_some_and(|errno| refusals.contains(&errno))
}

/// The number of the jail with this name (jail_get(2), parameter `name`); a number is one. `None` when no such jail is
/// running below this program. One system call.
fn jail_number(name: &str) -> io::Result<Option<i32>> {
    if let Ok(number) = name.parse() {
        return Ok(Some(number));
    }
    let Ok(name) = std::ffi::CString::new(name) else { return Ok(None) };
    count::bump();
    let part = |text: &mut [u8]| libc::iovec { iov_base: text.as_mut_ptr().cast(), iov_len: text.len() };
    let (mut key, mut value) = (*b"name\0", name.into_bytes_with_nul());
    let mut parts = [part(&mut key), part(&mut value)];
    // SAFETY: both parts point to bytes that live until the call returns, with their lengths. The kernel looks for the jail by
    // the value, and writes the name that it has found in its place, no more than fits.
    let number = unsafe { libc::jail_get(parts.as_mut_ptr(), parts.len() as libc::c_uint, 0) };
    if number >= 0 {
        return Ok(Some(number));
    }
    let error = io::Error::last_os_error();
    if error.raw_os_error() == Some(libc::ENOENT) { Ok(None) } else { Err(error) }
}

/// The bytes of one process's record; none when there is no such process.
fn fetch_process(pid: Pid) -> io::Result<Vec<u8>> {
    let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PID, pid.get()];
    let mut bytes = vec![0; RECORD_SIZE];
    match sysctl::fetch(&mib, &mut bytes) {
        // A cut record is that of a kernel with larger ones, which decoding tells by its first field.
        Ok(Fetched::Whole(length) | Fetched::Cut(length)) => {
            bytes.truncate(length);
            Ok(bytes)
        }
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The bytes of all processes' records.
fn fetch_table() -> io::Result<Vec<u8>> {
    let mib = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_PROC];
    let mut room = sysctl::length(&mib)?;
    for _ in 0..TRIES {
        // Room for an eighth more processes than there were a moment ago.
        room = (room + room / 8 + 16 * RECORD_SIZE).min(TABLE_MAX);
        let mut bytes = vec![0; room];
        if let Fetched::Whole(length) = sysctl::fetch(&mib, &mut bytes)? {
            bytes.truncate(length);
            return Ok(bytes);
        }
    }
    Err(io::Error::other("the process table grows faster than it can be read"))
}

/// `kern.boottime`, which moves with every step of the clock.
pub(super) fn boot_time() -> io::Result<Timeval> {
    let mut bytes = [0; TIMEVAL_SIZE];
    sysctl::fetch(&[libc::CTL_KERN, libc::KERN_BOOTTIME], &mut bytes)?;
    Ok(Timeval::decode(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jail_that_is_not_there_has_no_number() {
        assert_eq!(jail_number("there-is-no-jail-of-this-name").unwrap(), None);
        assert_eq!(jail_number("17").unwrap(), Some(17));
    }

    #[test]
    fn the_running_system_shows_this_program() {
        let table = ProcessTable::live().unwrap();
        let own = table.own_identity().unwrap();
        let before = count::taken();
        let entry = table.entry(own.pid).unwrap().unwrap();
        assert_eq!(count::taken() - before, 2);
        let parent = i32::try_from(std::os::unix::process::parent_id()).unwrap();
        assert_eq!(entry.parent.map(Pid::get), Some(parent));
        let command = String::from_utf8_lossy(&table.command(&entry).unwrap().unwrap()).into_owned();
        assert!(command.contains("pollux"), "{command}");
        let everyone = table.scan(true).unwrap();
        assert!(everyone.iter().any(|p| p.entry == entry && p.command == command.as_bytes()));
        assert_eq!(table.entry(Pid::new(i32::MAX).unwrap()).unwrap(), None);
    }
}
