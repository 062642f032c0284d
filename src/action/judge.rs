//! One service's turn in a cycle: is it due, what do its rules say, which action follows.

use std::rc::Rc;
use std::time::Duration;

use super::engine::Engine;
use super::plan::{Cause, Goal};
use super::steps::Step;
use super::{Effect, ExecSource};
use crate::base::cron::Minute;
use crate::base::event::{EventKind, EventState};
use crate::base::logging::Level;
use crate::base::schedule::{Every, Rate};
use crate::base::time::{Mono, Wall};
use crate::check::{self, Findings, Verdict};
use crate::config::{Action, Cron, Mode, Rule, ServiceId};
use crate::event::ledger::{Absence, Monitor};
use crate::event::track::{Due, Posted};
use crate::facts::observation::Observation;
use crate::facts::process::{GoneReason, Presence};

/// Actions of which a service takes one in a cycle, lowest rank first: an end of watching beats a restart beats a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Control {
    Start,
    Restart,
    UnmonitorFor(Duration),
    Unmonitor,
    Stop,
}

impl Control {
    fn of(action: &Action) -> Option<Control> {
        match action {
            Action::Start => Some(Control::Start),
            Action::Restart => Some(Control::Restart),
            Action::Unmonitor => Some(Control::Unmonitor),
            Action::UnmonitorFor(time) => Some(Control::UnmonitorFor(*time)),
            Action::Stop => Some(Control::Stop),
            Action::Ignore | Action::Alert | Action::Exec(_) => None,
        }
    }
}

impl Engine {
    /// Whether the service shall be observed in this cycle. A service that is not watched, whose action is under way, whose
    /// turn has not come, or that waits for what it depends on, is not.
    ///
    /// `clock` is what a clock on the wall shows. A minute of a schedule that passes while an action is under way, or while
    /// something the service depends on is down, is made up for; one that passes while nobody watches is not.
    pub fn due(&mut self, id: ServiceId, now: Mono, clock: Minute) -> bool {
        self.now = now;
        if self.ledger(id).monitor == Monitor::Off {
            self.ledger_mut(id).scheduled = None;
            return false;
        }
        if self.runs[id.0].plan.is_some() {
            return false;
        }
        let parents_up = self.parents_up(id);
        let turn = self.has_its_turn(id, clock, parents_up);
        let ledger = self.ledger_mut(id);
        ledger.waiting = !turn || !parents_up;
        if ledger.waiting || self.restart_limit_struck(id) || self.is_settling(id) {
            return false;
        }
        // What a restart limit has begun is this cycle's one action.
        self.runs[id.0].plan.is_none()
    }

    /// What the service's `every` says of this cycle.
    fn has_its_turn(&mut self, id: ServiceId, clock: Minute, parents_up: bool) -> bool {
        let (config, ledger) = (&self.config, &mut self.runs[id.0].ledger);
        let service = &config.services[id.0];
        if let Some(Cron { not, schedule }) = &service.cron {
            if *not {
                return !schedule.matches(clock);
            }
            let due = schedule.is_due(clock, ledger.scheduled);
            if !due || parents_up {
                ledger.scheduled = Some(schedule.done(clock, ledger.scheduled));
            } else {
                ledger.scheduled.get_or_insert(clock.before());
            }
            return due;
        }
        match service.every {
            Every::Cycle => true,
            Every::Cycles(n) => {
                let turn = ledger.monitor == Monitor::Init || ledger.skipped + 1 >= n;
                ledger.skipped = if turn { 0 } else { ledger.skipped + 1 };
                turn
            }
        }
    }

    /// Whether an observation that took its time still counts: the service is watched, nothing is being done to it, and what
    /// it depends on is up.
    pub fn awaits_observation(&self, id: ServiceId) -> bool {
        self.ledger(id).monitor != Monitor::Off && self.runs[id.0].plan.is_none() && self.parents_up(id)
    }

    /// Counts this cycle against the restart limits; true when one of them ended the watching.
    fn restart_limit_struck(&mut self, id: ServiceId) -> bool {
        let ledger = self.ledger_mut(id);
        if ledger.restarts == 0 {
            return false;
        }
        ledger.restart_cycles = ledger.restart_cycles.saturating_add(1);
        if let Some(ended) = self.strike_restart_limit(id) {
            return ended;
        }
        let longest = self.service(id).restart_limits.iter().map(|limit| limit.cycles).max().unwrap_or(0);
        if self.ledger(id).restart_cycles > longest {
            self.ledger_mut(id).clear_restarts();
            self.dirty();
        }
        false
    }

    /// Does what the first restart limit says that is reached; whether that ended the watching. `None` when none is.
    pub(super) fn strike_restart_limit(&mut self, id: ServiceId) -> Option<bool> {
        let limits = self.service(id).restart_limits.clone();
        let ledger = self.ledger_mut(id);
        let (restarts, cycles) = (ledger.restarts, ledger.restart_cycles.max(1));
        let struck = limits.iter().enumerate().find(|(_, l)| restarts >= l.restarts && cycles <= l.cycles);
        if let Some((place, limit)) = struck {
            let text =
                format!("service restarted {restarts} times within {cycles} cycles(s) - {}", limit.action.word());
            ledger.timeout.post(true, Rate::ONCE, Rate::ONCE);
            ledger.clear_restarts();
            ledger.last_failure = Some(text.clone());
            self.log(Level::Error, id, &text);
            self.record(id, EventKind::Timeout, EventState::Failed, &text);
            self.dirty();
            return Some(self.limit_action(id, place, &limit.action, text));
        }
        None
    }

    fn limit_action(&mut self, id: ServiceId, place: usize, action: &Action, message: String) -> bool {
        if let Action::Exec(_) = action {
            self.exec(id, ExecSource::Limit(place), EventKind::Timeout, EventState::Failed, message);
        }
        match Control::of(action) {
            Some(control) => self.control(id, control),
            None => false,
        }
    }

    /// The daemon looked at a service whose turn it is.
    pub fn observed(&mut self, id: ServiceId, seen: &Observation, now: Mono, wall: Wall) {
        self.now = now;
        if !seen.presence().is_some_and(|presence| self.is_fresh_exit(id, presence, now)) {
            self.judge(id, seen, now, Some(wall));
        }
        self.pump(now);
    }

    pub(super) fn judge(&mut self, id: ServiceId, seen: &Observation, now: Mono, wall: Option<Wall>) {
        let config = Rc::clone(&self.config);
        let Some(service) = config.services.get(id.0) else { return };
        let ledger = self.ledger_mut(id);
        ledger.waiting = false;
        ledger.collected = wall.or(ledger.collected);
        ledger.restarted = false;
        if ledger.monitor == Monitor::Init {
            ledger.monitor = Monitor::On;
        }
        let Some(findings) = check::judge(service, seen, &mut ledger.memory, now) else { return };
        if !self.readable(id, &findings) {
            return;
        }
        let was_up = std::mem::replace(&mut self.ledger_mut(id).lives, findings.is_up);
        if findings.is_up && !was_up && !self.is_process(id) {
            let dependants = self.dependants[id.0].iter();
            self.todo.extend(dependants.map(|dependant| Step::BringBack(*dependant)));
        }
        if let Some(presence) = seen.presence() {
            self.remember(id, presence);
            if let Presence::Running(entry) = presence {
                self.recovered_by_itself(id, entry.identity.pid);
            }
        }
        let mut control: Option<Control> = None;
        let mut asked = Vec::new();
        for (place, verdict) in findings.rules {
            let Some(rule) = service.rules.get(place) else { continue };
            let wanted = match verdict {
                Verdict::Later => None,
                Verdict::Unknown(why) => {
                    if self.ledger_mut(id).rules[place].unknown() {
                        self.log(Level::Warning, id, &format!("'{}' cannot be judged: {why}", rule.text()));
                    }
                    None
                }
                Verdict::Known(state, text) => {
                    let wanted = self.verdict(id, place, rule, state, &text);
                    if matches!(wanted, Some(Control::Start | Control::Restart)) {
                        asked.push((place, state));
                    }
                    wanted.or_else(|| self.owed(id, place, rule))
                }
            };
            control = control.max(wanted);
        }
        if let Some(control) = control {
            self.control(id, control);
        }
        // Held back: while the machine boots, by a back-off, by a start program that still runs.
        if self.runs[id.0].plan.is_none() && self.ledger(id).monitor != Monitor::Off && service.mode != Mode::Passive {
            for (place, state) in asked {
                self.ledger_mut(id).rules[place].owe(state);
            }
        }
    }

    /// What a rule asked for in an earlier cycle and did not get.
    fn owed(&self, id: ServiceId, place: usize, rule: &Rule) -> Option<Control> {
        let owed = self.ledger(id).rules.get(place)?.owed()?;
        let reaction = if owed == EventState::Changed { &rule.failure } else { &rule.recovery };
        Control::of(&reaction.action)
    }

    /// Enters what one rule says into its history, and does what is due except for the service's own programs: returned is
    /// which of them the rule asks for.
    pub(super) fn verdict(
        &mut self,
        id: ServiceId,
        place: usize,
        rule: &Rule,
        state: EventState,
        text: &str,
    ) -> Option<Control> {
        let posted = self.ledger_mut(id).rules[place].enter(state, rule.failure.rate, rule.recovery.rate);
        let kind = rule.test.event_kind();
        self.report(id, kind, state, posted, text);
        match posted.due {
            Due::Nothing => None,
            Due::Failure(times) => {
                if let Action::Exec(exec) = &rule.failure.action
                    && (times == 1 || exec.repeat.is_some_and(|every| every > 0 && times % every == 0))
                {
                    self.exec(id, ExecSource::Failure(place), kind, state, text.to_owned());
                }
                Control::of(&rule.failure.action)
            }
            Due::Recovery => {
                if let Action::Exec(_) = &rule.recovery.action {
                    self.exec(id, ExecSource::Recovery(place), kind, state, text.to_owned());
                }
                Control::of(&rule.recovery.action)
            }
        }
    }

    /// Whether the system told anything at all. When it did not, no rule is judged: unknown is not dead.
    fn readable(&mut self, id: ServiceId, findings: &Findings) -> bool {
        let posted = self.ledger_mut(id).data.post(findings.unreadable.is_some(), Rate::ONCE, Rate::ONCE);
        if posted.log.is_some() {
            let what = self.service(id).service_type().title().to_lowercase();
            let recovered = format!("{what} data can be read again");
            let (state, text) = match &findings.unreadable {
                Some(why) => (EventState::Failed, why),
                None => (EventState::Succeeded, &recovered),
            };
            self.report(id, EventKind::Data, state, posted, text);
        }
        findings.unreadable.is_none()
    }

    /// Keeps the process that was found, and tells once why none was when the reason is more than its death.
    pub(super) fn remember(&mut self, id: ServiceId, presence: &Presence) {
        let ledger = self.ledger_mut(id);
        match presence {
            Presence::Running(entry) => {
                if ledger.process.map(|known| known.identity) != Some(entry.identity) {
                    self.dirty();
                }
                let ledger = self.ledger_mut(id);
                ledger.process = Some(*entry);
                ledger.absence = None;
                ledger.taken_along = false;
            }
            Presence::Gone(reason) => {
                ledger.process = None;
                let told = match reason {
                    GoneReason::NoMatch | GoneReason::NoProcess(_) => None,
                    other => Some(other.to_string()),
                };
                if ledger.absence != told {
                    ledger.absence.clone_from(&told);
                    if let Some(text) = told {
                        self.log(Level::Warning, id, &text);
                    }
                }
            }
            Presence::Unknown(_) => {}
        }
    }

    /// A process that lives ends what was held against its programs and its restarts.
    fn recovered_by_itself(&mut self, id: ServiceId, pid: crate::base::process::Pid) {
        let ledger = self.ledger_mut(id);
        let exec = ledger.exec.post(false, Rate::ONCE, Rate::ONCE);
        let timeout = ledger.timeout.post(false, Rate::ONCE, Rate::ONCE);
        if exec.due == Due::Recovery {
            ledger.last_failure = None;
        }
        let text = "process is running after previous exec error (slow starting or manually recovered?)";
        self.report(id, EventKind::Exec, EventState::Succeeded, exec, text);
        let text = "process is running after previous restart timeout (manually recovered?)";
        self.report(id, EventKind::Timeout, EventState::Succeeded, timeout, text);
        if self.ledger(id).overdue == Some(pid) {
            // The start program itself became the service: it is no program that failed to end.
            self.ledger_mut(id).overdue_told = true;
        }
    }

    /// Logs what came of a post, and keeps it as an event when it is one.
    pub(super) fn report(&mut self, id: ServiceId, kind: EventKind, state: EventState, posted: Posted, text: &str) {
        if matches!(posted.due, Due::Failure(1) | Due::Recovery) {
            self.record(id, kind, state, text);
        }
        match posted.log {
            Some(level) => self.log(level, id, text),
            None if self.verbose => self.log(Level::Debug, id, text),
            None => {}
        }
    }

    /// Takes the one action of this cycle; true when the service is not watched any longer.
    pub(super) fn control(&mut self, id: ServiceId, control: Control) -> bool {
        let passive = self.service(id).mode == Mode::Passive;
        match control {
            Control::Unmonitor => {
                self.unmonitor(id, None);
                true
            }
            Control::UnmonitorFor(time) => {
                self.unmonitor(id, Some(Absence { until: self.now.plus(time), along: false }));
                true
            }
            Control::Start | Control::Restart | Control::Stop if passive => false,
            Control::Start => {
                self.request(id, Goal::Start, Cause::Rule);
                false
            }
            Control::Restart => {
                self.request(id, Goal::Restart, Cause::Rule);
                false
            }
            Control::Stop => {
                self.request(id, Goal::Stop, Cause::Rule);
                true
            }
        }
    }

    fn exec(&mut self, id: ServiceId, source: ExecSource, event: EventKind, state: EventState, message: String) {
        let description = event.description(state);
        self.effects.push_back(Effect::Exec { service: id, source, event, description, message });
    }
}
