#![doc = "pollux: a watchdog daemon that reads Monit control files."]

pub mod action;
pub mod base;
pub mod config;
pub mod event;
pub mod facts;
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
