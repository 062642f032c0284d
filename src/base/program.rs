//! Programs the daemon runs: what for, and how they ended.

use super::process::StartTime;

/// What a program is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// `start program`.
    Start,
    /// `stop program`.
    Stop,
    /// `restart program`.
    Restart,
    /// `exec` of a rule.
    Exec,
    /// `check program`.
    Check,
}

impl Purpose {
    /// Whether the program may bring to life what we guard, so that neither it nor its group is ever killed, and no second
    /// one runs beside it.
    pub fn brings_to_life(self) -> bool {
        matches!(self, Purpose::Start | Purpose::Restart)
    }

    /// The word in the journal and in messages.
    pub fn word(self) -> &'static str {
        match self {
            Purpose::Start => "start",
            Purpose::Stop => "stop",
            Purpose::Restart => "restart",
            Purpose::Exec => "exec",
            Purpose::Check => "check",
        }
    }

    /// The purpose a journal's word names.
    pub fn from_word(word: &str) -> Option<Purpose> {
        [Purpose::Start, Purpose::Stop, Purpose::Restart, Purpose::Exec, Purpose::Check]
            .into_iter()
            .find(|p| p.word() == word)
    }
}

/// How a program ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// When it was started, since the machine's boot; `None` when it never ran.
    pub started: Option<StartTime>,
    /// Its exit status, or the number of the signal that ended it; `None` when it was adopted from an earlier daemon, or
    /// never ran.
    pub status: Option<i32>,
    /// It was ended by us, because it took too long.
    pub timed_out: bool,
    /// What it printed, without blanks at the ends.
    pub output: String,
    /// The line with which FreeBSD's service(8) refused to act, which it does with exit status 0.
    pub refused: Option<String>,
}
