//! What one look at a service found, whatever it checks.

use super::process::{Owner, Presence};

/// What a look found.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// At a process.
    Process(ProcessObservation),
    /// At something of which no more is asked than that it is watched.
    Nothing,
}

/// What a look at a process found.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessObservation {
    /// Whether it is there.
    pub presence: Presence,
    /// Whom it acts for; `None` when no rule asks or the system does not tell.
    pub owner: Option<Owner>,
    /// How long the machine has been up; `None` when the system does not tell.
    pub up: Option<std::time::Duration>,
}

impl ProcessObservation {
    /// A look that asked for no more than the process.
    pub fn of(presence: Presence) -> ProcessObservation {
        ProcessObservation { presence, owner: None, up: None }
    }
}

impl Observation {
    /// Of a process, of which no more was asked than whether it is there.
    pub fn presence_of(presence: Presence) -> Observation {
        Observation::Process(ProcessObservation::of(presence))
    }

    /// Whether the process is there; `None` for what is no process.
    pub fn presence(&self) -> Option<&Presence> {
        match self {
            Observation::Process(process) => Some(&process.presence),
            Observation::Nothing => None,
        }
    }
}
