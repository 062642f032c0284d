//! The wall: every system call, all `unsafe` and every `cfg(target_os)` live below this module.
//!
//! `posix/` is what all systems share. `linux/` and `freebsd/` hold files of the same names; the one that fits is
//! [`platform`]. FreeBSD's decoders take bytes and are compiled and tested on every system.

pub mod count;
pub mod fault;
pub mod posix;
