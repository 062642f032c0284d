//! Reads from files that others write, without ever waiting for anybody but the disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::errno::retry;
use super::stat;
use crate::facts::file::{FileFacts, Kind};
use crate::sys::count;
use crate::sys::fault::{self, Call};

/// Opens a regular file for reading, symbolic links followed, and tells what it is: the same file that is read, whatever its
/// path names by now. Anything else is opened without waiting for a peer and refused unread.
///
/// # Errors
/// Those of open(2) and fstat(2); it is not a regular file.
pub fn open(path: &Path) -> io::Result<(File, FileFacts)> {
    fault::check(Call::Open)?;
    count::bump();
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let facts = stat::look_open(&file)?;
    match facts.kind {
        Kind::Regular => Ok((file, facts)),
        kind => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {kind}"))),
    }
}

/// At most `most` bytes of the file from `offset` on; fewer only where it ends.
///
/// # Errors
/// Those of pread(2).
pub fn read_at(file: &File, offset: u64, most: usize) -> io::Result<Vec<u8>> {
    /// What is asked for at a time: most files have little news.
    const STEP: usize = 64 * 1024;
    let mut content = Vec::new();
    while content.len() < most {
        let begun = content.len();
        content.resize(begun + STEP.min(most - begun), 0);
        fault::check(Call::Read)?;
        count::bump();
        let at = offset.saturating_add(begun as u64);
        let length = match retry(|| file.read_at(content.get_mut(begun..).unwrap_or_default(), at)) {
            // Files of /proc that wait for news say so instead.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            result => result?,
        };
        content.truncate(begun + length);
        if length == 0 {
            break;
        }
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_file_is_read_and_what_is_no_file_is_refused() {
        let dir = std::env::temp_dir().join(format!("pollux-content-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("file");
        let bytes: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        let (file, facts) = open(&path).unwrap();
        assert_eq!(facts.size_bytes, 200_000);
        assert_eq!(read_at(&file, 10, 100_000).unwrap(), bytes[10..100_010]);
        assert_eq!(read_at(&file, 150_000, 100_000).unwrap(), bytes[150_000..]);
        assert!(read_at(&file, 300_000, 100_000).unwrap().is_empty());
        let made = std::process::Command::new("mkfifo").arg(dir.join("fifo")).status().unwrap();
        assert!(made.success());
        assert_eq!(open(&dir.join("fifo")).unwrap_err().to_string(), "it is a FIFO");
        assert!(open(&dir).unwrap_err().to_string().contains("it is a directory"));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
