//! The files by which others find the daemon, made anew when somebody has taken them away: who cleans `/var/run` must not
//! leave a daemon behind that nobody can talk to.

use std::io;
use std::path::{Path, PathBuf};

use super::Daemon;
use crate::cli::paths;
use crate::sys::posix::file::{self, LockProblem, PidFile};

impl Daemon {
    /// Makes the pidfile, the run record and the socket files anew that are gone. What stands in the place of one of them is
    /// left alone: it may be another daemon's.
    pub(super) fn stay_findable(&mut self) {
        // One pass is not to be found.
        if !self.server.has_private() {
            return;
        }
        let mut made: Vec<(PathBuf, io::Result<()>)> = Vec::new();
        if is_gone(self.pidfile.path()) {
            made.push((self.pidfile.path().to_owned(), self.renew_pidfile()));
        }
        if is_gone(&self.record) {
            let directory = file::private_dir(&paths::rundir());
            made.push((self.record.clone(), directory.and_then(|()| self.write_record())));
        }
        made.extend(self.server.renew_files());
        let has_failed = made.iter().any(|(_, result)| result.is_err());
        for (path, result) in made {
            match result {
                Ok(()) => self.log.warning(&format!("the file {} was gone; it is made anew", path.display())),
                // The next cycle tries again, in silence.
                Err(error) if !self.is_lost => {
                    self.log.error(&format!("the file {} is gone and cannot be made anew: {error}", path.display()));
                }
                Err(_) => {}
            }
        }
        self.is_lost = has_failed;
    }

    fn renew_pidfile(&mut self) -> io::Result<()> {
        let mut pidfile = PidFile::lock(self.pidfile.path()).map_err(|problem| match problem {
            LockProblem::Held(pid) => io::Error::other(format!("process {pid} holds it")),
            LockProblem::Open(error) => error,
        })?;
        pidfile.write(std::process::id())?;
        self.pidfile = pidfile;
        Ok(())
    }

    /// Writes down where this daemon is, for `service pollux stop` and for people.
    ///
    /// # Errors
    /// Its directory is gone or cannot be written.
    pub(super) fn write_record(&self) -> io::Result<()> {
        let (pidfile, control_file) = (self.pidfile.path().display(), self.control_file.display());
        let record = format!("pid {}\npidfile {pidfile}\ncontrolfile {control_file}\n", std::process::id());
        file::replace(&self.record, record.as_bytes())
    }
}

fn is_gone(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}
