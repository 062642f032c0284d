//! A picture of many services is drawn a little in each turn of the loop, and nobody else waits for it.

use crate::harness::{Sandbox, page, process, until};

const SERVICES: usize = 1000;

/// How many turns the loop has made, asked without a picture of all services.
fn turns(sandbox: &Sandbox) -> usize {
    let status = sandbox.cli(&["-v", "status", "s0"]).out;
    let words: Vec<&str> = status.split_whitespace().collect();
    let place = words.iter().position(|word| *word == "turns,").expect("the figures of the loop");
    words[place - 1].parse().expect("a number")
}

/// A thousand services that all mean one process, so that the machine needs no thousand of them.
fn crowded() -> (Sandbox, u16) {
    let sandbox = Sandbox::new();
    let port = page::free_port();
    let mut body = format!("set httpd port {port} use address 127.0.0.1 allow 127.0.0.1\n{}", sandbox.service("puma"));
    for number in 0..SERVICES {
        body += &format!("check process s{number} with pidfile @DIR@/run/puma.pid\n");
    }
    sandbox.control(&body);
    sandbox.bring_up("puma");
    sandbox.start();
    sandbox.cycle();
    (sandbox, port)
}

#[test]
fn a_picture_of_a_thousand_services_takes_many_turns_and_is_complete() {
    let (sandbox, port) = crowded();
    let first = turns(&sandbox);
    let without = turns(&sandbox) - first;
    let before = turns(&sandbox);
    let xml = page::get(port, "/_status?format=xml").expect("an answer");
    let taken = turns(&sandbox) - before;
    assert_eq!(xml.matches("<service type=\"3\">").count(), SERVICES + 1);
    assert_eq!(xml.matches("<pid>").count(), SERVICES + 1, "each with its readings");
    assert!(xml.ends_with("</monit>"));
    assert!(taken >= without + 4, "{taken} turns, {without} without the picture");
    let status = sandbox.cli(&["status"]);
    assert_eq!((status.code, status.out.matches("\nProcess '").count()), (Some(0), SERVICES + 1));
}

#[test]
fn pictures_survive_a_reload_and_do_not_hold_up_the_end() {
    let (sandbox, port) = crowded();
    let ask = move || page::get(port, "/_status?format=xml").unwrap_or_default();
    let clients: Vec<_> = (0..4).map(|_| std::thread::spawn(ask)).collect();
    sandbox
        .control(&format!("set httpd port {port} use address 127.0.0.1 allow 127.0.0.1\n{}", sandbox.service("puma")));
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    for client in clients {
        let xml = client.join().expect("a client");
        let count = xml.matches("<service type=\"3\">").count();
        assert!(count == SERVICES + 1 || count == 1, "of one configuration: {count}");
    }
    let told = sandbox.cli(&["quit"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(sandbox.ended(), Some(0));
}

#[test]
fn whoever_has_gone_is_drawn_nothing() {
    let (sandbox, port) = crowded();
    // More than there are places for: each newcomer takes the place of one that waits.
    let clients: Vec<_> = (0..64).filter_map(|_| page::connect(port).ok()).collect();
    for mut client in &clients {
        let _ = std::io::Write::write_all(&mut client, b"GET /_status?format=xml HTTP/1.0\r\n\r\n");
    }
    drop(clients);
    let alive = until("an answer", || page::get(port, "/_ping").ok());
    assert!(alive.contains("pong"));
    assert_eq!(sandbox.cli(&["report", "total"]).code, Some(0));
    assert!(process::lives(sandbox.pid()));
}
