//! Passwords that files and the system know. Reading a file, a hash that takes long on purpose, PAM: all of it may take its
//! time, so it runs in a helper child, which sends its verdict as a line of text.

use std::path::Path;

use crate::config::load::Machine;
use crate::config::passwords;
use crate::config::world::World;
use crate::config::{AllowGroup, PasswordFile, PasswordKind};
use crate::sys::md5crypt;
use crate::sys::posix::pam::{self, PamError};
use crate::sys::posix::{account, crypt};

use super::auth::{Denial, Given, User, same};

/// The service that PAM knows the page by, as the original's.
const SERVICE: &std::ffi::CStr = c"monit";

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Let in.
    Proved(User),
    /// Not let in.
    Denied(Denial),
    /// Nobody knows.
    Unknown(String),
}

/// The helper's work: files are asked first, then groups.
pub(super) fn prove(given: &Given, files: &[PasswordFile], groups: &[AllowGroup], host: Option<&str>) -> Vec<u8> {
    let verdict = match by_files(given, files) {
        Ok(verdict) => verdict,
        Err(search) => by_groups(given, groups, host).unwrap_or_else(|| {
            search.pass_time(given);
            search.trouble.unwrap_or_else(|| Verdict::Denied(Denial::UnknownUser(given.shown())))
        }),
    };
    let line = match verdict {
        Verdict::Proved(user) => format!("in {}", u8::from(user.read_only)),
        Verdict::Denied(Denial::Account(_, why)) => format!("account {why}"),
        Verdict::Denied(Denial::WrongPassword(_)) => "wrong".to_owned(),
        Verdict::Denied(_) => "unknown".to_owned(),
        Verdict::Unknown(why) => format!("trouble {why}"),
    };
    line.into_bytes()
}

/// What a helper has sent.
pub(super) fn verdict(answer: &[u8], given: &Given) -> Verdict {
    let answer = String::from_utf8_lossy(answer);
    let (word, rest) = answer.split_once(' ').unwrap_or((&answer, ""));
    match word {
        "in" if rest == "0" || rest == "1" => Verdict::Proved(User { name: given.shown(), read_only: rest == "1" }),
        "wrong" => Verdict::Denied(Denial::WrongPassword(given.shown())),
        "account" => Verdict::Denied(Denial::Account(given.shown(), rest.to_owned())),
        "unknown" => Verdict::Denied(Denial::UnknownUser(given.shown())),
        "trouble" => Verdict::Unknown(rest.to_owned()),
        _ => Verdict::Unknown("the helper process broke off".to_owned()),
    }
}

/// What is left of a search that found nobody.
#[derive(Default)]
struct Search {
    /// A file could not be read.
    trouble: Option<Verdict>,
    /// The first password of all.
    other: Option<(Vec<u8>, PasswordKind)>,
}

impl Search {
    /// Takes as long as if the first password had been this user's, so that nobody learns by the clock who is known.
    fn pass_time(&self, given: &Given) {
        if let Some((secret, kind)) = &self.other {
            let _ = is_password(&given.password, secret, *kind);
        }
    }
}

/// The first file that has the user decides.
fn by_files(given: &Given, files: &[PasswordFile]) -> Result<Verdict, Search> {
    let is_meant = |file: &&PasswordFile| {
        file.users.is_empty() || file.users.iter().any(|user| user.as_bytes() == given.name.as_slice())
    };
    let mut search = Search::default();
    for file in files.iter().filter(is_meant) {
        let place = file.path.display();
        let text = match read(&file.path) {
            Ok(text) => text,
            Err(why) => {
                search.trouble = Some(Verdict::Unknown(format!("{place}: {why}")));
                continue;
            }
        };
        if is_unusable(&text, file.kind, &given.name) {
            return Ok(Verdict::Denied(Denial::WrongPassword(given.shown())));
        }
        let mut entries = passwords::lines(&text, file.kind).filter_map(|(_, entry)| entry.ok()).peekable();
        if search.other.is_none() {
            search.other = entries.peek().map(|entry| (entry.secret.to_vec(), file.kind));
        }
        if let Some(entry) = entries.find(|entry| same(entry.user, &given.name)) {
            return Ok(match is_password(&given.password, entry.secret, file.kind) {
                Ok(true) => Verdict::Proved(User { name: given.shown(), read_only: false }),
                Ok(false) => Verdict::Denied(Denial::WrongPassword(given.shown())),
                Err(why) => Verdict::Unknown(format!("{place}: {why}")),
            });
        }
    }
    Err(search)
}

/// Whether the user's first line is there and its password of no kind that could be proved.
fn is_unusable(text: &[u8], kind: PasswordKind, name: &[u8]) -> bool {
    let of_user = |line: &&[u8]| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(b":"));
    let first = text.split(|byte| *byte == b'\n').find(of_user);
    first.is_some_and(|line| passwords::lines(line, kind).any(|(_, entry)| entry.is_err()))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    Machine.read(path, passwords::FILE_MAX).map_err(|error| error.to_string())
}

fn is_password(password: &[u8], secret: &[u8], kind: PasswordKind) -> Result<bool, String> {
    if password.is_empty() {
        return Ok(false);
    }
    if kind == PasswordKind::ClearText {
        return Ok(same(secret, password));
    }
    let setting = std::str::from_utf8(secret).unwrap_or_default();
    let hash = match md5crypt::password_hash(password, setting).map_err(|error| error.to_string())? {
        Some(hash) => Some(hash.into_bytes()),
        None => crypt::crypt(password, secret)?,
    };
    Ok(hash.is_some_and(|hash| same(secret, &hash)))
}

/// A member of several groups gets the most that one of them may.
fn by_groups(given: &Given, groups: &[AllowGroup], host: Option<&str>) -> Option<Verdict> {
    let name = std::str::from_utf8(&given.name).ok().filter(|name| !name.is_empty())?;
    let mine: Vec<&AllowGroup> =
        groups.iter().filter(|group| account::is_member(name, &group.group) == Some(true)).collect();
    if mine.is_empty() {
        return None;
    }
    let read_only = mine.iter().all(|group| group.read_only);
    let denied = |denial| Some(Verdict::Denied(denial));
    if given.password.is_empty() {
        return denied(Denial::WrongPassword(given.shown()));
    }
    match pam::check(SERVICE, &given.name, &given.password, host) {
        Ok(()) => Some(Verdict::Proved(User { name: name.to_owned(), read_only })),
        Err(PamError::Password) => denied(Denial::WrongPassword(given.shown())),
        Err(PamError::Account(why)) => denied(Denial::Account(given.shown(), why)),
        Err(error @ PamError::Unusable(_)) => Some(Verdict::Unknown(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn a_verdict_survives_its_way_through_the_pipe_and_a_torn_one_is_none() {
        let given = Given { name: b"anna".to_vec(), password: b"secret".to_vec() };
        let user = |read_only| Verdict::Proved(User { name: "anna".into(), read_only });
        assert_eq!(verdict(b"in 0", &given), user(false));
        assert_eq!(verdict(b"in 1", &given), user(true));
        assert_eq!(verdict(b"wrong", &given), Verdict::Denied(Denial::WrongPassword("anna".into())));
        assert_eq!(verdict(b"account a b", &given), Verdict::Denied(Denial::Account("anna".into(), "a b".into())));
        assert_eq!(verdict(b"trouble x", &given), Verdict::Unknown("x".into()));
        for torn in [&b""[..], b"i", b"in", b"in ", b"in 2", b"wron", b"\xff"] {
            assert!(matches!(verdict(torn, &given), Verdict::Unknown(_)), "{torn:?}");
        }
    }

    #[test]
    fn a_file_that_is_gone_hides_no_other() {
        let path = std::env::temp_dir().join(format!("pollux-prove-{}", std::process::id()));
        std::fs::write(&path, "anna:secret\nanna:second\notto:\n").unwrap();
        let file = |path: PathBuf, users: &[&str]| PasswordFile {
            kind: PasswordKind::ClearText,
            path,
            users: users.iter().map(|user| (*user).to_owned()).collect(),
        };
        let asked = |user: &str, password: &str, files: &[PasswordFile]| {
            let given = Given { name: user.into(), password: password.into() };
            String::from_utf8(prove(&given, files, &[], None)).unwrap()
        };
        let gone = || file("/nonexistent/pw".into(), &[]);
        let both = [gone(), file(path.clone(), &[])];
        assert_eq!(asked("anna", "secret", &both), "in 0");
        assert_eq!(asked("anna", "second", &both), "wrong", "the first line counts");
        assert_eq!(asked("otto", "", &both), "wrong", "the user has no password");
        assert!(asked("eva", "secret", &both).starts_with("trouble /nonexistent/pw: "));
        assert_eq!(asked("eva", "secret", &both[1..]), "unknown");
        assert_eq!(asked("anna", "secret", &[file(path.clone(), &["otto"])]), "unknown");
        assert_eq!(asked("anna", "secret", &[file(path.clone(), &["otto", "anna"])]), "in 0");
        std::fs::remove_file(path).unwrap();
    }
}
