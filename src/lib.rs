//! pollux, a watchdog daemon for Unix: keeps the services of a Monit control file alive.
//!
//! One thread, one loop, one poll(2). The layers, each of which uses only what stands above it (`tests/tidy.rs` sees to
//! that); P marks the pure ones, which do no I/O, read no clock and keep no global state:
//!
//! ```text
//! base     P  vocabulary: instants, identities, event kinds, rates, text formats, escapes, regular expressions
//! facts    P  what was measured; which process a pattern or a pidfile means
//! sys         the wall: all unsafe, libc and cfg(target_os); linux/ freebsd/ posix/
//! log         terminal, file, syslogd; never waits
//! syntax   P  control file text to statements with spans; diagnostics
//! config   P  statements to a checked, immutable Config (load.rs alone does I/O)
//! job         programs: held until journalled, deadlines, output files, reaping
//! probe       the I/O a check needs: service to presence
//! event    P  rule histories; the ledger of what is known of each service
//! action   P  looks, ends of programs, time and commands to effects, in dependency order
//! state       the state file
//! view     P  one Status to text, table and page
//! http        bounded listener and connections, routes, access; the command line's client
//! cli         argv to options; what is answered without being the daemon
//! daemon      the only place where the layers meet: start, cycle, wait, perform, reload
//! ```

pub mod action;
pub mod base;
pub mod config;
pub mod event;
pub mod facts;
pub mod http;
pub mod job;
pub mod log;
pub mod probe;
pub mod state;
pub mod syntax;
pub mod sys;
pub mod view;

/// Runs the program and returns its exit code.
pub fn main() -> i32 {
    0
}
