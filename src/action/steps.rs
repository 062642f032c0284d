//! How an action gets from its first stage to its end, in the order that dependencies ask for.
//!
//! A plan advances until it has to wait: for another service (its end advances us), for a look (the daemon answers with
//! [`Engine::looked`]), for a program ([`Engine::program_ended`]) or for time ([`Engine::tick`]).

use super::Effect;
use super::ends::missing_parent;
use super::engine::Engine;
use super::plan::{Cause, Goal, Stage, Wait};
use crate::base::logging::Level;
use crate::base::process::Pid;
use crate::base::program::{Outcome, Purpose};
use crate::base::time::{Mono, Wall};
use crate::config::{Kind, Program, ServiceId};
use crate::event::ledger::Monitor;
use crate::facts::observation::Observation;
use crate::facts::process::Presence;

/// Work that is left to do before the engine has an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A plan may be able to go on.
    Advance(ServiceId),
    /// A dependant comes back with what it depends on.
    BringBack(ServiceId),
}

impl Engine {
    /// Does all that can be done without waiting.
    pub(super) fn pump(&mut self, now: Mono) {
        while let Some(step) = self.todo.pop_front() {
            match step {
                Step::Advance(id) => self.advance(id, now),
                Step::BringBack(id) => {
                    if self.ledger(id).taken_along && !self.is_held_down(id) {
                        self.ledger_mut(id).taken_along = false;
                        self.request(id, Goal::Start, Cause::Dependency);
                    }
                }
            }
        }
    }

    fn advance(&mut self, id: ServiceId, now: Mono) {
        let Some(plan) = &self.runs[id.0].plan else { return };
        match plan.stage {
            Stage::Dependants => {
                let goal = plan.goal;
                self.stop_dependants(id, goal);
                if !self.dependants[id.0].iter().any(|dependant| self.is_going_down(*dependant)) {
                    self.begin_stop(id, goal, now);
                }
            }
            Stage::Parents => {
                for parent in self.service(id).depends.clone() {
                    if !self.is_up(parent) {
                        if self.runs[parent.0].plan.is_none() {
                            self.begin_parent(parent, id);
                        }
                        if self.is_up(parent) {
                            continue;
                        }
                        if self.runs[parent.0].plan.is_none() {
                            let name = self.service(parent).name.clone();
                            self.fail(id, &missing_parent(&name));
                        }
                        return;
                    }
                }
                self.begin_start(id, now);
            }
            _ => {}
        }
    }

    fn begin_stop(&mut self, id: ServiceId, goal: Goal, now: Mono) {
        let service = self.service(id);
        let stage = match goal {
            // A restart program replaces both stop and start.
            Goal::Restart if service.restart.is_some() || service.stop.is_none() => Stage::Parents,
            _ => Stage::LookBeforeStop,
        };
        let looks = matches!(stage, Stage::LookBeforeStop);
        if let Some(plan) = &mut self.runs[id.0].plan {
            plan.stage = stage;
        }
        if !looks {
            self.wait_for_parents(id);
        } else if self.is_process(id) {
            self.effects.push_back(Effect::Look(id));
        } else if self.service(id).stop.is_some() {
            self.run(id, Purpose::Stop, now);
        } else {
            self.stopped(id);
        }
    }

    /// It is down now (or stays up for its restart program): what it depends on may go on, and it waits for that.
    fn wait_for_parents(&mut self, id: ServiceId) {
        if let Some(plan) = &mut self.runs[id.0].plan {
            plan.stage = Stage::Parents;
        }
        for parent in self.service(id).depends.clone() {
            self.todo.push_back(Step::Advance(parent));
        }
        self.todo.push_back(Step::Advance(id));
    }

    fn begin_start(&mut self, id: ServiceId, now: Mono) {
        let is_process = self.is_process(id);
        let Some(plan) = &mut self.runs[id.0].plan else { return };
        if plan.goal == Goal::Restart && self.config.services[id.0].restart.is_some() {
            if !self.stops_dependants_anew(id) {
                self.run(id, Purpose::Restart, now);
            }
        } else if is_process {
            plan.stage = Stage::LookBeforeStart;
            self.effects.push_back(Effect::Look(id));
        } else if self.service(id).start.is_some() {
            self.run(id, Purpose::Start, now);
        } else {
            self.finish(id);
        }
    }

    /// Whether the service is seen to come and go. Of anything else nothing is known but that its programs have ended.
    pub(super) fn is_process(&self, id: ServiceId) -> bool {
        matches!(self.service(id).kind, Kind::Process(_))
    }

    /// Asks for the service's program of that purpose and waits for what it brings about.
    fn run(&mut self, id: ServiceId, purpose: Purpose, now: Mono) {
        if purpose.brings_to_life() && self.ledger(id).overdue.is_some() && !self.is_its_own_start_program(id) {
            self.fail(id, "an earlier start program still runs");
            return;
        }
        let Some(program) = self.program(id, purpose) else { return };
        let (timeout, line) = (program.timeout, program.command_line());
        self.log(Level::Info, id, &format!("{}: '{line}'", purpose.word()));
        let wait = Wait::new(purpose, now, timeout);
        if purpose.brings_to_life() {
            let run = &mut self.runs[id.0];
            run.ledger.clear_windows();
            if purpose == Purpose::Start {
                // It was found gone. Its number may be the program's by now.
                run.ledger.process = None;
            }
            if let Some(backoff) = self.config.services[id.0].backoff
                && run.plan.as_ref().is_some_and(|plan| plan.paced)
            {
                run.ledger.pace.start(backoff, now);
                self.dirty();
            }
        }
        if let Some(plan) = &mut self.runs[id.0].plan {
            plan.stage = if purpose == Purpose::Stop { Stage::Stopping(wait) } else { Stage::Starting(wait) };
        }
        self.effects.push_back(Effect::Run { service: id, purpose, timeout });
    }

    pub(super) fn program(&self, id: ServiceId, purpose: Purpose) -> Option<&Program> {
        let service = self.service(id);
        match purpose {
            Purpose::Start => service.start.as_ref(),
            Purpose::Stop => service.stop.as_ref(),
            Purpose::Restart => service.restart.as_ref(),
            Purpose::Exec | Purpose::Check => None,
        }
    }

    /// The answer to [`Effect::Look`].
    pub fn looked(&mut self, id: ServiceId, presence: &Presence, now: Mono, wall: Wall) {
        self.now = now;
        self.take_look(id, presence, now, wall);
        self.pump(now);
    }

    fn take_look(&mut self, id: ServiceId, presence: &Presence, now: Mono, wall: Wall) {
        let Some(plan) = &mut self.runs[id.0].plan else { return };
        match &mut plan.stage {
            Stage::LookBeforeStop => match presence {
                Presence::Gone(_) => self.stopped(id),
                Presence::Running(_) | Presence::Unknown(_) => {
                    if let Presence::Running(entry) = presence {
                        // Its pidfile may go before it does.
                        self.ledger_mut(id).process = Some(*entry);
                    }
                    if self.service(id).stop.is_none() {
                        self.finish(id);
                    } else if !self.stops_dependants_anew(id) {
                        self.run(id, Purpose::Stop, now);
                    }
                }
            },
            Stage::LookBeforeStart => match presence {
                Presence::Unknown(why) => {
                    let text = format!("cannot tell whether it runs: {why}");
                    self.fail(id, &text);
                }
                Presence::Running(_) => {
                    if plan.goal == Goal::Restart {
                        self.log(
                            Level::Warning,
                            id,
                            "runs on: it has no stop program, and its start program is for a dead process",
                        );
                    }
                    self.appeared(id, presence, now, wall);
                }
                // What it depends on may have begun to go down since.
                Presence::Gone(_) if !self.parents_up(id) => self.wait_for_parents(id),
                Presence::Gone(_) if self.is_coming(id, now) => {}
                Presence::Gone(_) if self.service(id).start.is_some() => self.run(id, Purpose::Start, now),
                Presence::Gone(_) => {
                    // Watched from now on, but nothing brings it to life.
                    self.fail_those_who_wait_for(id);
                    self.finish(id);
                }
            },
            // While the program runs nothing is concluded.
            Stage::Stopping(wait) | Stage::Starting(wait) if wait.ended.is_none() => {}
            Stage::Stopping(wait) => match presence {
                Presence::Gone(_) => self.stopped(id),
                _ if wait.last => {
                    let text = self.failure_text(id);
                    self.fail(id, &text);
                }
                _ => wait.pause(now),
            },
            Stage::Starting(wait) => match presence {
                Presence::Running(_) => self.appeared(id, presence, now, wall),
                _ if wait.last => {
                    let text = self.failure_text(id);
                    self.fail(id, &text);
                }
                _ => wait.pause(now),
            },
            Stage::Dependants | Stage::Parents => {}
        }
    }

    /// Whether the process of a late start program may still appear: then that is waited for, and no other program is run.
    fn is_coming(&mut self, id: ServiceId, now: Mono) -> bool {
        let Some(until) = self.runs[id.0].coming.take().filter(|until| *until > now) else { return false };
        if let Some(plan) = &mut self.runs[id.0].plan {
            let mut wait = Wait::new(Purpose::Start, now, None);
            wait.deadline = Some(until);
            wait.ended = Some(Outcome::default());
            wait.pause(now);
            plan.stage = Stage::Starting(wait);
        }
        true
    }

    fn stopped(&mut self, id: ServiceId) {
        self.ledger_mut(id).process = None;
        let Some(plan) = &mut self.runs[id.0].plan else { return };
        if plan.goal == Goal::Stop {
            self.finish(id);
        } else {
            self.wait_for_parents(id);
        }
    }

    fn appeared(&mut self, id: ServiceId, presence: &Presence, now: Mono, wall: Wall) {
        let open = self.ledger(id).rules.iter().any(crate::event::track::Track::is_failed);
        if let Presence::Running(entry) = presence {
            let ledger = self.ledger_mut(id);
            ledger.process = Some(*entry);
            ledger.taken_along = false;
            ledger.memory.process.restarted();
        }
        self.finish(id);
        // The failure that led here has ended: its recovery is told now, not a cycle later.
        if open && self.runs[id.0].plan.is_none() {
            let seen = Observation::presence_of(presence.clone());
            self.judge(id, &seen, now, Some(wall));
        }
    }

    /// A program of the service ended.
    pub fn program_ended(&mut self, id: ServiceId, purpose: Purpose, outcome: Outcome, now: Mono) {
        self.now = now;
        if purpose.brings_to_life() {
            let was_overdue = self.ledger(id).overdue.is_some();
            self.set_overdue(id, None);
            self.come_late(id, purpose, was_overdue, &outcome, now);
            if was_overdue {
                // One that runs by now is another, begun when the service that this one had become was gone.
                return;
            }
        }
        let refused = purpose.brings_to_life().then(|| outcome.refused.clone()).flatten();
        let Some(plan) = &mut self.runs[id.0].plan else { return };
        let (Stage::Starting(wait) | Stage::Stopping(wait)) = &mut plan.stage else { return };
        if wait.purpose != purpose || wait.ended.is_some() {
            return;
        }
        let timed_out = outcome.timed_out;
        wait.ended = Some(outcome);
        wait.last = wait.is_late(now);
        if let Some(line) = refused {
            let text = format!("failed to {} -- service(8) did nothing: {line}", purpose.word());
            self.fail(id, &text);
        } else if self.is_process(id) {
            self.effects.push_back(Effect::Look(id));
        } else if timed_out {
            let text = self.failure_text(id);
            self.fail(id, &text);
        } else if purpose == Purpose::Stop {
            self.stopped(id);
        } else {
            self.finish(id);
        }
        self.pump(now);
    }

    /// A start program that took too long has ended after all: its process gets the time to appear that it would have had.
    fn come_late(&mut self, id: ServiceId, purpose: Purpose, was_overdue: bool, outcome: &Outcome, now: Mono) {
        let run = &self.runs[id.0];
        let (is_watched, is_known) = (run.ledger.monitor != Monitor::Off, run.ledger.process.is_some());
        let may_appear = self.is_process(id) && run.plan.is_none() && !(is_watched && is_known);
        if was_overdue && may_appear && outcome.status.is_none_or(|status| status == 0) {
            let until = now.plus(self.timeout(id, purpose).unwrap_or_default());
            if is_watched {
                self.await_appearance(id, purpose, until, now);
            } else {
                // Nobody waits for it, but who starts the service meanwhile must not run a second program beside it.
                self.runs[id.0].coming = Some(until);
            }
        }
    }

    /// A start or restart program is past its timeout. It is left alone; what it was for is judged now.
    pub fn program_overdue(&mut self, id: ServiceId, purpose: Purpose, pid: Pid, output: String) {
        self.set_overdue(id, Some(pid));
        let Some(plan) = &mut self.runs[id.0].plan else { return };
        if let Stage::Starting(wait) = &mut plan.stage
            && wait.purpose == purpose
        {
            wait.ended = Some(Outcome { output, ..Outcome::default() });
            wait.overdue = true;
            wait.last = true;
            if self.is_process(id) {
                self.effects.push_back(Effect::Look(id));
            } else {
                let text = self.failure_text(id);
                self.fail(id, &text);
            }
        }
    }

    /// The program could not even be started.
    pub fn program_not_run(&mut self, id: ServiceId, purpose: Purpose, why: &str, now: Mono) {
        self.now = now;
        let text = format!("failed to {} -- {why}", purpose.word());
        self.fail(id, &text);
        self.pump(now);
    }

    /// Time has passed: looks that are due are asked for, and what was left alone until now is watched again.
    pub fn tick(&mut self, now: Mono) {
        self.now = now;
        self.end_absences(now);
        for place in 0..self.runs.len() {
            let Some(plan) = &mut self.runs[place].plan else { continue };
            let (Stage::Starting(wait) | Stage::Stopping(wait)) = &mut plan.stage else { continue };
            if wait.next_look.is_some_and(|at| now >= at) {
                wait.next_look = None;
                wait.last = wait.is_late(now);
                self.effects.push_back(Effect::Look(ServiceId(place)));
            }
        }
        self.look_early(now);
        self.pump(now);
    }
}
