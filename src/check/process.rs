//! Processes: `check process`.

use std::time::Duration;

use super::limit::{self, Show, Words, measured, resource};
use super::{Findings, Verdict};
use crate::base::process::{Pid, Tolerance};
use crate::base::time::Mono;
use crate::config::{Attribute, Kind, Limit, Measure, ProcessTarget, Rule, Service, Test, Unit};
use crate::facts::observation::ProcessObservation;
use crate::facts::process::{Entry, Presence};
use crate::facts::rate;
use crate::facts::usage::{CpuSample, ProcessFacts, ProcessIo, TreeSample, cpu_percent, tree_cpu_percent};

/// How far two readings of one start may differ, on the system where they differ most.
const SAME_START: Tolerance = Tolerance(Duration::from_secs(1));

/// What is remembered of a process.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Its number and its parent's, as seen last; `None` before the first look and after a start of ours, whose change is
    /// no news.
    seen: Option<(Pid, Option<Pid>)>,
    /// Whose samples these are.
    sampled: Option<Pid>,
    cpu: Option<CpuSample>,
    tree: Option<TreeSample>,
    io: Option<(Mono, ProcessIo)>,
    /// What the last look showed, for those who ask.
    pub usage: Usage,
}

/// What a process used between the last two looks; `None` after one look.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Percent of the processors it can use.
    pub cpu_percent: Option<f64>,
    /// The same with all its descendants.
    pub tree_cpu_percent: Option<f64>,
    /// What it read and wrote in each second.
    pub io: IoRates,
}

/// What a process read and wrote in each second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct IoRates {
    /// Bytes read, also from memory.
    pub read_bytes: Option<f64>,
    /// Bytes written, also to memory.
    pub written_bytes: Option<f64>,
    /// Bytes read from disks.
    pub disk_read_bytes: Option<f64>,
    /// Bytes written to disks.
    pub disk_written_bytes: Option<f64>,
    /// Operations of reading.
    pub reads: Option<f64>,
    /// Operations of writing.
    pub writes: Option<f64>,
}

impl IoRates {
    fn between(earlier: &ProcessIo, later: &ProcessIo, passed: Duration) -> IoRates {
        let rate = |of: fn(&ProcessIo) -> Option<u64>| rate::per_second(rate::growth(of(earlier), of(later)), passed);
        IoRates {
            read_bytes: rate(|io| io.read_bytes),
            written_bytes: rate(|io| io.written_bytes),
            disk_read_bytes: rate(|io| io.disk_read_bytes),
            disk_written_bytes: rate(|io| io.disk_written_bytes),
            reads: rate(|io| io.reads),
            writes: rate(|io| io.writes),
        }
    }
}

impl Usage {
    /// This, and what is not known of the last two looks as an average since the process was started.
    pub fn or_since_start(&self, facts: &ProcessFacts, cpus: Option<u32>) -> Usage {
        let average = |time: Option<Duration>, threads: u64| {
            let later = CpuSample { at: Mono::from_origin(facts.uptime?), cpu_time: time?, threads };
            let start = CpuSample { at: Mono::default(), cpu_time: Duration::ZERO, threads };
            cpu_percent(Some(start), later, cpus.unwrap_or(1))
        };
        let own = average(facts.cpu_time, facts.threads.unwrap_or(1));
        let of_descendants = facts.tree.cpu_time.and_then(|all| all.checked_sub(facts.cpu_time?));
        let descendants = average(of_descendants, facts.tree.children.unwrap_or(0));
        Usage {
            cpu_percent: self.cpu_percent.or(own),
            tree_cpu_percent: self.tree_cpu_percent.or_else(|| Some((own? + descendants?).min(100.0))),
            ..*self
        }
    }
}

impl Memory {
    /// We started or restarted the process ourselves: what it is now is what it shall be.
    pub fn restarted(&mut self) {
        *self = Memory::default();
    }

    /// Brings samples up to date. True when this was the first of its process.
    fn sample(&mut self, seen: &ProcessObservation, facts: &ProcessFacts, now: Mono) -> bool {
        let pid = facts.identity.pid;
        let is_first = self.sampled != Some(pid);
        if is_first {
            (self.cpu, self.tree, self.io) = (None, None, None);
        }
        self.sampled = Some(pid);
        let cpus = seen.cpus.unwrap_or(1);
        self.usage = Usage::default();
        if let Some(cpu_time) = facts.cpu_time {
            let later = CpuSample { at: now, cpu_time, threads: facts.threads.unwrap_or(1) };
            self.usage.cpu_percent = cpu_percent(self.cpu, later, cpus);
            self.cpu = Some(later);
        }
        if let Some(later) = &seen.tree {
            self.usage.tree_cpu_percent = tree_cpu_percent(self.tree.as_ref(), later, cpus, SAME_START);
            self.tree = Some(later.clone());
        }
        if let Some((at, io)) = self.io {
            self.usage.io = IoRates::between(&io, &facts.io, now.since(at));
        }
        self.io = Some((now, facts.io));
        is_first
    }
}

/// What a look at a process says of its rules.
pub fn judge(service: &Service, seen: &ProcessObservation, memory: &mut Memory, now: Mono) -> Findings {
    let entry = match &seen.presence {
        Presence::Unknown(why) => return Findings::unreadable(format!("process data cannot be read: {why}")),
        Presence::Running(entry) => Some(entry),
        Presence::Gone(_) => None,
    };
    let before = memory.seen;
    if let Some(entry) = entry {
        memory.seen = Some((entry.identity.pid, entry.parent));
    }
    let is_first = match (entry, &seen.facts) {
        (Some(_), Some(facts)) => memory.sample(seen, facts, now),
        (Some(_), None) => true,
        (None, _) => {
            memory.usage = Usage::default();
            true
        }
    };
    Findings::of(service, entry.is_some(), |rule| match (&rule.test, entry) {
        (Test::NotExist | Test::Exited, _) => Some(existence(entry, entry.is_none())),
        (Test::Exist, _) => Some(existence(entry, entry.is_some())),
        (Test::Changed(attribute), Some(entry)) => changed(*attribute, entry, before),
        // A mere look, such as that after a start, says nothing of what is used.
        (_, Some(_)) => Some(used(rule, service, seen, &memory.usage, is_first)?.later_if(!seen.is_read)),
        // Nothing is said of a process that is not there.
        (_, None) => None,
    })
}

fn existence(entry: Option<&Entry>, failed: bool) -> Verdict {
    match entry {
        Some(entry) => Verdict::of(failed, format!("process is running with pid {}", entry.identity.pid)),
        None => Verdict::of(failed, "process is not running"),
    }
}

fn changed(attribute: Attribute, entry: &Entry, before: Option<(Pid, Option<Pid>)>) -> Option<Verdict> {
    let number = |pid: Option<Pid>| pid.map_or("0".to_owned(), |pid| pid.to_string());
    let (word, before, is) = match attribute {
        Attribute::Pid => ("PID", before.map(|(pid, _)| Some(pid)), Some(entry.identity.pid)),
        Attribute::ParentPid => ("PPID", before.map(|(_, parent)| parent), entry.parent),
        _ => return None,
    };
    Some(match before {
        None => Verdict::Later,
        Some(before) if before == is => Verdict::unchanged(format!("process {word} has not changed since last cycle")),
        Some(before) => Verdict::changed(format!("process {word} changed from {} to {}", number(before), number(is))),
    })
}

/// A test of what a live process is and uses; `None` for tests that belong to other kinds of services.
fn used(rule: &Rule, service: &Service, seen: &ProcessObservation, usage: &Usage, is_first: bool) -> Option<Verdict> {
    let name = &service.name;
    let facts = seen.facts.as_ref();
    Some(match &rule.test {
        Test::Uid(user) => limit::owner("uid", facts.and_then(|f| f.uid), user.uid, name),
        Test::EffectiveUid(user) => limit::owner("euid", facts.and_then(|f| f.euid), user.uid, name),
        Test::Gid(group) => limit::owner("gid", facts.and_then(|f| f.gid), group.gid, name),
        Test::SecurityAttribute { differs, attribute, pattern } => {
            security(facts.and_then(|f| f.security.as_deref()), *differs, attribute, *pattern, name)
        }
        Test::Measured { measure, limit } => {
            let verdict = measure_of(*measure, limit, service, seen, usage)?;
            let is_rate = matches!(
                measure,
                Measure::Cpu(_)
                    | Measure::TotalCpu
                    | Measure::Read
                    | Measure::Write
                    | Measure::DiskRead
                    | Measure::DiskWrite
            );
            verdict.later_if(is_first && is_rate)
        }
        _ => return None,
    })
}

fn measure_of(
    measure: Measure,
    limit: &Limit,
    service: &Service,
    seen: &ProcessObservation,
    usage: &Usage,
) -> Option<Verdict> {
    let facts = seen.facts.as_ref();
    let tree = facts.map(|facts| facts.tree).unwrap_or_default();
    let number = |value: Option<u64>| value.map(|value| value as f64);
    let is_percent = limit.unit == Unit::Percent;
    let io = |bytes: Option<f64>, operations: Option<f64>| {
        if limit.unit == Unit::Operations { operations } else { bytes }
    };
    Some(match measure {
        Measure::Cpu(None) => resource(usage.cpu_percent, limit, Show::Percent, "cpu usage"),
        Measure::TotalCpu => measured(
            usage.tree_cpu_percent,
            limit,
            Show::Percent,
            &Words {
                subject: "total cpu usage of",
                name: "cpu usage",
                matches: "matches resource limit",
                success: "total cpu usage check succeeded",
                current: "current cpu usage",
            },
        ),
        Measure::Memory => memory(facts.and_then(|f| f.resident_bytes), seen, limit, ["mem usage", "mem amount"]),
        Measure::TotalMemory => memory(tree.resident_bytes, seen, limit, ["total mem amount", "total mem amount"]),
        Measure::Threads => count(number(facts.and_then(|f| f.threads)), limit, "threads"),
        Measure::Children => count(number(tree.children), limit, "children"),
        Measure::FileDescriptors => {
            let open = facts.map(|facts| facts.descriptors).unwrap_or_default();
            limit::descriptors(if is_percent { open.percent() } else { number(open.open) }, limit, false)
        }
        Measure::TotalFileDescriptors => limit::descriptors(number(tree.descriptors), limit, true),
        Measure::Uptime => limit::uptime(facts.and_then(|f| f.uptime), limit, &target(service)),
        Measure::Read => limit::rate(usage.io.read_bytes, limit, "read", false),
        Measure::Write => limit::rate(usage.io.written_bytes, limit, "write", false),
        Measure::DiskRead => limit::rate(io(usage.io.disk_read_bytes, usage.io.reads), limit, "read", true),
        Measure::DiskWrite => limit::rate(io(usage.io.disk_written_bytes, usage.io.writes), limit, "write", true),
        _ => return None,
    })
}

/// Memory in percent of the machine's, or in bytes.
fn memory(bytes: Option<u64>, seen: &ProcessObservation, limit: &Limit, names: [&str; 2]) -> Verdict {
    if limit.unit == Unit::Percent {
        resource(rate::percent(bytes, seen.memory_bytes), limit, Show::Percent, names[0])
    } else {
        resource(bytes.map(|bytes| bytes as f64), limit, Show::Bytes, names[1])
    }
}

fn count(value: Option<f64>, limit: &Limit, name: &str) -> Verdict {
    measured(
        value,
        limit,
        Show::Count,
        &Words {
            subject: &format!("{name} count"),
            name,
            matches: "matches resource limit",
            success: &format!("{name} check succeeded"),
            current: &format!("current {name}"),
        },
    )
}

fn security(is: Option<&str>, differs: bool, expected: &str, pattern: bool, name: &str) -> Verdict {
    let Some(is) = is else { return Verdict::Unknown("its security attribute cannot be read".to_owned()) };
    let same = match pattern {
        // The pattern was compiled when the control file was loaded.
        true => crate::base::ere::compile(expected.as_bytes()).is_ok_and(|(regex, _)| regex.is_match(is.as_bytes())),
        false => is == expected,
    };
    if same != differs {
        Verdict::passed(format!("security attribute test succeeded [current attribute = '{is}']"))
    } else {
        Verdict::failed(format!("security attribute test failed for {name} -- current attribute is '{is}'"))
    }
}

/// Pidfile or pattern.
fn target(service: &Service) -> String {
    match &service.kind {
        Kind::Process(ProcessTarget::Pidfile { path, .. }) => path.display().to_string(),
        Kind::Process(ProcessTarget::Matching { pattern, .. }) => pattern.source.clone(),
        _ => service.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::EventState;
    use crate::base::process::{Identity, StartTime};
    use crate::config::tests::first as service;
    use crate::facts::process::GoneReason;

    fn entry(pid: i32, parent: i32) -> Entry {
        let start = StartTime::from_boot(Duration::from_secs(100));
        let identity = Identity { pid: Pid::new(pid).unwrap(), start };
        Entry { identity, parent: Pid::new(parent), zombie: false, kernel: false, jail: None }
    }

    fn running(pid: i32, parent: i32) -> ProcessObservation {
        let entry = entry(pid, parent);
        let facts = ProcessFacts {
            uid: Some(0),
            euid: Some(0),
            gid: Some(5),
            uptime: Some(Duration::from_secs(3)),
            ..ProcessFacts::unknown(entry.identity)
        };
        ProcessObservation {
            is_read: true,
            facts: Some(facts),
            cpus: Some(2),
            memory_bytes: Some(1 << 20),
            ..ProcessObservation::of(Presence::Running(entry))
        }
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
            let findings = judge(&service, &running(pid, parent), memory, Mono::default());
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
        let findings = judge(&service, &running(7, 1), &mut Memory::default(), Mono::default());
        assert_eq!(
            texts(&findings)[1..],
            [
                (EventState::Succeeded, "uid test succeeded [current uid = 0]"),
                (EventState::Failed, "gid test failed for x -- current gid is 5"),
                (EventState::Failed, "uptime test failed for /p -- current uptime is 3 seconds"),
            ]
        );
        let blind = ProcessObservation { facts: None, ..running(7, 1) };
        let findings = judge(&service, &blind, &mut Memory::default(), Mono::default());
        assert_eq!(findings.rules.iter().filter(|(_, v)| matches!(v, Verdict::Unknown(_))).count(), 3);
        let glance = ProcessObservation::of(blind.presence);
        let findings = judge(&service, &glance, &mut Memory::default(), Mono::default());
        assert_eq!(findings.rules.iter().filter(|(_, verdict)| *verdict == Verdict::Later).count(), 3, "{findings:?}");
    }

    #[test]
    fn nothing_but_existence_is_judged_of_a_process_that_is_gone() {
        let service = service("check process x pidfile /p if failed uid 0 then alert");
        let gone = ProcessObservation::of(Presence::Gone(GoneReason::NoMatch));
        let findings = judge(&service, &gone, &mut Memory::default(), Mono::default());
        assert_eq!(texts(&findings), [(EventState::Failed, "process is not running")]);
        assert!(!findings.is_up);
    }

    #[test]
    fn a_share_of_the_processor_needs_two_looks_at_one_process() {
        let service = service("check process x pidfile /p if cpu > 10% then alert if mem > 50% then alert");
        let mut memory = Memory::default();
        let mut look = |pid, seconds, millis| {
            let mut seen = running(pid, 1);
            let facts = seen.facts.as_mut().unwrap();
            facts.cpu_time = Some(Duration::from_millis(millis));
            facts.threads = Some(1);
            facts.resident_bytes = Some(1 << 18);
            let now = Mono::from_origin(Duration::from_secs(seconds));
            let findings = judge(&service, &seen, &mut memory, now);
            findings.rules.into_iter().skip(1).map(|(_, verdict)| verdict).collect::<Vec<_>>()
        };
        let memory = Verdict::passed("mem usage check succeeded [current mem usage = 25.0%]");
        assert_eq!(look(7, 10, 0), [Verdict::Later, memory.clone()]);
        let half = Verdict::failed("cpu usage of 50.0% matches resource limit [cpu usage > 10.0%]");
        assert_eq!(look(7, 20, 5000), [half, memory.clone()]);
        assert_eq!(look(8, 30, 9000), [Verdict::Later, memory]);
    }
}
