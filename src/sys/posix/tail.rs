//! What was written to a file since it was read last: whole lines, across rotation and truncation.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::errno::retry;
use super::stat::look_open;
use crate::facts::content::{NewText, Position};
use crate::facts::file::Kind;
use crate::sys::count;
use crate::sys::fault::{self, Call};

/// Bytes that are read at a time.
const CHUNK: usize = 64 * 1024;

/// How much is read, and what of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of a line that are kept; the rest of it is passed over.
    pub line: usize,
    /// Bytes that are read in one go, at least [`CHUNK`]'s worth.
    pub read: u64,
}

/// Lines that were finished since `earlier`, and whether there may be more of them at once. On first sight (`None`) the
/// file's end is where reading begins. Another file (by device and inode), or a shorter one, is read from its start; so is
/// always a file that does not say its length (in /proc), and its position means nothing.
///
/// A line is finished by its newline; what comes after the last one is read again next time. Only when that alone is
/// longer than `bounds.read` it counts as a line, and the rest of it as another, so that a file without newlines
/// is not read for ever.
///
/// # Errors
/// It cannot be opened or read, or is no regular file ([`io::ErrorKind::InvalidInput`]).
pub fn new_text(path: &Path, earlier: Option<Position>, bounds: Bounds) -> io::Result<(NewText, bool)> {
    fault::check(Call::Open)?;
    count::bump();
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    let file = look_open(&opened)?;
    if file.kind != Kind::Regular {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {}", file.kind)));
    }
    let says_length = file.size_bytes > 0 || !path.starts_with("/proc");
    let start = match earlier {
        _ if !says_length => 0,
        None => file.size_bytes,
        Some(p) if p.is_in(file.device, file.inode) && p.offset <= file.size_bytes => p.offset,
        Some(_) => 0,
    };
    let mut lines = Lines { bounds, finished: Vec::new(), line: Vec::new() };
    let (mut at, mut line_start, mut ended) = (start, start, false);
    let mut chunk = vec![0; CHUNK];
    while at - start < bounds.read {
        fault::check(Call::Read)?;
        count::bump();
        let length = retry(|| opened.read_at(&mut chunk, at))?;
        let read = chunk.get(..length).unwrap_or_default();
        if let Some(newline) = lines.take(read) {
            line_start = at + newline as u64 + 1;
        }
        at += length as u64;
        if length == 0 {
            ended = true;
            break;
        }
    }
    if !ended && line_start == start {
        lines.finish();
        line_start = at;
    }
    let position = Position { device: file.device, inode: file.inode, offset: line_start };
    Ok((NewText { lines: lines.finished, position }, !ended))
}

struct Lines {
    bounds: Bounds,
    finished: Vec<Vec<u8>>,
    /// What is kept of the line that is not finished.
    line: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes; where the last newline among them is.
    fn take(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut last = None;
        let mut from = 0;
        for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            self.keep(bytes.get(from..at).unwrap_or_default());
            self.finish();
            (last, from) = (Some(at), at + 1);
        }
        self.keep(bytes.get(from..).unwrap_or_default());
        last
    }

    fn keep(&mut self, part: &[u8]) {
        let room = self.bounds.line.saturating_sub(self.line.len());
        self.line.extend(part.iter().take(room));
    }

    fn finish(&mut self) {
        self.finished.push(std::mem::take(&mut self.line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::io::Write;
    use std::path::PathBuf;

    const BOUNDS: Bounds = Bounds { line: 10, read: 1024 * 1024 };

    struct Log(PathBuf);

    impl Log {
        fn new(name: &str, content: &[u8]) -> Log {
            let path = std::env::temp_dir().join(format!("pollux-tail-{name}-{}", std::process::id()));
            fs::write(&path, content).unwrap();
            Log(path)
        }

        fn add(&self, text: &[u8]) {
            OpenOptions::new().append(true).open(&self.0).unwrap().write_all(text).unwrap();
        }

        fn read(&self, earlier: &mut Option<Position>) -> Vec<String> {
            let (text, _) = new_text(&self.0, *earlier, BOUNDS).unwrap();
            *earlier = Some(text.position);
            text.lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect()
        }
    }

    impl Drop for Log {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    #[test]
    fn only_what_is_added_is_read_and_only_whole_lines() {
        let log = Log::new("added", b"old\n");
        let mut position = None;
        assert!(log.read(&mut position).is_empty());
        log.add(b"one\ntwo\nthr");
        assert_eq!(log.read(&mut position), ["one", "two"]);
        assert!(log.read(&mut position).is_empty());
        log.add(b"ee\n\n\xff\xfe\n");
        assert_eq!(log.read(&mut position), ["three", "", "\u{fffd}\u{fffd}"]);
    }

    #[test]
    fn another_file_and_a_shorter_one_are_read_from_their_start() {
        let log = Log::new("rotated", b"old\n");
        let mut position = None;
        log.read(&mut position);
        let rotated = log.0.with_extension("1");
        fs::rename(&log.0, &rotated).unwrap();
        fs::write(&log.0, b"new\n").unwrap();
        assert_eq!(log.read(&mut position), ["new"]);
        File::create(&log.0).unwrap();
        assert!(log.read(&mut position).is_empty());
        log.add(b"again\n");
        assert_eq!(log.read(&mut position), ["again"]);
        fs::remove_file(rotated).unwrap();
    }

    #[test]
    fn long_lines_are_cut_wherever_a_read_ends() {
        let log = Log::new("long", b"");
        let mut position = None;
        log.read(&mut position);
        log.add(&[vec![b'x'; CHUNK - 3], b"\n12345678901234\nend\n".to_vec()].concat());
        assert_eq!(log.read(&mut position), ["xxxxxxxxxx", "1234567890", "end"]);
    }

    #[test]
    fn a_read_is_bounded_and_goes_on_where_it_stopped() {
        let log = Log::new("bounded", b"");
        let mut position = None;
        log.read(&mut position);
        log.add(&b"1234567\n".repeat(2 * CHUNK / 8));
        let bounds = Bounds { line: 10, read: 1 };
        let mut seen = 0;
        loop {
            let (text, more) = new_text(&log.0, position, bounds).unwrap();
            position = Some(text.position);
            seen += text.lines.len();
            assert!(text.lines.iter().all(|line| line == b"1234567"));
            if !more {
                break;
            }
        }
        assert_eq!(seen, 2 * CHUNK / 8);
    }

    #[test]
    fn a_file_without_newlines_is_not_read_again_and_again() {
        let log = Log::new("endless", b"");
        let mut position = None;
        log.read(&mut position);
        log.add(&vec![b'x'; CHUNK + 5]);
        let (text, more) = new_text(&log.0, position, Bounds { line: 3, read: 1 }).unwrap();
        assert_eq!((text.lines, more), (vec![b"xxx".to_vec()], true));
        assert_eq!(text.position.offset, CHUNK as u64);
        let (text, more) = new_text(&log.0, Some(text.position), Bounds { line: 3, read: 1024 }).unwrap();
        // The five bytes that are left wait for their newline.
        assert_eq!((text.lines.len(), more), (0, false));
        assert_eq!(text.position.offset, CHUNK as u64);
    }

    #[test]
    fn what_is_no_regular_file_is_refused_without_waiting() {
        let error = new_text(Path::new("/dev/null"), None, BOUNDS).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (io::ErrorKind::InvalidInput, "it is a character device")
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn files_of_proc_are_always_read_whole() {
        let mut position = None;
        for _ in 0..2 {
            let (text, _) = new_text(Path::new("/proc/version"), position, BOUNDS).unwrap();
            assert_eq!(text.lines, [b"Linux vers"]);
            position = Some(text.position);
        }
    }
}
