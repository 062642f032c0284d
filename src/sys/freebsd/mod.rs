//! FreeBSD: the readers of sysctl(3). What they fetch is bytes; [`decode`] gives the bytes their meaning, on every system.
//!
//! # Which reading comes from where, and what shows that it is read rightly
//!
//! A decoder is compiled and tested on every system, with bytes that are laid out by the headers. The numbers of that layout are
//! held against the `libc` crate when FreeBSD is compiled for, and against the headers themselves by
//! `tests/freebsd/layout.c`. What the running kernel says is held against the tools of the base system by
//! `tests/freebsd/selfcheck.sh`, fact by fact. `cargo test --test tidy` looks whether all that is named here is there.
//!
//! | reading | asked of the kernel | decoder | its test | facts of selfcheck.sh |
//! |---|---|---|---|---|
//! | process: number, parent, zombie, of the kernel | KERN_PROC_PID: `struct kinfo_proc` | decode::records | decode::the_fields_are_found | reading-ppid procmatch-no-zombies procmatch-no-kernel |
//! | jail | the same: `ki_jid` | decode::records | decode::the_fields_are_found | jail-host |
//! | the number of a jail | jail_get(2), parameter `name` | none: answers with a number | | jail-named |
//! | all processes, descendants | KERN_PROC_PROC | decode::records | decode::a_table_is_many_records_without_the_kernel_itself | table-complete reading-children |
//! | start | `ki_start` less `kern.boottime` | decode::since | decode::a_clock_step_does_not_make_another_process | reading-uptime clock-step |
//! | command line | KERN_PROC_ARGS | table::command_line | table::arguments_become_a_line | procmatch-long-title |
//! | name, where there are no arguments | `ki_comm` | decode::records | decode::zombies_kernel_processes_and_full_names | procmatch-no-kernel |
//! | user and group ids | `ki_ruid`, `ki_uid`, `ki_rgid` | decode::records | decode::the_fields_are_found | reading-uid reading-euid reading-gid |
//! | threads, processor time, memory | `ki_numthreads`, `ki_runtime`, `ki_rssize` | decode::records | decode::the_fields_are_found | reading-threads reading-cpu-time reading-memory |
//! | operations | `ru_inblock`, `ru_oublock` of `ki_rusage` | decode::records | decode::the_fields_are_found | reading-disk-reads reading-disk-writes |
//! | open descriptors | KERN_PROC_FILEDESC: `struct kinfo_file` | usage::open_descriptors | usage::descriptors_are_counted_and_directories_are_none | reading-descriptors |
//! | their limits | KERN_PROC_RLIMIT: `struct rlimit` | usage::limit | usage::a_limit_may_be_none | reading-descriptor-limit |
//! | its end | kevent(2), EVFILT_PROC, NOTE_EXIT | kevent::ended | kevent::the_end_of_processes_is_read_from_their_events | exit-notice |
//! | what is mounted, how | getfsstat(2): `struct statfs` | mounts::decode | mounts::a_record_says_what_is_mounted_where_and_how | reading-fstype reading-fsflags |
//! | blocks, inodes | statfs(2) | filesystem::decode | filesystem::the_fields_are_found | reading-space reading-space-available reading-inodes |
//! | what a disk did | `kern.devstat.all`: `struct devstat` | disk::find | disk::a_disk_is_found_by_name_and_unit_and_its_fields_too | reading-disk |
//! | its version | `kern.devstat.version` | decode::number | decode::numbers_have_four_or_eight_bytes | reading-disk |
//! | which disk it is | `kern.geom.conftxt` | disk::disk_of | disk::labels_partitions_and_mirrors_lie_on_a_disk | reading-disk |
//! | what a dataset of ZFS did | `kstat.zfs.POOL.dataset.objset-*` | decode::number | decode::numbers_have_four_or_eight_bytes | reading-disk |
//! | its name | `dataset_name` beside those | decode::text | decode::a_text_ends_at_its_first_nul | reading-disk |
//! | processor time by kind | `kern.cp_time` | system::cpu_counters | system::processors_are_counted_by_kind | reading-cpu-kinds |
//! | memory, its pages | `hw.physmem`, `hw.pagesize`, `vm.stats.vm.v_active_count`, `v_wire_count` | decode::number | decode::numbers_have_four_or_eight_bytes | reading-system-memory |
//! | memory in use | those less `kstat.zfs.misc.arcstats.size` | system::memory_used | system::the_cache_of_zfs_is_no_memory_in_use | reading-system-memory |
//! | swap space | `vm.swap_info`: `struct xswdev` | system::swap_device | system::a_swap_device_counts_pages | reading-swap |
//! | open files | `kern.openfiles`, `kern.maxfiles` | decode::number | decode::numbers_have_four_or_eight_bytes | reading-open-files reading-most-files |
//! | boot | `kern.boottime`: `struct timeval` | decode::decode | decode::a_clock_step_does_not_make_another_process | reading-boot-time |
//! | which boot | `kern.boot_id` | decode::boot_id | decode::a_boot_id_is_sixteen_bytes | restart-starts-nothing-twice |
//! | load | getloadavg(3) | none: the C library answers in numbers | | reading-load |
//! | uptime | `CLOCK_MONOTONIC`, which begins at boot | none: clock_gettime(2) answers in numbers | | reading-system-uptime |
//! | processors | sysconf(3), `_SC_NPROCESSORS_ONLN` | none: answers with a number | | reading-cpu-kinds |
//! | bytes, packets, errors, speed, link | getifaddrs(3), AF_LINK: `struct if_data` | network::decode | network::the_fields_are_found | reading-link-errors reading-link-bytes reading-link-packets |
//! | link, duplex | SIOCGIFMEDIA: `struct ifmediareq` | network::decode | network::a_link_is_up_when_it_is_on_and_nothing_says_otherwise | reading-link reading-duplex |
//!
//! What is left has no bytes: which errno means what (`process`, `usage`, `sysctl`), that a table which grows and a clock
//! that is set between two calls lead to another try (`process`), the walk over the names of kstats (`sysctl`), closefrom(2)
//! and getpeereid(3) (`descriptor`), the address of errno (`errno`), and the registration with kqueue(2) (`exits`). The type checker, the linker
//! and selfcheck.sh see these; tests that ask the running system stand beside each.

pub mod decode;
pub mod disk;
pub mod filesystem;
pub mod kevent;
pub mod mounts;
pub mod network;
pub mod system;
pub mod usage;

#[cfg(target_os = "freebsd")]
pub mod descriptor;
#[cfg(target_os = "freebsd")]
pub mod errno;
#[cfg(target_os = "freebsd")]
pub mod exits;
#[cfg(target_os = "freebsd")]
pub mod machine;
#[cfg(target_os = "freebsd")]
pub mod process;
#[cfg(target_os = "freebsd")]
mod sysctl;
#[cfg(target_os = "freebsd")]
pub mod uncached;

/// Whether there are jails, and service(8) calls scripts of rc.subr(8).
pub const IS_FREEBSD: bool = true;
