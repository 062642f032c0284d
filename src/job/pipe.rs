//! What a check program prints. Unlike the programs that start something, it is asked a question and is gone when it has
//! answered, so a pipe to us is right: what it prints is read at once, kept up to a limit, and thrown away beyond, so that
//! one that prints for ever fills neither a disk nor our memory. It is not refused either, which would end the program
//! (SIGPIPE) or block it, but taken in bursts with rests between them: there is nothing to learn from it any more.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use crate::base::time::Mono;
use crate::sys::posix::{fd, signal};

/// So much is taken at a time, that one program delays nobody.
const TAKE_MAX: usize = 256 * 1024;

/// How long one whose output is thrown away is left alone at most. All of them at the same times, so that many of them wake
/// the loop no more often than one.
const REST: Duration = Duration::from_millis(50);

/// The end of the pipe that is ours.
#[derive(Debug)]
pub struct Pipe {
    /// `None` at its end: a descriptor there would wake the loop for ever.
    file: Option<File>,
    kept: Vec<u8>,
    limit: usize,
    /// Not before then is it read again.
    rests_until: Option<Mono>,
}

impl Pipe {
    /// A pipe of whose content `limit` bytes are kept, and its other end.
    ///
    /// # Errors
    /// No descriptor left.
    pub fn new(limit: usize) -> io::Result<(Pipe, OwnedFd)> {
        let (read, write) = signal::pipe()?;
        fd::set_nonblocking(read.as_raw_fd())?;
        Ok((Pipe { file: Some(read.into()), kept: Vec::new(), limit, rests_until: None }, write))
    }

    /// The descriptor to poll for reading; `None` at its end and while it rests.
    pub fn fd(&self, now: Mono) -> Option<RawFd> {
        self.file.as_ref().filter(|_| self.rest(now).is_none()).map(AsRawFd::as_raw_fd)
    }

    /// Until when it rests.
    pub fn rest(&self, now: Mono) -> Option<Mono> {
        self.rests_until.filter(|until| now < *until && self.file.is_some())
    }

    /// Reads what is there, unless it rests.
    pub fn read(&mut self, now: Mono) {
        if self.rest(now).is_none() {
            self.take();
            if self.kept.len() >= self.limit {
                let period = now.since_origin().as_nanos() / REST.as_nanos() + 1;
                let until = REST.saturating_mul(u32::try_from(period).unwrap_or(u32::MAX));
                self.rests_until = Some(Mono::from_origin(until));
            }
        }
    }

    /// Reads what is there.
    pub fn take(&mut self) {
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

    fn at(millis: u64) -> Mono {
        Mono::from_origin(Duration::from_millis(millis))
    }

    #[test]
    fn what_is_printed_is_kept_up_to_the_limit_and_the_end_is_seen() {
        let (mut pipe, write) = Pipe::new(5).unwrap();
        let mut write = File::from(write);
        pipe.read(at(0));
        assert_eq!((pipe.text().as_str(), pipe.fd(at(0)).is_some()), ("", true));
        write.write_all(b"ab\ncdefgh").unwrap();
        pipe.read(at(0));
        assert_eq!(pipe.text(), "ab\ncd");
        drop(write);
        pipe.take();
        assert_eq!((pipe.fd(at(99)), pipe.rest(at(0))), (None, None));
    }

    #[test]
    fn one_that_goes_on_beyond_the_limit_is_read_with_rests_that_end_together() {
        let (mut pipe, write) = Pipe::new(5).unwrap();
        let mut write = File::from(write);
        write.write_all(b"abc").unwrap();
        pipe.read(at(1010));
        assert_eq!(pipe.rest(at(1010)), None);
        write.write_all(b"defg").unwrap();
        pipe.read(at(1012));
        assert_eq!((pipe.fd(at(1049)), pipe.rest(at(1049))), (None, Some(at(1050))));
        drop(write);
        pipe.read(at(1049));
        assert!(pipe.fd(at(1050)).is_some(), "its end is not seen before");
        pipe.read(at(1050));
        assert_eq!((pipe.fd(at(2000)), pipe.text().as_str()), (None, "abcde"));
    }
}
