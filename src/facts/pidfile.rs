//! What a service's pidfile says.

use std::fmt;

use crate::base::process::Pid;

/// Bytes of a pidfile that are looked at: more than any number needs, less than one block.
pub const PIDFILE_HEAD: usize = 64;

/// What a path turned out to be instead of a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names of stat(2)
pub enum FileKind {
    Directory,
    Fifo,
    Socket,
    CharacterDevice,
    BlockDevice,
    Other,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileKind::Directory => "a directory",
            FileKind::Fifo => "a FIFO",
            FileKind::Socket => "a socket",
            FileKind::CharacterDevice => "a character device",
            FileKind::BlockDevice => "a block device",
            FileKind::Other => "no regular file",
        })
    }
}

/// Why a pidfile leads to no process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PidfileProblem {
    /// No such file, or no such directory on the way to it.
    Missing,
    /// Not a regular file.
    NotRegular(FileKind),
    /// It may not be read; the system's words.
    Unreadable(String),
    /// Nothing in it but blanks.
    Empty,
    /// It does not begin with a number.
    NotANumber,
    /// The number, as written, is no process number: zero, negative, or too large.
    OutOfRange(String),
    /// The number is 1. No service is process 1 of the machine it is started on, but a pidfile whose writer was
    /// interrupted often says 1 (`1` of `1234`). A container's first process can be watched with `matching`.
    Init,
    /// The number is this program's own: a stale pidfile whose number came around to us.
    Own,
}

impl fmt::Display for PidfileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PidfileProblem::Missing => f.write_str("pidfile does not exist"),
            PidfileProblem::NotRegular(kind) => write!(f, "pidfile is {kind}"),
            PidfileProblem::Unreadable(why) => write!(f, "pidfile cannot be read: {why}"),
            PidfileProblem::Empty => f.write_str("pidfile is empty"),
            PidfileProblem::NotANumber => f.write_str("pidfile does not begin with a number"),
            PidfileProblem::OutOfRange(number) => {
                write!(f, "pidfile holds {number}, which is no process number")
            }
            PidfileProblem::Init => f.write_str("pidfile holds 1, the number of init, which is no service"),
            PidfileProblem::Own => f.write_str("pidfile holds the process number of pollux itself"),
        }
    }
}

/// What a look at a pidfile showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Its first [`PIDFILE_HEAD`] bytes.
    Head(Vec<u8>),
    /// There is nothing to read.
    Problem(PidfileProblem),
    /// The system failed, which says nothing about the file; its words.
    Failed(String),
}

/// The process a pidfile that begins with `head` names: its first integer, blanks before it allowed, anything after it
/// ignored (PostgreSQL writes more lines). `own` is this program's number.
///
/// # Errors
/// The content's problems of [`PidfileProblem`].
pub fn parse(head: &[u8], own: Pid) -> Result<Pid, PidfileProblem> {
    let text = head.trim_ascii_start();
    if text.is_empty() {
        return Err(PidfileProblem::Empty);
    }
    let (sign, rest) = match text {
        [b'-', rest @ ..] => ("-", rest),
        [b'+', rest @ ..] => ("", rest),
        rest => ("", rest),
    };
    let digits: String = rest.iter().take_while(|b| b.is_ascii_digit()).map(|b| char::from(*b)).collect();
    if digits.is_empty() {
        return Err(PidfileProblem::NotANumber);
    }
    match format!("{sign}{digits}").parse().ok().and_then(Pid::new) {
        None => Err(PidfileProblem::OutOfRange(format!("{sign}{digits}"))),
        Some(pid) if pid == own => Err(PidfileProblem::Own),
        Some(pid) if pid.get() == 1 => Err(PidfileProblem::Init),
        Some(pid) => Ok(pid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(head: &[u8]) -> Result<i32, PidfileProblem> {
        parse(head, Pid::new(4711).unwrap()).map(Pid::get)
    }

    #[test]
    fn the_first_integer_counts() {
        assert_eq!(parsed(b"123\n"), Ok(123));
        assert_eq!(parsed(b" \n\t+123"), Ok(123));
        assert_eq!(parsed(b"123\n/var/db/postgres\n1700000000\n"), Ok(123));
        assert_eq!(parsed(b"123abc"), Ok(123));
        assert_eq!(parsed(b"2147483647"), Ok(i32::MAX));
    }

    #[test]
    fn what_names_no_service_is_refused_with_its_reason() {
        let out = |text: &str| Err(PidfileProblem::OutOfRange(text.into()));
        assert_eq!(parsed(b""), Err(PidfileProblem::Empty));
        assert_eq!(parsed(b" \n\n"), Err(PidfileProblem::Empty));
        assert_eq!(parsed(b"pid=12"), Err(PidfileProblem::NotANumber));
        assert_eq!(parsed(b"-"), Err(PidfileProblem::NotANumber));
        assert_eq!(parsed(b"\0\0\0\0"), Err(PidfileProblem::NotANumber));
        assert_eq!(parsed(b"0\n"), out("0"));
        assert_eq!(parsed(b"-1"), out("-1"));
        assert_eq!(parsed(b"99999999999"), out("99999999999"));
        assert_eq!(parsed(b"2147483648"), out("2147483648"));
        assert_eq!(parsed(b"1"), Err(PidfileProblem::Init));
        assert_eq!(parsed(b"4711"), Err(PidfileProblem::Own));
    }
}
