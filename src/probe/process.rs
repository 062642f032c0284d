//! Whether a watched process is there.
//!
//! A process that was identified is asked for by its own entry; the whole table is read only when a pattern has no live
//! match, and then once for all patterns of the cycle.

use std::path::Path;

use regex::bytes::Regex;

use crate::base::process::{Identity, Pid};
use crate::config::{Measure, ProcessTarget, Service, Test};
use crate::facts::matching;
use crate::facts::observation::ProcessObservation;
use crate::facts::pidfile::{self, Content, PIDFILE_HEAD, PidfileProblem};
use crate::facts::process::{GoneReason, Listed, Presence};
use crate::facts::usage::ProcessFacts;
use crate::sys::head::{HeadError, read_head};
use crate::sys::platform::machine;
use crate::sys::table::Processes;

/// The process table as one cycle sees it.
pub struct Sample<'t> {
    table: &'t dyn Processes,
    own: Pid,
    /// The whole table with command lines, or why it could not be read; `None` until somebody needs it.
    listed: Option<Result<Vec<Listed>, String>>,
}

impl<'t> Sample<'t> {
    /// A sample of `table` that has read nothing yet. `own` is this program's number.
    pub fn new(table: &'t dyn Processes, own: Pid) -> Sample<'t> {
        Sample { table, own, listed: None }
    }

    /// The whole table with command lines, read on first use.
    ///
    /// # Errors
    /// Why it could not be read; said again to everyone who asks in this cycle.
    pub fn listed(&mut self) -> Result<&[Listed], &str> {
        let table = self.table;
        let read = || table.scan(true).map_err(|error| format!("cannot read the process table: {error}"));
        match self.listed.get_or_insert_with(read) {
            Ok(listed) => Ok(listed),
            Err(why) => Err(why),
        }
    }
}

/// Whether the process that `target` describes is there; `known` is the identity it had when it was last seen.
pub fn observe(target: &ProcessTarget, known: Option<Identity>, sample: &mut Sample<'_>) -> Presence {
    match target {
        ProcessTarget::Pidfile(path) => by_pidfile(path, sample),
        ProcessTarget::Matching(pattern) => by_pattern(&pattern.regex, known, sample),
    }
}

/// What the rules of the service ask for of a process that is there; nothing more is read.
pub fn readings(service: &Service, presence: Presence, sample: &Sample<'_>) -> ProcessObservation {
    let mut seen = ProcessObservation::of(presence);
    let Presence::Running(entry) = &seen.presence else { return seen };
    let asks = |wanted: fn(&Test) -> bool| service.rules.iter().any(|rule| wanted(&rule.test));
    let mut facts = ProcessFacts::unknown(entry.identity);
    facts.parent = entry.parent;
    if asks(|test| matches!(test, Test::Uid(_) | Test::EffectiveUid(_) | Test::Gid(_))) {
        let owner = sample.table.owner(entry.identity.pid).ok().flatten();
        facts.uid = owner.map(|owner| owner.uid);
        facts.euid = owner.map(|owner| owner.euid);
        facts.gid = owner.map(|owner| owner.gid);
    }
    if asks(|test| matches!(test, Test::Measured { measure: Measure::Uptime, .. })) {
        facts.uptime = machine::uptime().ok().map(|up| up.saturating_sub(entry.identity.start.since_boot()));
    }
    seen.facts = Some(facts);
    seen
}

/// The process that the pidfile at `path` names now; the file is read in each cycle. Never this program itself, process 1
/// or a zombie. Seven system calls on Linux, six on FreeBSD, when all is well.
pub fn by_pidfile(path: &Path, sample: &Sample<'_>) -> Presence {
    by_content(path, &read_pidfile(path), sample)
}

/// What the pidfile at `path` says. May wait for the filesystem: see [`super::remote`].
pub fn read_pidfile(path: &Path) -> Content {
    match read_head(path, PIDFILE_HEAD) {
        Ok(head) => Content::Head(head),
        Err(HeadError::Missing) => Content::Problem(PidfileProblem::Missing),
        Err(HeadError::NotRegular(kind)) => Content::Problem(PidfileProblem::NotRegular(kind)),
        Err(HeadError::Refused(error)) => Content::Problem(PidfileProblem::Unreadable(error.to_string())),
        Err(HeadError::Failed(error)) => Content::Failed(error.to_string()),
    }
}

/// The process that the pidfile at `path` names, whose content was read before.
pub fn by_content(path: &Path, content: &Content, sample: &Sample<'_>) -> Presence {
    let gone = |problem| Presence::Gone(GoneReason::Pidfile(problem));
    let pid = match content {
        Content::Head(head) => match pidfile::parse(head, sample.own) {
            Ok(pid) => pid,
            Err(problem) => return gone(problem),
        },
        Content::Problem(problem) => return gone(problem.clone()),
        Content::Failed(why) => return Presence::Unknown(format!("cannot read pidfile {}: {why}", path.display())),
    };
    match sample.table.entry(pid) {
        Ok(None) => Presence::Gone(GoneReason::NoProcess(pid)),
        Ok(Some(entry)) if entry.zombie => Presence::Gone(GoneReason::Zombie(pid)),
        Ok(Some(entry)) => Presence::Running(entry),
        Err(error) => Presence::Unknown(format!("cannot read process {pid}: {error}")),
    }
}

/// The process `known` while that identity lives, whatever its title says now; else the one that the pattern means among
/// the titles of this cycle ([`matching::select`]).
pub fn by_pattern(pattern: &Regex, known: Option<Identity>, sample: &mut Sample<'_>) -> Presence {
    if let Some(known) = known {
        match sample.table.entry(known.pid) {
            Ok(Some(entry)) if !entry.zombie && entry.identity.is_same(known, sample.table.tolerance()) => {
                return Presence::Running(entry);
            }
            Ok(_) => {}
            Err(error) => return Presence::Unknown(format!("cannot read process {}: {error}", known.pid)),
        }
    }
    let own = sample.own;
    match sample.listed() {
        Err(why) => Presence::Unknown(why.to_owned()),
        Ok(listed) => match matching::select(&matching::matches(listed, pattern, own)) {
            Some(process) => Presence::Running(process.entry),
            None => Presence::Gone(GoneReason::NoMatch),
        },
    }
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
