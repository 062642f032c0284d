//! One round of checks.

use super::Daemon;
use crate::action;
use crate::base::time::Mono;
use crate::config::Kind;
use crate::probe::process::{self, Sample};
use crate::sys::posix::clock;

impl Daemon {
    /// Every service in the order of its dependencies: is it due, what is seen of it, what follows.
    pub(super) fn cycle(&mut self, sample: &mut Sample<'_>, now: Mono) {
        self.output.trim();
        let wall = clock::wall();
        let config = self.engine.config().clone();
        for (id, service) in action::ids(&config) {
            if self.engine.due(id) {
                match &service.kind {
                    Kind::Process(target) => {
                        let presence = process::observe(target, self.engine.known(id), sample);
                        self.engine.observed(id, &presence, now, wall);
                    }
                    Kind::System => self.engine.collected(id, wall),
                }
            }
            self.perform(sample, now);
        }
    }
}
