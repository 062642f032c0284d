//! The status that every text, table and page shows.

use super::Daemon;
use crate::action::Goal;
use crate::base::event::{EventKind, EventState};
use crate::base::logging::LogTarget;
use crate::base::schedule::Every;
use crate::base::time::Wall;
use crate::check::path::Baseline;
use crate::config::{Config, Httpd, Kind, NetworkTarget, ProcessTarget, Program, Service, ServiceId, Test};
use crate::event::ledger::{Ledger, Monitor};
use crate::event::recent::Event;
use crate::event::track::Track;
use crate::facts::process::Presence;
use crate::facts::system::Share;
use crate::probe::process::{self, Asked, Sample};
use crate::probe::system;
use crate::sys::platform::{machine, system as machine_wide};
use crate::sys::posix::{clock, cpus};
use crate::view::status::{
    ConnectionReading, Detail, FilesystemReadings, Front, LinkReadings, Monitoring, PathReadings, PendingAction,
    ProcessReadings, Readings, Schedule, ServiceStatus, Standing, Status, SystemReadings,
};

impl Daemon {
    /// Draws it. Readings that no check needs are taken here, for the one who asks.
    pub(super) fn picture(&self, detail: Detail<'_>) -> Status {
        let mut sample = Sample::new(&*self.table, self.own);
        let config = self.engine.config();
        let services = config.listed.iter().filter(|id| match detail {
            Detail::One(name) => {
                config.services.get(id.0).is_some_and(|service| service.name.eq_ignore_ascii_case(name))
            }
            Detail::State | Detail::Overview | Detail::Full => true,
        });
        let services = services.filter_map(|id| self.picture_of(*id, detail, &mut sample)).collect();
        Status { services, ..self.picture_without_services(detail) }
    }

    /// One service of it.
    pub(super) fn picture_of(
        &self,
        id: ServiceId,
        detail: Detail<'_>,
        sample: &mut Sample<'_>,
    ) -> Option<ServiceStatus> {
        let service = self.engine.config().services.get(id.0)?;
        Some(self.service_status(id, service, detail, sample))
    }

    /// What surrounds the services.
    pub(super) fn picture_without_services(&self, detail: Detail<'_>) -> Status {
        if !matches!(detail, Detail::State | Detail::Overview) {
            self.read_at.set(Some(clock::monotonic()));
        }
        let config = self.engine.config();
        let mut troubles = Vec::new();
        if self.store.is_broken() {
            troubles.push(format!("the state file {} cannot be written", self.store.path().display()));
        }
        troubles.extend(self.log.trouble());
        if let Some(why) = &self.refused_reload {
            troubles.push(format!("the control file was changed but not accepted: {why}"));
        }
        let since_boot = machine::uptime().ok();
        let boot = since_boot.map(|up| Wall::from_epoch(clock::wall().since_epoch().saturating_sub(up)));
        let bytes = |share: std::io::Result<Share>| share.ok().map(|share| share.total);
        Status {
            boot: boot.map(clock::local),
            id: self.id.clone(),
            incarnation: self.incarnation,
            uptime: clock::monotonic().since(self.loaded),
            interval: self.interval,
            host: self.machine_name().to_owned(),
            control_file: self.control_file.display().to_string(),
            start_delay: config.settings.start_delay.unwrap_or_default(),
            front: config.settings.httpd.as_ref().and_then(front),
            platform: self.platform.clone(),
            cpus: cpus::cpus(),
            memory_bytes: bytes(machine_wide::memory()),
            swap_bytes: bytes(machine_wide::swap()),
            files: self.files(),
            services: Vec::new(),
            troubles,
        }
    }

    fn service_status(
        &self,
        id: ServiceId,
        service: &Service,
        detail: Detail<'_>,
        sample: &mut Sample<'_>,
    ) -> ServiceStatus {
        let now = clock::monotonic();
        let config = self.engine.config();
        let ledger = self.engine.ledger(id);
        let is_page = matches!(detail, Detail::One(_));
        let is_bad = |event: &&Event| matches!(event.state, EventState::Failed | EventState::Changed);
        let event = |event: &Event| (clock::local(clock::wall().minus(now.since(event.at))), event.text.clone());
        let monitoring = match ledger.monitor {
            Monitor::Off => Monitoring::NotMonitored,
            Monitor::Init if ledger.waiting && service.cron.is_some() => Monitoring::Waiting,
            Monitor::Init => Monitoring::Initializing,
            Monitor::On if ledger.waiting => Monitoring::Waiting,
            Monitor::On => Monitoring::Monitored,
        };
        let rules = service.rules.iter().zip(&ledger.rules).filter(|(_, track)| track.is_open());
        let rules = rules.map(|(rule, track)| match rule.test {
            // Open because the link is up; failed would be called "Link down".
            Test::Link(true) => (EventKind::Link, EventState::Succeeded),
            _ => (rule.test.event_kind(), track.state().unwrap_or(EventState::Failed)),
        });
        let own =
            [(EventKind::Data, &ledger.data), (EventKind::Exec, &ledger.exec), (EventKind::Timeout, &ledger.timeout)];
        let own = own.into_iter().filter(|(_, track)| track.is_open());
        let open = rules.chain(own.map(|(kind, track)| (kind, track.state().unwrap_or(EventState::Failed))));
        ServiceStatus {
            name: service.name.clone(),
            service_type: service.service_type(),
            groups: service.groups.clone(),
            monitoring,
            mode: service.mode,
            onreboot: service.onreboot,
            open: open.collect(),
            pending: self.engine.pending(id).map(|goal| match goal {
                Goal::Start => PendingAction::Start,
                Goal::Stop => PendingAction::Stop,
                Goal::Restart => PendingAction::Restart,
            }),
            absent_until: ledger.absence_ends.map(|absence| clock::local(clock::wall().plus(absence.until.since(now)))),
            next_start: self.engine.next_start(id).map(|next| next.since(now)).filter(|wait| !wait.is_zero()),
            is_judged: ledger.monitor == Monitor::On,
            is_restarted: ledger.restarted,
            schedule: schedule(service, ledger.skipped),
            collected: ledger.collected.map(clock::local),
            collected_at: ledger.collected,
            readings: self.readings(id, service, detail, sample),
            connections: connections(service),
            settings: if is_page { settings(config, service) } else { Vec::new() },
            rules: if is_page { standings(service, ledger) } else { Vec::new() },
            events: match detail {
                Detail::State => Vec::new(),
                Detail::Overview => ledger.recent.iter().find(|event| is_bad(event)).map(event).into_iter().collect(),
                Detail::Full | Detail::One(_) => ledger.recent.iter().map(event).collect(),
            },
            last_failure: ledger.last_failure.clone(),
        }
    }

    fn files(&self) -> Vec<(&'static str, String)> {
        let settings = &self.engine.config().settings;
        let log = match (self.log.path(), &settings.log) {
            (Some(path), _) => path.display().to_string(),
            (None, Some(LogTarget::Syslog(_))) => "syslog".to_owned(),
            (None, _) => "none".to_owned(),
        };
        vec![("log", log), ("state file", self.store.path().display().to_string())]
    }

    fn readings(&self, id: ServiceId, service: &Service, detail: Detail<'_>, sample: &mut Sample<'_>) -> Readings {
        let ledger = self.engine.ledger(id);
        if ledger.monitor == Monitor::Off || detail == Detail::State {
            return Readings::None;
        }
        match (&service.kind, ledger.process) {
            (Kind::System, _) => {
                let facts = system::observe();
                let share = ledger.memory.system.share_with(&facts.cpu);
                Readings::System(Box::new(SystemReadings { facts, share }))
            }
            (Kind::Process(_), Some(entry)) => {
                let asked = match detail {
                    Detail::State | Detail::Overview => Asked::usage(),
                    Detail::Full | Detail::One(_) => Asked::everything(),
                };
                let seen = process::readings(asked, Presence::Running(entry), sample, clock::monotonic());
                let Some(facts) = seen.facts else { return Readings::None };
                let usage = ledger.memory.process.usage.or_since_start(&facts, seen.cpus);
                Readings::Process(Box::new(ProcessReadings { facts, usage, memory_bytes: seen.memory_bytes }))
            }
            (Kind::Network(_), _) => match &ledger.memory.network {
                Some(memory) => memory.last().map_or(Readings::None, |facts| {
                    Readings::Link(Box::new(LinkReadings { facts, rates: memory.rates }))
                }),
                None => Readings::None,
            },
            (Kind::Program(_), _) => ledger.memory.program.last.clone().map_or(Readings::None, Readings::Program),
            // What a state file tells is no reading.
            (_, _) if ledger.collected.is_none() => Readings::None,
            (Kind::File(_) | Kind::Fifo(_) | Kind::Directory(_), _) if ledger.lives => {
                let memory = &ledger.memory.path;
                memory.last.map_or(Readings::None, |Baseline { facts, local }| {
                    let (matched, checksums) = (memory.matched, memory.checksums.clone());
                    Readings::Path(Box::new(PathReadings { facts, local, matched, checksums }))
                })
            }
            (Kind::Filesystem(_), _) if ledger.lives => {
                let memory = &ledger.memory.filesystem;
                memory.last.clone().map_or(Readings::None, |(facts, mount_point)| {
                    Readings::Filesystem(Box::new(FilesystemReadings { facts, mount_point, rates: memory.rates }))
                })
            }
            (_, _) => Readings::None,
        }
    }
}

/// How the process is found.
fn target_of(target: &ProcessTarget) -> Vec<(&'static str, String)> {
    let (path, pattern, user) = match target {
        ProcessTarget::Pidfile { path, pattern, user, .. } => (Some(path), pattern.as_ref(), user),
        ProcessTarget::Matching { pattern, user, .. } => (None, Some(pattern), user),
    };
    let path = path.map(|path| ("pid file", path.display().to_string()));
    let pattern = pattern.map(|pattern| ("matching", pattern.source.clone()));
    let user = user.as_ref().map(|user| ("as user", user.name.clone().unwrap_or_else(|| user.uid.to_string())));
    let jail = target.jail().map(|jail| ("in jail", jail.name().to_owned()));
    path.into_iter().chain(pattern).chain(user).chain(jail).collect()
}

fn front(httpd: &Httpd) -> Option<Front> {
    let socket = httpd.socket.as_ref().map(|socket| Front::Socket(socket.path.display().to_string()));
    let tcp = httpd.port.map(|port| Front::Tcp {
        address: httpd.address.clone().unwrap_or_else(|| "127.0.0.1".to_owned()),
        port,
        tls: httpd.encrypts(),
    });
    tcp.or(socket)
}

fn schedule(service: &Service, skipped: u32) -> Schedule {
    match (&service.cron, &service.every) {
        (Some(cron), _) => Schedule::Cron { not: cron.not, text: cron.schedule.to_string() },
        (None, Every::Cycles(number)) => Schedule::Cycles { skipped, number: *number },
        (None, Every::Cycle) => Schedule::Cycle,
    }
}

fn connections(service: &Service) -> Vec<ConnectionReading> {
    let host = match &service.kind {
        Kind::Host(host) => host,
        _ => "localhost",
    };
    let tests = service.rules.iter().filter_map(|rule| match &rule.test {
        Test::Connection(connection) => Some(connection),
        _ => None,
    });
    tests.map(|connection| ConnectionReading::new(connection, host)).collect()
}

fn standings(service: &Service, ledger: &Ledger) -> Vec<(String, Standing)> {
    let standing = |track: &Track| match track.state() {
        Some(EventState::Failed) => Standing::Failed,
        Some(EventState::Changed) => Standing::Changed,
        _ if track.is_unknown() => Standing::Unknown,
        _ => Standing::Well,
    };
    let rules = service.rules.iter().zip(&ledger.rules);
    // That a path is what it is said to be is no rule that anybody wrote.
    let rules = rules.filter(|(rule, _)| rule.test != Test::Type);
    let limits = service.restart_limits.iter().map(|limit| (limit.text(), standing(&ledger.timeout)));
    rules.map(|(rule, track)| (rule.text(), standing(track))).chain(limits).collect()
}

/// What the control file says of a service, in the words of its page.
fn settings(config: &Config, service: &Service) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    match &service.kind {
        Kind::Process(target) => rows.extend(target_of(target)),
        Kind::File(path) | Kind::Fifo(path) | Kind::Directory(path) => rows.push(("path", path.display().to_string())),
        Kind::Filesystem(wanted) => rows.push(("path", wanted.clone())),
        Kind::Host(address) | Kind::Network(NetworkTarget::Address(address)) => rows.push(("address", address.clone())),
        Kind::Network(NetworkTarget::Interface(name)) => rows.push(("interface", name.clone())),
        Kind::Program(program) => rows.push(("program", program.command_line())),
        Kind::System => {}
    }
    rows.extend(service.groups.iter().map(|group| ("group", group.clone())));
    let parents = service.depends.iter().filter_map(|id| config.services.get(id.0));
    rows.extend(parents.map(|parent| ("depends on service", parent.name.clone())));
    let programs =
        [("start program", &service.start), ("stop program", &service.stop), ("restart program", &service.restart)];
    let lines = programs.into_iter().filter_map(|(label, program)| Some((label, program.as_ref()?)));
    rows.extend(lines.map(|(label, program): (_, &Program)| (label, program.command_line())));
    let checked = match schedule(service, 0) {
        Schedule::Cycle => None,
        Schedule::Cycles { number, .. } => Some(format!("every {number} cycles")),
        Schedule::Cron { not: false, text } => Some(format!("every \"{text}\"")),
        Schedule::Cron { not: true, text } => Some(format!("not every \"{text}\"")),
    };
    rows.extend(checked.map(|text| ("check service", text)));
    rows
}
