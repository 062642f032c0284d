//! What the control file says about the front, and why it may not listen.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::{AllowGroup, Credential, Httpd, PasswordFile, Signature};
use crate::sys::tls::Acceptor;

use super::allow::AllowList;

/// Who may connect and what they may do.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The hosts that may connect over TCP; empty: all.
    pub allow: AllowList,
    /// Users with their passwords.
    pub credentials: Vec<Credential>,
    /// Files of users and passwords.
    pub password_files: Vec<PasswordFile>,
    /// Groups of users of this machine.
    pub groups: Vec<AllowGroup>,
    /// Nobody may act over TCP.
    pub read_only: bool,
    /// Nobody may act over the socket file.
    pub socket_read_only: bool,
    /// Our names, with which requests may come where no log-in is asked.
    pub names: Vec<String>,
    /// Encrypts what goes over TCP.
    pub tls: Option<Acceptor>,
    /// Whether answers tell our version.
    pub signature: Signature,
}

impl Settings {
    /// The settings of a control file, for a machine with these names and with the server that encrypts.
    pub fn new(httpd: &Httpd, names: Vec<String>, tls: Option<Acceptor>) -> Settings {
        Settings {
            names,
            tls,
            allow: AllowList::new(&httpd.allow),
            credentials: httpd.credentials.clone(),
            password_files: httpd.password_files.clone(),
            groups: httpd.groups.clone(),
            read_only: httpd.read_only,
            socket_read_only: httpd.socket.as_ref().is_some_and(|socket| socket.read_only),
            signature: httpd.signature,
        }
    }

    /// Whether nobody is named who may connect; then nothing listens on TCP.
    pub fn lets_nobody_in(&self) -> bool {
        self.allow.is_empty() && !self.asks_for_log_in()
    }

    /// Whether one must log in.
    pub fn asks_for_log_in(&self) -> bool {
        !self.credentials.is_empty() || self.asks_elsewhere()
    }

    /// Whether there may be users that only a file or the system knows.
    pub fn asks_elsewhere(&self) -> bool {
        !self.password_files.is_empty() || !self.groups.is_empty()
    }
}

/// Why a listener is not there.
#[derive(Debug)]
pub enum Error {
    /// The settings name nobody who may connect.
    NobodyAllowed,
    /// The address cannot be listened on; `AddrInUse` when another program does.
    Tcp(SocketAddr, io::Error),
    /// The socket file of the control file cannot be listened on; `AddrInUse` when another program does.
    Socket(PathBuf, io::Error),
    /// The private socket file cannot be listened on; `AddrInUse` when another daemon does.
    Private(PathBuf, io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NobodyAllowed => f.write_str("httpd not started since no connections are allowed"),
            Error::Tcp(address, error) => write!(f, "cannot listen on {address}: {error}"),
            Error::Socket(path, error) if error.kind() == io::ErrorKind::AlreadyExists => {
                write!(f, "cannot listen on {}: it exists and is no socket", path.display())
            }
            Error::Socket(path, error) | Error::Private(path, error) => {
                write!(f, "cannot listen on {}: {error}", path.display())
            }
        }
    }
}

impl std::error::Error for Error {}
