//! The line of `check`, as programs of the kind of Nagios, Icinga and Sensu want it: a word, a text, behind a bar what was
//! measured, and an exit code (Monitoring Plugins Development Guidelines).

use std::fmt;

use super::readings;
use super::select::{Missing, Selection};
use super::status::{
    FilesystemReadings, LinkReadings, ProcessReadings, Readings, ServiceStatus, Standing, Status, SystemReadings,
};
use super::words::{self, Condition};
use crate::base::escape;
use crate::facts::rate;

/// The exit code when nothing is known.
pub const UNKNOWN: i32 = 3;

/// So many services are named when several are in trouble.
const NAMED: usize = 5;

/// How bad it is, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Ok,
    Unknown,
    Warning,
    Critical,
}

impl State {
    const fn code(self) -> i32 {
        match self {
            State::Ok => 0,
            State::Warning => 1,
            State::Critical => 2,
            State::Unknown => UNKNOWN,
        }
    }

    fn word(self) -> &'static str {
        match self {
            State::Ok => "OK",
            State::Warning => "WARNING",
            State::Critical => "CRITICAL",
            State::Unknown => "UNKNOWN",
        }
    }

    /// What failed is critical, what changed or is about to change a warning. Who is not watched, or was not looked at yet,
    /// is not known.
    fn of(service: &ServiceStatus) -> State {
        match Condition::of(service) {
            Condition::Failed => State::Critical,
            Condition::Changed => State::Warning,
            _ if service.pending.is_some() => State::Warning,
            Condition::NotMonitored | Condition::Initializing => State::Unknown,
            Condition::Ok => State::Ok,
        }
    }
}

/// The line, which `Display` writes with its newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    state: State,
    /// One line.
    text: String,
    /// What was measured, in the form of the convention; may be empty.
    data: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bar = if self.data.is_empty() { "" } else { " | " };
        writeln!(f, "{}: {}{bar}{}", self.state.word(), self.text, self.data)
    }
}

impl Line {
    fn new(state: State, text: &str, data: String) -> Line {
        // The first bar begins what was measured, and the first line is the only one that all programs show.
        Line { state, text: escape::log_line(text.trim_end()).replace('|', "/"), data }
    }

    /// Nothing is known, because of that.
    pub fn unknown(why: &str) -> Line {
        Line::new(State::Unknown, why, String::new())
    }

    /// 0, 1, 2 or 3.
    pub fn code(&self) -> i32 {
        self.state.code()
    }

    /// The way from the daemon to the command line.
    pub fn packed(&self) -> String {
        format!("{}\n{}\n{}\n", self.code(), self.text, self.data)
    }

    /// What [`Line::packed`] made.
    pub fn unpack(text: &str) -> Option<Line> {
        let mut lines = text.lines();
        let code: i32 = lines.next()?.parse().ok()?;
        let states = [State::Ok, State::Warning, State::Critical, State::Unknown];
        let state = states.into_iter().find(|state| state.code() == code)?;
        Some(Line { state, text: lines.next()?.to_owned(), data: lines.next()?.to_owned() })
    }
}

/// The line for one service, or for several together, for which the worst counts.
///
/// # Errors
/// The selection names what does not exist.
pub fn check(status: &Status, selection: &Selection) -> Result<Line, Missing> {
    let services = selection.services(status)?;
    Ok(match (selection, services.as_slice()) {
        (Selection::Named(_), [service]) => one(service, status),
        _ => {
            let troubles = if *selection == Selection::All { status.troubles.as_slice() } else { &[] };
            several(&services, troubles)
        }
    })
}

fn one(service: &ServiceStatus, status: &Status) -> Line {
    let mut text = standing(service);
    // What failed is told by the rule that says so; of what is well, the first that is known of it.
    let failed =
        service.rules.iter().find(|(_, standing)| *standing == Standing::Failed).map(|(rule, _)| rule.as_str());
    if let (State::Critical, Some(rule)) = (State::of(service), failed) {
        text.push_str(&format!(" ({rule})"));
    }
    if State::of(service) == State::Ok {
        let told = ["pid", "uptime", "load average", "space total", "size", "last exit value", "link"];
        let rows = readings::rows(service, status);
        let known = rows.iter().filter(|(label, _)| told.contains(label));
        let known: Vec<_> = known.filter_map(|(label, value)| Some(format!("{label} {}", value.as_ref()?))).collect();
        if !known.is_empty() {
            text.push_str(&format!(", {}", known.join(", ")));
        }
    }
    Line::new(State::of(service), &text, measured(service))
}

fn standing(service: &ServiceStatus) -> String {
    let state = words::status(service).replace(" | ", ", ");
    let until = service.absent_until.map(|time| format!(" until {}", time.rfc_date())).unwrap_or_default();
    format!("'{}' {state}{}{until}", service.name, words::pending(service))
}

fn several(services: &[&ServiceStatus], troubles: &[String]) -> Line {
    let count = |wanted: State| services.iter().filter(|service| State::of(service) == wanted).count();
    let mut state = services.iter().map(|service| State::of(service)).max().unwrap_or(State::Unknown);
    let mut bad: Vec<_> = services.iter().filter(|service| State::of(service) != State::Ok).collect();
    bad.sort_by_key(|service| std::cmp::Reverse(State::of(service)));
    let total = services.len();
    let mut text = format!("{} of {total} services are well", count(State::Ok));
    let mut told: Vec<_> = bad.iter().take(NAMED).map(|service| standing(service)).collect();
    if bad.len() > NAMED {
        told.push(format!("and {} more", bad.len() - NAMED));
    }
    if !troubles.is_empty() {
        state = state.max(State::Warning);
        told.extend(troubles.iter().cloned());
    }
    if !told.is_empty() {
        text.push_str(&format!(": {}", told.join("; ")));
    }
    let counts = [("ok", State::Ok), ("warning", State::Warning), ("critical", State::Critical)];
    let counts = counts.into_iter().chain([("unknown", State::Unknown)]);
    let data: Vec<_> = counts.map(|(label, state)| format!("{label}={};;;0;{total}", count(state))).collect();
    Line::new(state, &text, data.join(" "))
}

/// Values in the form `label=value[unit];;;minimum;maximum`; those that are not known are left out.
#[derive(Default)]
struct Data(Vec<String>);

impl Data {
    fn percent(&mut self, label: &str, value: Option<f64>) {
        self.0.extend(value.map(|value| format!("{label}={value:.1}%;;;0;100")));
    }

    /// A share of the processor, of which a process with threads may have more than one.
    fn share(&mut self, label: &str, value: Option<f64>) {
        self.0.extend(value.map(|value| format!("{label}={value:.1}%;;;0")));
    }

    fn bytes(&mut self, label: &str, value: Option<u64>) {
        self.0.extend(value.map(|value| format!("{label}={value}B;;;0")));
    }

    fn count(&mut self, label: &str, value: Option<u64>) {
        self.0.extend(value.map(|value| format!("{label}={value};;;0")));
    }

    fn seconds(&mut self, label: &str, value: Option<u64>) {
        self.0.extend(value.map(|value| format!("{label}={value}s;;;0")));
    }

    fn rate(&mut self, label: &str, value: Option<f64>) {
        self.0.extend(value.map(|value| format!("{label}={value:.0};;;0")));
    }
}

fn measured(service: &ServiceStatus) -> String {
    let mut data = Data::default();
    match &service.readings {
        Readings::None => {}
        Readings::Process(seen) => process(&mut data, seen),
        Readings::System(seen) => system(&mut data, seen),
        Readings::Link(seen) => link(&mut data, seen),
        Readings::Filesystem(seen) => filesystem(&mut data, seen),
        Readings::Path(seen) => data.bytes("size", Some(seen.facts.size_bytes)),
        Readings::Program(run) => data.0.extend(run.status.map(|status| format!("status={status}"))),
    }
    for (place, connection) in service.connections.iter().enumerate() {
        let label = format!("response{}", place + 1);
        data.0.extend(connection.response.map(|time| format!("{label}={:.6}s;;;0", time.as_secs_f64())));
    }
    data.0.join(" ")
}

fn process(data: &mut Data, seen: &ProcessReadings) {
    let facts = &seen.facts;
    data.share("cpu", seen.usage.cpu_percent);
    data.share("cpu_total", seen.usage.tree_cpu_percent);
    data.percent("memory", rate::percent(facts.resident_bytes, seen.memory_bytes));
    data.bytes("memory_bytes", facts.resident_bytes);
    data.bytes("memory_total_bytes", facts.tree.resident_bytes);
    data.count("threads", facts.threads);
    data.count("children", facts.tree.children);
    data.count("descriptors", facts.descriptors.open);
    data.seconds("uptime", facts.uptime.map(|up| up.as_secs()));
}

fn system(data: &mut Data, seen: &SystemReadings) {
    let (facts, share) = (&seen.facts, &seen.share);
    for (place, label) in ["load1", "load5", "load15"].iter().enumerate() {
        let value = facts.load.and_then(|load| load.get(place).copied());
        data.0.extend(value.map(|value| format!("{label}={value:.2};;;0")));
    }
    data.percent("cpu_user", share.user);
    data.percent("cpu_system", share.system);
    data.percent("cpu_nice", share.nice);
    data.percent("cpu_wait", share.iowait);
    data.percent("memory", facts.memory_percent());
    data.bytes("memory_bytes", facts.memory_used_bytes);
    data.percent("swap", facts.swap_percent());
    data.count("descriptors", facts.descriptors_open);
    data.seconds("uptime", facts.uptime.map(|up| up.as_secs()));
}

fn link(data: &mut Data, seen: &LinkReadings) {
    data.rate("download_bytes_per_second", seen.rates.download.bytes_per_second);
    data.rate("upload_bytes_per_second", seen.rates.upload.bytes_per_second);
    data.count("download_errors", seen.facts.download.errors);
    data.count("upload_errors", seen.facts.upload.errors);
}

fn filesystem(data: &mut Data, seen: &FilesystemReadings) {
    data.percent("space", seen.facts.used_percent());
    data.0.push(format!("space_bytes={}B;;;0;{}", seen.facts.used_bytes(), seen.facts.total_bytes()));
    data.percent("inodes", seen.facts.inodes_used_percent());
}

#[cfg(test)]
mod tests {
    use super::super::status::{Monitoring, PendingAction, sample};
    use super::*;
    use crate::base::event::{EventKind, EventState};

    fn line(name: &str) -> (i32, String) {
        let line = check(&sample::status(), &Selection::Named(vec![name.to_owned()])).unwrap();
        assert_eq!(Line::unpack(&line.packed()), Some(line.clone()));
        (line.code(), line.to_string())
    }

    #[test]
    fn one_service_is_told_with_what_was_measured() {
        let alive = "OK: 'alive' OK, pid 5632, uptime 1h 5m | cpu=0.2%;;;0 memory=0.8%;;;0;100 \
                     memory_bytes=8388608B;;;0 threads=5;;;0 uptime=3900s;;;0\n";
        assert_eq!(line("ALIVE"), (0, alive.to_owned()));
        let (code, system) = line("myhost");
        assert!(code == 0 && system.contains(" | load1=0.19;;;0 load5=0.12;;;0 "), "{system}");
        assert!(system.contains(" cpu_user=1.5%;;;0;100 "), "{system}");
    }

    #[test]
    fn the_exit_code_tells_how_bad_it_is() {
        assert_eq!(line("deadsvc"), (2, "CRITICAL: 'deadsvc' Does not exist\n".to_owned()));
        assert_eq!(line("passwd"), (2, "CRITICAL: 'passwd' Permission failed, UID failed\n".to_owned()));
        assert_eq!(line("unm"), (3, "UNKNOWN: 'unm' Not monitored\n".to_owned()));
        assert_eq!(line("slow"), (1, "WARNING: 'slow' Initializing - start pending\n".to_owned()));
        let mut service = sample::process("x");
        let state = |service: &ServiceStatus| State::of(service).code();
        service.open = vec![(EventKind::Pid, EventState::Changed)];
        assert_eq!(state(&service), 1);
        service.open.clear();
        service.pending = Some(PendingAction::Restart);
        assert_eq!(state(&service), 1, "it is well, and about to be no more");
        service.pending = None;
        service.monitoring = Monitoring::Waiting;
        assert_eq!(state(&service), 0, "as it was found last");
        service.is_judged = false;
        assert_eq!((state(&service), standing(&service).as_str()), (3, "'x' Waiting"));
    }

    #[test]
    fn the_worst_of_several_counts() {
        let all = check(&sample::status(), &Selection::All).unwrap();
        assert_eq!(
            all.to_string(),
            "CRITICAL: 4 of 8 services are well: 'passwd' Permission failed, UID failed; 'deadsvc' Does not exist; \
             'slow' Initializing - start pending; 'unm' Not monitored; cannot write the state file: <no space> | \
             ok=4;;;0;8 warning=1;;;0;8 critical=2;;;0;8 unknown=1;;;0;8\n"
        );
        let group = check(&sample::status(), &Selection::Group("web".to_owned())).unwrap();
        assert_eq!(group.to_string().split(" |").next(), Some("OK: 2 of 2 services are well"));
        let mut status = sample::status();
        status.services.retain(|service| service.name == "alive");
        assert_eq!(check(&status, &Selection::All).unwrap().code(), 1, "the daemon itself has troubles");
        status.services = (0..9).map(|n| ServiceStatus { name: format!("n{n}"), ..sample::process("") }).collect();
        status.services.iter_mut().for_each(|service| service.monitoring = Monitoring::NotMonitored);
        assert!(check(&status, &Selection::All).unwrap().to_string().contains("'n4' Not monitored; and 4 more; "));
        assert!(check(&status, &Selection::Named(vec!["x".to_owned()])).is_err());
    }

    #[test]
    fn no_name_and_no_rule_can_end_the_line_or_begin_what_was_measured() {
        let mut status = sample::status();
        for service in &mut status.services {
            service.name = "a|b\nc".to_owned();
            service.rules = vec![("If content = \"|\" then alert".to_owned(), Standing::Failed)];
        }
        let line = check(&status, &Selection::Named(vec!["a|b\nc".to_owned()])).unwrap().to_string();
        assert_eq!(line.matches('|').count(), 1, "{line}");
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert_eq!(Line::unknown("Service 'x|y' not found\n").to_string(), "UNKNOWN: Service 'x/y' not found\n");
        assert_eq!(Line::unpack("7\na\nb\n"), None);
        assert_eq!(Line::unpack("<html>"), None);
    }
}
