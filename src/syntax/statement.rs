//! Statements as they were written: no meaning, no defaults, each part with its place.

use super::source::{Span, Spanned, Text};

mod mail;
mod network;
mod tls;

pub use mail::*;
pub use network::*;
pub use tls::*;

/// A number as written.
pub type Number = Spanned<u64>;

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// From its first to its last token.
    pub span: Span,
    /// What it says.
    pub kind: StatementKind,
}

/// The families of statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// `set …`
    Set(Set),
    /// `check …`
    Check(Check),
    /// A statement that belongs to the `check` before it.
    Service(ServiceStatement),
    /// A statement with a mistake, which was reported.
    Mistake {
        /// It stands inside a service, for what is known.
        service: bool,
    },
}

/// The `set` statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Set {
    /// `set daemon N [start delay N]`, seconds.
    Daemon {
        /// The interval.
        interval: Number,
        /// The delay.
        start_delay: Option<Number>,
    },
    /// `set init`
    Init,
    /// `set terminal batch`
    TerminalBatch,
    /// `set log PATH`
    LogFile(Text),
    /// `set log syslog [facility NAME]`
    LogSyslog {
        /// The facility's name.
        facility: Option<Text>,
    },
    /// `set pidfile PATH`
    Pidfile(Text),
    /// `set idfile PATH`
    Idfile(Text),
    /// `set statefile PATH`
    Statefile(Text),
    /// `set limits { … }`
    Limits(Vec<Limit>),
    /// `set onreboot …`
    OnReboot(OnReboot),
    /// `set backoff …`; `None`: `disable`
    Backoff(Option<Backoff>),
    /// `set httpd …`
    Httpd(Vec<HttpdOption>),
    /// `set alert …`
    Alert(Box<Alert>),
    /// `set mail-format …`
    MailFormat(Box<MailFormat>),
    /// `set mailserver …`
    MailServers(Box<MailServers>),
    /// `set eventqueue …`
    EventQueue(EventQueue),
    /// `set mmonit …`
    Collectors(Vec<Collector>),
    /// `set ssl { … }`
    Tls(Vec<TlsOption>),
    /// `set fips`
    Fips,
    /// `set environment { … }`
    Environment(Vec<Variable>),
    /// `set expectbuffer N [unit]`
    ExpectBuffer {
        /// The value.
        value: Number,
        /// Bytes of one unit.
        unit: u64,
    },
}

/// One line of `set limits`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Which limit.
    pub name: LimitName,
    /// Its value.
    pub value: Number,
    /// Bytes, or milliseconds, of one unit of the value.
    pub unit: u64,
}

/// `NAME = VALUE` in `set environment`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: Text,
    /// Its value.
    pub value: Text,
}

/// The names in `set limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum LimitName {
    ProgramOutput,
    SendExpectBuffer,
    FileContentBuffer,
    HttpContentBuffer,
    NetworkTimeout,
    ProgramTimeout,
    StopTimeout,
    StartTimeout,
    RestartTimeout,
    ExecTimeout,
}

/// What `onreboot` can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum OnReboot {
    Start,
    NoStart,
    LastState,
}

/// One option of `set httpd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpdOption {
    /// `port N [read-only]`
    Port {
        /// The port.
        port: Number,
        /// Whether `read-only` follows.
        read_only: bool,
    },
    /// `address NAME`
    Address(Text),
    /// `signature enable` (true) or `signature disable`
    Signature(bool),
    /// `allow HOST`, a name, address or network
    AllowHost(Text),
    /// `allow USER:PASSWORD [read-only]`
    AllowUser {
        /// The user.
        user: Text,
        /// The password.
        password: Text,
        /// Whether `read-only` follows.
        read_only: bool,
    },
    /// `unixsocket PATH`
    Socket(Text),
    /// `uid USER` of the socket
    SocketUid(Text),
    /// `gid GROUP` of the socket
    SocketGid(Text),
    /// `permission OCTAL` of the socket
    SocketPermission(Text),
    /// `read-only` behind the socket
    SocketReadOnly,
    /// `ssl [enable] [{ … }]`
    Tls(Vec<TlsOption>),
    /// `pemfile PATH` and `clientpemfile PATH`
    File(TlsFile, Text),
    /// `allowselfcertification`
    AllowSelfCertification,
    /// `allow [md5] PATH [USER …]`
    AllowFile {
        /// How passwords are stored.
        kind: PasswordKind,
        /// The file.
        path: Text,
        /// The users of the file that may come in; empty: all.
        users: Vec<Text>,
    },
    /// `allow @GROUP [read-only]`
    AllowGroup {
        /// The group.
        group: Text,
        /// Whether `read-only` follows.
        read_only: bool,
    },
}

/// How a file holds passwords.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum PasswordKind {
    #[default]
    ClearText,
    Md5,
    Crypt,
}

/// `check TYPE NAME …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The words in front of the name.
    pub head: Span,
    /// The service's name.
    pub name: Text,
    /// What is checked.
    pub target: Target,
    /// `using service …`
    pub using: Option<Using>,
}

/// `using service NAME [with timeout N seconds]` of `check process`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Using {
    /// What service(8) calls it.
    pub name: Text,
    /// The timeout of each of its programs.
    pub timeout: Option<Number>,
}

/// What `check` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `check process NAME pidfile PATH [matching PATTERN] [as user USER] [in jail JAIL]`
    Pidfile {
        /// The file.
        path: Text,
        /// What the command line must match.
        pattern: Option<Text>,
        /// Whose the process must be.
        user: Option<Text>,
        /// Where it must run.
        jail: Option<Text>,
    },
    /// `check process NAME matching PATTERN [as user USER] [in jail JAIL]`
    Matching {
        /// What the command line must match.
        pattern: Text,
        /// Whose the process must be.
        user: Option<Text>,
        /// Where it must run.
        jail: Option<Text>,
    },
    /// `check system NAME`
    System,
    /// `check file NAME path PATH`
    File(Text),
    /// `check fifo NAME path PATH`
    Fifo(Text),
    /// `check directory NAME path PATH`
    Directory(Text),
    /// `check filesystem NAME path PATH`; a device, a mount point or a connection string
    Filesystem(Text),
    /// `check host NAME address NAME`
    Host(Text),
    /// `check network NAME interface NAME`
    Interface(Text),
    /// `check network NAME address ADDRESS`
    InterfaceAddress(Text),
    /// `check program NAME path PROGRAM`
    Program(Program),
}

impl Target {
    /// The words that stand for it.
    pub fn words(&self) -> &'static str {
        match self {
            Target::Pidfile { .. } | Target::Matching { .. } => "check process",
            Target::System => "check system",
            Target::File(_) => "check file",
            Target::Fifo(_) => "check fifo",
            Target::Directory(_) => "check directory",
            Target::Filesystem(_) => "check filesystem",
            Target::Host(_) => "check host",
            Target::Interface(_) | Target::InterfaceAddress(_) => "check network",
            Target::Program(_) => "check program",
        }
    }
}

/// Statements inside a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceStatement {
    /// `start`, `stop` or `restart program …`
    Program {
        /// Which.
        method: Method,
        /// The program.
        program: Program,
    },
    /// `depends on NAME, …`
    Depends(Vec<Text>),
    /// `group NAME`
    Group(Text),
    /// `mode …`
    Mode(Mode),
    /// `every N cycles`
    Every(Number),
    /// `every "CRON"` and `not every "CRON"`
    Cron {
        /// Whether `not` stands in front.
        not: bool,
        /// The five fields.
        fields: Text,
    },
    /// `ignore content = PATTERN`
    Ignore(Content),
    /// `onreboot …`
    OnReboot(OnReboot),
    /// `backoff …`; `None`: `disable`
    Backoff(Option<Backoff>),
    /// `alert ADDRESS …`
    Alert(Box<Alert>),
    /// `noalert ADDRESS`
    NoAlert(Text),
    /// `if TEST …`
    Rule(Box<Rule>),
    /// `if N restarts within M cycles then …`
    RestartLimit(Box<RestartLimit>),
}

/// `FIRST up to LONGEST`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first delay.
    pub first: Time,
    /// The longest.
    pub longest: Time,
}

/// A time with its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    /// How many units.
    pub number: Number,
    /// Seconds of one.
    pub unit: u64,
}

/// `if N restarts within M cycles then …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartLimit {
    /// N.
    pub restarts: Number,
    /// M.
    pub cycles: Number,
    /// What is done.
    pub action: Action,
}

/// The three programs of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum Method {
    Start,
    Stop,
    Restart,
}

/// What `mode` can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum Mode {
    Active,
    Passive,
    Manual,
}

/// A program with its arguments and options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Path and arguments; never empty.
    pub words: Vec<Text>,
    /// `uid`, by name or number.
    pub uid: Option<Text>,
    /// `gid`, by name or number.
    pub gid: Option<Text>,
    /// `timeout N seconds`
    pub timeout: Option<Number>,
}

/// `if TEST [RATE] then ACTION [else …]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The words that name the test.
    pub head: Span,
    /// The test.
    pub test: Test,
    /// How often.
    pub rate: Option<Rate>,
    /// What is done.
    pub action: Action,
    /// What is done when it is over.
    pub recovery: Option<Recovery>,
}

/// Tests. Which service can have which is not said here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// `not exist`
    NotExist,
    /// `exist`
    Exist,
    /// `exited`
    Exited,
    /// A measured value and a limit, such as `cpu > 80%`
    Measured {
        /// What is measured.
        measure: Measure,
        /// The limit.
        limit: Comparison,
    },
    /// `total upload > 5 MB in last 2 hours`
    Transferred {
        /// Upload; otherwise download.
        upload: bool,
        /// The limit.
        limit: Comparison,
        /// Minutes that are looked at.
        minutes: Number,
    },
    /// `content = PATTERN` and `match PATTERN`
    Content(Content),
    /// `link up` (true) or `link down`
    Link(bool),
    /// `failed …`
    Failed(Expectation),
    /// `changed …`
    Changed(Attribute),
    /// `content changed` (true) and `content not changed`
    ContentChanged(bool),
    /// `failed port …` and its like
    Connection(Box<Connection>),
}

/// What `content` and `match` look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Whether it is written `match`.
    pub is_match: bool,
    /// `!=` or `not match`.
    pub differs: bool,
    /// A pattern, or the path of a file with patterns.
    pub pattern: Text,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum Measure {
    Cpu(Option<CpuKind>),
    TotalCpu,
    Memory,
    TotalMemory,
    Swap,
    Load {
        /// 1, 5 or 15.
        minutes: u8,
        /// Divided by the number of processors.
        per_core: bool,
    },
    Threads,
    Children,
    FileDescriptors,
    TotalFileDescriptors,
    Uptime,
    Space,
    SpaceFree,
    Inodes,
    InodesFree,
    Read,
    Write,
    DiskRead,
    DiskWrite,
    ServiceTime,
    Size,
    Age(Timestamp),
    Status,
    Saturation,
    Upload,
    Download,
    Hardlink,
}

/// Where processors spend their time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum CpuKind {
    User,
    System,
    Wait,
    Nice,
    HardIrq,
    SoftIrq,
    Steal,
    Guest,
    GuestNice,
}

impl CpuKind {
    /// Its word in the control file.
    pub fn word(self) -> &'static str {
        match self {
            CpuKind::User => "user",
            CpuKind::System => "system",
            CpuKind::Wait => "wait",
            CpuKind::Nice => "nice",
            CpuKind::HardIrq => "hardirq",
            CpuKind::SoftIrq => "softirq",
            CpuKind::Steal => "steal",
            CpuKind::Guest => "guest",
            CpuKind::GuestNice => "guestnice",
        }
    }
}

/// Timestamps of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamp {
    /// The newer of change and modification.
    Newest,
    /// `access time`
    Access,
    /// `change time`
    Change,
    /// `modification time`
    Modification,
}

/// An operator, a value and a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The operator.
    pub operator: Operator,
    /// The value in millionths of the unit; further digits are dropped.
    pub millionths: Number,
    /// The unit.
    pub unit: Unit,
}

/// Operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // spelled out
pub enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    One,
    /// Percent.
    Percent,
    /// So many bytes.
    Bytes(u64),
    /// So many milliseconds.
    Milliseconds(u64),
    /// Operations.
    Operations,
    /// Packets.
    Packets,
}

/// What `failed` expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// `permission OCTAL`
    Permission(Text),
    /// `uid`
    Uid(Text),
    /// `euid`
    EffectiveUid(Text),
    /// `gid`
    Gid(Text),
    /// `[md5] checksum [expect HASH]`
    Checksum {
        /// The kind of checksum.
        kind: Option<Hash>,
        /// The checksum that is expected.
        expected: Option<Text>,
    },
    /// `security attribute [=|!=] TEXT`
    SecurityAttribute {
        /// Whether it must differ.
        differs: bool,
        /// The attribute, or a pattern for it when an operator is given.
        attribute: Text,
        /// Whether an operator is given.
        pattern: bool,
    },
    /// `link`
    Link,
}

/// What `changed` watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum Attribute {
    Pid,
    ParentPid,
    Size,
    Permission,
    Checksum(Option<Hash>),
    Time(Timestamp),
    FilesystemFlags,
    Link,
    Status,
    Hardlink,
}

pub use crate::base::digest::Hash;

/// `N cycles` or `N times within M cycles`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// N of the second form.
    pub count: Option<Number>,
    /// The number in front of `cycles`.
    pub cycles: Number,
}

/// `else ACTION` or `else if succeeded [RATE] then ACTION`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// How often.
    pub rate: Option<Rate>,
    /// What is done.
    pub action: Action,
}

/// Actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `ignore`
    Ignore,
    /// `alert`
    Alert,
    /// `restart`
    Restart,
    /// `start`
    Start,
    /// `stop`
    Stop,
    /// `unmonitor`
    Unmonitor(Option<Time>),
    /// `timeout`, in restart limits only
    Timeout,
    /// `exec "…" [repeat every N cycles]`
    Exec {
        /// The program.
        program: Program,
        /// N.
        repeat: Option<Number>,
    },
}
