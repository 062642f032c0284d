//! Calls that Linux and FreeBSD share.

pub mod account;
pub mod clock;
pub mod content;
pub mod cpus;
pub mod crypt;
pub mod daemonize;
pub mod errno;
pub mod fd;
pub mod file;
pub mod glob;
pub mod helper;
pub mod interface;
pub mod library;
pub mod mounted;
pub mod net;
pub mod pam;
pub mod poll;
pub mod random;
pub mod signal;
pub mod spawn;
pub mod stat;
pub mod wait;
