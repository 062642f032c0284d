//! How an action gets from its first stage to its end, in the order that dependencies ask for.
//!
//! A plan advances until it has to wait: for another service (its end advances us), for a look (the daemon answers with
//! [`Engine::looked`]), for a program ([`Engine::program_ended`]) or for time ([`Engine::tick`]).

use super::Effect;
use super::engine::Engine;
use super::plan::{Cause, Goal, Plan, Stage, Wait, Wish};
use crate::base::event::{EventKind, EventState};
use crate::base::format;
use crate::base::logging::Level;
use crate::base::process::Pid;
use crate::base::program::{Outcome, Purpose};
use crate::base::schedule::Rate;
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

/// How much of a program's output goes into a message, in characters.
const MESSAGE_MAX: usize = 255;

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

    /// Whether something it depends on is not watched and left alone: coming back would touch that.
    fn is_held_down(&self, id: ServiceId) -> bool {
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

    fn begin(&mut self, id: ServiceId, plan: Plan) {
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
    fn is_held_back(&mut self, id: ServiceId, goal: Goal, cause: Cause) -> bool {
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
    fn is_too_early(&mut self, id: ServiceId) -> bool {
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
    fn is_its_own_start_program(&self, id: ServiceId) -> bool {
        let ledger = self.ledger(id);
        ledger.overdue.is_some() && ledger.process.map(|entry| entry.identity.pid) == ledger.overdue
    }

    /// Asks what depends on the service to stop, each once.
    fn stop_dependants(&mut self, id: ServiceId, goal: Goal) {
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

    /// What a service depends on is started for it, unless it is not watched and no user asked for that.
    fn begin_parent(&mut self, parent: ServiceId, id: ServiceId) {
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
    fn waits_alive(&self, id: ServiceId) -> bool {
        let run = &self.runs[id.0];
        let waits = match &run.plan {
            Some(Plan { goal: Goal::Restart, stage: Stage::Parents, .. }) => true,
            Some(Plan { goal: Goal::Start, stage: Stage::Parents, .. }) => run.ledger.monitor != Monitor::Off,
            _ => false,
        };
        waits && self.can_be_stopped(id)
    }

    fn can_be_stopped(&self, id: ServiceId) -> bool {
        self.ledger(id).process.is_some() && self.service(id).stop.is_some()
    }

    /// Whether something that depends on the service has come to life since it was asked to stop, as a late start program
    /// may bring about. Then that goes down first, once more; true when it is waited for.
    fn stops_dependants_anew(&mut self, id: ServiceId) -> bool {
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
    fn is_going_down(&self, id: ServiceId) -> bool {
        match &self.runs[id.0].plan {
            Some(plan) => !matches!(plan.stage, Stage::Parents),
            None => false,
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

    fn program(&self, id: ServiceId, purpose: Purpose) -> Option<&Program> {
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
        let is_awaited = self.is_process(id)
            && run.plan.is_none()
            && run.ledger.process.is_none()
            && run.ledger.monitor != Monitor::Off;
        if was_overdue && is_awaited && outcome.status.is_none_or(|status| status == 0) {
            let timeout = self.timeout(id, purpose).unwrap_or_default();
            self.await_appearance(id, purpose, now.plus(timeout), now);
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

    /// Why a program's work is not there at its deadline.
    fn failure_text(&self, id: ServiceId) -> String {
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
    fn fail_those_who_wait_for(&mut self, id: ServiceId) {
        let text = missing_parent(&self.service(id).name);
        for dependant in self.dependants[id.0].clone() {
            if matches!(&self.runs[dependant.0].plan, Some(Plan { stage: Stage::Parents, .. })) {
                self.fail(dependant, &text);
            }
        }
    }

    /// The action is done.
    fn finish(&mut self, id: ServiceId) {
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
    fn back_from_absence(&mut self, id: ServiceId, plan: &Plan) {
        if plan.goal != Goal::Stop && !plan.ends_watching() {
            self.end_absence(id);
        }
    }

    /// What a user asked for meanwhile begins, unless it was to be over by now.
    fn go_on(&mut self, id: ServiceId, next: Option<Wish>) {
        let is_over = |wish: &Wish| wish.absence.is_some_and(|absence| absence.until <= self.now);
        if let Some(wish) = next.filter(|wish| !is_over(wish)) {
            self.obey(id, wish);
        }
    }
}

fn missing_parent(name: &str) -> String {
    format!("failed to start -- could not start required services: '{name}'")
}
