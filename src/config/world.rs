//! Everything a control file asks of the machine, so that loading is tested without one and can be done for another one.

use std::io;
use std::path::{Path, PathBuf};

use super::model::{Measure, ServiceType, Tls, Unit};

/// Most bytes of a file with keys or certificates.
pub const PEM_MAX: u64 = 1024 * 1024;

/// What [`World::stat`] tells of a file, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// A regular file.
    pub regular: bool,
    /// A directory.
    pub directory: bool,
    /// The owner's user id.
    pub owner: u32,
    /// Permission bits, `st_mode & 07777`.
    pub mode: u32,
}

/// Whether a program can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramState {
    /// Yes.
    Ok,
    /// There is no such file.
    Missing,
    /// It is there, but it is a directory or has no execute permission.
    NotExecutable,
    /// It is a script whose interpreter is missing.
    InterpreterMissing(PathBuf),
}

/// A process in a jail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jailed {
    /// Its number.
    pub pid: i32,
    /// The jail's.
    pub jail: i32,
    /// Its arguments, joined by blanks.
    pub command: Vec<u8>,
}

/// The machine as the control file sees it.
pub trait World {
    /// The bytes of a regular file of at most `limit` bytes.
    ///
    /// # Errors
    /// Those of open(2) and read(2); `InvalidInput` when it is no regular file, `FileTooLarge` when it is longer.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;

    /// The same of a file that is no control file: patterns, keys, passwords. Of a machine that is not at hand it is empty.
    ///
    /// # Errors
    /// Those of [`World::read`].
    fn read_data(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        self.read(path, limit)
    }

    /// Whether the system tells what is measured, in that unit, of services of that type. A machine that is not at hand may
    /// tell everything.
    fn tells(&self, kind: ServiceType, measure: Measure, unit: Unit) -> bool {
        let _ = (kind, measure, unit);
        true
    }

    /// Whether processes have labels of mandatory access control. On a machine that is not at hand they may.
    fn labels(&self) -> bool {
        true
    }

    /// Whether processes of other users are hidden from this program. A machine that is not at hand may hide nothing.
    fn hides_processes(&self) -> bool {
        false
    }

    /// Whether this program may send echo requests. On a machine that is not at hand it may.
    fn pings(&self) -> bool {
        true
    }

    /// Whether the machine runs FreeBSD: there are jails, and service(8) calls scripts of rc.subr(8). One that is not at hand
    /// may.
    fn is_freebsd(&self) -> bool {
        true
    }

    /// Processes that run in jails below this program. A machine that is not at hand may have none.
    fn jailed(&self) -> Vec<Jailed> {
        Vec::new()
    }

    /// Why there can be no encryption of the page with these options and their files. A machine that is not at hand may have
    /// no objection.
    fn page_problem(&self, tls: &Tls) -> Option<String> {
        let _ = tls;
        None
    }

    /// What stat(2) says.
    ///
    /// # Errors
    /// Those of stat(2).
    fn stat(&self, path: &Path) -> io::Result<FileFacts>;

    /// Paths that match a glob(3) pattern, in alphabetical order; directories end in a slash. Nothing matches: empty.
    ///
    /// # Errors
    /// When the pattern cannot be expanded.
    fn glob(&self, pattern: &[u8]) -> io::Result<Vec<PathBuf>>;

    /// The number of the user with that name.
    fn uid_of(&self, name: &str) -> Option<u32>;

    /// The name of the user with that number.
    fn user_name(&self, uid: u32) -> Option<String>;

    /// The number of the group with that name.
    fn gid_of(&self, name: &str) -> Option<u32>;

    /// The name of the group with that number.
    fn group_name(&self, gid: u32) -> Option<String>;

    /// The effective user id of this process.
    fn effective_uid(&self) -> u32;

    /// Whether the program can be run.
    fn program(&self, path: &Path) -> ProgramState;

    /// The host's name.
    fn host_name(&self) -> String;

    /// The working directory.
    fn current_dir(&self) -> PathBuf;

    /// This process's own arguments, joined by blanks, as a pattern would see them.
    fn command_line(&self) -> Vec<u8>;
}

#[cfg(test)]
pub(super) mod fake {
    //! A machine that is made of tables.

    use super::*;
    use std::collections::BTreeMap;

    /// The tables.
    pub struct Fake {
        pub files: BTreeMap<PathBuf, (FileFacts, Vec<u8>)>,
        pub users: Vec<(String, u32)>,
        pub groups: Vec<(String, u32)>,
        pub programs: BTreeMap<PathBuf, ProgramState>,
        pub euid: u32,
        pub silent: Vec<Measure>,
        pub labels: bool,
        pub hides_processes: bool,
        pub pings: bool,
        pub is_freebsd: bool,
        pub jailed: Vec<Jailed>,
    }

    impl Fake {
        /// A machine with `text` in `/etc/monitrc`, readable for the superuser alone.
        pub fn with(text: &str) -> Fake {
            let mut fake = Fake {
                files: BTreeMap::new(),
                users: vec![("root".to_owned(), 0), ("www".to_owned(), 80)],
                groups: vec![("wheel".to_owned(), 0), ("www".to_owned(), 80)],
                programs: BTreeMap::new(),
                euid: 0,
                silent: Vec::new(),
                labels: true,
                hides_processes: false,
                pings: true,
                is_freebsd: true,
                jailed: Vec::new(),
            };
            fake.add("/etc/monitrc", text.as_bytes());
            for program in ["/bin/true", "/usr/sbin/service"] {
                fake.programs.insert(program.into(), ProgramState::Ok);
            }
            fake
        }

        /// Adds a file.
        pub fn add(&mut self, path: &str, text: &[u8]) {
            let facts = FileFacts { regular: true, directory: false, owner: 0, mode: 0o600 };
            self.files.insert(path.into(), (facts, text.to_vec()));
        }
    }

    impl World for Fake {
        fn tells(&self, _: ServiceType, measure: Measure, _: Unit) -> bool {
            !self.silent.contains(&measure)
        }

        fn labels(&self) -> bool {
            self.labels
        }

        fn hides_processes(&self) -> bool {
            self.hides_processes
        }

        fn pings(&self) -> bool {
            self.pings
        }

        fn is_freebsd(&self) -> bool {
            self.is_freebsd
        }

        fn jailed(&self) -> Vec<Jailed> {
            self.jailed.clone()
        }

        fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
            let (facts, text) = self.files.get(path).ok_or(io::ErrorKind::NotFound)?;
            if !facts.regular {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            if text.len() as u64 > limit {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            Ok(text.clone())
        }

        fn stat(&self, path: &Path) -> io::Result<FileFacts> {
            self.files.get(path).map(|(facts, _)| *facts).ok_or(io::ErrorKind::NotFound.into())
        }

        fn glob(&self, pattern: &[u8]) -> io::Result<Vec<PathBuf>> {
            let pattern = std::str::from_utf8(pattern).unwrap();
            let (head, tail) = pattern.split_once('*').unwrap_or((pattern, ""));
            let matches = |path: &str| {
                if pattern.contains('*') { path.starts_with(head) && path.ends_with(tail) } else { path == pattern }
            };
            Ok(self.files.keys().filter(|path| matches(path.to_str().unwrap())).cloned().collect())
        }

        fn uid_of(&self, name: &str) -> Option<u32> {
            self.users.iter().find(|(known, _)| known == name).map(|(_, uid)| *uid)
        }

        fn user_name(&self, uid: u32) -> Option<String> {
            self.users.iter().find(|(_, known)| *known == uid).map(|(name, _)| name.clone())
        }

        fn gid_of(&self, name: &str) -> Option<u32> {
            self.groups.iter().find(|(known, _)| known == name).map(|(_, gid)| *gid)
        }

        fn group_name(&self, gid: u32) -> Option<String> {
            self.groups.iter().find(|(_, known)| *known == gid).map(|(name, _)| name.clone())
        }

        fn effective_uid(&self) -> u32 {
            self.euid
        }

        fn program(&self, path: &Path) -> ProgramState {
            self.programs.get(path).cloned().unwrap_or(ProgramState::Missing)
        }

        fn host_name(&self) -> String {
            "host1".to_owned()
        }

        fn current_dir(&self) -> PathBuf {
            "/cwd".into()
        }

        fn command_line(&self) -> Vec<u8> {
            b"pollux -I -c /etc/monitrc".to_vec()
        }
    }
}
