//! The process table from /proc (proc(5)).
//!
//! A live process costs three system calls: open, read and close of its `stat`; its command line costs three more.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::process::{Identity, Pid, StartTime, Tolerance};
use crate::facts::process::{Entry, Listed, Owner};
use crate::facts::usage::{ProcessFacts, Row, Wanted};
use crate::sys::count;
use crate::sys::fault::{self, Call};
use crate::sys::posix::errno::retry;
use crate::sys::posix::{account, wait};
use crate::sys::table::{self, PROCESSES_MAX, Processes, Room};

/// Start times are clock ticks since boot that never change.
pub const START_TOLERANCE: Tolerance = Tolerance(Duration::ZERO);

/// First size of the buffer: holds any `stat` (52 numbers and a name) and most command lines in one read.
pub(super) const BUFFER: usize = 16 * 1024;

/// The process that is always there.
const INIT: i32 = 1;

/// The bit in field 9 (flags) of a thread of the kernel: PF_KTHREAD of <linux/sched.h>.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// The process table under a /proc.
#[derive(Debug)]
pub struct ProcessTable {
    pub(super) root: PathBuf,
    ticks_per_second: u64,
    pub(super) page_bytes: u64,
    pub(super) buffer: RefCell<Vec<u8>>,
    /// Not the superuser, from whom /proc hides nothing.
    unprivileged: bool,
}

impl ProcessTable {
    /// The running system's.
    ///
    /// # Errors
    /// /proc is not mounted, or sysconf(3) does not tell the length of a clock tick or of a page.
    pub fn live() -> io::Result<ProcessTable> {
        // SAFETY: sysconf takes no pointers.
        let (ticks, page) = unsafe { (libc::sysconf(libc::_SC_CLK_TCK), libc::sysconf(libc::_SC_PAGESIZE)) };
        let ticks = u64::try_from(ticks).ok().filter(|ticks| *ticks > 0);
        let page = u64::try_from(page).ok().filter(|bytes| *bytes > 0);
        let table = ProcessTable {
            root: PathBuf::from("/proc"),
            ticks_per_second: ticks.ok_or_else(|| io::Error::other("the system does not tell its clock ticks"))?,
            page_bytes: page.ok_or_else(|| io::Error::other("the system does not tell the size of its pages"))?,
            buffer: RefCell::new(vec![0; BUFFER]),
            unprivileged: account::effective_uid() != 0,
        };
        table.own_identity()?;
        Ok(table)
    }

    /// That of a tree laid out like /proc, whose times count hundredths of a second, and whose pages have 4 KiB.
    pub fn with_root(root: PathBuf) -> ProcessTable {
        let buffer = RefCell::new(vec![0; BUFFER]);
        ProcessTable { root, ticks_per_second: 100, page_bytes: 4096, buffer, unprivileged: false }
    }

    /// The same, read by somebody who is not the superuser.
    #[cfg(test)]
    pub(crate) fn unprivileged(self) -> ProcessTable {
        ProcessTable { unprivileged: true, ..self }
    }

    /// This program.
    ///
    /// # Errors
    /// The table does not show it.
    pub fn own_identity(&self) -> io::Result<Identity> {
        let own = i32::try_from(std::process::id()).ok().and_then(Pid::new);
        let entry = own.map(|pid| self.entry(pid)).transpose()?.flatten();
        entry.map(|entry| entry.identity).ok_or_else(|| self.unmounted())
    }

    /// The process with this number, dead (zombie) or alive; `None` when there is none, or when the number is a mere
    /// thread's. Three system calls for a live process.
    ///
    /// # Errors
    /// The system would not tell: out of descriptors, an unmounted /proc, or a process that is there but hidden from us
    /// (EACCES under hidepid=1).
    pub fn entry(&self, pid: Pid) -> io::Result<Option<Entry>> {
        let found = self.stat(pid)?.map(|stat| stat.entry);
        if found.is_none() {
            // In a /proc that is not there nothing is dead.
            count::bump();
            self.root.join("self").symlink_metadata().map_err(|_| self.unmounted())?;
        }
        Ok(found)
    }

    /// Whom the process acts for, from its `status`; `None` when it is gone. Three system calls.
    ///
    /// # Errors
    /// Those of [`ProcessTable::entry`].
    pub fn owner(&self, pid: Pid) -> io::Result<Option<Owner>> {
        let mut buffer = self.buffer.borrow_mut();
        match self.read(pid, "status", &mut buffer, BUFFER)? {
            None => Ok(None),
            Some(status) => parse_owner(status).map(Some).ok_or_else(|| self.malformed(pid, "status")),
        }
    }

    /// The command line: arguments joined by blanks, or the process's name when it has none or they may not be read.
    /// `None` when the process is gone. Three system calls, six for a process without arguments.
    ///
    /// # Errors
    /// Those of [`ProcessTable::entry`].
    pub fn command(&self, entry: &Entry) -> io::Result<Option<Vec<u8>>> {
        match self.arguments(entry, table::COMMAND_MAX)? {
            Some(line) => Ok(Some(line)),
            None => Ok(self.stat(entry.identity.pid)?.map(|stat| stat.name)),
        }
    }

    /// Whether a /proc mounted with `hidepid` keeps processes of other users from this program: then it does so with process
    /// 1, which is always there. Three system calls; none for the superuser. What is hidden from the listing still is a process
    /// for kill(2), so of one number it is known exactly.
    pub fn may_hide(&self, pid: Option<Pid>) -> bool {
        let is_shown = |pid: Pid| matches!(self.stat(pid), Ok(Some(_)));
        self.unprivileged && !Pid::new(INIT).is_some_and(is_shown) && pid.is_none_or(wait::is_anothers)
    }

    /// All processes (no threads), with their command lines if asked for. What vanishes or is hidden meanwhile is left
    /// out. One listing, three calls for each process, and three more for each with arguments when commands are asked for.
    ///
    /// # Errors
    /// The table could not be read, or not whole.
    pub fn scan(&self, with_commands: bool) -> io::Result<Vec<Listed>> {
        let mut listed = Vec::new();
        let mut room = Room::new();
        self.each(|stat| {
            let command = match with_commands {
                true => match self.arguments_while_there(&stat.entry, room.limit())? {
                    None => return Ok(()),
                    Some(line) => line.unwrap_or(stat.name),
                },
                false => Vec::new(),
            };
            room.take(command.len());
            listed.push(Listed { entry: stat.entry, command });
            Ok(())
        })?;
        Ok(listed)
    }

    /// Shows every process's `stat`; see [`ProcessTable::scan`].
    pub(super) fn each(&self, mut see: impl FnMut(Stat) -> io::Result<()>) -> io::Result<()> {
        fault::check(Call::ReadProc)?;
        count::bump();
        let mut seen = 0;
        for file in std::fs::read_dir(&self.root)? {
            let Some(pid) = file?.file_name().to_str().and_then(process_number) else { continue };
            let stat = match self.stat(pid) {
                Ok(Some(stat)) => stat,
                Ok(None) => continue,
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => continue,
                Err(error) => return Err(error),
            };
            if seen == PROCESSES_MAX {
                return Err(io::Error::other(format!("more than {PROCESSES_MAX} processes")));
            }
            seen += 1;
            see(stat)?;
        }
        if seen == 0 { Err(self.unmounted()) } else { Ok(()) }
    }

    /// The numbers of processes after that one, in their order.
    ///
    /// # Errors
    /// The directory could not be read.
    pub(super) fn numbers_after(&self, after: Option<Pid>) -> io::Result<Vec<Pid>> {
        fault::check(Call::ReadProc)?;
        count::bump();
        let files = std::fs::read_dir(&self.root)?.take(PROCESSES_MAX);
        let numbers = files.filter_map(|file| process_number(file.ok()?.file_name().to_str()?));
        let mut numbers: Vec<Pid> = numbers.filter(|pid| after.is_none_or(|after| *pid > after)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// `stat` of one process.
    pub(super) fn stat(&self, pid: Pid) -> io::Result<Option<Stat>> {
        let mut buffer = self.buffer.borrow_mut();
        match self.read(pid, "stat", &mut buffer, BUFFER)? {
            None => Ok(None),
            Some(stat) => match parse_stat(stat, pid, self.ticks_per_second) {
                None => Err(self.malformed(pid, "stat")),
                Some(stat) => Ok(Some(stat).filter(|stat| !stat.thread)),
            },
        }
    }

    /// The arguments as one line; `None` for those that have none (kernel threads and zombies are not even asked), and
    /// where they may not be read or the process is gone.
    fn arguments(&self, entry: &Entry, limit: usize) -> io::Result<Option<Vec<u8>>> {
        self.arguments_while_there(entry, limit).map(Option::flatten)
    }

    /// The same; the outer `None` when the process is gone.
    fn arguments_while_there(&self, entry: &Entry, limit: usize) -> io::Result<Option<Option<Vec<u8>>>> {
        if entry.kernel || entry.zombie {
            return Ok(Some(None));
        }
        let mut buffer = self.buffer.borrow_mut();
        match self.read(entry.identity.pid, "cmdline", &mut buffer, limit) {
            Ok(arguments) => Ok(arguments.map(table::command_line)),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Some(None)),
            Err(error) => Err(error),
        }
    }

    /// Up to `limit` bytes of a file of the process; `None` when the process is gone.
    pub(super) fn read<'b>(
        &self,
        pid: Pid,
        file: &str,
        buffer: &'b mut Vec<u8>,
        limit: usize,
    ) -> io::Result<Option<&'b [u8]>> {
        fault::check(Call::ReadProc)?;
        let path = self.root.join(format!("{pid}/{file}"));
        count::bump();
        let result = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).and_then(|opened| {
            let length = fill(&opened, buffer, limit);
            count::bump(); // the close
            length
        });
        match result {
            Ok(length) => Ok(buffer.get(..length)),
            // A process that dies between open and read says ESRCH.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn unmounted(&self) -> io::Error {
        io::Error::other(format!("{} shows no processes, it is not mounted or hidden", self.root.display()))
    }

    fn malformed(&self, pid: Pid, file: &str) -> io::Error {
        let path = self.root.join(format!("{pid}/{file}"));
        io::Error::new(io::ErrorKind::InvalidData, format!("{} is not what proc(5) describes", path.display()))
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

    fn rows_after(&self, after: Option<Pid>, most: usize) -> io::Result<(Vec<Row>, Option<Pid>)> {
        ProcessTable::rows_after(self, after, most)
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

    fn tolerance(&self) -> Tolerance {
        START_TOLERANCE
    }
}

/// Reads the file from its start into `buffer`, which grows as needed up to `limit`; returns how much was read. A file of
/// /proc hands out all that fits, so a read that leaves room was the last one.
fn fill(mut file: &File, buffer: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
    let mut length = 0;
    loop {
        if length == buffer.len() && length < limit {
            buffer.resize((length * 4).min(limit), 0);
        }
        let end = buffer.len().min(limit);
        let Some(free) = buffer.get_mut(length..end).filter(|free| !free.is_empty()) else { return Ok(length) };
        count::bump();
        let read = retry(|| file.read(free))?;
        length += read;
        if read == 0 || length < end {
            return Ok(length);
        }
    }
}

/// What one `stat` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) entry: Entry,
    pub(super) threads: Option<u64>,
    /// Processor time in user and kernel mode.
    pub(super) cpu_time: Option<Duration>,
    /// Pages in memory.
    pub(super) resident_pages: Option<u64>,
    /// A thread that does not lead its process: /proc shows it under its number though it does not list it.
    thread: bool,
    /// The name in parentheses.
    name: Vec<u8>,
}

/// Parses a `stat`, whose name may hold any byte, so what follows it begins behind the last parenthesis. `None`: malformed.
fn parse_stat(bytes: &[u8], pid: Pid, ticks_per_second: u64) -> Option<Stat> {
    let open = bytes.iter().position(|b| *b == b'(')?;
    let close = bytes.iter().rposition(|b| *b == b')')?;
    let name = bytes.get(open + 1..close)?.to_vec();
    let mut fields = std::str::from_utf8(bytes.get(close + 1..)?).ok()?.split_ascii_whitespace();
    // Fields as proc(5) numbers them; the iterator stands before field 3.
    let state = fields.next()?;
    let parent: i32 = fields.next()?.parse().ok()?;
    let flags: u64 = fields.nth(9 - 5)?.parse().ok()?;
    let number = |field: Option<&str>| field.and_then(|field| field.parse::<u64>().ok());
    let (user, system) = (number(fields.nth(14 - 10)), number(fields.next()));
    let threads = number(fields.nth(20 - 16));
    let ticks: u64 = fields.nth(22 - 21)?.parse().ok()?;
    let resident_pages = number(fields.nth(24 - 23));
    // Only threads that do not lead a process have exit signal -1.
    let exit_signal = fields.nth(38 - 25);
    let time = |ticks: u64| {
        let part = Duration::from_nanos((ticks % ticks_per_second).saturating_mul(1_000_000_000 / ticks_per_second));
        Duration::from_secs(ticks / ticks_per_second).saturating_add(part)
    };
    let start = StartTime::from_boot(time(ticks));
    Some(Stat {
        entry: Entry {
            identity: Identity { pid, start },
            parent: Pid::new(parent),
            zombie: matches!(state, "Z" | "X" | "x"),
            kernel: flags & KERNEL_THREAD != 0,
            jail: None,
        },
        threads,
        cpu_time: user.zip(system).map(|(user, system)| time(user.saturating_add(system))),
        resident_pages,
        thread: exit_signal == Some("-1"),
        name,
    })
}

/// Parses the ids of a `status`: `Uid:` and `Gid:` with real, effective, saved and filesystem id. `None`: malformed.
fn parse_owner(bytes: &[u8]) -> Option<Owner> {
    let ids = |label: &[u8]| -> Option<(u32, u32)> {
        let line = bytes.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(label))?;
        let mut ids = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
        Some((ids.next()?.parse().ok()?, ids.next()?.parse().ok()?))
    };
    let (uid, euid) = ids(b"Uid:")?;
    let (gid, _) = ids(b"Gid:")?;
    Some(Owner { uid, euid, gid })
}

/// The process number a directory of /proc is named after.
fn process_number(name: &str) -> Option<Pid> {
    if name.starts_with(|first: char| first.is_ascii_digit()) { name.parse().ok().and_then(Pid::new) } else { None }
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
