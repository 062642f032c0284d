//! The front over real sockets, driven by a loop like the daemon's. Time stands still unless a test moves it.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use super::answer::{Outcome, answer};
use super::client::{self, Question};
use super::route::{DaemonVerb, Text, Verb};
use super::*;
use crate::base::base64;
use crate::config::{AllowHost, Credential, Httpd};
use crate::sys::posix::poll::PollSet;
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
        read_only: false,
    };
    Settings::new(&Httpd {
        allow: allow.iter().map(network).collect(),
        credentials: credentials.iter().map(user).collect(),
        ..Httpd::default()
    })
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
                let reply = match answer(&request.route, self.server.signature(), sample::status) {
                    Outcome::Reply(reply) => reply,
                    outcome => {
                        self.done.push(outcome);
                        Reply::text("done")
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

#[test]
fn good_requests_are_answered() {
    let mut rig = Rig::open();
    for request in [
        "GET /_ping HTTP/1.0\r\n\r\n",
        "GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
        "GET /_ping HTTP/1.1\nHost: x\n\n",
        "GET /_ping HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    ] {
        let answer = rig.exchange(request.as_bytes());
        assert!(answer.starts_with("HTTP/1.0 200 OK\r\nConnection: close\r\n"), "{answer}");
        assert_eq!(body(&answer), "pong");
    }
    let page = rig.exchange(b"GET / HTTP/1.1\r\n\r\n");
    assert!(page.contains("Content-Type: text/html; charset=utf-8\r\n"));
    assert!(body(&page).contains("deadsvc") && body(&page).ends_with("</html>\n"));
    assert_eq!(body(&rig.exchange(b"HEAD / HTTP/1.1\r\n\r\n")), "");
    assert!(
        body(&rig.exchange(b"GET /_status?service=alive HTTP/1.1\r\n\r\n")).starts_with("Monit 5.35.2 uptime: 16m\n\n")
    );
    assert!(body(&rig.exchange(b"GET /_report HTTP/1.1\r\n\r\n")).starts_with("up:             4 (50.0%)\n"));
    assert_eq!(rig.code(b"GET /_style.css HTTP/1.1\r\n\r\n"), 200);
    assert_eq!(rig.log(), [""; 0]);
    rig.settle();
    assert_eq!(rig.count(), 0);
    assert_eq!(rig.server.next_deadline(), None, "an idle front never wakes the loop");
}

#[test]
fn without_an_address_both_families_are_served() {
    let mut rig = Rig::open();
    let anywhere = Endpoint { address: None, port: rig.address().port() };
    rig.server.reconfigure(httpd(&["127.0.0.1/32", "::1/128"], &[]), Some(anywhere)).unwrap();
    for address in ["127.0.0.1", "::1"] {
        let ip: IpAddr = address.parse().unwrap();
        if !rig.server.tcp_addresses().iter().any(|listener| listener.is_ipv6() == ip.is_ipv6()) {
            continue; // This machine has no IPv6.
        }
        let mut client = TcpStream::connect((ip, anywhere.port)).unwrap();
        client.set_nonblocking(true).unwrap();
        assert_eq!(body(&rig.exchange_on(&mut client, b"GET /_ping HTTP/1.0\r\n\r\n")), "pong", "{address}");
    }
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let mut rig = Rig::open();
    let mut client = rig.connect();
    let request = b"POST /_status HTTP/1.1\r\nContent-Length: 13\r\n\r\nservice=alive";
    for byte in &request[..request.len() - 1] {
        client.write_all(&[*byte]).unwrap();
        rig.turn(None, Duration::from_millis(1));
    }
    let answer = rig.exchange_on(&mut client, &request[request.len() - 1..]);
    assert!(body(&answer).contains("'alive'"));
}

#[test]
fn errors_are_told_and_logged() {
    let mut rig = Rig::open();
    let answer = rig.exchange(b"GET /n%0Aope%1b HTTP/1.1\r\n\r\n");
    assert_eq!(code(&answer), 404);
    assert!(body(&answer).contains("<h2>Not Found</h2>There is no service named &quot;n\nope\u{fffd}&quot;<hr>"));
    assert_eq!(rig.code(b"GET /_report?type=x HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(rig.code(b"GET /_summary?service=x HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(rig.code(b"GET /_status?format=xml HTTP/1.1\r\n\r\n"), 501);
    let expected = [
        "HttpRequest: error -- client [127.0.0.1]: HTTP/1.0 404 There is no service named \"n\\nope\\x1b\"",
        "HttpRequest: error -- client [127.0.0.1]: HTTP/1.0 400 Invalid report type: 'x'",
        "HttpRequest: error -- client [127.0.0.1]: HTTP/1.0 400 Service 'x' not found",
        "HttpRequest: error -- client [127.0.0.1]: HTTP/1.0 501 format=xml is not supported yet",
    ];
    assert_eq!(rig.log(), expected);
}

#[test]
fn attacks_on_the_head_are_refused_and_hurt_nobody() {
    let mut rig = Rig::open();
    let head = |headers: &str| format!("POST /_status HTTP/1.1\r\n{headers}\r\n\r\n").into_bytes();
    assert_eq!(rig.code(format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(64 * 1024)).as_bytes()), 431);
    assert_eq!(rig.code(&format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(200_000)).into_bytes()), 431);
    assert_eq!(rig.code(&head("Content-Length: -1")), 400);
    assert_eq!(rig.code(&head("Content-Length: 99999999999")), 413);
    assert_eq!(rig.code(&head("Content-Length: 99999999999999999999999999")), 413);
    assert_eq!(rig.code(&head("Content-Length: 1\r\nContent-Length: 1")), 400);
    assert_eq!(rig.code(&head("Transfer-Encoding: chunked")), 501);
    assert_eq!(rig.code(b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1"), 400);
    assert_eq!(rig.code(b"DELETE / HTTP/1.1\r\n\r\n"), 501);
    assert_eq!(rig.code(b"GET / HTTP/3.0\r\n\r\n"), 505);
    let long = [&head("Content-Length: 5")[..], &vec![b'x'; 100_000]].concat();
    assert_eq!(rig.code(&long), 200, "the answer reaches a client that sends more than it said");
    assert_eq!(rig.code(b"GET /_ping HTTP/1.1\r\n\r\n"), 200);
}

#[test]
fn nothing_can_be_controlled_over_tcp() {
    let mut rig = Rig::open();
    for path in ["/_doaction", "/_daemon", "/alive", "/_runtime"] {
        let text = format!("POST {path} HTTP/1.1\r\nContent-Length: 26\r\n\r\nservice=alive&action=start");
        let answer = rig.exchange(text.as_bytes());
        assert_eq!(code(&answer), 403);
        assert!(body(&answer).contains("command line"), "{answer}");
    }
    assert_eq!(rig.done, []);
}

#[test]
fn users_must_log_in_and_failures_are_logged_as_login_watchers_expect() {
    let mut rig = Rig::new(httpd(&[], &[("adm", "pa55:word")]));
    let request = |token: &str| format!("GET /_ping HTTP/1.1\r\nAuthorization: Basic {token}\r\n\r\n").into_bytes();
    assert_eq!(rig.code(&request(&base64::encode(b"adm:pa55:word"))), 200);
    let answer = rig.exchange(b"GET /_ping HTTP/1.1\r\n\r\n");
    assert!(code(&answer) == 401 && answer.contains("\r\nWWW-Authenticate: Basic realm=\"monit\"\r\n"));
    assert!(!answer.contains("pa55"), "no secret in any answer");
    for token in ["YWRt", "!!!", "", &base64::encode(b"no colon")] {
        assert_eq!(rig.code(&request(token)), 401, "{token}");
    }
    assert_eq!(rig.log(), [""; 0], "only attempts with a name are logged");
    assert_eq!(rig.code(&request(&base64::encode(b"adm:x"))), 401);
    assert_eq!(rig.code(&request(&base64::encode(b"eve\n:x"))), 401);
    let long_name = [&vec![b'u'; 4096][..], b":x"].concat();
    assert_eq!(rig.code(&request(&base64::encode(&long_name))), 401);
    assert_eq!(rig.code(&request(&base64::encode(&vec![b'u'; 16 * 1024]))), 431);
    let log = rig.log();
    assert_eq!(log[0], "HttpRequest: access denied -- client [127.0.0.1]: wrong password for user 'adm'");
    assert_eq!(log[1], "HttpRequest: access denied -- client [127.0.0.1]: unknown user 'eve\\n'");
    let short = format!("HttpRequest: access denied -- client [127.0.0.1]: unknown user '{}'", "u".repeat(64));
    assert_eq!(log[2], short);
}

#[test]
fn a_host_that_is_not_allowed_is_turned_away_unread() {
    let mut rig = Rig::new(httpd(&["192.0.2.0/24"], &[]));
    let mut client = rig.connect();
    client.write_all(b"GET /_ping HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(rig.poll(None, Duration::from_secs(10)).len(), 1);
    rig.settle();
    assert_eq!(rig.count(), 0);
    client.set_nonblocking(false).unwrap();
    let mut answer = Vec::new();
    // An orderly end or a reset, depending on whether the request was there first.
    let _ = client.read_to_end(&mut answer);
    assert_eq!(answer, b"");
    assert_eq!(rig.log(), ["Denied connection from non-authorized client [127.0.0.1]"]);
}

#[test]
fn nobody_allowed_means_no_listener() {
    let mut server = Server::new(httpd(&[], &[]));
    assert!(matches!(server.listen_tcp(LOCAL), Err(Error::NobodyAllowed)));
    assert_eq!(server.tcp_addresses(), []);
}

#[test]
fn a_silent_or_slow_client_is_ended_by_its_deadline() {
    let mut rig = Rig::open();
    let (mut silent, mut slow, mut bodiless) = (rig.connect(), rig.connect(), rig.connect());
    slow.write_all(b"GET /").unwrap();
    bodiless.write_all(b"POST /_status HTTP/1.1\r\nContent-Length: 9\r\n\r\n").unwrap();
    for _ in 0..10 {
        rig.turn(None, Duration::from_millis(20));
    }
    assert_eq!(rig.count(), 3);
    assert_eq!(rig.server.next_deadline(), Some(rig.now.plus(Duration::from_secs(5))));
    rig.later(4);
    rig.settle();
    slow.write_all(b"_").unwrap();
    rig.turn(None, Duration::from_millis(100));
    rig.later(1);
    let mut chunk = [0; 4096];
    rig.turn(None, Duration::from_millis(20));
    assert_eq!(rig.exchange_on(&mut silent, b""), "");
    assert_eq!(code(&rig.exchange_on(&mut slow, b"")), 408, "a further byte moves no deadline");
    assert_eq!(code(&rig.exchange_on(&mut bodiless, b"")), 408);
    assert!(bodiless.read(&mut chunk).is_ok_and(|count| count == 0));
    drop((silent, slow, bodiless));
    rig.turn(None, Duration::from_millis(20));
    rig.settle();
    assert_eq!(rig.count(), 0);
}

#[test]
fn what_has_arrived_counts_although_its_deadline_passed() {
    let mut rig = Rig::open();
    let mut client = rig.connect();
    client.write_all(b"POST /_report HTTP/1.1\r\n").unwrap();
    rig.turn(None, Duration::from_secs(10));
    rig.turn(None, Duration::from_secs(10));
    client.write_all(b"Content-Length: 9\r\n\r\ntype=down").unwrap();
    rig.poll(None, Duration::from_secs(10));
    rig.later(20);
    assert_eq!(body(&rig.exchange_on(&mut client, b"")), "2\n");
}

#[test]
fn a_half_closed_client_never_spins_the_loop() {
    let mut rig = Rig::open();
    let client = rig.connect();
    (&client).write_all(b"GET /_pi").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    for _ in 0..10 {
        rig.turn(None, Duration::from_millis(20));
    }
    assert_eq!(rig.count(), 0, "half a request will never be a whole one");

    rig.hold = true;
    let mut client = rig.connect();
    client.write_all(b"GET /_ping HTTP/1.1\r\n\r\n").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    for _ in 0..3 {
        rig.turn(None, Duration::from_millis(20));
    }
    assert_eq!((rig.count(), rig.poll(None, Duration::ZERO).len()), (1, 0), "nothing is watched while it waits");
    rig.hold = false;
    assert_eq!(body(&rig.exchange_on(&mut client, b"")), "pong");
    rig.settle();
    assert_eq!(rig.count(), 0);
}

#[test]
fn clients_that_reset_or_never_read_end_alone() {
    let mut rig = Rig::open();
    rig.hold = true;
    let mut clients = [rig.connect(), rig.connect(), rig.connect()];
    for client in &mut clients {
        client.write_all(b"GET /_ping HTTP/1.1\r\n\r\n").unwrap();
    }
    let mut waiting = Vec::new();
    while waiting.len() < 3 {
        rig.turn(None, Duration::from_millis(20));
        waiting.extend(std::iter::from_fn(|| rig.server.next_request()).map(|(id, _)| id));
    }
    let [resets, early, never_reads] = clients;
    drop(early);
    for id in &waiting {
        rig.server.respond(*id, Reply::text("x".repeat(32 * 1024 * 1024)), rig.now);
    }
    for _ in 0..10 {
        rig.turn(None, Duration::from_millis(20));
    }
    // Closing with unread bytes makes the kernel send a reset.
    drop(resets);
    for _ in 0..10 {
        rig.turn(None, Duration::from_millis(20));
    }
    assert_eq!(rig.count(), 1);
    assert_eq!(rig.poll(None, Duration::ZERO), []);
    rig.hold = false;
    assert_eq!(rig.code(b"GET /_ping HTTP/1.1\r\n\r\n"), 200);
    rig.settle();
    assert_eq!(rig.server.next_deadline(), Some(rig.now.plus(Duration::from_secs(20))));
    rig.later(20);
    rig.settle();
    assert_eq!(rig.count(), 0);
    drop(never_reads);
}

#[test]
fn a_big_answer_arrives_whole() {
    let mut rig = Rig::open();
    rig.hold = true;
    let mut client = rig.connect();
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let (id, _) = loop {
        rig.turn(None, Duration::from_millis(20));
        if let Some(request) = rig.server.next_request() {
            break request;
        }
    };
    rig.server.respond(id, Reply::text("x".repeat(16 * 1024 * 1024)), rig.now);
    rig.server.respond(id, Reply::text("a second answer is ignored"), rig.now);
    assert_eq!(body(&rig.exchange_on(&mut client, b"")).len(), 16 * 1024 * 1024);
}

#[test]
fn a_thousand_idle_connections_keep_no_other_client_out() {
    let mut rig = Rig::open();
    let mut idle = VecDeque::new();
    for round in 0..1000 {
        idle.push_back(rig.connect());
        if idle.len() > 200 {
            idle.pop_front();
        }
        rig.turn(None, Duration::from_secs(10));
        assert!(rig.count() <= PER_PEER, "{round}");
    }
    let Some(mut good) = net::connect_tcp_from(IpAddr::from([127, 0, 0, 2]), rig.address()) else {
        return; // Systems other than Linux have only 127.0.0.1 unless told otherwise.
    };
    good.set_nonblocking(true).unwrap();
    rig.turn(None, Duration::from_secs(10));
    for _ in 0..50 {
        idle.push_back(rig.connect());
        rig.turn(None, Duration::from_secs(10));
    }
    assert_eq!(body(&rig.exchange_on(&mut good, b"GET /_ping HTTP/1.1\r\n\r\n")), "pong");
}

#[test]
fn when_all_places_are_taken_those_who_hold_the_most_give_way() {
    let mut rig = Rig::open();
    let from = |last: u8| net::connect_tcp_from(IpAddr::from([127, 0, 0, last]), rig.address());
    let Some(good) = from(50) else { return };
    let mut streams = vec![good];
    for last in 2..8 {
        streams.extend((0..PER_PEER).map(|_| from(last).unwrap()));
    }
    for _ in 0..50 {
        rig.turn(None, Duration::from_millis(10));
    }
    assert_eq!(rig.count(), TCP_MAX);
    let good = &mut streams[0];
    good.set_nonblocking(true).unwrap();
    assert_eq!(body(&rig.exchange_on(good, b"GET /_ping HTTP/1.1\r\n\r\n")), "pong", "the oldest, but alone");
}

#[test]
fn a_stale_token_does_not_touch_who_came_later() {
    let mut rig = Rig::open();
    let clients: Vec<_> = (0..PER_PEER).map(|_| rig.connect()).collect();
    while rig.count() < PER_PEER {
        rig.turn(None, Duration::from_secs(10));
    }
    let oldest = rig.server.connections().min_by_key(|(id, _)| id.generation).unwrap().0;
    clients[0].shutdown(Shutdown::Both).unwrap();
    let stale = Token::Connection(oldest);
    assert_eq!(rig.poll(None, Duration::from_secs(10)), [stale]);
    let mut newcomer = rig.connect();
    let listener = rig.poll(None, Duration::from_secs(10)).into_iter().find(|token| *token != stale);
    rig.server.ready(listener.unwrap(), rig.now);
    let holder = rig.server.connections().find(|(id, _)| id.slot == oldest.slot).unwrap().0;
    assert_ne!(holder, oldest, "the newcomer has the slot of the one that was evicted");
    rig.server.ready(stale, rig.now);
    rig.server.respond(oldest, Reply::text("for somebody else"), rig.now);
    assert_eq!(rig.count(), PER_PEER);
    assert_eq!(body(&rig.exchange_on(&mut newcomer, b"GET /_ping HTTP/1.1\r\n\r\n")), "pong");
}

#[test]
fn a_reload_keeps_what_did_not_change_and_what_cannot_be_replaced() {
    let mut rig = Rig::open();
    let port = rig.address().port();
    let mut early = rig.connect();
    rig.server.reconfigure(httpd(&["127.0.0.1/32"], &[("a", "b")]), Some(LOCAL)).unwrap();
    assert_eq!(rig.address().port(), port);
    assert_eq!(code(&rig.exchange_on(&mut early, b"GET / HTTP/1.1\r\n\r\n")), 401, "the new settings apply at once");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = Endpoint { port: taken.local_addr().unwrap().port(), ..LOCAL };
    let error = rig.server.reconfigure(httpd(&["127.0.0.1/32"], &[]), Some(elsewhere)).unwrap_err();
    assert!(matches!(error, Error::Tcp(address, error) if address == taken.local_addr().unwrap()
        && error.kind() == ErrorKind::AddrInUse));

    let wildcard = Endpoint { address: None, port: rig.address().port() };
    rig.server.reconfigure(httpd(&["127.0.0.1/32"], &[]), Some(wildcard)).unwrap();
    let addresses = rig.server.tcp_addresses();
    assert!(addresses.iter().all(|address| address.ip().is_unspecified() && address.port() == wildcard.port));
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, wildcard.port)).unwrap();
    client.set_nonblocking(true).unwrap();
    assert_eq!(code(&rig.exchange_on(&mut client, b"GET / HTTP/1.1\r\n\r\n")), 200);

    rig.server.reconfigure(httpd(&[], &[]), None).unwrap();
    assert_eq!(rig.server.tcp_addresses(), []);
}

/// Asks from a thread, as the command line is a process of its own, while this one drives the front.
fn ask(rig: &mut Rig, socket: &Path, question: Question) -> Result<client::Answer, client::Error> {
    let socket = socket.to_owned();
    let asker = std::thread::spawn(move || client::ask(&socket, &question, Duration::from_secs(10)));
    for _ in 0..TURNS {
        rig.turn(None, Duration::from_millis(5));
        if asker.is_finished() {
            break;
        }
    }
    asker.join().unwrap()
}

#[test]
fn the_command_line_controls_the_daemon_over_the_private_socket() {
    let directory = std::env::temp_dir().join(format!("pollux-http-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let socket = directory.join("control.sock");
    let mut rig = Rig::open();
    assert!(matches!(ask(&mut rig, &socket, Question::ping()), Err(client::Error::NotRunning)));
    rig.server.listen_private(&socket).unwrap();
    assert_eq!(ask(&mut rig, &socket, Question::ping()).unwrap().body, "pong");

    // Neither a full house on TCP nor somebody who holds the socket open keeps the command line out.
    let crowd: Vec<_> = (0..20).map(|_| rig.connect()).collect();
    let hogs: Vec<_> = (0..40).map(|_| net::connect_unix(&socket, Duration::from_secs(10)).unwrap()).collect();
    let named = |name: &str| Selection::Named(vec![name.to_owned()]);
    let start = ask(&mut rig, &socket, Question::action(Verb::Start, &named("ALIVE"))).unwrap();
    assert!(start.is_success());
    let quit = ask(&mut rig, &socket, Question::daemon(DaemonVerb::Quit)).unwrap();
    assert!(quit.is_success());
    let expected =
        [Outcome::Act { verb: Verb::Start, services: vec!["alive".into()] }, Outcome::Daemon(DaemonVerb::Quit)];
    assert_eq!(rig.done, expected);
    drop((crowd, hogs));

    let unknown = ask(&mut rig, &socket, Question::action(Verb::Stop, &named("x"))).unwrap();
    assert_eq!((unknown.code, unknown.body.as_str()), (400, "There is no service named \"x\"\n"));
    let text = |name: String| Text { selection: named(&name), product: Product::Monit, style: Style::PLAIN };
    let alive = ask(&mut rig, &socket, Question::status(&text("alive".into()))).unwrap();
    assert!(alive.body.contains("  pid                          5632\n"));
    let long = ask(&mut rig, &socket, Question::status(&text("x".repeat(10_000)))).unwrap();
    assert_eq!(long.code, 400, "a long name is unknown, not too long");
    assert_eq!(rig.log(), [""; 0], "what the command line gets wrong is told to its user alone");
    rig.server.close_private();
    assert!(!socket.exists());
    std::fs::remove_dir(&directory).unwrap();
}

#[test]
fn without_descriptors_clients_are_told_and_the_loop_does_not_spin() {
    let script = r#"ulimit -n 40 && exec "$0" --exact http::tests::without_descriptors --ignored"#;
    let this = std::env::current_exe().unwrap();
    let child = std::process::Command::new("/bin/sh").arg("-c").arg(script).arg(this).output().unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
}

#[test]
#[ignore = "run by the test above in a process with few descriptors"]
fn without_descriptors() {
    let mut rig = Rig::open();
    let mut clients = [rig.connect(), rig.connect()];
    let mut hoard = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        hoard.push(file);
        assert!(hoard.len() < 100, "the limit is not in force");
    }
    for client in &mut clients {
        assert_eq!(code(&rig.exchange_on(client, b"")), 503);
    }
    rig.settle();
    assert_eq!(rig.log().len(), 2);
    hoard.truncate(hoard.len() - 4);
    assert_eq!(rig.code(b"GET /_ping HTTP/1.1\r\n\r\n"), 200, "it goes on as soon as there are descriptors");
}
