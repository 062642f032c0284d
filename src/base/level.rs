//! How grave a log line is.

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
