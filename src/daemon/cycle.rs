//! One round of checks.

use super::Daemon;
use crate::action;
use crate::base::cron::Minute;
use crate::base::time::Mono;
use crate::probe::process::Sample;
use crate::sys::posix::clock;

impl Daemon {
    /// Every service in the order of its dependencies: is it due, what is seen of it, what follows.
    pub(super) fn cycle(&mut self, sample: &mut Sample<'_>, now: Mono) {
        self.output.trim();
        let wall = clock::wall();
        let minute = Minute::of(&clock::local(wall));
        self.mounts = None;
        self.exits.try_again();
        let config = self.engine.config().clone();
        for (id, service) in action::ids(&config) {
            // A service whose observation of an earlier cycle is still on its way is judged when it is there.
            if !self.remote.is_pending(&service.name)
                && self.engine.due(id, now, minute)
                && let Some(seen) = self.observe(id, sample, now)
            {
                self.observed(id, &seen, now, wall);
            }
            self.perform(sample, now);
        }
        // Histories and baselines move on without telling anybody; nothing is written when they have not.
        self.dirty = true;
    }
}
