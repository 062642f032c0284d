//! Linux: the readers of /proc. Each takes the root of its tree, so that tests read trees they made.

pub mod machine;
pub mod process;

#[cfg(test)]
pub(crate) mod fake;
