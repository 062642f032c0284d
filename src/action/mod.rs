//! From events and commands to effects: what is started and stopped, in which order, and when it counts as done. Pure: the
//! engine takes facts and `now`, and returns effects for the daemon to perform.

mod begin;
mod commands;
mod ends;
mod engine;
mod exit;
mod families;
mod judge;
mod plan;
mod steps;
#[cfg(test)]
mod tests;

pub use engine::{Engine, ids, key};
pub use plan::{Cause, Goal};

use std::time::Duration;

use crate::base::event::EventKind;
use crate::base::logging::Level;
use crate::base::program::Purpose;
use crate::config::ServiceId;

/// What the daemon has to do for the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write a log line.
    Log(Level, String),
    /// Look for the service's process now and answer with [`Engine::looked`].
    Look(ServiceId),
    /// The service's process has ended: look whether it is there and whether a script of somebody else is at it, and answer
    /// with [`Engine::looked_early`].
    LookEarly(ServiceId),
    /// Run the service's program of that purpose; its end is told with [`Engine::program_ended`].
    Run {
        /// The service.
        service: ServiceId,
        /// Start, stop or restart.
        purpose: Purpose,
        /// How long it may take.
        timeout: Option<Duration>,
    },
    /// Run the program of a rule's exec action.
    Exec {
        /// The service.
        service: ServiceId,
        /// Whose program.
        source: ExecSource,
        /// The kind of event, for the program's environment.
        event: EventKind,
        /// The event's description for the program's environment.
        description: &'static str,
        /// The event's message.
        message: String,
    },
    /// Something the state file keeps has changed.
    Dirty,
}

/// Where an exec action stands in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecSource {
    /// The failure's reaction of the rule at that place.
    Failure(usize),
    /// The recovery's reaction of the rule at that place.
    Recovery(usize),
    /// The restart limit at that place.
    Limit(usize),
}

/// What a user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // named after the verbs of the command line
pub enum Command {
    Start,
    Stop,
    Restart,
    Monitor,
    Unmonitor,
}

impl Command {
    /// The verb.
    pub fn word(self) -> &'static str {
        match self {
            Command::Start => "start",
            Command::Stop => "stop",
            Command::Restart => "restart",
            Command::Monitor => "monitor",
            Command::Unmonitor => "unmonitor",
        }
    }

    /// The command a verb names.
    pub fn from_word(word: &str) -> Option<Command> {
        use Command::*;
        [Start, Stop, Restart, Monitor, Unmonitor].into_iter().find(|command| command.word() == word)
    }
}
