//! What was done to daemons of this kind over HTTP (the CVEs of Monit among it), and what is done to any server: each time
//! the daemon lives on, answers, and did nothing that nobody with the right to it asked for.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::mem;
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::Command;
use std::time::{Duration, Instant};

use pollux::base::base64;

use crate::harness::{PATIENCE, Sandbox, page, process, skipped, until};

/// A daemon that watches a live service and shows it to users; every test ends with [`Target::stands`].
struct Target {
    sandbox: Sandbox,
    port: u16,
    /// The service's process.
    puma: u32,
}

/// Who may act.
const US: &str = "us:let me in";
/// Who may only look.
const RO: &str = "ro:look";
/// What the control file lets in.
const ALLOW: &str = "allow 127.0.0.0/8 allow us:'let me in' allow ro:'look' read-only";

/// The header of a log-in.
fn basic(plain: &[u8]) -> String {
    format!("Authorization: Basic {}\r\n", base64::encode(plain))
}

/// The status code of an answer; 0 for none.
fn code(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.0 ").and_then(|rest| rest.get(..3)?.parse().ok()).unwrap_or(0)
}

/// All that comes until the end, be it orderly or not. A signal to us, of which a timeout makes an error, is no end.
fn rest(mut client: &TcpStream) -> String {
    let mut answer = Vec::new();
    let mut chunk = [0; 64 * 1024];
    loop {
        match client.read(&mut chunk) {
            Ok(count @ 1..) => answer.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

impl Target {
    fn new() -> Target {
        Target::with(ALLOW, "")
    }

    fn with(allow: &str, more: &str) -> Target {
        Target::start(allow, more, &[])
    }

    /// With scripts, each a name and a text.
    fn start(allow: &str, more: &str, scripts: &[(&str, &str)]) -> Target {
        let sandbox = Sandbox::new();
        for (name, text) in scripts {
            sandbox.script(name, text);
        }
        let port = page::free_port();
        let httpd = format!("set httpd port {port} use address 127.0.0.1 {allow}\n");
        sandbox.control(&(httpd + &sandbox.service("puma") + more));
        let puma = sandbox.bring_up("puma");
        sandbox.start();
        sandbox.cycle();
        Target { sandbox, port, puma }
    }

    /// Sends bytes as they are; what comes back.
    fn raw(&self, bytes: &[u8]) -> String {
        let mut client = page::connect(self.port).expect("a connection");
        // An answer may come before all is sent.
        let _ = client.write_all(bytes);
        rest(&client)
    }

    fn get(&self, path: &str, user: &str) -> String {
        self.raw(format!("GET {path} HTTP/1.0\r\n{}\r\n", basic(user.as_bytes())).as_bytes())
    }

    fn post(&self, path: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        self.raw(format!("POST {path} HTTP/1.0\r\nContent-Length: {length}\r\n{headers}\r\n{body}").as_bytes())
    }

    /// The same as a script that may act does it, with a pair of tokens that it made up.
    fn act(&self, path: &str, body: &str) -> String {
        let headers = format!("{}Cookie: securitytoken=abc\r\n", basic(US.as_bytes()));
        self.post(path, &headers, &format!("securitytoken=abc&{body}"))
    }

    /// A token of the daemon's.
    fn token(&self) -> String {
        let page = self.get("/puma", US);
        let cookie = page.split_once("Set-Cookie: securitytoken=").expect("a cookie").1;
        cookie.split_once(';').expect("attributes").0.to_owned()
    }

    /// The daemon is the same process, answers strangers and friends, still watches, and nothing was done to the service.
    fn stands(&self) {
        let status = self.sandbox.cli(&["status", "-B", "puma"]);
        assert_eq!(status.code, Some(0), "{status:?}");
        let pid = format!("  pid                          {}\n", self.puma);
        assert!(
            status.out.contains("monitoring status            Monitored\n") && status.out.contains(&pid),
            "{status:?}"
        );
        assert_eq!(self.sandbox.begun("puma", "restart") + self.sandbox.begun("puma", "stop"), 0);
        until("an answer", || (code(&self.get("/_ping", US)) == 200).then_some(()));
        assert!(self.get("/", US).contains(">puma</a>"));
        let log = self.sandbox.log();
        assert!(!log.contains("panic"), "{log}");
        self.sandbox.skip_log();
        self.sandbox.kill_standin("puma");
        self.sandbox.cycle();
        self.sandbox.await_log("'puma' process is running with pid");
        self.sandbox.stop();
    }
}

/// CVE-2003-1083, and no request line, header or number of them is too long to be refused.
#[test]
fn long_requests() {
    let target = Target::new();
    let long = "x".repeat(64 * 1024);
    for request in [
        format!("GET /{long} HTTP/1.0\r\n\r\n"),
        format!("GET / HTTP/1.0\r\nX: {long}\r\n\r\n"),
        format!("GET / HTTP/1.0\r\n{long}: x\r\n\r\n"),
        format!("GET / HTTP/1.0\r\nCookie: securitytoken={long}\r\n\r\n"),
        // No end of line comes at all.
        long.clone(),
        // The endless stream of headers that Monit 5.32 learnt to end.
        format!("GET / HTTP/1.0\r\n{}\r\n", "A: b\r\n".repeat(20_000)),
    ] {
        let answer = target.raw(request.as_bytes());
        assert!([400, 431].contains(&code(&answer)), "{}: {answer}", &request[..40]);
    }
    target.stands();
}

#[test]
fn headers_without_end_cost_no_memory() {
    if !cfg!(target_os = "linux") {
        return skipped("attacks::headers_without_end_cost_no_memory", "it reads Linux's /proc");
    }
    let target = Target::new();
    let kilobytes = || -> u64 {
        let peak = process::status_field(target.sandbox.pid(), "VmHWM");
        peak.split(' ').next().expect("a number").parse().expect("a number")
    };
    target.get("/", US);
    let before = kilobytes();
    let lines = "Accept: text/html\r\n".repeat(1000);
    let mut sent = 0;
    for _ in 0..4 {
        let mut client = page::connect(target.port).expect("a connection");
        client.write_all(b"GET / HTTP/1.0\r\n").expect("the beginning");
        while sent < 100 << 20 && client.write_all(lines.as_bytes()).is_ok() {
            sent += lines.len();
        }
    }
    assert!(kilobytes() < before + 8 * 1024, "{before} kB before, {} kB after {sent} bytes", kilobytes());
    target.stands();
}

/// CVE-2003-1084, and lengths that overflow whatever holds them.
#[test]
fn lengths_that_are_none() {
    let target = Target::new();
    let post = |headers: &str| {
        let user = basic(US.as_bytes());
        code(&target.raw(format!("POST /puma HTTP/1.0\r\n{user}{headers}\r\n\r\naction=stop").as_bytes()))
    };
    for length in ["-1", "-2147483648", "-9223372036854775808", "text", "", "0x10", "+5", "1 1", "5,5", "\u{b2}"] {
        assert_eq!(post(&format!("Content-Length: {length}")), 400, "{length}");
    }
    for length in ["2147483648", "4294967295", "99999999999", "18446744073709551615", "18446744073709551616"] {
        assert_eq!(post(&format!("Content-Length: {length}")), 413, "{length}");
    }
    assert_eq!(post(&format!("Content-Length: {}", "9".repeat(4000))), 413);
    assert_eq!(post("X: no length"), 400);
    assert_eq!(post("Content-Length: 11\r\nContent-Length: 12"), 400);
    assert_eq!(post("Content-Length: 11\r\nTransfer-Encoding: chunked"), 501);
    target.stands();
}

#[test]
fn what_is_no_request() {
    let target = Target::new();
    for (bytes, expected) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"DELETE /puma HTTP/1.0\r\n\r\n", 501),
        (b"CONNECT puma:1 HTTP/1.0\r\n\r\n", 501),
        (b"get / HTTP/1.0\r\n\r\n", 501),
        (b"GET / HTTP/1.0\r\nA\0: b\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\nA : b\r\n\r\n", 400),
        (b"\0\0\0\0\r\n\r\n", 400),
        (b"\xff\xfe\r\n\r\n", 400),
    ] {
        assert_eq!(code(&target.raw(bytes)), expected, "{:?}", String::from_utf8_lossy(bytes));
    }
    target.stands();
}

/// CVE-2004-1897 and CVE-2004-1898.
#[test]
fn credentials_that_are_none() {
    let target = Target::new();
    let get = |header: &str| target.raw(format!("GET / HTTP/1.0\r\n{header}\r\n").as_bytes());
    for header in [
        basic(b"admin"),
        basic(b""),
        basic(b":"),
        "Authorization: Basic\r\n".to_owned(),
        "Authorization: Basic \r\n".to_owned(),
        "Authorization: Basic =\r\n".to_owned(),
        "Authorization: Basic !!!!\r\n".to_owned(),
        "Authorization: Basic dXM6eA\r\n".to_owned(),
        "Authorization: Basic \u{b2}\r\n".to_owned(),
        "Authorization: \r\n".to_owned(),
        "Authorization: Digest username=\"us\"\r\n".to_owned(),
        basic(&[b"us\0:", &[0xff; 300][..]].concat()),
        basic(&[&b"u".repeat(5000)[..], b":x"].concat()),
    ] {
        let answer = get(&header);
        assert_eq!(code(&answer), 401, "{header}: {answer}");
        assert!(answer.contains("\r\nWWW-Authenticate: Basic realm=\"monit\"\r\n") && !answer.contains("let me in"));
    }
    assert_eq!(code(&get(&basic(&[&b"u".repeat(16 * 1024)[..], b":x"].concat()))), 431);
    let log = target.sandbox.log();
    assert!(log.contains(&format!("unknown user '{}'\n", "u".repeat(64))), "a long name is cut: {log}");
    target.stands();
}

/// CVE-2004-1899.
#[test]
fn bodies_at_and_beyond_the_edges() {
    let target = Target::new();
    let body = |length: usize| {
        let form = "action=monitor&service=puma&padding=";
        form.to_owned() + &"x".repeat(length - form.len() - "securitytoken=abc&".len())
    };
    for length in [255, 256, 257, 1022, 1023, 1024, 1025, 8191, 8192, 8193, 16 * 1024 - 1, 16 * 1024] {
        let answer = target.act("/_doaction", &body(length));
        assert_eq!(code(&answer), 302, "{length}: {answer}");
    }
    assert_eq!(code(&target.act("/_doaction", &body(16 * 1024 + 1))), 413);
    // The answer comes before the body; sent all the same, it hurts nobody.
    let mut client = page::connect(target.port).expect("a connection");
    client.write_all(b"POST /_doaction HTTP/1.0\r\nContent-Length: 1048576\r\n\r\n").expect("the head");
    assert_eq!(code(&rest(&client)), 413);
    let _ = client.write_all(&vec![b'x'; 1 << 20]);
    // More than was said is not read as a part of it.
    let headers = format!("{}Cookie: securitytoken=abc\r\n", basic(US.as_bytes()));
    let form = "securitytoken=abc&action=monitor&service=puma";
    let request = format!("POST /_doaction HTTP/1.0\r\nContent-Length: {}\r\n{headers}\r\n{form}", form.len());
    assert_eq!(code(&target.raw(format!("{request}&service=nosuch").as_bytes())), 302);
    target.stands();
}

/// CVE-2016-7067: pages of others must not act through an administrator's browser.
#[test]
fn requests_that_nobody_meant() {
    let target = Target::new();
    let token = target.token();
    let user = basic(US.as_bytes());
    let host = format!("127.0.0.1:{}", target.port);
    let cookie = format!("{user}Host: {host}\r\nCookie: securitytoken={token}\r\n");
    let invented = format!("{user}Host: {host}\r\nCookie: securitytoken=abc\r\n");
    let ours = format!("action=stop&securitytoken={token}");
    for (headers, form) in [
        // No token, half of one, two that differ.
        (user.clone(), "action=stop".to_owned()),
        (user.clone(), ours.clone()),
        (cookie.clone(), "action=stop".to_owned()),
        (cookie.clone(), "action=stop&securitytoken=".to_owned()),
        (cookie.clone(), format!("{ours}0")),
        (cookie.clone(), format!("action=stop&securitytoken={}", &token[1..])),
        (format!("{user}Cookie: securitytoken=\r\n"), "action=stop&securitytoken=".to_owned()),
        // A right pair, from a page of somebody else.
        (format!("{cookie}Origin: http://evil.example\r\n"), ours.clone()),
        (format!("{cookie}Origin: null\r\n"), ours.clone()),
        (format!("{cookie}Origin: http://{host}.evil.example\r\n"), ours.clone()),
        (format!("{cookie}Sec-Fetch-Site: cross-site\r\n"), ours.clone()),
        (format!("{cookie}Sec-Fetch-Site: same-site\r\n"), ours.clone()),
        (format!("{cookie}Sec-Fetch-Site: cross-site\r\nOrigin: http://{host}\r\n"), ours.clone()),
        // An equal pair that somebody planted in the browser, which 5.33 accepts.
        (format!("{invented}Origin: http://{host}\r\n"), "action=stop&securitytoken=abc".to_owned()),
        (format!("{invented}Sec-Fetch-Site: same-origin\r\n"), "action=stop&securitytoken=abc".to_owned()),
        (format!("{invented}Origin: http://evil.example\r\n"), "action=stop&securitytoken=abc".to_owned()),
    ] {
        for path in ["/puma", "/_doaction?service=puma", "/_runtime"] {
            let form = if path == "/_runtime" { form.replace("stop", "validate") } else { form.clone() };
            let answer = target.post(path, &headers, &form);
            assert_eq!(code(&answer), 403, "{path} {headers} {form}: {answer}");
        }
    }
    for path in ["/puma?action=stop", "/_doaction?action=stop&service=puma", "/_runtime?action=validate"] {
        for method in ["GET", "HEAD"] {
            target.raw(format!("{method} {path}&securitytoken={token} HTTP/1.0\r\n{cookie}\r\n").as_bytes());
        }
    }
    // Those who may only look, with a right pair.
    let reader = format!("{}Cookie: securitytoken={token}\r\n", basic(RO.as_bytes()));
    assert_eq!(code(&target.post("/puma", &reader, &ours)), 403);
    target.sandbox.settled();
    let log = target.sandbox.log();
    assert!(!log.contains("'puma' stop") && !log.contains("Awakened by a request"), "{log}");
    // The same request, meant: a page's own button, and a script's.
    let meant = format!("{cookie}Origin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n");
    assert_eq!(code(&target.post("/puma", &meant, &ours.replace("stop", "monitor"))), 302);
    assert_eq!(code(&target.act("/puma", "action=monitor")), 302);
    target.stands();
}

/// CVE-2019-11454 and the forging of log lines that 5.33 still allows: names stand in the log, and the log on a page.
#[test]
fn names_that_are_markup_or_lines() {
    let target = Target::new();
    let forged = "[2026-01-01T00:00:00+0000] info     : 'puma' forged";
    for name in ["<script>alert(1)</script>", "</pre><b>", &format!("eve\r\n{forged}"), "\u{1b}[2J\u{8}\u{9b}x"] {
        let answer = target.get("/", &format!("{name}:x"));
        assert_eq!(code(&answer), 401);
        assert!(!answer.contains("script") && !answer.contains("forged"));
        // Nor may a right log-in be made to wait.
        assert_eq!(code(&target.get("/_ping", US)), 200);
    }
    assert_eq!(code(&target.get("/nosuch%0d%0a%3Cscript%3E", US)), 404);
    let log = until("the log", || Some(target.sandbox.log()).filter(|log| log.contains("nosuch")));
    assert!(!log.lines().any(|line| line.starts_with(forged)), "{log}");
    assert!(log.contains("unknown user 'eve\\r\\n[2026-01-01"), "{log}");
    assert!(!log.contains(['\u{1b}', '\u{8}', '\u{9b}', '\r']), "{log}");
    let page = target.get("/_viewlog", US);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && page.contains("&lt;/pre&gt;&lt;b&gt;"), "{page}");
    assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
    target.stands();
}

/// CVE-2019-11455: an escape that ends too early is no reason to read on.
#[test]
fn escapes_that_end_too_early() {
    let target = Target::new();
    for tail in ["%", "%4", "%zz", "%4z", "%u0041", "%ff", "%%", "%-1"] {
        for path in
            [format!("/{tail}"), format!("/puma{tail}"), format!("/_status?service={tail}"), format!("/?{tail}=x")]
        {
            let answer = target.get(&path, US);
            assert_eq!(code(&answer), 400, "{path}: {answer}");
            let message =
                answer.split_once("</h2>").and_then(|(_, rest)| rest.split_once("<hr>")).expect("a message").0;
            assert!(message.starts_with("Cannot parse Request pa"), "nothing else is told: {message}");
        }
        for form in [format!("action=stop{tail}"), format!("action=stop&x={tail}"), format!("action=stop&{tail}")] {
            assert_eq!(code(&target.act("/puma", &form)), 400, "{form}");
        }
    }
    assert_eq!(code(&target.get("/%70uma", US)), 200, "a whole one is read");
    assert_eq!(code(&target.get("/puma%00", US)), 404, "a null byte ends no name");
    target.stands();
}

/// What Monit 5.27 learnt to escape: strings of the control file, and of the request.
#[test]
fn markup_in_names_addresses_and_output() {
    let more = "check program \"<script>alert(1)</script>\" with path \"/bin/echo </pre><script>alert(2)</script><!--\"\n\
                \x20 if status = 0 then alert\n\
                check process '\"><img src=x onerror=alert(1)>' with pidfile \"@DIR@/run/<script>\" group \"<b>\"\n\
                \x20 if not exist then alert\n";
    let target = Target::with(ALLOW, more);
    target.sandbox.cycle();
    let overview = until("the program's end", || {
        Some(target.get("/", US)).filter(|page| page.contains("alert(2)") || page.contains("status failed"))
    });
    let links =
        overview.split("<td class=\"name\"><a href=\"").skip(1).map(|rest| rest.split_once('"').expect("an end").0);
    let mut pages: Vec<String> = links.map(|link| target.get(link, US)).collect();
    assert!(pages.len() >= 4 && pages.iter().all(|page| code(page) == 200), "{pages:?}");
    pages.push(overview);
    for path in ["/<script>alert(3)</script>", "/%3Cscript%3E", "/_report?type=<script>", "/_status?service=<script>"] {
        pages.push(target.get(path, US));
    }
    pages.push(target.act("/puma", "action=<script>"));
    pages.push(target.get("/_viewlog", US));
    for page in pages {
        for hostile in ["<script", "<img", "<b>", "<!--", "\"><img", " onerror=alert(1)>"] {
            assert!(!page.contains(hostile), "{hostile} in {page}");
        }
    }
    target.stands();
}

/// Clickjacking, and types that browsers guess: no answer comes without the headers against them, and none can be given
/// another header by what was asked.
#[test]
fn every_answer_has_the_headers_that_protect_browsers() {
    let target = Target::new();
    let answers = [
        target.get("/", US),
        target.get("/puma", US),
        target.get("/_viewlog", US),
        target.get("/_status?format=xml", US),
        target.get("/_style.css", US),
        target.get("/favicon.ico", US),
        target.get("/nosuch", US),
        target.get("/_viewlog", RO),
        target.get("/", "us:wrong"),
        target.get("/%", US),
        target.raw(b"NO / HTTP/1.0\r\n\r\n"),
        target.act("/puma", "action=monitor"),
        target.act("/puma%0d%0aX-Evil:%201", "action=monitor"),
        target.get("/a%0d%0aX-Evil:%201", US),
    ];
    for answer in answers {
        let head = answer.split_once("\r\n\r\n").expect("a head").0;
        for header in [
            "X-Frame-Options: SAMEORIGIN",
            "X-Content-Type-Options: nosniff",
            "Content-Security-Policy: default-src 'none'; ",
            "frame-ancestors 'self'",
            "Cache-Control: no-store",
        ] {
            assert!(head.contains(header), "{header} in {answer}");
        }
        assert!(!head.contains("X-Evil"), "{answer}");
        assert!(!head.contains("Set-Cookie") || head.contains("; HttpOnly; SameSite=strict"), "{answer}");
    }
    target.stands();
}

/// What is no end of a connection.
const CONTINUES: [io::ErrorKind; 3] = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut, io::ErrorKind::Interrupted];

/// Whoever begins and does not go on is ended by the clock, and nobody waits for them.
#[test]
fn requests_that_never_end() {
    let target = Target::new();
    let begin = |bytes: &[u8]| {
        let mut client = page::connect(target.port).expect("a connection");
        client.write_all(bytes).expect("the beginning");
        client
    };
    let mut drop_by_drop = begin(b"GET /_ping HTTP/1.0\r\nX: ");
    let clients = [
        begin(b"GET / HT"),
        begin(b"GET / HTTP/1.0\r\nX: y\r\n"),
        begin(b"POST /_status HTTP/1.0\r\nContent-Length: 100\r\n\r\nservice="),
    ];
    let silent = begin(b"");
    let half = begin(b"GET / HT");
    half.shutdown(Shutdown::Write).expect("shutdown");
    assert_eq!(rest(&half), "", "no more can come of it");
    assert_eq!(code(&target.get("/_ping", US)), 200);
    drop_by_drop.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
    let mut chunk = [0; 1024];
    let end = until("the end of who sends a byte at a time", || match drop_by_drop.read(&mut chunk) {
        Err(error) if CONTINUES.contains(&error.kind()) => {
            let _ = drop_by_drop.write_all(b"y");
            None
        }
        end => Some(end.map(|count| String::from_utf8_lossy(&chunk[..count]).into_owned())),
    });
    assert!(end.is_err() || end.is_ok_and(|answer| code(&answer) == 408));
    for client in &clients {
        assert_eq!(code(&rest(client)), 408);
    }
    assert_eq!(rest(&silent), "");
    target.stands();
}

/// Clients that reset, vanish, or never read what they asked for.
#[test]
fn clients_that_leave_at_the_wrong_time() {
    let target = Target::new();
    let request = format!("GET /_viewlog HTTP/1.0\r\n{}\r\n", basic(US.as_bytes()));
    let mut unread = VecDeque::new();
    for round in 0..300 {
        let mut client = page::connect(target.port).expect("a connection");
        let _ =
            client.write_all(&request.as_bytes()[..if round % 3 == 0 { round % request.len() } else { request.len() }]);
        match round % 4 {
            // Closing with an answer that was not read makes the kernel send a reset.
            0 => drop(client),
            1 => client.shutdown(Shutdown::Both).expect("shutdown"),
            _ => unread.push_back(client),
        }
        if unread.len() > 20 {
            unread.pop_front();
        }
    }
    assert_eq!(code(&target.get("/_ping", US)), 200);
    target.stands();
}

/// More than the kernel keeps for somebody who does not read.
const LARGE: usize = 6 << 20;

/// Who asks for much and reads none of it waits for themselves alone.
#[test]
fn clients_that_never_read() {
    let noise = "#!/bin/sh\ndd if=/dev/zero bs=1048576 count=6 2>/dev/null | tr '\\0' x\nexit 3\n";
    let more = "set limits { programOutput: 7 MB }\n\
                check program noise with path @DIR@/bin/noise if status > 5 then alert\n";
    let target = Target::start(ALLOW, more, &[("noise", noise)]);
    let whole = until("the program's output", || Some(target.get("/noise", US)).filter(|answer| answer.len() > LARGE));
    let request = format!("GET /noise HTTP/1.0\r\n{}\r\n", basic(US.as_bytes()));
    let deaf: Vec<TcpStream> = (0..6)
        .map(|_| {
            let mut client = page::connect(target.port).expect("a connection");
            client.write_all(request.as_bytes()).expect("the request");
            // The answer has begun.
            assert_eq!(until("an answer", || client.peek(&mut [0]).ok()), 1);
            client
        })
        .collect();
    assert_eq!(code(&target.get("/_ping", US)), 200);
    assert_eq!(target.get("/noise", US).len(), whole.len(), "who reads has it all");
    drop(deaf);
    target.stands();
}

/// A connection from an address of the loopback network; `None` on systems that have only 127.0.0.1.
fn connect_from(source: Ipv4Addr, port: u16) -> Option<TcpStream> {
    // SAFETY: socket(2) takes no pointer; its result is ours alone.
    let socket = unsafe {
        let number = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        assert!(number >= 0, "{}", io::Error::last_os_error());
        OwnedFd::from_raw_fd(number)
    };
    let name = |address: Ipv4Addr, port: u16| {
        // SAFETY: all zero is a sockaddr_in.
        let mut name: libc::sockaddr_in = unsafe { mem::zeroed() };
        name.sin_family = libc::AF_INET as libc::sa_family_t;
        name.sin_addr.s_addr = u32::from_ne_bytes(address.octets());
        name.sin_port = port.to_be();
        name
    };
    let length = mem::size_of::<libc::sockaddr_in>() as libc::socklen_t;
    let (own, peer) = (name(source, 0), name(Ipv4Addr::LOCALHOST, port));
    // SAFETY: pointer and length describe `own`, which outlives the call.
    if unsafe { libc::bind(socket.as_raw_fd(), (&raw const own).cast(), length) } != 0 {
        return None;
    }
    // SAFETY: the same for `peer`.
    let connected = unsafe { libc::connect(socket.as_raw_fd(), (&raw const peer).cast(), length) };
    assert_eq!(connected, 0, "{}", io::Error::last_os_error());
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    Some(stream)
}

/// Descriptors that this process may open, most of which a test may use.
fn descriptors() -> usize {
    let told = Command::new("/bin/sh").args(["-c", "ulimit -n"]).output().expect("/bin/sh").stdout;
    let limit = String::from_utf8_lossy(&told).trim().parse().unwrap_or(usize::MAX);
    limit.saturating_sub(128) / 2
}

const IDLE: usize = 1000;
/// In which a client elsewhere is answered meanwhile.
const PROMPT: Duration = Duration::from_millis(100);

#[test]
fn a_thousand_idle_connections_delay_nobody_elsewhere() {
    let elsewhere = Ipv4Addr::new(127, 0, 0, 2);
    let target = Target::new();
    if connect_from(elsewhere, target.port).is_none() {
        let why = "this machine has no other loopback address than 127.0.0.1";
        return skipped("attacks::a_thousand_idle_connections_delay_nobody_elsewhere", why);
    }
    let held = IDLE.min(descriptors()).max(16);
    if held < IDLE {
        eprintln!("{IDLE} connections are made, the last {held} of which stay open: ulimit -n allows no more");
    }
    let mut idle = VecDeque::new();
    let mut open = |count: usize| {
        for _ in 0..count {
            if idle.len() >= held {
                idle.pop_front();
            }
            idle.push_back(page::connect(target.port).expect("a connection"));
        }
    };
    open(IDLE);
    let request = format!("GET /_ping HTTP/1.0\r\n{}\r\n", basic(US.as_bytes()));
    let ask = || {
        let begun = Instant::now();
        let mut good = connect_from(elsewhere, target.port).expect("a connection");
        good.write_all(request.as_bytes()).expect("the request");
        let answer = rest(&good);
        assert!(code(&answer) == 200 && answer.ends_with("pong"), "{answer}");
        begun.elapsed()
    };
    // Each is answered. How soon is up to the daemon only when the machine leaves it alone, so the best counts.
    let begun = Instant::now();
    let mut best = ask();
    while best >= PROMPT && begun.elapsed() < PATIENCE {
        open(20);
        best = best.min(ask());
    }
    assert!(best < PROMPT, "{best:?}");
    // One who stays connected all the while loses nothing to them.
    let mut early = connect_from(elsewhere, target.port).expect("a connection");
    open(200);
    early.write_all(request.as_bytes()).expect("the request");
    assert_eq!(code(&rest(&early)), 200);
    eprintln!("{IDLE} idle connections from one address: a client elsewhere was answered in {best:?}");
    drop(idle);
    target.stands();
}

/// A host that is not allowed is not even read.
#[test]
fn strangers_are_turned_away_unread() {
    let target = Target::with("allow 127.0.0.1 allow us:'let me in'", "");
    let Some(mut stranger) = connect_from(Ipv4Addr::new(127, 0, 0, 2), target.port) else {
        let why = "this machine has no other loopback address than 127.0.0.1";
        return skipped("attacks::strangers_are_turned_away_unread", why);
    };
    let _ = stranger.write_all(format!("GET / HTTP/1.0\r\n{}\r\n", basic(US.as_bytes())).as_bytes());
    assert_eq!(rest(&stranger), "");
    target.sandbox.await_log("Denied connection from non-authorized client [127.0.0.2]");
    target.stands();
}

/// Without a descriptor for one more client the daemon says so, and goes on when there is one again.
#[test]
fn a_daemon_without_descriptors_goes_on() {
    if !cfg!(target_os = "linux") {
        return skipped("attacks::a_daemon_without_descriptors_goes_on", "it counts by Linux's /proc");
    }
    let target = Target::new();
    // The least of several counts: what the command line has just asked is closed by and by.
    let descriptors = format!("/proc/{}/fd", target.sandbox.pid());
    let count = || std::fs::read_dir(&descriptors).expect("descriptors").count();
    let open = (0..50).map(|_| count()).min().unwrap_or_default();
    target.sandbox.stop();
    let mut command = Command::new("/bin/sh");
    // Room for six clients, less than one address may have, and enough for a start program when they are gone.
    let script = format!("ulimit -n {} && exec \"$0\" -I -c monitrc", open + 6);
    command.args(["-c", &script, env!("CARGO_BIN_EXE_pollux")]).current_dir(&target.sandbox.dir);
    let plain = target.sandbox.command(&[]);
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    target.sandbox.start_by(command);
    let crowd: Vec<_> = (0..8).map(|_| page::connect(target.port).expect("a connection")).collect();
    assert_eq!(crowd.last().map(|client| code(&rest(client))), Some(503));
    target.sandbox.await_log("no file descriptor is left");
    drop(crowd);
    target.stands();
}
