//! Files the daemon keeps: written whole or not at all, locked, private.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::errno::cerr;
use crate::base::process::Pid;
use crate::sys::fault::{self, Call};

/// Replaces `path` by a file of mode 0600 with this content: at any instant, even when we are killed, there is either the
/// old file or the new one.
///
/// # Errors
/// The directory cannot be written or the disk is full; the old file stands then and no temporary file is left.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = sibling(path, ".new");
    let written = (|| {
        fault::check(Call::Open)?;
        let _ = std::fs::remove_file(&temporary);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
            .open(&temporary)?;
        fault::check(Call::Write)?;
        file.write_all(content)?;
        fault::check(Call::Rename)?;
        std::fs::rename(&temporary, path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

/// Gives a file another name as well, in place of what had that name.
///
/// # Errors
/// There is no such file, or its filesystem has no links.
pub fn link_anew(path: &Path, other: &Path) -> io::Result<()> {
    let temporary = sibling(other, ".new");
    let _ = std::fs::remove_file(&temporary);
    std::fs::hard_link(path, &temporary)?;
    let renamed = std::fs::rename(&temporary, other);
    // rename(2) does nothing when both names are of one file already.
    let _ = std::fs::remove_file(&temporary);
    renamed
}

/// Whether a process has the file open; `None` where the system has no `/proc/PID/fd`, or does not show it.
pub fn is_open_in(path: &Path, pid: Pid) -> Option<bool> {
    let this = std::fs::metadata(path).ok()?;
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let is_this = |about: std::fs::Metadata| (about.dev(), about.ino()) == (this.dev(), this.ino());
    Some(open.flatten().any(|entry| std::fs::metadata(entry.path()).is_ok_and(is_this)))
}

/// `path` with `ending` appended to its last component.
pub fn sibling(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Reads a regular file of at most `limit` bytes without ever waiting for it.
///
/// # Errors
/// No such file, not a regular file, too large.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    use std::io::Read;
    fault::check(Call::Open)?;
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    if about.len() > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {limit} bytes")));
    }
    let mut content = Vec::new();
    file.take(limit).read_to_end(&mut content)?;
    Ok(content)
}

/// Makes a directory of mode 0700 with its parents (0755); a directory that exists must belong to us or root, and is left
/// as it is.
///
/// # Errors
/// It cannot be made, is something else, or belongs to a stranger.
pub fn private_dir(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent()
        && !parent.exists()
    {
        DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        result => return result,
    }
    let about = std::fs::metadata(path)?;
    if !about.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "not a directory"));
    }
    if about.uid() != super::account::effective_uid() && about.uid() != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the directory belongs to another user"));
    }
    Ok(())
}

/// Opens a file for appending, 0600 when it is made, never following a symbolic link in the last component and never
/// waiting.
///
/// # Errors
/// Those of open(2); something that is not a regular file.
pub fn open_append(path: &Path, mode: u32, follow: bool) -> io::Result<File> {
    let link = if follow { 0 } else { libc::O_NOFOLLOW };
    fault::check(Call::Open)?;
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(mode)
        .custom_flags(link | libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)?;
    Ok(file)
}

/// An exclusive lock (flock(2)) on a file beside another that is replaced by rename and so cannot carry one. It ends with
/// this value or the process; the file stays.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock; `None` when another process has it.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn take(path: &Path) -> io::Result<Option<Lock>> {
        fault::check(Call::Lock)?;
        let file = open_append(path, 0o600, false)?;
        Ok(try_lock(&file)?.then_some(Lock { _file: file }))
    }
}

/// Why a lock could not be had.
#[derive(Debug)]
pub enum LockProblem {
    /// Another process holds it; what it wrote into the file.
    Held(String),
    /// The file cannot be opened.
    Open(io::Error),
}

/// A pidfile under an exclusive lock (flock(2)), as FreeBSD's pidfile(3) keeps it: the lock, not the number, tells whether
/// the daemon lives. The lock ends with the process.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Opens and locks the file without changing its content.
    ///
    /// # Errors
    /// See [`LockProblem`].
    pub fn lock(path: &Path) -> Result<PidFile, LockProblem> {
        for _ in 0..10 {
            fault::check(Call::Open).map_err(LockProblem::Open)?;
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o644)
                .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOFOLLOW)
                .open(path)
                .map_err(LockProblem::Open)?;
            if !file.metadata().map_err(LockProblem::Open)?.is_file() {
                return Err(LockProblem::Open(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
            }
            if !try_lock(&file).map_err(LockProblem::Open)? {
                let text = read(path, 64).map(|b| String::from_utf8_lossy(&b).trim().to_owned()).unwrap_or_default();
                return Err(LockProblem::Held(text));
            }
            let pidfile = PidFile { path: path.to_owned(), file };
            // Between open and lock the former holder may have removed the file: then we hold a lock nobody can see.
            if pidfile.stands() {
                return Ok(pidfile);
            }
        }
        Err(LockProblem::Open(io::Error::other("the file keeps being replaced")))
    }

    /// What the file says: the number of the process that wrote it last.
    pub fn content(&self) -> String {
        read(&self.path, 64).map(|b| String::from_utf8_lossy(&b).trim().to_owned()).unwrap_or_default()
    }

    /// Writes our number.
    ///
    /// # Errors
    /// A full disk.
    pub fn write(&mut self, pid: u32) -> io::Result<()> {
        use std::io::Seek;
        fault::check(Call::Write)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(format!("{pid}\n").as_bytes())
    }

    /// Whether the path still names the file we locked.
    pub fn stands(&self) -> bool {
        match (std::fs::symlink_metadata(&self.path), self.file.metadata()) {
            (Ok(there), Ok(ours)) => there.dev() == ours.dev() && there.ino() == ours.ino(),
            _ => false,
        }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file, if it is still ours, and gives the lock up.
    pub fn remove(&self) {
        if self.stands() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A start that was refused leaves no file behind. One that holds a number is another daemon's, or its heir takes it over.
impl Drop for PidFile {
    fn drop(&mut self) {
        if self.stands() && self.file.metadata().is_ok_and(|about| about.len() == 0) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn try_lock(file: &File) -> io::Result<bool> {
    // SAFETY: an open descriptor and a constant.
    match cerr(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("pollux-file-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        private_dir(&path).unwrap();
        path
    }

    #[test]
    fn a_file_is_replaced_whole_and_private() {
        let dir = directory("replace");
        let path = dir.join("state");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read(&path, 100).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_refused_replacement_leaves_the_old_file() {
        let dir = directory("refused");
        std::fs::create_dir(dir.join("state")).unwrap();
        std::fs::write(dir.join("state/inner"), "x").unwrap();
        assert!(replace(&dir.join("state"), b"new").is_err());
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1);
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_lock_keeps_the_second_out_and_tells_who_holds_it() {
        let dir = directory("lock");
        let path = dir.join("pid");
        let mut first = PidFile::lock(&path).unwrap();
        first.write(4711).unwrap();
        match PidFile::lock(&path) {
            Err(LockProblem::Held(text)) => assert_eq!(text, "4711"),
            other => panic!("{other:?}"),
        }
        drop(first);
        assert!(path.exists(), "a number that was written is left to whoever comes next");
        let mut second = PidFile::lock(&path).unwrap();
        second.write(4712).unwrap();
        second.remove();
        assert!(!path.exists());
        drop(PidFile::lock(&path).unwrap());
        assert!(!path.exists(), "nothing was written: nothing is left");
        std::fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn what_is_not_a_regular_file_is_not_waited_for() {
        let dir = directory("special");
        assert!(read(&dir, 10).is_err());
        assert!(read(Path::new("/dev/zero"), 10).is_err());
        std::fs::write(dir.join("big"), vec![b'x'; 11]).unwrap();
        assert!(read(&dir.join("big"), 10).is_err());
        std::fs::remove_dir_all(dir).unwrap();
    }
}
