//! Looking at services, now or when their filesystems have answered.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::Daemon;
use crate::base::time::{Mono, Wall};
use crate::check;
use crate::config::{Kind, ProcessTarget, Service, ServiceId};
use crate::facts;
use crate::facts::file::Look;
use crate::facts::mount::Mounts;
use crate::facts::observation::{Checksums, FilesystemProblem, Observation};
use crate::facts::process::Presence;
use crate::probe::process::{self, Asked, Sample};
use crate::probe::remote::{self, Answer, Ask, Purpose, Question};
use crate::probe::{filesystem, network, path, system};
use crate::sys::platform::mounts;
use crate::sys::posix::{clock, mounted};

/// So long after somebody has read the status, cycles also take the readings that no rule asks for and that need two looks:
/// who reads once reads again.
const READERS_STAY: Duration = Duration::from_secs(3600);

/// What is mounted.
#[derive(Debug)]
pub(super) struct Mounted {
    table: Result<Rc<Vec<facts::filesystem::Mounted>>, String>,
    mounts: Mounts,
}

impl Mounted {
    fn new(table: Result<Vec<facts::filesystem::Mounted>, String>) -> Mounted {
        // A table that cannot be read must not be the reason why the daemon stands still.
        let mounts = table.as_ref().map_or_else(|_| Mounts::unknown(), |table| Mounts::of(table));
        Mounted { table: table.map(Rc::new), mounts }
    }

    /// The mount point of the filesystem that holds `path`, if that may never answer.
    fn stalling(&self, path: &Path) -> Option<PathBuf> {
        mounted::stalling(&self.mounts, path)
    }
}

fn of_path(seen: path::Seen) -> Observation {
    Observation::Path(Box::new(path::observation(seen, clock::wall(), clock::local)))
}

impl Daemon {
    /// What is to be seen of the service; `None` when that takes its time: then the answer comes in
    /// [`Daemon::take_answers`].
    pub(super) fn observe(&mut self, id: ServiceId, sample: &mut Sample<'_>, now: Mono) -> Option<Observation> {
        let config = self.engine.config().clone();
        let service = config.services.get(id.0)?;
        match &service.kind {
            Kind::Process(_) => {
                let presence = self.look(id, Purpose::Check, sample, now)?;
                let asked = self.asked(service, now);
                Some(Observation::Process(Box::new(process::readings(asked, presence, sample, now))))
            }
            Kind::Program(program) => self.check_program(service, program, now),
            Kind::System => Some(system::observe().into()),
            Kind::Network(target) => Some(Observation::Link(network::observe(target))),
            Kind::File(path) | Kind::Fifo(path) | Kind::Directory(path) => self.look_at_path(id, service, path, now),
            Kind::Filesystem(wanted) => self.look_at_filesystem(service, Path::new(wanted), now),
            Kind::Host(_) => Some(Observation::Nothing),
        }
    }

    /// What is read of a process in this cycle.
    fn asked(&self, service: &Service, now: Mono) -> Asked {
        let is_read = self.read_at.get().is_some_and(|at| now.since(at) < READERS_STAY);
        let asked = Asked::by(&service.rules);
        if is_read { asked.and_rates() } else { asked }
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
        if let ProcessTarget::Pidfile { path, .. } = target
            && let Some(mount) = self.mounts().stalling(path)
        {
            let (service, path, question) = (service.name.clone(), path.clone(), Question::Pidfile);
            self.remote.ask(Ask { service, purpose, path, mount, question }, now);
            return None;
        }
        let known = self.engine.known(id);
        let presence = process::observe(target, known, sample);
        if let Some(text) = process::found_in_jail(target, known, &presence) {
            self.log.warning(&format!("'{}' {text}", service.name));
        }
        Some(presence)
    }

    /// What is mounted, as this cycle sees it.
    fn mounts(&mut self) -> &Mounted {
        self.mounts.get_or_insert_with(|| Mounted::new(mounts::table().map_err(|error| error.to_string())))
    }

    fn look_at_path(&mut self, id: ServiceId, service: &Service, path: &Path, now: Mono) -> Option<Observation> {
        let buffer = self.engine.config().settings.limits.file_content_buffer;
        let question = path::Question::new(service, path, self.engine.ledger(id).memory.path.position, buffer);
        if let Some(mount) = self.mounts().stalling(path) {
            let (service, path, question) = (service.name.clone(), path.to_owned(), Question::Path(question));
            self.remote.ask(Ask { service, purpose: Purpose::Check, path, mount, question }, now);
            return None;
        }
        Some(of_path(path::look(&question)))
    }

    fn look_at_filesystem(&mut self, service: &Service, wanted: &Path, now: Mono) -> Option<Observation> {
        let mounts = self.mounts();
        let table = match &mounts.table {
            Ok(table) => Rc::clone(table),
            Err(why) => {
                let why = format!("the table of mounts cannot be read: {why}");
                let seen = filesystem::nothing(FilesystemProblem::Silent(why));
                return Some(Observation::Filesystem(Box::new(seen)));
            }
        };
        let mount = match facts::filesystem::find(&table, wanted) {
            Some(mount) => mount.may_stall.then(|| mount.point.clone()),
            // It may be a link to one.
            None => mounts.stalling(wanted),
        };
        let question = filesystem::Question::new(service, wanted, table);
        if let Some(mount) = mount {
            let (service, path, question) = (service.name.clone(), wanted.to_owned(), Question::Filesystem(question));
            self.remote.ask(Ask { service, purpose: Purpose::Check, path, mount, question }, now);
            return None;
        }
        Some(Observation::Filesystem(Box::new(filesystem::look(&question))))
    }

    /// Judges what filesystems have answered since, or did not answer in time.
    pub(super) fn take_answers(&mut self, sample: &mut Sample<'_>, now: Mono) {
        for (ask, answer) in self.remote.collect(now) {
            let Some(id) = self.engine.find(&ask.service) else { continue };
            let config = self.engine.config().clone();
            let Some(service) = config.services.get(id.0) else { continue };
            let Ask { purpose, path, question, .. } = ask;
            let why = match &answer {
                Answer::Silence => remote::silence(&path),
                Answer::Failed(why) => why.clone(),
                _ => String::new(),
            };
            let seen = match (question, answer) {
                (_, Answer::Path(seen)) => of_path(seen),
                (_, Answer::Filesystem(seen)) => Observation::Filesystem(Box::new(seen)),
                (Question::Path(_), _) => of_path(path::Seen { look: Look::Failed(why), text: None }),
                (Question::Filesystem(_), _) => {
                    Observation::Filesystem(Box::new(filesystem::nothing(FilesystemProblem::Silent(why))))
                }
                (Question::Checksums(_), _) if !self.engine.ledger(id).lives => continue,
                (_, Answer::Checksums(sums)) => Observation::Checksums(Box::new(sums)),
                (Question::Checksums(kinds), _) => {
                    let sums = kinds.into_iter().map(|kind| (kind, Err(why.clone()))).collect();
                    Observation::Checksums(Box::new(Checksums { facts: None, sums, is_settled: false }))
                }
                (Question::Pidfile, answer) => {
                    let presence = match (answer, &service.kind) {
                        (Answer::Pidfile(content), Kind::Process(target)) => {
                            process::observe_by_content(target, &path, &content, self.engine.known(id), sample)
                        }
                        _ => Presence::Unknown(why),
                    };
                    match purpose {
                        Purpose::Check | Purpose::Checksums => Observation::Process(Box::new(process::readings(
                            self.asked(service, now),
                            presence,
                            sample,
                            now,
                        ))),
                        Purpose::Action => {
                            self.engine.looked(id, &presence, now, clock::wall());
                            self.perform(sample, now);
                            continue;
                        }
                        Purpose::Exit => {
                            self.judge_exit(id, presence, sample, now);
                            self.perform(sample, now);
                            continue;
                        }
                    }
                }
            };
            if self.engine.awaits_observation(id) {
                self.observed(id, &seen, now, clock::wall());
            }
            self.perform(sample, now);
        }
    }

    /// Judges what was seen, and has the checksums computed that are missing then.
    pub(super) fn observed(&mut self, id: ServiceId, seen: &Observation, now: Mono, wall: Wall) {
        self.engine.observed(id, seen, now, wall);
        let config = self.engine.config().clone();
        let Some(Service { name, kind: Kind::File(path), .. }) = config.services.get(id.0) else { return };
        let ledger = self.engine.ledger(id);
        let kinds = check::path::checksums_wanted(&config.services[id.0], &ledger.memory.path);
        if matches!(seen, Observation::Path(_)) && ledger.lives && !kinds.is_empty() {
            let mount = self.mounts().stalling(path).unwrap_or_else(|| PathBuf::from("/"));
            let (service, path, purpose) = (name.clone(), path.clone(), Purpose::Checksums);
            self.remote.ask(Ask { service, purpose, path, mount, question: Question::Checksums(kinds) }, now);
        }
    }

    /// After a reload: what is asked about another path than the service has now is asked anew. The cycle that follows
    /// a reload sees to checks; only an action would wait for ever.
    pub(super) fn ask_anew(&mut self, sample: &mut Sample<'_>, now: Mono) {
        let config = self.engine.config().clone();
        let engine = &self.engine;
        let dropped = self.remote.retain(|ask| {
            let service = engine.find(&ask.service).and_then(|id| config.services.get(id.0));
            service.is_some_and(|service| match (&service.kind, &ask.question) {
                (Kind::Process(ProcessTarget::Pidfile { path, .. }), Question::Pidfile) => *path == ask.path,
                (Kind::File(path) | Kind::Fifo(path) | Kind::Directory(path), Question::Path(_)) => *path == ask.path,
                (Kind::File(path), Question::Checksums(_)) => *path == ask.path,
                (Kind::Filesystem(wanted), Question::Filesystem(_)) => Path::new(wanted) == ask.path,
                _ => false,
            })
        });
        for ask in dropped.into_iter().filter(|ask| ask.purpose == Purpose::Action) {
            if let Some(id) = self.engine.find(&ask.service)
                && self.engine.pending(id).is_some()
                && let Some(presence) = self.look(id, Purpose::Action, sample, now)
            {
                self.engine.looked(id, &presence, now, clock::wall());
            }
        }
    }
}
