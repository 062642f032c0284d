//! Reads the first bytes of a small regular file that somebody else writes, without ever blocking.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use super::count;
use super::fault::{self, Call};
use super::posix::errno::retry;
use crate::facts::pidfile::FileKind;

/// Why [`read_head`] has nothing to show.
#[derive(Debug)]
pub enum HeadError {
    /// No such file (ENOENT, ENOTDIR).
    Missing,
    /// Not a regular file; nothing was read from it.
    NotRegular(FileKind),
    /// The path itself is at fault, and trying again will not help: ELOOP, ENAMETOOLONG.
    Refused(io::Error),
    /// The system failed: out of descriptors or memory, an I/O error, or it does not let us look (EACCES, EPERM). Says
    /// nothing about the file.
    Failed(io::Error),
}

impl From<io::Error> for HeadError {
    fn from(error: io::Error) -> HeadError {
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => HeadError::Missing,
            Some(libc::ELOOP | libc::ENAMETOOLONG) => HeadError::Refused(error),
            // open(2) of a socket: Linux says ENXIO, FreeBSD EOPNOTSUPP.
            Some(libc::ENXIO | libc::EOPNOTSUPP) => HeadError::NotRegular(FileKind::Socket),
            _ => HeadError::Failed(error),
        }
    }
}

/// The first `limit` bytes of the regular file at `path`. A FIFO, a terminal or a device there is opened without waiting
/// for a peer and without becoming our terminal, and refused unread. Four system calls.
///
/// # Errors
/// [`HeadError`].
pub fn read_head(path: &Path, limit: usize) -> Result<Vec<u8>, HeadError> {
    fault::check(Call::Open)?;
    count::bump();
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let head = read_regular(&file, limit);
    count::bump(); // the close
    head
}

fn read_regular(mut file: &File, limit: usize) -> Result<Vec<u8>, HeadError> {
    count::bump();
    let kind = file.metadata().map_err(HeadError::Failed)?.file_type();
    if !kind.is_file() {
        return Err(HeadError::NotRegular(if kind.is_dir() {
            FileKind::Directory
        } else if kind.is_fifo() {
            FileKind::Fifo
        } else if kind.is_socket() {
            FileKind::Socket
        } else if kind.is_char_device() {
            FileKind::CharacterDevice
        } else if kind.is_block_device() {
            FileKind::BlockDevice
        } else {
            FileKind::Other
        }));
    }
    fault::check(Call::Read).map_err(HeadError::Failed)?;
    let mut head = vec![0; limit];
    count::bump();
    let length = retry(|| file.read(&mut head)).map_err(HeadError::Failed)?;
    head.truncate(length);
    Ok(head)
}

/// The lines within the last `limit` bytes of the regular file at `path`, and whether there is more before them. Never
/// waits for a peer.
///
/// # Errors
/// Those of open(2), fstat(2), lseek(2) and read(2); something that is no regular file.
pub fn read_tail(path: &Path, limit: u64) -> io::Result<(Vec<u8>, bool)> {
    count::bump();
    let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    count::bump();
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let start = found.len().saturating_sub(limit);
    count::bump();
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    count::bump();
    file.take(limit).read_to_end(&mut bytes)?;
    // Where it was cut there is the end of a line.
    let skipped = if start == 0 { 0 } else { bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1) };
    Ok((bytes.split_off(skipped), start > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_file_begins_with_a_whole_line() {
        let path = std::env::temp_dir().join(format!("pollux-tail-{}", std::process::id()));
        std::fs::write(&path, "first\nsecond\nthird\n").unwrap();
        let tail =
            |limit| read_tail(&path, limit).map(|(bytes, cut)| (String::from_utf8(bytes).unwrap(), cut)).unwrap();
        assert_eq!(tail(100), ("first\nsecond\nthird\n".to_owned(), false));
        assert_eq!(tail(10), ("third\n".to_owned(), true));
        assert_eq!(tail(4), (String::new(), true));
        std::fs::remove_file(&path).unwrap();
        assert!(read_tail(&path, 1).is_err() && read_tail(Path::new("/"), 1).is_err());
    }
}
