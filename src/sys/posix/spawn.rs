//! Programs: fork, wait to be released, become somebody else, exec.
//!
//! The child is forked first and held at a gate (a pipe). The parent writes its identity into the journal and opens the
//! gate; if the parent dies before that, the child reads end of file and exits without ever running the program. So a
//! program that runs is always a program the journal knows.

use std::ffi::{CString, OsStr};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

use super::errno::cerr;
use super::signal;
use crate::base::process::Pid;
use crate::sys::fault::{self, Call};
use crate::sys::platform;

/// Exit status of a child whose gate never opened, or that could not become the target user.
pub const NOT_RUN: i32 = 126;
/// Exit status of a child whose program could not be executed.
pub const NOT_EXECUTED: i32 = 127;

/// Why `program` was never executed, if that is what its exit status and what it printed say: the words of the child that
/// should have become it. `None` when it ran.
pub fn why_not_executed<'p>(program: &OsStr, status: Option<i32>, printed: &'p str) -> Option<&'p str> {
    let told = printed.strip_prefix("pollux: cannot ")?;
    match status? {
        NOT_RUN => told.strip_prefix("become ").and(printed.strip_prefix("pollux: ")),
        NOT_EXECUTED => {
            let why = told.strip_prefix("execute ")?.strip_prefix(&*program.to_string_lossy());
            // The path alone may be longer than what is kept of an output.
            Some(why.and_then(|why| why.strip_prefix(": ")).unwrap_or("it cannot be executed"))
        }
        _ => None,
    }
}

/// Everything the child needs, made ready before the fork, so that the child allocates nothing.
#[derive(Debug)]
pub struct Spec {
    argv: Vec<CString>,
    environment: Vec<CString>,
    credentials: Option<Credentials>,
}

/// Who the program runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Real and effective user; `None` keeps ours.
    pub uid: Option<u32>,
    /// Primary group.
    pub gid: u32,
    /// Name for initgroups(3); without one the primary group is the only group.
    pub name: Option<CString>,
}

impl Spec {
    /// Prepares a program: its path and arguments, its whole environment as pairs, and who it runs as.
    ///
    /// # Errors
    /// A NUL byte in an argument, or no argument at all.
    pub fn new<'a>(
        argv: impl IntoIterator<Item = &'a OsStr>,
        environment: impl IntoIterator<Item = (String, String)>,
        credentials: Option<Credentials>,
    ) -> io::Result<Spec> {
        let argv = argv.into_iter().map(|word| CString::new(word.as_bytes())).collect::<Result<Vec<_>, _>>()?;
        if argv.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program"));
        }
        let environment = environment
            .into_iter()
            .map(|(name, value)| CString::new(format!("{name}={}", value.replace('\0', ""))))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Spec { argv, environment, credentials })
    }
}

/// A child that waits at its gate. Dropping it makes the child exit without running anything.
#[derive(Debug)]
pub struct Held {
    pid: Pid,
    gate: OwnedFd,
}

impl Held {
    /// The child's number, which is also its process group and session.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Lets the child run its program.
    ///
    /// # Errors
    /// The child is gone already.
    pub fn release(self) -> io::Result<()> {
        std::fs::File::from(self.gate).write_all(b"g")
    }
}

/// Forks a child that will run `spec` once released: in its own session, standard input from /dev/null, standard output
/// and error to `output` (/dev/null without one), default signals, no other descriptors, working directory `/`, umask 022.
///
/// # Errors
/// No process (EAGAIN, ENOMEM) or no descriptor left.
pub fn hold(spec: &Spec, output: Option<RawFd>) -> io::Result<Held> {
    let null = super::fd::dev_null()?;
    let (gate_read, gate_write) = signal::pipe()?;
    let output = output.unwrap_or(null.as_raw_fd());
    let argv = pointers(&spec.argv);
    let environment = pointers(&spec.environment);
    // Asked before the fork, because the child must not allocate.
    let refused = [Call::SetGroups, Call::SetGid, Call::SetUid].map(|call| {
        let injected = spec.credentials.as_ref().and_then(|_| fault::check(call).err());
        injected.map(|error| error.raw_os_error().unwrap_or(libc::EPERM))
    });
    fault::check(Call::Fork)?;
    // SAFETY: the daemon has one thread, and the child only makes async-signal-safe calls (plus initgroups, whose locks
    // nobody else can hold) before it execs or exits.
    let pid = cerr(unsafe { libc::fork() })?;
    if pid == 0 {
        child(&Child {
            argv: &argv,
            environment: &environment,
            credentials: spec.credentials.as_ref(),
            refused,
            null: null.as_raw_fd(),
            output,
            gate: gate_read.as_raw_fd(),
        });
    }
    match Pid::new(pid) {
        Some(pid) => Ok(Held { pid, gate: gate_write }),
        None => Err(io::Error::other("fork returned no process number")),
    }
}

fn pointers(words: &[CString]) -> Vec<*const libc::c_char> {
    words.iter().map(|word| word.as_ptr()).chain(std::iter::once(std::ptr::null())).collect()
}

struct Child<'a> {
    argv: &'a [*const libc::c_char],
    environment: &'a [*const libc::c_char],
    credentials: Option<&'a Credentials>,
    /// Errors that tests ask for in place of setgroups, setgid and setuid.
    refused: [Option<i32>; 3],
    null: RawFd,
    output: RawFd,
    gate: RawFd,
}

/// Where the gate's read end stands in the child.
const GATE: RawFd = 3;

/// The child's whole life. Every line must be async-signal-safe.
fn child(plan: &Child<'_>) -> ! {
    // SAFETY: plain system calls on descriptors this process owns, and on pointers that were made before the fork and are
    // still valid in this copy of the address space. `_exit` runs no destructors of the parent's.
    unsafe {
        libc::setsid();
        libc::dup2(plan.null, 0);
        libc::dup2(plan.output, 1);
        libc::dup2(plan.output, 2);
        if plan.gate == GATE {
            // keeps its close-on-exec flag
        } else {
            libc::dup2(plan.gate, GATE);
            libc::fcntl(GATE, libc::F_SETFD, libc::FD_CLOEXEC);
        }
        platform::descriptor::close_from(GATE + 1);
        let mut byte = 0u8;
        loop {
            match libc::read(GATE, (&raw mut byte).cast(), 1) {
                1 => break,
                -1 if *super::errno::location() == libc::EINTR => continue,
                _ => libc::_exit(NOT_RUN),
            }
        }
        libc::close(GATE);
        signal::reset_in_child();
        libc::umask(0o022);
        libc::chdir(c"/".as_ptr());
        if let Some(credentials) = plan.credentials
            && !become_user(credentials, plan.refused)
        {
            say(&[b"pollux: cannot become the requested user or group: ", error_text()]);
            libc::_exit(NOT_RUN);
        }
        let program = plan.argv[0];
        libc::execve(program, plan.argv.as_ptr(), plan.environment.as_ptr());
        let reason = error_text();
        let missing = *super::errno::location() == libc::ENOENT;
        if missing && libc::access(program, libc::F_OK) == 0 {
            say_interpreter(program);
        } else {
            say(&[b"pollux: cannot execute ", std::ffi::CStr::from_ptr(program).to_bytes(), b": ", reason]);
        }
        libc::_exit(NOT_EXECUTED);
    }
}

/// Says which interpreter of a program that is there does not exist. Async-signal-safe, as all of the child.
///
/// # Safety
/// `program` points to a string that ends in NUL.
unsafe fn say_interpreter(program: *const libc::c_char) {
    let mut head = [0u8; 256];
    // SAFETY: the caller guarantees the string; read(2) writes at most `head.len()` bytes into `head`.
    let (path, count) = unsafe {
        let file = libc::open(program, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_CLOEXEC);
        let count = libc::read(file, head.as_mut_ptr().cast(), head.len());
        (std::ffi::CStr::from_ptr(program).to_bytes(), usize::try_from(count).unwrap_or(0))
    };
    let line = head.get(..count).unwrap_or_default().split(|byte| *byte == b'\n').next().unwrap_or_default();
    let words = line.strip_prefix(b"#!").map(<[u8]>::trim_ascii_start);
    let Some(name) = words.and_then(|words| words.split(|byte| *byte == b' ' || *byte == b'\t').next()) else {
        say(&[
            b"pollux: cannot execute ",
            path,
            b": its interpreter (first line, #!) or dynamic linker does not exist",
        ]);
        return;
    };
    let (name, returns): (&[u8], &[u8]) = match name.strip_suffix(b"\r") {
        Some(name) => (name, b", because its first line ends in a carriage return"),
        None => (name, b""),
    };
    say(&[b"pollux: cannot execute ", path, b": its interpreter ", name, b" does not exist", returns]);
}

/// Supplementary groups, group, user, in this order; false as soon as one fails: then nothing may be executed.
fn become_user(credentials: &Credentials, refused: [Option<i32>; 3]) -> bool {
    let [groups, group, user] = refused.map(|error| match error {
        Some(errno) => {
            // SAFETY: errno's address is valid.
            unsafe { *super::errno::location() = errno };
            false
        }
        None => true,
    });
    // SAFETY: the name is a valid C string; setgroups reads the one group it is told about.
    unsafe {
        let gid = credentials.gid as libc::gid_t;
        let grouped = groups
            && match &credentials.name {
                Some(name) => libc::initgroups(name.as_ptr(), gid as _) == 0,
                None => libc::setgroups(1, &gid) == 0,
            };
        grouped && group && libc::setgid(gid) == 0 && user && credentials.uid.is_none_or(|uid| libc::setuid(uid) == 0)
    }
}

fn error_text() -> &'static [u8] {
    // SAFETY: errno's address is valid.
    match unsafe { *super::errno::location() } {
        libc::ENOENT => b"no such file or directory",
        libc::EACCES => b"permission denied",
        libc::EPERM => b"operation not permitted",
        libc::ENOEXEC => b"not an executable format",
        libc::ENOTDIR => b"a part of the path is not a directory",
        libc::ETXTBSY => b"the file is open for writing",
        libc::E2BIG => b"argument list too long",
        libc::ENOMEM => b"out of memory",
        libc::ELOOP => b"too many symbolic links",
        _ => b"system error",
    }
}

fn say(parts: &[&[u8]]) {
    for part in parts.iter().chain(std::iter::once(&b"\n".as_slice())) {
        // SAFETY: write(2) reads `part.len()` bytes of a valid slice.
        unsafe { libc::write(2, part.as_ptr().cast(), part.len()) };
    }
}

#[cfg(test)]
#[path = "spawn_tests.rs"]
mod tests;
