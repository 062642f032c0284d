//! Who is asking: Basic authentication (RFC 7617). Pure.

use std::fmt;

use crate::base::base64;
use crate::base::escape;
use crate::config::Credential;

/// Characters of a user's name that a message shows.
const SHOWN: usize = 64;

/// A user who has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// May look, may not act.
    pub read_only: bool,
}

/// Why a request is not let in. Displays in the words that login watchers (fail2ban) know; the name is cut and cannot
/// end the quotation, so that nobody escapes their patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// No `Authorization`, as browsers ask first.
    Missing,
    /// Another scheme, bad base64, or no colon.
    Malformed,
    /// No such user.
    UnknownUser(String),
    /// The user exists.
    WrongPassword(String),
    /// The password is right, but the account may not be used: who, and why not.
    Account(String, String),
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denial::Missing => f.write_str("no credentials"),
            Denial::Malformed => f.write_str("malformed credentials"),
            Denial::UnknownUser(name) => write!(f, "unknown user '{}'", shown(name)),
            Denial::Account(name, why) => {
                write!(f, "account of user '{}' may not be used: {}", shown(name), escape::log_line(why))
            }
            Denial::WrongPassword(name) => write!(f, "wrong password for user '{}'", shown(name)),
        }
    }
}

fn shown(name: &str) -> String {
    let cut: String = name.chars().take(SHOWN).collect();
    escape::log_line(&cut).replace('\'', "\\x27")
}

/// What somebody says to be let in.
#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    /// The name.
    pub name: Vec<u8>,
    /// The password; never shown.
    pub password: Vec<u8>,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({})", self.shown())
    }
}

impl Given {
    /// The name as far as it is text.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }
}

/// What the value of the header `Authorization` says.
///
/// # Errors
/// [`Denial::Missing`], [`Denial::Malformed`].
pub fn given(header: Option<&[u8]>) -> Result<Given, Denial> {
    let header = header.ok_or(Denial::Missing)?.trim_ascii();
    let (scheme, token) = header.split_at_checked(6).ok_or(Denial::Malformed)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return Err(Denial::Malformed);
    }
    let plain = base64::decode(token.trim_ascii()).ok_or(Denial::Malformed)?;
    let colon = plain.iter().position(|byte| *byte == b':').ok_or(Denial::Malformed)?;
    let (name, password) = plain.split_at(colon);
    Ok(Given { name: name.to_vec(), password: password.get(1..).unwrap_or_default().to_vec() })
}

/// Finds the user whom the value of the header `Authorization` proves. All of `users` are compared, each in a time that
/// depends on lengths alone. A user without a password is never let in.
///
/// # Errors
/// Why not.
pub fn authenticate(header: Option<&[u8]>, users: &[Credential]) -> Result<User, Denial> {
    let given = given(header)?;
    let mut known = false;
    let mut proved = None;
    for user in users {
        let same_name = same(user.user.as_bytes(), &given.name);
        let same_password = same(user.password.as_bytes(), &given.password) & !user.password.is_empty();
        known |= same_name;
        if same_name & same_password {
            proved = Some(user);
        }
    }
    match proved {
        Some(user) => Ok(User { name: user.user.clone(), read_only: user.read_only }),
        None if known => Err(Denial::WrongPassword(given.shown())),
        None => Err(Denial::UnknownUser(given.shown())),
    }
}

/// Compares without telling by the time it takes where the first difference is.
pub(super) fn same(expected: &[u8], given: &[u8]) -> bool {
    let mut difference = u8::from(expected.len() != given.len());
    for (place, byte) in given.iter().enumerate() {
        difference |= byte ^ expected.get(place).copied().unwrap_or(0);
    }
    std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Vec<Credential> {
        let user = |user: &str, password: &str, read_only| Credential {
            user: user.to_owned(),
            password: password.to_owned(),
            read_only,
        };
        vec![user("adm", "secret:word", false), user("ro", "x", true), user("nopass", "", false)]
    }

    fn basic(plain: &[u8]) -> Result<User, Denial> {
        authenticate(Some(format!("Basic {}", base64::encode(plain)).as_bytes()), &users())
    }

    #[test]
    fn users_are_let_in_by_name_and_password() {
        assert_eq!(basic(b"adm:secret:word"), Ok(User { name: "adm".into(), read_only: false }));
        assert_eq!(basic(b"ro:x"), Ok(User { name: "ro".into(), read_only: true }));
        let token = base64::encode(b"ro:x");
        assert!(authenticate(Some(format!(" bAsIc   {token}  ").as_bytes()), &users()).is_ok());
    }

    #[test]
    fn everybody_else_is_not() {
        assert_eq!(basic(b"adm:secret:wor"), Err(Denial::WrongPassword("adm".into())));
        assert_eq!(basic(b"adm:secret:word\0"), Err(Denial::WrongPassword("adm".into())));
        assert_eq!(basic(b"ro:secret:word"), Err(Denial::WrongPassword("ro".into())));
        assert_eq!(basic(b"nopass:"), Err(Denial::WrongPassword("nopass".into())));
        assert_eq!(basic(b"ADM:secret:word"), Err(Denial::UnknownUser("ADM".into())));
        assert_eq!(basic(b":"), Err(Denial::UnknownUser(String::new())));
        assert_eq!(basic(b"adm"), Err(Denial::Malformed));
        for header in [
            "",
            "Basic",
            "Basic ",
            "Basic !!!",
            "Basic YWJj",
            "Bearer YWJjOng=",
            "BasicYWJjOng=",
            "\u{e9}\u{e9}\u{e9}\u{e9}",
        ] {
            assert_eq!(authenticate(Some(header.as_bytes()), &users()), Err(Denial::Malformed), "{header}");
        }
        assert_eq!(authenticate(None, &users()), Err(Denial::Missing));
    }

    #[test]
    fn a_name_cannot_break_out_of_its_message() {
        let text = Denial::UnknownUser(format!("a'\n\u{1b}[0m{}", "x".repeat(16 * 1024))).to_string();
        assert!(text.starts_with("unknown user 'a\\x27\\n\\x1b[0mxxx"), "{text}");
        assert!(text.len() < 100 && text.ends_with("x'"));
    }
}
