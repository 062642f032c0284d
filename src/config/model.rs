//! The configuration as the rest of the program sees it. Built once per load and never changed; what happens at run time
//! lives in the engine's ledger.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::cron::Schedule;
pub use crate::base::logging::{Facility, LogTarget};
use crate::base::schedule::{Backoff, Every, Rate};
pub use crate::syntax::statement::PasswordKind;

mod network;
mod notice;
mod test;

pub use network::*;
pub use notice::*;
pub use test::*;

/// A whole control file with its includes, resolved and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The main control file, absolute.
    pub control_file: PathBuf,
    /// The `set` statements.
    pub settings: Settings,
    /// All services, each behind everything it depends on; otherwise in the order of the file. The system service is
    /// among them: added with the host's name when the file has none.
    pub services: Vec<Service>,
    /// The same in the order of the file, which is how people are shown them.
    pub listed: Vec<ServiceId>,
    /// What this release understands but does not run, each with its words and its place, in the order of the files. A daemon
    /// must not be started with any of it: nothing that a control file asks for is silently left out.
    pub unbuilt: Vec<(Place, String)>,
}

/// Place of a service in [`Config::services`]; valid for that configuration only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(pub usize);

/// What the `set` statements say. `None` means the file is silent and the built-in default applies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// `set daemon N`: time from the start of one cycle to the start of the next.
    pub interval: Option<Duration>,
    /// `start delay N`: wait before the first cycle after a boot of the machine; 0: never wait.
    pub start_delay: Option<Duration>,
    /// `set init`: stay in the foreground.
    pub foreground: bool,
    /// `set terminal batch`: plain tables.
    pub batch: bool,
    /// `set log`.
    pub log: Option<LogTarget>,
    /// `set pidfile`.
    pub pidfile: Option<PathBuf>,
    /// `set idfile`.
    pub idfile: Option<PathBuf>,
    /// `set statefile`.
    pub statefile: Option<PathBuf>,
    /// `set httpd`.
    pub httpd: Option<Httpd>,
    /// `set limits`, as it stands at the end of the file.
    pub limits: Limits,
    /// `set alert`.
    pub alerts: Vec<Alert>,
    /// `set mail-format`.
    pub mail_format: MailFormat,
    /// `set mailserver`.
    pub mail: Option<Mail>,
    /// `set eventqueue`.
    pub event_queue: Option<EventQueue>,
    /// `set mmonit`.
    pub collectors: Vec<Collector>,
    /// `set ssl`.
    pub tls: Option<Tls>,
    /// `set fips`.
    pub fips: bool,
    /// `set environment`: variables of all programs, each name once.
    pub environment: Vec<Variable>,
}

/// One variable of `set environment`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Letters, digits and underscores.
    pub name: String,
    /// Its value, which may be a secret.
    pub value: Secret,
}

/// Buffer sizes and default timeouts (`set limits`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes kept of a check program's output.
    pub program_output: usize,
    /// Bytes of an answer that an `expect` sees.
    pub send_expect_buffer: usize,
    /// Bytes of a line that a content test sees.
    pub file_content_buffer: usize,
    /// Bytes of an HTTP body that a content test sees.
    pub http_content_buffer: usize,
    /// Default timeout of network tests.
    pub network_timeout: Duration,
    /// Default timeout of check programs.
    pub program_timeout: Duration,
    /// Default timeout of stop programs.
    pub stop_timeout: Duration,
    /// Default timeout of start programs.
    pub start_timeout: Duration,
    /// Default timeout of restart programs.
    pub restart_timeout: Duration,
    /// Default timeout of the programs of `exec`; `None`: for ever.
    pub exec_timeout: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            program_output: 512,
            send_expect_buffer: 256,
            file_content_buffer: 512,
            http_content_buffer: 1024 * 1024,
            network_timeout: Duration::from_secs(5),
            program_timeout: Duration::from_secs(300),
            stop_timeout: Duration::from_secs(30),
            start_timeout: Duration::from_secs(30),
            restart_timeout: Duration::from_secs(30),
            exec_timeout: None,
        }
    }
}

/// `set httpd`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Httpd {
    /// TCP port of the page; `None` when the file gives no port.
    pub port: Option<u16>,
    /// `address`: where to listen; `None` means every address of both families.
    pub address: Option<String>,
    /// `read-only` after the port: nobody can act through it.
    pub read_only: bool,
    /// `signature disable` hides the version.
    pub signature: Signature,
    /// Who may connect.
    pub allow: Vec<AllowHost>,
    /// Who may log in. Empty: no authentication.
    pub credentials: Vec<Credential>,
    /// `unixsocket`.
    pub socket: Option<HttpdSocket>,
    /// `ssl`.
    pub tls: Option<Tls>,
    /// `allow` of password files.
    pub password_files: Vec<PasswordFile>,
    /// `allow @GROUP`.
    pub groups: Vec<AllowGroup>,
}

impl Httpd {
    /// Whether the port is encrypted: `allowselfcertification` alone asks for nothing.
    pub fn encrypts(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| !tls.files.is_empty())
    }
}

/// `unixsocket PATH`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpdSocket {
    /// The path.
    pub path: PathBuf,
    /// Its owner.
    pub uid: Option<User>,
    /// Its group.
    pub gid: Option<Group>,
    /// Its permission bits.
    pub permission: Option<u32>,
    /// Nobody can act through it.
    pub read_only: bool,
}

/// `allow [md5] PATH [USER …]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordFile {
    /// How it holds passwords.
    pub kind: PasswordKind,
    /// The file.
    pub path: PathBuf,
    /// Those of its users that may come in; empty: all.
    pub users: Vec<String>,
}

/// `allow @GROUP`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowGroup {
    /// The group's name.
    pub group: String,
    /// May look, may not act.
    pub read_only: bool,
}

/// Whether answers carry the version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// `Server: pollux/…`.
    #[default]
    Shown,
    /// `Server: pollux`.
    Hidden,
}

/// One `allow` of a host or network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowHost {
    /// An address with a prefix length in bits (32 or 128 for a single address).
    Network {
        /// The network's address.
        address: std::net::IpAddr,
        /// Leading bits that must agree.
        prefix: u8,
    },
    /// A name, resolved while the daemon runs.
    Name(String),
}

/// A text that is never shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(
    /// The text.
    pub String,
);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// One `allow user:password`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The user's name.
    pub user: String,
    /// The password in clear text; never shown.
    pub password: String,
    /// May look, may not act.
    pub read_only: bool,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential({}, read_only: {})", self.user, self.read_only)
    }
}

/// One `check` block.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Unique without regard to case.
    pub name: String,
    /// What is checked.
    pub kind: Kind,
    /// `group` statements.
    pub groups: Vec<String>,
    /// `depends on`: what must be up before this service.
    pub depends: Vec<ServiceId>,
    /// `every`.
    pub every: Every,
    /// `mode`.
    pub mode: Mode,
    /// `onreboot`, with the global default filled in.
    pub onreboot: OnReboot,
    /// `start program`.
    pub start: Option<Program>,
    /// `stop program`.
    pub stop: Option<Program>,
    /// `restart program`.
    pub restart: Option<Program>,
    /// `backoff`, with the global default filled in; `None`: rules start it as often as they like.
    pub backoff: Option<Backoff>,
    /// Tests in the order written; implicit ones first.
    pub rules: Vec<Rule>,
    /// `if N restarts within M cycles`.
    pub restart_limits: Vec<RestartLimit>,
    /// `every "CRON"` and `not every "CRON"`.
    pub cron: Option<Cron>,
    /// `ignore`.
    pub ignore: Vec<Content>,
    /// `alert`.
    pub alerts: Vec<Alert>,
    /// `noalert`: who is not told although `set alert` says so.
    pub no_alerts: Vec<String>,
    /// Where the block begins.
    pub place: Place,
}

impl Service {
    /// The kind's number in XML and its title in texts.
    pub fn service_type(&self) -> ServiceType {
        self.kind.service_type()
    }
}

impl Kind {
    /// The type of a service that checks this.
    pub fn service_type(&self) -> ServiceType {
        match self {
            Kind::Process(_) => ServiceType::Process,
            Kind::System => ServiceType::System,
            Kind::File(_) => ServiceType::File,
            Kind::Fifo(_) => ServiceType::Fifo,
            Kind::Directory(_) => ServiceType::Directory,
            Kind::Filesystem(_) => ServiceType::Filesystem,
            Kind::Host(_) => ServiceType::Host,
            Kind::Network(_) => ServiceType::Network,
            Kind::Program(_) => ServiceType::Program,
        }
    }
}

/// `every "CRON"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    /// `not every`.
    pub not: bool,
    /// When.
    pub schedule: Schedule,
}

/// A place in a control file, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Its line, counted from 1; 0 for what no file says.
    pub line: u32,
}

/// What a service checks.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `check process`.
    Process(ProcessTarget),
    /// `check system`, or the one that is always there.
    System,
    /// `check file`.
    File(PathBuf),
    /// `check fifo`.
    Fifo(PathBuf),
    /// `check directory`.
    Directory(PathBuf),
    /// `check filesystem`: a device, a mount point, a file on it, or a connection string.
    Filesystem(String),
    /// `check host`: an address or name.
    Host(String),
    /// `check network`.
    Network(NetworkTarget),
    /// `check program`.
    Program(Program),
}

/// How a network link is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkTarget {
    /// By the name of its interface.
    Interface(String),
    /// By its address.
    Address(String),
}

/// The nine types as interfaces name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each is named after its statement
pub enum ServiceType {
    Filesystem = 0,
    Directory = 1,
    File = 2,
    Process = 3,
    Host = 4,
    System = 5,
    Fifo = 6,
    Program = 7,
    Network = 8,
}

impl ServiceType {
    /// The title in status texts and the `Type` column.
    pub fn title(self) -> &'static str {
        match self {
            ServiceType::Filesystem => "Filesystem",
            ServiceType::Directory => "Directory",
            ServiceType::File => "File",
            ServiceType::Process => "Process",
            ServiceType::Host => "Remote Host",
            ServiceType::System => "System",
            ServiceType::Fifo => "Fifo",
            ServiceType::Program => "Program",
            ServiceType::Network => "Network",
        }
    }

    /// The order in which the summary groups types.
    pub const DISPLAY_ORDER: [ServiceType; 9] = [
        ServiceType::System,
        ServiceType::Process,
        ServiceType::File,
        ServiceType::Fifo,
        ServiceType::Directory,
        ServiceType::Filesystem,
        ServiceType::Host,
        ServiceType::Network,
        ServiceType::Program,
    ];
}

/// How a process is found.
#[derive(Clone, Debug, PartialEq)]
pub enum ProcessTarget {
    /// By the number in a file.
    Pidfile {
        /// The file.
        path: PathBuf,
        /// What its command line must match; without it any will do.
        pattern: Option<Pattern>,
        /// Whose it must be, by the effective user id; without it anybody's.
        user: Option<User>,
        /// Where it must run; without it anywhere.
        jail: Option<Jail>,
    },
    /// By its command line.
    Matching {
        /// What that must match.
        pattern: Pattern,
        /// Whose it must be, by the effective user id; without it anybody's.
        user: Option<User>,
        /// Where it must run; without it anywhere.
        jail: Option<Jail>,
    },
}

impl ProcessTarget {
    /// Where the process must run.
    pub fn jail(&self) -> Option<&Jail> {
        let (ProcessTarget::Pidfile { jail, .. } | ProcessTarget::Matching { jail, .. }) = self;
        jail.as_ref()
    }
}

/// `in jail`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Jail {
    /// `in jail host`: where this program itself runs.
    Host,
    /// `in jail NAME`: a jail by its name or number.
    Named(String),
}

impl Jail {
    /// The jail that has rc.d scripts of its own. A service jail (`svcj-NAME`) has not: it is a service of the host.
    pub fn below(&self) -> Option<&str> {
        match self {
            Jail::Named(name) if !name.starts_with("svcj-") => Some(name),
            Jail::Host | Jail::Named(_) => None,
        }
    }

    /// As the control file has it.
    pub fn name(&self) -> &str {
        match self {
            Jail::Host => "host",
            Jail::Named(name) => name,
        }
    }
}

/// A POSIX extended regular expression, compiled.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// As the control file has it.
    pub source: String,
    /// The same meaning for the regex crate; matches anywhere in the bytes.
    pub regex: regex::bytes::Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

/// `mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Rules may start, stop and restart.
    #[default]
    Active,
    /// Rules only alert, execute and unmonitor.
    Passive,
}

/// `onreboot`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnReboot {
    /// Monitored after a boot.
    #[default]
    Start,
    /// Not monitored after a boot.
    NoStart,
    /// As it was.
    LastState,
}

/// A program with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Path and arguments; never empty; executed without a shell and without a search through PATH.
    pub argv: Vec<OsString>,
    /// `as uid`.
    pub uid: Option<User>,
    /// `as gid`.
    pub gid: Option<Group>,
    /// How long it may take; `None`: for ever.
    pub timeout: Option<Duration>,
}

impl Program {
    /// The command line as logs and status texts show it: words joined by blanks.
    pub fn command_line(&self) -> String {
        let words: Vec<_> = self.argv.iter().map(|w| w.to_string_lossy()).collect();
        words.join(" ")
    }
}

/// A user a program runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub uid: u32,
    /// Its name, when the system has one.
    pub name: Option<String>,
}

/// A group a program runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its number.
    pub gid: u32,
    /// Its name, when the system has one.
    pub name: Option<String>,
}

/// One `if … then … else …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What is tested.
    pub test: Test,
    /// What happens when it fails.
    pub failure: Reaction,
    /// What happens when it passes again.
    pub recovery: Reaction,
}

/// An action and how often its condition must hold before it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The rate.
    pub rate: Rate,
    /// The action.
    pub action: Action,
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing, not even an alert.
    Ignore,
    /// Tell people.
    Alert,
    /// Restart the service.
    Restart,
    /// Start the service.
    Start,
    /// Stop the service and its monitoring.
    Stop,
    /// End its monitoring.
    Unmonitor,
    /// End its monitoring for so long.
    UnmonitorFor(Duration),
    /// Run a program.
    Exec(Exec),
}

impl Action {
    /// The word for it in messages.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Ignore => "ignore",
            Action::Alert => "alert",
            Action::Restart => "restart",
            Action::Start => "start",
            Action::Stop => "stop",
            Action::Unmonitor | Action::UnmonitorFor(_) => "unmonitor",
            Action::Exec(_) => "exec",
        }
    }
}

/// `exec "…"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// The program.
    pub program: Program,
    /// `repeat every N cycles`: run again when the failure has been seen a multiple of N times.
    pub repeat: Option<u32>,
}

/// `if N restarts within M cycles then ACTION`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartLimit {
    /// N.
    pub restarts: u32,
    /// M; at least N.
    pub cycles: u32,
    /// What is done; `timeout` in the file is [`Action::Unmonitor`].
    pub action: Action,
}
