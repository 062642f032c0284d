//! Listening sockets that survive every error of accept(2).

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::time::Mono;
use crate::sys::platform::descriptor;
use crate::sys::posix::net::{self, Access};

/// How long a listener rests after an error that would come again at once.
const REST: Duration = Duration::from_millis(500);

/// Sent when no descriptor is left for a connection.
const BUSY: &[u8] = b"HTTP/1.0 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Where the page is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `None`: every address of both families.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

/// A socket file on which the page is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketFile {
    /// Its path.
    pub path: PathBuf,
    /// Who may open it.
    pub access: Access,
}

/// Who is at the other end of a connection. The listener tells, never the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// A client on the network.
    Tcp(SocketAddr),
    /// Somebody who may open the socket file of the control file: the user of that number.
    Socket(Option<u32>),
    /// Somebody who may open the private socket file.
    Private,
}

/// What a listener listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Tcp,
    Socket,
    Private,
}

/// One listening socket.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) socket: OwnedFd,
    kind: Kind,
    /// Tells it from earlier and later listeners.
    pub(super) generation: u64,
    /// Set after an error; until then it is not watched.
    pub(super) rests_until: Option<Mono>,
}

/// What accept(2) had for us.
#[derive(Debug)]
pub(super) enum Accepted {
    Connection(OwnedFd, Peer),
    /// A client went away before it was accepted; there may be others.
    Gone,
    /// Nobody waits.
    Nothing,
    /// A client was turned away because no descriptor is left.
    Exhausted,
    /// The listener must rest.
    Trouble(io::Error),
}

impl Listener {
    pub(super) fn new(socket: OwnedFd, kind: Kind, generation: u64) -> Listener {
        Listener { socket, kind, generation, rests_until: None }
    }

    pub(super) fn rest(&mut self, now: Mono) {
        self.rests_until = Some(now.plus(REST));
    }

    pub(super) fn is_resting(&self, now: Mono) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    /// Takes the next connection. Without a free descriptor the reserve is spent to tell a welcome client so and get rid of it;
    /// otherwise it would wait for ever and the listener would stay readable.
    pub(super) fn accept(&self, reserve: &mut Reserve, is_welcome: impl Fn(Peer) -> bool) -> Accepted {
        match net::accept(self.socket.as_fd()) {
            Ok((socket, address)) => match self.peer(&socket, address) {
                Some(peer) => Accepted::Connection(socket, peer),
                None => Accepted::Gone,
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Accepted::Nothing,
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Accepted::Gone,
            Err(error) if net::is_out_of_descriptors(&error) => {
                reserve.0 = None;
                let outcome = match net::accept(self.socket.as_fd()) {
                    Ok((socket, address)) => {
                        if self.peer(&socket, address).is_some_and(is_welcome) {
                            let _ = net::send(socket.as_fd(), BUSY);
                        }
                        Accepted::Exhausted
                    }
                    // Linux asks for a descriptor before it looks whether anybody waits.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => Accepted::Nothing,
                    Err(error) => Accepted::Trouble(error),
                };
                *reserve = Reserve::open();
                outcome
            }
            Err(error) => Accepted::Trouble(error),
        }
    }

    /// `None` for a TCP client whose address the kernel no longer knows: it is gone already.
    fn peer(&self, socket: &OwnedFd, address: Option<SocketAddr>) -> Option<Peer> {
        match self.kind {
            Kind::Tcp => address.map(Peer::Tcp),
            Kind::Socket => Some(Peer::Socket(descriptor::peer_user(socket.as_fd()))),
            Kind::Private => Some(Peer::Private),
        }
    }
}

/// A descriptor kept for the moment when none is left.
#[derive(Debug)]
pub(super) struct Reserve(Option<File>);

impl Reserve {
    pub(super) fn open() -> Reserve {
        Reserve(File::open("/dev/null").ok())
    }
}

/// Opens the sockets of an endpoint: one, or one for each family the machine has.
pub(super) fn open(endpoint: Endpoint) -> Result<Vec<OwnedFd>, (SocketAddr, io::Error)> {
    let bind = |address: IpAddr| {
        let address = SocketAddr::new(address, endpoint.port);
        net::listen_tcp(address).map_err(|error| (address, error))
    };
    if let Some(address) = endpoint.address {
        return Ok(vec![bind(address)?]);
    }
    let mut sockets = Vec::new();
    let mut unknown = None;
    for address in [IpAddr::from(Ipv4Addr::UNSPECIFIED), IpAddr::from(Ipv6Addr::UNSPECIFIED)] {
        match bind(address) {
            Ok(socket) => sockets.push(socket),
            Err(failure) if net::is_unknown_family(&failure.1) => unknown = Some(failure),
            Err(failure) => return Err(failure),
        }
    }
    match unknown {
        Some(failure) if sockets.is_empty() => Err(failure),
        _ => Ok(sockets),
    }
}

/// A socket file that is listened on; dropping it removes the file, unless another has taken its place.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) listener: Listener,
    pub(super) file: SocketFile,
    /// Device and inode.
    identity: Option<(u64, u64)>,
}

impl OpenFile {
    pub(super) fn open(file: &SocketFile, kind: Kind, generation: u64) -> io::Result<OpenFile> {
        let socket = net::listen_unix(&file.path, file.access)?;
        let listener = Listener::new(socket, kind, generation);
        Ok(OpenFile { listener, identity: identity(&file.path), file: file.clone() })
    }

    /// Whether somebody has taken the file away, so that nobody can connect any more.
    pub(super) fn is_gone(&self) -> bool {
        std::fs::symlink_metadata(&self.file.path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.file.path) == self.identity {
            // A file that stays behind is replaced by the next daemon.
            let _ = std::fs::remove_file(&self.file.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}
