//! The lines of password files.

use std::fmt;

use super::built::HASHES;
use super::model::PasswordKind;
use crate::base::digest::MD5_MAGICS;

/// Most bytes of a password file.
pub const FILE_MAX: u64 = 1024 * 1024;

/// A user of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name.
    pub user: &'a [u8],
    /// The password or its hash.
    pub secret: &'a [u8],
}

/// Why a line lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// No colon.
    NoColon,
    /// Nothing in front of it.
    NoUser,
    /// Nothing behind it.
    NoPassword,
    /// Not a hash of MD5.
    NotMd5,
    /// Not a hash that crypt(3) may know.
    NotCrypt,
    /// A hash of MD5, which this program cannot compute.
    NotBuilt,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Bad::NoColon => "it has no ':'",
            Bad::NoUser => "it has no user",
            Bad::NoPassword => "it has no password",
            Bad::NotMd5 => "its password is no MD5 hash, which begins with $apr1$ or $1$",
            Bad::NotCrypt => "its password is no hash of crypt(3)",
            Bad::NotBuilt => "this pollux was built without OpenSSL, which computes MD5",
        })
    }
}

/// The lines of a file with their numbers; empty ones and comments, which begin with `#`, are left out.
pub fn lines(text: &[u8], kind: PasswordKind) -> impl Iterator<Item = (usize, Result<Entry<'_>, Bad>)> {
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let wanted = lines.enumerate().filter(|(_, line)| !line.trim_ascii().is_empty() && !line.starts_with(b"#"));
    wanted.map(move |(place, line)| (place + 1, entry(line, kind)))
}

fn entry(line: &[u8], kind: PasswordKind) -> Result<Entry<'_>, Bad> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Bad::NoColon)?;
    let (user, rest) = line.split_at(colon);
    let secret = rest.get(1..).unwrap_or_default();
    if user.is_empty() {
        return Err(Bad::NoUser);
    }
    if secret.is_empty() {
        return Err(Bad::NoPassword);
    }
    let is_md5 = MD5_MAGICS.iter().any(|magic| secret.starts_with(magic.as_bytes()));
    match kind {
        PasswordKind::Md5 if !is_md5 => Err(Bad::NotMd5),
        PasswordKind::Crypt if !is_crypt(secret) => Err(Bad::NotCrypt),
        PasswordKind::Md5 | PasswordKind::Crypt if is_md5 && !HASHES => Err(Bad::NotBuilt),
        _ => Ok(Entry { user, secret }),
    }
}

/// `$…`, or one of the two hashes of DES, of 13 letters and of 20 with `_` in front (crypt(5)).
fn is_crypt(secret: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"./".contains(byte);
    match secret {
        [b'$', ..] => true,
        [b'_', rest @ ..] => rest.len() == 19 && rest.iter().all(is_letter),
        secret => secret.len() == 13 && secret.iter().all(is_letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_names_and_passwords_and_what_is_none_says_why() {
        let text = b"# users\n\na:b:c\r\n  \nbad line\n:x\ne:\nx y: z";
        let expected = [
            (3, Ok(Entry { user: b"a", secret: b"b:c" })),
            (5, Err(Bad::NoColon)),
            (6, Err(Bad::NoUser)),
            (7, Err(Bad::NoPassword)),
            (8, Ok(Entry { user: b"x y", secret: b" z" })),
        ];
        assert_eq!(lines(text, PasswordKind::ClearText).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn hashes_are_of_the_kind_that_was_promised() {
        for (secret, md5, crypt) in [
            ("$apr1$a$b", HASHES, HASHES),
            ("$1$a$b", HASHES, HASHES),
            ("$6$a$b", false, true),
            ("$2y$05$x", false, true),
            ("$y$j9T$x$y", false, true),
            ("aba/A2/wC9TVk", false, true),
            ("_J9..rasmBYk8r9AiWNc", false, true),
            ("plain", false, false),
            ("{SHA}x", false, false),
            ("*", false, false),
        ] {
            let line = format!("u:{secret}");
            let is_good = |kind| lines(line.as_bytes(), kind).all(|(_, entry)| entry.is_ok());
            assert_eq!((is_good(PasswordKind::Md5), is_good(PasswordKind::Crypt)), (md5, crypt), "{secret}");
        }
    }
}
