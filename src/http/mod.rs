//! The bounded HTTP front. It lives in the daemon's poll set, never blocks, starts no thread and reads no clock: the caller
//! hands in what poll(2) found and what time it is, takes the requests and brings the answers.
//!
//! A connection is worth nothing until its peer's address was checked; then it has absolute deadlines and fixed buffers.
//! TCP clients share [`TCP_MAX`] places, [`PER_PEER`] for each address (each /64 of IPv6); a client for whom there is no
//! place gets that of the least valuable connection of whoever holds the most. The socket file of the control file has places
//! of its own, which the users of the machine share likewise, and so has the private socket, so that neither the network nor
//! these can keep the command line out.
#![forbid(unsafe_code)]

pub mod allow;
pub mod answer;
pub mod auth;
pub mod client;
mod conn;
pub mod csrf;
pub mod form;
pub mod head;
mod listen;
mod listener;
mod log;
mod login;
mod names;
mod places;
mod prove;
mod reply;
pub mod route;
mod settings;
mod stream;
#[cfg(test)]
mod tests;
mod throttle;

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::path::Path;

use crate::base::time::Mono;
use crate::config::Signature;
use crate::sys::posix::net;
use crate::sys::posix::poll::Interest;
use crate::sys::posix::random;
use crate::sys::tls;

use conn::{Connection, Step, Worth};
use head::Head;
use listener::{Accepted, Listener, OpenFile, Peer, Reserve};
use log::{Log, Topic};
use login::{Login, Logins};
use places::Place;
use reply::Printing;
use route::{Origin, Route};
use stream::Stream;
use throttle::Throttle;

pub use listener::{Endpoint, SocketFile};
pub use log::LogLine;
pub use reply::Reply;
pub use settings::{Error, Settings};

/// Most connections over TCP.
pub const TCP_MAX: usize = 32;
/// Most connections from one address, or from one user of this machine.
pub const PER_PEER: usize = 8;
/// Most connections over the socket file of the control file.
pub const SOCKET_MAX: usize = 16;
/// Most connections over the private socket.
pub const PRIVATE_MAX: usize = 16;
/// Most connections accepted from one listener before the loop goes on with something else.
const ACCEPTS_PER_TURN: usize = 64;

/// Names a descriptor of the poll set. A token whose listener, connection or helper is gone is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A listener.
    Listener(u64),
    /// A connection.
    Connection(ConnectionId),
    /// A helper child that looks at a password for this connection.
    Login(ConnectionId),
}

/// Names a connection for as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionId {
    slot: usize,
    generation: u64,
}

/// A request that may be carried out: parsed, its sender let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked for.
    pub route: Route,
    /// Who asks.
    pub origin: Origin,
    /// The token that a page needs to act; `None` for who may not act, or has no need of one.
    pub token: Option<String>,
}

/// The front.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    endpoint: Option<Endpoint>,
    tcp: Vec<Listener>,
    socket: Option<OpenFile>,
    private: Option<OpenFile>,
    reserve: Reserve,
    slots: Vec<Option<Connection>>,
    requests: VecDeque<(ConnectionId, Request)>,
    generation: u64,
    tokens: csrf::Tokens,
    throttle: Throttle,
    logins: Logins,
    log: Log,
}

impl Server {
    /// A front that listens nowhere yet.
    pub fn new(settings: Settings) -> Server {
        Server {
            settings,
            endpoint: None,
            tcp: Vec::new(),
            socket: None,
            private: None,
            reserve: Reserve::open(),
            slots: Vec::new(),
            requests: VecDeque::new(),
            generation: 0,
            tokens: csrf::Tokens::default(),
            throttle: Throttle::default(),
            logins: Logins::default(),
            log: Log::default(),
        }
    }

    /// The names among the allowed hosts whose addresses must be looked up.
    pub fn names_to_resolve(&self) -> Vec<String> {
        self.settings.allow.names().map(str::to_owned).collect()
    }

    /// Whether hosts are let in by that name now.
    pub fn lets_in_by(&self, name: &str) -> bool {
        self.settings.allow.is_resolved(name)
    }

    /// Sets the addresses of one of them.
    pub fn set_resolved(&mut self, name: &str, addresses: &[IpAddr]) {
        self.settings.allow.set_resolved(name, addresses);
    }

    /// The addresses it listens on over TCP.
    pub fn tcp_addresses(&self) -> Vec<SocketAddr> {
        self.tcp.iter().filter_map(|listener| net::local_address(listener.socket.as_fd()).ok()).collect()
    }

    /// The socket file it listens on.
    pub fn socket_path(&self) -> Option<&Path> {
        self.socket.as_ref().map(|open| open.file.path.as_path())
    }

    /// What answers give as the name of the server.
    pub fn signature(&self) -> &'static str {
        match self.settings.signature {
            Signature::Shown => concat!("pollux/", env!("CARGO_PKG_VERSION")),
            Signature::Hidden => "pollux",
        }
    }

    fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    fn listeners(&self) -> impl Iterator<Item = &Listener> {
        self.tcp.iter().chain(self.socket.iter().chain(&self.private).map(|open| &open.listener))
    }

    fn listeners_mut(&mut self) -> impl Iterator<Item = &mut Listener> {
        let files = self.socket.iter_mut().chain(&mut self.private);
        self.tcp.iter_mut().chain(files.map(|open| &mut open.listener))
    }

    fn connections(&self) -> impl Iterator<Item = (ConnectionId, &Connection)> {
        self.slots.iter().enumerate().filter_map(|(slot, connection)| {
            let connection = connection.as_ref()?;
            Some((ConnectionId { slot, generation: connection.generation }, connection))
        })
    }

    fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.slots.get_mut(id.slot)?.as_mut().filter(|connection| connection.generation == id.generation)
    }

    /// Tells what poll(2) must watch now.
    pub fn register(&self, now: Mono, add: &mut dyn FnMut(RawFd, Interest, Token)) {
        for listener in self.listeners().filter(|listener| !listener.is_resting(now)) {
            add(listener.socket.as_raw_fd(), Interest::Read, Token::Listener(listener.generation));
        }
        for (id, connection) in self.connections() {
            if let Some((fd, interest)) = connection.interest() {
                add(fd, interest, Token::Connection(id));
            }
        }
        self.logins.fds().for_each(|(id, fd)| add(fd, Interest::Read, Token::Login(id)));
    }

    /// Accepts, reads or writes after poll(2) returned `token`, be it for readiness or for an error.
    pub fn ready(&mut self, token: Token, now: Mono) {
        match token {
            Token::Listener(generation) => self.accept(generation, now),
            Token::Connection(id) => {
                if let Some(connection) = self.connection(id) {
                    let step = connection.ready(now);
                    self.take_step(id, step, now);
                }
            }
            Token::Login(id) => self.read_login(id, now),
        }
    }

    /// Ends what took too long, and the rest of listeners. Call it after [`Server::ready`], so that what has arrived counts.
    pub fn expire(&mut self, now: Mono) {
        for listener in self.listeners_mut().filter(|listener| !listener.is_resting(now)) {
            listener.rests_until = None;
        }
        let late: Vec<_> = self.connections().filter(|(_, c)| c.deadline() <= now).map(|(id, _)| id).collect();
        for id in late {
            if let Some(connection) = self.connection(id) {
                let step = connection.expire();
                self.take_step(id, step, now);
            }
        }
        self.go_on_with_logins(now);
    }

    /// When [`Server::expire`] has something to do next.
    pub fn next_deadline(&self) -> Option<Mono> {
        let rests = self.listeners().filter_map(|listener| listener.rests_until);
        self.connections()
            .map(|(_, connection)| connection.deadline())
            .chain(rests)
            .chain(self.logins.deadlines())
            .min()
    }

    /// The next request that waits for an answer.
    pub fn next_request(&mut self) -> Option<(ConnectionId, Request)> {
        while let Some((id, request)) = self.requests.pop_front() {
            if self.connection(id).is_some_and(|connection| connection.is_answering()) {
                return Some((id, request));
            }
        }
        None
    }

    /// Whether somebody still waits for an answer there.
    pub fn awaits(&self, id: ConnectionId) -> bool {
        let connection = self.slots.get(id.slot).and_then(Option::as_ref);
        connection.is_some_and(|connection| connection.generation == id.generation && connection.is_answering())
    }

    /// Sends an answer. Nothing happens when the connection is gone or was answered.
    pub fn respond(&mut self, id: ConnectionId, reply: Reply, now: Mono) {
        if self.connection(id).is_some_and(|connection| connection.is_answering()) {
            self.send(id, reply, now);
        }
    }

    /// Whether an answer is still being made or sent.
    pub fn is_busy(&self) -> bool {
        self.connections().any(|(_, connection)| connection.is_busy())
    }

    /// What there is to log since the last call; each has severity `error`.
    pub fn take_log(&mut self) -> Vec<LogLine> {
        self.log.take()
    }

    fn accept(&mut self, generation: u64, now: Mono) {
        for _ in 0..ACCEPTS_PER_TURN {
            let files = self.socket.iter_mut().chain(&mut self.private).map(|open| &mut open.listener);
            let mut listeners = self.tcp.iter_mut().chain(files);
            let Some(listener) = listeners.find(|listener| listener.generation == generation) else {
                return;
            };
            let is_welcome = |peer| match peer {
                // Who expects a handshake would not understand.
                Peer::Tcp(address) => self.settings.tls.is_none() && self.settings.allow.permits(address.ip()),
                Peer::Socket(_) | Peer::Private => true,
            };
            match listener.accept(&mut self.reserve, is_welcome) {
                Accepted::Connection(socket, peer) => self.admit(socket, peer, now),
                Accepted::Gone => {}
                Accepted::Nothing => return,
                Accepted::Exhausted => {
                    let text = "HttpRequest: connection turned away -- no file descriptor is left";
                    self.log.add(Topic::Trouble, text, now);
                }
                Accepted::Trouble(error) => {
                    listener.rest(now);
                    self.log.add(Topic::Trouble, &format!("HttpRequest: cannot accept connections -- {error}"), now);
                    return;
                }
            }
        }
    }

    fn admit(&mut self, socket: std::os::fd::OwnedFd, peer: Peer, now: Mono) {
        if let Peer::Tcp(address) = peer
            && !self.settings.allow.permits(address.ip())
        {
            let text = format!("Denied connection from non-authorized client [{}]", address.ip().to_canonical());
            self.log.add(Topic::Denied, &text, now);
            return;
        }
        let stream = match (&self.settings.tls, peer) {
            (Some(acceptor), Peer::Tcp(_)) => match acceptor.accept(socket) {
                Ok(session) => Stream::Tls(Box::new(session)),
                Err(error) => return self.no_handshake(peer, &error.to_string(), now),
            },
            _ => Stream::Plain(socket),
        };
        self.make_room(peer);
        let connection = Connection::new(stream, peer, self.next_generation(), now);
        match self.slots.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => *slot = Some(connection),
            None => self.slots.push(Some(connection)),
        }
    }

    /// Closes a connection if `newcomer` would exceed a limit: among those of the peer that has the most, the one with the
    /// least to lose, the oldest of these.
    fn make_room(&mut self, newcomer: Peer) {
        let newcomer = Place::of(newcomer);
        let door = newcomer.door();
        let beside: Vec<(Place, ConnectionId, Worth)> = self
            .connections()
            .map(|(id, connection)| (Place::of(connection.peer), id, connection.worth()))
            .filter(|(place, ..)| place.door() == door)
            .collect();
        let held = |place: Place| beside.iter().filter(|(other, ..)| *other == place).count();
        let victim = if held(newcomer) >= door.most_of_one() {
            let own = beside.iter().filter(|(place, ..)| *place == newcomer);
            own.min_by_key(|(_, id, worth)| (*worth, id.generation))
        } else if beside.len() >= door.most() {
            beside.iter().min_by_key(|(place, id, worth)| (Reverse(held(*place)), *worth, id.generation))
        } else {
            None
        };
        if let Some((_, id, _)) = victim {
            self.close(*id);
        }
    }

    /// The client reads why before the connection ends; one that speaks HTTP in the clear is answered so.
    fn give_up_encryption(&mut self, id: ConnectionId, why: &str, now: Mono) {
        let Some(peer) = self.connection(id).map(|connection| connection.peer) else { return };
        self.no_handshake(peer, why, now);
        let is_plain = why == tls::PLAIN_HTTP;
        if let Some(slot) = self.slots.get_mut(id.slot) {
            *slot = slot.take().and_then(|connection| connection.without_encryption(is_plain, now));
        }
        if is_plain {
            self.send(id, Reply::error(400, "This page is encrypted; ask for it with https"), now);
        }
    }

    fn no_handshake(&mut self, peer: Peer, why: &str, now: Mono) {
        let text = format!("HttpRequest: no encrypted connection -- client [{}]: {why}", shown(peer));
        self.log.add(Topic::Handshake, &text, now);
    }

    fn close(&mut self, id: ConnectionId) {
        if self.connection(id).is_some()
            && let Some(slot) = self.slots.get_mut(id.slot)
        {
            *slot = None;
        }
    }

    fn take_step(&mut self, id: ConnectionId, step: Step, now: Mono) {
        match step {
            Step::Waits => {}
            Step::Ended => self.close(id),
            Step::NoHandshake(why) => self.give_up_encryption(id, &why, now),
            Step::Refused(refusal) => self.send(id, refusal.into(), now),
            Step::Request(head, body) => self.judge(id, head, body, now),
        }
    }

    /// Lets a request in, or says why not; if it cannot be said at once, a helper child is asked.
    fn judge(&mut self, id: ConnectionId, head: Head, body: Vec<u8>, now: Mono) {
        let Some(peer) = self.connection(id).map(|connection| connection.peer) else { return };
        match self.let_in(peer, &head, now) {
            Ok(Login::In(user)) => self.enter(id, user, &head, &body, now),
            Ok(Login::Asks(given)) => self.ask_for_login(id, peer, given, (head, body), now),
            Err(reply) => self.send(id, reply, now),
        }
    }

    /// Whether this peer may ask at all, and who it is.
    fn let_in(&mut self, peer: Peer, head: &Head, now: Mono) -> Result<Login, Reply> {
        // The list may have changed since the connection was accepted.
        if let Peer::Tcp(address) = peer
            && !self.settings.allow.permits(address.ip())
        {
            return Err(Reply::error(403, "This host may no longer connect"));
        }
        if peer != Peer::Private && self.settings.asks_for_log_in() {
            return self.log_in(peer, head, now);
        }
        if matches!(peer, Peer::Tcp(_)) {
            self.expect_our_name(head)?;
        }
        Ok(Login::In(None))
    }

    /// Takes a request of somebody who was let in.
    fn enter(&mut self, id: ConnectionId, user: Option<auth::User>, head: &Head, body: &[u8], now: Mono) {
        let Some(peer) = self.connection(id).map(|connection| connection.peer) else { return };
        let (address, read_only) = match peer {
            Peer::Private => (None, false),
            Peer::Socket(_) => (None, self.settings.socket_read_only),
            Peer::Tcp(address) => (Some(address.ip().to_canonical()), self.settings.read_only),
        };
        let read_only = read_only || user.as_ref().is_some_and(|user| user.read_only);
        let origin = match peer {
            Peer::Private => Origin::Private,
            _ => Origin::Client { peer: address, user: user.map(|user| user.name), read_only },
        };
        match self.route(origin, head, body, now) {
            Ok(request) => self.requests.push_back((id, request)),
            Err(reply) => self.send(id, reply, now),
        }
    }

    fn route(&mut self, origin: Origin, head: &Head, body: &[u8], now: Mono) -> Result<Request, Reply> {
        let route = route::route(head.method, &head.target, body, &origin)?;
        let mut token = None;
        if let Origin::Client { read_only: false, peer, .. } = origin {
            if route.acts()
                && let Err(refusal) = csrf::check(head, body, &self.tokens, now)
            {
                let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
                if let Some(mistake) = csrf::mistake(head, body) {
                    let text = format!("HttpRequest: access denied -- client [{peer}]: {mistake}");
                    self.log.add(Topic::Login, &text, now);
                }
                return Err(refusal.into());
            }
            token = self.token(now);
        }
        Ok(Request { route, origin, token })
    }

    /// Where no log-in is asked, a browser must have come by a name of ours. It comes to no socket file by a name.
    fn expect_our_name(&self, head: &Head) -> Result<(), Reply> {
        match &head.host {
            Some(host) if !names::is_ours(host, &self.settings.names) => Err(Reply::error(
                403,
                "This is not a name of this machine; use its address, or its host name, or let users log in \
                 ('allow NAME:PASSWORD' in 'set httpd')",
            )),
            _ => Ok(()),
        }
    }

    fn token(&mut self, now: Mono) -> Option<String> {
        self.tokens.current(now, || random::bytes().ok()).map(str::to_owned)
    }

    fn send(&mut self, id: ConnectionId, reply: Reply, now: Mono) {
        let signature = self.signature();
        let token = self.token(now);
        let Some(connection) = self.connection(id) else { return };
        let peer = connection.peer;
        let is_private = peer == Peer::Private;
        let token = token.filter(|_| !is_private);
        let (head_only, encrypted) = (connection.head_only(), connection.is_encrypted());
        let printing = Printing { head_only, plain_errors: is_private, signature, token, encrypted };
        if let Some(message) = reply.message().filter(|_| !is_private && reply.code() != 401) {
            let text = format!("HttpRequest: error -- client [{}]: HTTP/1.0 {} {message}", shown(peer), reply.code());
            self.log.add(Topic::Error, &text, now);
        }
        let bytes = reply::print(reply, printing);
        let step = self.connection(id).map(|connection| connection.answer(bytes, now));
        if let Some(Step::Ended) = step {
            self.close(id);
        }
    }
}

/// The client's address as log lines have it: nothing of one that came by the socket file, as in the original.
fn shown(peer: Peer) -> String {
    match peer {
        Peer::Tcp(address) => address.ip().to_canonical().to_string(),
        Peer::Socket(_) | Peer::Private => String::new(),
    }
}
