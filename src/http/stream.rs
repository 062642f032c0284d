//! The bytes of a connection, encrypted or not.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use crate::sys::posix::net;
use crate::sys::posix::poll::Interest;
use crate::sys::tls::Session;

#[derive(Debug)]
pub(super) enum Stream {
    Plain(OwnedFd),
    Tls(Box<Session>),
}

impl Stream {
    pub(super) fn fd(&self) -> RawFd {
        match self {
            Stream::Plain(socket) => socket.as_raw_fd(),
            Stream::Tls(session) => session.as_fd().as_raw_fd(),
        }
    }

    /// What poll(2) must watch for `wanted` to go on.
    pub(super) fn waits_for(&self, wanted: Interest) -> Interest {
        match self {
            Stream::Plain(_) => wanted,
            Stream::Tls(session) => session.waits_for().unwrap_or(wanted),
        }
    }

    /// Whether nothing that is sent now could be understood.
    pub(super) fn is_shaking_hands(&self) -> bool {
        match self {
            Stream::Plain(_) => false,
            Stream::Tls(session) => session.is_shaking_hands(),
        }
    }

    /// The same connection without encryption, after a handshake that failed.
    pub(super) fn without_encryption(self) -> io::Result<Stream> {
        match self {
            Stream::Plain(socket) => Ok(Stream::Plain(socket)),
            Stream::Tls(session) => session.into_socket().map(Stream::Plain),
        }
    }

    /// Reads what has arrived; see [`net::receive`].
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => net::receive(socket.as_fd(), buffer),
            Stream::Tls(session) => session.receive(buffer),
        }
    }

    /// Writes as much as there is room for; see [`net::send`].
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(socket) => net::send(socket.as_fd(), bytes),
            Stream::Tls(session) => session.send(bytes),
        }
    }

    /// Tells the peer that no more bytes will come.
    pub(super) fn finish_sending(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(socket) => net::finish_sending(socket.as_fd()),
            Stream::Tls(session) => session.finish_sending(),
        }
    }
}
