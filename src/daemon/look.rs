//! Looking for a service's process, now or when its filesystem has answered.

use super::Daemon;
use crate::base::time::Mono;
use crate::config::{Kind, ProcessTarget, ServiceId};
use crate::facts::mount::Mounts;
use crate::facts::observation::Observation;
use crate::facts::process::Presence;
use crate::probe::process::{self, Asked, Sample};
use crate::probe::remote::{self, Answer, Ask, Purpose};
use crate::probe::{network, system};
use crate::sys::platform::mounts;
use crate::sys::posix::clock;

impl Daemon {
    /// What is to be seen of the service; `None` when that takes its time: then the answer comes in
    /// [`Daemon::take_answers`].
    pub(super) fn observe(&mut self, id: ServiceId, sample: &mut Sample<'_>, now: Mono) -> Option<Observation> {
        let config = self.engine.config().clone();
        let service = config.services.get(id.0)?;
        match &service.kind {
            Kind::Process(_) => {
                let presence = self.look(id, Purpose::Check, sample, now)?;
                Some(Observation::Process(Box::new(process::readings(
                    Asked::by(&service.rules),
                    presence,
                    sample,
                    now,
                ))))
            }
            Kind::Program(program) => self.check_program(service, program, now),
            Kind::System if service.rules.is_empty() => Some(Observation::Nothing),
            Kind::System => Some(system::observe().into()),
            Kind::Network(target) => Some(Observation::Link(network::observe(target))),
            Kind::File(_) | Kind::Fifo(_) | Kind::Directory(_) | Kind::Filesystem(_) | Kind::Host(_) => {
                Some(Observation::Nothing)
            }
        }
    }

    /// Whether the service's process is there; `None` when its pidfile is on a filesystem that may never answer: then the
    /// answer comes in [`Daemon::take_answers`].
    pub(super) fn look(
        &mut self,
        id: ServiceId,
        purpose: Purpose,
        sample: &mut Sample<'_>,
        now: Mono,
    ) -> Option<Presence> {
        let config = self.engine.config().clone();
        let service = config.services.get(id.0)?;
        let Kind::Process(target) = &service.kind else {
            return Some(Presence::Unknown("it has no process".to_owned()));
        };
        if let ProcessTarget::Pidfile(path) = target {
            // A table that cannot be read must not be the reason why the daemon stands still.
            let table = self.mounts.get_or_insert_with(|| mounts::mounts().unwrap_or_else(|_| Mounts::unknown()));
            if let Some(mount) = table.stalling(path) {
                let (service, path, mount) = (service.name.clone(), path.clone(), mount.to_owned());
                self.remote.ask(Ask { service, purpose, path, mount }, now);
                return None;
            }
        }
        Some(process::observe(target, self.engine.known(id), sample))
    }

    /// Judges what filesystems have answered since, or did not answer in time.
    pub(super) fn take_answers(&mut self, sample: &mut Sample<'_>, now: Mono) {
        for (ask, answer) in self.remote.collect(now) {
            let Some(id) = self.engine.find(&ask.service) else { continue };
            let presence = match answer {
                Answer::Content(content) => process::by_content(&ask.path, &content, sample),
                Answer::Silence => Presence::Unknown(remote::silence(&ask.path)),
            };
            match ask.purpose {
                Purpose::Check if !self.engine.awaits_observation(id) => {}
                Purpose::Check => {
                    let config = self.engine.config().clone();
                    let Some(service) = config.services.get(id.0) else { continue };
                    let seen = Observation::Process(Box::new(process::readings(
                        Asked::by(&service.rules),
                        presence,
                        sample,
                        now,
                    )));
                    self.engine.observed(id, &seen, now, clock::wall());
                }
                Purpose::Action => self.engine.looked(id, &presence, now, clock::wall()),
                Purpose::Exit => self.judge_exit(id, presence, sample, now),
            }
            self.perform(sample, now);
        }
    }

    /// After a reload: what is asked about another pidfile than the service has now is asked anew. The cycle that follows
    /// a reload sees to checks; only an action would wait for ever.
    pub(super) fn ask_anew(&mut self, sample: &mut Sample<'_>, now: Mono) {
        let config = self.engine.config().clone();
        let engine = &self.engine;
        let dropped = self.remote.retain(|ask| {
            let service = engine.find(&ask.service).and_then(|id| config.services.get(id.0));
            service.is_some_and(
                |service| matches!(&service.kind, Kind::Process(ProcessTarget::Pidfile(path)) if *path == ask.path),
            )
        });
        for ask in dropped.into_iter().filter(|ask| ask.purpose == Purpose::Action) {
            if let Some(id) = self.engine.find(&ask.service)
                && let Some(presence) = self.look(id, Purpose::Action, sample, now)
            {
                self.engine.looked(id, &presence, now, clock::wall());
            }
        }
    }
}
