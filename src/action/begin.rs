//! Whether an action may begin: not beside another, not beside a late start program, not before its time.

use super::engine::Engine;
use super::plan::{Cause, Goal, Plan, Stage};
use super::steps::Step;
use crate::base::format;
use crate::base::logging::Level;
use crate::config::ServiceId;
use crate::event::ledger::Monitor;

impl Engine {
    /// Whether something it depends on is not watched and left alone: coming back would touch that.
    pub(super) fn is_held_down(&self, id: ServiceId) -> bool {
        let mut todo = self.service(id).depends.clone();
        let mut seen = vec![false; self.runs.len()];
        while let Some(parent) = todo.pop() {
            let run = &self.runs[parent.0];
            if run.ledger.monitor == Monitor::Off && run.plan.is_none() && !run.ledger.taken_along {
                return true;
            }
            if !std::mem::replace(&mut seen[parent.0], true) {
                todo.extend(&self.service(parent).depends);
            }
        }
        false
    }

    /// Begins an action, unless one is under way, an earlier start program still runs, or its back-off is not over.
    pub(super) fn request(&mut self, id: ServiceId, goal: Goal, cause: Cause) {
        self.begin(id, Plan::new(goal, cause, Stage::Parents));
    }

    pub(super) fn begin(&mut self, id: ServiceId, plan: Plan) {
        let (goal, cause) = (plan.goal, plan.cause);
        if self.runs[id.0].plan.is_some() {
            return;
        }
        if self.starts_held && cause == Cause::Rule && goal != Goal::Stop {
            // Its turn comes with the next cycle, however seldom it is looked at.
            self.ledger_mut(id).skipped = u32::MAX - 1;
            if self.verbose {
                self.log(Level::Debug, id, &format!("{} waits: the machine was booted just now", goal.word()));
            }
            return;
        }
        if goal != Goal::Stop && self.is_held_back(id, goal, cause) {
            return;
        }
        if goal != Goal::Stop && plan.paced && self.is_too_early(id) {
            return;
        }
        if cause == Cause::Rule && goal != Goal::Stop && !self.service(id).restart_limits.is_empty() {
            let ledger = self.ledger_mut(id);
            ledger.restarts = ledger.restarts.saturating_add(1);
            self.dirty();
        }
        if goal == Goal::Restart {
            self.log(Level::Info, id, "trying to restart");
        }
        let stage = if goal == Goal::Start { Stage::Parents } else { Stage::Dependants };
        self.runs[id.0].early = None;
        self.ledger_mut(id).settle_rules();
        self.runs[id.0].plan = Some(Plan { stage, ..plan });
        self.todo.push_back(Step::Advance(id));
    }

    /// No second start program runs beside one that still lives. A live service may be restarted all the same: the program
    /// may be that service, or has to end with it.
    pub(super) fn is_held_back(&mut self, id: ServiceId, goal: Goal, cause: Cause) -> bool {
        let stops_first = self.service(id).stop.is_some() && self.service(id).restart.is_none();
        let is_itself = self.is_its_own_start_program(id);
        let ledger = self.ledger_mut(id);
        let Some(pid) = ledger.overdue else { return false };
        if is_itself || goal == Goal::Restart && stops_first && ledger.process.is_some() {
            return false;
        }
        if cause == Cause::User && ledger.monitor == Monitor::Off {
            ledger.monitor = Monitor::Init;
        }
        if !ledger.overdue_told || cause == Cause::User {
            self.ledger_mut(id).overdue_told = true;
            let text = format!("its start program still runs (pid {pid}); no other is started before that one ends");
            self.log(Level::Warning, id, &text);
        }
        true
    }

    /// Whether the next start by a rule has to wait; told once for each wait.
    pub(super) fn is_too_early(&mut self, id: ServiceId) -> bool {
        let now = self.now;
        let can_start = self.service(id).start.is_some() || self.service(id).restart.is_some();
        let pace = &mut self.runs[id.0].ledger.pace;
        let Some(backoff) = self.config.services[id.0].backoff else { return false };
        // It may be shorter than it was.
        pace.next = pace.next.min(now.plus(backoff.longest));
        if !can_start || !pace.holds(now) {
            return false;
        }
        if !std::mem::replace(&mut pace.waits, true) {
            let (starts, left) = (pace.starts, pace.next.since(now));
            let times = if starts == 1 { "once".to_owned() } else { format!("{starts} times") };
            let text = format!("next start in {} (back-off, started {times} in a row)", format::wait(left));
            self.log(Level::Warning, id, &text);
        }
        true
    }

    /// Whether the start program that still runs has become the service: then it ends with it.
    pub(super) fn is_its_own_start_program(&self, id: ServiceId) -> bool {
        let ledger = self.ledger(id);
        ledger.overdue.is_some() && ledger.process.map(|entry| entry.identity.pid) == ledger.overdue
    }
}
