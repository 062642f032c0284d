//! The log: standard output and error until the daemon has detached, then a file or syslogd. Nothing here ever waits: a
//! terminal that was stopped, a pipe or a syslog socket that is full or a disk without room drops the line, and the next line
//! that gets through tells how many were lost. A log file has to be on a local filesystem.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use crate::base::escape;
use crate::base::logging::{Facility, Level, LogTarget};

use crate::sys::platform;
use crate::sys::posix::{clock, fd, file};

/// Where lines go besides the terminal.
#[derive(Debug)]
enum Sink {
    None,
    File { path: PathBuf, file: Option<File> },
    Syslog { facility: Facility, socket: Option<UnixDatagram> },
}

/// The log.
#[derive(Debug)]
pub struct Log {
    sink: Sink,
    terminal: bool,
    verbose: bool,
    ident: String,
    lost: u64,
    /// Lines that the terminal did not take.
    unsaid: u64,
    /// The file that could not be opened the last time; lines go to the one before.
    refused: Option<PathBuf>,
}

impl Log {
    /// A log that only speaks to the terminal. `ident` is the program's name, as syslog readers know it.
    pub fn new(ident: &str, verbose: bool) -> Log {
        Log { sink: Sink::None, terminal: true, verbose, ident: ident.to_owned(), lost: 0, unsaid: 0, refused: None }
    }

    /// Opens the target the configuration names; the old one is given up only when the new one is open.
    ///
    /// # Errors
    /// A log file that cannot be opened, with its path in the text. A syslog socket that is missing is none: syslogd may
    /// start after us.
    pub fn open(&mut self, target: Option<&LogTarget>) -> Result<(), String> {
        self.sink = match target {
            None => Sink::None,
            Some(LogTarget::File(path)) => {
                let file = open_file(path).map_err(|error| {
                    self.refused = Some(path.clone());
                    format!(
                        "cannot open the log file {}: {error}; make its directory or change 'set log'",
                        path.display()
                    )
                })?;
                Sink::File { path: path.clone(), file: Some(file) }
            }
            Some(LogTarget::Syslog(facility)) => Sink::Syslog { facility: *facility, socket: connect() },
        };
        self.refused = None;
        Ok(())
    }

    /// Opens the same target again: the file may have been rotated away, syslogd restarted.
    pub fn reopen(&mut self) {
        match &mut self.sink {
            Sink::None => {}
            Sink::File { path, file } => {
                let new = open_file(path);
                self.refused = new.is_err().then(|| path.clone());
                if let Ok(new) = new {
                    *file = Some(new);
                }
            }
            Sink::Syslog { socket, .. } => *socket = connect(),
        }
    }

    /// Why lines of the log are missing where they are looked for, or `None`.
    pub fn trouble(&self) -> Option<String> {
        match (&self.refused, &self.sink) {
            (Some(path), _) => Some(format!("the log file {} cannot be opened", path.display())),
            (None, Sink::File { path, .. }) if self.lost > 0 => {
                Some(format!("the log file {} cannot be written", path.display()))
            }
            _ => None,
        }
    }

    /// The log file, for those who want to show it.
    pub fn path(&self) -> Option<&Path> {
        match &self.sink {
            Sink::File { path, .. } => Some(path),
            _ => None,
        }
    }

    /// Stops speaking to the terminal: the daemon has left it.
    pub fn leave_terminal(&mut self) {
        self.terminal = false;
    }

    /// An error.
    pub fn error(&mut self, text: &str) {
        self.write(Level::Error, text);
    }

    /// A warning.
    pub fn warning(&mut self, text: &str) {
        self.write(Level::Warning, text);
    }

    /// What was done.
    pub fn info(&mut self, text: &str) {
        self.write(Level::Info, text);
    }

    /// One line. Control characters are escaped, so that one event is one line whatever a program printed.
    pub fn write(&mut self, level: Level, text: &str) {
        if level == Level::Debug && !self.verbose {
            return;
        }
        let text = escape::log_line(text.trim_end());
        if self.terminal {
            self.speak(level, &text);
        }
        if self.lost > 0 && self.send(Level::Warning, &format!("{} log lines were lost before this one", self.lost)) {
            self.lost = 0;
        }
        if !self.send(level, &text) {
            self.lost = self.lost.saturating_add(1);
        }
    }

    /// A line for the terminal, or for the pipe or file in its place.
    fn speak(&mut self, level: Level, text: &str) {
        let place = if matches!(level, Level::Info | Level::Debug) { 1 } else { 2 };
        let lost = match self.unsaid {
            0 => String::new(),
            lost => format!("{lost} log lines were lost before this one\n"),
        };
        if fd::write_without_waiting(place, format!("{lost}{text}\n").as_bytes()) {
            self.unsaid = 0;
        } else {
            self.unsaid = self.unsaid.saturating_add(1);
        }
    }

    /// False when the line was lost.
    fn send(&mut self, level: Level, text: &str) -> bool {
        match &mut self.sink {
            Sink::None => true,
            Sink::File { file, path } => {
                if file.is_none() {
                    *file = open_file(path).ok();
                }
                let stamp = clock::local(clock::wall()).iso8601();
                let line = format!("[{stamp}] {:<8} : {text}\n", level.word());
                // One write: a line is there whole or (disk full) cut once, never mixed with another.
                file.as_mut().is_some_and(|file| file.write_all(line.as_bytes()).is_ok())
            }
            Sink::Syslog { facility, socket } => {
                let stamp = clock::local(clock::wall()).syslog_date();
                let priority = facility.code() * 8 + level as u8;
                let mut line = format!("<{priority}>{stamp} {}[{}]: {text}", self.ident, std::process::id());
                let mut end = line.len().min(SYSLOG_MAX);
                while !line.is_char_boundary(end) {
                    end -= 1;
                }
                line.truncate(end);
                for _ in 0..2 {
                    if socket.is_none() {
                        *socket = connect();
                    }
                    match socket.as_ref().map(|socket| socket.send(line.as_bytes())) {
                        Some(Ok(_)) => return true,
                        // Full: syslogd lives but is slow.
                        Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => return false,
                        // syslogd was restarted: its new socket is tried once.
                        Some(Err(_)) => *socket = None,
                        None => return false,
                    }
                }
                false
            }
        }
    }
}

/// Longest message, in bytes: syslogd(8) of FreeBSD cuts at 8192.
const SYSLOG_MAX: usize = 8000;

fn open_file(path: &Path) -> io::Result<File> {
    file::open_append(path, 0o640, true)
}

fn connect() -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    platform::machine::SYSLOG_SOCKETS.iter().find(|path| socket.connect(path).is_ok())?;
    Some(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_line_has_stamp_level_and_one_line_of_text() {
        let path = std::env::temp_dir().join(format!("pollux-log-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let mut log = Log::new("pollux", false);
        log.leave_terminal();
        log.open(Some(&LogTarget::File(path.clone()))).unwrap();
        log.error("'x' said: a\nb\n");
        log.write(Level::Debug, "not asked for");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let (stamp, rest) = text.split_once("] ").unwrap();
        assert_eq!(rest, "error    : 'x' said: a\\nb\n");
        assert_eq!(stamp.len(), "[2026-11-22T19:38:03+0000".len());
    }

    #[test]
    fn a_file_that_takes_no_lines_is_a_trouble_until_it_does() {
        let path = std::env::temp_dir().join(format!("pollux-log-trouble-{}", std::process::id()));
        let mut log = Log::new("pollux", false);
        log.leave_terminal();
        log.open(Some(&LogTarget::File(path.clone()))).unwrap();
        assert_eq!(log.trouble(), None);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        log.reopen();
        assert_eq!(log.trouble(), Some(format!("the log file {} cannot be opened", path.display())));
        std::fs::remove_dir(&path).unwrap();
        log.reopen();
        assert_eq!(log.trouble(), None);
        assert!(log.open(Some(&LogTarget::File(path.join("nothing")))).is_err());
        assert_eq!(log.trouble(), Some(format!("the log file {}/nothing cannot be opened", path.display())));
        log.open(Some(&LogTarget::File(path.clone()))).unwrap();
        assert_eq!(log.trouble(), None);
        std::fs::remove_file(&path).unwrap();
        if Path::new("/dev/full").exists() {
            log.open(Some(&LogTarget::File("/dev/full".into()))).unwrap();
            log.info("too much");
            assert_eq!(log.trouble().unwrap(), "the log file /dev/full cannot be written");
        }
    }

    #[test]
    fn a_rotated_file_is_left_at_reopen() {
        let path = std::env::temp_dir().join(format!("pollux-log-rotate-{}", std::process::id()));
        let mut log = Log::new("pollux", false);
        log.leave_terminal();
        log.open(Some(&LogTarget::File(path.clone()))).unwrap();
        log.info("before");
        std::fs::remove_file(&path).unwrap();
        log.info("into the old file");
        log.reopen();
        log.info("after");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(text.ends_with("info     : after\n") && !text.contains("old file"));
    }

    #[test]
    fn a_missing_directory_is_told_with_the_path() {
        let mut log = Log::new("pollux", false);
        let target = LogTarget::File("/nonexistent/dir/log".into());
        assert!(log.open(Some(&target)).unwrap_err().contains("/nonexistent/dir/log"));
    }
}
