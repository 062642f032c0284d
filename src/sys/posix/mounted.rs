//! Which mount a `check filesystem` means, and which may never answer.

use std::ffi::OsString;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use crate::facts::filesystem::{self, Mounted};
use crate::facts::mount::Mounts;
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

/// Symbolic links on the way to a path that are followed; the kernels follow 40 or 32.
const LINKS_MAX: usize = 40;

/// The mount point of the filesystem on which `path` is, if that may stall. Symbolic links are followed as far as they are on
/// filesystems that do not stall, of which alone something is asked; and only when there are any that do.
pub fn stalling(mounts: &Mounts, path: &Path) -> Option<PathBuf> {
    if !mounts.may_any_stall() {
        return None;
    }
    let mut reached = PathBuf::from("/");
    let mut ahead: Vec<OsString> = Vec::new();
    let put = |ahead: &mut Vec<OsString>, path: &Path| {
        ahead.extend(path.components().rev().map(|part| part.as_os_str().to_owned()));
    };
    put(&mut ahead, path);
    let mut links = 0;
    while let Some(part) = ahead.pop() {
        match Path::new(&part).components().next() {
            Some(Component::RootDir) => reached = PathBuf::from("/"),
            Some(Component::ParentDir) => drop(reached.pop()),
            Some(Component::Normal(_)) => reached.push(&part),
            _ => {}
        }
        if let Some(point) = mounts.stalling(&reached) {
            return Some(point.to_owned());
        }
        count::bump();
        if let Ok(target) = reached.read_link() {
            links += 1;
            if links > LINKS_MAX {
                return None;
            }
            reached.pop();
            put(&mut ahead, &target);
        }
    }
    None
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
    fn links_into_what_may_stall_are_found_without_asking_it() {
        use crate::facts::mount::Mount;
        let directory = std::env::temp_dir().join(format!("pollux-links-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(directory.join("real")).unwrap();
        let directory = directory.canonicalize().unwrap();
        let dead = directory.join("dead");
        let link = |target: &str, name: &str| symlink(target, directory.join(name)).unwrap();
        link("dead/below", "relative");
        link(dead.to_str().unwrap(), "absolute");
        link("real/../absolute/x", "twice");
        link("round", "round");
        link("real", "local");
        let mount = |point: &Path, may_stall| Mount { point: point.to_owned(), may_stall };
        let mounts = Mounts::new(vec![mount(Path::new("/"), false), mount(&dead, true)]);
        for stalls in ["dead", "dead/x", "relative", "relative/y", "absolute/x", "twice", "real/../dead"] {
            assert_eq!(stalling(&mounts, &directory.join(stalls)), Some(dead.clone()), "{stalls}");
        }
        for local in ["real", "real/nothing/here", "local/x", "round/x", "dead/../real", "nothing"] {
            let expected = (local == "dead/../real").then(|| dead.clone());
            assert_eq!(stalling(&mounts, &directory.join(local)), expected, "{local}");
        }
        let before = count::taken();
        assert_eq!(stalling(&Mounts::new(vec![mount(Path::new("/"), false)]), &directory.join("twice")), None);
        assert_eq!(count::taken(), before, "where nothing stalls nothing is asked");
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn what_is_no_block_device_has_no_number() {
        assert_eq!(device_number(Path::new("/dev/null")), None);
        assert_eq!(device_number(Path::new("/nowhere")), None);
    }
}
