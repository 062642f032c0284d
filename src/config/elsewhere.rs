//! A machine that is not at hand: its control file is checked on another one, of which nothing but the files is looked at.

use std::io;
use std::path::{Path, PathBuf};

use super::world::{FileFacts, ProgramState, World};

/// Every user, group, program and file exists, and every control file has the right owner and mode. Control files are read
/// through the world inside.
pub struct Elsewhere<'a> {
    inner: &'a dyn World,
    control_file: &'a Path,
}

impl<'a> Elsewhere<'a> {
    /// A machine with everything that the control file names.
    pub fn new(inner: &'a dyn World, control_file: &'a Path) -> Elsewhere<'a> {
        Elsewhere { inner, control_file }
    }
}

impl World for Elsewhere<'_> {
    /// A file other than the control file that is not here is read as an empty one.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        match self.inner.read(path, limit) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && path != self.control_file => Ok(Vec::new()),
            result => result,
        }
    }

    fn read_data(&self, _path: &Path, _limit: u64) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn stat(&self, path: &Path) -> io::Result<FileFacts> {
        if path == self.control_file {
            return self.inner.stat(path).map(|facts| FileFacts { owner: 0, mode: 0o600, ..facts });
        }
        Ok(FileFacts { regular: true, directory: true, owner: 0, mode: 0o600 })
    }

    fn glob(&self, pattern: &[u8]) -> io::Result<Vec<PathBuf>> {
        self.inner.glob(pattern)
    }

    fn uid_of(&self, _name: &str) -> Option<u32> {
        Some(0)
    }

    fn user_name(&self, uid: u32) -> Option<String> {
        Some(uid.to_string())
    }

    fn gid_of(&self, _name: &str) -> Option<u32> {
        Some(0)
    }

    fn group_name(&self, gid: u32) -> Option<String> {
        Some(gid.to_string())
    }

    fn effective_uid(&self) -> u32 {
        0
    }

    fn program(&self, _path: &Path) -> ProgramState {
        ProgramState::Ok
    }

    /// One that no service of the file has.
    fn host_name(&self) -> String {
        "$HOST".to_owned()
    }

    fn current_dir(&self) -> PathBuf {
        self.inner.current_dir()
    }

    fn command_line(&self) -> Vec<u8> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load::{Overrides, load};
    use crate::config::world::fake::Fake;

    #[test]
    fn nothing_of_this_machine_matters() {
        let mut fake = Fake::with(
            "set ssl { pemfile: /no/key } include /no/*.conf include /no/one include no/two\ncheck process a matching \"monitrc\" as user nosuch start \"/no/x\" uid nosuch gid 4711\ncheck program p path /no/y if status > 0 then alert\ncheck host localhost address localhost if failed ping then alert\ncheck file f path /f if content = /no/patterns then alert\nset httpd port 1 address localhost ssl { pemfile: /no/pem } allow md5 /no/users",
        );
        for file in ["/no/patterns", "/no/pem", "/no/users"] {
            fake.add(file, b"(\n");
        }
        fake.euid = 5;
        fake.files.get_mut(Path::new("/etc/monitrc")).unwrap().0.mode = 0o666;
        let path = Path::new("/etc/monitrc");
        assert!(load(path, &fake, &Overrides::default()).config.is_none());
        let loaded = load(path, &Elsewhere::new(&fake, path), &Overrides::default());
        assert_eq!(loaded.messages(), "");
        let missing = Path::new("/no/monitrc");
        let loaded = load(missing, &Elsewhere::new(&fake, missing), &Overrides::default());
        assert_eq!(loaded.messages(), "The control file '/no/monitrc' is not a file\n");
    }
}
