//! What is mounted: `/proc/self/mountinfo` (proc(5)). Reading it asks no filesystem anything.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::facts::filesystem::Mounted;
use crate::sys::count;
use crate::sys::posix::errno::retry;

/// Most bytes of the table: some ten thousand mounts.
const TABLE_MAX: usize = 4 * 1024 * 1024;

/// Types that the kernel answers for by itself. Any other may wait for a server or a process: NFS, SMB, 9p, FUSE, autofs, and
/// what is invented later. An overlay counts as what its layers nearly always are.
const LOCAL: &[&[u8]] = &[
    b"aufs",
    b"bcachefs",
    b"binfmt_misc",
    b"bpf",
    b"btrfs",
    b"cgroup",
    b"cgroup2",
    b"configfs",
    b"cramfs",
    b"debugfs",
    b"devpts",
    b"devtmpfs",
    b"efivarfs",
    b"erofs",
    b"exfat",
    b"ext2",
    b"ext3",
    b"ext4",
    b"f2fs",
    b"fusectl",
    b"hfs",
    b"hfsplus",
    b"hugetlbfs",
    b"iso9660",
    b"jffs2",
    b"jfs",
    b"minix",
    b"mqueue",
    b"msdos",
    b"nilfs2",
    b"nsfs",
    b"ntfs",
    b"ntfs3",
    b"overlay",
    b"proc",
    b"pstore",
    b"ramfs",
    b"reiserfs",
    b"romfs",
    b"rootfs",
    b"rpc_pipefs",
    b"securityfs",
    b"selinuxfs",
    b"squashfs",
    b"sysfs",
    b"tmpfs",
    b"tracefs",
    b"ubifs",
    b"udf",
    b"ufs",
    b"vfat",
    b"xfs",
    b"zfs",
];

/// All mounts this process sees, in the order they were made.
///
/// # Errors
/// /proc does not show them, or not all.
pub fn table() -> io::Result<Vec<Mounted>> {
    table_at(Path::new("/proc/self/mountinfo"))
}

fn table_at(path: &Path) -> io::Result<Vec<Mounted>> {
    count::bump();
    let mut file = File::open(path)?;
    let mut table = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        count::bump();
        match retry(|| file.read(&mut chunk))? {
            0 => break,
            length => table.extend(chunk.iter().take(length)),
        }
        if table.len() > TABLE_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
    count::bump(); // the close
    Ok(parse(&table))
}

/// Lines such as `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw`; a line of another form is left out.
fn parse(table: &[u8]) -> Vec<Mounted> {
    table.split(|byte| *byte == b'\n').filter_map(mount).collect()
}

fn mount(line: &[u8]) -> Option<Mounted> {
    let mut fields = line.split(|byte| *byte == b' ');
    let number = fields.nth(2)?;
    let point = unescape(fields.nth(1)?);
    let options = fields.next()?;
    let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
    let kind = rest.next()?;
    let device = rest.next().map(unescape).unwrap_or_default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Mounted {
        point: PathBuf::from(OsStr::from_bytes(&point)),
        device: PathBuf::from(OsStr::from_bytes(&device)),
        device_number: device_number(number),
        fstype: text(kind),
        flags: flags(&text(options), &text(rest.next().unwrap_or_default())),
        may_stall: !LOCAL.contains(&kind),
    })
}

/// `98:0`.
fn device_number(field: &[u8]) -> Option<(u32, u32)> {
    let (major, minor) = std::str::from_utf8(field).ok()?.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The options of this mount, then those of the filesystem, as /proc/mounts writes them: the first word says whether both
/// may be written to, and is not repeated.
fn flags(of_mount: &str, of_filesystem: &str) -> String {
    let options = |text: &str| text.split(',').map(str::to_owned).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let (mut all, filesystem) = (options(of_mount), options(of_filesystem));
    if filesystem.first().is_some_and(|word| word == "ro")
        && let Some(first) = all.first_mut().filter(|word| *word == "rw")
    {
        *first = "ro".to_owned();
    }
    all.extend(filesystem.into_iter().filter(|word| word != "rw" && word != "ro"));
    all.join(",")
}

/// Blank, tab, newline, `\` and `#` are written as `\` and three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, after @ ..] = rest {
        rest = after;
        let digits =
            after.get(..3).filter(|digits| *first == b'\\' && digits.iter().all(|d| (b'0'..=b'7').contains(d)));
        let value = digits.map(|digits| digits.iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0')));
        match value.and_then(|value| u8::try_from(value).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => plain.push(*first),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::mount::Mounts;
    use crate::sys::linux::fake::FakeProc;

    const TABLE: &[u8] = b"21 26 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n\
        26 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
        40 26 0:35 / /nfs\\040one rw shared:9 master:3 - nfs4 server:/export rw,vers=4.2\n\
        41 40 0:36 / /nfs\\040one/\\134x rw - tmpfs none rw\n\
        42 26 0:37 / /sshfs rw - fuse.sshfs host:/ rw\n\
        43 26 0:38 / /new rw - surprisefs none rw\n\
        not a line\n44 26 0:39 / /cut\n";

    #[test]
    fn what_the_kernel_does_not_answer_for_itself_may_stall() {
        let table = Mounts::of(&parse(TABLE));
        let stalling = |path: &str| table.stalling(Path::new(path)).map(|point| point.to_str().unwrap().to_owned());
        assert_eq!(stalling("/var/run/x.pid"), None);
        assert_eq!(stalling("/nfs one/x.pid").as_deref(), Some("/nfs one"));
        assert_eq!(stalling("/nfs one/\\x/x.pid"), None);
        assert_eq!(stalling("/sshfs/x.pid").as_deref(), Some("/sshfs"));
        assert_eq!(stalling("/new/x.pid").as_deref(), Some("/new"));
        assert_eq!(stalling("/cut/x.pid"), None);
    }

    #[test]
    fn a_line_says_what_is_mounted_where_and_how() {
        let table = parse(TABLE);
        let nfs = &table[2];
        assert_eq!((nfs.point.to_str(), nfs.device.to_str()), (Some("/nfs one"), Some("server:/export")));
        assert_eq!((nfs.device_number, nfs.fstype.as_str()), (Some((0, 35)), "nfs4"));
        assert_eq!(nfs.flags, "rw,vers=4.2");
        assert_eq!(table[1].flags, "rw,relatime");
        assert!(nfs.may_stall && !table[1].may_stall);
    }

    #[test]
    fn flags_are_those_of_proc_mounts() {
        assert_eq!(flags("rw,relatime", "rw,discard,resuid=65534"), "rw,relatime,discard,resuid=65534");
        assert_eq!(flags("ro,nosuid", "rw,size=4k"), "ro,nosuid,size=4k");
        assert_eq!(flags("rw,nosuid", "ro"), "ro,nosuid");
        assert_eq!(flags("", ""), "");
    }

    #[test]
    fn escapes_that_are_none_stay_as_they_are() {
        assert_eq!(unescape(b"a\\040b\\134\\"), b"a b\\\\");
        assert_eq!(unescape(b"\\04"), b"\\04");
        assert_eq!(unescape(b"\\777\\089"), b"\\777\\089");
    }

    #[test]
    fn the_table_costs_few_calls_and_is_bounded() {
        let proc = FakeProc::new();
        let path = proc.root().join("mountinfo");
        proc.file("mountinfo", TABLE);
        let before = count::taken();
        assert_eq!(table_at(&path).unwrap(), parse(TABLE));
        assert_eq!(count::taken() - before, 4);
        proc.file("mountinfo", &vec![b'x'; TABLE_MAX + 1]);
        assert_eq!(table_at(&path).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(table_at(&proc.root().join("nowhere")).is_err());
    }
}
