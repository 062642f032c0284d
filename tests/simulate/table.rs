//! The table of states and events: how often each event has met a service in each state.

use std::fmt;

use pollux::action::Engine;
use pollux::config::ServiceId;
use pollux::event::ledger::Monitor;

/// Whether a service is watched: no, yes but not judged yet, yes.
const MONITORS: [&str; 3] = ["off", "init", "on"];

/// How far the action of a service is.
const STAGES: [&str; 9] = [
    "idle",
    "dependants",
    "look before stop",
    "stopping",
    "going",
    "parents",
    "look before start",
    "starting",
    "appearing",
];

/// What can happen to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    SeenRunning,
    SeenGone,
    SeenUnknown,
    PassedOver,
    LookedRunning,
    LookedGone,
    LookedUnknown,
    LookedLate,
    LookDue,
    StartEnded,
    StartFailed,
    StartRefused,
    StartOverdue,
    StartNotRun,
    LateStartEnded,
    StopEnded,
    StopFailed,
    StopTimedOut,
    StopNotRun,
    CommandStart,
    CommandStop,
    CommandRestart,
    CommandMonitor,
    CommandUnmonitor,
    CommandUnmonitorFor,
    Reload,
    ReloadChanged,
    ReloadRemoved,
    Killed,
    Reboot,
}

pub const EVENTS: [(Event, &str); 30] = [
    (Event::SeenRunning, "seen running"),
    (Event::SeenGone, "seen gone"),
    (Event::SeenUnknown, "seen unknown"),
    (Event::PassedOver, "passed over in a cycle"),
    (Event::LookedRunning, "looked: running"),
    (Event::LookedGone, "looked: gone"),
    (Event::LookedUnknown, "looked: unknown"),
    (Event::LookedLate, "looked, too late"),
    (Event::LookDue, "next look due"),
    (Event::StartEnded, "start program ended well"),
    (Event::StartFailed, "start program failed"),
    (Event::StartRefused, "start program refused"),
    (Event::StartOverdue, "start program past its timeout"),
    (Event::StartNotRun, "start program cannot be run"),
    (Event::LateStartEnded, "late start program ended"),
    (Event::StopEnded, "stop program ended well"),
    (Event::StopFailed, "stop program failed"),
    (Event::StopTimedOut, "stop program timed out"),
    (Event::StopNotRun, "stop program cannot be run"),
    (Event::CommandStart, "command start"),
    (Event::CommandStop, "command stop"),
    (Event::CommandRestart, "command restart"),
    (Event::CommandMonitor, "command monitor"),
    (Event::CommandUnmonitor, "command unmonitor"),
    (Event::CommandUnmonitorFor, "command unmonitor for"),
    (Event::Reload, "reload, unchanged"),
    (Event::ReloadChanged, "reload, changed"),
    (Event::ReloadRemoved, "reload, removed"),
    (Event::Killed, "daemon killed and restarted"),
    (Event::Reboot, "reboot"),
];

/// A row: monitor and stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State(usize, usize);

impl State {
    /// How far the service's action is, in words.
    pub fn stage(self) -> &'static str {
        STAGES[self.1]
    }

    /// Whether the service is watched.
    pub fn is_watched(self) -> bool {
        self.0 > 0
    }

    /// The state a service is in.
    pub fn of(engine: &Engine, id: ServiceId) -> State {
        let monitor = match engine.ledger(id).monitor {
            Monitor::Off => 0,
            Monitor::Init => 1,
            Monitor::On => 2,
        };
        let word = engine.stage(id).unwrap_or(STAGES[0]);
        State(monitor, STAGES.iter().position(|stage| *stage == word).expect("a stage of the table"))
    }
}

/// The counts.
#[derive(Clone)]
pub struct Table([[[u64; EVENTS.len()]; STAGES.len()]; MONITORS.len()]);

impl Default for Table {
    fn default() -> Table {
        Table([[[0; EVENTS.len()]; STAGES.len()]; MONITORS.len()])
    }
}

/// Why an event cannot meet a service in a state; `None` when it can.
fn impossible(monitor: &str, stage: &str, event: Event) -> Option<&'static str> {
    use Event::*;
    let waits = matches!(stage, "going" | "appearing");
    let asks = matches!(stage, "look before stop" | "look before start");
    match event {
        SeenRunning | SeenGone | SeenUnknown if monitor == "off" => {
            Some("what is not watched is not looked at in a cycle")
        }
        SeenRunning | SeenGone | SeenUnknown if stage != "idle" => {
            Some("what is being started or stopped is not looked at in a cycle")
        }
        PassedOver if asks => Some("a cycle leaves out what an answer is awaited for"),
        LookedLate => Some("an action that has asked for a look goes on until it is answered"),
        LookedRunning | LookedGone | LookedUnknown if !asks && !waits => {
            Some("a look is asked for before a program runs and after it has ended")
        }
        LookDue if !waits => Some("only what has its program behind it is looked at again"),
        StartNotRun | StartOverdue if stage != "starting" => Some("only what is starting has a start program in time"),
        StopNotRun | StopEnded | StopFailed | StopTimedOut if stage != "stopping" => {
            Some("only what is stopping has a stop program")
        }
        // A start program past its timeout ends when it likes. How, matters where no other action is under way.
        StartEnded | StartFailed | StartRefused if !matches!(stage, "idle" | "starting") => {
            Some("how a late program ends is all one to another action, and is counted as one")
        }
        LateStartEnded if matches!(stage, "idle" | "starting") => Some("how a program ends is counted here"),
        _ => None,
    }
}

impl Table {
    pub fn count(&mut self, State(monitor, stage): State, event: Event) {
        self.0[monitor][stage][event as usize] += 1;
    }

    /// How often the event has met a service in that state.
    pub fn of(&self, State(monitor, stage): State, event: Event) -> u64 {
        self.0[monitor][stage][event as usize]
    }

    /// How often any event has met a service in that state.
    pub fn row(&self, State(monitor, stage): State) -> u64 {
        self.0[monitor][stage].iter().sum()
    }

    pub fn add(&mut self, other: &Table) {
        for (monitor, stages) in other.0.iter().enumerate() {
            for (stage, events) in stages.iter().enumerate() {
                for (event, count) in events.iter().enumerate() {
                    self.0[monitor][stage][event] += count;
                }
            }
        }
    }

    /// Cells: state, event, count, and why they must be empty.
    fn cells(&self) -> impl Iterator<Item = (String, &'static str, u64, Option<&'static str>)> {
        let states = (0..MONITORS.len()).flat_map(|monitor| (0..STAGES.len()).map(move |stage| (monitor, stage)));
        states.flat_map(move |(monitor, stage)| {
            EVENTS.iter().map(move |(event, words)| {
                let reason = impossible(MONITORS[monitor], STAGES[stage], *event);
                let count = self.0[monitor][stage][*event as usize];
                (format!("{}, {}", MONITORS[monitor], STAGES[stage]), *words, count, reason)
            })
        })
    }

    /// All events together.
    pub fn total(&self) -> u64 {
        self.cells().map(|cell| cell.2).sum()
    }

    /// Cells that can happen and did so less often than `least`, and cells that cannot and did.
    pub fn gaps(&self, least: u64) -> Vec<String> {
        let mut gaps = Vec::new();
        for (state, event, count, reason) in self.cells() {
            match reason {
                None if count < least => gaps.push(format!("{state} / {event}: only {count} times")),
                Some(reason) if count > 0 => {
                    gaps.push(format!("{state} / {event}: {count} times, but it cannot happen: {reason}"));
                }
                _ => {}
            }
        }
        gaps
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = String::new();
        for (state, event, count, reason) in self.cells() {
            if state != last {
                writeln!(f, "{state}")?;
                last = state;
            }
            match reason {
                None => writeln!(f, "  {event:32} {count:>9}")?,
                Some(reason) => writeln!(f, "  {event:32} {count:>9}  cannot happen: {reason}")?,
            }
        }
        Ok(())
    }
}
