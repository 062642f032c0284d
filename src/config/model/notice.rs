//! Who is told what.

use std::path::PathBuf;
use std::time::Duration;

use super::{Secret, Tls, Url};
use crate::base::event::EventKind;

/// `alert ADDRESS …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// The address.
    pub address: String,
    /// Events that it hears of, or with `except` those it does not; `None`: all.
    pub events: Option<Vec<EventKind>>,
    /// Every event but those named.
    pub except: bool,
    /// The form of its mails.
    pub format: MailFormat,
    /// Told again after so many cycles; 0: never.
    pub reminder: u32,
}

/// `mail-format { … }`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailFormat {
    /// `from:`
    pub from: Option<MailAddress>,
    /// `reply-to:`
    pub reply_to: Option<MailAddress>,
    /// `subject:`
    pub subject: Option<String>,
    /// `message:`
    pub message: Option<String>,
}

/// `NAME <ADDRESS>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAddress {
    /// The name.
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

/// `set mailserver …`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// The servers, which are tried in order.
    pub servers: Vec<MailServer>,
    /// Of connecting, and of each answer.
    pub timeout: Option<Duration>,
    /// How we call ourselves.
    pub hostname: Option<String>,
}

/// One mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    /// Its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// Encryption.
    pub tls: Option<Tls>,
}

/// `set eventqueue …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQueue {
    /// `basedir`
    pub basedir: Option<PathBuf>,
    /// `slots`; `None`: without limit.
    pub slots: Option<u32>,
}

/// One collector of `set mmonit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// Where it listens.
    pub url: Url,
    /// `timeout`
    pub timeout: Option<Duration>,
    /// Encryption.
    pub tls: Option<Tls>,
    /// `register without credentials`
    pub without_credentials: bool,
    /// `hostgroups`
    pub hostgroups: Vec<String>,
}
