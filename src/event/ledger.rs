//! What is known of a service between cycles. The configuration says what should be; this says what is.

use std::collections::HashMap;

use super::recent::Recent;
use super::track::Track;
use crate::base::baselines::Baselines;
use crate::base::cron::Minute;
use crate::base::process::Pid;
use crate::base::program::Purpose;
use crate::base::schedule::Backoff;
use crate::base::time::{Mono, Wall};
use crate::check::Memory;
use crate::config::{OnReboot, Service};
use crate::facts::process::Entry;

/// Whether a service is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// No.
    Off,
    /// Yes, but not judged yet.
    Init,
    /// Yes.
    On,
}

/// How far the starts of a service by rules are spaced out by now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// So many came in a row.
    pub starts: u32,
    /// The next one may not come before.
    pub next: Mono,
    /// One had to wait for that, which was told.
    pub waits: bool,
}

impl Pace {
    /// Whether a start has to wait.
    pub fn holds(&self, now: Mono) -> bool {
        self.starts > 0 && now < self.next
    }

    /// A start by a rule begins. One that comes when the longest delay has passed since it was allowed is the first of a
    /// new row.
    pub fn start(&mut self, backoff: Backoff, now: Mono) {
        let is_first = now >= self.next.plus(backoff.longest);
        let starts = if is_first { 1 } else { self.starts.saturating_add(1) };
        *self = Pace { starts, next: now.plus(backoff.delay(starts)), waits: false };
    }
}

/// A service is not watched for a while only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Until then, on the monotonic clock of this boot.
    pub until: Mono,
    /// Because of a service it depends on, with which it comes back.
    pub along: bool,
}

/// The run state of one service.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Whether it is watched.
    pub monitor: Monitor,
    /// Passed over in this cycle: `every`, or something it depends on is not up.
    pub waiting: bool,
    /// Cycles since the last check, for `every`.
    pub skipped: u32,
    /// Up to which minute of the wall clock its schedule is done with; `None` while it is not watched, and before the first
    /// look.
    pub scheduled: Option<Minute>,
    /// One per rule of the configuration, in the same order.
    pub rules: Vec<Track>,
    /// Whether its facts could be read.
    pub data: Track,
    /// Whether its programs do what they should.
    pub exec: Track,
    /// Whether a restart limit struck.
    pub timeout: Track,
    /// The live process, as seen last.
    pub process: Option<Entry>,
    /// Of what is no process: whether what depends on it may run, as the last look found.
    pub lives: bool,
    /// What its checks remember of the last look.
    pub memory: Memory,
    /// Why its process was not found, as told last; so that it is told once.
    pub absence: Option<String>,
    /// Starts and restarts by rules since the count began.
    pub restarts: u32,
    /// Checks since the first of these.
    pub restart_cycles: u32,
    /// When it was judged last.
    pub collected: Option<Wall>,
    /// A user has restarted it since it was judged last.
    pub restarted: bool,
    /// It was stopped because of something it depends on, and comes back with that.
    pub taken_along: bool,
    /// Starts by rules, when they are spaced out.
    pub pace: Pace,
    /// Set while it is not watched for a time that ends by itself.
    pub absence_ends: Option<Absence>,
    /// A start or restart program that outlived its timeout and still runs: no other is started beside it.
    pub overdue: Option<Pid>,
    /// That an action had to wait for such a program was told.
    pub overdue_told: bool,
    /// What happened last.
    pub recent: Recent,
    /// Why the last action failed; empty after one that did not.
    pub last_failure: Option<String>,
}

impl Ledger {
    /// Of a service nothing is known about.
    pub fn new(service: &Service) -> Ledger {
        Ledger {
            monitor: Monitor::Init,
            waiting: false,
            skipped: 0,
            scheduled: None,
            rules: vec![Track::default(); service.rules.len()],
            data: Track::default(),
            exec: Track::default(),
            timeout: Track::default(),
            process: None,
            lives: true,
            memory: Memory::default(),
            absence: None,
            restarts: 0,
            restart_cycles: 0,
            collected: None,
            restarted: false,
            taken_along: false,
            pace: Pace::default(),
            absence_ends: None,
            overdue: None,
            overdue_told: false,
            recent: Recent::default(),
            last_failure: None,
        }
    }

    /// The same service in a new configuration: everything is kept; a rule keeps its history when its text is the same.
    pub fn carried_over(mut self, old: &Service, new: &Service) -> Ledger {
        let mut tracks: HashMap<String, Vec<Track>> = HashMap::new();
        for (rule, track) in old.rules.iter().zip(self.rules).rev() {
            tracks.entry(rule.text()).or_default().push(track);
        }
        self.rules =
            new.rules.iter().map(|rule| tracks.get_mut(&rule.text()).and_then(Vec::pop).unwrap_or_default()).collect();
        if !same_target(old, new) {
            self.process = None;
            self.lives = true;
            self.memory = Memory::default();
            self.absence = None;
        }
        // A reload is how people say that a file is as it should be, in the original too.
        self.memory.path.expected.clear();
        if old.cron != new.cron {
            self.scheduled = None;
        }
        self
    }

    /// What a state file says of the service.
    pub fn restore(&mut self, service: &Service, saved: &Saved, past: Past) {
        let same_boot = past != Past::OtherBoot;
        let keep = same_boot || service.onreboot == OnReboot::LastState;
        self.monitor = match (keep, service.onreboot) {
            (true, _) if !saved.monitored => Monitor::Off,
            (false, OnReboot::NoStart) => Monitor::Off,
            _ => Monitor::Init,
        };
        if same_boot {
            self.restarts = saved.restarts;
            self.restart_cycles = saved.restart_cycles;
            // Who is still watched was to be stopped for a while only, and is judged again.
            self.taken_along = saved.taken_along && !saved.monitored;
            self.pace = saved.pace;
            self.absence_ends = saved.absence_ends.filter(|_| self.monitor == Monitor::Off);
        } else if saved.absence_ends.is_some() && service.onreboot == OnReboot::LastState {
            // Its clock is no more; it must not be left alone for ever.
            self.monitor = Monitor::Init;
        }
        self.scheduled = saved.scheduled;
        self.memory.take_back(service.service_type(), &saved.baselines);
        // Of rules with the same text each gets back its own.
        let mut tracks: HashMap<&str, Vec<&Track>> = HashMap::new();
        for (key, track) in saved.tracks.iter().rev() {
            tracks.entry(key).or_default().push(track);
        }
        let mut take = |key: &str, into: &mut Track| {
            if let Some(track) = tracks.get_mut(key).and_then(Vec::pop) {
                *into = track.clone();
                if past != Past::Recent {
                    into.lapse(past == Past::OtherBoot);
                }
            }
        };
        for (rule, track) in service.rules.iter().zip(&mut self.rules) {
            take(&rule.text(), track);
        }
        for (key, track) in OWN.into_iter().zip([&mut self.data, &mut self.exec, &mut self.timeout]) {
            take(key, track);
        }
    }

    /// The histories of all rules that have one, each under its rule's text, and the service's own.
    pub fn tracks(&self, service: &Service) -> Vec<(String, Track)> {
        let rules = service.rules.iter().zip(&self.rules);
        let rules = rules.filter(|(_, track)| track.save().is_some()).map(|(rule, track)| (rule.text(), track.clone()));
        let own = OWN.into_iter().zip([&self.data, &self.exec, &self.timeout]);
        let own = own.filter(|(_, track)| track.save().is_some()).map(|(key, track)| (key.to_owned(), track.clone()));
        rules.chain(own).collect()
    }

    /// The service was started anew: no window of a rule reaches back behind that.
    pub fn clear_windows(&mut self) {
        self.rules.iter_mut().for_each(Track::forget);
    }

    /// No rule is owed a start or restart any longer.
    pub fn settle_rules(&mut self) {
        self.rules.iter_mut().for_each(Track::settle);
    }

    /// Forgets the restarts counted so far.
    pub fn clear_restarts(&mut self) {
        self.restarts = 0;
        self.restart_cycles = 0;
    }
}

/// What stands for a service's own tracks among the texts of rules, which begin otherwise.
const OWN: [&str; 3] = ["data", "exec", "timeout"];

/// How a state file stands to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Past {
    /// Written a few cycles ago at most: everything goes on.
    Recent,
    /// Written since the machine booted, but much may have happened unseen: rates begin anew.
    Earlier,
    /// Written before the machine was booted.
    OtherBoot,
}

/// Whether two services watch the same thing.
pub fn same_target(old: &Service, new: &Service) -> bool {
    old.kind == new.kind
}

/// What the state file keeps of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Whether it was watched.
    pub monitored: bool,
    /// See [`Ledger::restarts`].
    pub restarts: u32,
    /// See [`Ledger::restart_cycles`].
    pub restart_cycles: u32,
    /// See [`Ledger::taken_along`].
    pub taken_along: bool,
    /// See [`Ledger::pace`].
    pub pace: Pace,
    /// See [`Ledger::absence_ends`].
    pub absence_ends: Option<Absence>,
    /// What was begun, or asked for, and not done yet.
    pub goal: Option<Purpose>,
    /// A user asked for that.
    pub by_user: bool,
    /// Its start program has ended, but the process was not seen yet: the purpose of the program, and until when the
    /// process may take, on the monotonic clock of that boot.
    pub appearing: Option<(Purpose, Mono)>,
    /// The process it was, so that a title that changed since does not lose it.
    pub process: Option<crate::base::process::Identity>,
    /// See [`Ledger::scheduled`].
    pub scheduled: Option<Minute>,
    /// See [`Ledger::tracks`].
    pub tracks: Vec<(String, Track)>,
    /// What its checks compare with: see [`Memory::keep`].
    pub baselines: Baselines,
}
