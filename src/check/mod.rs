//! What was found, against what the rules of a service say: a verdict for each rule. One file per kind of service. Pure:
//! facts and what is remembered of the last look go in, verdicts come out; how often a test must fail before its rule acts
//! is not decided here (`event`), nor what is done then (`action`).

pub mod filesystem;
mod keep;
mod limit;
pub mod network;
pub mod path;
pub mod process;
pub mod program;
pub mod system;
#[cfg(test)]
mod tests;

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

    /// What is not known because there was no earlier sample comes later; otherwise it stays unknown.
    fn later_if(self, first: bool) -> Verdict {
        match self {
            Verdict::Unknown(_) if first => Verdict::Later,
            other => other,
        }
    }
}

/// All that one look says of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Why its facts, or some of them, could not be read: unknown is not dead, and what could not be read is not judged.
    pub unreadable: Option<String>,
    /// Whether what depends on it may run.
    pub is_up: bool,
    /// One verdict per rule that is judged, with the rule's place, in the order of the rules.
    pub rules: Vec<(usize, Verdict)>,
}

impl Findings {
    fn unreadable(why: impl Into<String>) -> Findings {
        Findings { unreadable: Some(why.into()), is_up: false, rules: Vec::new() }
    }

    /// A verdict for each rule for which `judge` has one.
    fn of(service: &Service, is_up: bool, mut judge: impl FnMut(&crate::config::Rule) -> Option<Verdict>) -> Findings {
        let rules = service.rules.iter().enumerate();
        Findings { unreadable: None, is_up, rules: rules.filter_map(|(at, rule)| Some((at, judge(rule)?))).collect() }
    }
}

/// What is remembered of a service from one look to the next.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Of a process.
    pub process: process::Memory,
    /// Of a file, a FIFO or a directory.
    pub path: path::Memory,
    /// Of a filesystem.
    pub filesystem: filesystem::Memory,
    /// Of a network interface; boxed, because it holds a day.
    pub network: Option<Box<network::Memory>>,
    /// Of the machine.
    pub system: system::Memory,
    /// Of a program.
    pub program: program::Memory,
}

/// What `observation` says of `service`; `memory` is brought up to date. `None` when it says nothing new.
pub fn judge(service: &Service, observation: &Observation, memory: &mut Memory, now: Mono) -> Option<Findings> {
    Some(match observation {
        Observation::Process(seen) => process::judge(service, seen, &mut memory.process, now),
        Observation::Path(seen) => path::judge(service, seen, &mut memory.path),
        Observation::Checksums(seen) => return path::judge_checksums(service, seen, &mut memory.path),
        Observation::Filesystem(seen) => filesystem::judge(service, seen, &mut memory.filesystem, now),
        Observation::Link(seen) => network::judge(service, seen, memory.network.get_or_insert_default(), now),
        Observation::System(seen) => system::judge(service, seen, &mut memory.system),
        Observation::Program(seen) => program::judge(service, seen, &mut memory.program),
        Observation::Nothing => Findings { unreadable: None, is_up: true, rules: Vec::new() },
    })
}
