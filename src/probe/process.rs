//! Whether a watched process is there.
//!
//! A process that was identified is asked for by its own entry; the whole table is read only when a pattern has no live
//! match, and then once for all patterns of the cycle.

use std::path::Path;
use std::time::Duration;

use regex::bytes::Regex;

use crate::base::process::{Identity, Pid};
use crate::base::time::Mono;
use crate::config::{Jail, Measure, Pattern, ProcessTarget, Rule, Test, User};
use crate::facts::matching;
use crate::facts::observation::ProcessObservation;
use crate::facts::pidfile::{self, Content, PIDFILE_HEAD, PidfileProblem};
use crate::facts::process::{Entry, GoneReason, Listed, Presence};
use crate::facts::script::Scripts;
use crate::facts::usage::{self, Family, Row, TreeSample, Wanted};
use crate::sys::head::{HeadError, read_head};
use crate::sys::platform::{machine, system};
use crate::sys::posix::{account, cpus};
use crate::sys::table::Processes;

/// So much of a command line is shown, in characters.
const COMMAND_SHOWN: usize = 128;

/// The process table as one cycle sees it.
pub struct Sample<'t> {
    table: &'t dyn Processes,
    own: Pid,
    /// The whole table with command lines, or why it could not be read; `None` until somebody needs it.
    listed: Option<Result<Vec<Listed>, String>>,
    /// Who descends from whom; `None` inside when the table could not be read.
    family: Option<Option<Family>>,
    /// How long the machine has been up.
    uptime: Option<Option<Duration>>,
    cpus: Option<Option<u32>>,
    memory_bytes: Option<Option<u64>>,
}

/// Who descends from whom, read by one reader over several samples.
#[derive(Debug)]
pub enum Kin {
    /// Some of the table, and the number that was read last.
    Begun(Vec<Row>, Option<Pid>),
    /// All of it; `None` when it could not be read.
    Whole(Option<Family>),
}

impl Default for Kin {
    fn default() -> Kin {
        Kin::Begun(Vec::new(), None)
    }
}

impl Kin {
    /// Whether the table is read, of which about `most` processes are read now if it is not.
    pub fn is_read(&mut self, table: &dyn Processes, most: usize) -> bool {
        let Kin::Begun(rows, after) = self else { return true };
        match table.rows_after(*after, most) {
            Ok((more, last)) => {
                rows.extend(more);
                *after = last;
                if last.is_none() {
                    *self = Kin::Whole(Some(Family::new(std::mem::take(rows))));
                }
            }
            Err(_) => *self = Kin::Whole(None),
        }
        matches!(self, Kin::Whole(_))
    }
}

impl<'t> Sample<'t> {
    /// A sample of `table` that has read nothing yet. `own` is this program's number.
    pub fn new(table: &'t dyn Processes, own: Pid) -> Sample<'t> {
        Sample { table, own, listed: None, family: None, uptime: None, cpus: None, memory_bytes: None }
    }

    /// The same, with what an earlier one knew of descent.
    #[must_use]
    pub fn with_kin(self, kin: Kin) -> Sample<'t> {
        let family = match kin {
            Kin::Begun(..) => None,
            Kin::Whole(family) => Some(family),
        };
        Sample { family, ..self }
    }

    /// What it knows of descent.
    pub fn into_kin(self) -> Kin {
        self.family.map_or_else(Kin::default, Kin::Whole)
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

impl Sample<'_> {
    /// Who descends from whom, read on first use; `None` when the table could not be read.
    fn family(&mut self) -> Option<&Family> {
        let table = self.table;
        self.family.get_or_insert_with(|| table.rows().ok().map(Family::new)).as_ref()
    }

    /// How long the machine has been up.
    fn uptime(&mut self) -> Option<Duration> {
        *self.uptime.get_or_insert_with(|| machine::uptime().ok())
    }

    /// Processors of the machine.
    fn cpus(&mut self) -> Option<u32> {
        *self.cpus.get_or_insert_with(cpus::cpus)
    }

    /// Physical memory of the machine in bytes.
    fn memory_bytes(&mut self) -> Option<u64> {
        *self.memory_bytes.get_or_insert_with(|| system::memory().ok().map(|memory| memory.total))
    }
}

/// Who else is starting or stopping the service just now, in words such as `'sh ./puma restart' (pid 7)`.
///
/// # Errors
/// The process table could not be read.
pub fn script_at_work(scripts: &Scripts, sample: &mut Sample<'_>) -> Result<Option<String>, String> {
    let own = sample.own;
    let found = scripts.running(sample.listed()?, own);
    Ok(found.map(|process| {
        let command: String = String::from_utf8_lossy(&process.command).chars().take(COMMAND_SHOWN).collect();
        format!("'{command}' (pid {})", process.entry.identity.pid)
    }))
}

/// Whether the process that `target` describes is there; `known` is the identity it had when it was last seen. A pidfile is
/// read in each cycle: seven system calls on Linux, six on FreeBSD, when all is well. It tells which process is meant, not
/// that one has ended: many take their pidfile away before they end, and what starts beside them fails or does harm.
pub fn observe(target: &ProcessTarget, known: Option<Identity>, sample: &mut Sample<'_>) -> Presence {
    match target {
        ProcessTarget::Pidfile { path, .. } => observe_by_content(target, path, &read_pidfile(path), known, sample),
        ProcessTarget::Matching { pattern, user, jail } => {
            by_pattern(&pattern.regex, user.as_ref(), jail.as_ref(), known, sample)
        }
    }
}

/// The same, for a pidfile that was read before.
pub fn observe_by_content(
    target: &ProcessTarget,
    path: &Path,
    content: &Content,
    known: Option<Identity>,
    sample: &Sample<'_>,
) -> Presence {
    let named = match (by_content(path, content, sample), target) {
        (Presence::Running(entry), ProcessTarget::Pidfile { pattern, user, jail, .. })
            if !known.is_some_and(|known| entry.identity.is_same(known, sample.table.tolerance())) =>
        {
            match only_in(&entry, jail.as_ref(), sample) {
                None => only_if(entry, pattern.as_ref(), user.as_ref(), sample),
                Some(otherwise) => otherwise,
            }
        }
        (presence, _) => presence,
    };
    let Presence::Gone(reason) = named else { return named };
    if let Some(presence) = still_there(known, sample) {
        return presence;
    }
    match (reason, target) {
        (GoneReason::NoProcess(pid), ProcessTarget::Pidfile { user, .. })
            if !is_own(user.as_ref()) && sample.table.may_hide(Some(pid)) =>
        {
            Presence::Unknown(format!("process {pid} does not exist or is hidden from pollux"))
        }
        (reason, _) => Presence::Gone(reason),
    }
}

/// The process `known` while that identity lives; `None` when it has ended. What the system does not tell is not an end.
fn still_there(known: Option<Identity>, sample: &Sample<'_>) -> Option<Presence> {
    let known = known?;
    match sample.table.entry(known.pid) {
        Ok(Some(entry)) if !entry.zombie && entry.identity.is_same(known, sample.table.tolerance()) => {
            Some(Presence::Running(entry))
        }
        Ok(_) => None,
        Err(error) => Some(Presence::Unknown(format!("cannot read process {}: {error}", known.pid))),
    }
}

/// What a service's rules ask for beyond the presence of its process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Anything at all.
    any: bool,
    /// Readings that cost calls of their own.
    wanted: Wanted,
    /// Sums over descendants, for which the whole table is read.
    tree: bool,
    /// Open descriptors of all of them, which cost calls for each.
    tree_descriptors: bool,
}

impl Asked {
    /// What these rules ask for.
    pub fn by(rules: &[Rule]) -> Asked {
        let mut asked = Asked::default();
        for rule in rules {
            asked.any |= !matches!(rule.test, Test::NotExist | Test::Exist | Test::Changed(_));
            match &rule.test {
                Test::Uid(_) | Test::EffectiveUid(_) | Test::Gid(_) => asked.wanted.owner = true,
                Test::SecurityAttribute { .. } => asked.wanted.security = true,
                Test::Measured { measure, .. } => match measure {
                    Measure::Read | Measure::Write | Measure::DiskRead | Measure::DiskWrite => asked.wanted.io = true,
                    Measure::FileDescriptors => asked.wanted.descriptors = true,
                    Measure::TotalCpu | Measure::TotalMemory | Measure::Children => asked.tree = true,
                    Measure::TotalFileDescriptors => (asked.tree, asked.tree_descriptors) = (true, true),
                    _ => {}
                },
                _ => {}
            }
        }
        asked
    }

    /// What costs no more than one look at the process.
    pub fn usage() -> Asked {
        Asked { any: true, ..Asked::default() }
    }

    /// This, and what must be read in each cycle to say what happens in a second: processor time, also that of the
    /// descendants, and what is read and written.
    #[must_use]
    pub fn and_rates(mut self) -> Asked {
        (self.any, self.wanted.io, self.tree) = (true, true, true);
        self
    }

    /// What programs are told in their environment.
    pub fn for_programs() -> Asked {
        Asked { any: true, tree: true, ..Asked::default() }
    }

    /// All that a status shows.
    pub fn everything() -> Asked {
        let wanted = Wanted { owner: true, io: true, descriptors: true, security: true };
        Asked { any: true, wanted, tree: true, tree_descriptors: true }
    }
}

/// What is asked for of a process that is there; nothing more is read.
pub fn readings(asked: Asked, presence: Presence, sample: &mut Sample<'_>, now: Mono) -> ProcessObservation {
    let mut seen = ProcessObservation::of(presence);
    let Presence::Running(entry) = &seen.presence else { return seen };
    if !asked.any {
        return seen;
    }
    seen.is_read = true;
    let pid = entry.identity.pid;
    let Ok(Some(mut facts)) = sample.table.usage(pid, asked.wanted) else { return seen };
    facts.uptime = sample.uptime().map(|up| up.saturating_sub(entry.identity.start.since_boot()));
    if asked.tree
        && let Some(family) = sample.family()
    {
        let tree = family.tree(pid);
        facts.tree = usage::totals(&tree);
        seen.tree = Some(TreeSample::new(now, &tree));
        if asked.tree_descriptors {
            let descendants: Vec<_> = tree.iter().skip(1).map(|row| row.identity.pid).collect();
            let open = |pid| sample.table.open_descriptors(pid).ok().flatten();
            // Descendants that ended meanwhile have none; the process itself is known or the sum is not.
            let own = facts.descriptors.open.or_else(|| open(pid));
            let all = descendants.into_iter().filter_map(open);
            facts.tree.descriptors = own.map(|own| all.fold(own, u64::saturating_add));
        }
    }
    seen.facts = Some(facts);
    seen.cpus = sample.cpus();
    seen.memory_bytes = sample.memory_bytes();
    seen
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

/// The process that the pidfile at `path` names, whose content was read before. Never this program itself, process 1, a
/// zombie or a thread of the kernel.
fn by_content(path: &Path, content: &Content, sample: &Sample<'_>) -> Presence {
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
        Ok(Some(entry)) if entry.kernel => Presence::Gone(GoneReason::Kernel(pid)),
        Ok(Some(entry)) => Presence::Running(entry),
        Err(error) => Presence::Unknown(format!("cannot read process {pid}: {error}")),
    }
}

/// The process that a pidfile names, if its command line and its user are those of the service: a stale pidfile may name
/// anything. Without arguments that can be read nobody knows.
fn only_if(entry: Entry, pattern: Option<&Pattern>, user: Option<&User>, sample: &Sample<'_>) -> Presence {
    let pid = entry.identity.pid;
    if let Some(pattern) = pattern {
        match sample.table.arguments(&entry) {
            Ok(Some(command)) if pattern.regex.is_match(&command) => {}
            Ok(Some(command)) => {
                let command = String::from_utf8_lossy(&command).chars().take(COMMAND_SHOWN).collect();
                return Presence::Gone(GoneReason::OtherCommand { pid, command });
            }
            Ok(None) => return Presence::Unknown(format!("the command line of process {pid} cannot be read")),
            Err(error) => return Presence::Unknown(format!("cannot read process {pid}: {error}")),
        }
    }
    if let Some(user) = user {
        match effective_user(pid, sample.table) {
            Ok(euid) if euid == user.uid => {}
            Ok(euid) => {
                let wanted = user.name.clone().unwrap_or_else(|| user.uid.to_string());
                return Presence::Gone(GoneReason::OtherUser { pid, euid, wanted });
            }
            Err(why) => return Presence::Unknown(why),
        }
    }
    Presence::Running(entry)
}

/// What is to be said of a process that a pidfile names but does not run in the jail that it should; `None` when it does.
fn only_in(entry: &Entry, jail: Option<&Jail>, sample: &Sample<'_>) -> Option<Presence> {
    let jail = jail?;
    let wanted = match number_of(jail, sample.table) {
        Ok(wanted) => wanted,
        Err(otherwise) => return Some(otherwise),
    };
    let actual = entry.jail.unwrap_or(0);
    let (pid, wanted_name) = (entry.identity.pid, jail.name().to_owned());
    let reason = GoneReason::OtherJail { pid, jail: actual, wanted: wanted_name };
    (actual != wanted).then_some(Presence::Gone(reason))
}

/// The number of a jail, 0 being where this program runs; otherwise what is to be said of the service.
fn number_of(jail: &Jail, table: &dyn Processes) -> Result<i32, Presence> {
    let Jail::Named(name) = jail else { return Ok(0) };
    match table.jail(name) {
        Ok(Some(number)) => Ok(number),
        Ok(None) => Err(Presence::Gone(GoneReason::NoJail(name.clone()))),
        Err(error) => Err(Presence::Unknown(format!("cannot look for the jail '{name}': {error}"))),
    }
}

/// What a target that does not say where its process runs has found in a jail, in words; at first sight alone.
pub fn found_in_jail(target: &ProcessTarget, known: Option<Identity>, presence: &Presence) -> Option<String> {
    let Presence::Running(entry) = presence else { return None };
    let jail = entry.jail.filter(|jail| *jail != 0 && known.is_none() && target.jail().is_none())?;
    let pid = entry.identity.pid;
    Some(format!("process with pid {pid} runs in the jail with number {jail}; 'in jail' says which one is meant"))
}

/// Whom a process acts for; otherwise why that is not known.
fn effective_user(pid: Pid, table: &dyn Processes) -> Result<u32, String> {
    match table.usage(pid, Wanted { owner: true, ..Wanted::default() }) {
        Ok(facts) => facts
            .and_then(|facts| facts.euid)
            .ok_or_else(|| format!("the user that process {pid} runs as cannot be read")),
        Err(error) => Err(format!("cannot read process {pid}: {error}")),
    }
}

/// The process `known` while that identity lives, whatever its title says now; else the one that the pattern means among
/// the titles of this cycle ([`matching::select`]), of that user's processes if one is given, and of those in that jail.
pub fn by_pattern(
    pattern: &Regex,
    user: Option<&User>,
    jail: Option<&Jail>,
    known: Option<Identity>,
    sample: &mut Sample<'_>,
) -> Presence {
    if let Some(presence) = still_there(known, sample) {
        return presence;
    }
    let (own, table) = (sample.own, sample.table);
    let mut matches = match sample.listed() {
        Err(why) => return Presence::Unknown(why.to_owned()),
        Ok(listed) => matching::matches(listed, pattern, own),
    };
    if let Some(jail) = jail {
        match number_of(jail, table) {
            Ok(wanted) => matches.retain(|process| process.entry.jail.unwrap_or(0) == wanted),
            Err(otherwise) => return otherwise,
        }
    }
    let mut hidden = None;
    if let Some(user) = user {
        matches.retain(|process| match effective_user(process.entry.identity.pid, table) {
            Ok(euid) => euid == user.uid,
            Err(why) => {
                hidden = Some(why);
                false
            }
        });
    }
    match (matching::select(&matches), hidden) {
        (Some(process), _) => Presence::Running(process.entry),
        (None, Some(why)) => Presence::Unknown(why),
        (None, None) if !is_own(user) && table.may_hide(None) => Presence::Unknown(
            "no process matches the pattern, but those of other users are hidden from pollux".to_owned(),
        ),
        (None, None) => Presence::Gone(GoneReason::NoMatch),
    }
}

/// Whether a service belongs to the user that this program runs as, from whom none of its processes are hidden.
fn is_own(user: Option<&User>) -> bool {
    user.is_some_and(|user| user.uid == account::effective_uid())
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
