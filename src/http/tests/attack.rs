//! Clients that break rules, stall, flood or vanish.

use super::*;

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
fn bytes_behind_a_request_do_not_cost_its_answer() {
    let mut rig = Rig::open();
    let mut client = rig.connect();
    let request = [&b"GET /_ping HTTP/1.1\r\n\r\n"[..], &vec![b'x'; 100_000]].concat();
    client.set_nonblocking(false).unwrap();
    client.write_all(&request).unwrap();
    rig.turn(None, Duration::from_secs(10));
    rig.settle();
    client.shutdown(Shutdown::Write).unwrap();
    rig.turn(None, Duration::from_secs(10));
    assert_eq!(rig.count(), 0);
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an orderly end, no reset");
    assert_eq!(body(&answer), "pong");
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
    newcomer.write_all(b"GET /_ping HTTP/1.1\r\n\r\n").unwrap();
    rig.poll(None, Duration::from_secs(10));
    rig.server.ready(stale, rig.now);
    assert!(rig.server.next_request().is_none(), "what waits for the newcomer is not read for its predecessor");
    rig.hold = true;
    while rig.server.requests.is_empty() {
        rig.turn(None, Duration::from_secs(10));
    }
    rig.server.respond(oldest, Reply::text("for somebody else"), rig.now);
    rig.hold = false;
    assert_eq!(body(&rig.exchange_on(&mut newcomer, b"")), "pong");
}

#[test]
fn without_descriptors_clients_are_told_and_the_loop_does_not_spin() {
    let script = r#"ulimit -n 40 && exec "$0" --exact http::tests::attack::without_descriptors --ignored"#;
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

    // Even without the reserve the loop does not spin: the listener rests.
    hoard.pop();
    let mut patient = rig.connect();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        hoard.push(file);
    }
    rig.server.reserve = Reserve::open();
    hoard.push(std::fs::File::open("/dev/null").unwrap());
    rig.settle();
    assert_eq!(rig.log().len(), 1);
    assert_eq!(rig.server.next_deadline(), Some(rig.now.plus(Duration::from_millis(500))));
    hoard.truncate(hoard.len() - 4);
    rig.later(1);
    rig.settle();
    assert_eq!(body(&rig.exchange_on(&mut patient, b"GET /_ping HTTP/1.1\r\n\r\n")), "pong");
    assert_eq!(rig.code(b"GET /_ping HTTP/1.1\r\n\r\n"), 200, "it goes on as soon as there are descriptors");
}
