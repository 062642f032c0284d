//! One round of checks.

use std::time::Duration;

use super::Daemon;
use crate::action;
use crate::base::cron::Minute;
use crate::base::time::Mono;
use crate::config::{Kind, Service, ServiceId};
use crate::probe::process::Sample;
use crate::sys::posix::clock;

/// When a turn has taken so long, what is left of the cycle is looked at in the next ones, with looks at everybody's
/// descriptors between them: a hundred logs may have a megabyte of news each.
const SLICE: Duration = Duration::from_millis(10);

impl Daemon {
    /// Every service in the order of its dependencies: is it due, what is seen of it, what follows.
    pub(super) fn cycle(&mut self, sample: &mut Sample<'_>, now: Mono) {
        self.output.trim();
        self.stay_findable();
        let wall = clock::wall();
        let minute = Minute::of(&clock::local(wall));
        self.mounts = None;
        self.exits.try_again();
        let config = self.engine.config().clone();
        for (id, service) in action::ids(&config) {
            // A service whose observation of an earlier cycle is still on its way is judged when it is there.
            if !self.remote.is_pending(&service.name)
                && !self.later.contains(&id)
                && self.engine.due(id, now, minute)
                && !self.is_put_off(id, now)
                && let Some(seen) = self.observe(id, sample, now)
            {
                self.observed(id, &seen, now, wall);
            }
            self.perform(sample, now);
        }
        // Histories and baselines move on without telling anybody; nothing is written when they have not.
        self.dirty = true;
    }

    /// Whether the look at a service that is due is left to a later turn, because this one has taken long enough. Processes
    /// are never put off: they are what has to be revived, and share one reading of the process table. What others depend
    /// on is not either, because they come after it.
    fn is_put_off(&mut self, id: ServiceId, now: Mono) -> bool {
        let config = self.engine.config();
        let may_wait = config.services.get(id.0).is_some_and(|service| !matches!(service.kind, Kind::Process(_)));
        let is_put_off = may_wait && !self.engine.has_dependants(id) && clock::monotonic().since(now) >= SLICE;
        if is_put_off {
            self.later.push_back(id);
        }
        is_put_off
    }

    /// Goes on with the services that the cycle has put off.
    pub(super) fn go_on_looking(&mut self, sample: &mut Sample<'_>, now: Mono) {
        while !self.later.is_empty()
            && clock::monotonic().since(now) < SLICE
            && let Some(id) = self.later.pop_front()
        {
            if self.engine.awaits_observation(id)
                && let Some(seen) = self.observe(id, sample, now)
            {
                self.observed(id, &seen, now, clock::wall());
            }
            self.perform(sample, now);
        }
    }

    /// Services that a cycle has passed over for no other reason than what they depend on. Those with a schedule have
    /// another cycle for it.
    pub(super) fn waiting_for_parents(&self) -> Vec<ServiceId> {
        let waits = |(id, service): &(ServiceId, &Service)| {
            service.cron.is_none() && self.engine.ledger(*id).waiting && !self.engine.awaits_observation(*id)
        };
        action::ids(self.engine.config()).filter(waits).map(|(id, _)| id).collect()
    }

    /// One pass has no next cycle: what waits for a check program or a slow filesystem is looked at as soon as that is
    /// known to be up.
    pub(super) fn look_at_dependants(&mut self, sample: &mut Sample<'_>, now: Mono) {
        for id in std::mem::take(&mut self.unseen) {
            if !self.engine.awaits_observation(id) {
                self.unseen.push(id);
            } else if let Some(seen) = self.observe(id, sample, now) {
                self.observed(id, &seen, now, clock::wall());
                self.perform(sample, now);
            }
        }
    }
}
