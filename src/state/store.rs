//! The state file on disk, which has to be a local one: it is written from the daemon's loop.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::format::{Refusal, State};
use super::original::Original;
use crate::base::time::Mono;
use crate::sys::posix::file::{self, Lock};

/// Larger files are not read.
const MAX: u64 = 64 * 1024 * 1024;

/// Where state is kept.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// Held for as long as the store is used: two daemons would overwrite each other.
    lock: Option<Lock>,
    /// The records of the file as we wrote it last; `None` when the next state is written in any case.
    written: Option<String>,
    /// When an earlier file was kept last.
    kept: Option<Mono>,
    /// What stands at the path is nobody's we could go back to: a damaged file, or Monit's.
    is_strange: bool,
    broken: bool,
}

/// How long an earlier file is kept at least. Systems write what they hold back within half a minute, so that it has
/// reached the disk for most of that time.
const KEPT: Duration = Duration::from_secs(300);

/// What was found at start.
#[derive(Debug)]
pub enum Read {
    /// Nothing: the first start.
    Nothing,
    /// A state.
    State(State),
    /// The file, or another place, had the state of Monit. Where, and where it is now, for the log.
    Original(Original, String),
    /// The file is damaged; the state is that of the file before it. What happened, for the log.
    Before(State, String),
    /// A file that cannot be used: why, and where it was put.
    SetAside(String),
}

impl Store {
    /// The state file at that path.
    pub fn new(path: &Path) -> Store {
        Store { path: path.to_owned(), lock: None, written: None, kept: None, is_strange: false, broken: false }
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

    /// Whether the file is one of Monit's.
    pub fn is_of_monit(&self) -> bool {
        file::read(&self.path, MAX).is_ok_and(|bytes| Original::is(&bytes))
    }

    /// Reads the file. One of Monit's is kept as `PATH.monit`; one that cannot be used as `PATH.aside`, never lost and never
    /// fatal. It also stays at its place until the next [`Store::save`] replaces it: a daemon that is killed before that
    /// must not forget what was in it. When there is none, `elsewhere` is where Monit may have kept its state, newest
    /// first; it is left there.
    pub fn read(&mut self, elsewhere: &[PathBuf]) -> Read {
        let (why, refusal) = match file::read(&self.path, MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.read_elsewhere(elsewhere),
            Err(error) => (error.to_string(), None),
            Ok(bytes) if Original::is(&bytes) => match Original::parse(&bytes) {
                Ok(original) => {
                    let fate = self.put_away(".monit");
                    return Read::Original(original, format!("{}; {fate}", self.path.display()));
                }
                Err(why) => (why.to_string(), None),
            },
            Ok(bytes) => match State::parse(&bytes) {
                Ok(state) => return Read::State(state),
                Err(refusal) => (refusal.to_string(), Some(refusal)),
            },
        };
        let fate = self.put_away(".aside");
        let text = format!("the state file {} is not used: {why}; {fate}", self.path.display());
        // A power cut may leave an empty or torn file behind, and the one before it whole.
        if matches!(refusal, Some(Refusal::Torn | Refusal::Unknown)) {
            let old = self.old();
            if let Some(state) = file::read(&old, MAX).ok().and_then(|bytes| State::parse(&bytes).ok()) {
                return Read::Before(state, format!("{text}; the one before it is used, {}", old.display()));
            }
        }
        Read::SetAside(text)
    }

    /// Gives the file a second name, under which it outlives the next save; what became of it, for messages.
    fn put_away(&mut self, ending: &str) -> String {
        self.is_strange = true;
        let aside = file::sibling(&self.path, ending);
        // Not every filesystem has links.
        let copy = || file::replace(&aside, &file::read(&self.path, MAX)?);
        match file::link_anew(&self.path, &aside).or_else(|_| copy()).or_else(|_| std::fs::rename(&self.path, &aside)) {
            Ok(()) => format!("kept as {}", aside.display()),
            Err(error) => format!("left where it is: {error}"),
        }
    }

    fn read_elsewhere(&self, places: &[PathBuf]) -> Read {
        let found = places.iter().find_map(|path| {
            let bytes = file::read(path, MAX).ok()?;
            Some((Original::parse(&bytes).ok()?, path))
        });
        match found {
            Some((original, path)) => Read::Original(original, format!("{}; left where it is", path.display())),
            None => Read::Nothing,
        }
    }

    fn old(&self) -> PathBuf {
        file::sibling(&self.path, ".old")
    }

    /// Writes the state when anything has happened since it was written last.
    ///
    /// It is not forced to the disk (fsync(2)), which would hold up the loop. After a power cut some filesystems have an
    /// empty file then, and so an earlier one stays as `PATH.old`.
    ///
    /// # Errors
    /// The text to tell the administrator, the first time a write fails; `Ok(true)` when a write succeeded after that.
    pub fn save(&mut self, state: &State) -> Result<bool, Option<String>> {
        let records = state.records();
        if !self.broken && self.written.as_ref() == Some(&records) {
            return Ok(false);
        }
        if self.kept.is_none_or(|kept| state.written.since(kept) >= KEPT) {
            // Not every filesystem has links; without them there is only the one file.
            if !std::mem::take(&mut self.is_strange) {
                let _ = file::link_anew(&self.path, &self.old());
            }
            self.kept = Some(state.written);
        }
        match self.write(&state.print()) {
            Ok(()) => {
                self.written = Some(records);
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

    /// The next [`Store::save`] writes in any case: when the daemon ends, the time in the file is news.
    pub fn renew(&mut self) {
        self.written = None;
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
    use crate::event::ledger::Saved;
    use std::collections::HashMap;

    fn state(boot: &str) -> State {
        state_at(boot, 0)
    }

    fn state_at(boot: &str, seconds: u64) -> State {
        let services = HashMap::from([(boot.to_owned(), Saved::default())]);
        let written = Mono::from_origin(Duration::from_secs(seconds));
        State { boot: BootId(boot.into()), written, services, journal: Vec::new() }
    }

    #[test]
    fn after_a_power_cut_the_file_before_the_empty_one_is_used() {
        let dir = std::env::temp_dir().join(format!("pollux-store-old-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let mut store = Store::new(&dir.join("state"));
        for (boot, seconds) in [("1", 100), ("2", 130), ("3", 399), ("4", 400), ("5", 410)] {
            assert_eq!(store.save(&state_at(boot, seconds)), Ok(false));
        }
        std::fs::write(dir.join("state"), "").unwrap();
        let Read::Before(state, why) = store.read(&[]) else { panic!("not read") };
        assert_eq!(state, state_at("3", 399), "five minutes after the first was kept");
        assert!(why.contains("state.aside") && why.contains("state.old"), "{why}");
        // It is still there for who comes after a kill, and does not take the place of the one before it.
        assert!(matches!(store.read(&[]), Read::Before(..)));
        let mut next = Store::new(&dir.join("state"));
        assert!(matches!(next.read(&[]), Read::Before(..)));
        assert_eq!(next.save(&state_at("6", 420)), Ok(false));
        assert!(matches!(next.read(&[]), Read::State(state) if state == state_at("6", 420)));
        std::fs::write(dir.join("state"), "").unwrap();
        assert!(matches!(next.read(&[]), Read::Before(state, _) if state == state_at("3", 399)));
        // A file that was taken away on purpose is not brought back.
        std::fs::remove_file(dir.join("state")).unwrap();
        assert!(matches!(store.read(&[]), Read::Nothing));
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_file_of_monit_s_is_read_where_ours_should_be_or_where_monit_keeps_it() {
        let dir = std::env::temp_dir().join(format!("pollux-store-monit-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let bytes = [0_u32.to_ne_bytes(), 4_u32.to_ne_bytes(), [0; 4], [0; 4]].concat();
        let mut store = Store::new(&dir.join("state"));
        let theirs = [dir.join("nowhere"), dir.join(".monit.state")];
        std::fs::write(&theirs[1], &bytes).unwrap();
        assert!(matches!(store.read(&theirs), Read::Original(_, text) if text.contains(".monit.state; left")));
        assert!(theirs[1].exists());
        std::fs::write(dir.join("state"), &bytes).unwrap();
        assert!(matches!(store.read(&[]), Read::Original(_, text) if text.contains("kept as ")));
        assert_eq!(std::fs::read(dir.join("state.monit")).unwrap(), bytes);
        assert!(store.is_of_monit(), "killed before it was replaced, the daemon would forget all of it");
        assert_eq!(store.save(&state("1")), Ok(false));
        assert!(matches!(store.read(&[]), Read::State(s) if s == state("1")));
        assert_eq!(std::fs::read(dir.join("state.monit")).unwrap(), bytes);
        assert!(!dir.join("state.old").exists());
        std::fs::write(dir.join("state"), &bytes[..12]).unwrap();
        assert!(matches!(store.read(&[]), Read::SetAside(text) if text.contains("Monit, and is damaged")));
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn what_has_not_changed_is_not_written_but_at_the_end() {
        let dir = std::env::temp_dir().join(format!("pollux-store-same-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let mut store = Store::new(&dir.join("state"));
        let written = |store: &mut Store| matches!(store.read(&[]), Read::State(state) if state == state_at("1", 9));
        store.save(&state_at("1", 5)).unwrap();
        store.save(&state_at("1", 9)).unwrap();
        assert!(!written(&mut store));
        store.renew();
        store.save(&state_at("1", 9)).unwrap();
        assert!(written(&mut store));
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_stranger_is_set_aside_and_kept() {
        let dir = std::env::temp_dir().join(format!("pollux-store-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        let mut store = Store::new(&dir.join("state"));
        assert!(matches!(store.read(&[]), Read::Nothing));
        assert_eq!(store.save(&state("1")), Ok(false));
        assert!(matches!(store.read(&[]), Read::State(s) if s == state("1")));
        std::fs::write(dir.join("state"), "precious").unwrap();
        assert!(matches!(store.read(&[]), Read::SetAside(why) if why.contains("state.aside")));
        assert_eq!(store.save(&state("2")), Ok(false));
        assert_eq!(std::fs::read_to_string(dir.join("state.aside")).unwrap(), "precious");
        assert!(matches!(store.read(&[]), Read::State(s) if s == state("2")));
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
