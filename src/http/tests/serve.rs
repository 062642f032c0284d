//! Good clients, users, reloads and the command line.

use super::*;

#[test]
fn good_requests_are_answered() {
    let mut rig = Rig::open();
    for request in [
        "GET /_ping HTTP/1.0\r\n\r\n",
        "GET /_ping HTTP/1.1\r\nHost: box.example\r\nConnection: keep-alive\r\n\r\n",
        "GET /_ping HTTP/1.1\nHost: box.example:2812\n\n",
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
    let anywhere = rig.widen();
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
fn the_xml_declares_what_it_is() {
    let mut rig = Rig::open();
    for (path, beginning) in [("/_status", "<monit><server><id>"), ("/_status2", "<monit id=\"58a7df95")] {
        let answer = rig.exchange(format!("GET {path}?format=xml&level=full HTTP/1.1\r\n\r\n").as_bytes());
        assert!(answer.contains("\r\nContent-Type: text/xml; charset=utf-8\r\n"), "{answer}");
        let expected = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{beginning}");
        assert!(body(&answer).starts_with(&expected), "{answer}");
    }
    assert!(
        body(&rig.exchange(b"POST /_status HTTP/1.1\r\nContent-Length: 10\r\n\r\nformat=xml")).starts_with("<?xml")
    );
}

#[test]
fn errors_are_told_and_logged() {
    let mut rig = Rig::open();
    let answer = rig.exchange(b"GET /n%0Aope%1b HTTP/1.1\r\n\r\n");
    assert_eq!(code(&answer), 404);
    assert!(body(&answer).contains("<h2>Not Found</h2>There is no service named \"n\nope\u{fffd}\"<hr>"));
    assert_eq!(rig.code(b"GET /_report?type=x HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(rig.code(b"GET /_summary?service=x HTTP/1.1\r\n\r\n"), 400);
    let expected = [
        "HttpRequest: error -- client [127.0.0.1]: HTTP/1.0 404 There is no service named \"n\\nope\\x1b\"",
        "HttpRequest: error -- client [127.0.0.1]: HTTP/1.0 400 Invalid report type: 'x'",
        "HttpRequest: error -- client [127.0.0.1]: HTTP/1.0 400 Service 'x' not found",
    ];
    assert_eq!(rig.log(), expected);
}

fn posted(path: &str, headers: &str, form: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nContent-Length: {}\r\n{headers}\r\n\r\n{form}", form.len()).into_bytes()
}

#[test]
fn services_are_controlled_with_a_token_only() {
    let mut rig = Rig::open();
    let page = rig.exchange(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    let token = page.split_once("Set-Cookie: securitytoken=").unwrap().1.split_once(';').unwrap().0.to_owned();
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    let ours = format!("action=start&securitytoken={token}");
    let browser = format!("Host: box.example\r\nOrigin: http://box.example\r\nCookie: securitytoken={token}");
    let script = "Host: 127.0.0.1\r\nCookie: securitytoken=abc";

    let answer = rig.exchange(&posted("/alive", &browser, &ours));
    assert!(code(&answer) == 302 && answer.contains("\r\nLocation: /alive\r\n"), "{answer}");
    assert_eq!(rig.code(&posted("/_doaction", script, "service=alive&action=stop&securitytoken=abc")), 302);
    assert_eq!(rig.code(&posted("/_runtime", script, "action=validate&securitytoken=abc")), 200);
    let done = std::mem::take(&mut rig.done);
    let verbs = done.iter().map(|outcome| match outcome {
        Outcome::Act { verb, services, .. } => format!("{} {}", verb.word(), services.join(" ")),
        outcome => format!("{outcome:?}"),
    });
    assert_eq!(verbs.collect::<Vec<_>>(), ["start alive", "stop alive", "Daemon(Validate)"]);

    let foreign = browser.replace("http://box.example", "http://evil.example");
    for (headers, form) in [
        (script, "action=start"),
        (script, "action=start&securitytoken=abd"),
        ("Host: 127.0.0.1", "action=start&securitytoken=abc"),
        (&*foreign, &*ours),
        (
            "Host: box.example\r\nOrigin: http://box.example\r\nCookie: securitytoken=abc",
            "action=start&securitytoken=abc",
        ),
    ] {
        for path in ["/alive", "/_doaction?service=alive"] {
            assert_eq!(rig.code(&posted(path, headers, form)), 403, "{path} {headers} {form}");
        }
    }
    for target in ["/alive?action=stop", "/_doaction?action=stop&service=alive", "/_runtime?action=validate"] {
        let text = format!("GET {target}&securitytoken=abc HTTP/1.1\r\n{script}\r\n\r\n");
        rig.exchange(text.as_bytes());
    }
    assert_eq!(rig.code(&posted("/_daemon", script, "action=quit&securitytoken=abc")), 400);
    assert_eq!(rig.code(&posted("/nope", script, "action=stop&securitytoken=abc")), 404);
    assert_eq!(rig.done, []);
}

#[test]
fn a_foreign_name_is_refused_where_no_password_is_asked() {
    let mut rig = Rig::open();
    let ping = |host: &str| format!("GET /_ping HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes();
    let script = |host: &str| {
        posted("/alive", &format!("Host: {host}\r\nCookie: securitytoken=a"), "action=stop&securitytoken=a")
    };
    assert_eq!((rig.code(&ping("box.example:2812")), rig.code(&ping("rebound.example"))), (200, 403));
    assert_eq!(rig.code(&script("rebound.example")), 403);
    assert_eq!(rig.done, []);
    let mut rig = Rig::new(httpd(&["127.0.0.0/8"], &[("adm", "pw")]));
    let request = format!(
        "GET /_ping HTTP/1.1\r\nHost: proxy.example\r\nAuthorization: Basic {}\r\n\r\n",
        base64::encode(b"adm:pw")
    );
    assert_eq!(rig.code(request.as_bytes()), 200);
}

#[test]
fn guesses_are_slowed_down_and_good_clients_elsewhere_are_not() {
    let mut rig = Rig::new(httpd(&[], &[("adm", "pw")]));
    let request = |word: &str| {
        format!("GET /_ping HTTP/1.1\r\nAuthorization: Basic {}\r\n\r\n", base64::encode(word.as_bytes())).into_bytes()
    };
    for _ in 0..5 {
        assert_eq!(rig.code(&request("adm:guess")), 401);
    }
    let answer = rig.exchange(&request("adm:pw"));
    assert!(code(&answer) == 429 && body(&answer).contains("try again in 1 s"), "{answer}");
    assert_eq!(rig.code(b"GET /_ping HTTP/1.1\r\n\r\n"), 429);
    rig.later(1);
    assert_eq!(rig.code(&request("adm:pw")), 200);
    assert_eq!(rig.code(&request("adm:guess")), 401);
    assert_eq!(rig.code(&request("adm:pw")), 200, "a right password forgives");
}

#[test]
fn who_may_only_look_cannot_guess_on_by_a_password_of_their_own() {
    let mut rig = Rig::new(httpd(&[], &[("adm", "pw"), ("ro", "look")]));
    let request = |word: &str| {
        format!("GET /_ping HTTP/1.1\r\nAuthorization: Basic {}\r\n\r\n", base64::encode(word.as_bytes())).into_bytes()
    };
    for _ in 0..5 {
        assert_eq!(rig.code(&request("adm:guess")), 401);
    }
    for _ in 0..3 {
        assert_eq!(rig.code(&request("adm:guess")), 429);
        rig.later(2);
        assert_eq!(rig.code(&request("ro:look")), 200);
        assert_eq!(rig.code(&request("adm:guess")), 401);
    }
    rig.later(1);
    assert_eq!(rig.code(&request("ro:look")), 429);
    rig.later(1);
    assert_eq!(rig.code(&request("ro:look")), 200, "and is not kept out for long by who guesses beside them");
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
fn nobody_allowed_means_no_listener() {
    let mut server = Server::new(httpd(&[], &[]));
    assert!(matches!(server.listen_tcp(LOCAL), Err(Error::NobodyAllowed)));
    assert_eq!(server.tcp_addresses(), []);
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
fn a_reload_keeps_what_did_not_change_and_what_cannot_be_replaced() {
    let mut rig = Rig::open();
    let port = rig.address().port();
    let mut early = rig.connect();
    rig.server.reconfigure(httpd(&["127.0.0.1/32"], &[("a", "b")]), Some(LOCAL), None).unwrap();
    assert_eq!(rig.address().port(), port);
    assert_eq!(code(&rig.exchange_on(&mut early, b"GET / HTTP/1.1\r\n\r\n")), 401, "the new settings apply at once");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = Endpoint { port: taken.local_addr().unwrap().port(), ..LOCAL };
    let error = rig.server.reconfigure(httpd(&["127.0.0.1/32"], &[]), Some(elsewhere), None).unwrap_err();
    assert!(matches!(error, Error::Tcp(address, error) if address == taken.local_addr().unwrap()
        && error.kind() == ErrorKind::AddrInUse));

    let wildcard = rig.widen();
    let addresses = rig.server.tcp_addresses();
    assert!(addresses.iter().all(|address| address.ip().is_unspecified() && address.port() == wildcard.port));
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, wildcard.port)).unwrap();
    client.set_nonblocking(true).unwrap();
    assert_eq!(code(&rig.exchange_on(&mut client, b"GET / HTTP/1.1\r\n\r\n")), 200);

    rig.server.reconfigure(httpd(&[], &[]), None, None).unwrap();
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
    rig.settle();
    assert_eq!(rig.count(), PER_PEER + PRIVATE_MAX);
    let named = |name: &str| Selection::Named(vec![name.to_owned()]);
    let start = ask(&mut rig, &socket, Question::action(Command::Start, &named("ALIVE"))).unwrap();
    assert!(start.is_success());
    let quit = ask(&mut rig, &socket, Question::daemon(DaemonVerb::Quit)).unwrap();
    assert!(quit.is_success());
    let expected = [
        Outcome::Act { verb: Command::Start, services: vec!["alive".into()], time: None, then: Reply::text("") },
        Outcome::Daemon(DaemonVerb::Quit),
    ];
    assert_eq!(rig.done, expected);
    drop((crowd, hogs));

    let unknown = ask(&mut rig, &socket, Question::action(Command::Stop, &named("x"))).unwrap();
    assert_eq!((unknown.code, unknown.body.as_str()), (400, "There is no service named \"x\"\n"));
    let text = |name: String| Text { selection: named(&name), product: Product::Monit, style: Style::PLAIN };
    let alive = ask(&mut rig, &socket, Question::status(&text("alive".into()))).unwrap();
    assert!(alive.body.contains("  pid                          5632\n"));
    let long = ask(&mut rig, &socket, Question::status(&text("x".repeat(10_000)))).unwrap();
    assert_eq!(long.code, 400, "a long name is unknown, not too long");
    assert_eq!(rig.log(), [""; 0], "what the command line gets wrong is told to its user alone");
    rig.server.close_all();
    assert!(!socket.exists());
    std::fs::remove_dir(&directory).unwrap();
}
