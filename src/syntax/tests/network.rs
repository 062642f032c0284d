//! Tests over the network: what is accepted, what is refused, and what some of it means.

use super::{good, mistakes, service};
use crate::syntax::statement::*;

fn connection(text: &str) -> Connection {
    match service(text) {
        ServiceStatement::Rule(rule) => match rule.test {
            Test::Connection(connection) => *connection,
            other => panic!("{text}: {other:?}"),
        },
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn accepted() {
    const TESTS: &[&str] = &[
        "host x port 80",
        "host ::1 port 80",
        "port 80 address 1.2.3.4",
        "port 80 type tcp protocol http timeout 3 seconds retry 3",
        "port 80 retry 3 timeout 3 seconds ipv4 protocol http",
        "port 80 protocol http request \"/x\" status = 401",
        "port 80 protocol http and request /x hostheader foo with content = \"abc\"",
        "port 80 protocol http with http headers [a: b, \"c\": \"d e\"]",
        "port 80 protocol http http headers [X-A: b c, D: e, ]",
        "port 80 protocol http http headers [\"X-A\": \"b c\" D: e]",
        "port 80 protocol http http headers []",
        "port 80 protocol http method head username u password p status 200",
        "port 80 protocol http checksum 8f7f419955cefa0b33a2ba316cba3659",
        "port 80 protocol http status = 200 status = 201",
        "port 80 protocol http protocol smtp",
        "port 80 send \"x\" expect \"y\" send \"z\"",
        "port 443 type tcpssl",
        "port 443 type tcpssl tlsv12 certmd5 8f7f419955cefa0b33a2ba316cba3659 protocol http",
        "port 443 type tcp ssl",
        "port 443 using tls with options { version: tlsv12 -tlsv1 verify: enable, selfsigned: reject }",
        "port 443 certificate valid > 10 days",
        "port 443 ssl certificate valid for 10 days",
        "port 443 certificate checksum md5 = \"8f7f419955cefa0b33a2ba316cba3659\"",
        "port 443 responsetime < 5 s",
        "port 443 responsetime 5 ms",
        "portnumber 80 proto http",
        "port 80 ipv4 ipv6 type udp",
        "url http://h/x",
        "(url http://h/x)",
        "url https://u:p@h:443/x?y=z and content == 'x' timeout 5 seconds retry 3 certificate valid 5 days ssl",
        "ping",
        "icmp type echo count 3 with timeout 5 seconds",
        "ping4 count 5 size 64 timeout 5 seconds address 1.2.3.4 responsetime < 5 ms",
        "unixsocket \"/x\" send \"x\" expect \"y\"",
        "unix /x type udp protocol http timeout 5 seconds responsetime < 3 s retry 3",
        "port 80 protocol apache-status path \"/x\" loglimit > 10% or dnslimit > 50 percent username u",
        "port 25 protocol smtp username \"a\" password \"b\"",
        "port 3306 protocol mysql username u password p rsakey checksum md5 8f7f419955cefa0b33a2ba316cba3659",
        "port 1 certificate checksum md5 equal 8f7f419955cefa0b33a2ba316cba3659",
        "port 1 certificate checksum eq 8f7f419955cefa0b33a2ba316cba3659",
        "port 5432 protocol pgsql database d username u",
        "port 80 protocol websocket origin \"http://x\" request \"/chat\" host \"y\" version 13",
        "port 1812 type udp protocol radius secret x",
        "port 5060 protocol sip target a@b and maxforward 6",
        "port 5060 protocol sip target \"a@b\"",
    ];
    for test in TESTS {
        for word in ["failed", "succeeded"] {
            let recovery = if word == "failed" { "succeeded" } else { "failed" };
            let text = format!("if {word} {test} for 2 times within 3 cycles then alert else if {recovery} then stop");
            assert_eq!(connection(&text).succeeded, word == "succeeded", "{text}");
            for tail in ["start \"/bin/a\"", "alert x@y", "group www", "set init", "if not exist then stop"] {
                assert_eq!(good(&format!("if {word} {test} then alert\n{tail}")).len(), 2, "{test} {tail}");
            }
        }
    }
    for (word, name) in ProtocolName::WORDS {
        let options = if name == ProtocolName::ApacheStatus { "path /x" } else { "" };
        let found = connection(&format!("if failed port 80 protocol {word} {options} then alert"));
        let [ConnectionOption::Protocol(protocol)] = found.options.as_slice() else { panic!("{found:?}") };
        assert_eq!((protocol.name, protocol.name.word()), (name, word));
    }
}

#[test]
fn refused_at_its_place() {
    const TESTS: &[(&str, &str)] = &[
        ("port 80 host x", "host"),
        ("type tcp port 80", "type"),
        ("protocol http port 80", "protocol"),
        ("address 1.2.3.4 port 80", "address"),
        ("port 80 protocol http timeout 2 seconds status = 401", "status"),
        ("port 80 protocol http content = \"abc\" request \"/x\"", "request"),
        ("port 80 protocol http with headers [a: b]", "headers"),
        ("port 80 protocol http request", "then"),
        ("port 80 protocol http method post", "post"),
        ("port 80 protocol http status foo", "foo"),
        ("port 80 protocol http username daemon", "daemon"),
        ("port 80 protocol \"http\"", "\"http\""),
        ("port 80 protocol foo", "foo"),
        ("port 80 protocol generic", "generic"),
        ("port 80 protocol apache-status", "then"),
        ("port 80 protocol apache-status loglimit > 10", "then"),
        ("port 80 protocol imap username u", "username"),
        ("port 80 protocol websocket request \"x\"", "\"x\""),
        ("port 443 certificate valid < 10 days", "<"),
        ("port 443 certificate valid 10", "then"),
        ("port 443 certificate foo", "foo"),
        ("port 443 responsetime < 5", "then"),
        ("port 443 response time < 5 ms", "response"),
        ("port 443 ssl { verify enable }", "enable"),
        ("port 443 ssl { foo: enable }", "foo"),
        ("port 443 ssl tlsv12", "tlsv12"),
        ("port 443 type udpssl", "udpssl"),
        ("port 80 timeout 5 minutes", "minutes"),
        ("port 80 timeout 5", "then"),
        ("port \"80\"", "\"80\""),
        ("port 80x", "80x"),
        ("url http://h/x protocol http", "protocol"),
        ("url http://h/x responsetime < 5 s", "responsetime"),
        ("url \"http://h/x\"", "\"http://h/x\""),
        ("icmp type ping", "ping"),
        ("icmp", "then"),
        ("ping ipv4", "ipv4"),
        ("unixsocket x", "x"),
        ("unixsocket /x ssl", "ssl"),
        ("host x unixsocket /x", "unixsocket"),
        ("prot 80", "prot"),
    ];
    for (test, place) in TESTS {
        for tail in ["", "\nstart \"/bin/a\"", "\nif not exist then stop"] {
            let found = mistakes(&format!("if failed {test} then alert{tail}"));
            let places: Vec<&str> = found.iter().map(|(_, place)| place.as_str()).collect();
            assert_eq!(places, [*place], "{test}: {found:?}");
        }
    }
    assert_eq!(mistakes("if failed port 80 then alert else if failed then stop")[0].1, "failed");
    assert_eq!(mistakes("if succeeded port 80 then alert else if succeeded then stop")[0].1, "succeeded");
}

#[test]
fn options_stand_in_the_order_written() {
    let found =
        connection("if failed host hx port 80 send \"a\\n\" expect 'b' timeout 7 seconds content != 'c' then alert");
    let Endpoint::Port { host: Some(host), port } = &found.endpoint else { panic!("{found:?}") };
    assert_eq!((host.lossy().as_str(), port.value), ("hx", 80));
    let [
        ConnectionOption::Send(send),
        ConnectionOption::Expect(expect),
        ConnectionOption::Timeout(timeout),
        ConnectionOption::Content(content),
    ] = found.options.as_slice()
    else {
        panic!("{found:?}")
    };
    assert_eq!((send.lossy().as_str(), expect.lossy().as_str(), timeout.value), ("a\n", "b", 7));
    assert!(content.differs && content.pattern.lossy() == "c");
    let found = connection("if failed port 80 protocol http http headers [A: b c, 'D e': \"f, g\"] then alert");
    let [ConnectionOption::Protocol(protocol)] = found.options.as_slice() else { panic!("{found:?}") };
    let [ProtocolOption::Headers(headers)] = protocol.options.as_slice() else { panic!("{protocol:?}") };
    let texts: Vec<String> =
        headers.iter().map(|(name, value)| format!("{}={}", name.lossy(), value.lossy())).collect();
    assert_eq!(texts, ["A=b c", "D e=f, g"]);
    let found = connection("if failed port 80 responsetime < 2 s certificate valid for 3 days then alert");
    let [ConnectionOption::ResponseTime { operator: Operator::Less, limit }, ConnectionOption::CertificateValid(days)] =
        found.options.as_slice()
    else {
        panic!("{found:?}")
    };
    assert_eq!((limit.value, days.value), (2000, 3));
}
