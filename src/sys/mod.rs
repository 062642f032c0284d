//! The wall: every system call, all `unsafe` and every `cfg(target_os)` live below this module.
//!
//! `posix/` is what all systems share. `linux/` and `freebsd/` hold files of the same names with the same public
//! functions; the one that fits is [`platform`]. FreeBSD's decoders take bytes and are compiled and tested on every
//! system; Linux's readers take the root of their tree and are tested on every system.
//!
//! # Where each reading comes from
//!
//! | reading | Linux | FreeBSD |
//! |---|---|---|
//! | **file**: kind, mode, owner, size, links, inode, times | stat(2) | stat(2) |
//! | **filesystem**: device, type, flags, mount point | `/proc/self/mountinfo` | getfsstat(2), MNT_NOWAIT |
//! | blocks, inodes | statvfs(3) | statfs(2) |
//! | bytes, operations, times | `/sys/dev/block/M:N/stat` | `kern.devstat.all`; the disk by `kern.geom.conftxt` |
//! | the same, ZFS (no times) | `/proc/spl/kstat/zfs/POOL/objset-*` | `kstat.zfs.POOL.dataset.objset-*` |
//! | the same, NFS | `/proc/self/mountstats` | none: nfsstat(8) counts for all mounts together |
//! | **system**: load | getloadavg(3) | getloadavg(3) |
//! | processors | sysconf(3), `_SC_NPROCESSORS_ONLN` | the same |
//! | processor time by kind | `/proc/stat`, first line | `kern.cp_time`: user, nice, system, hardirq, idle |
//! | memory, total | `MemTotal` of `/proc/meminfo` | `hw.physmem` |
//! | memory, used | less `MemAvailable`, less the ARC | `vm.stats.vm.v_active_count` + `v_wire_count`, less the ARC |
//! | ARC of ZFS | `size` of `/proc/spl/kstat/zfs/arcstats` | `kstat.zfs.misc.arcstats.size` |
//! | swap | `SwapTotal`, `SwapFree` of `/proc/meminfo` | `vm.swap_info.N`, all N |
//! | open files | `/proc/sys/fs/file-nr` | `kern.openfiles`, `kern.maxfiles` |
//! | uptime | `/proc/uptime` | `CLOCK_MONOTONIC`, which begins at boot |
//! | boot time | `btime` of `/proc/stat` | `kern.boottime` |
//! | **network**: state | `operstate`, `carrier` in `/sys/class/net` | SIOCGIFMEDIA, else `ifi_link_state`, else IFF_UP |
//! | speed | `speed` | `ifi_baudrate` of getifaddrs(3), AF_LINK |
//! | duplex | `duplex` | `ifm_active` of SIOCGIFMEDIA |
//! | bytes, packets, errors | `/proc/net/dev` | `struct if_data` of getifaddrs(3), AF_LINK |
//! | interface of an address | getifaddrs(3) | getifaddrs(3) |
//! | **process**: parent, start, zombie | `/proc/PID/stat` | KERN_PROC_PID |
//! | user and group ids | `/proc/PID/status` | the same record |
//! | threads, cpu time, memory | `/proc/PID/stat`: fields 20, 14 + 15, 24 | `ki_numthreads`, `ki_runtime`, `ki_rssize` |
//! | descendants and their sums | `/proc/*/stat` | KERN_PROC_PROC |
//! | open descriptors | size of `/proc/PID/fd`, before Linux 6.2 its entries | KERN_PROC_FILEDESC, `kf_fd` >= 0 |
//! | limits of descriptors | `/proc/PID/limits` | KERN_PROC_RLIMIT |
//! | bytes read and written | `rchar`, `wchar` of `/proc/PID/io` | none: the kernel counts operations alone |
//! | bytes from and to disks | `read_bytes`, `write_bytes` | none, likewise |
//! | operations | `syscr`, `syscw` | `ru_inblock`, `ru_oublock` of `ki_rusage` |
//! | security label | `/proc/PID/attr/current` | none: FreeBSD loads no labelling MAC policy |

pub mod count;
pub mod digest;
pub mod fault;
pub mod head;
pub mod md5crypt;
pub mod posix;
pub mod table;
pub mod tls;
mod uname;

pub mod freebsd;
#[cfg(any(target_os = "linux", test))]
pub mod linux;

#[cfg(target_os = "freebsd")]
pub use freebsd as platform;
#[cfg(target_os = "linux")]
pub use linux as platform;
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
compile_error!("pollux has no readers for this system; they would go to src/sys/, beside linux/ and freebsd/");
