//! A machine without a file system: its files are parts of the fuzzer's input.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use pollux::config::world::{FileFacts, ProgramState, World};

use crate::MAIN;

/// What stands between two files in an input.
const SEPARATOR: &[u8] = b"\n%%\n";

/// The files, by name.
pub struct MadeUp {
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Whether everything that a control file may name is there.
    complete: bool,
}

impl MadeUp {
    /// A machine whose control file is the input's first part; the others are `/etc/1.conf`, `/etc/2.conf` and so on.
    /// On it some programs and accounts exist and some do not.
    pub fn of(input: &[u8]) -> MadeUp {
        let mut files = BTreeMap::new();
        let mut rest = input;
        for number in 0.. {
            let end = rest.windows(SEPARATOR.len()).position(|part| part == SEPARATOR);
            let name = if number == 0 { MAIN.to_owned() } else { format!("/etc/{number}.conf") };
            files.insert(name.into(), rest[..end.unwrap_or(rest.len())].to_vec());
            let Some(end) = end else { break };
            rest = &rest[end + SEPARATOR.len()..];
        }
        MadeUp { files, complete: false }
    }

    /// The same machine with everything that a control file may name.
    pub fn complete(mut self) -> MadeUp {
        self.complete = true;
        self
    }

    /// The same machine with another control file.
    pub fn with_main(mut self, text: &str) -> MadeUp {
        self.files.insert(MAIN.into(), text.as_bytes().to_vec());
        self
    }

    /// A number that a name always gives.
    fn number(name: &[u8]) -> u32 {
        name.iter().fold(2_166_136_261, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(16_777_619))
    }

    fn id(&self, name: &str) -> Option<u32> {
        // The name that a number has leads back to it.
        if let Some(id) = name.strip_prefix('n').and_then(|digits| digits.parse().ok()) {
            return (format!("n{id}") == name).then_some(id);
        }
        let id = MadeUp::number(name.as_bytes()) % 60_000;
        (self.complete || name == "root" || id % 2 == 0).then_some(if name == "root" { 0 } else { id })
    }

    fn name(&self, id: u32) -> Option<String> {
        (self.complete || id % 2 == 0).then(|| if id == 0 { "root".to_owned() } else { format!("n{id}") })
    }
}

impl World for MadeUp {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let text = match self.files.get(path) {
            Some(text) => text.clone(),
            None if self.complete => Vec::new(),
            None => return Err(io::ErrorKind::NotFound.into()),
        };
        if text.len() as u64 > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
    }

    fn stat(&self, path: &Path) -> io::Result<FileFacts> {
        let regular = self.complete || self.files.contains_key(path);
        let directory = self.complete || self.files.keys().any(|file| file.starts_with(path) && file != path);
        if !regular && !directory {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(FileFacts { regular, directory, owner: 0, mode: 0o600 })
    }

    fn glob(&self, pattern: &[u8]) -> io::Result<Vec<PathBuf>> {
        if pattern.contains(&b'[') {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let star = pattern.iter().position(|byte| *byte == b'*');
        let (head, tail) = match star {
            Some(star) => (&pattern[..star], &pattern[star + 1..]),
            None => (pattern, pattern),
        };
        let matches = |path: &&PathBuf| {
            let path = path.as_os_str().as_encoded_bytes();
            path.len() >= head.len() && path.starts_with(head) && path.ends_with(tail)
        };
        Ok(self.files.keys().filter(matches).cloned().collect())
    }

    fn uid_of(&self, name: &str) -> Option<u32> {
        self.id(name)
    }

    fn user_name(&self, uid: u32) -> Option<String> {
        self.name(uid)
    }

    fn gid_of(&self, name: &str) -> Option<u32> {
        self.id(name)
    }

    fn group_name(&self, gid: u32) -> Option<String> {
        self.name(gid)
    }

    fn effective_uid(&self) -> u32 {
        0
    }

    fn program(&self, path: &Path) -> ProgramState {
        if self.complete {
            return ProgramState::Ok;
        }
        match MadeUp::number(path.as_os_str().as_encoded_bytes()) % 8 {
            0 => ProgramState::Missing,
            1 => ProgramState::NotExecutable,
            2 => ProgramState::InterpreterMissing("/bin/none".into()),
            _ => ProgramState::Ok,
        }
    }

    fn host_name(&self) -> String {
        "madeup".to_owned()
    }

    fn current_dir(&self) -> PathBuf {
        "/".into()
    }

    fn command_line(&self) -> Vec<u8> {
        b"pollux -I -c /etc/monitrc".to_vec()
    }
}
