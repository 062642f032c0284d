//! Connections that rules test.

use std::path::PathBuf;
use std::time::Duration;

use super::{Content, Hash, Operator, Pattern, Secret};
pub use crate::syntax::statement::{ApacheLimit, Family, ProtocolName, TlsFile, TlsVersion};

/// A connection and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The rule holds while the connection works.
    pub succeeded: bool,
    /// Where it goes.
    pub endpoint: Endpoint,
    /// The versions of the Internet protocol that are tried.
    pub family: Family,
    /// Datagrams in place of a stream.
    pub datagrams: bool,
    /// Encryption; `None`: none, other than the protocol's own.
    pub tls: Option<Tls>,
    /// Days that the certificate must be valid.
    pub certificate_days: Option<u32>,
    /// Where it comes from.
    pub source: Option<String>,
    /// What is spoken.
    pub protocol: Protocol,
    /// What is sent and expected, in order.
    pub dialogue: Vec<Exchange>,
    /// What an HTTP body must hold.
    pub content: Vec<Content>,
    /// Of connecting, and of each answer.
    pub timeout: Duration,
    /// What the response time must be.
    pub response_time: Option<(Operator, Duration)>,
    /// How often it is tried in one cycle; at least 1.
    pub tries: u32,
}

/// Where a connection goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A port of a host; `None`: of the service's own host.
    Port {
        /// The host.
        host: Option<String>,
        /// The port.
        port: u16,
    },
    /// An address.
    Url(Url),
    /// A socket in the filesystem.
    Socket(PathBuf),
    /// An echo request.
    Ping {
        /// How many are sent.
        count: u32,
        /// Bytes of each.
        size: u32,
    },
}

/// `scheme://[user:password@]host[:port][/path][?query]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whether the scheme is https.
    pub tls: bool,
    /// User and password.
    pub credentials: Option<(String, Secret)>,
    /// The host, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query; at least `/`.
    pub path: String,
}

/// `protocol NAME …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// Its name.
    pub name: ProtocolName,
    /// Its options; of several of a kind the last counts.
    pub options: Vec<ProtocolOption>,
}

/// One option of a protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is named after its word
pub enum ProtocolOption {
    Username(String),
    Password(Secret),
    Request(String),
    Head(bool),
    Status { operator: Operator, status: u32 },
    Checksum { kind: Hash, expected: String },
    HostHeader(String),
    Headers(Vec<(String, Secret)>),
    Path(String),
    Limit { kind: ApacheLimit, operator: Operator, percent: u32 },
    Origin(String),
    Host(String),
    Version(u32),
    RsaKey { kind: Hash, expected: String },
    Database(String),
    Secret(Secret),
    Target(String),
    MaxForward(u32),
}

/// One step of a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// These bytes are sent; `\0xHH` in them stands for a byte.
    Send(Vec<u8>),
    /// This is expected.
    Expect(Pattern),
}

/// `ssl { … }` and its kin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Versions that are named, and whether each is switched off.
    pub versions: Vec<(TlsVersion, bool)>,
    /// `verify`.
    pub verify: Option<bool>,
    /// `selfsigned: allow`.
    pub self_signed: Option<bool>,
    /// `ciphers`.
    pub ciphers: Option<String>,
    /// `pemfile` and its kin, each once.
    pub files: Vec<(TlsFile, PathBuf)>,
    /// `certificate checksum`.
    pub checksum: Option<(Hash, String)>,
}
