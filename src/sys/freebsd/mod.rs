//! FreeBSD: the readers of sysctl(3). What they fetch is bytes; [`decode`] gives the bytes their meaning, on every system.

pub mod decode;
pub mod disk;
pub mod filesystem;
pub mod kevent;
pub mod mounts;
pub mod network;
pub mod system;
pub mod usage;

#[cfg(target_os = "freebsd")]
pub mod descriptor;
#[cfg(target_os = "freebsd")]
pub mod errno;
#[cfg(target_os = "freebsd")]
pub mod exits;
#[cfg(target_os = "freebsd")]
pub mod machine;
#[cfg(target_os = "freebsd")]
pub mod process;
#[cfg(target_os = "freebsd")]
mod sysctl;
