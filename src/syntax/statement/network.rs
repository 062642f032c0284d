//! Tests over the network as they were written.

use super::super::source::{Span, Text};
use super::{Checksum, Content, Number, Operator, TlsUse};

/// `failed` or `succeeded` with a port, an address, a socket or `ping`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The rule holds while the connection works.
    pub succeeded: bool,
    /// Where the connection goes.
    pub endpoint: Endpoint,
    /// The rest, in the order written.
    pub options: Vec<ConnectionOption>,
}

/// Where a connection goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `[host NAME] port N`
    Port {
        /// The host.
        host: Option<Text>,
        /// The port.
        port: Number,
    },
    /// `url URL`
    Url(Text),
    /// `unixsocket PATH`
    Socket(Text),
    /// `ping`, `ping4` and `ping6`
    Ping(Family),
}

/// Versions of the Internet protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // spelled out
pub enum Family {
    #[default]
    Any,
    V4,
    V6,
}

/// `type …`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum Transport {
    #[default]
    Tcp,
    Udp,
    TcpSsl,
}

/// One option of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionOption {
    /// `ipv4`, `ipv6`
    Family(Family),
    /// `type …`
    Transport(Transport),
    /// `ssl …`, a version, a checksum of the certificate
    Tls(TlsUse),
    /// `certificate valid > N days`
    CertificateValid(Number),
    /// `address NAME`: where the connection comes from
    Source(Text),
    /// `protocol …`
    Protocol(Protocol),
    /// `send STRING`
    Send(Text),
    /// `expect PATTERN`
    Expect(Text),
    /// `content = PATTERN`
    Content(Content),
    /// `timeout N seconds`
    Timeout(Number),
    /// `responsetime < N seconds`
    ResponseTime {
        /// The operator.
        operator: Operator,
        /// Milliseconds.
        limit: Number,
    },
    /// `retry N`
    Retry(Number),
    /// `count N`
    Count(Number),
    /// `size N`
    Size(Number),
}

/// `protocol NAME …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// Its name.
    pub name: ProtocolName,
    /// Where the name is.
    pub span: Span,
    /// Its own options.
    pub options: Vec<ProtocolOption>,
}

/// Protocols, in the order of [`ProtocolName::WORDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum ProtocolName {
    ApacheStatus,
    Clamav,
    Default,
    Dns,
    Dwp,
    Fail2ban,
    Ftp,
    Gps,
    Http,
    Https,
    Imap,
    Imaps,
    Ldap2,
    Ldap3,
    Lmtp,
    Memcache,
    Mongodb,
    Mqtt,
    Mysql,
    Mysqls,
    Nntp,
    Ntp3,
    Pgsql,
    Pop,
    Pops,
    PostfixPolicy,
    Radius,
    Rdate,
    Redis,
    Rsync,
    Sieve,
    Sip,
    Smtp,
    Smtps,
    Spamassassin,
    Ssh,
    Tns,
    Websocket,
}

impl ProtocolName {
    /// Each with its word.
    #[rustfmt::skip]
    pub const WORDS: [(&'static str, ProtocolName); 38] = [
        ("apache-status", ProtocolName::ApacheStatus), ("clamav", ProtocolName::Clamav),
        ("default", ProtocolName::Default), ("dns", ProtocolName::Dns), ("dwp", ProtocolName::Dwp),
        ("fail2ban", ProtocolName::Fail2ban), ("ftp", ProtocolName::Ftp), ("gps", ProtocolName::Gps),
        ("http", ProtocolName::Http), ("https", ProtocolName::Https), ("imap", ProtocolName::Imap),
        ("imaps", ProtocolName::Imaps), ("ldap2", ProtocolName::Ldap2), ("ldap3", ProtocolName::Ldap3),
        ("lmtp", ProtocolName::Lmtp), ("memcache", ProtocolName::Memcache), ("mongodb", ProtocolName::Mongodb),
        ("mqtt", ProtocolName::Mqtt), ("mysql", ProtocolName::Mysql), ("mysqls", ProtocolName::Mysqls),
        ("nntp", ProtocolName::Nntp), ("ntp3", ProtocolName::Ntp3), ("pgsql", ProtocolName::Pgsql),
        ("pop", ProtocolName::Pop), ("pops", ProtocolName::Pops), ("postfix-policy", ProtocolName::PostfixPolicy),
        ("radius", ProtocolName::Radius), ("rdate", ProtocolName::Rdate), ("redis", ProtocolName::Redis),
        ("rsync", ProtocolName::Rsync), ("sieve", ProtocolName::Sieve), ("sip", ProtocolName::Sip),
        ("smtp", ProtocolName::Smtp), ("smtps", ProtocolName::Smtps), ("spamassassin", ProtocolName::Spamassassin),
        ("ssh", ProtocolName::Ssh), ("tns", ProtocolName::Tns), ("websocket", ProtocolName::Websocket),
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        ProtocolName::WORDS.iter().find(|(_, name)| *name == self).map_or("", |(word, _)| word)
    }
}

/// One option of a protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolOption {
    /// `username NAME`
    Username(Text),
    /// `password WORD`
    Password(Text),
    /// `request PATH`
    Request(Text),
    /// `method get` or `method head` (true)
    Head(bool),
    /// `status = N`
    Status {
        /// The operator.
        operator: Operator,
        /// The status.
        status: Number,
    },
    /// `checksum HASH`
    Checksum(Text),
    /// `hostheader NAME`
    HostHeader(Text),
    /// `http headers [NAME: VALUE, …]`
    Headers(Vec<(Text, Text)>),
    /// `path PATH`
    Path(Text),
    /// `loglimit > N %` and its kin
    Limit {
        /// The word.
        kind: ApacheLimit,
        /// The operator.
        operator: Operator,
        /// Percent.
        percent: Number,
    },
    /// `origin NAME`
    Origin(Text),
    /// `host NAME`
    Host(Text),
    /// `version N`
    Version(Number),
    /// `rsakey checksum HASH`
    RsaKey(Checksum),
    /// `database NAME`
    Database(Text),
    /// `secret WORD`
    Secret(Text),
    /// `target ADDRESS`
    Target(Text),
    /// `maxforward N`
    MaxForward(Number),
}

/// What of Apache's workers is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // spelled as in the control file
pub enum ApacheLimit {
    Log,
    Close,
    Dns,
    KeepAlive,
    Reply,
    Request,
    Start,
    Wait,
    Graceful,
    Cleanup,
}

impl ApacheLimit {
    /// Each with its word.
    pub const WORDS: [(&'static str, ApacheLimit); 10] = [
        ("loglimit", ApacheLimit::Log),
        ("closelimit", ApacheLimit::Close),
        ("dnslimit", ApacheLimit::Dns),
        ("keepalivelimit", ApacheLimit::KeepAlive),
        ("replylimit", ApacheLimit::Reply),
        ("requestlimit", ApacheLimit::Request),
        ("startlimit", ApacheLimit::Start),
        ("waitlimit", ApacheLimit::Wait),
        ("gracefullimit", ApacheLimit::Graceful),
        ("cleanuplimit", ApacheLimit::Cleanup),
    ];
}
