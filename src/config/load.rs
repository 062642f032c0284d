//! Reads the control file and what it includes, and makes a [`Config`] of it. The only part that asks the machine, and only
//! through [`World`].

pub mod page;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::build::{Builder, to_path};
use super::model::{Config, LogTarget, Measure, ServiceType, Settings, Tls, Unit};
use super::world::{FileFacts, Jailed, ProgramState, World};
use crate::syntax::diagnostic::{Diagnostic, Diagnostics};
use crate::syntax::lexer::{Lexer, TokenKind};
use crate::syntax::parser::{Files, parse};
use crate::syntax::source::{Location, Source, SourceId, Sources, Span};
use crate::sys::head::read_head;
use crate::sys::platform::{self, machine};
use crate::sys::posix;

/// Most bytes of one file.
pub const FILE_MAX: u64 = 16 * 1024 * 1024;

/// Most bytes of all files together.
pub const TOTAL_MAX: u64 = 64 * 1024 * 1024;

/// Most files.
pub const FILES_MAX: usize = 10_000;

/// How deep includes may be nested.
pub const DEPTH_MAX: usize = 64;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Permissions that are allowed for the control file.
const MODE_MAX: u32 = 0o700;

/// What the command line says in place of the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `-d`
    pub interval: Option<Duration>,
    /// `-l`
    pub log: Option<LogTarget>,
    /// `-p`
    pub pidfile: Option<PathBuf>,
    /// `-s`
    pub statefile: Option<PathBuf>,
    /// `-I`
    pub foreground: bool,
    /// `-B`
    pub batch: bool,
    /// `-t`: what is watched may be looked at. A daemon never does that while it loads a file: what is watched may be on a
    /// filesystem that does not answer.
    pub checking: bool,
}

/// The result of [`load`].
#[derive(Debug)]
pub struct Loaded {
    /// The configuration, if there is no error.
    pub config: Option<Config>,
    /// The settings as far as they could be understood, with the overrides applied.
    pub settings: Settings,
    /// Whether the control file could be read, so that the settings are more than defaults.
    pub settings_found: bool,
    /// Errors and warnings, in the order of the files.
    pub diagnostics: Diagnostics,
    /// The files that were read.
    pub sources: Sources,
}

impl Loaded {
    /// All errors and warnings as people read them; empty when there is none.
    pub fn messages(&self) -> String {
        self.diagnostics.render(&self.sources)
    }
}

/// Loads the control file at `path`.
pub fn load(path: &Path, world: &dyn World, overrides: &Overrides) -> Loaded {
    let sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let mut loader = Loader { world, total: 0 };
    let absolute = if path.is_absolute() { path.to_owned() } else { world.current_dir().join(path) };
    let main = loader.control_file(path, &absolute, &sources, &mut diagnostics);
    let (mut settings, mut config) = match main {
        Some(main) => {
            let parsed = parse(&sources, main, &mut loader);
            diagnostics.append(parsed.diagnostics);
            let text = sources.get(main).map(Source::text).unwrap_or_default();
            if Lexer::new(text, 0).token(0).kind == TokenKind::End {
                let message = "there is no statement here: nothing is watched but the machine itself";
                diagnostics.push(Diagnostic::warning(Location { source: main, span: Span::default() }, message));
            }
            let mut builder = Builder::new(world, &sources, &mut diagnostics, main, overrides.checking);
            for statement in parsed.statements {
                builder.statement(statement);
            }
            builder.finish(absolute)
        }
        None => (Settings::default(), None),
    };
    overrides.apply(&mut settings);
    if let Some(config) = &mut config {
        config.settings = settings.clone();
    }
    diagnostics.sort();
    Loaded { config, settings, settings_found: main.is_some(), diagnostics, sources }
}

impl Overrides {
    fn apply(&self, settings: &mut Settings) {
        settings.interval = self.interval.or(settings.interval);
        settings.log = self.log.clone().or(settings.log.take());
        settings.pidfile = self.pidfile.clone().or(settings.pidfile.take());
        settings.statefile = self.statefile.clone().or(settings.statefile.take());
        settings.foreground |= self.foreground;
        settings.batch |= self.batch;
    }
}

/// Reads files.
struct Loader<'a> {
    world: &'a dyn World,
    /// Bytes read so far.
    total: u64,
}

impl Loader<'_> {
    /// Checks and reads the main file; `None` when it cannot be read or must not be trusted.
    fn control_file(
        &mut self,
        given: &Path,
        path: &Path,
        sources: &Sources,
        diagnostics: &mut Diagnostics,
    ) -> Option<SourceId> {
        match self.world.stat(path) {
            Ok(facts) if facts.regular => self.trust(path, &facts, diagnostics)?,
            Err(_) if !given.is_absolute() => {
                let cwd = self.world.current_dir();
                let message = format!("The control file '{}' does not exist at {}", given.display(), cwd.display());
                diagnostics.push(Diagnostic::general(message));
                return None;
            }
            _ => {
                let message = format!("The control file '{}' is not a file", given.display());
                diagnostics.push(Diagnostic::general(message));
                return None;
            }
        }
        match self.read(path, sources) {
            Ok(text) => Some(sources.add(path.to_owned(), text)),
            Err(reason) => {
                let message = format!("The control file '{}' cannot be read: {reason}", given.display());
                diagnostics.push(Diagnostic::general(message));
                None
            }
        }
    }

    /// Reports a wrong owner or mode; `None` when somebody else could have written the file.
    fn trust(&mut self, path: &Path, facts: &FileFacts, diagnostics: &mut Diagnostics) -> Option<()> {
        if facts.owner != self.world.effective_uid() {
            let message = format!("The control file '{}' must be owned by you.", path.display());
            diagnostics.push(Diagnostic::general(message));
            return None;
        }
        if facts.mode & 0o777 & !MODE_MAX != 0 {
            let (path, mode) = (path.display(), facts.mode);
            let message =
                format!("The control file '{path}' permission {mode:04o} is wrong, maximum {MODE_MAX:04o} allowed");
            diagnostics.push(Diagnostic::general(message));
        }
        (facts.mode & 0o022 == 0).then_some(())
    }

    fn read(&mut self, path: &Path, sources: &Sources) -> Result<Vec<u8>, String> {
        let mut text = self.world.read(path, FILE_MAX).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => format!("it is longer than {FILE_MAX} bytes"),
            io::ErrorKind::InvalidInput => "it is not a regular file".to_owned(),
            io::ErrorKind::NotFound => "it does not exist".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        })?;
        // Some editors begin a file with an invisible byte order mark.
        if text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len());
        }
        self.total = self.total.saturating_add(text.len() as u64);
        if self.total > TOTAL_MAX {
            return Err(format!("all files together are longer than {TOTAL_MAX} bytes"));
        }
        if sources.len() >= FILES_MAX {
            return Err(format!("there are more than {FILES_MAX} files"));
        }
        Ok(text)
    }

    /// The file and those that lead to it.
    fn chain(source: SourceId, sources: &Sources) -> Vec<&Path> {
        let including = |source: &&Source| source.included().and_then(|place| sources.get(place.source));
        std::iter::successors(sources.get(source), including).map(Source::path).collect()
    }

    /// A pattern that matches nothing is fine, a path or a folder that does not exist is worth a warning.
    fn nothing_included(&self, location: Location, pattern: &[u8]) -> Option<Diagnostic> {
        let magic = pattern.iter().position(|byte| b"*?[".contains(byte));
        let fixed = pattern.get(..magic.unwrap_or(pattern.len())).unwrap_or_default();
        let message = match (magic, fixed.iter().rposition(|byte| *byte == b'/')) {
            // Not here, but on the machine that the file is for.
            (None, _) if self.world.stat(&to_path(pattern)).is_ok() => return None,
            (None, _) => "there is no such file to include",
            (Some(_), Some(slash)) => {
                let folder = to_path(fixed.get(..slash.max(1)).unwrap_or_default());
                if self.world.stat(&folder).is_ok_and(|facts| facts.directory) {
                    return None;
                }
                "there is no such directory to include files from"
            }
            (Some(_), None) => return None,
        };
        Some(Diagnostic::warning(location, message))
    }
}

impl Files for Loader<'_> {
    /// Files of one pattern take effect in reverse alphabetical order, as in the original.
    fn include(
        &mut self,
        sources: &Sources,
        pattern: &[u8],
        place: Location,
        diagnostics: &mut Diagnostics,
    ) -> Vec<SourceId> {
        let chain = Self::chain(place.source, sources);
        if chain.len() >= DEPTH_MAX {
            let message = format!("files are included more than {DEPTH_MAX} deep");
            diagnostics.push(Diagnostic::error(place, message));
            return Vec::new();
        }
        let mut paths = match self.world.glob(pattern) {
            Ok(paths) => paths,
            Err(error) => {
                diagnostics.push(Diagnostic::error(place, format!("this cannot be included: {error}")));
                return Vec::new();
            }
        };
        if paths.is_empty() {
            self.nothing_included(place, pattern).into_iter().for_each(|warning| diagnostics.push(warning));
        }
        paths.retain(|path| !matches!(path.as_os_str().as_encoded_bytes().last(), Some(b'~' | b'/')));
        let mut included = Vec::new();
        for path in paths.into_iter().rev() {
            let cwd = self.world.current_dir();
            if chain.iter().any(|known| cwd.join(known) == cwd.join(&path)) {
                let message = format!("'{}' includes itself, it is skipped here", path.display());
                diagnostics.push(Diagnostic::warning(place, message));
                continue;
            }
            match self.read(&path, sources) {
                Ok(text) => {
                    included.push(sources.add_included(path, text, place));
                }
                Err(reason) => {
                    let message = format!("'{}' cannot be included: {reason}", path.display());
                    diagnostics.push(Diagnostic::error(place, message));
                    if self.total > TOTAL_MAX || sources.len() >= FILES_MAX {
                        break;
                    }
                }
            }
        }
        included
    }
}

/// This machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine;

impl World for Machine {
    fn tells(&self, kind: ServiceType, measure: Measure, unit: Unit) -> bool {
        match (kind, measure) {
            (ServiceType::System, Measure::Cpu(Some(kind))) => platform::system::CPU_KINDS.contains(&kind.word()),
            (ServiceType::Process, Measure::Read | Measure::Write) => platform::usage::TELLS_BYTES,
            (ServiceType::Process, Measure::DiskRead | Measure::DiskWrite) => {
                unit == Unit::Operations || platform::usage::TELLS_BYTES
            }
            _ => true,
        }
    }

    fn labels(&self) -> bool {
        platform::usage::tells_labels()
    }

    fn is_freebsd(&self) -> bool {
        platform::IS_FREEBSD
    }

    fn jailed(&self) -> Vec<Jailed> {
        if !platform::IS_FREEBSD {
            return Vec::new();
        }
        let listed = platform::process::ProcessTable::live().and_then(|table| table.scan(true)).unwrap_or_default();
        let jailed = listed.into_iter().filter_map(|process| {
            let (pid, jail) = (process.entry.identity.pid.get(), process.entry.jail.filter(|jail| *jail != 0)?);
            Some(Jailed { pid, jail, command: process.command })
        });
        jailed.collect()
    }

    fn pings(&self) -> bool {
        posix::net::may_ping()
    }

    fn hides_processes(&self) -> bool {
        platform::process::ProcessTable::live().is_ok_and(|table| table.may_hide(None))
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        posix::file::read(path, limit)
    }

    fn page_problem(&self, tls: &Tls) -> Option<String> {
        page::acceptor(tls, self).err()
    }

    fn stat(&self, path: &Path) -> io::Result<FileFacts> {
        use std::os::unix::fs::MetadataExt;
        let data = std::fs::metadata(path)?;
        Ok(FileFacts {
            regular: data.is_file(),
            directory: data.is_dir(),
            owner: data.uid(),
            mode: data.mode() & 0o7777,
        })
    }

    fn glob(&self, pattern: &[u8]) -> io::Result<Vec<PathBuf>> {
        posix::glob::glob(pattern)
    }

    fn uid_of(&self, name: &str) -> Option<u32> {
        posix::account::uid_of(name)
    }

    fn user_name(&self, uid: u32) -> Option<String> {
        posix::account::user_name(uid)
    }

    fn gid_of(&self, name: &str) -> Option<u32> {
        posix::account::gid_of(name)
    }

    fn group_name(&self, gid: u32) -> Option<String> {
        posix::account::group_name(gid)
    }

    fn effective_uid(&self) -> u32 {
        posix::account::effective_uid()
    }

    fn program(&self, path: &Path) -> ProgramState {
        let Ok(facts) = self.stat(path) else {
            return ProgramState::Missing;
        };
        if !facts.regular || facts.mode & 0o111 == 0 {
            return ProgramState::NotExecutable;
        }
        match interpreter(path) {
            Some(interpreter) if self.stat(&interpreter).is_err() => ProgramState::InterpreterMissing(interpreter),
            _ => ProgramState::Ok,
        }
    }

    fn host_name(&self) -> String {
        machine::host_name().unwrap_or_default()
    }

    fn current_dir(&self) -> PathBuf {
        std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))
    }

    fn command_line(&self) -> Vec<u8> {
        let words: Vec<Vec<u8>> = std::env::args_os().map(std::ffi::OsString::into_encoded_bytes).collect();
        words.join(&b' ')
    }
}

/// The interpreter a script names behind `#!`; `None` for other files. Kernels look at the first 128 to 4096 bytes.
fn interpreter(path: &Path) -> Option<PathBuf> {
    const LINE_MAX: usize = 256;
    let head = read_head(path, LINE_MAX).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let word = line.trim_ascii_start().split(|byte| byte.is_ascii_whitespace()).next()?;
    (!word.is_empty()).then(|| to_path(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_bytes_of_a_file_and_of_all_files_are_bounded() {
        use super::super::world::fake::Fake;
        let mut fake = Fake::with("");
        fake.add("/two", b"\n\n");
        fake.add("/long", &vec![b' '; FILE_MAX as usize + 1]);
        let read = |total: u64, path: &str| {
            let mut loader = Loader { world: &fake, total };
            loader.read(Path::new(path), &Sources::default()).map(|text| text.len())
        };
        assert_eq!(read(TOTAL_MAX - 2, "/two"), Ok(2));
        let why = read(TOTAL_MAX - 1, "/two").unwrap_err();
        assert_eq!(why, format!("all files together are longer than {TOTAL_MAX} bytes"));
        assert_eq!(read(0, "/long").unwrap_err(), format!("it is longer than {FILE_MAX} bytes"));
    }

    /// A directory that goes away with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("pollux-load-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_real_file_with_real_includes() {
        let folder = Folder::new("include");
        folder.file("1.conf", "check process one pidfile /1", 0o644);
        folder.file("2.conf", "check process two pidfile /2", 0o644);
        fs::create_dir(folder.0.join("3.conf")).unwrap();
        let shell = folder.file("shell", "#!/bin/sh\n", 0o755);
        let lost = folder.file("lost", "#! /no/such/interpreter -x\n", 0o755);
        let text = format!(
            "include {}/*.conf\nstart \"{}\" stop \"{}\" restart \"/etc/passwd\"\n",
            folder.0.display(),
            shell.display(),
            lost.display()
        );
        let main = folder.file("monitrc", &text, 0o600);
        let loaded = load(&main, &Machine, &Overrides::default());
        let warnings: Vec<&str> = loaded.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        let interpreter = format!("the interpreter '/no/such/interpreter' of '{}' does not exist", lost.display());
        assert_eq!(warnings, [interpreter.as_str(), "the program '/etc/passwd' is not executable"]);
        let config = loaded.config.unwrap();
        let names: Vec<&str> = config.services.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["two", "one", Machine.host_name().as_str()]);
    }

    #[test]
    fn a_real_file_that_others_may_read_is_refused() {
        let folder = Folder::new("mode");
        let main = folder.file("monitrc", "set init", 0o644);
        let loaded = load(&main, &Machine, &Overrides::default());
        let expected =
            format!("The control file '{}' permission 0644 is wrong, maximum 0700 allowed\n", main.display());
        assert_eq!(loaded.messages(), expected);
        assert!(loaded.config.is_none() && loaded.settings.foreground);
    }
}
