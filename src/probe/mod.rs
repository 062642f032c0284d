//! The input a check needs: from a service's target to an observation. One file per kind of service.

pub mod network;
pub mod process;
pub mod remote;
pub mod system;
