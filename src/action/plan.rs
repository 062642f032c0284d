//! What is being done to one service.

use std::time::Duration;

use super::Command;
use crate::base::program::{Outcome, Purpose};
use crate::base::time::Mono;
use crate::event::ledger::Absence;

/// Where a plan leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The service runs and is watched.
    Start,
    /// The service does not run.
    Stop,
    /// The service was stopped and runs.
    Restart,
}

impl Goal {
    /// The verb.
    pub fn word(self) -> &'static str {
        self.purpose().word()
    }

    /// The purpose of the same name.
    pub fn purpose(self) -> Purpose {
        match self {
            Goal::Start => Purpose::Start,
            Goal::Stop => Purpose::Stop,
            Goal::Restart => Purpose::Restart,
        }
    }

    /// The past participle, for messages.
    pub(super) fn done(self) -> &'static str {
        match self {
            Goal::Start => "started",
            Goal::Stop => "stopped",
            Goal::Restart => "restarted",
        }
    }
}

/// Who wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A user.
    User,
    /// A rule of the service.
    Rule,
    /// A service it depends on, or one that depends on it.
    Dependency,
}

/// One action under way.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub goal: Goal,
    pub cause: Cause,
    pub stage: Stage,
    /// Stopped for a while only, because of a service it depends on: stays watched and is started again after that.
    pub along: bool,
    /// A rule is behind it, if only one of a service that needs this one: its starts are spaced out.
    pub paced: bool,
    /// A user asked for it, if only for a service that needs this one: only then may it touch what is not watched.
    pub wished: bool,
    /// It is done together with a service it depends on; the end of that one is told, not its own.
    pub silent: bool,
    /// What a user asked for meanwhile.
    pub next: Option<Wish>,
}

impl Plan {
    /// Whether a user wants the service not to be watched afterwards.
    pub fn ends_watching(&self) -> bool {
        self.next.is_some_and(|next| next.command == Command::Unmonitor)
    }

    pub fn new(goal: Goal, cause: Cause, stage: Stage) -> Plan {
        let (paced, wished) = (cause == Cause::Rule, cause == Cause::User);
        Plan { goal, cause, stage, along: false, paced, wished, silent: false, next: None }
    }
}

/// What a user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub command: Command,
    /// Of an end of watching: how long it lasts; `None`: for ever.
    pub absence: Option<Absence>,
}

impl From<Command> for Wish {
    fn from(command: Command) -> Wish {
        Wish { command, absence: None }
    }
}

/// How far it got.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// What depends on the service has to stop first.
    Dependants,
    /// Does it run at all? Then it is stopped.
    LookBeforeStop,
    /// Its stop program runs, or it takes its time to go.
    Stopping(Wait),
    /// What the service depends on has to be up first.
    Parents,
    /// Does it run already? Else it is started.
    LookBeforeStart,
    /// Its start or restart program runs, or it takes its time to appear.
    Starting(Wait),
}

impl Stage {
    /// The stage in a word or three.
    pub fn word(&self) -> &'static str {
        match self {
            Stage::Dependants => "dependants",
            Stage::LookBeforeStop => "look before stop",
            Stage::Stopping(wait) if wait.ended.is_none() => "stopping",
            Stage::Stopping(_) => "going",
            Stage::Parents => "parents",
            Stage::LookBeforeStart => "look before start",
            Stage::Starting(wait) if wait.ended.is_none() => "starting",
            Stage::Starting(_) => "appearing",
        }
    }
}

/// A program and what it should bring about.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    /// Start, stop or restart: whose program.
    pub purpose: Purpose,
    /// When it has taken too long; `None`: never.
    pub deadline: Option<Mono>,
    /// How the program ended; `None` while it runs.
    pub ended: Option<Outcome>,
    /// When to look next, once the program has ended.
    pub next_look: Option<Mono>,
    /// How long after that to look again.
    pub pause: Duration,
    /// The deadline has passed: the look that is under way is the last.
    pub last: bool,
    /// The program was still running at its deadline.
    pub overdue: bool,
}

/// The first pause between two looks; each is twice the one before, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Wait {
    pub fn new(purpose: Purpose, now: Mono, timeout: Option<Duration>) -> Wait {
        let deadline = timeout.map(|timeout| now.plus(timeout));
        Wait { purpose, deadline, ended: None, next_look: None, pause: FIRST_PAUSE, last: false, overdue: false }
    }

    /// Sets the time of the next look, at the deadline at the latest.
    pub fn pause(&mut self, now: Mono) {
        let next = now.plus(self.pause);
        self.next_look = Some(self.deadline.map_or(next, |deadline| next.min(deadline)));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    pub fn is_late(&self, now: Mono) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }
}
