//! The one picture of the daemon from which every text, table and page is written.

use std::time::Duration;

use crate::base::event::{EventKind, EventState};
use crate::base::time::{LocalTime, Wall};
use crate::check::process::Usage;
use crate::config::{Hash, Mode, OnReboot, ServiceType};
use crate::facts::file::FileFacts;
use crate::facts::filesystem::{DiskRates, FilesystemFacts};
use crate::facts::network::{LinkFacts, LinkRates};
use crate::facts::observation::{LocalTimes, ProgramRun};
use crate::facts::system::{CpuShare, Platform, SystemFacts};
use crate::facts::usage::ProcessFacts;

pub use super::connection::ConnectionReading;

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
    /// What the machine is called: the name of its `check system`.
    pub host: String,
    /// When the machine was booted, in local time.
    pub boot: Option<LocalTime>,
    /// The main control file.
    pub control_file: String,
    /// `start delay`.
    pub start_delay: Duration,
    /// Where the page is, as the control file says; `None` without `set httpd`.
    pub front: Option<Front>,
    /// What kind of system this is.
    pub platform: Platform,
    /// Processors in use.
    pub cpus: Option<u32>,
    /// Physical memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Swap space in bytes.
    pub swap_bytes: Option<u64>,
    /// Files of the daemon, for the page: label and path.
    pub files: Vec<(&'static str, String)>,
    /// In the order of the configuration; of [`Detail::One`] that service alone.
    pub services: Vec<ServiceStatus>,
    /// What the daemon itself has to say: a state file or log that cannot be written, a refused reload. Empty when all is well.
    pub troubles: Vec<String>,
}

/// Where the page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Front {
    /// `port N`.
    Tcp {
        /// `address`; the loopback's when the control file names none.
        address: String,
        /// The port.
        port: u16,
        /// Encrypted.
        tls: bool,
    },
    /// `unixsocket PATH`.
    Socket(String),
}

/// When a service is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// In each cycle.
    #[default]
    Cycle,
    /// `every N cycles`.
    Cycles {
        /// Cycles since the last check.
        skipped: u32,
        /// N.
        number: u32,
    },
    /// `every "…"` and `not every "…"`.
    Cron {
        /// `not every`.
        not: bool,
        /// The five fields.
        text: String,
    },
}

/// How a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its failure is open.
    Failed,
    /// The last look found a change.
    Changed,
    /// What it asks for is not known.
    Unknown,
    /// Neither.
    Well,
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
    /// It is not monitored until then, in local time.
    pub absent_until: Option<LocalTime>,
    /// How long its next start by a rule has to wait.
    pub next_start: Option<Duration>,
    /// It was judged since it is watched.
    pub is_judged: bool,
    /// A user has restarted it since.
    pub is_restarted: bool,
    /// When it is checked.
    pub schedule: Schedule,
    /// When it was judged last, in local time; `None` before the first time.
    pub collected: Option<LocalTime>,
    /// The same on the clock of the world.
    pub collected_at: Option<Wall>,
    /// What was measured.
    pub readings: Readings,
    /// The connections that its rules test.
    pub connections: Vec<ConnectionReading>,
    /// What the control file says of it, for its page: label and text. Only of [`Detail::One`].
    pub settings: Vec<(&'static str, String)>,
    /// Its rules in the order of the configuration, for its page. Only of [`Detail::One`].
    pub rules: Vec<(String, Standing)>,
    /// What happened last, latest first: when, in local time, and the message. Of
    /// [`Detail::Overview`] no more than the last that told of a failure or a change, of
    /// [`Detail::State`] none.
    pub events: Vec<(LocalTime, String)>,
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
    Process(Box<ProcessReadings>),
    /// Of the machine.
    System(Box<SystemReadings>),
    /// Of a network interface.
    Link(Box<LinkReadings>),
    /// Of a check program that has ended.
    Program(ProgramRun),
    /// Of a file, a FIFO or a directory.
    Path(Box<PathReadings>),
    /// Of a filesystem.
    Filesystem(Box<FilesystemReadings>),
}

/// What is known of a live process.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessReadings {
    /// As the system shows it.
    pub facts: ProcessFacts,
    /// What it uses, between two looks or since it started.
    pub usage: Usage,
    /// Physical memory of the machine in bytes.
    pub memory_bytes: Option<u64>,
}

/// What is known of the machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SystemReadings {
    /// As the system shows it.
    pub facts: SystemFacts,
    /// How its processors spent their time between the last two looks.
    pub share: CpuShare,
}

/// What is known of a network interface.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkReadings {
    /// As the system shows it.
    pub facts: LinkFacts,
    /// What it did between the last two looks.
    pub rates: LinkRates,
}

/// How much a reader wants to know; a picture shows no less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail<'a> {
    /// Which services there are and how they stand, without readings.
    State,
    /// The same with the readings that cost little.
    Overview,
    /// All readings.
    Full,
    /// All that is known of the service of that name, whose letters count without regard to case, and no other.
    One(&'a str),
}

impl Detail<'_> {
    /// Whether readings of every service belong to it, which may take long.
    pub fn has_readings_of_all(&self) -> bool {
        matches!(self, Detail::Overview | Detail::Full)
    }
}

/// What is known of a path that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathReadings {
    /// What stat(2) says.
    pub facts: FileFacts,
    /// Its times in the local time zone.
    pub local: Option<LocalTimes>,
    /// Of a file with rules on its content: whether what was written last matched one.
    pub matched: Option<bool>,
    /// Its checksums, of the kinds that rules ask for.
    pub checksums: Vec<(Hash, String)>,
}

/// What is known of a filesystem that is mounted.
#[derive(Clone, Debug, PartialEq)]
pub struct FilesystemReadings {
    /// What it says of itself.
    pub facts: FilesystemFacts,
    /// What stat(2) says of its mount point.
    pub mount_point: Option<FileFacts>,
    /// What its disk did between the last two looks.
    pub rates: DiskRates,
}

/// A picture with one service of each condition, for the tests of this layer and the layers below.
#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::base::process::{Identity, Pid, StartTime};

    fn at(hour: u8, minute: u8, second: u8) -> LocalTime {
        LocalTime { year: 2026, month: 11, day: 22, hour, minute, second, weekday: 0, offset: 0 }
    }

    /// A process that runs and is well.
    pub(crate) fn process(name: &str) -> ServiceStatus {
        ServiceStatus {
            name: name.to_owned(),
            service_type: ServiceType::Process,
            groups: Vec::new(),
            monitoring: Monitoring::Monitored,
            mode: Mode::Active,
            onreboot: OnReboot::Start,
            open: Vec::new(),
            pending: None,
            absent_until: None,
            next_start: None,
            is_judged: true,
            is_restarted: false,
            schedule: Schedule::Cycle,
            collected: Some(at(21, 52, 26)),
            collected_at: Some(Wall::from_epoch(Duration::new(1_795_384_346, 289_864_000))),
            connections: Vec::new(),
            rules: vec![("If doesn't exist then restart".to_owned(), Standing::Well)],
            readings: Readings::Process(Box::new(ProcessReadings {
                facts: ProcessFacts {
                    parent: Pid::new(1),
                    uid: Some(0),
                    gid: Some(0),
                    uptime: Some(Duration::from_secs(65 * 60)),
                    threads: Some(5),
                    resident_bytes: Some(8 << 20),
                    ..ProcessFacts::unknown(Identity {
                        pid: Pid::new(5632).unwrap(),
                        start: StartTime::from_boot(Duration::from_secs(60)),
                    })
                },
                usage: Usage { cpu_percent: Some(0.25), ..Usage::default() },
                memory_bytes: Some(1 << 30),
            })),
            settings: vec![("Start program", "/usr/sbin/service x start".to_owned())],
            events: vec![(at(21, 40, 7), "start action done".to_owned())],
            last_failure: None,
        }
    }

    /// One service of each condition.
    pub(crate) fn status() -> Status {
        let alive = ServiceStatus { groups: vec!["web".to_owned()], ..process("alive") };
        let system = ServiceStatus {
            service_type: ServiceType::System,
            readings: Readings::System(Box::new(SystemReadings {
                facts: SystemFacts {
                    load: Some([0.19, 0.12, 0.09]),
                    uptime: Some(Duration::from_secs(17 * 60)),
                    ..SystemFacts::default()
                },
                share: CpuShare { user: Some(1.5), system: Some(0.5), ..CpuShare::default() },
            })),
            ..process("myhost")
        };
        let none = |name| ServiceStatus { readings: Readings::None, ..process(name) };
        let dead = ServiceStatus {
            open: vec![(EventKind::NonExist, EventState::Failed)],
            mode: Mode::Passive,
            onreboot: OnReboot::NoStart,
            last_failure: Some("first line\nsecond \u{1b}line".to_owned()),
            ..none("deadsvc")
        };
        let unmonitored = ServiceStatus { monitoring: Monitoring::NotMonitored, is_judged: false, ..none("unm") };
        let slow = ServiceStatus {
            monitoring: Monitoring::Initializing,
            pending: Some(PendingAction::Start),
            is_judged: false,
            collected: None,
            collected_at: None,
            ..none("slow")
        };
        let lazy = ServiceStatus { monitoring: Monitoring::Waiting, groups: vec!["Web".to_owned()], ..process("lazy") };
        let file = ServiceStatus {
            service_type: ServiceType::File,
            open: vec![(EventKind::Uid, EventState::Failed), (EventKind::Permission, EventState::Failed)],
            ..none("passwd")
        };
        Status {
            id: "58a7df9504d4e52837bafda2e78fe6f3".to_owned(),
            incarnation: Wall::default(),
            uptime: Duration::from_secs(16 * 60),
            interval: Duration::from_secs(30),
            host: "myhost".to_owned(),
            boot: Some(at(21, 34, 37)),
            control_file: "/usr/local/etc/monitrc".to_owned(),
            start_delay: Duration::ZERO,
            front: Some(Front::Tcp { address: "127.0.0.1".to_owned(), port: 2812, tls: false }),
            platform: Platform {
                system: "FreeBSD".to_owned(),
                release: "15.0-RELEASE".to_owned(),
                version: "FreeBSD 15.0-RELEASE GENERIC".to_owned(),
                machine: "amd64".to_owned(),
                host: "myhost".to_owned(),
            },
            cpus: Some(2),
            memory_bytes: Some(1 << 30),
            swap_bytes: Some(0),
            files: vec![("log file", "/var/log/<monit>.log".to_owned())],
            services: vec![
                file,
                alive,
                dead,
                unmonitored,
                slow,
                lazy,
                process("name-of-thirty-two-characters-xx"),
                system,
            ],
            troubles: vec!["cannot write the state file: <no space>".to_owned()],
        }
    }
}
