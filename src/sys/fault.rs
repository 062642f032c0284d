//! The fault switch: makes named system calls fail, so that tests reach what a full disk or an exhausted descriptor table
//! does. Builds with `debug_assertions` obey the environment variable `POLLUX_FAULT`; in release builds [`check`] is empty.
//!
//! ```text
//! POLLUX_FAULT = fault { "," fault }
//! fault        = CALL [ "@" FIRST ] "=" ERRNO [ ":" TIMES ]
//! ```
//!
//! CALL is a word of the table below. ERRNO is a name such as `ENOSPC`, or a number. Calls before the FIRST one (counted
//! from 1, default 1) pass; then TIMES calls fail (default: all that follow), and the rest pass again. So `rename=ENOSPC`
//! fails every rename, `open@3=EMFILE:1` only the third open, `write=ENOSPC:2` the first two writes. When several faults
//! name a call, the first that applies decides.
//!
//! Each thread counts for itself, and a child goes on from its parent's count. A value that does not follow the grammar
//! makes every checked call fail with a message that says so: a test that misspells a fault must not pass.

use std::io;

macro_rules! calls {
    ($($(#[$doc:meta])* $call:ident $word:literal;)*) => {
        /// A system call, or a group of them, that can be made to fail. Its word is the name in lower case.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Call {
            $($(#[$doc])* $call,)*
        }

        impl Call {
            /// All of them.
            pub const ALL: &[Call] = &[$(Call::$call,)*];

            /// The name in `POLLUX_FAULT`.
            pub fn word(self) -> &'static str {
                match self {
                    $(Call::$call => $word,)*
                }
            }
        }
    };
}

calls! {
    /// open(2) of anything but the process table.
    Open "open";
    /// read(2) of a file.
    Read "read";
    /// write(2) to a file.
    Write "write";
    /// rename(2).
    Rename "rename";
    /// fsync(2).
    Fsync "fsync";
    /// unlink(2).
    Unlink "unlink";
    /// flock(2) or fcntl(2) locks.
    Lock "lock";
    /// fork(2).
    Fork "fork";
    /// pipe(2).
    Pipe "pipe";
    /// bind(2).
    Bind "bind";
    /// accept(2).
    Accept "accept";
    /// Reading the process table: one file of /proc, or one sysctl(3).
    ReadProc "readproc";
    /// Watching a process for its end: pidfd_open(2), or kevent(2) with EVFILT_PROC.
    Watch "watch";
    /// initgroups(3) or setgroups(2) of a program that runs as somebody else.
    SetGroups "setgroups";
    /// Its setgid(2).
    SetGid "setgid";
    /// Its setuid(2).
    SetUid "setuid";
}

/// Whether the call may go on: the error that `POLLUX_FAULT` asks for, or `Ok`.
///
/// # Errors
/// The injected one.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn check(_: Call) -> io::Result<()> {
    Ok(())
}

#[cfg(debug_assertions)]
pub use switch::{check, set};

#[cfg(debug_assertions)]
mod switch {
    use super::{Call, io};
    use std::cell::RefCell;

    /// Names of errors that tests ask for; anything else is written as a number.
    const ERRORS: &[(&str, i32)] = &[
        ("EACCES", libc::EACCES),
        ("EADDRINUSE", libc::EADDRINUSE),
        ("EAGAIN", libc::EAGAIN),
        ("EBADF", libc::EBADF),
        ("EBUSY", libc::EBUSY),
        ("ECONNABORTED", libc::ECONNABORTED),
        ("EDQUOT", libc::EDQUOT),
        ("EEXIST", libc::EEXIST),
        ("EFBIG", libc::EFBIG),
        ("EINTR", libc::EINTR),
        ("EINVAL", libc::EINVAL),
        ("EIO", libc::EIO),
        ("EISDIR", libc::EISDIR),
        ("ELOOP", libc::ELOOP),
        ("EMFILE", libc::EMFILE),
        ("ENAMETOOLONG", libc::ENAMETOOLONG),
        ("ENFILE", libc::ENFILE),
        ("ENOBUFS", libc::ENOBUFS),
        ("ENOENT", libc::ENOENT),
        ("ENOMEM", libc::ENOMEM),
        ("ENOSPC", libc::ENOSPC),
        ("ENOTDIR", libc::ENOTDIR),
        ("EPERM", libc::EPERM),
        ("EPIPE", libc::EPIPE),
        ("EROFS", libc::EROFS),
        ("ESRCH", libc::ESRCH),
        ("ESTALE", libc::ESTALE),
        ("ETIMEDOUT", libc::ETIMEDOUT),
    ];

    /// One fault and what is left of it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) struct Fault {
        pub(super) call: Call,
        pub(super) errno: i32,
        /// Calls that pass before it begins.
        pub(super) pass: u64,
        /// Calls that fail then; `None`: all.
        pub(super) times: Option<u64>,
    }

    thread_local! {
        /// `None` until the environment was looked at.
        static PLAN: RefCell<Option<Result<Vec<Fault>, String>>> = const { RefCell::new(None) };
    }

    /// Replaces this thread's faults by those `text` names, as if `POLLUX_FAULT` had said so; an empty text ends them.
    pub fn set(text: &str) {
        PLAN.with(|plan| *plan.borrow_mut() = Some(parse(text)));
    }

    /// Whether the call may go on: the error that `POLLUX_FAULT` asks for, or `Ok`.
    ///
    /// # Errors
    /// The injected one.
    pub fn check(call: Call) -> io::Result<()> {
        PLAN.with(|plan| {
            let mut plan = plan.borrow_mut();
            let plan = plan.get_or_insert_with(|| match std::env::var("POLLUX_FAULT") {
                Ok(text) => parse(&text),
                Err(std::env::VarError::NotPresent) => Ok(Vec::new()),
                Err(error) => Err(error.to_string()),
            });
            match plan {
                Err(problem) => Err(io::Error::other(format!("POLLUX_FAULT: {problem}"))),
                Ok(faults) => match faults.iter_mut().fold(None, |errno, fault| errno.or(fault.meet(call))) {
                    Some(errno) => Err(io::Error::from_raw_os_error(errno)),
                    None => Ok(()),
                },
            }
        })
    }

    impl Fault {
        /// Counts a call; its errno when it fails.
        fn meet(&mut self, call: Call) -> Option<i32> {
            if call != self.call {
                return None;
            }
            if self.pass > 0 {
                self.pass -= 1;
                return None;
            }
            match &mut self.times {
                None => Some(self.errno),
                Some(0) => None,
                Some(left) => {
                    *left -= 1;
                    Some(self.errno)
                }
            }
        }
    }

    pub(super) fn parse(text: &str) -> Result<Vec<Fault>, String> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        text.split(',').map(fault).collect()
    }

    fn fault(text: &str) -> Result<Fault, String> {
        let (site, error) = text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`"))?;
        let (word, first) = site.split_once('@').unwrap_or((site, "1"));
        let (error, times) = match error.split_once(':') {
            None => (error, None),
            Some((error, times)) => (error, Some(times)),
        };
        let call = Call::ALL.iter().find(|call| call.word() == word);
        let number = |text: &str| text.parse::<u64>().ok().filter(|n| *n > 0);
        Ok(Fault {
            call: *call.ok_or_else(|| format!("no call is named `{word}`"))?,
            errno: match ERRORS.iter().find(|(name, _)| *name == error) {
                Some((_, errno)) => *errno,
                None => error
                    .parse()
                    .ok()
                    .filter(|errno| *errno > 0)
                    .ok_or_else(|| format!("no error is named `{error}`"))?,
            },
            pass: number(first).ok_or_else(|| format!("`{first}` does not count calls"))? - 1,
            times: match times {
                None => None,
                Some(times) => Some(number(times).ok_or_else(|| format!("`{times}` does not count calls"))?),
            },
        })
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    fn errors(call: Call, count: usize) -> Vec<Option<i32>> {
        (0..count).map(|_| check(call).err().and_then(|e| e.raw_os_error())).collect()
    }

    #[test]
    fn a_fault_begins_lasts_and_ends_as_asked() {
        set("rename=ENOSPC,open@3=EMFILE:1,write=28:2");
        assert_eq!(errors(Call::Rename, 2), [Some(libc::ENOSPC); 2]);
        assert_eq!(errors(Call::Open, 4), [None, None, Some(libc::EMFILE), None]);
        assert_eq!(errors(Call::Write, 3), [Some(28), Some(28), None]);
        assert_eq!(errors(Call::Fork, 1), [None]);
        set("");
        assert_eq!(errors(Call::Rename, 1), [None]);
    }

    #[test]
    fn a_misspelt_fault_fails_every_call_and_says_so() {
        for (text, part) in [
            ("renam=ENOSPC", "no call is named `renam`"),
            ("rename", "`rename` has no `=`"),
            ("rename=ENOSPACE", "no error is named `ENOSPACE`"),
            ("rename=-1", "no error is named `-1`"),
            ("rename@0=EIO", "`0` does not count calls"),
            ("rename=EIO:x", "`x` does not count calls"),
            ("rename=EIO,", "`` has no `=`"),
        ] {
            set(text);
            let message = check(Call::Fsync).unwrap_err().to_string();
            assert_eq!(message, format!("POLLUX_FAULT: {part}"));
        }
        set("");
    }

    #[test]
    fn words_are_distinct() {
        let words: std::collections::HashSet<_> = Call::ALL.iter().map(|call| call.word()).collect();
        assert_eq!(words.len(), Call::ALL.len());
    }
}
