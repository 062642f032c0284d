//! The machine as a whole, from sysctl(3): `kern.cp_time`, `hw.physmem`, `vm.stats.vm.*`, `vm.swap_info`, `kern.openfiles`,
//! `kern.boottime`. Load and uptime are in `machine`, the number of processors in [`crate::sys::posix::cpus`].

use super::decode::{DecodeError, int, long};
use crate::facts::system::{CpuCounters, Share};

#[cfg(target_os = "freebsd")]
pub use fetch::{boot_time, cpu, descriptors, memory, swap};

/// States of the processors that FreeBSD counts.
pub const CPU_KINDS: &[&str] = &["user", "system", "nice", "hardirq"];

/// Size of `struct xswdev` (<vm/vm_param.h>).
pub const SWAP_SIZE: usize = 32;

/// The version of that structure (XSWDEV_VERSION).
const SWAP_VERSION: i32 = 2;

/// Where the fields of `struct xswdev` begin.
mod offset {
    pub const VERSION: usize = 0;
    pub const BLOCKS: usize = 20;
    pub const USED: usize = 24;
}

/// Decodes `kern.cp_time`: an array of CPUSTATES (5) longs, indexed by CP_USER, CP_NICE, CP_SYS, CP_INTR and CP_IDLE.
///
/// # Errors
/// [`DecodeError::Truncated`].
pub fn cpu_counters(bytes: &[u8]) -> Result<CpuCounters, DecodeError> {
    let ticks = |at: usize| long(bytes, 8 * at).map(|ticks| u64::try_from(ticks).ok());
    Ok(CpuCounters {
        user: ticks(0)?,
        nice: ticks(1)?,
        system: ticks(2)?,
        hardirq: ticks(3)?,
        idle: ticks(4)?,
        ..CpuCounters::default()
    })
}

/// Decodes one `struct xswdev`, in bytes when a page has `page_size`.
///
/// # Errors
/// A structure of another release, or a torn one.
pub fn swap_device(bytes: &[u8], page_size: u64) -> Result<Share, DecodeError> {
    if bytes.len() < SWAP_SIZE {
        return Err(DecodeError::Truncated);
    }
    if int(bytes, offset::VERSION)? != SWAP_VERSION {
        return Err(DecodeError::Nonsense("xsw_version"));
    }
    let pages = |at: usize| int(bytes, at).map(|pages| u64::try_from(pages).unwrap_or_default());
    let bytes = |pages: u64| pages.saturating_mul(page_size);
    Ok(Share { used: bytes(pages(offset::USED)?), total: bytes(pages(offset::BLOCKS)?) })
}

/// Memory in use, in bytes: active and wired pages, without the cache of ZFS (ARC), which is wired and given back on demand.
pub fn memory_used(active_pages: u64, wired_pages: u64, page_size: u64, arc_bytes: u64) -> u64 {
    active_pages.saturating_add(wired_pages).saturating_mul(page_size).saturating_sub(arc_bytes)
}

#[cfg(target_os = "freebsd")]
mod fetch {
    use std::io;
    use std::time::Duration;

    use super::{SWAP_SIZE, cpu_counters, memory_used, swap_device};
    use crate::base::time::Wall;
    use crate::facts::system::{CpuCounters, Share};
    use crate::sys::freebsd::process::boot_time as boot_timeval;
    use crate::sys::freebsd::sysctl::{self, Fetched};

    /// Most swap devices that are added up.
    const SWAP_DEVICES_MAX: libc::c_int = 256;

    /// What all processors together did since boot. One system call, and one of the C library for the name.
    ///
    /// # Errors
    /// Those of sysctl(3).
    pub fn cpu() -> io::Result<CpuCounters> {
        let mut bytes = [0; 5 * 8];
        sysctl::fetch_by_name(c"kern.cp_time", &mut bytes)?;
        Ok(cpu_counters(&bytes)?)
    }

    /// Memory in bytes; see [`memory_used`].
    ///
    /// # Errors
    /// Those of sysctl(3).
    pub fn memory() -> io::Result<Share> {
        let value = |name| sysctl::number(name)?.ok_or_else(untold);
        let (active, wired) = (value(c"vm.stats.vm.v_active_count")?, value(c"vm.stats.vm.v_wire_count")?);
        let arc = sysctl::number(c"kstat.zfs.misc.arcstats.size")?.unwrap_or_default();
        Ok(Share { used: memory_used(active, wired, value(c"hw.pagesize")?, arc), total: value(c"hw.physmem")? })
    }

    /// Swap space in bytes, all devices together; a total of 0 when there is none.
    ///
    /// # Errors
    /// Those of sysctl(3), structures of another release.
    pub fn swap() -> io::Result<Share> {
        let page_size = sysctl::number(c"hw.pagesize")?.ok_or_else(untold)?;
        let mut mib = sysctl::mib(c"vm.swap_info")?.ok_or_else(untold)?;
        let last = mib.len();
        mib.push(0);
        let mut sum = Share::default();
        for device in 0..SWAP_DEVICES_MAX {
            if let Some(number) = mib.get_mut(last) {
                *number = device;
            }
            let mut bytes = [0; SWAP_SIZE];
            match sysctl::fetch(&mib, &mut bytes) {
                Ok(Fetched::Whole(length) | Fetched::Cut(length)) => {
                    let one = swap_device(bytes.get(..length).unwrap_or_default(), page_size)?;
                    sum.used = sum.used.saturating_add(one.used);
                    sum.total = sum.total.saturating_add(one.total);
                }
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(sum)
    }

    /// Open files of the whole system, and how many there may be.
    ///
    /// # Errors
    /// Those of sysctl(3).
    pub fn descriptors() -> io::Result<Share> {
        let value = |name| sysctl::number(name)?.ok_or_else(untold);
        Ok(Share { used: value(c"kern.openfiles")?, total: value(c"kern.maxfiles")? })
    }

    /// When the machine was started, by the wall clock: `kern.boottime`.
    ///
    /// # Errors
    /// Those of sysctl(3).
    pub fn boot_time() -> io::Result<Wall> {
        let seconds = u64::try_from(boot_timeval()?.seconds()).unwrap_or_default();
        Ok(Wall::from_epoch(Duration::from_secs(seconds)))
    }

    fn untold() -> io::Error {
        io::Error::other("the kernel does not tell")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_counted_by_kind() {
        let bytes: Vec<u8> = [10_i64, 20, 30, 40, 50].iter().flat_map(|ticks| ticks.to_ne_bytes()).collect();
        let cpu = cpu_counters(&bytes).unwrap();
        assert_eq!(
            (cpu.user, cpu.nice, cpu.system, cpu.hardirq, cpu.idle),
            (Some(10), Some(20), Some(30), Some(40), Some(50))
        );
        assert_eq!((cpu.iowait, cpu.softirq, cpu.steal), (None, None, None));
        assert_eq!(cpu_counters(&bytes[..39]), Err(DecodeError::Truncated));
    }

    #[test]
    fn a_swap_device_counts_pages() {
        let mut raw = vec![0xa5; 32];
        let mut put = |at: usize, value: i32| raw[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        put(0, 2); // xsw_version
        put(20, 1000); // xsw_nblks
        put(24, 250); // xsw_used
        assert_eq!(swap_device(&raw, 4096), Ok(Share { used: 250 * 4096, total: 1000 * 4096 }));
        assert_eq!(swap_device(&raw[..24], 4096), Err(DecodeError::Truncated));
        raw[0] = 1;
        assert_eq!(swap_device(&raw, 4096), Err(DecodeError::Nonsense("xsw_version")));
    }

    #[test]
    fn the_cache_of_zfs_is_no_memory_in_use() {
        assert_eq!(memory_used(100, 300, 4096, 200 * 4096), 200 * 4096);
        assert_eq!(memory_used(1, 1, 4096, u64::MAX), 0);
    }

    #[cfg(target_os = "freebsd")]
    #[test]
    fn this_machine_tells_all_of_it() {
        assert!(cpu().unwrap().user.is_some());
        let memory = memory().unwrap();
        assert!(0 < memory.used && memory.used < memory.total, "{memory:?}");
        let swap = swap().unwrap();
        assert!(swap.used <= swap.total);
        let descriptors = descriptors().unwrap();
        assert!(0 < descriptors.used && descriptors.used < descriptors.total);
        assert!(boot_time().unwrap().secs() > 1_000_000_000);
    }
}
