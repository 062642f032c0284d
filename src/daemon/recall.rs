//! What an earlier daemon left behind.

use std::collections::HashMap;

use super::Daemon;
use crate::action;
use crate::event::ledger::Saved;
use crate::state::Read;
use crate::sys::platform::process::START_TOLERANCE;
use crate::sys::posix::clock;

impl Daemon {
    /// Takes up the state an earlier daemon left, and the programs it started that still run. True when the machine was
    /// booted since.
    pub(super) fn recall(&mut self) -> bool {
        let state = match self.store.read() {
            Read::Nothing => {
                self.engine.restore(&HashMap::new(), true);
                return false;
            }
            Read::SetAside(why) => {
                self.log.error(&why);
                self.engine.restore(&HashMap::new(), true);
                return false;
            }
            Read::State(state) => state,
        };
        let now = clock::monotonic();
        let same_boot = state.boot == self.boot;
        self.engine.restore(&state.services, same_boot);
        if !same_boot {
            return true;
        }
        self.recall_processes(&state.services);
        for entry in state.journal {
            let id = self.engine.find(&entry.service);
            let (purpose, service, pid) = (entry.purpose, entry.service.clone(), entry.identity.pid);
            let timeout = id.and_then(|id| self.engine.timeout(id, purpose));
            if self.jobs.adopt(entry, timeout.map(|timeout| now.plus(timeout)), &self.table)
                && let Some(id) = id
            {
                self.engine.adopted(id, purpose, now);
                self.log.info(&format!(
                    "'{service}' {} program of an earlier daemon still runs (pid {pid})",
                    purpose.word()
                ));
            }
        }
        false
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
