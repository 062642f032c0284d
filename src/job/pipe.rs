//! What a check program prints. Unlike the programs that start something, it is asked a question and is gone when it has
//! answered, so a pipe to us is right: what it prints is read at once, kept up to a limit, and thrown away beyond, so that
//! one that prints for ever fills neither a disk nor our memory.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use crate::sys::posix::{fd, signal};

/// So much is taken at a time, that one program delays nobody.
const TAKE_MAX: usize = 256 * 1024;

/// The end of the pipe that is ours.
#[derive(Debug)]
pub struct Pipe {
    /// `None` at its end: a descriptor there would wake the loop for ever.
    file: Option<File>,
    kept: Vec<u8>,
    limit: usize,
}

impl Pipe {
    /// A pipe of whose content `limit` bytes are kept, and its other end.
    ///
    /// # Errors
    /// No descriptor left.
    pub fn new(limit: usize) -> io::Result<(Pipe, OwnedFd)> {
        let (read, write) = signal::pipe()?;
        fd::set_nonblocking(read.as_raw_fd())?;
        Ok((Pipe { file: Some(read.into()), kept: Vec::new(), limit }, write))
    }

    /// The descriptor to poll for reading; `None` at its end.
    pub fn fd(&self) -> Option<RawFd> {
        self.file.as_ref().map(AsRawFd::as_raw_fd)
    }

    /// Reads what is there.
    pub fn read(&mut self) {
        let Some(file) = &mut self.file else { return };
        let mut chunk = [0; 16 * 1024];
        let mut taken = 0;
        while taken < TAKE_MAX {
            match file.read(&mut chunk) {
                Ok(count) if count > 0 => {
                    taken += count;
                    let room = self.limit.saturating_sub(self.kept.len());
                    self.kept.extend(chunk.iter().take(count.min(room)));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Ok(_) | Err(_) => {
                    self.file = None;
                    return;
                }
            }
        }
    }

    /// What was kept, without blanks at the ends.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.kept).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_is_printed_is_kept_up_to_the_limit_and_the_end_is_seen() {
        let (mut pipe, write) = Pipe::new(5).unwrap();
        let mut write = File::from(write);
        pipe.read();
        assert_eq!((pipe.text().as_str(), pipe.fd().is_some()), ("", true));
        write.write_all(b"ab\ncdefgh").unwrap();
        pipe.read();
        assert_eq!(pipe.text(), "ab\ncd");
        drop(write);
        pipe.read();
        assert_eq!(pipe.fd(), None);
    }
}
