//! One round of checks.

use super::Daemon;
use crate::action;
use crate::base::time::Mono;
use crate::config::Kind;
use crate::probe::process::Sample;
use crate::probe::remote::Purpose;
use crate::sys::posix::clock;

impl Daemon {
    /// Every service in the order of its dependencies: is it due, what is seen of it, what follows.
    pub(super) fn cycle(&mut self, sample: &mut Sample<'_>, now: Mono) {
        self.output.trim();
        if self.store.is_broken() {
            // It is tried again until it works.
            self.dirty = true;
        }
        let wall = clock::wall();
        self.mounts = None;
        let config = self.engine.config().clone();
        for (id, service) in action::ids(&config) {
            // A service whose observation of an earlier cycle is still on its way is judged when it is there.
            if !self.remote.is_pending(&service.name) && self.engine.due(id) {
                match &service.kind {
                    Kind::Process(_) => {
                        if let Some(presence) = self.look(id, Purpose::Check, sample, now) {
                            self.engine.observed(id, &presence, now, wall);
                        }
                    }
                    Kind::System
                    | Kind::File(_)
                    | Kind::Fifo(_)
                    | Kind::Directory(_)
                    | Kind::Filesystem(_)
                    | Kind::Host(_)
                    | Kind::Network(_)
                    | Kind::Program(_) => self.engine.collected(id, wall),
                }
            }
            self.perform(sample, now);
        }
    }
}
