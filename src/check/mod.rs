//! What was found, against what the rules of a service say: a verdict for each rule. One file per kind of service. Pure:
//! facts and what is remembered of the last look go in, verdicts come out; how often a test must fail before its rule acts
//! is not decided here (`event`), nor what is done then (`action`).

mod limit;
pub mod process;

pub use limit::compare;

use crate::base::event::EventState;
use crate::base::time::Mono;
use crate::config::Service;
use crate::facts::observation::Observation;

/// What one rule says of one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The test has a result.
    Known(EventState, String),
    /// What the rule asks for could not be measured; the text says what and why. Neither good nor bad.
    Unknown(String),
    /// There is nothing to judge in this look: a rate after its first sample, a value that is compared with the one before.
    Later,
}

impl Verdict {
    /// The test passed.
    pub fn passed(text: impl Into<String>) -> Verdict {
        Verdict::Known(EventState::Succeeded, text.into())
    }

    /// The test failed.
    pub fn failed(text: impl Into<String>) -> Verdict {
        Verdict::Known(EventState::Failed, text.into())
    }

    /// Failed when `failed` holds.
    pub fn of(failed: bool, text: impl Into<String>) -> Verdict {
        Verdict::Known(if failed { EventState::Failed } else { EventState::Succeeded }, text.into())
    }

    /// A watched value changed.
    pub fn changed(text: impl Into<String>) -> Verdict {
        Verdict::Known(EventState::Changed, text.into())
    }

    /// A watched value is what it was.
    pub fn unchanged(text: impl Into<String>) -> Verdict {
        Verdict::Known(EventState::NotChanged, text.into())
    }
}

/// All that one look says of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Why its facts could not be read. Then no rule is judged: unknown is not dead.
    pub unreadable: Option<String>,
    /// Whether what depends on it may run.
    pub is_up: bool,
    /// One verdict per rule that is judged, with the rule's place, in the order of the rules.
    pub rules: Vec<(usize, Verdict)>,
}

/// What is remembered of a service from one look to the next.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Of a process.
    pub process: process::Memory,
}

/// What `observation` says of `service`; `memory` is brought up to date.
pub fn judge(service: &Service, observation: &Observation, memory: &mut Memory, now: Mono) -> Findings {
    let _ = now;
    match observation {
        Observation::Process(seen) => process::judge(service, seen, &mut memory.process),
        Observation::Nothing => Findings { unreadable: None, is_up: true, rules: Vec::new() },
    }
}
