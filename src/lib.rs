#![doc = "pollux: a watchdog daemon that reads Monit control files."]

pub mod base;
pub mod config;
pub mod facts;
pub mod probe;
pub mod syntax;
pub mod sys;
pub mod view;

/// Runs the program and returns its exit code.
pub fn main() -> i32 {
    0
}
