//! How an action ends, well or not, and who else learns of that.

use super::engine::Engine;
use super::plan::{Cause, Goal, Plan, Stage, Wish};
use super::steps::Step;
use crate::base::event::{EventKind, EventState};
use crate::base::schedule::Rate;
use crate::config::{Program, ServiceId};
use crate::event::ledger::Monitor;

/// How much of a program's output goes into a message, in characters.
const MESSAGE_MAX: usize = 255;

impl Engine {
    /// Why a program's work is not there at its deadline.
    pub(super) fn failure_text(&self, id: ServiceId) -> String {
        let Some(plan) = &self.runs[id.0].plan else { return String::new() };
        let Some(wait) = plan.stage.wait() else { return String::new() };
        let program = self.program(id, wait.purpose);
        let line = program.map(Program::command_line).unwrap_or_default();
        let outcome = wait.ended.clone().unwrap_or_default();
        let printed: String = outcome.output.chars().take(MESSAGE_MAX).collect();
        let late = outcome.timed_out || wait.overdue;
        let reason = match (late, printed.is_empty()) {
            (true, true) => {
                let seconds = program.and_then(|p| p.timeout).unwrap_or_default().as_secs_f64();
                format!("Program '{line}' timed out after {seconds} s")
            }
            (true, false) => format!("Program timed out -- '{line}': {printed}"),
            (false, true) => "no output".to_owned(),
            (false, false) => format!("'{line}': {printed}"),
        };
        let left = match (wait.overdue, self.ledger(id).overdue) {
            (true, Some(pid)) => format!(" (it runs on as pid {pid} and is left alone)"),
            _ => String::new(),
        };
        let status = outcome.status.unwrap_or(-1);
        format!("failed to {} (exit status {status}) -- {reason}{left}", wait.purpose.word())
    }

    /// The action failed; everyone who waits for it fails with it.
    pub(super) fn fail(&mut self, id: ServiceId, text: &str) {
        let Some(plan) = self.runs[id.0].plan.take() else { return };
        let stays_up = plan.goal == Goal::Stop || matches!(plan.stage, Stage::LookBeforeStop | Stage::Stopping(_));
        let posted = self.ledger_mut(id).exec.post(true, Rate::ONCE, Rate::ONCE);
        self.report(id, EventKind::Exec, EventState::Failed, posted, text);
        let ledger = self.ledger_mut(id);
        ledger.last_failure = Some(text.to_owned());
        match plan.goal {
            // Whoever wants it started wants it watched: its rules go on trying.
            Goal::Start | Goal::Restart if ledger.monitor == Monitor::Off => ledger.monitor = Monitor::Init,
            // It may go late: no rule must bring back what was to be stopped.
            Goal::Stop if plan.cause != Cause::Dependency && matches!(plan.stage, Stage::Stopping(_)) => {
                ledger.monitor = Monitor::Off;
            }
            _ => {}
        }
        self.back_from_absence(id, &plan);
        if plan.goal == Goal::Stop && plan.cause == Cause::Dependency {
            // It was not taken along after all, and has to be stopped the next time.
            self.ledger_mut(id).taken_along = false;
        }
        if plan.cause == Cause::User {
            self.tell(id, &format!("{} action failed", plan.goal.word()));
        }
        self.fail_those_who_wait_for(id);
        let name = self.service(id).name.clone();
        for parent in self.service(id).depends.clone() {
            match &self.runs[parent.0].plan {
                Some(Plan { stage: Stage::Dependants, goal, .. }) if stays_up => {
                    let text = format!("failed to {} -- could not stop required services: '{name}'", goal.word());
                    self.fail(parent, &text);
                }
                // It may have waited for this action to end, however it ends.
                _ => self.todo.push_back(Step::Advance(parent)),
            }
        }
        self.dirty();
        self.go_on(id, plan.next);
    }

    /// Nobody is started on top of what did not come up.
    pub(super) fn fail_those_who_wait_for(&mut self, id: ServiceId) {
        let text = missing_parent(&self.service(id).name);
        for dependant in self.dependants[id.0].clone() {
            if matches!(&self.runs[dependant.0].plan, Some(Plan { stage: Stage::Parents, .. })) {
                self.fail(dependant, &text);
            }
        }
    }

    /// The action is done.
    pub(super) fn finish(&mut self, id: ServiceId) {
        let Some(plan) = self.runs[id.0].plan.take() else { return };
        let is_process = self.is_process(id);
        let ledger = self.ledger_mut(id);
        ledger.last_failure = None;
        ledger.restarted = plan.goal == Goal::Restart && plan.cause == Cause::User;
        match plan.goal {
            Goal::Start | Goal::Restart => {
                if ledger.monitor == Monitor::Off {
                    ledger.monitor = Monitor::Init;
                }
                if ledger.process.is_some() || !is_process {
                    ledger.monitor = Monitor::On;
                }
            }
            // Nobody has seen how it does since.
            Goal::Stop if plan.along && ledger.monitor == Monitor::On => ledger.monitor = Monitor::Init,
            Goal::Stop if plan.along => {}
            Goal::Stop => ledger.monitor = Monitor::Off,
        }
        self.back_from_absence(id, &plan);
        let posted = self.ledger_mut(id).exec.post(false, Rate::ONCE, Rate::ONCE);
        if posted.log.is_some() {
            let started = plan.goal == Goal::Restart && self.service(id).restart.is_none();
            let did = if started { Goal::Start } else { plan.goal };
            self.report(id, EventKind::Exec, EventState::Succeeded, posted, did.done());
        }
        if plan.cause == Cause::User && !plan.silent {
            self.tell(id, &format!("{} action done", plan.goal.word()));
        }
        // A process for which there is no start program may be as dead as before.
        let is_up = if is_process { self.ledger(id).process.is_some() } else { self.ledger(id).lives };
        if plan.goal != Goal::Stop && !is_up {
            // Whether its program has helped is seen by the next look: until then nobody is started on top of it.
            self.fail_those_who_wait_for(id);
        }
        for dependant in self.dependants[id.0].clone() {
            if plan.goal != Goal::Stop && is_up {
                self.todo.push_back(Step::BringBack(dependant));
            }
            self.todo.push_back(Step::Advance(dependant));
        }
        for parent in self.service(id).depends.clone() {
            self.todo.push_back(Step::Advance(parent));
        }
        self.dirty();
        self.go_on(id, plan.next);
    }

    /// Who was brought to life is watched, unless a user wants it otherwise by now.
    pub(super) fn back_from_absence(&mut self, id: ServiceId, plan: &Plan) {
        if plan.goal != Goal::Stop && !plan.ends_watching() {
            self.end_absence(id);
        }
    }

    /// What a user asked for meanwhile begins, unless it was to be over by now.
    pub(super) fn go_on(&mut self, id: ServiceId, next: Option<Wish>) {
        let is_over = |wish: &Wish| wish.absence.is_some_and(|absence| absence.until <= self.now);
        if let Some(wish) = next.filter(|wish| !is_over(wish)) {
            self.obey(id, wish);
        }
    }
}

/// Why a start does not come about for want of what it needs.
pub(super) fn missing_parent(name: &str) -> String {
    format!("failed to start -- could not start required services: '{name}'")
}
