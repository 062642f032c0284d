//! The wall: every system call, all `unsafe` and every `cfg(target_os)` live below this module.
//!
//! `posix/` is what all systems share. `linux/` and `freebsd/` hold files of the same names with the same public
//! functions; the one that fits is [`platform`]. FreeBSD's decoders take bytes and are compiled and tested on every
//! system; Linux's readers take the root of their tree and are tested on every system.

pub mod count;
pub mod fault;
pub mod head;
pub mod posix;
pub mod table;
mod uname;

pub mod freebsd;
#[cfg(any(target_os = "linux", test))]
pub mod linux;

#[cfg(target_os = "freebsd")]
pub use freebsd as platform;
#[cfg(target_os = "linux")]
pub use linux as platform;
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
compile_error!("pollux has no readers for this system; they would go to src/sys/, beside linux/ and freebsd/");
