//! What start, stop and exec programs print: one private file per service, never a pipe. The daemon a start program leaves
//! behind keeps writing there for years, so a pipe would kill it (or fill up and stop it) when we go away. The directory has
//! to be on a local filesystem.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::base::escape;
use crate::sys::posix::file;

/// A file that grew past this many bytes is emptied in the next cycle.
pub const OUTPUT_LIMIT: u64 = 64 * 1024;

/// A file that grows past this many bytes while its program runs is emptied at once: one that prints without end would
/// fill the disk long before the next cycle.
const FLOOD: u64 = 16 * OUTPUT_LIMIT;

/// The directory of output files.
#[derive(Clone, Debug)]
pub struct OutputDir {
    path: PathBuf,
}

/// One service's file, open for a program that is about to be started.
#[derive(Debug)]
pub struct Output {
    file: File,
    mark: Mark,
}

/// Where in its file a program's output begins. Keeps no descriptor: a thousand programs may run.
#[derive(Clone, Debug)]
pub struct Mark {
    path: PathBuf,
    from: u64,
}

impl OutputDir {
    /// The directory that belongs to a state file.
    pub fn beside(statefile: &Path) -> OutputDir {
        OutputDir { path: file::sibling(statefile, ".output") }
    }

    /// Where the output of a service's programs is found.
    pub fn path_of(&self, service: &str) -> PathBuf {
        self.path.join(escape::file_name(service))
    }

    /// Opens the file of a service, emptied when it has grown too large.
    ///
    /// # Errors
    /// The directory cannot be made or written; the program then runs with its output thrown away.
    pub fn open(&self, service: &str) -> io::Result<Output> {
        file::private_dir(&self.path)?;
        let path = self.path_of(service);
        let file = file::open_append(&path, 0o600, false)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        if file.metadata()?.len() > OUTPUT_LIMIT {
            file.set_len(0)?;
        }
        let from = file.metadata()?.len();
        Ok(Output { file, mark: Mark { path, from } })
    }

    /// Empties every file that has grown past [`OUTPUT_LIMIT`]. The writers append, so they go on at the new end.
    pub fn trim(&self) {
        let Ok(entries) = std::fs::read_dir(&self.path) else { return };
        for entry in entries.flatten() {
            let too_large = entry.metadata().is_ok_and(|about| about.is_file() && about.len() > OUTPUT_LIMIT);
            if too_large && let Ok(file) = file::open_append(&entry.path(), 0o600, false) {
                let _ = file.set_len(0);
            }
        }
    }
}

impl Output {
    /// The descriptor for the program.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Closes the file and keeps what is needed to read it later.
    pub fn into_mark(self) -> Mark {
        self.mark
    }
}

impl Mark {
    /// Empties a file that is flooded, and tells whether it was.
    pub fn drain(&self) -> bool {
        let is_flooded =
            std::fs::symlink_metadata(&self.path).is_ok_and(|about| about.is_file() && about.len() > FLOOD);
        is_flooded && file::open_append(&self.path, 0o600, false).and_then(|file| file.set_len(0)).is_ok()
    }

    /// What was printed since the program was started, at most [`OUTPUT_LIMIT`] bytes; control characters stay, invalid
    /// UTF-8 is replaced.
    pub fn text(&self) -> String {
        let Ok(file) = File::open(&self.path) else { return String::new() };
        let length = file.metadata().map(|about| about.len()).unwrap_or(0);
        // It may have been emptied since.
        let from = if length < self.from { 0 } else { self.from };
        let mut bytes = vec![0; usize::try_from((length - from).min(OUTPUT_LIMIT)).unwrap_or(0)];
        let count = file.read_at(&mut bytes, from).unwrap_or(0);
        bytes.truncate(count);
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }
}

/// Whether rc.subr(8) refused to act, which it reports with exit status 0: the line, when `output` has one, such as
/// `Cannot 'start' puma. Set puma_enable to YES in /etc/rc.conf or use 'onestart' instead of 'start'.`
pub fn refusal(output: &str) -> Option<&str> {
    output
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("Cannot '") && line.contains("_enable to YES") && line.contains(". Set "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::MetadataExt;

    fn directory(name: &str) -> OutputDir {
        let path = std::env::temp_dir().join(format!("pollux-output-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        OutputDir { path }
    }

    #[test]
    fn only_what_this_program_printed_is_told() {
        let dir = directory("since");
        let mut first = dir.open("a b").unwrap();
        first.file.write_all(b"old\n").unwrap();
        let mut second = dir.open("a b").unwrap();
        second.file.write_all(b"new\n").unwrap();
        assert_eq!(second.into_mark().text(), "new");
        assert_eq!(std::fs::metadata(dir.path_of("a b")).unwrap().mode() & 0o777, 0o600);
        std::fs::remove_dir_all(&dir.path).unwrap();
    }

    #[test]
    fn a_file_that_grew_too_large_is_emptied_and_its_writer_goes_on() {
        let dir = directory("trim");
        let mut output = dir.open("x").unwrap();
        output.file.write_all(&vec![b'.'; OUTPUT_LIMIT as usize + 1]).unwrap();
        dir.trim();
        output.file.write_all(b"after").unwrap();
        assert_eq!(output.into_mark().text(), "after");
        std::fs::remove_dir_all(&dir.path).unwrap();
    }

    #[test]
    fn a_flooded_file_is_emptied_while_its_program_runs() {
        let dir = directory("flood");
        let mut output = dir.open("x").unwrap();
        output.file.write_all(&vec![b'.'; FLOOD as usize]).unwrap();
        assert!(!output.mark.drain());
        output.file.write_all(b".").unwrap();
        assert!(output.mark.drain());
        output.file.write_all(b"after").unwrap();
        assert_eq!(output.into_mark().text(), "after");
        std::fs::remove_dir_all(&dir.path).unwrap();
    }

    #[test]
    fn a_refusal_of_rc_subr_is_recognised() {
        let text = "Warning: x\nCannot 'start' puma. Set puma_enable to YES in /etc/rc.conf or use 'onestart' instead of 'start'.\n";
        assert!(refusal(text).is_some_and(|line| line.starts_with("Cannot 'start' puma.")));
        let other = "Cannot 'stop' a_b. Set a_b_enable to YES in /etc/rc.conf, or use 'onestop' instead of 'stop'.";
        assert_eq!(refusal(other), Some(other));
        assert_eq!(refusal("Cannot 'start' the engine. Call the garage."), None);
        assert_eq!(refusal("Starting puma."), None);
    }
}
