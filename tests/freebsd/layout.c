/*
 * What src/sys/freebsd takes for granted of FreeBSD's headers, said to a C compiler that has them: nothing to run, it
 * compiles or it does not. tests/freebsd/cross.sh compiles it; `cargo test --test tidy` sees to it that each number here is
 * the one in the Rust file, and that each offset there is here. The order of a line: file, constant, what the headers call
 * it, number.
 */
#include <sys/param.h>
#include <sys/types.h>
#include <sys/devicestat.h>
#include <sys/event.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/proc.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sockio.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#include <vm/vm_param.h>
#include <net/if.h>
#include <net/if_media.h>
#include <stddef.h>

#define IS(file, name, value, number) _Static_assert((value) == (number), file ".rs: " #name)
#define AT(file, name, type, field, number) IS(file, name, offsetof(type, field), number)
#define SIZE(file, name, type, number) IS(file, name, sizeof(type), number)

/* kern.proc: struct kinfo_proc of <sys/user.h>, kern.boottime: struct timeval. */
SIZE("decode", RECORD_SIZE, struct kinfo_proc, 1088);
SIZE("decode", TIMEVAL_SIZE, struct timeval, 16);
AT("decode", STRUCTSIZE, struct kinfo_proc, ki_structsize, 0);
AT("decode", PID, struct kinfo_proc, ki_pid, 72);
AT("decode", PPID, struct kinfo_proc, ki_ppid, 76);
AT("decode", UID, struct kinfo_proc, ki_uid, 168);
AT("decode", RUID, struct kinfo_proc, ki_ruid, 172);
AT("decode", RGID, struct kinfo_proc, ki_rgid, 180);
AT("decode", RSSIZE, struct kinfo_proc, ki_rssize, 264);
AT("decode", RUNTIME, struct kinfo_proc, ki_runtime, 328);
AT("decode", START, struct kinfo_proc, ki_start, 336);
AT("decode", FLAG, struct kinfo_proc, ki_flag, 368);
AT("decode", STAT, struct kinfo_proc, ki_stat, 388);
AT("decode", COMM, struct kinfo_proc, ki_comm, 447);
AT("decode", JID, struct kinfo_proc, ki_jid, 592);
AT("decode", NUMTHREADS, struct kinfo_proc, ki_numthreads, 596);
AT("decode", INBLOCK, struct kinfo_proc, ki_rusage.ru_inblock, 696);
AT("decode", OUBLOCK, struct kinfo_proc, ki_rusage.ru_oublock, 704);
IS("decode", COMM_SIZE, COMMLEN + 1, 20);
IS("decode", SZOMB, SZOMB, 5);
IS("decode", P_KPROC, P_KPROC, 4);

/* KERN_PROC_FILEDESC: struct kinfo_file, KERN_PROC_RLIMIT: struct rlimit. */
SIZE("usage", FILE_MAX, struct kinfo_file, 1392);
AT("usage", STRUCTSIZE, struct kinfo_file, kf_structsize, 0);
AT("usage", FD, struct kinfo_file, kf_fd, 8);
SIZE("usage", LIMIT_SIZE, struct rlimit, 16);
IS("usage", INFINITY, RLIM_INFINITY, 9223372036854775807);

/* kern.cp_time: the order of its numbers; vm.swap_info: struct xswdev. */
_Static_assert(CP_USER == 0 && CP_NICE == 1 && CP_SYS == 2 && CP_INTR == 3 && CP_IDLE == 4 && CPUSTATES == 5, "cp_time");
SIZE("system", SWAP_SIZE, struct xswdev, 32);
IS("system", SWAP_VERSION, XSWDEV_VERSION, 2);
AT("system", VERSION, struct xswdev, xsw_version, 0);
AT("system", BLOCKS, struct xswdev, xsw_nblks, 20);
AT("system", USED, struct xswdev, xsw_used, 24);

/* getfsstat(2) and statfs(2): struct statfs. */
SIZE("mounts", RECORD_SIZE, struct statfs, 2344);
IS("mounts", VERSION, STATFS_VERSION, 0x20140518);
IS("mounts", LOCAL, MNT_LOCAL, 0x1000);
AT("mounts", VERSION, struct statfs, f_version, 0);
AT("mounts", FLAGS, struct statfs, f_flags, 8);
AT("mounts", BLOCK_SIZE, struct statfs, f_bsize, 16);
AT("mounts", BLOCKS, struct statfs, f_blocks, 32);
AT("mounts", BLOCKS_FREE, struct statfs, f_bfree, 40);
AT("mounts", BLOCKS_AVAILABLE, struct statfs, f_bavail, 48);
AT("mounts", FILES, struct statfs, f_files, 56);
AT("mounts", FILES_FREE, struct statfs, f_ffree, 64);
AT("mounts", TYPE, struct statfs, f_fstypename, 280);
IS("mounts", TYPE_SIZE, MFSNAMELEN, 16);
AT("mounts", DEVICE, struct statfs, f_mntfromname, 296);
IS("mounts", DEVICE_SIZE, MNAMELEN, 1024);
AT("mounts", POINT, struct statfs, f_mntonname, 1320);
IS("mounts", POINT_SIZE, MNAMELEN, 1024);
IS("mounts", FLAG_NAMES, MNT_ASYNC, 0x40);
IS("mounts", FLAG_NAMES, MNT_EXPORTED, 0x100);
IS("mounts", FLAG_NAMES, MNT_LOCAL, 0x1000);
IS("mounts", FLAG_NAMES, MNT_NOATIME, 0x10000000);
IS("mounts", FLAG_NAMES, MNT_NOEXEC, 0x4);
IS("mounts", FLAG_NAMES, MNT_NOSUID, 0x8);
IS("mounts", FLAG_NAMES, MNT_NOSYMFOLLOW, 0x400000);
IS("mounts", FLAG_NAMES, MNT_QUOTA, 0x2000);
IS("mounts", FLAG_NAMES, MNT_RDONLY, 0x1);
IS("mounts", FLAG_NAMES, MNT_SYNCHRONOUS, 0x2);
IS("mounts", FLAG_NAMES, MNT_UNION, 0x20);
IS("mounts", FLAG_NAMES, MNT_NOCLUSTERR, 0x40000000);
IS("mounts", FLAG_NAMES, MNT_NOCLUSTERW, 0x80000000);
IS("mounts", FLAG_NAMES, MNT_SUIDDIR, 0x100000);
IS("mounts", FLAG_NAMES, MNT_SOFTDEP, 0x200000);
IS("mounts", FLAG_NAMES, MNT_SUJ, 0x100000000);
IS("mounts", FLAG_NAMES, MNT_MULTILABEL, 0x4000000);
IS("mounts", FLAG_NAMES, MNT_ACLS, 0x8000000);
IS("mounts", FLAG_NAMES, MNT_NFS4ACLS, 0x10);
IS("mounts", FLAG_NAMES, MNT_GJOURNAL, 0x2000000);
IS("mounts", FLAG_NAMES, MNT_AUTOMOUNTED, 0x200000000);
IS("mounts", FLAG_NAMES, MNT_VERIFIED, 0x400000000);
IS("mounts", FLAG_NAMES, MNT_UNTRUSTED, 0x800000000);
#ifdef MNT_NAMEDATTR /* since FreeBSD 15 */
IS("mounts", FLAG_NAMES, MNT_NAMEDATTR, 0x20000000000);
#endif

/* kern.devstat.all: struct devstat. */
SIZE("disk", RECORD_SIZE, struct devstat, 288);
IS("disk", VERSION, DEVSTAT_VERSION, 6);
SIZE("disk", HEAD_SIZE, long, 8);
AT("disk", NAME, struct devstat, device_name, 44);
IS("disk", NAME_SIZE, DEVSTAT_NAME_LEN, 16);
AT("disk", UNIT, struct devstat, unit_number, 60);
AT("disk", BYTES, struct devstat, bytes, 64);
AT("disk", OPERATIONS, struct devstat, operations, 96);
AT("disk", DURATION, struct devstat, duration, 128);
IS("disk", READ, DEVSTAT_READ, 1);
IS("disk", WRITE, DEVSTAT_WRITE, 2);

/* getifaddrs(3): struct if_data; SIOCGIFMEDIA: struct ifmediareq. */
SIZE("network", DATA_SIZE, struct if_data, 152);
SIZE("network", MEDIA_SIZE, struct ifmediareq, 48);
AT("network", LINK_STATE, struct if_data, ifi_link_state, 4);
AT("network", BAUDRATE, struct if_data, ifi_baudrate, 16);
AT("network", IPACKETS, struct if_data, ifi_ipackets, 24);
AT("network", IERRORS, struct if_data, ifi_ierrors, 32);
AT("network", OPACKETS, struct if_data, ifi_opackets, 40);
AT("network", OERRORS, struct if_data, ifi_oerrors, 48);
AT("network", IBYTES, struct if_data, ifi_ibytes, 64);
AT("network", OBYTES, struct if_data, ifi_obytes, 72);
AT("network", MEDIA_STATUS, struct ifmediareq, ifm_status, 24);
AT("network", MEDIA_ACTIVE, struct ifmediareq, ifm_active, 28);
IS("network", LINK_DOWN, LINK_STATE_DOWN, 1);
IS("network", LINK_UP, LINK_STATE_UP, 2);
IS("network", IFM_AVALID, IFM_AVALID, 1);
IS("network", IFM_ACTIVE, IFM_ACTIVE, 2);
IS("network", IFM_FDX, IFM_FDX, 0x00100000);
IS("network", IFM_HDX, IFM_HDX, 0x00200000);
IS("network", SIOCGIFMEDIA, SIOCGIFMEDIA, 0xc0306938);

/* kevent(2): struct kevent. */
SIZE("kevent", RECORD_SIZE, struct kevent, 64);
AT("kevent", IDENT, struct kevent, ident, 0);
AT("kevent", FILTER, struct kevent, filter, 8);
AT("kevent", FLAGS, struct kevent, flags, 10);
AT("kevent", FFLAGS, struct kevent, fflags, 12);
IS("kevent", EVFILT_PROC, EVFILT_PROC, -5);
IS("kevent", EV_ERROR, EV_ERROR, 0x4000);
IS("kevent", NOTE_EXIT, NOTE_EXIT, 0x80000000);

/* sysctl(3): questions about names. */
IS("sysctl", MIB_MAX, CTL_MAXNAME, 24);
IS("sysctl", CTL_SYSCTL, CTL_SYSCTL, 0);
IS("sysctl", CTL_SYSCTL_NAME, CTL_SYSCTL_NAME, 1);
IS("sysctl", CTL_SYSCTL_NEXT, CTL_SYSCTL_NEXT, 2);
