//! Calls that Linux and FreeBSD share.

pub mod errno;
pub mod net;
pub mod poll;
