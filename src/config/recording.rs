//! A load that was done elsewhere, so that it can be done again without asking the machine anything.
//!
//! A [`Recorder`] stands between the loader and its world and writes down each question before it is asked and each answer
//! when it is there. A [`Recording`] is the world that was written down; if it ends with a question, that is the one which
//! was never answered. Question: `?`, kind, length, key. Answer: `=`, length, value. Lengths are 32 bits, little-endian.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::model::Tls;
use super::world::{FileFacts, ProgramState, World};

/// What is asked. The number is the one in the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Read = b'r',
    Stat = b's',
    Glob = b'g',
    UserNumber = b'u',
    UserName = b'U',
    GroupNumber = b'n',
    GroupName = b'N',
    Own = b'e',
    Program = b'p',
    Host = b'h',
    Here = b'd',
    Arguments = b'a',
    FreeBsd = b'f',
    /// Asked by somebody else than the loader; the key is what people read.
    Other = b'o',
}

/// Takes the pieces of a recording.
type Sink<'a> = &'a mut dyn FnMut(&[u8]);

/// A world that writes down what it is asked.
pub struct Recorder<'a> {
    world: &'a dyn World,
    write: RefCell<Sink<'a>>,
}

impl<'a> Recorder<'a> {
    /// Asks `world` and hands the recording to `write`, piece by piece.
    pub fn new(world: &'a dyn World, write: Sink<'a>) -> Recorder<'a> {
        Recorder { world, write: RefCell::new(write) }
    }

    /// Writes down a question that the loader does not know, in words for people, and its answer.
    pub fn other(&self, question: &str, answer: impl FnOnce() -> Vec<u8>) {
        self.note(Kind::Other, question.as_bytes(), answer, Vec::clone);
    }

    fn note<T>(&self, kind: Kind, key: &[u8], ask: impl FnOnce() -> T, encode: impl FnOnce(&T) -> Vec<u8>) -> T {
        let mut write = self.write.borrow_mut();
        let mut question = vec![b'?', kind as u8];
        put(&mut question, key);
        write(&question);
        let answer = ask();
        let mut record = vec![b'='];
        put(&mut record, &encode(&answer));
        write(&record);
        answer
    }
}

impl World for Recorder<'_> {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        self.note(Kind::Read, bytes(path), || self.world.read(path, limit), |got| result(got, Vec::clone))
    }

    fn page_problem(&self, tls: &Tls) -> Option<String> {
        self.world.page_problem(tls)
    }

    fn stat(&self, path: &Path) -> io::Result<FileFacts> {
        self.note(Kind::Stat, bytes(path), || self.world.stat(path), |got| result(got, facts))
    }

    fn glob(&self, pattern: &[u8]) -> io::Result<Vec<PathBuf>> {
        self.note(Kind::Glob, pattern, || self.world.glob(pattern), |got| result(got, |paths| list(paths)))
    }

    fn uid_of(&self, name: &str) -> Option<u32> {
        self.note(Kind::UserNumber, name.as_bytes(), || self.world.uid_of(name), number)
    }

    fn user_name(&self, uid: u32) -> Option<String> {
        self.note(Kind::UserName, &uid.to_le_bytes(), || self.world.user_name(uid), word)
    }

    fn gid_of(&self, name: &str) -> Option<u32> {
        self.note(Kind::GroupNumber, name.as_bytes(), || self.world.gid_of(name), number)
    }

    fn group_name(&self, gid: u32) -> Option<String> {
        self.note(Kind::GroupName, &gid.to_le_bytes(), || self.world.group_name(gid), word)
    }

    fn effective_uid(&self) -> u32 {
        self.note(Kind::Own, b"", || self.world.effective_uid(), |uid| uid.to_le_bytes().to_vec())
    }

    fn program(&self, path: &Path) -> ProgramState {
        self.note(Kind::Program, bytes(path), || self.world.program(path), state)
    }

    fn host_name(&self) -> String {
        self.note(Kind::Host, b"", || self.world.host_name(), |name| name.clone().into_bytes())
    }

    fn current_dir(&self) -> PathBuf {
        self.note(Kind::Here, b"", || self.world.current_dir(), |path| bytes(path).to_vec())
    }

    fn command_line(&self) -> Vec<u8> {
        self.note(Kind::Arguments, b"", || self.world.command_line(), Vec::clone)
    }

    fn is_freebsd(&self) -> bool {
        self.note(Kind::FreeBsd, b"", || self.world.is_freebsd(), |is| vec![u8::from(*is)])
    }
}

/// The world that a [`Recorder`] wrote down. It answers nothing else.
#[derive(Debug, Default)]
pub struct Recording {
    /// By kind and key.
    answers: HashMap<(u8, Vec<u8>), Vec<u8>>,
    unanswered: Option<String>,
}

impl Recording {
    /// Takes what has been written, however little.
    pub fn new(mut bytes: &[u8]) -> Recording {
        let mut recording = Recording::default();
        while let Some((kind, key)) = question(&mut bytes) {
            match answer(&mut bytes) {
                Some(value) => {
                    recording.answers.insert((kind, key.to_vec()), value.to_vec());
                }
                None => {
                    recording.unanswered = Some(in_words(kind, key));
                    break;
                }
            }
        }
        recording
    }

    /// The question that has no answer yet, in words.
    pub fn unanswered(&self) -> Option<&str> {
        self.unanswered.as_deref()
    }

    /// The answer to a question of [`Recorder::other`].
    pub fn other(&self, question: &str) -> Option<&[u8]> {
        self.answer(Kind::Other, question.as_bytes())
    }

    fn answer(&self, kind: Kind, key: &[u8]) -> Option<&[u8]> {
        self.answers.get(&(kind as u8, key.to_vec())).map(Vec::as_slice)
    }

    fn text(&self, kind: Kind, key: &[u8]) -> Option<String> {
        String::from_utf8(self.answer(kind, key)?.to_vec()).ok()
    }
}

impl World for Recording {
    fn read(&self, path: &Path, _: u64) -> io::Result<Vec<u8>> {
        taken(self.answer(Kind::Read, bytes(path))).map(<[u8]>::to_vec)
    }

    fn stat(&self, path: &Path) -> io::Result<FileFacts> {
        let [flags, owner @ .., m0, m1, m2, m3] = taken(self.answer(Kind::Stat, bytes(path)))? else {
            return Err(unknown());
        };
        let owner = owner.try_into().map(u32::from_le_bytes).map_err(|_| unknown())?;
        let mode = u32::from_le_bytes([*m0, *m1, *m2, *m3]);
        Ok(FileFacts { regular: flags & 1 != 0, directory: flags & 2 != 0, owner, mode })
    }

    fn glob(&self, pattern: &[u8]) -> io::Result<Vec<PathBuf>> {
        let mut rest = taken(self.answer(Kind::Glob, pattern))?;
        let mut paths = Vec::new();
        while let Some(path) = take(&mut rest) {
            paths.push(path_of(path));
        }
        Ok(paths)
    }

    fn uid_of(&self, name: &str) -> Option<u32> {
        Some(u32::from_le_bytes(self.answer(Kind::UserNumber, name.as_bytes())?.try_into().ok()?))
    }

    fn user_name(&self, uid: u32) -> Option<String> {
        self.text(Kind::UserName, &uid.to_le_bytes()).filter(|name| !name.is_empty())
    }

    fn gid_of(&self, name: &str) -> Option<u32> {
        Some(u32::from_le_bytes(self.answer(Kind::GroupNumber, name.as_bytes())?.try_into().ok()?))
    }

    fn group_name(&self, gid: u32) -> Option<String> {
        self.text(Kind::GroupName, &gid.to_le_bytes()).filter(|name| !name.is_empty())
    }

    fn effective_uid(&self) -> u32 {
        let uid = self.answer(Kind::Own, b"").and_then(|uid| uid.try_into().ok());
        uid.map_or(u32::MAX, u32::from_le_bytes)
    }

    fn program(&self, path: &Path) -> ProgramState {
        match self.answer(Kind::Program, bytes(path)) {
            Some([b'o']) => ProgramState::Ok,
            Some([b'x']) => ProgramState::NotExecutable,
            Some([b'i', interpreter @ ..]) => ProgramState::InterpreterMissing(path_of(interpreter)),
            _ => ProgramState::Missing,
        }
    }

    fn host_name(&self) -> String {
        self.text(Kind::Host, b"").unwrap_or_default()
    }

    fn current_dir(&self) -> PathBuf {
        self.answer(Kind::Here, b"").map(path_of).unwrap_or_default()
    }

    fn command_line(&self) -> Vec<u8> {
        self.answer(Kind::Arguments, b"").unwrap_or_default().to_vec()
    }

    fn is_freebsd(&self) -> bool {
        self.answer(Kind::FreeBsd, b"") == Some(&[1])
    }
}

fn question<'b>(bytes: &mut &'b [u8]) -> Option<(u8, &'b [u8])> {
    let [b'?', kind, rest @ ..] = *bytes else { return None };
    *bytes = rest;
    Some((*kind, take(bytes)?))
}

fn answer<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let [b'=', rest @ ..] = *bytes else { return None };
    *bytes = rest;
    take(bytes)
}

/// Appends a length and so many bytes.
fn put(to: &mut Vec<u8>, value: &[u8]) {
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    to.extend(length.to_le_bytes());
    to.extend(value.iter().take(length as usize));
}

/// Takes them off again.
fn take<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let value = rest.get(..length)?;
    *bytes = rest.get(length..)?;
    Some(value)
}

fn in_words(kind: u8, key: &[u8]) -> String {
    let name = String::from_utf8_lossy(key);
    let number = key.try_into().map_or(0, u32::from_le_bytes);
    let is = |known: Kind| kind == known as u8;
    if is(Kind::Glob) {
        format!("the files that 'include {name}' means")
    } else if is(Kind::UserNumber) {
        format!("the user '{name}'")
    } else if is(Kind::UserName) {
        format!("the user with the number {number}")
    } else if is(Kind::GroupNumber) {
        format!("the group '{name}'")
    } else if is(Kind::GroupName) {
        format!("the group with the number {number}")
    } else if is(Kind::Program) {
        format!("the program '{name}'")
    } else if is(Kind::Other) {
        name.into_owned()
    } else {
        format!("the file '{name}'")
    }
}

/// An error is `e`, its errno or 0, a letter for its kind, and its text; a value is `v` and the value.
fn result<T>(result: &io::Result<T>, encode: impl FnOnce(&T) -> Vec<u8>) -> Vec<u8> {
    match result {
        Ok(value) => std::iter::once(b'v').chain(encode(value)).collect(),
        Err(error) => {
            let mut record = vec![b'e'];
            record.extend(error.raw_os_error().unwrap_or(0).to_le_bytes());
            record.push(match error.kind() {
                io::ErrorKind::FileTooLarge => b'l',
                io::ErrorKind::InvalidInput => b'i',
                io::ErrorKind::NotFound => b'n',
                io::ErrorKind::PermissionDenied => b'p',
                _ => b'o',
            });
            record.extend(error.to_string().into_bytes());
            record
        }
    }
}

fn taken(record: Option<&[u8]>) -> io::Result<&[u8]> {
    match record {
        Some([b'v', value @ ..]) => Ok(value),
        Some([b'e', e0, e1, e2, e3, kind, text @ ..]) => {
            let kind = match kind {
                b'l' => io::ErrorKind::FileTooLarge,
                b'i' => io::ErrorKind::InvalidInput,
                b'n' => io::ErrorKind::NotFound,
                b'p' => io::ErrorKind::PermissionDenied,
                _ => io::ErrorKind::Other,
            };
            Err(match i32::from_le_bytes([*e0, *e1, *e2, *e3]) {
                0 => io::Error::new(kind, String::from_utf8_lossy(text).into_owned()),
                errno => io::Error::from_raw_os_error(errno),
            })
        }
        _ => Err(unknown()),
    }
}

fn unknown() -> io::Error {
    io::Error::other("nobody asked for it when the control file was checked")
}

fn facts(facts: &FileFacts) -> Vec<u8> {
    let mut record = vec![u8::from(facts.regular) | u8::from(facts.directory) << 1];
    record.extend(facts.owner.to_le_bytes());
    record.extend(facts.mode.to_le_bytes());
    record
}

fn list(paths: &[PathBuf]) -> Vec<u8> {
    let mut record = Vec::new();
    paths.iter().for_each(|path| put(&mut record, bytes(path)));
    record
}

fn number(number: &Option<u32>) -> Vec<u8> {
    number.map(|number| number.to_le_bytes().to_vec()).unwrap_or_default()
}

fn word(word: &Option<String>) -> Vec<u8> {
    word.clone().unwrap_or_default().into_bytes()
}

fn state(state: &ProgramState) -> Vec<u8> {
    match state {
        ProgramState::Ok => b"o".to_vec(),
        ProgramState::Missing => b"m".to_vec(),
        ProgramState::NotExecutable => b"x".to_vec(),
        ProgramState::InterpreterMissing(path) => std::iter::once(b'i').chain(bytes(path).iter().copied()).collect(),
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::super::load::{Overrides, load};
    use super::super::world::fake::Fake;
    use super::*;

    const TEXT: &str = "set daemon 5\ninclude /etc/monit.d/*\ninclude /missing\n\
        check process a pidfile /a.pid\n start program = \"/bin/run\" as uid \"www\" and gid \"www\"\n\
        stop program = \"/bin/none\" as uid 80\n\
        check process b pidfile /b.pid in jail b using service b\n";

    fn world() -> Fake {
        let mut fake = Fake::with(TEXT);
        fake.users.push(("www".to_owned(), 80));
        fake.groups.push(("www".to_owned(), 81));
        fake.programs.insert("/bin/run".into(), ProgramState::InterpreterMissing("/bin/gone".into()));
        fake
    }

    fn record(world: &dyn World) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut write = |piece: &[u8]| bytes.extend_from_slice(piece);
        let recorder = Recorder::new(world, &mut write);
        load(Path::new("/etc/monitrc"), &recorder, &Overrides::default());
        recorder.other("the address of 'here'", || b"::1".to_vec());
        bytes
    }

    #[test]
    fn a_load_from_the_recording_is_the_load() {
        let world = world();
        let bytes = record(&world);
        let recording = Recording::new(&bytes);
        assert_eq!(recording.unanswered(), None);
        assert_eq!(recording.other("the address of 'here'"), Some(b"::1".as_slice()));
        let first = load(Path::new("/etc/monitrc"), &world, &Overrides::default());
        let again = load(Path::new("/etc/monitrc"), &recording, &Overrides::default());
        assert_eq!(first.messages(), again.messages());
        assert!(first.messages().contains("/bin/gone") && first.messages().contains("no such file to include"));
        let (first, again) = (first.config.unwrap(), again.config.unwrap());
        assert_eq!(format!("{first:?}"), format!("{again:?}"));
        assert_eq!(again.services[0].start.as_ref().unwrap().uid.as_ref().unwrap().uid, 80);
    }

    #[test]
    fn what_was_asked_last_and_not_answered_is_named() {
        let bytes = record(&world());
        let mut named: Vec<String> = Vec::new();
        for end in 0..bytes.len() {
            let recording = Recording::new(&bytes[..end]);
            if let Some(question) =
                recording.unanswered().filter(|question| named.last().is_none_or(|last| last != question))
            {
                named.push(question.to_owned());
            }
        }
        for expected in [
            "the file '/etc/monitrc'",
            "the files that 'include /etc/monit.d/*' means",
            "the user 'www'",
            "the group 'www'",
            "the user with the number 80",
            "the program '/bin/run'",
            "the address of 'here'",
        ] {
            assert!(named.iter().any(|question| question == expected), "{expected}: {named:?}");
        }
    }

    #[test]
    fn errors_keep_what_the_loader_tells_apart() {
        for kind in [io::ErrorKind::FileTooLarge, io::ErrorKind::InvalidInput, io::ErrorKind::Other] {
            let record = result(&Err::<Vec<u8>, _>(io::Error::new(kind, "text")), Vec::clone);
            let error = taken(Some(&record)).unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, "text"));
        }
        let record = result(&Err::<Vec<u8>, _>(io::Error::from_raw_os_error(13)), Vec::clone);
        assert_eq!(taken(Some(&record)).unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn nonsense_answers_nothing() {
        for bytes in [b"".as_slice(), b"?", b"?r", b"?r\xff\xff\xff\xff", b"=\0\0\0\0", b"?s\x01\0\0\0/=\x01\0\0\0v"] {
            let recording = Recording::new(bytes);
            assert!(recording.stat(Path::new("/")).is_err());
            assert!(recording.read(Path::new("/"), 1).is_err() && recording.uid_of("root").is_none());
            assert_eq!(recording.program(Path::new("/")), ProgramState::Missing);
        }
    }
}
