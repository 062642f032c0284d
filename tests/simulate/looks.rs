//! What the daemon sees of the made-up machine, at once or after a while, and what it is told without looking.

use pollux::action::{self, Engine};
use pollux::base::process::Identity;
use pollux::base::program::Purpose;
use pollux::base::time::Mono;
use pollux::config::{Kind, ProcessTarget, ServiceId};
use pollux::event::ledger::Ledger;
use pollux::facts::file::{self, FileFacts, Look};
use pollux::facts::observation::{Observation, PathObservation};
use pollux::facts::pidfile::Content;
use pollux::facts::process::{Entry, Presence};
use pollux::sys::table::Processes;

use crate::control::unit_of;
use crate::daemon::World;
use crate::machine::Fault;
use crate::table::{Event, State};

/// Who asked for a look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Cycle,
    Action,
    Exit,
}

/// A look whose answer takes its time.
pub struct Late {
    pub service: String,
    pub asked: Asked,
    content: Content,
    pub at: Mono,
}

impl World {
    fn unit(&self, id: ServiceId) -> Option<usize> {
        unit_of(&self.engine()?.config().services[id.0].name)
    }

    fn is_process(&self, id: ServiceId) -> bool {
        self.engine().is_some_and(|engine| matches!(engine.config().services[id.0].kind, Kind::Process(_)))
    }

    /// What a look at the service finds now.
    pub fn presence(&self, id: ServiceId, content: Option<&Content>) -> Presence {
        let (Some(unit), Some(engine)) = (self.unit(id), self.engine()) else {
            return Presence::Unknown("no unit".to_owned());
        };
        match &engine.config().services[id.0].kind {
            Kind::Process(target) => {
                let content = content.cloned().unwrap_or_else(|| self.machine.content(unit));
                self.machine.presence(unit, target, engine.known(id), &content)
            }
            _ => self.machine.file(unit),
        }
    }

    /// Asks for a look that takes its time; false when the service is not far away.
    pub fn ask(&mut self, id: ServiceId, asked: Asked) -> bool {
        let (Some(unit), Some(engine)) = (self.unit(id), self.engine()) else { return false };
        let service = &engine.config().services[id.0];
        let distance = self.machine.units[unit].distance;
        if !has_pidfile(service) || distance.is_zero() {
            return false;
        }
        let service = service.name.clone();
        let (content, at) = (self.machine.content(unit), self.machine.now.plus(distance));
        if let Some(daemon) = &mut self.daemon
            && !daemon.late.iter().any(|late| late.service == service && late.asked == asked)
        {
            daemon.late.push(Late { service, asked, content, at });
        }
        true
    }

    /// Whether an action waits for a look at that service whose answer takes its time.
    pub fn is_asked(&self, name: &str) -> bool {
        let mut late = self.daemon.iter().flat_map(|daemon| &daemon.late);
        late.any(|late| late.service == name && late.asked == Asked::Action)
    }

    /// The answer to that comes now.
    pub fn answer(&mut self, name: &str) {
        let now = self.machine.now;
        let Some(content) = unit_of(name).map(|unit| self.machine.content(unit)) else { return };
        for late in self.daemon.iter_mut().flat_map(|daemon| &mut daemon.late) {
            if late.service == name && late.asked == Asked::Action {
                (late.at, late.content) = (now, content.clone());
            }
        }
        self.turn();
    }

    /// A program that works on a unit ends now, and so.
    pub fn end(&mut self, unit: usize, purpose: fn(Purpose) -> bool, fault: Fault) {
        self.machine.end_now(unit, purpose, fault);
        self.turn();
    }

    /// Asks for a look that an action waits for, and answers if that can be done at once.
    pub fn look(&mut self, id: ServiceId) {
        self.note_along();
        if !self.ask(id, Asked::Action) {
            self.looked(id, None);
        }
    }

    fn looked(&mut self, id: ServiceId, content: Option<&Content>) {
        let presence = self.presence(id, content);
        let is_awaited = self.engine().is_some_and(|engine| engine.pending(id).is_some());
        self.note(
            id,
            match presence {
                _ if !is_awaited => Event::LookedLate,
                Presence::Running(_) => Event::LookedRunning,
                Presence::Gone(_) => Event::LookedGone,
                Presence::Unknown(_) => Event::LookedUnknown,
            },
        );
        let (now, wall) = (self.machine.now, self.wall());
        if let Some(daemon) = &mut self.daemon {
            daemon.engine.looked(id, &presence, now, wall);
        }
    }

    pub fn look_early(&mut self, id: ServiceId) {
        self.begin_early(id);
        if !self.ask(id, Asked::Exit) {
            self.looked_early(id, None);
        }
    }

    fn looked_early(&mut self, id: ServiceId, content: Option<&Content>) {
        let Some(unit) = self.unit(id) else { return };
        let presence = self.presence(id, content);
        let (now, wall) = (self.machine.now, self.wall());
        let is_gone = matches!(presence, Presence::Gone(_));
        let script = (is_gone && self.machine.units[unit].script.is_some()).then_some("a script");
        let before = self.before_early(id);
        if let Some(daemon) = &mut self.daemon {
            daemon.engine.looked_early(id, &presence, script, now, wall);
        }
        self.check_early(id, &presence, script.is_some(), before);
    }

    /// What a cycle has found of a service that was in that state when the cycle came to it, or the answer came.
    pub fn observed(&mut self, id: ServiceId, content: Option<&Content>, state: State) {
        let is_process = self.is_process(id);
        let presence = self.presence(id, content);
        let (now, wall) = (self.machine.now, self.wall());
        let seen = match self.unit(id) {
            Some(_) if is_process => Observation::presence_of(presence.clone()),
            Some(_) => {
                let look = match &presence {
                    Presence::Running(entry) => Look::Found(facts(entry)),
                    Presence::Gone(_) => Look::Missing,
                    Presence::Unknown(why) => Look::Failed(why.clone()),
                };
                Observation::Path(Box::new(PathObservation { look, local: None, text: None, at: wall }))
            }
            None => Observation::Nothing,
        };
        let event = match (&presence, self.unit(id)) {
            (Presence::Gone(_), Some(_)) => Event::SeenGone,
            (Presence::Unknown(_), Some(_)) => Event::SeenUnknown,
            _ => Event::SeenRunning,
        };
        self.table.count(state, event);
        let Some(daemon) = &mut self.daemon else { return };
        let was_busy = daemon.engine.pending(id).is_some();
        daemon.engine.observed(id, &seen, now, wall);
        self.check_judged(id, &presence, was_busy);
    }

    pub fn take_answers(&mut self) {
        let now = self.machine.now;
        while let Some(daemon) = &mut self.daemon
            && let Some(place) = daemon.late.iter().position(|late| late.at <= now)
        {
            let late = daemon.late.remove(place);
            let Some(id) = daemon.engine.find(&late.service) else { continue };
            match late.asked {
                Asked::Action => self.looked(id, Some(&late.content)),
                Asked::Exit => self.looked_early(id, Some(&late.content)),
                Asked::Cycle if daemon.engine.awaits_observation(id) => {
                    let state = State::of(&daemon.engine, id);
                    self.observed(id, Some(&late.content), state);
                }
                Asked::Cycle => {}
            }
            self.answers = true;
            self.perform();
            self.answers = false;
        }
    }

    /// What was asked about services that are no more, or have another pidfile, is asked anew.
    pub fn ask_anew(&mut self) {
        let Some(daemon) = &mut self.daemon else { return };
        let config = daemon.engine.config().clone();
        let (kept, dropped): (Vec<Late>, Vec<Late>) = std::mem::take(&mut daemon.late).into_iter().partition(|late| {
            config.services.iter().any(|service| service.name == late.service && has_pidfile(service))
        });
        daemon.late = kept;
        for late in dropped.into_iter().filter(|late| late.asked == Asked::Action) {
            let waits = |engine: &Engine| engine.find(&late.service).filter(|id| engine.pending(*id).is_some());
            if let Some(id) = self.engine().and_then(waits) {
                self.look(id);
            }
        }
    }

    /// The system tells the daemon of the ends of processes that it wants to hear of, where it can.
    pub fn take_exits(&mut self) {
        if self.deaf {
            return;
        }
        let now = self.machine.now;
        let Some(daemon) = &mut self.daemon else { return };
        let mut watched: Vec<Identity> = daemon.engine.watched().collect();
        daemon.told_of.retain(|told| watched.contains(told));
        watched.retain(|identity| !daemon.told_of.contains(identity) && !self.machine.lives(*identity));
        watched.sort_by_key(|identity| identity.pid);
        watched.dedup();
        for identity in watched {
            daemon.told_of.push(identity);
            daemon.engine.exited(identity, now);
        }
    }

    /// How far the action of the unit's service is.
    pub fn stage(&self, unit: usize) -> Option<&'static str> {
        let engine = self.engine()?;
        self.all().iter().find(|(_, other)| *other == unit).and_then(|(id, _)| engine.stage(*id))
    }

    /// What the daemon knows of the unit's service.
    pub fn ledger(&self, unit: usize) -> Option<&Ledger> {
        let engine = self.engine()?;
        self.all().iter().find(|(_, other)| *other == unit).map(|(id, _)| engine.ledger(*id))
    }

    /// Services and units.
    pub fn all(&self) -> Vec<(ServiceId, usize)> {
        let config = self.engine().map(|engine| engine.config().clone());
        let services = config.iter().flat_map(|config| action::ids(config));
        services.filter_map(|(id, service)| Some((id, unit_of(&service.name)?))).collect()
    }
}

pub fn has_pidfile(service: &pollux::config::Service) -> bool {
    matches!(service.kind, Kind::Process(ProcessTarget::Pidfile { .. }))
}

/// The file in place of the process.
fn facts(entry: &Entry) -> FileFacts {
    let since = pollux::base::time::Wall::from_epoch(entry.identity.start.since_boot());
    FileFacts {
        kind: file::Kind::Regular,
        mode: 0o644,
        uid: 0,
        gid: 0,
        size_bytes: 1,
        links: 1,
        inode: 1,
        device: 1,
        accessed: since,
        changed: since,
        modified: since,
    }
}

/// Whether the machine has that process, alive.
impl crate::machine::Machine {
    pub fn lives(&self, identity: Identity) -> bool {
        let entry = self.entry(identity.pid).ok().flatten();
        entry.is_some_and(|entry| !entry.zombie && entry.identity.is_same(identity, self.tolerance()))
    }
}
