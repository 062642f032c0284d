//! The front over real sockets, driven by a loop like the daemon's. Time stands still unless a test moves it.

mod attack;
mod serve;

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use super::answer::{Outcome, answer};
use super::client::{self, Question};
use super::route::{DaemonVerb, Text};
use super::*;
use crate::action::Command;
use crate::base::base64;
use crate::config::{AllowHost, Credential, Httpd};
use crate::sys::posix::poll::PollSet;
use crate::view::html::Visitor;
use crate::view::select::Selection;
use crate::view::status::sample;
use crate::view::{Product, Style};

const LOCAL: Endpoint = Endpoint { address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), port: 0 };
/// Turns of the loop before a test gives up.
const TURNS: usize = 2000;

struct Rig {
    server: Server,
    now: Mono,
    /// What the daemon was asked to do.
    done: Vec<Outcome>,
    /// Requests wait in the server until the test answers them itself.
    hold: bool,
}

fn httpd(allow: &[&str], credentials: &[(&str, &str)]) -> Settings {
    let network = |text: &&str| {
        let (address, prefix) = text.split_once('/').unwrap();
        AllowHost::Network { address: address.parse().unwrap(), prefix: prefix.parse().unwrap() }
    };
    let user = |(user, password): &(&str, &str)| Credential {
        user: (*user).to_owned(),
        password: (*password).to_owned(),
        read_only: *user == "ro",
    };
    let httpd = Httpd {
        allow: allow.iter().map(network).collect(),
        credentials: credentials.iter().map(user).collect(),
        ..Httpd::default()
    };
    Settings::new(&httpd, vec!["box.example".to_owned()], None)
}

impl Rig {
    fn new(settings: Settings) -> Rig {
        let mut server = Server::new(settings);
        server.listen_tcp(LOCAL).unwrap();
        Rig { server, now: Mono::from_origin(Duration::from_secs(1000)), done: Vec::new(), hold: false }
    }

    fn open() -> Rig {
        Rig::new(httpd(&["127.0.0.0/8"], &[]))
    }

    /// Moves from 127.0.0.1 to the wildcard addresses at the same port; to another port where a stranger on this machine
    /// happens to have that one at another address.
    fn widen(&mut self) -> Endpoint {
        for _ in 0..20 {
            let anywhere = Endpoint { address: None, port: self.address().port() };
            let settings = httpd(&["127.0.0.1/32", "::1/128"], &[]);
            match self.server.reconfigure(settings, Some(anywhere), None) {
                Ok(()) => return anywhere,
                Err(Error::Tcp(_, error)) if error.kind() == ErrorKind::AddrInUse => {}
                Err(error) => panic!("{error}"),
            }
        }
        panic!("no free port");
    }

    fn address(&self) -> SocketAddr {
        self.server.tcp_addresses()[0]
    }

    fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(self.address()).unwrap();
        client.set_nonblocking(true).unwrap();
        client
    }

    /// What poll(2) reports; `client` also ends the sleep.
    fn poll(&self, client: Option<RawFd>, patience: Duration) -> Vec<Token> {
        let mut set = PollSet::default();
        self.server.register(self.now, &mut |fd, interest, token| set.add(fd, interest, Some(token)));
        if let Some(fd) = client {
            set.add(fd, Interest::Read, None);
        }
        set.wait(Some(patience)).unwrap().iter().filter_map(|ready| ready.token).collect()
    }

    /// One turn of the loop; tells how many descriptors were ready.
    fn turn(&mut self, client: Option<RawFd>, patience: Duration) -> usize {
        let ready = self.poll(client, patience);
        for token in &ready {
            self.server.ready(*token, self.now);
        }
        self.server.expire(self.now);
        if !self.hold {
            while let Some((id, request)) = self.server.next_request() {
                let visitor = Visitor { signature: self.server.signature(), token: request.token.as_deref() };
                let reply = match answer(&request.route, visitor, |_| sample::status()) {
                    Outcome::Reply(reply) => reply,
                    outcome => {
                        let then = match &outcome {
                            Outcome::Act { then, .. } => then.clone(),
                            _ => Reply::text("done"),
                        };
                        self.done.push(outcome);
                        then
                    }
                };
                self.server.respond(id, reply, self.now);
            }
        }
        ready.len()
    }

    /// Turns until nothing is ready.
    fn settle(&mut self) {
        for _ in 0..TURNS {
            if self.turn(None, Duration::ZERO) == 0 {
                return;
            }
        }
        panic!("the loop spins");
    }

    /// Sends `bytes` as far as the server takes them and reads until the server closes.
    fn exchange_on(&mut self, client: &mut TcpStream, bytes: &[u8]) -> String {
        let mut rest = bytes;
        let mut answer = Vec::new();
        let mut chunk = [0; 64 * 1024];
        for _ in 0..TURNS {
            match client.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => rest = &[],
            }
            self.turn(Some(client.as_raw_fd()), Duration::from_millis(20));
            match client.read(&mut chunk) {
                Ok(0) => return String::from_utf8(answer).unwrap(),
                Ok(count) => answer.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&answer)),
            }
        }
        panic!("no end after {:?}", String::from_utf8_lossy(&answer));
    }

    fn exchange(&mut self, bytes: &[u8]) -> String {
        let mut client = self.connect();
        self.exchange_on(&mut client, bytes)
    }

    fn code(&mut self, bytes: &[u8]) -> u16 {
        code(&self.exchange(bytes))
    }

    fn log(&mut self) -> Vec<String> {
        self.server.take_log().into_iter().map(|line| line.0).collect()
    }

    fn count(&self) -> usize {
        self.server.connections().count()
    }

    fn later(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }
}

fn code(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}
