//! What users ask for.

use super::engine::Engine;
use super::plan::{Cause, Goal, Plan, Stage};
use super::{Command, Effect};
use crate::base::logging::Level;
use crate::base::time::Mono;
use crate::config::ServiceId;
use crate::event::ledger::Monitor;

impl Engine {
    /// A user asks for an action on some services. Each is logged; what cannot begin at once, because another action of
    /// the service is under way, begins after that one.
    pub fn command(&mut self, command: Command, services: &[ServiceId], now: Mono) {
        for id in services {
            self.log(Level::Info, *id, &format!("{} on user request", command.word()));
        }
        for id in services {
            if command == Command::Restart && self.restarts_with_parent(*id, services) {
                continue;
            }
            self.obey(*id, command);
        }
        self.pump(now);
        self.effects.push_back(Effect::Dirty);
    }

    /// A watched service is restarted by the restart of what it depends on: once is enough.
    fn restarts_with_parent(&self, id: ServiceId, set: &[ServiceId]) -> bool {
        self.ledger(id).monitor != Monitor::Off && self.has_ancestor_in(id, set)
    }

    fn has_ancestor_in(&self, id: ServiceId, set: &[ServiceId]) -> bool {
        let mut todo = self.service(id).depends.clone();
        let mut seen = vec![false; self.runs.len()];
        while let Some(parent) = todo.pop() {
            if set.contains(&parent) {
                return true;
            }
            if !std::mem::replace(&mut seen[parent.0], true) {
                todo.extend(&self.service(parent).depends);
            }
        }
        false
    }

    pub(super) fn obey(&mut self, id: ServiceId, command: Command) {
        if let Some(plan) = &mut self.runs[id.0].plan {
            let same = match (command, plan.goal) {
                (Command::Start, Goal::Start | Goal::Restart) => true,
                (Command::Restart, Goal::Restart) => true,
                // What is being started is as fresh as a restart could make it.
                (Command::Restart, Goal::Start) => matches!(plan.stage, Stage::Starting(_) | Stage::Parents),
                (Command::Stop, Goal::Stop) => true,
                (Command::Monitor, Goal::Start | Goal::Restart) => true,
                _ => false,
            };
            if same {
                plan.cause = Cause::User;
                plan.along = false;
                plan.next = None;
                let ledger = &mut self.runs[id.0].ledger;
                if command == Command::Stop {
                    ledger.taken_along = false;
                } else {
                    ledger.clear_restarts();
                }
            } else {
                plan.next = Some(command);
            }
            return;
        }
        self.ledger_mut(id).taken_along = false;
        match command {
            Command::Start => {
                self.ledger_mut(id).clear_restarts();
                self.request(id, Goal::Start, Cause::User);
            }
            Command::Stop => self.request(id, Goal::Stop, Cause::User),
            Command::Restart => self.request(id, Goal::Restart, Cause::User),
            Command::Monitor => {
                self.monitor(id);
                self.log(Level::Info, id, "monitor action done");
            }
            Command::Unmonitor => {
                self.unmonitor(id);
                self.log(Level::Info, id, "unmonitor action done");
            }
        }
    }

    /// Watches the service and all it depends on.
    fn monitor(&mut self, id: ServiceId) {
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            let ledger = self.ledger_mut(id);
            ledger.clear_restarts();
            ledger.taken_along = false;
            if ledger.monitor == Monitor::Off {
                ledger.monitor = Monitor::Init;
            }
            todo.extend(&self.service(id).depends.clone());
        }
        self.dirty();
    }

    /// Watches neither the service nor what depends on it.
    pub(super) fn unmonitor(&mut self, id: ServiceId) {
        let mut todo = vec![id];
        while let Some(id) = todo.pop() {
            if matches!(&self.runs[id.0].plan, Some(Plan { stage: Stage::Parents, .. })) {
                self.fail(id, "not started: its watching was ended");
            }
            if let Some(plan) = &mut self.runs[id.0].plan {
                plan.next = Some(Command::Unmonitor);
            }
            let ledger = self.ledger_mut(id);
            if ledger.monitor != Monitor::Off {
                ledger.monitor = Monitor::Off;
                ledger.waiting = false;
                todo.extend(self.dependants[id.0].clone());
            }
        }
        self.dirty();
    }
}
