//! The machine on which the verdicts were found: a bare Debian, and what a row says it needed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use pollux::config::world::{FileFacts, ProgramState, World};

/// Accounts and groups of a bare Debian.
const NAMES: [&str; 22] = [
    "root", "daemon", "bin", "sys", "adm", "mail", "news", "proxy", "www-data", "backup", "list", "nobody", "nogroup",
    "staff", "users", "games", "man", "lp", "uucp", "wheel", "tty", "utmp",
];

/// Folders in which it has programs.
const FOLDERS: [&str; 4] = ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/"];

/// The tables.
pub struct CorpusWorld {
    files: BTreeMap<PathBuf, Vec<u8>>,
    needs: Vec<(String, String)>,
}

impl CorpusWorld {
    /// A machine that has what `needs` lists: kind and name.
    pub fn new(needs: &[(String, String)]) -> CorpusWorld {
        let mut world = CorpusWorld { files: BTreeMap::new(), needs: needs.to_vec() };
        for (kind, name) in needs {
            if ["prog", "exec", "file", "incl", "pem", "htp"].contains(&kind.as_str()) {
                world.add(Path::new(name), Vec::new());
            }
        }
        world
    }

    /// Adds a file.
    pub fn add(&mut self, path: &Path, text: Vec<u8>) {
        self.files.insert(path.to_owned(), text);
    }

    fn needs(&self, kinds: &[&str], name: &str) -> bool {
        self.needs.iter().any(|(kind, known)| kinds.contains(&kind.as_str()) && known == name)
    }

    /// A number for a name that exists.
    fn number(&self, kinds: &[&str], name: &str) -> Option<u32> {
        let place = NAMES.iter().position(|known| *known == name);
        let needed = || self.needs(kinds, name).then_some(1000);
        // The name that `name` makes of a number.
        let made = || name.strip_prefix('n').and_then(|digits| digits.parse().ok());
        place.or_else(needed).or_else(made).and_then(|number: usize| u32::try_from(number).ok())
    }

    fn name(&self, kinds: &[&str], number: u32) -> Option<String> {
        let known = usize::try_from(number).ok().and_then(|place| NAMES.get(place)).map(|name| (*name).to_owned());
        known.or_else(|| self.needs(kinds, &number.to_string()).then(|| format!("n{number}")))
    }
}

impl World for CorpusWorld {
    fn read(&self, path: &Path, _limit: u64) -> io::Result<Vec<u8>> {
        self.files.get(path).cloned().ok_or(io::ErrorKind::NotFound.into())
    }

    fn stat(&self, path: &Path) -> io::Result<FileFacts> {
        let regular = self.files.contains_key(path);
        let directory = !regular && self.files.keys().any(|file| file.starts_with(path));
        if !regular && !directory {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(FileFacts { regular, directory, owner: 0, mode: 0o600 })
    }

    fn glob(&self, pattern: &[u8]) -> io::Result<Vec<PathBuf>> {
        let path = PathBuf::from(String::from_utf8_lossy(pattern).into_owned());
        Ok(self.files.get_key_value(&path).map(|(path, _)| path.clone()).into_iter().collect())
    }

    fn uid_of(&self, name: &str) -> Option<u32> {
        self.number(&["user"], name)
    }

    fn user_name(&self, uid: u32) -> Option<String> {
        self.name(&["uid", "user"], uid)
    }

    fn gid_of(&self, name: &str) -> Option<u32> {
        self.number(&["group"], name)
    }

    fn group_name(&self, gid: u32) -> Option<String> {
        self.name(&["gid", "group"], gid)
    }

    fn effective_uid(&self) -> u32 {
        0
    }

    fn program(&self, path: &Path) -> ProgramState {
        let text = path.to_string_lossy();
        let known = self.files.contains_key(path) || FOLDERS.iter().any(|folder| text.starts_with(folder));
        if known { ProgramState::Ok } else { ProgramState::Missing }
    }

    fn host_name(&self) -> String {
        "corpus-host".to_owned()
    }

    fn current_dir(&self) -> PathBuf {
        PathBuf::from("/corpus")
    }

    fn command_line(&self) -> Vec<u8> {
        b"pollux -t -c /corpus/monitrc".to_vec()
    }
}
