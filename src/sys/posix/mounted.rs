//! Which mount a `check filesystem` means.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use crate::facts::filesystem::{self, Mounted};
use crate::sys::count;

/// The mount that `wanted` names: as it is written, else with symbolic links resolved (`/dev/disk/by-label/home`), else by
/// the number of the block device it is. Only when the first fails is the path itself looked at; on a filesystem that may
/// stall that belongs into a helper child.
pub fn find(table: &[Mounted], wanted: &Path) -> Option<Mounted> {
    if let Some(found) = filesystem::find(table, wanted) {
        return Some(found.clone());
    }
    if !wanted.is_absolute() {
        return None;
    }
    count::bump();
    let resolved = wanted.canonicalize().ok()?;
    if let Some(found) = filesystem::find(table, &resolved) {
        return Some(found.clone());
    }
    let number = device_number(&resolved)?;
    table.iter().find(|mount| mount.device_number == Some(number)).cloned()
}

/// Major and minor number of the block device at `path`; `None` when it is none.
pub fn device_number(path: &Path) -> Option<(u32, u32)> {
    count::bump();
    let metadata = path.metadata().ok().filter(|metadata| metadata.file_type().is_block_device())?;
    let number = metadata.rdev();
    // Unsigned on Linux, signed on FreeBSD.
    let part = |part: i64| u32::try_from(part).ok();
    Some((part(i64::from(libc::major(number)))?, part(i64::from(libc::minor(number)))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn root(device: &str) -> Mounted {
        Mounted {
            point: "/".into(),
            device: device.into(),
            device_number: None,
            fstype: "ufs".into(),
            flags: String::new(),
            may_stall: false,
        }
    }

    #[test]
    fn a_link_to_a_mount_point_names_it_and_a_file_below_does_not() {
        let directory = std::env::temp_dir().join(format!("pollux-mounted-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let link = directory.join("link");
        symlink("/", &link).unwrap();
        let table = [root("zroot/ROOT")];
        assert_eq!(find(&table, &link).as_ref(), Some(&table[0]));
        assert_eq!(find(&table, Path::new("zroot/ROOT")).as_ref(), Some(&table[0]));
        assert_eq!(find(&table, &directory), None);
        assert_eq!(find(&table, &directory.join("nothing")), None);
        assert_eq!(find(&table, Path::new("server:/export")), None);
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn what_is_no_block_device_has_no_number() {
        assert_eq!(device_number(Path::new("/dev/null")), None);
        assert_eq!(device_number(Path::new("/nowhere")), None);
    }
}
