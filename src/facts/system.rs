//! The machine as a whole.

use std::time::Duration;

/// What the system service shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct System {
    /// Load averages of 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Time since boot.
    pub uptime: Option<Duration>,
}

/// What `uname(2)` and the kernel tell about the platform; does not change while the machine is up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// Such as `FreeBSD`.
    pub system: String,
    /// Such as `15.0-RELEASE`.
    pub release: String,
    /// Such as `amd64`.
    pub machine: String,
    /// The host's name.
    pub host: String,
}
