//! The state file on disk, which has to be a local one: it is written from the daemon's loop.

use std::io;
use std::path::{Path, PathBuf};

use super::format::State;
use crate::sys::posix::file::{self, Lock};

/// Larger files are not read.
const MAX: u64 = 64 * 1024 * 1024;

/// Where state is kept.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// Held for as long as the store is used: two daemons would overwrite each other.
    lock: Option<Lock>,
    written: String,
    broken: bool,
}

/// What was found at start.
#[derive(Debug)]
pub enum Read {
    /// Nothing: the first start.
    Nothing,
    /// A state.
    State(State),
    /// A file that cannot be used: why, and where it was put.
    SetAside(String),
}

impl Store {
    /// The state file at that path.
    pub fn new(path: &Path) -> Store {
        Store { path: path.to_owned(), lock: None, written: String::new(), broken: false }
    }

    /// Makes the state file ours alone. A directory that cannot be written is no reason to refuse: then nobody keeps state
    /// there, and the text says so.
    ///
    /// # Errors
    /// Another daemon keeps its state there.
    pub fn claim(&mut self) -> Result<Option<String>, String> {
        self.make_directory();
        match Lock::take(&file::sibling(&self.path, ".lock")) {
            Ok(Some(lock)) => {
                self.lock = Some(lock);
                Ok(None)
            }
            Ok(None) => Err(format!(
                "another daemon keeps its state in {}; end it with 'quit', or give this one its own 'set statefile' or -s",
                self.path.display()
            )),
            Err(error) => Ok(Some(format!("no state can be kept in {}: {error}", self.path.display()))),
        }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file. One that cannot be used is renamed to `PATH.aside`, never lost and never fatal.
    pub fn read(&self) -> Read {
        let why = match file::read(&self.path, MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Read::Nothing,
            Err(error) => error.to_string(),
            Ok(bytes) => match State::parse(&bytes) {
                Ok(state) => return Read::State(state),
                Err(refusal) => refusal.to_string(),
            },
        };
        let aside = file::sibling(&self.path, ".aside");
        let fate = match std::fs::rename(&self.path, &aside) {
            Ok(()) => format!("kept as {}", aside.display()),
            Err(error) => format!("left where it is: {error}"),
        };
        Read::SetAside(format!("the state file {} is not used: {why}; {fate}", self.path.display()))
    }

    /// Writes the state when it differs from what was written last.
    ///
    /// # Errors
    /// The text to tell the administrator, the first time a write fails; `Ok(true)` when a write succeeded after that.
    pub fn save(&mut self, state: &State) -> Result<bool, Option<String>> {
        let text = state.print();
        if text == self.written && !self.broken {
            return Ok(false);
        }
        match self.write(&text) {
            Ok(()) => {
                self.written = text;
                Ok(std::mem::take(&mut self.broken))
            }
            Err(error) => {
                let first = !std::mem::replace(&mut self.broken, true);
                let text = format!(
                    "cannot write the state file {}: {error}; checks go on, but what is monitored and which start programs \
                     run would be forgotten if pollux died now",
                    self.path.display()
                );
                Err(first.then_some(text))
            }
        }
    }

    /// Whether the last write failed.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    fn write(&self, text: &str) -> io::Result<()> {
        self.make_directory();
        file::replace(&self.path, text.as_bytes())
    }

    /// What keeps it from being made is told by the write that follows.
    fn make_directory(&self) {
        if let Some(directory) = self.path.parent()
            && !directory.exists()
        {
            let _ = file::private_dir(directory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process::BootId;
    use std::collections::HashMap;

    fn state(boot: &str) -> State {
        State { boot: BootId(boot.into()), services: HashMap::new(), journal: Vec::new() }
    }

    #[test]
    fn a_stranger_is_set_aside_and_kept() {
        let dir = std::env::temp_dir().join(format!("pollux-store-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let mut store = Store::new(&dir.join("state"));
        assert!(matches!(store.read(), Read::Nothing));
        assert_eq!(store.save(&state("1")), Ok(false));
        assert!(matches!(store.read(), Read::State(s) if s == state("1")));
        std::fs::write(dir.join("state"), "precious").unwrap();
        assert!(matches!(store.read(), Read::SetAside(why) if why.contains("state.aside")));
        assert_eq!(std::fs::read_to_string(dir.join("state.aside")).unwrap(), "precious");
        assert!(matches!(store.read(), Read::Nothing));
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_failing_write_is_told_once_and_so_is_its_end() {
        let dir = std::env::temp_dir().join(format!("pollux-store-full-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("state/in-the-way")).unwrap();
        let mut store = Store::new(&dir.join("state"));
        assert!(matches!(store.save(&state("1")), Err(Some(_))));
        assert_eq!(store.save(&state("1")), Err(None));
        std::fs::remove_dir_all(dir.join("state")).unwrap();
        assert_eq!(store.save(&state("1")), Ok(true));
        assert_eq!(store.save(&state("2")), Ok(false));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
