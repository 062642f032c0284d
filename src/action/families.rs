//! What has to go down before something else does, and what is started for something else.

use super::Effect;
use super::engine::Engine;
use super::plan::{Cause, Goal, Plan, Stage};
use super::steps::Step;
use crate::config::ServiceId;
use crate::event::ledger::Monitor;

impl Engine {
    /// Asks what depends on the service to stop, each once.
    pub(super) fn stop_dependants(&mut self, id: ServiceId, goal: Goal) {
        let along = goal != Goal::Stop || self.runs[id.0].plan.as_ref().is_some_and(|plan| plan.along);
        for dependant in self.dependants[id.0].clone() {
            let run = &self.runs[dependant.0];
            let waits = matches!(&run.plan, Some(Plan { stage: Stage::Parents, .. }));
            let returns = matches!(&run.plan, Some(Plan { goal: Goal::Start, cause: Cause::Dependency, .. }));
            if goal == Goal::Stop && waits {
                let text = format!("failed to start -- '{}', which it needs, is being stopped", self.service(id).name);
                self.fail(dependant, &text);
                // It was on its way back from another stop, and comes back after this one.
                let ledger = self.ledger_mut(dependant);
                ledger.taken_along |= returns && ledger.process.is_none();
            }
            if self.waits_alive(dependant)
                && let Some(plan) = &mut self.runs[dependant.0].plan
            {
                plan.stage = Stage::LookBeforeStop;
                self.effects.push_back(Effect::Look(dependant));
                continue;
            }
            let run = &self.runs[dependant.0];
            // A process that waited for its start has nothing to stop, unless it was to be restarted without a stop.
            let is_down = goal == Goal::Stop && waits && self.is_process(dependant) && run.ledger.process.is_none();
            // Who was taken along and lives has been brought to life since.
            let is_along = run.ledger.taken_along && !self.can_be_stopped(dependant);
            if is_down || run.plan.is_some() || run.ledger.monitor == Monitor::Off || is_along {
                continue;
            }
            self.request(dependant, Goal::Stop, Cause::Dependency);
            if let Some(plan) = &mut self.runs[dependant.0].plan {
                plan.along = along;
            }
            self.ledger_mut(dependant).taken_along = true;
        }
    }

    /// What a service depends on is started for it, unless it is not watched and no user asked for that.
    pub(super) fn begin_parent(&mut self, parent: ServiceId, id: ServiceId) {
        let Some(plan) = &self.runs[id.0].plan else { return };
        let wished = plan.wished && !plan.ends_watching();
        if !wished && self.ledger(parent).monitor == Monitor::Off {
            let text = format!("failed to start -- '{}', which it needs, is not monitored", self.service(parent).name);
            self.fail(id, &text);
            return;
        }
        let paced = plan.paced;
        self.begin(parent, Plan { paced, wished, ..Plan::new(Goal::Start, Cause::Dependency, Stage::Parents) });
    }

    /// Whether it lives and waits for its turn, to be restarted without a stop or started on a user's wish: it cannot live on
    /// while what it depends on goes down.
    pub(super) fn waits_alive(&self, id: ServiceId) -> bool {
        let run = &self.runs[id.0];
        let waits = match &run.plan {
            Some(Plan { goal: Goal::Restart, stage: Stage::Parents, .. }) => true,
            Some(Plan { goal: Goal::Start, stage: Stage::Parents, .. }) => run.ledger.monitor != Monitor::Off,
            _ => false,
        };
        waits && self.can_be_stopped(id)
    }

    pub(super) fn can_be_stopped(&self, id: ServiceId) -> bool {
        self.ledger(id).process.is_some() && self.service(id).stop.is_some()
    }

    /// Whether something that depends on the service has come to life since it was asked to stop, as a late start program
    /// may bring about. Then that goes down first, once more; true when it is waited for.
    pub(super) fn stops_dependants_anew(&mut self, id: ServiceId) -> bool {
        let lives_on = |dependant: &ServiceId| {
            let run = &self.runs[dependant.0];
            let rests = run.plan.is_none() && run.ledger.monitor != Monitor::Off;
            let lives = rests && self.can_be_stopped(*dependant) || self.waits_alive(*dependant);
            lives || self.is_going_down(*dependant)
        };
        if !self.dependants[id.0].iter().any(lives_on) {
            return false;
        }
        if let Some(plan) = &mut self.runs[id.0].plan {
            plan.stage = Stage::Dependants;
        }
        self.todo.push_back(Step::Advance(id));
        true
    }

    /// Whether a dependant still has to be waited for before what it depends on may stop.
    pub(super) fn is_going_down(&self, id: ServiceId) -> bool {
        match &self.runs[id.0].plan {
            Some(plan) => !matches!(plan.stage, Stage::Parents),
            None => false,
        }
    }
}
