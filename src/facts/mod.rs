//! What was measured. Plain values; a field the system did not tell is `None`, never 0 or -1.

pub mod content;
pub mod file;
pub mod filesystem;
pub mod matching;
pub mod mount;
pub mod network;
pub mod observation;
pub mod pidfile;
pub mod process;
pub mod rate;
pub mod script;
pub mod system;
pub mod usage;
