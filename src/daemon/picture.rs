//! The status that every text, table and page shows.

use super::Daemon;
use crate::action::Goal;
use crate::base::event::{EventKind, EventState};
use crate::base::time::Wall;
use crate::check::path::Baseline;
use crate::config::{Kind, ProcessTarget, Program, Service, ServiceId};
use crate::event::ledger::Monitor;
use crate::facts::process::Presence;
use crate::probe::process::{self, Asked, Sample};
use crate::probe::system;
use crate::sys::platform::machine;
use crate::sys::posix::clock;
use crate::view::status::{
    Detail, FilesystemReadings, LinkReadings, Monitoring, PathReadings, PendingAction, ProcessReadings, Readings,
    ServiceStatus, Status, SystemReadings,
};

impl Daemon {
    /// Draws it. Readings that no check needs are taken here, for the one who asks.
    pub(super) fn picture(&self, detail: Detail) -> Status {
        let mut sample = Sample::new(&*self.table, self.own);
        let config = self.engine.config();
        let mut troubles = Vec::new();
        if self.store.is_broken() {
            troubles.push(format!("the state file {} cannot be written", self.store.path().display()));
        }
        if let Some(why) = &self.refused_reload {
            troubles.push(format!("the control file was changed but not accepted: {why}"));
        }
        let since_boot = machine::uptime().ok();
        let boot = since_boot.map(|up| Wall::from_epoch(clock::wall().since_epoch().saturating_sub(up)));
        let services = config.listed.iter().filter_map(|id| Some((*id, config.services.get(id.0)?)));
        Status {
            boot: boot.map(clock::local),
            id: self.id.clone(),
            incarnation: self.incarnation,
            uptime: clock::monotonic().since(self.loaded),
            interval: self.interval,
            host: self.platform.host.clone(),
            control_file: self.control_file.display().to_string(),
            listeners: self.server.tcp_addresses(),
            services: services.map(|(id, service)| self.service_status(id, service, detail, &mut sample)).collect(),
            troubles,
        }
    }

    fn service_status(
        &self,
        id: ServiceId,
        service: &Service,
        detail: Detail,
        sample: &mut Sample<'_>,
    ) -> ServiceStatus {
        let now = clock::monotonic();
        let ledger = self.engine.ledger(id);
        let monitoring = match ledger.monitor {
            Monitor::Off => Monitoring::NotMonitored,
            Monitor::Init if ledger.waiting && service.cron.is_some() => Monitoring::Waiting,
            Monitor::Init => Monitoring::Initializing,
            Monitor::On if ledger.waiting => Monitoring::Waiting,
            Monitor::On => Monitoring::Monitored,
        };
        let rules = service.rules.iter().zip(&ledger.rules).map(|(rule, track)| (rule.test.event_kind(), track));
        let own =
            [(EventKind::Data, &ledger.data), (EventKind::Exec, &ledger.exec), (EventKind::Timeout, &ledger.timeout)];
        let open = rules
            .chain(own)
            .filter(|(_, track)| track.is_open())
            .map(|(kind, track)| (kind, track.state().unwrap_or(EventState::Failed)));
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
            collected: ledger.collected.map(clock::local),
            readings: self.readings(id, service, detail, sample),
            settings: settings(service),
            events: ledger
                .recent
                .iter()
                .map(|event| (clock::local(clock::wall().minus(now.since(event.at))), event.text.clone()))
                .collect(),
            last_failure: ledger.last_failure.clone(),
        }
    }

    fn readings(&self, id: ServiceId, service: &Service, detail: Detail, sample: &mut Sample<'_>) -> Readings {
        let ledger = self.engine.ledger(id);
        if ledger.monitor == Monitor::Off {
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
                    Detail::Overview => Asked::usage(),
                    Detail::Full => Asked::everything(),
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
        ProcessTarget::Pidfile { path, pattern, user } => (Some(path), pattern.as_ref(), user),
        ProcessTarget::Matching { pattern, user } => (None, Some(pattern), user),
    };
    let path = path.map(|path| ("pidfile", path.display().to_string()));
    let pattern = pattern.map(|pattern| ("matching", pattern.source.clone()));
    let user = user.as_ref().map(|user| ("as user", user.name.clone().unwrap_or_else(|| user.uid.to_string())));
    path.into_iter().chain(pattern).chain(user).collect()
}

fn settings(service: &Service) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    match &service.kind {
        Kind::Process(target) => rows.extend(target_of(target)),
        Kind::File(path) | Kind::Fifo(path) | Kind::Directory(path) => rows.push(("path", path.display().to_string())),
        Kind::Filesystem(wanted) => rows.push(("path", wanted.clone())),
        Kind::System | Kind::Host(_) | Kind::Network(_) | Kind::Program(_) => {}
    }
    let programs =
        [("start program", &service.start), ("stop program", &service.stop), ("restart program", &service.restart)];
    let lines = programs.into_iter().filter_map(|(label, program)| Some((label, program.as_ref()?)));
    rows.extend(lines.map(|(label, program): (_, &Program)| (label, program.command_line())));
    rows
}
