//! Linux: the readers of /proc. Each takes the root of its tree, so that tests read trees they made.

#[cfg(target_os = "linux")]
pub mod descriptor;
#[cfg(target_os = "linux")]
pub mod errno;
pub mod machine;
pub mod mounts;
pub mod process;

#[cfg(test)]
pub(crate) mod fake;
