//! Linux: the readers of /proc. Each takes the root of its tree, so that tests read trees they made.

#[cfg(target_os = "linux")]
pub mod descriptor;
pub mod disk;
#[cfg(target_os = "linux")]
pub mod errno;
#[cfg(target_os = "linux")]
pub mod exits;
#[cfg(target_os = "linux")]
pub mod filesystem;
pub mod machine;
pub mod mounts;
pub mod network;
pub mod process;
pub mod system;
#[cfg(target_os = "linux")]
pub mod uncached;
pub mod usage;

#[cfg(test)]
pub(crate) mod fake;

/// Whether there are jails, and service(8) calls scripts of rc.subr(8).
pub const IS_FREEBSD: bool = false;
