//! Passwords that files and the system know. Reading a file, a hash that takes long on purpose, PAM: all of it may take its
//! time, so it runs in a helper child, which sends its verdict as a line of text.

use std::path::Path;

use crate::base::md5;
use crate::config::load::Machine;
use crate::config::passwords::{self, Entry};
use crate::config::world::World;
use crate::config::{AllowGroup, PasswordFile, PasswordKind};
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

/// The helper's work: the first file that has the user decides; then the groups do.
pub(super) fn prove(given: &Given, files: &[PasswordFile], groups: &[AllowGroup], host: Option<&str>) -> Vec<u8> {
    let verdict = by_files(given, files).or_else(|| by_groups(given, groups, host));
    let line = match verdict.unwrap_or_else(|| Verdict::Denied(Denial::UnknownUser(String::new()))) {
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

fn by_files(given: &Given, files: &[PasswordFile]) -> Option<Verdict> {
    let is_meant = |file: &&PasswordFile| {
        file.users.is_empty() || file.users.iter().any(|user| user.as_bytes() == given.name.as_slice())
    };
    let mut trouble = None;
    for file in files.iter().filter(is_meant) {
        match by_file(given, file) {
            Ok(None) => {}
            Ok(Some(verdict)) => return Some(verdict),
            Err(why) => trouble = Some(Verdict::Unknown(format!("{}: {why}", file.path.display()))),
        }
    }
    trouble
}

/// `None` when the file has no such user; then as much time has been spent as if it had.
fn by_file(given: &Given, file: &PasswordFile) -> Result<Option<Verdict>, String> {
    let text = read(&file.path)?;
    let entries: Vec<Entry<'_>> = passwords::lines(&text, file.kind).filter_map(|(_, entry)| entry.ok()).collect();
    let found = entries.iter().find(|entry| same(entry.user, &given.name));
    let Some(entry) = found.or(entries.first()) else { return Ok(None) };
    let proved = is_password(&given.password, entry.secret, file.kind)?;
    Ok(found.map(|_| match proved {
        true => Verdict::Proved(User { name: given.shown(), read_only: false }),
        false => Verdict::Denied(Denial::WrongPassword(given.shown())),
    }))
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
    let hash = std::str::from_utf8(secret).ok().and_then(|setting| md5::password_hash(password, setting));
    let hash = match hash {
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
