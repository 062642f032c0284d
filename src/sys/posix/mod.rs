//! Calls that Linux and FreeBSD share.

pub mod errno;
pub mod poll;
