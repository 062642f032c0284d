//! The real daemon, started in a temporary directory beside stand-in services: what the release promises, shown from
//! outside. Nothing here needs root or a network beyond loopback; what cannot be had is `skipped` by name.
//!
//! Tests wait for events (a log line, a record, an answer) and never for time, except where time passing is the point. A
//! deadline only bounds a failure.

// a test may fail loudly; clippy's exception covers test functions only, not what they share
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod harness;

mod access;
mod attacks;
mod blocking;
mod cli;
mod drawing;
mod engine;
mod execs;
mod exits;
mod faults;
mod findable;
mod init;
mod memory;
mod paths;
mod patience;
mod pidfiles;
mod plugin;
mod program;
mod reload;
mod revive;
mod scale;
mod shown;
mod storm;
mod terminal;
mod tls;
mod traps;
mod waits;
