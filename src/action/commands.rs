//! What users ask for.

use std::time::Duration;

use super::engine::Engine;
use super::plan::{Cause, Goal, Plan, Stage, Wish};
use super::{Command, Effect};
use crate::base::format;
use crate::base::logging::Level;
use crate::base::time::Mono;
use crate::config::ServiceId;
use crate::event::ledger::{Absence, Monitor, Pace};

impl Engine {
    /// A user asks for an action on some services. Each is logged; what cannot begin at once, because another action of
    /// the service is under way, begins after that one.
    pub fn command(&mut self, command: Command, services: &[ServiceId], now: Mono) {
        self.now = now;
        for id in services {
            self.log(Level::Info, *id, &format!("{} on user request", command.word()));
        }
        for id in services {
            let with_parent = self.ledger(*id).monitor != Monitor::Off && self.has_ancestor_in(*id, services);
            // A watched service is restarted by the restart of what it depends on: once is enough.
            if command == Command::Restart && with_parent {
                continue;
            }
            self.obey(*id, command.into());
            if command == Command::Stop
                && with_parent
                && let Some(plan) = &mut self.runs[id.0].plan
            {
                plan.silent = true;
            }
        }
        self.pump(now);
        self.effects.push_back(Effect::Dirty);
    }

    /// A user asks that some services, and what depends on them, are left alone for that long.
    pub fn unmonitor_for(&mut self, services: &[ServiceId], time: Duration, now: Mono) {
        self.now = now;
        for id in services {
            self.log(Level::Info, *id, &format!("unmonitor for {} on user request", format::duration(time)));
        }
        for id in services {
            let absence = Some(Absence { until: now.plus(time), along: false });
            self.obey(*id, Wish { command: Command::Unmonitor, absence });
        }
        self.pump(now);
        self.effects.push_back(Effect::Dirty);
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

    pub(super) fn obey(&mut self, id: ServiceId, wish: Wish) {
        let command = wish.command;
        match command {
            Command::Start | Command::Restart | Command::Monitor => {
                self.ledger_mut(id).pace = Pace::default();
                self.end_absence(id);
            }
            Command::Stop => self.ledger_mut(id).absence_ends = None,
            Command::Unmonitor => {}
        }
        let lives = self.ledger(id).process.is_some();
        if let Some(plan) = &mut self.runs[id.0].plan {
            let same = match (command, plan.goal) {
                (Command::Start, Goal::Start | Goal::Restart) => true,
                (Command::Restart, Goal::Restart) => true,
                // What is being started, or goes down before that, is as fresh as a restart could make it.
                (Command::Restart, Goal::Start) => match plan.stage {
                    Stage::LookBeforeStart => false,
                    Stage::Parents => !lives,
                    _ => true,
                },
                (Command::Stop, Goal::Stop) => true,
                (Command::Monitor, Goal::Start | Goal::Restart) => true,
                _ => false,
            };
            if same {
                plan.cause = Cause::User;
                plan.along = false;
                plan.paced = false;
                plan.wished = true;
                plan.silent = false;
                plan.next = None;
                let ledger = &mut self.runs[id.0].ledger;
                if command == Command::Stop {
                    ledger.taken_along = false;
                } else {
                    ledger.clear_restarts();
                }
            } else {
                plan.next = Some(wish);
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
                self.tell(id, "monitor action done");
            }
            Command::Unmonitor => {
                self.unmonitor(id, wish.absence);
                self.tell(id, "unmonitor action done");
            }
        }
    }

    /// Watches the service and all it depends on.
    fn monitor(&mut self, id: ServiceId) {
        let mut todo = vec![id];
        let mut seen = vec![false; self.runs.len()];
        while let Some(id) = todo.pop() {
            if std::mem::replace(&mut seen[id.0], true) {
                continue;
            }
            let ledger = self.ledger_mut(id);
            ledger.clear_restarts();
            ledger.taken_along = false;
            if ledger.monitor == Monitor::Off {
                ledger.monitor = Monitor::Init;
            }
            self.end_absence(id);
            todo.extend(&self.service(id).depends.clone());
        }
        self.dirty();
    }

    /// Watches neither the service nor what depends on it, for ever or for a while.
    pub(super) fn unmonitor(&mut self, id: ServiceId, absence: Option<Absence>) {
        let along = |absence: Option<Absence>| absence.map(|absence| Absence { along: true, ..absence });
        let first = id;
        let before = along(self.ledger(id).absence_ends);
        let mut todo = vec![(id, absence)];
        let mut seen = vec![false; self.runs.len()];
        while let Some((id, absence)) = todo.pop() {
            if std::mem::replace(&mut seen[id.0], true) {
                continue;
            }
            let run = &self.runs[id.0];
            let was_watched = run.ledger.monitor != Monitor::Off;
            // What went along the last time goes along again.
            let goes_again = before.is_some() && run.ledger.absence_ends == before;
            if matches!(&self.runs[id.0].plan, Some(Plan { stage: Stage::Parents, .. })) {
                self.fail(id, "not started: its watching was ended");
            }
            if let Some(plan) = &mut self.runs[id.0].plan {
                plan.next = Some(Wish { command: Command::Unmonitor, absence });
            }
            let ledger = self.ledger_mut(id);
            // What a user has left alone by itself stays as it is.
            if was_watched || goes_again || id == first {
                ledger.monitor = Monitor::Off;
                ledger.waiting = false;
                ledger.settle_rules();
                ledger.absence_ends = absence;
                todo.extend(self.dependants[id.0].iter().map(|dependant| (*dependant, along(absence))));
            }
        }
        self.dirty();
    }

    /// A service is watched again; those that were left alone for a while because of it are, too.
    pub(super) fn end_absence(&mut self, id: ServiceId) {
        let Some(absence) = self.ledger_mut(id).absence_ends.take() else { return };
        let mut todo = self.dependants[id.0].clone();
        while let Some(dependant) = todo.pop() {
            if self.ledger(dependant).absence_ends == Some(Absence { along: true, ..absence }) {
                self.watch_again(dependant, "monitored again with what it depends on");
                todo.extend(&self.dependants[dependant.0]);
            }
        }
        self.dirty();
    }

    /// Watches again what was to be left alone until now.
    pub(super) fn end_absences(&mut self, now: Mono) {
        for place in 0..self.runs.len() {
            if self.runs[place].ledger.absence_ends.is_some_and(|absence| absence.until <= now) {
                self.watch_again(ServiceId(place), "monitored again: the time to leave it alone is over");
            }
        }
    }

    fn watch_again(&mut self, id: ServiceId, text: &str) {
        let run = &mut self.runs[id.0];
        run.ledger.absence_ends = None;
        run.ledger.clear_restarts();
        if let Some(plan) = &mut run.plan {
            plan.next = plan.next.filter(|_| !plan.ends_watching());
        }
        if run.ledger.monitor == Monitor::Off {
            run.ledger.monitor = Monitor::Init;
        }
        self.tell(id, text);
        self.dirty();
    }
}
