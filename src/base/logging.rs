//! What a log is made of: levels, facilities, targets.

use std::path::PathBuf;

/// Levels; the numbers are those of RFC 5424 table 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error = 3,
    /// Something may fail.
    Warning = 4,
    /// What was done.
    Info = 6,
    /// For those who look for a fault (`-v`).
    Debug = 7,
}

impl Level {
    /// The word in log lines.
    pub fn word(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "info",
            Level::Debug => "debug",
        }
    }
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Appended to a file.
    File(PathBuf),
    /// Sent to syslogd.
    Syslog(Facility),
}

/// Syslog facilities the language knows, with the numbers of RFC 5424 table 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Facility {
    /// `log_user`, the default.
    #[default]
    User,
    /// `log_daemon`.
    Daemon,
    /// `log_local0` to `log_local7`.
    Local(u8),
}

impl Facility {
    /// The number that goes into a message's priority value.
    pub fn code(self) -> u8 {
        match self {
            Facility::User => 1,
            Facility::Daemon => 3,
            Facility::Local(n) => 16 + (n & 7),
        }
    }
}
