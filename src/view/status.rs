//! The one picture of the daemon from which every text, table and page is written.

use std::net::SocketAddr;
use std::time::Duration;

use crate::base::event::{EventKind, EventState};
use crate::base::process::Pid;
use crate::base::time::{LocalTime, Wall};
use crate::config::{Mode, OnReboot, ServiceType};
use crate::facts::system::System;

/// The daemon and its services at one moment.
#[derive(Clone, Debug)]
pub struct Status {
    /// The daemon's id (32 hex digits); empty when it could not be stored.
    pub id: String,
    /// When the control file was loaded last.
    pub incarnation: Wall,
    /// Time since then.
    pub uptime: Duration,
    /// Time between cycles.
    pub interval: Duration,
    /// The host's name.
    pub host: String,
    /// The main control file.
    pub control_file: String,
    /// Where the page listens.
    pub listeners: Vec<SocketAddr>,
    /// In the order of the configuration.
    pub services: Vec<ServiceStatus>,
    /// What the daemon itself has to say: a state file that cannot be written, a refused reload. Empty when all is well.
    pub troubles: Vec<String>,
}

/// One service.
#[derive(Clone, Debug)]
pub struct ServiceStatus {
    /// Its name.
    pub name: String,
    /// Its type.
    pub service_type: ServiceType,
    /// Its groups.
    pub groups: Vec<String>,
    /// Whether it is watched.
    pub monitoring: Monitoring,
    /// `mode`.
    pub mode: Mode,
    /// `onreboot`.
    pub onreboot: OnReboot,
    /// Open failures and changes, in any order; empty when all is well.
    pub open: Vec<(EventKind, EventState)>,
    /// The action that is under way or waiting.
    pub pending: Option<PendingAction>,
    /// When it was judged last, in local time; `None` before the first time.
    pub collected: Option<LocalTime>,
    /// What was measured.
    pub readings: Readings,
    /// Pattern or pidfile, and the programs, for the page: label and text.
    pub settings: Vec<(&'static str, String)>,
    /// Last few lines a program of this service printed or the reason of its last failed action; empty when none.
    pub last_failure: Option<String>,
}

/// Whether a service is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitoring {
    /// No.
    NotMonitored,
    /// Yes, but it was not judged yet.
    Initializing,
    /// Yes, but not in this cycle (`every`, or a service it depends on is not up).
    Waiting,
    /// Yes.
    Monitored,
}

/// What is being done to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // named after the verbs of the command line
pub enum PendingAction {
    Restart,
    Stop,
    Start,
}

impl PendingAction {
    /// The verb.
    pub fn word(self) -> &'static str {
        match self {
            PendingAction::Restart => "restart",
            PendingAction::Stop => "stop",
            PendingAction::Start => "start",
        }
    }
}

/// Readings by type.
#[derive(Clone, Debug, PartialEq)]
pub enum Readings {
    /// Nothing measured: unmonitored, initializing, or gone.
    None,
    /// Of a process.
    Process(ProcessReadings),
    /// Of the system.
    System(System),
}

/// What is known of a live process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessReadings {
    /// Its number.
    pub pid: Pid,
    /// Its parent's number.
    pub parent: Option<Pid>,
    /// Real user id.
    pub uid: Option<u32>,
    /// Effective user id.
    pub euid: Option<u32>,
    /// Real group id.
    pub gid: Option<u32>,
    /// Time since it started.
    pub uptime: Option<Duration>,
}
