//! What an earlier daemon left behind.

use std::collections::HashMap;
use std::time::Duration;

use super::Daemon;
use super::boot::LastRun;
use crate::action;
use crate::base::time::{Mono, Wall};
use crate::cli::paths;
use crate::event::ledger::{Past, Saved};
use crate::state::{Original, Read};
use crate::sys::platform::machine;
use crate::sys::platform::process::START_TOLERANCE;
use crate::sys::posix::clock;

/// For a program whose service has none of that purpose any more.
const ADOPTED_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a daemon may have been away for rates to go on as if it had not; three cycles if that is longer.
const RECENT: Duration = Duration::from_secs(120);

impl Daemon {
    /// Takes up the state an earlier daemon left, and the programs it started that still run.
    pub(super) fn recall(&mut self) -> LastRun {
        let last = self.recall_state();
        self.engine.date_baselines(clock::local);
        last
    }

    fn recall_state(&mut self) -> LastRun {
        let state = match self.store.read(&paths::of_monit(&self.engine.config().settings)) {
            Read::Nothing => {
                self.engine.restore(&HashMap::new(), Past::Recent);
                return LastRun::Unknown;
            }
            Read::SetAside(why) => {
                self.log.error(&why);
                self.engine.restore(&HashMap::new(), Past::Recent);
                return LastRun::Unknown;
            }
            Read::Original(original, place) => return self.take_over_from_monit(&original, &place),
            Read::Before(state, why) => {
                self.log.error(&why);
                state
            }
            Read::State(state) => state,
        };
        let now = clock::monotonic();
        let same_boot = state.boot.is_same(&self.boot);
        let recent = now.since(state.written) <= RECENT.max(self.interval * 3);
        let past = match (same_boot, recent) {
            (false, _) => Past::OtherBoot,
            (true, false) => Past::Earlier,
            (true, true) => Past::Recent,
        };
        self.engine.restore(&state.services, past);
        if !same_boot {
            return LastRun::EarlierBoot;
        }
        self.recall_processes(&state.services);
        self.engine.take_up(&state.services, now);
        // A stop program tells what the service is in; a start program beside it is only kept from being run again.
        let mut journal = state.journal;
        journal.sort_by_key(|entry| entry.purpose.brings_to_life());
        for entry in journal {
            let id = self.engine.find(&entry.service);
            let (purpose, service, pid) = (entry.purpose, entry.service.clone(), entry.identity.pid);
            // A start program whose service lives, or is not watched, is only kept from being run a second time.
            let deadline = match id {
                Some(id) if self.engine.is_settled(id, purpose) => None,
                Some(id) => Some(now.plus(self.engine.timeout(id, purpose).unwrap_or(ADOPTED_TIMEOUT))),
                None => Some(now.plus(ADOPTED_TIMEOUT)),
            };
            let begun = Mono::from_origin(entry.identity.start.since_boot());
            let lives = self.jobs.adopt(entry, deadline, &self.table);
            let Some(id) = id else { continue };
            if !lives {
                self.engine.ended_meanwhile(id, purpose, begun, now);
            } else {
                match deadline {
                    Some(_) => self.engine.adopted(id, purpose, now),
                    None => self.engine.set_overdue(id, Some(pid)),
                }
                self.log.info(&format!(
                    "'{service}' {} program of an earlier daemon still runs (pid {pid})",
                    purpose.word()
                ));
            }
        }
        self.engine.resume(now);
        LastRun::ThisBoot
    }

    /// What Monit knew is known from now on.
    fn take_over_from_monit(&mut self, original: &Original, place: &str) -> LastRun {
        let config = self.engine.config().clone();
        let known = action::ids(&config).filter_map(|(_, service)| {
            let saved = original.find(&service.name, service.service_type())?;
            Some((action::key(service), saved.clone()))
        });
        let known: HashMap<_, _> = known.collect();
        let off = known.values().filter(|saved| !saved.monitored).count();
        let count = known.len();
        self.log.info(&format!(
            "what Monit knew of {count} services, {off} of them not monitored, is taken over from {place}"
        ));
        let boot = machine::uptime().map(|up| clock::wall().since_epoch().saturating_sub(up));
        let same_boot = boot.is_ok_and(|boot| original.is_of_boot(Wall::from_epoch(boot)));
        self.engine.restore(&known, if same_boot { Past::Earlier } else { Past::OtherBoot });
        if same_boot { LastRun::ThisBoot } else { LastRun::EarlierBoot }
    }

    /// Services found earlier are known by identity, also when their titles have changed since.
    fn recall_processes(&mut self, saved: &HashMap<String, Saved>) {
        let config = self.engine.config().clone();
        for (id, service) in action::ids(&config) {
            let known = saved.get(&action::key(service)).and_then(|saved| saved.process);
            if let Some(known) = known
                && let Ok(Some(entry)) = self.table.entry(known.pid)
                && !entry.zombie
                && entry.identity.is_same(known, START_TOLERANCE)
            {
                self.engine.remember_process(id, entry);
            }
        }
    }
}
