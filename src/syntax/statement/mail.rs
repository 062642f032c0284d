//! Statements about who is told what, as they were written.

use super::super::source::Text;
use super::{Number, TlsUse};
use crate::base::event::EventKind;

/// `alert ADDRESS …`, of a service or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The address.
    pub address: Text,
    /// `on { … }` or `not on { … }`; `None`: every event.
    pub events: Option<EventFilter>,
    /// `mail-format { … }`
    pub format: Option<MailFormat>,
    /// `reminder N`
    pub reminder: Option<Number>,
}

/// `[not] { … }` of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilter {
    /// Every event except these.
    pub except: bool,
    /// The events.
    pub events: Vec<EventKind>,
}

/// `mail-format { … }`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailFormat {
    /// `from:`
    pub from: Option<MailAddress>,
    /// `reply-to:`
    pub reply_to: Option<MailAddress>,
    /// `subject:`
    pub subject: Option<Text>,
    /// `message:`
    pub message: Option<Text>,
}

/// `NAME <ADDRESS>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAddress {
    /// The name.
    pub name: Option<Text>,
    /// The address.
    pub address: Text,
}

/// `set mailserver …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServers {
    /// The servers.
    pub servers: Vec<MailServer>,
    /// `timeout N seconds`
    pub timeout: Option<Number>,
    /// `hostname NAME`
    pub hostname: Option<Text>,
}

/// One server of `set mailserver`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    /// Its address.
    pub host: Text,
    /// Its port.
    pub port: Option<Number>,
    /// `username`
    pub username: Option<Text>,
    /// `password`
    pub password: Option<Text>,
    /// Encryption.
    pub tls: Vec<TlsUse>,
}

/// `set eventqueue …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQueue {
    /// `basedir PATH`
    pub basedir: Option<Text>,
    /// `slots N`
    pub slots: Option<Number>,
}

/// One collector of `set mmonit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// Where it listens.
    pub url: Text,
    /// `timeout N seconds`
    pub timeout: Option<Number>,
    /// Encryption.
    pub tls: Vec<TlsUse>,
    /// `register without credentials`
    pub without_credentials: bool,
    /// `hostgroups [NAME, …]`
    pub hostgroups: Vec<Text>,
}
