//! The input a check needs: from a service's target to an observation. One file per kind of service.

mod checksum;
pub mod filesystem;
pub mod network;
pub mod path;
pub mod process;
pub mod remote;
pub mod system;
mod wire;
