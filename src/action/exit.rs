//! The early look: what follows when a process ends between two cycles, for services with a rule `if exited`.
//!
//! A process that died may be in the hands of somebody else, such as `service NAME restart` in a shell. So the service is
//! looked at when its end is told and again [`SETTLE`] later. If nobody was seen at it, its rules `if exited` are judged
//! then. If somebody was, it is looked at further, with pauses of up to [`LONGEST_PAUSE`], until its process is there or it
//! has had the time its own start program gets. In the meantime no cycle judges it. Rules that count cycles are left to cycles.

use std::rc::Rc;
use std::time::Duration;

use super::Effect;
use super::engine::Engine;
use crate::base::event::EventState;
use crate::base::logging::Level;
use crate::base::process::Identity;
use crate::base::program::Purpose;
use crate::base::time::{Mono, Wall};
use crate::config::{ServiceId, Test};
use crate::event::ledger::Monitor;
use crate::facts::process::Presence;

/// From the first look to the second.
pub const SETTLE: Duration = Duration::from_millis(30);
/// Longest pause between two looks; each is twice the one before.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long somebody else's script may take when the service has no start program that tells.
const SCRIPT_TIME: Duration = Duration::from_secs(30);
/// After an early judgement the next one does not come sooner: what dies again at once is left to cycles, so that it is not
/// started faster than they come.
pub const EARLY_INTERVAL: Duration = Duration::from_secs(10);

/// An end that was told and not judged yet.
#[derive(Clone, Debug)]
pub(super) struct Early {
    /// When it was told.
    since: Mono,
    /// When to look next; `None` while a look is under way.
    next_look: Option<Mono>,
    /// How long after that to look again.
    pause: Duration,
    /// Somebody was seen at it.
    handled: bool,
}

impl Engine {
    /// The processes whose end shall be told with [`Engine::exited`].
    pub fn watched(&self) -> impl Iterator<Item = Identity> {
        super::ids(&self.config).filter(|(id, _)| self.asks_for_exit(*id)).filter_map(|(id, _)| self.known(id))
    }

    /// Whether the end of its process makes the service's turn come early: it has a rule for that, is watched and at rest,
    /// and is not bound to hours of the day.
    fn asks_for_exit(&self, id: ServiceId) -> bool {
        let service = self.service(id);
        service.rules.iter().any(|rule| rule.test == Test::Exited)
            && service.cron.is_none()
            && self.ledger(id).monitor != Monitor::Off
            && self.runs[id.0].plan.is_none()
    }

    /// A process has ended. Whoever is not concerned, or was looked at early a moment ago, is left to the cycle.
    pub fn exited(&mut self, identity: Identity, now: Mono) {
        self.now = now;
        for place in 0..self.runs.len() {
            let id = ServiceId(place);
            if self.known(id) == Some(identity) {
                self.settle_first(id, now);
            }
        }
    }

    /// A cycle found the service's process gone before its end was told, or where nobody watches it: this is no more certain
    /// than a notice. True when an early look sees to it.
    pub(super) fn is_fresh_exit(&mut self, id: ServiceId, presence: &Presence, now: Mono) -> bool {
        matches!(presence, Presence::Gone(_)) && self.known(id).is_some() && self.settle_first(id, now)
    }

    fn settle_first(&mut self, id: ServiceId, now: Mono) -> bool {
        let recent = self.runs[id.0].judged_early.is_some_and(|last| now.since(last) < EARLY_INTERVAL);
        if recent || !self.asks_for_exit(id) || !self.parents_up(id) {
            return false;
        }
        let run = &mut self.runs[id.0];
        if run.early.is_none() {
            run.early = Some(Early { since: now, next_look: Some(now), pause: SETTLE, handled: false });
        }
        true
    }

    /// Whether an early look will judge the service.
    pub fn is_settling(&self, id: ServiceId) -> bool {
        self.runs[id.0].early.is_some()
    }

    /// When the next early look is due.
    pub(super) fn next_early_look(&self) -> Option<Mono> {
        self.runs.iter().filter_map(|run| run.early.as_ref()?.next_look).min()
    }

    /// Asks for the early looks that are due.
    pub(super) fn look_early(&mut self, now: Mono) {
        for (place, run) in self.runs.iter_mut().enumerate() {
            if let Some(early) = &mut run.early
                && early.next_look.take_if(|at| *at <= now).is_some()
            {
                self.effects.push_back(Effect::LookEarly(ServiceId(place)));
            }
        }
    }

    /// The answer to [`Effect::LookEarly`]. `script` is whoever else is starting or stopping the service just now, in words.
    pub fn looked_early(&mut self, id: ServiceId, presence: &Presence, script: Option<&str>, now: Mono, wall: Wall) {
        self.now = now;
        let Some(mut early) = self.runs[id.0].early.take() else { return };
        if !self.asks_for_exit(id) || !self.parents_up(id) {
            return;
        }
        match presence {
            Presence::Running(entry) => {
                if self.known(id) != Some(entry.identity) {
                    let text = format!("process has ended, and another runs with pid {}", entry.identity.pid);
                    self.log(Level::Info, id, &text);
                    self.remember(id, presence);
                }
                return;
            }
            // Nothing can be said: the cycle will tell.
            Presence::Unknown(_) => return,
            Presence::Gone(_) => {}
        }
        if let (Some(script), false) = (script, early.handled) {
            early.handled = true;
            self.log(Level::Info, id, &format!("process has ended; {script} is at it, and is waited for"));
        }
        let over = if early.handled { self.script_time(id) } else { SETTLE };
        if now.since(early.since) < over {
            early.next_look = Some(now.plus(early.pause).min(early.since.plus(over)));
            early.pause = (early.pause * 2).min(LONGEST_PAUSE);
            self.runs[id.0].early = Some(early);
            return;
        }
        self.runs[id.0].judged_early = Some(now);
        self.judge_exit(id, presence, wall);
        self.pump(now);
    }

    /// What the service's own start program would be given.
    fn script_time(&self, id: ServiceId) -> Duration {
        self.timeout(id, Purpose::Start).or(self.timeout(id, Purpose::Restart)).unwrap_or(SCRIPT_TIME)
    }

    fn judge_exit(&mut self, id: ServiceId, presence: &Presence, wall: Wall) {
        let ledger = self.ledger_mut(id);
        ledger.collected = Some(wall);
        ledger.monitor = Monitor::On;
        self.remember(id, presence);
        if self.strike_restart_limit(id) == Some(true) {
            return;
        }
        let mut control = None;
        let config = Rc::clone(&self.config);
        let rules = config.services.get(id.0).map(|service| service.rules.as_slice()).unwrap_or_default();
        for (place, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.test == Test::Exited) {
            let wanted = self.verdict(id, place, rule, EventState::Failed, "process is not running");
            control = control.max(wanted);
        }
        if let Some(control) = control {
            self.control(id, control);
        }
    }
}
