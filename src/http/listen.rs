//! Where the front listens: TCP and the socket file of the control file, which change with it, and the private socket.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::sys::posix::net::Access;

use super::Server;
use super::listener::{self, Endpoint, Kind, Listener, OpenFile, SocketFile};
use super::settings::{Error, Settings};

impl Server {
    /// Listens on TCP at `endpoint` instead of where it did before; nothing happens if that is the same.
    ///
    /// # Errors
    /// [`Error::NobodyAllowed`], then it listens nowhere; [`Error::Tcp`], then it listens where it did.
    pub fn listen_tcp(&mut self, endpoint: Endpoint) -> Result<(), Error> {
        if self.settings.lets_nobody_in() {
            self.close_tcp();
            return Err(Error::NobodyAllowed);
        }
        if self.endpoint == Some(endpoint) {
            return Ok(());
        }
        let sockets = match listener::open(endpoint) {
            // Our own listener may be in the way, as the wildcard is in the way of a single address.
            Err((_, error)) if error.kind() == io::ErrorKind::AddrInUse && self.endpoint.is_some() => {
                let old = self.endpoint;
                self.close_tcp();
                match listener::open(endpoint) {
                    Ok(sockets) => sockets,
                    Err((address, error)) => {
                        if let Some((old, sockets)) = old.and_then(|old| Some((old, listener::open(old).ok()?))) {
                            self.adopt(old, sockets);
                        }
                        return Err(Error::Tcp(address, error));
                    }
                }
            }
            result => result.map_err(|(address, error)| Error::Tcp(address, error))?,
        };
        self.adopt(endpoint, sockets);
        Ok(())
    }

    fn adopt(&mut self, endpoint: Endpoint, sockets: Vec<OwnedFd>) {
        self.tcp.clear();
        for socket in sockets {
            let listener = Listener::new(socket, Kind::Tcp, self.next_generation());
            self.tcp.push(listener);
        }
        self.endpoint = Some(endpoint);
    }

    /// Stops listening on TCP. Connections that are open are served to their end.
    pub fn close_tcp(&mut self) {
        self.tcp.clear();
        self.endpoint = None;
    }

    /// Listens on a socket file instead of the one before (`None`: on none); nothing happens if that is the same. Whoever
    /// may open the file may come in; users log in as over TCP.
    ///
    /// # Errors
    /// [`Error::Socket`], then it listens where it did.
    pub fn listen_socket(&mut self, file: Option<SocketFile>) -> Result<(), Error> {
        let old = self.socket.as_ref().map(|open| open.file.clone());
        if old == file {
            return Ok(());
        }
        if old.as_ref().map(|old| &old.path) == file.as_ref().map(|file| &file.path) {
            // The same path with another owner or mode is a file of its own.
            self.socket = None;
        }
        let Some(file) = file else {
            self.socket = None;
            return Ok(());
        };
        let generation = self.next_generation();
        match OpenFile::open(&file, Kind::Socket, generation) {
            Ok(open) => {
                self.socket = Some(open);
                Ok(())
            }
            Err(error) => {
                if let Some(old) = old.filter(|_| self.socket.is_none()) {
                    let generation = self.next_generation();
                    self.socket = OpenFile::open(&old, Kind::Socket, generation).ok();
                }
                Err(Error::Socket(file.path, error))
            }
        }
    }

    /// Listens on the private socket file `path`, in a directory that only the owner may write to.
    ///
    /// # Errors
    /// [`Error::Private`].
    pub fn listen_private(&mut self, path: &Path) -> Result<(), Error> {
        let file = SocketFile { path: path.to_owned(), access: Access::PRIVATE };
        let generation = self.next_generation();
        let open = OpenFile::open(&file, Kind::Private, generation);
        self.private = Some(open.map_err(|error| Error::Private(path.to_owned(), error))?);
        Ok(())
    }

    /// Whether it listens on a private socket file, and so belongs to a daemon.
    pub fn has_private(&self) -> bool {
        self.private.is_some()
    }

    /// Makes those of its socket files anew that somebody has taken away, and tells for each whether that succeeded. One in
    /// whose place there is something else now is left alone.
    pub fn renew_files(&mut self) -> Vec<(PathBuf, io::Result<()>)> {
        let mut made = Vec::new();
        for kind in [Kind::Socket, Kind::Private] {
            let generation = self.next_generation();
            let open = if kind == Kind::Socket { &mut self.socket } else { &mut self.private };
            let Some(open) = open.as_mut().filter(|open| open.is_gone()) else { continue };
            let file = open.file.clone();
            made.push((file.path.clone(), OpenFile::open(&file, kind, generation).map(|anew| *open = anew)));
        }
        made
    }

    /// Stops listening anywhere and removes the socket files.
    pub fn close_all(&mut self) {
        self.close_tcp();
        self.socket = None;
        self.private = None;
    }

    /// Takes new settings and listens on TCP at `endpoint` and on the socket file `socket` (`None`: nowhere). A listener
    /// whose address did not change stays open, so no client is refused meanwhile; names that were resolved before keep their
    /// addresses until [`Server::set_resolved`]; the private socket is not touched.
    ///
    /// # Errors
    /// Those of [`Server::listen_tcp`] and [`Server::listen_socket`]; after all but [`Error::NobodyAllowed`] everything is
    /// as before.
    pub fn reconfigure(
        &mut self,
        mut settings: Settings,
        endpoint: Option<Endpoint>,
        socket: Option<SocketFile>,
    ) -> Result<(), Error> {
        let old_socket = self.socket.as_ref().map(|open| open.file.clone());
        self.listen_socket(socket)?;
        settings.allow.inherit(&self.settings.allow);
        let old = std::mem::replace(&mut self.settings, settings);
        self.logins.begin_anew();
        let Some(endpoint) = endpoint else {
            self.close_tcp();
            return Ok(());
        };
        let listening = self.listen_tcp(endpoint);
        if matches!(listening, Err(Error::Tcp(..))) {
            self.settings = old;
            // It was there a moment ago; without it the page is still served over TCP.
            let _ = self.listen_socket(old_socket);
        }
        listening
    }
}
