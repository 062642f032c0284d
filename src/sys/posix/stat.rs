//! stat(2) of a path: what it is, whose, how large, and when it was touched.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use crate::base::time::Wall;
use crate::facts::file::{FileFacts, Kind, Look};
use crate::sys::count;

/// What is at `path`, symbolic links followed. One system call, which opens nothing; on a filesystem that may stall it
/// belongs into a helper child.
pub fn look(path: &Path) -> Look {
    count::bump();
    match path.metadata() {
        Ok(metadata) => Look::Found(facts(&metadata)),
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR)) => Look::Missing,
        Err(error) => Look::Failed(error.to_string()),
    }
}

/// What an open file is (fstat(2)): the same file that is read, whatever its path names by now.
///
/// # Errors
/// Those of fstat(2).
pub fn look_open(file: &File) -> io::Result<FileFacts> {
    count::bump();
    file.metadata().map(|metadata| facts(&metadata))
}

fn facts(metadata: &Metadata) -> FileFacts {
    FileFacts {
        kind: kind(metadata),
        mode: metadata.mode() & 0o7777,
        uid: metadata.uid(),
        gid: metadata.gid(),
        size_bytes: metadata.size(),
        links: metadata.nlink(),
        inode: metadata.ino(),
        device: metadata.dev(),
        accessed: instant(metadata.atime(), metadata.atime_nsec()),
        changed: instant(metadata.ctime(), metadata.ctime_nsec()),
        modified: instant(metadata.mtime(), metadata.mtime_nsec()),
    }
}

fn kind(metadata: &Metadata) -> Kind {
    let kind = metadata.file_type();
    if kind.is_file() {
        Kind::Regular
    } else if kind.is_dir() {
        Kind::Directory
    } else if kind.is_socket() {
        Kind::Socket
    } else if kind.is_fifo() {
        Kind::Fifo
    } else if kind.is_char_device() {
        Kind::Other("a character device")
    } else if kind.is_block_device() {
        Kind::Other("a block device")
    } else {
        Kind::Other("of an unknown kind")
    }
}

/// Times before 1970 count as 1970.
fn instant(seconds: i64, nanoseconds: i64) -> Wall {
    let whole = u64::try_from(seconds).map(Duration::from_secs).unwrap_or_default();
    let part = if seconds < 0 { 0 } else { u64::try_from(nanoseconds).unwrap_or_default().min(999_999_999) };
    Wall::from_epoch(whole.saturating_add(Duration::from_nanos(part)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Directory {
            let path = std::env::temp_dir().join(format!("pollux-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Directory(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn found(path: &Path) -> FileFacts {
        match look(path) {
            Look::Found(facts) => facts,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_shows_all_that_stat_tells_also_through_a_link() {
        let directory = Directory::new("stat-file");
        let path = directory.0.join("file");
        fs::write(&path, b"hello").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o4640)).unwrap();
        fs::hard_link(&path, directory.0.join("second")).unwrap();
        symlink(&path, directory.0.join("link")).unwrap();
        let facts = found(&path);
        assert_eq!((facts.kind, facts.mode, facts.size_bytes, facts.links), (Kind::Regular, 0o4640, 5, 2));
        assert!(facts.modified.secs() > 1_700_000_000);
        assert_eq!(facts, found(&directory.0.join("link")));
        assert_eq!(look_open(&File::open(&path).unwrap()).unwrap().inode, facts.inode);
    }

    #[test]
    fn kinds_are_told_apart_without_opening_anything() {
        let directory = Directory::new("stat-kinds");
        let socket = directory.0.join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        assert_eq!(found(&socket).kind, Kind::Socket);
        assert_eq!(found(&directory.0).kind, Kind::Directory);
        assert_eq!(found(Path::new("/dev/null")).kind, Kind::Other("a character device"));
        let fifo = directory.0.join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        assert_eq!(found(&fifo).kind, Kind::Fifo);
    }

    #[test]
    fn what_is_not_there_is_missing_and_what_cannot_be_seen_failed() {
        let directory = Directory::new("stat-missing");
        fs::write(directory.0.join("file"), b"").unwrap();
        assert_eq!(look(&directory.0.join("nothing")), Look::Missing);
        assert_eq!(look(&directory.0.join("file/below")), Look::Missing);
        symlink("loop", directory.0.join("loop")).unwrap();
        assert!(matches!(look(&directory.0.join("loop")), Look::Failed(_)));
    }

    #[test]
    fn times_before_1970_count_as_1970() {
        assert_eq!(instant(-1, 999_999_999), Wall::default());
        assert_eq!(instant(2, 5).since_epoch(), Duration::new(2, 5));
    }
}
