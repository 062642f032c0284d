//! Processes: `check process`.

use super::{Findings, Verdict, compare};
use crate::base::process::Pid;
use crate::config::{Attribute, Measure, Rule, Service, Test, Unit};
use crate::facts::observation::ProcessObservation;
use crate::facts::process::{Entry, Presence};

/// What is remembered of a process.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Its number and its parent's, as seen last; `None` before the first look and after a start of ours, whose change is
    /// no news.
    seen: Option<(Pid, Option<Pid>)>,
}

impl Memory {
    /// We started or restarted the process ourselves: what it is now is what it shall be.
    pub fn restarted(&mut self) {
        self.seen = None;
    }
}

/// What a look at a process says of its rules.
pub fn judge(service: &Service, seen: &ProcessObservation, memory: &mut Memory) -> Findings {
    let entry = match &seen.presence {
        Presence::Unknown(why) => {
            let unreadable = Some(format!("process data cannot be read: {why}"));
            return Findings { unreadable, is_up: false, rules: Vec::new() };
        }
        Presence::Running(entry) => Some(entry),
        Presence::Gone(_) => None,
    };
    let before = memory.seen;
    if let Some(entry) = entry {
        memory.seen = Some((entry.identity.pid, entry.parent));
    }
    let verdicts = service.rules.iter().enumerate().filter_map(|(place, rule)| {
        let verdict = match (&rule.test, entry) {
            (Test::NotExist, _) => existence(entry, entry.is_none()),
            (Test::Exist, _) => existence(entry, entry.is_some()),
            (_, Some(entry)) => alive(rule, service, entry, seen, before)?,
            // Nothing is said of a process that is not there.
            (_, None) => return None,
        };
        Some((place, verdict))
    });
    Findings { unreadable: None, is_up: entry.is_some(), rules: verdicts.collect() }
}

fn existence(entry: Option<&Entry>, failed: bool) -> Verdict {
    match entry {
        Some(entry) => Verdict::of(failed, format!("process is running with pid {}", entry.identity.pid)),
        None => Verdict::of(failed, "process is not running"),
    }
}

/// A test of a live process; `None` for tests that belong to other kinds of services.
fn alive(
    rule: &Rule,
    service: &Service,
    entry: &Entry,
    seen: &ProcessObservation,
    before: Option<(Pid, Option<Pid>)>,
) -> Option<Verdict> {
    let name = &service.name;
    Some(match &rule.test {
        Test::Changed(Attribute::Pid) => match before {
            None => Verdict::Later,
            Some((pid, _)) if pid == entry.identity.pid => {
                Verdict::unchanged("process PID has not changed since last cycle")
            }
            Some((pid, _)) => Verdict::changed(format!("process PID changed from {pid} to {}", entry.identity.pid)),
        },
        Test::Changed(Attribute::ParentPid) => match before {
            None => Verdict::Later,
            Some((_, parent)) if parent == entry.parent => {
                Verdict::unchanged("process PPID has not changed since last cycle")
            }
            Some((_, parent)) => {
                let number = |pid: Option<Pid>| pid.map_or("0".to_owned(), |pid| pid.to_string());
                Verdict::changed(format!("process PPID changed from {} to {}", number(parent), number(entry.parent)))
            }
        },
        Test::Uid(user) => owner("uid", seen.owner.map(|owner| owner.uid), user.uid, name),
        Test::EffectiveUid(user) => owner("euid", seen.owner.map(|owner| owner.euid), user.uid, name),
        Test::Gid(group) => owner("gid", seen.owner.map(|owner| owner.gid), group.gid, name),
        Test::Measured { measure: Measure::Uptime, limit } => match seen.up {
            None => Verdict::Unknown("its uptime is not known".to_owned()),
            Some(up) => {
                let age = up.saturating_sub(entry.identity.start.since_boot()).as_secs();
                let unit = if let Unit::Milliseconds(unit) = limit.unit { unit as f64 / 1000.0 } else { 1.0 };
                match compare(age as f64 / unit, limit) {
                    true => {
                        Verdict::failed(format!("uptime test failed for {name} -- current uptime is {age} seconds"))
                    }
                    false => Verdict::passed(format!("uptime test succeeded [current uptime = {age} seconds]")),
                }
            }
        },
        _ => return None,
    })
}

fn owner(what: &str, is: Option<u32>, expected: u32, name: &str) -> Verdict {
    match is {
        None => Verdict::Unknown(format!("its {what} cannot be read")),
        Some(is) if is == expected => Verdict::passed(format!("{what} test succeeded [current {what} = {is}]")),
        Some(is) => Verdict::failed(format!("{what} test failed for {name} -- current {what} is {is}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::EventState;
    use crate::base::process::{Identity, StartTime};
    use crate::config::tests::first as service;
    use crate::facts::process::{GoneReason, Owner};
    use std::time::Duration;

    fn entry(pid: i32, parent: i32) -> Entry {
        let start = StartTime::from_boot(Duration::from_secs(100));
        let identity = Identity { pid: Pid::new(pid).unwrap(), start };
        Entry { identity, parent: Pid::new(parent), zombie: false, kernel: false, jail: None }
    }

    fn running(pid: i32, parent: i32) -> ProcessObservation {
        let owner = Some(Owner { uid: 0, euid: 0, gid: 5 });
        let up = Some(Duration::from_secs(103));
        ProcessObservation { presence: Presence::Running(entry(pid, parent)), owner, up }
    }

    fn texts(findings: &Findings) -> Vec<(EventState, &str)> {
        let known = findings.rules.iter().filter_map(|(_, verdict)| match verdict {
            Verdict::Known(state, text) => Some((*state, text.as_str())),
            _ => None,
        });
        known.collect()
    }

    #[test]
    fn a_new_number_is_a_change_but_not_at_first_sight_nor_after_a_start_of_ours() {
        let service = service("check process x pidfile /p if changed pid then alert if changed ppid then alert");
        let mut memory = Memory::default();
        let look = |memory: &mut Memory, pid, parent| {
            let findings = judge(&service, &running(pid, parent), memory);
            texts(&findings).iter().skip(1).map(|(state, text)| (*state, (*text).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(look(&mut memory, 7, 1), []);
        let same = look(&mut memory, 7, 1);
        assert_eq!(same[0], (EventState::NotChanged, "process PID has not changed since last cycle".to_owned()));
        let other = look(&mut memory, 8, 3);
        assert_eq!(other[0], (EventState::Changed, "process PID changed from 7 to 8".to_owned()));
        assert_eq!(other[1], (EventState::Changed, "process PPID changed from 1 to 3".to_owned()));
        memory.restarted();
        assert_eq!(look(&mut memory, 9, 1), []);
    }

    #[test]
    fn owners_and_uptime() {
        let service = service(
            "check process x pidfile /p if failed uid 0 then alert if failed gid 0 then alert if uptime > 2 seconds then alert",
        );
        let findings = judge(&service, &running(7, 1), &mut Memory::default());
        assert_eq!(
            texts(&findings)[1..],
            [
                (EventState::Succeeded, "uid test succeeded [current uid = 0]"),
                (EventState::Failed, "gid test failed for x -- current gid is 5"),
                (EventState::Failed, "uptime test failed for x -- current uptime is 3 seconds"),
            ]
        );
        let blind = ProcessObservation { owner: None, up: None, ..running(7, 1) };
        let findings = judge(&service, &blind, &mut Memory::default());
        assert_eq!(findings.rules.iter().filter(|(_, v)| matches!(v, Verdict::Unknown(_))).count(), 3);
    }

    #[test]
    fn nothing_but_existence_is_judged_of_a_process_that_is_gone() {
        let service = service("check process x pidfile /p if failed uid 0 then alert");
        let gone = ProcessObservation::of(Presence::Gone(GoneReason::NoMatch));
        let findings = judge(&service, &gone, &mut Memory::default());
        assert_eq!(texts(&findings), [(EventState::Failed, "process is not running")]);
        assert!(!findings.is_up);
    }
}
