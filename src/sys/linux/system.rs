//! The machine as a whole: `stat`, `meminfo`, `sys/fs/file-nr` of /proc (proc(5)). Load and uptime are in
//! [`super::machine`], the number of processors in [`crate::sys::posix::cpus`].

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use crate::base::time::Wall;
use crate::facts::system::{CpuCounters, Share};
use crate::sys::count;

/// States of the processors that Linux counts; a virtual machine counts the last three only if its host tells.
pub const CPU_KINDS: &[&str] = &["user", "system", "nice", "wait", "hardirq", "softirq", "steal", "guest", "guestnice"];

/// Bytes of the first line of `stat`.
const CPU_LINE: u64 = 512;
/// Bytes of other files; `stat` has a number for each interrupt.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// What all processors together did since boot. Three system calls.
///
/// # Errors
/// /proc does not show it.
pub fn cpu() -> io::Result<CpuCounters> {
    cpu_at(Path::new("/proc"))
}

/// Memory in bytes: used is what is not available without swapping, and of that what the cache of ZFS (ARC) would give back is
/// not counted either. Six system calls, three without ZFS.
///
/// # Errors
/// /proc does not show it.
pub fn memory() -> io::Result<Share> {
    memory_at(Path::new("/proc"))
}

/// Swap space in bytes; a total of 0 when there is none. Three system calls.
///
/// # Errors
/// /proc does not show it.
pub fn swap() -> io::Result<Share> {
    swap_at(Path::new("/proc"))
}

/// Open files of the whole system, and how many there may be. Three system calls.
///
/// # Errors
/// /proc does not show it.
pub fn descriptors() -> io::Result<Share> {
    descriptors_at(Path::new("/proc"))
}

/// When the machine was started, by the wall clock: `btime` of `stat`.
///
/// # Errors
/// /proc does not show it.
pub fn boot_time() -> io::Result<Wall> {
    boot_time_at(Path::new("/proc"))
}

/// `cpu  494308 37273 190757 1540697 10256 0 2053 2096 0 0`; old kernels end earlier.
fn cpu_at(root: &Path) -> io::Result<CpuCounters> {
    let text = read(&root.join("stat"), CPU_LINE)?;
    let line = text.lines().next().and_then(|line| line.strip_prefix("cpu ")).ok_or_else(|| malformed("stat"))?;
    let mut ticks = line.split_ascii_whitespace().map_while(|field| field.parse::<u64>().ok()).fuse();
    let counters = CpuCounters {
        user: ticks.next(),
        nice: ticks.next(),
        system: ticks.next(),
        idle: ticks.next(),
        iowait: ticks.next(),
        hardirq: ticks.next(),
        softirq: ticks.next(),
        steal: ticks.next(),
        guest: ticks.next(),
        guestnice: ticks.next(),
    };
    if counters.idle.is_some() { Ok(counters) } else { Err(malformed("stat")) }
}

fn memory_at(root: &Path) -> io::Result<Share> {
    let text = read(&root.join("meminfo"), FILE_MAX)?;
    let total = kilobytes(&text, "MemTotal").ok_or_else(|| malformed("meminfo"))?;
    // Kernels before 3.14 do not say what is available.
    let free = || {
        ["MemFree", "Buffers", "Cached", "SReclaimable"]
            .iter()
            .try_fold(0, |sum: u64, key| Some(sum.saturating_add(kilobytes(&text, key)?)))
    };
    let available = kilobytes(&text, "MemAvailable").or_else(free).ok_or_else(|| malformed("meminfo"))?;
    let cache = match read(&root.join("spl/kstat/zfs/arcstats"), FILE_MAX) {
        Ok(stats) => arc_size(&stats).unwrap_or_default(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    Ok(Share { used: total.saturating_sub(available).saturating_sub(cache), total })
}

fn swap_at(root: &Path) -> io::Result<Share> {
    let text = read(&root.join("meminfo"), FILE_MAX)?;
    let value = |key| kilobytes(&text, key).ok_or_else(|| malformed("meminfo"));
    let total = value("SwapTotal")?;
    Ok(Share { used: total.saturating_sub(value("SwapFree")?), total })
}

/// `750 0 2466170`: allocated, unused, most.
fn descriptors_at(root: &Path) -> io::Result<Share> {
    let text = read(&root.join("sys/fs/file-nr"), CPU_LINE)?;
    let numbers: Vec<u64> = text.split_ascii_whitespace().map_while(|number| number.parse().ok()).collect();
    match numbers.as_slice() {
        [allocated, unused, total, ..] => Ok(Share { used: allocated.saturating_sub(*unused), total: *total }),
        _ => Err(malformed("file-nr")),
    }
}

fn boot_time_at(root: &Path) -> io::Result<Wall> {
    let text = read(&root.join("stat"), FILE_MAX)?;
    let seconds = text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok());
    seconds.map(|seconds| Wall::from_epoch(Duration::from_secs(seconds))).ok_or_else(|| malformed("stat"))
}

/// `MemTotal:       24684084 kB`, in bytes.
fn kilobytes(text: &str, key: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    let number: u64 = rest.split_ascii_whitespace().next()?.parse().ok()?;
    number.checked_mul(1024)
}

/// `size                            4    123456789`.
fn arc_size(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.split_ascii_whitespace().next() == Some("size"))?;
    line.split_ascii_whitespace().nth(2)?.parse().ok()
}

/// The beginning of a file of at most `limit` bytes.
fn read(path: &Path, limit: u64) -> io::Result<String> {
    count::bump();
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    count::bump();
    file.take(limit).read_to_end(&mut bytes)?;
    count::bump(); // the close
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} is not what proc(5) describes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::linux::fake::FakeProc;

    #[test]
    fn processors_are_counted_by_kind() {
        let proc = FakeProc::new();
        proc.file("stat", b"cpu  494308 37273 190757 1540697 10256 1 2053 2096 3 4\ncpu0 1 2 3 4\n");
        let cpu = cpu_at(proc.root()).unwrap();
        assert_eq!(
            (cpu.user, cpu.nice, cpu.system, cpu.idle),
            (Some(494_308), Some(37_273), Some(190_757), Some(1_540_697))
        );
        assert_eq!((cpu.iowait, cpu.hardirq, cpu.softirq), (Some(10_256), Some(1), Some(2053)));
        assert_eq!((cpu.steal, cpu.guest, cpu.guestnice), (Some(2096), Some(3), Some(4)));
        proc.file("stat", b"cpu  1 2 3 4\n");
        assert_eq!(cpu_at(proc.root()).unwrap().iowait, None);
        for nonsense in ["", "cpu0 1 2 3 4", "cpu  1 2 x 4", "intr 5"] {
            proc.file("stat", nonsense.as_bytes());
            assert!(cpu_at(proc.root()).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn used_memory_is_what_is_not_available() {
        let proc = FakeProc::new();
        let memory = "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\nBuffers: 50 kB\nCached: 200 kB\n";
        proc.file("meminfo", memory.as_bytes());
        assert_eq!(memory_at(proc.root()).unwrap(), Share { used: 400 * 1024, total: 1000 * 1024 });
        proc.file(
            "spl/kstat/zfs/arcstats",
            b"6 1 0x01\nname type data\nhits 4 9\nsize                            4    102400\n",
        );
        assert_eq!(memory_at(proc.root()).unwrap().used, 300 * 1024);
        proc.file("spl/kstat/zfs/arcstats", b"size 4 99999999999\n");
        assert_eq!(memory_at(proc.root()).unwrap().used, 0);
    }

    #[test]
    fn old_kernels_say_what_is_free_in_parts() {
        let proc = FakeProc::new();
        let memory = "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 200 kB\nSReclaimable: 30 kB\n";
        proc.file("meminfo", memory.as_bytes());
        assert_eq!(memory_at(proc.root()).unwrap().used, 620 * 1024);
        proc.file("meminfo", b"MemTotal: 1000 kB\n");
        assert!(memory_at(proc.root()).is_err());
        proc.file("meminfo", b"MemTotal: 99999999999999999999 kB\n");
        assert!(memory_at(proc.root()).is_err());
    }

    #[test]
    fn swap_files_and_boot_time_are_read() {
        let proc = FakeProc::new();
        proc.file("meminfo", b"SwapCached: 1 kB\nSwapTotal: 500 kB\nSwapFree: 400 kB\n");
        assert_eq!(swap_at(proc.root()).unwrap(), Share { used: 100 * 1024, total: 500 * 1024 });
        proc.file("meminfo", b"SwapTotal: 0 kB\nSwapFree: 0 kB\n");
        assert_eq!(swap_at(proc.root()).unwrap(), Share { used: 0, total: 0 });
        proc.file("sys/fs/file-nr", b"750\t10\t2466170\n");
        assert_eq!(descriptors_at(proc.root()).unwrap(), Share { used: 740, total: 2_466_170 });
        proc.file("sys/fs/file-nr", b"750\n");
        assert!(descriptors_at(proc.root()).is_err());
        proc.file("stat", b"cpu  1 2 3 4\nintr 5 6\nbtime 1795383277\nprocesses 9\n");
        assert_eq!(boot_time_at(proc.root()).unwrap().secs(), 1_795_383_277);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_tells_all_of_it_in_few_calls() {
        let before = count::taken();
        assert!(cpu().unwrap().user.is_some());
        assert_eq!(count::taken() - before, 3);
        let memory = memory().unwrap();
        assert!(0 < memory.used && memory.used < memory.total, "{memory:?}");
        let swap = swap().unwrap();
        assert!(swap.used <= swap.total);
        let descriptors = descriptors().unwrap();
        assert!(0 < descriptors.used && descriptors.used < descriptors.total);
        assert!(boot_time().unwrap().secs() > 1_000_000_000);
    }
}
