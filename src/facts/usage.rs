//! What a process uses, and what it and all its descendants use together.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::base::process::{Identity, Pid, Tolerance};
use crate::base::time::Mono;

/// A limit of [`Descriptors`] that is none.
pub const UNLIMITED: u64 = u64::MAX;

/// Most that a share of the processors is said to be, in percent.
const FULL: f64 = 100.0;

/// What the system says about one process. Readings nobody asked for stay unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessFacts {
    /// Number and start time.
    pub identity: Identity,
    /// The parent; `None` when the system shows none.
    pub parent: Option<Pid>,
    /// Real user id.
    pub uid: Option<u32>,
    /// Effective user id.
    pub euid: Option<u32>,
    /// Real group id.
    pub gid: Option<u32>,
    /// Time since its start.
    pub uptime: Option<Duration>,
    /// Dead, waiting to be reaped.
    pub zombie: bool,
    /// Threads.
    pub threads: Option<u64>,
    /// Processor time used, in programs and in the kernel, without its children's.
    pub cpu_time: Option<Duration>,
    /// Physical memory in bytes.
    pub resident_bytes: Option<u64>,
    /// Open descriptors and their limits.
    pub descriptors: Descriptors,
    /// What was read and written.
    pub io: ProcessIo,
    /// Label of the security module: SELinux context, AppArmor profile.
    pub security: Option<String>,
    /// Together with its descendants.
    pub tree: TreeTotals,
}

impl ProcessFacts {
    /// A process of which nothing but its identity is known.
    pub fn unknown(identity: Identity) -> ProcessFacts {
        ProcessFacts {
            identity,
            parent: None,
            uid: None,
            euid: None,
            gid: None,
            uptime: None,
            zombie: false,
            threads: None,
            cpu_time: None,
            resident_bytes: None,
            descriptors: Descriptors::default(),
            io: ProcessIo::default(),
            security: None,
            tree: TreeTotals::default(),
        }
    }
}

/// Readings of one process that cost calls of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// User and group ids.
    pub owner: bool,
    /// [`ProcessFacts::io`].
    pub io: bool,
    /// [`ProcessFacts::descriptors`].
    pub descriptors: bool,
    /// [`ProcessFacts::security`].
    pub security: bool,
}

/// A process's open files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptors {
    /// How many are open.
    pub open: Option<u64>,
    /// How many it may open; [`UNLIMITED`] when there is no limit.
    pub soft_limit: Option<u64>,
    /// How far it may raise that limit; [`UNLIMITED`] when there is none.
    pub hard_limit: Option<u64>,
}

impl Descriptors {
    /// Open ones in percent of the soft limit.
    pub fn percent(&self) -> Option<f64> {
        super::rate::percent(self.open, self.soft_limit)
    }
}

/// What a process read and wrote since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessIo {
    /// Bytes read from anything: files, cached or not, sockets, pipes.
    pub read_bytes: Option<u64>,
    /// Bytes written to anything.
    pub written_bytes: Option<u64>,
    /// Bytes read from disks.
    pub disk_read_bytes: Option<u64>,
    /// Bytes written to disks.
    pub disk_written_bytes: Option<u64>,
    /// Read operations: FreeBSD counts those that reached a disk, Linux system calls.
    pub reads: Option<u64>,
    /// Write operations, likewise.
    pub writes: Option<u64>,
}

/// What a process and its descendants are together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeTotals {
    /// Descendants: children, their children and so on, without the process itself.
    pub children: Option<u64>,
    /// Physical memory in bytes, shared pages counted in each.
    pub resident_bytes: Option<u64>,
    /// Processor time used by those that live now.
    pub cpu_time: Option<Duration>,
    /// Open descriptors.
    pub descriptors: Option<u64>,
}

/// One row of the whole process table, as far as sums over descendants need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Number and start time.
    pub identity: Identity,
    /// The parent; `None` when the system shows none.
    pub parent: Option<Pid>,
    /// Threads.
    pub threads: Option<u64>,
    /// Processor time used.
    pub cpu_time: Option<Duration>,
    /// Physical memory in bytes.
    pub resident_bytes: Option<u64>,
}

/// Who descends from whom in one reading of the table.
#[derive(Debug)]
pub struct Family {
    by_pid: HashMap<Pid, Row>,
    children: HashMap<Pid, Vec<Pid>>,
}

/// How much later than its child a parent may seem to have started: the kernel rounds.
const ROUNDING: Duration = Duration::from_secs(1);

impl Family {
    /// Sorts a table that was read while processes were started, ended and given to other parents. Of a number that
    /// occurs twice the later row counts. Who started before its parent is not its child: the number was reused.
    pub fn new(table: Vec<Row>) -> Family {
        let by_pid: HashMap<Pid, Row> = table.into_iter().map(|row| (row.identity.pid, row)).collect();
        let mut children: HashMap<Pid, Vec<Pid>> = HashMap::new();
        for row in by_pid.values() {
            let parent = row.parent.and_then(|parent| by_pid.get(&parent));
            let start = |row: &Row| row.identity.start.since_boot();
            if let Some(parent) = parent.filter(|parent| start(parent) <= start(row).saturating_add(ROUNDING)) {
                children.entry(parent.identity.pid).or_default().push(row.identity.pid);
            }
        }
        Family { by_pid, children }
    }

    /// The process itself (when the table shows it), then all its descendants, each once even where the table holds a
    /// circle.
    pub fn tree(&self, root: Pid) -> Vec<&Row> {
        let mut found: Vec<&Row> = self.by_pid.get(&root).into_iter().collect();
        let mut seen = HashSet::from([root]);
        let mut next = 0;
        while let Some(row) = found.get(next).copied() {
            next += 1;
            let children = self.children.get(&row.identity.pid).map(Vec::as_slice).unwrap_or_default();
            let new = children.iter().filter(|child| seen.insert(**child));
            found.extend(new.filter_map(|child| self.by_pid.get(child)));
        }
        found
    }
}

/// Sums over a [`Family::tree`]; all unknown when it is empty. What is unknown of the process itself is unknown of the sum;
/// a descendant of which something is unknown has ended meanwhile and adds nothing. Descriptors are not summed here, because
/// the table does not hold them.
pub fn totals(tree: &[&Row]) -> TreeTotals {
    let Some((root, descendants)) = tree.split_first() else { return TreeTotals::default() };
    let resident = descendants.iter().filter_map(|row| row.resident_bytes);
    let cpu = descendants.iter().filter_map(|row| row.cpu_time);
    TreeTotals {
        children: u64::try_from(descendants.len()).ok(),
        resident_bytes: root.resident_bytes.map(|own| resident.fold(own, u64::saturating_add)),
        cpu_time: root.cpu_time.map(|own| cpu.fold(own, Duration::saturating_add)),
        descriptors: None,
    }
}

/// How much processor time a process had used at some instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuSample {
    /// When it was read.
    pub at: Mono,
    /// Time used until then.
    pub cpu_time: Duration,
    /// Threads it had then.
    pub threads: u64,
}

/// The share of the processors that a process used between two samples, in percent: of one processor for a process with
/// one thread, of as many as it can use (the lesser of threads and `cpus`) for others; at most 100. `None` without an earlier
/// sample, when no time passed, and when the process used less than before (it is another one).
pub fn cpu_percent(earlier: Option<CpuSample>, later: CpuSample, cpus: u32) -> Option<f64> {
    let earlier = earlier?;
    let used = later.cpu_time.checked_sub(earlier.cpu_time)?.as_secs_f64();
    let passed = later.at.since(earlier.at).as_secs_f64();
    if passed <= 0.0 {
        return None;
    }
    let usable = if later.threads > 1 { later.threads.min(u64::from(cpus.max(1))) } else { 1 };
    Some((used / passed / usable as f64 * 100.0).min(FULL))
}

/// How much processor time each process of a tree had used at some instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeSample {
    at: Mono,
    /// The process itself and its descendants, with the threads they had.
    rows: HashMap<Pid, (Identity, Duration, u64)>,
    root: Option<Pid>,
}

impl TreeSample {
    /// What a [`Family::tree`] that was read at `at` shows.
    pub fn new(at: Mono, tree: &[&Row]) -> TreeSample {
        let row = |row: &&Row| Some((row.identity.pid, (row.identity, row.cpu_time?, row.threads.unwrap_or(1))));
        TreeSample { at, rows: tree.iter().filter_map(row).collect(), root: tree.first().map(|row| row.identity.pid) }
    }
}

/// The share of the processors that a process and its descendants used between two samples, in percent: its own
/// [`cpu_percent`], and that of the descendants as if they were one process with all their threads; at most 100. So a family
/// of which one is busy does not look like a busy machine. Who is not in both samples used nothing. `None` without an earlier
/// sample, when no time passed, and when no process is in both.
pub fn tree_cpu_percent(
    earlier: Option<&TreeSample>,
    later: &TreeSample,
    cpus: u32,
    tolerance: Tolerance,
) -> Option<f64> {
    let earlier = earlier?;
    let used = |(pid, (identity, cpu_time, _)): (&Pid, &(Identity, Duration, u64))| {
        let (_, before, _) = earlier.rows.get(pid).filter(|(before, ..)| before.is_same(*identity, tolerance))?;
        cpu_time.checked_sub(*before)
    };
    let part = |of_root: bool| {
        let rows = || later.rows.iter().filter(move |(pid, _)| (later.root == Some(**pid)) == of_root);
        let threads = rows().map(|(_, (.., threads))| *threads).fold(0, u64::saturating_add);
        let cpu_time = rows().filter_map(used).reduce(Duration::saturating_add)?;
        let start = CpuSample { at: earlier.at, cpu_time: Duration::ZERO, threads };
        cpu_percent(Some(start), CpuSample { at: later.at, cpu_time, threads }, cpus)
    };
    match (part(true), part(false)) {
        (None, None) => None,
        (own, descendants) => Some((own.unwrap_or(0.0) + descendants.unwrap_or(0.0)).min(FULL)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process::StartTime;

    fn identity(pid: i32, start: u64) -> Identity {
        Identity { pid: Pid::new(pid).unwrap(), start: StartTime::from_boot(Duration::from_secs(start)) }
    }

    fn row(pid: i32, parent: i32, start: u64) -> Row {
        Row {
            identity: identity(pid, start),
            parent: Pid::new(parent),
            threads: Some(1),
            cpu_time: Some(Duration::from_secs(1)),
            resident_bytes: Some(100),
        }
    }

    fn tree(table: &[Row], root: i32) -> Vec<i32> {
        let family = Family::new(table.to_vec());
        let tree = family.tree(Pid::new(root).unwrap());
        let mut pids: Vec<i32> = tree.iter().map(|row| row.identity.pid.get()).collect();
        if let Some((_, descendants)) = pids.split_first_mut() {
            descendants.sort_unstable();
        }
        pids
    }

    #[test]
    fn all_generations_descend() {
        let table = [row(1, 0, 0), row(9, 5, 30), row(5, 1, 10), row(7, 5, 20), row(8, 7, 25), row(6, 1, 11)];
        assert_eq!(tree(&table, 5), [5, 7, 8, 9]);
        assert_eq!(tree(&table, 8), [8]);
        assert_eq!(tree(&table, 77), [] as [i32; 0]);
    }

    /// Work that grew with the square of this would not end within the hour.
    #[test]
    fn tens_of_thousands_of_processes_are_one_pass() {
        const MANY: i32 = 65_536;
        let generations: Vec<Row> = (1..=MANY).map(|pid| row(pid, pid - 1, 5)).collect();
        assert_eq!(tree(&generations, 1).len(), MANY as usize);
        let siblings: Vec<Row> = (1..=MANY).map(|pid| row(pid, i32::from(pid > 1), 5)).collect();
        assert_eq!(tree(&siblings, 1).len(), MANY as usize);
        assert_eq!(tree(&siblings, 2), [2]);
    }

    #[test]
    fn children_that_lost_their_parent_mid_scan_belong_to_nobody_and_circles_end() {
        // 7 was read before its parent 6 ended; 8 was given to 1.
        assert_eq!(tree(&[row(1, 0, 0), row(5, 1, 1), row(7, 6, 3), row(8, 1, 3)], 5), [5]);
        // Both were read under numbers that changed hands.
        assert_eq!(tree(&[row(5, 7, 3), row(7, 5, 3)], 5), [5, 7]);
        assert_eq!(tree(&[row(5, 5, 3)], 5), [5]);
    }

    #[test]
    fn a_number_listed_twice_counts_once_and_a_reused_one_adopts_nobody() {
        let table = [row(5, 1, 1), row(7, 5, 2), row(7, 1, 9)];
        assert_eq!(tree(&table, 5), [5]);
        // 5 ended and its number was given to a new process before the scan came to it.
        assert_eq!(tree(&[row(7, 5, 2), row(5, 1, 90)], 5), [5]);
    }

    #[test]
    fn deep_and_wide_families_are_walked_in_one_go() {
        let chain: Vec<Row> = (1..=20_000).map(|pid| row(pid, pid - 1, 1)).collect();
        assert_eq!(tree(&chain, 1).len(), 20_000);
    }

    #[test]
    fn sums_take_the_process_and_its_descendants() {
        let mut vanished = row(7, 5, 2);
        (vanished.resident_bytes, vanished.cpu_time) = (None, None);
        let table = [row(5, 1, 1), vanished, row(8, 5, 2)];
        let family = Family::new(table.to_vec());
        let sums = totals(&family.tree(Pid::new(5).unwrap()));
        assert_eq!((sums.children, sums.resident_bytes), (Some(2), Some(200)));
        assert_eq!((sums.cpu_time, sums.descriptors), (Some(Duration::from_secs(2)), None));
        let own = totals(&family.tree(Pid::new(7).unwrap()));
        assert_eq!((own.children, own.resident_bytes, own.cpu_time), (Some(0), None, None));
        assert_eq!(totals(&[]), TreeTotals::default());
    }

    fn sample(at: u64, cpu_millis: u64, threads: u64) -> CpuSample {
        let at = Mono::from_origin(Duration::from_secs(at));
        CpuSample { at, cpu_time: Duration::from_millis(cpu_millis), threads }
    }

    #[test]
    fn processor_time_is_shared_among_the_processors_a_process_can_use() {
        let earlier = Some(sample(10, 1000, 1));
        assert_eq!(cpu_percent(None, sample(12, 2000, 1), 4), None);
        assert_eq!(cpu_percent(earlier, sample(12, 2000, 1), 4), Some(50.0));
        assert_eq!(cpu_percent(earlier, sample(12, 2000, 2), 4), Some(25.0));
        assert_eq!(cpu_percent(earlier, sample(12, 2000, 9), 4), Some(12.5));
        assert_eq!(cpu_percent(earlier, sample(12, 2000, 9), 0), Some(50.0));
        assert_eq!(cpu_percent(earlier, sample(12, 9000, 1), 4), Some(100.0));
        assert_eq!(cpu_percent(earlier, sample(10, 2000, 1), 4), None);
        assert_eq!(cpu_percent(earlier, sample(12, 500, 1), 4), None);
    }

    #[test]
    fn a_tree_is_what_those_used_that_were_seen_twice() {
        let exact = Tolerance(Duration::ZERO);
        let at = |seconds| Mono::from_origin(Duration::from_secs(seconds));
        let with = |row: Row, millis| Row { cpu_time: Some(Duration::from_millis(millis)), ..row };
        let (a, b, c) = (row(5, 1, 1), row(7, 5, 2), row(8, 5, 3));
        let earlier = TreeSample::new(at(10), &[&with(a, 0), &with(b, 0), &with(c, 0)]);
        // 7 was replaced by another process of that number, 9 is new.
        let (other, new) = (row(7, 5, 50), row(9, 5, 51));
        let later = TreeSample::new(at(20), &[&with(a, 1000), &with(other, 9000), &with(c, 2000), &with(new, 900)]);
        assert_eq!(tree_cpu_percent(Some(&earlier), &later, 1, exact), Some(30.0));
        assert_eq!(tree_cpu_percent(Some(&earlier), &later, 2, exact), Some(20.0), "three threads on two processors");
        let threads = Row { threads: Some(4), ..with(c, 2000) };
        let one = TreeSample::new(at(20), &[&with(a, 1000), &threads]);
        assert_eq!(tree_cpu_percent(Some(&earlier), &one, 8, exact), Some(15.0));
        assert_eq!(tree_cpu_percent(None, &later, 2, exact), None);
        let busy = TreeSample::new(at(20), &[&with(a, 9000), &with(c, 9000)]);
        assert_eq!(tree_cpu_percent(Some(&earlier), &busy, 2, exact), Some(100.0));
        assert_eq!(tree_cpu_percent(Some(&earlier), &TreeSample::new(at(20), &[&other]), 2, exact), None);
    }
}
