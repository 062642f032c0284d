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
//! probe       the I/O a check needs: service to observation
//! check    P  observation and what is remembered of the last one to a verdict for each rule
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
pub mod check;
pub mod cli;
pub mod config;
pub mod daemon;
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

use cli::ask::Asked;
use cli::options::{self, Verb};
use cli::output::{err, out};
use cli::{CalledAs, ask, local, paths};
use view::plugin;

/// Runs the program and returns its exit code.
pub fn main() -> i32 {
    let mut arguments = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let called_as = CalledAs::new(&arguments.next().unwrap_or_default());
    let arguments: Vec<_> = arguments.collect();
    // Of a check whose question is wrong nothing is known, and that has an exit code of its own.
    let wrong = if arguments.iter().any(|word| word == "check") { plugin::UNKNOWN } else { 1 };
    let (options, verb) = match options::parse(called_as, &arguments) {
        Ok(parsed) => parsed,
        Err(why) => {
            err(&format!("{}: {why}", called_as.name()));
            return wrong;
        }
    };
    match &verb {
        Verb::Help => {
            out(&options::help(called_as.name()));
            return 0;
        }
        Verb::Version => {
            out(&local::version());
            return 0;
        }
        Verb::Procmatch(pattern) => return local::process_matches(pattern, &options),
        Verb::Daemon => return daemon::start::daemon(called_as, options),
        _ => {}
    }
    let control_file = match paths::control_file(&options) {
        Ok(path) => path,
        Err(why) => {
            err(&format!("{}: {why}", called_as.name()));
            return wrong;
        }
    };
    match &verb {
        Verb::Test => local::test(called_as, &control_file, &options),
        Verb::ConfigDump => local::dump(&control_file, &options),
        Verb::Id => local::show_id(&control_file, &options),
        Verb::ResetId => local::reset_id(&control_file, &options),
        _ => match ask::ask(called_as, &options, &control_file, &verb) {
            Asked::Code(code) => code,
            Asked::NobodyThere => match verb {
                Verb::Action(command, names) => daemon::start::without_daemon(called_as, options, command, &names),
                Verb::Validate(_) => daemon::start::one_pass(called_as, options),
                verb => ask::nobody_there(called_as, &control_file, &verb),
            },
        },
    }
}
