//! The page over encrypted connections.
#![cfg(feature = "tls")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslConnector, SslConnectorBuilder, SslMethod, SslStream, SslVersion};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509NameBuilder};

use crate::harness::{Sandbox, page, turns, until};

/// A certificate with its key.
struct Pair {
    certificate: X509,
    key: PKey<Private>,
}

impl Pair {
    /// One that is valid now, for this machine; signed by `issuer`, or by itself.
    fn new(name: &str, serial: u32, issuer: Option<&Pair>) -> Pair {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("curve");
        let key = PKey::from_ec_key(EcKey::generate(&group).expect("key")).expect("key");
        let mut subject = X509NameBuilder::new().expect("name");
        subject.append_entry_by_text("CN", name).expect("name");
        let subject = subject.build();
        let mut builder = X509::builder().expect("certificate");
        builder.set_version(2).expect("version");
        let serial = BigNum::from_u32(serial).and_then(|number| number.to_asn1_integer()).expect("serial");
        builder.set_serial_number(&serial).expect("serial");
        builder.set_subject_name(&subject).expect("subject");
        builder.set_issuer_name(issuer.map_or(&subject, |issuer| issuer.certificate.subject_name())).expect("issuer");
        builder.set_pubkey(&key).expect("key");
        builder.set_not_before(&Asn1Time::from_unix(0).expect("time")).expect("time");
        builder.set_not_after(&Asn1Time::days_from_now(30).expect("time")).expect("time");
        let alternative = SubjectAlternativeName::new().ip("127.0.0.1").build(&builder.x509v3_context(None, None));
        builder.append_extension(alternative.expect("extension")).expect("extension");
        if issuer.is_none() {
            builder.append_extension(BasicConstraints::new().ca().build().expect("extension")).expect("extension");
        }
        builder.sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256()).expect("signature");
        Pair { certificate: builder.build(), key }
    }

    fn certificate_pem(&self) -> Vec<u8> {
        self.certificate.to_pem().expect("pem")
    }

    fn key_pem(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().expect("pem")
    }

    fn pem(&self) -> Vec<u8> {
        [self.key_pem(), self.certificate_pem()].concat()
    }
}

/// Writes a file that only its owner can read.
fn put(sandbox: &Sandbox, name: &str, bytes: &[u8]) -> PathBuf {
    let path = sandbox.path(name);
    let _ = fs::remove_file(&path);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).expect("file");
    file.write_all(bytes).expect("file");
    path
}

/// An encrypted connection that believes `server`; `None` when the handshake or what comes right after it fails.
fn connect(port: u16, server: &Pair, set: impl FnOnce(&mut SslConnectorBuilder)) -> Option<SslStream<TcpStream>> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).expect("client");
    let mut store = X509StoreBuilder::new().expect("store");
    store.add_cert(server.certificate.clone()).expect("certificate");
    builder.set_cert_store(store.build());
    set(&mut builder);
    builder.build().connect("127.0.0.1", page::connect(port).expect("a connection")).ok()
}

fn exchange(stream: &mut SslStream<TcpStream>, request: &[u8]) -> Option<String> {
    stream.write_all(request).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    String::from_utf8(answer).ok().filter(|answer| !answer.is_empty())
}

fn get(port: u16, server: &Pair, path: &str, set: impl FnOnce(&mut SslConnectorBuilder)) -> Option<String> {
    exchange(&mut connect(port, server, set)?, format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())
}

fn control(sandbox: &Sandbox, port: u16, options: &str) {
    sandbox.control(&format!(
        "set httpd port {port} address 127.0.0.1 with ssl {{ {options} }} allow 127.0.0.1\ncheck system box\n"
    ));
}

#[test]
fn the_page_is_encrypted_and_says_so() {
    let (sandbox, port) = (Sandbox::new(), page::free_port());
    let server = Pair::new("box", 1, None);
    put(&sandbox, "pem", &server.pem());
    control(&sandbox, port, "pemfile: @DIR@/pem");
    sandbox.start();
    let answer = get(port, &server, "/", |_| {}).expect("an answer");
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("</html>\n"), "{answer}");
    assert!(answer.contains("\r\nStrict-Transport-Security: max-age=63072000\r\n"));
    assert!(answer.contains("; SameSite=strict; Secure\r\n"));

    // Old versions are not spoken, others are.
    for (version, expected) in [(SslVersion::TLS1_1, false), (SslVersion::TLS1_2, true), (SslVersion::TLS1_3, true)] {
        let set = |builder: &mut SslConnectorBuilder| {
            builder.set_cipher_list("ALL:@SECLEVEL=0").expect("ciphers");
            builder.set_min_proto_version(Some(version)).expect("version");
            builder.set_max_proto_version(Some(version)).expect("version");
        };
        assert_eq!(get(port, &server, "/_ping", set).is_some(), expected, "{version:?}");
    }
    sandbox.await_log("HttpRequest: no encrypted connection -- client [127.0.0.1]: ");

    // Whoever does not encrypt is told so, and nothing else.
    let answer = page::get(port, "/_ping").expect("an answer");
    assert!(answer.starts_with("HTTP/1.0 400 ") && answer.contains("ask for it with https"), "{answer}");
    assert!(!answer.contains("pong") && !answer.contains("Set-Cookie"), "{answer}");
    sandbox.await_log("HttpRequest: no encrypted connection -- client [127.0.0.1]: http request");

    // A request in two records, one of which is longer than what is read at a time, with more behind it.
    let form = format!("action=monitor&securitytoken=x&pad={}", "p".repeat(12_000));
    let head = format!(
        "POST /box HTTP/1.0\r\nCookie: securitytoken=x\r\nX: {}\r\nContent-Length: {}\r\n\r\n",
        "h".repeat(7000),
        form.len()
    );
    let mut stream = connect(port, &server, |_| {}).expect("a connection");
    let answer = exchange(&mut stream, format!("{head}{form}").as_bytes()).expect("an answer");
    assert!(answer.starts_with("HTTP/1.0 302 "), "{answer}");
    let mut stream = connect(port, &server, |_| {}).expect("a connection");
    for byte in b"GET /_ping HTTP/1.0\r\n" {
        stream.write_all(&[*byte]).expect("a byte");
    }
    assert!(exchange(&mut stream, b"\r\n").expect("an answer").ends_with("pong"));
    sandbox.stop();
}

#[test]
fn a_long_answer_to_a_slow_reader_arrives_whole() {
    let (sandbox, port) = (Sandbox::new(), page::free_port());
    let server = Pair::new("box", 1, None);
    put(&sandbox, "pem", &server.pem());
    let services: String =
        (0..400).map(|n| format!("check file f{n}{} with path /nonexistent\n", "x".repeat(200))).collect();
    sandbox.control(&format!(
        "set httpd port {port} address 127.0.0.1 with ssl {{ pemfile: @DIR@/pem }} allow 127.0.0.1\n{services}"
    ));
    sandbox.start();
    let mut stream = connect(port, &server, |_| {}).expect("a connection");
    stream.write_all(b"GET /_status?format=xml HTTP/1.0\r\n\r\n").expect("a request");
    let mut answer = Vec::new();
    let mut chunk = [0; 1000];
    loop {
        match stream.read(&mut chunk).expect("more") {
            0 => break,
            count => answer.extend_from_slice(&chunk[..count]),
        }
    }
    let answer = String::from_utf8(answer).expect("text");
    // All of them and the system, in more than a socket takes at once.
    assert_eq!(answer.matches("</service>").count(), 401, "{}", answer.len());
    assert!(answer.len() > 150_000 && answer.trim_end().ends_with("</monit>"), "{}", answer.len());
    sandbox.stop();
}

#[test]
fn handshakes_that_do_not_end_keep_nobody_out_and_wake_nobody() {
    let (sandbox, port) = (Sandbox::new(), page::free_port());
    let server = Pair::new("box", 1, None);
    put(&sandbox, "pem", &server.pem());
    control(&sandbox, port, "pemfile: @DIR@/pem");
    sandbox.start();
    // The first bytes of a ClientHello whose length promises more.
    let begun = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];
    let mut crowd: Vec<_> = (0..40)
        .map(|_| {
            let mut stream = page::connect(port).expect("a connection");
            // One that has lost its place already may be told so.
            let _ = stream.write_all(&begun);
            stream
        })
        .collect();
    assert!(get(port, &server, "/_ping", |_| {}).expect("an answer").ends_with("pong"));
    // A handshake that is done, and half a request.
    let mut half = connect(port, &server, |_| {}).expect("a connection");
    half.write_all(b"GET /_ping HTTP/1.0\r\nX: ").expect("half a request");
    let before = turns(&sandbox);
    std::thread::sleep(Duration::from_millis(500));
    let turned = turns(&sandbox) - before;
    assert!(turned < 60, "the loop turned {turned} times for silent clients");
    // They are given up in time.
    let last = crowd.last_mut().expect("one");
    assert!(matches!(last.read(&mut [0; 1]), Ok(0) | Err(_)));
    let mut refused = Vec::new();
    half.read_to_end(&mut refused).expect("an answer");
    assert!(refused.starts_with(b"HTTP/1.0 408 "), "{}", String::from_utf8_lossy(&refused));
    sandbox.stop();
}

#[test]
fn clients_show_a_certificate_where_one_is_asked() {
    let (sandbox, port) = (Sandbox::new(), page::free_port());
    let (server, authority) = (Pair::new("box", 1, None), Pair::new("authority", 2, None));
    let (signed, listed) = (Pair::new("signed", 3, Some(&authority)), Pair::new("listed", 4, None));
    let by_listed = Pair::new("leaf", 6, Some(&authority));
    put(&sandbox, "pem", &server.pem());
    put(&sandbox, "clients", &[authority.certificate_pem(), listed.certificate_pem()].concat());
    control(&sandbox, port, "pemfile: @DIR@/pem clientpemfile: @DIR@/clients selfsigned: allow");
    sandbox.start();
    let by = |client: &Pair| {
        get(port, &server, "/_ping", |builder| {
            builder.set_certificate(&client.certificate).expect("certificate");
            builder.set_private_key(&client.key).expect("key");
        })
    };
    for client in [&signed, &listed, &by_listed] {
        assert!(by(client).expect("an answer").ends_with("pong"));
    }
    assert_eq!(by(&Pair::new("stranger", 5, None)), None);
    assert_eq!(by(&Pair::new("authority", 2, None)), None, "a name is not enough");
    assert_eq!(get(port, &server, "/_ping", |_| {}), None);
    sandbox.await_log("HttpRequest: no encrypted connection -- client [127.0.0.1]: peer did not return a certificate");
    // The client reads why: the alert is not lost with the connection.
    let mut stream = connect(port, &server, |builder| {
        builder.set_min_proto_version(Some(SslVersion::TLS1_3)).expect("version");
    })
    .expect("in TLS 1.3 the client has shaken hands before the server judges its certificate");
    let _ = stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n");
    let why = stream.read(&mut [0; 1]).expect_err("no answer").to_string();
    assert!(why.contains("certificate required"), "{why}");
    sandbox.stop();
}

#[test]
fn a_bad_certificate_is_named_and_a_new_one_is_taken_with_a_reload() {
    let (sandbox, port) = (Sandbox::new(), page::free_port());
    let (server, other) = (Pair::new("box", 1, None), Pair::new("box", 2, None));
    control(&sandbox, port, "pemchain: @DIR@/chain pemkey: @DIR@/key");
    let refused = |text: &str| {
        for arguments in [["-t"], ["-I"]] {
            let told = sandbox.cli(&arguments);
            assert_eq!(told.code, Some(1), "{told:?}");
            assert!(told.err.contains("monitrc:6:") && told.err.contains(text), "{text}: {told:?}");
            assert!(!told.err.contains("PRIVATE"), "{told:?}");
        }
    };
    put(&sandbox, "chain", &server.certificate_pem());
    refused("key' does not exist");
    put(&sandbox, "key", &other.key_pem());
    let files = [sandbox.path("key"), sandbox.path("chain")].map(|path| path.display().to_string());
    let text = "the page cannot be encrypted: the private key does not belong to the certificate";
    refused(&format!("{text}: '{}' and '{}'", files[0], files[1]));
    put(&sandbox, "key", b"rubbish");
    refused("the page cannot be encrypted: no private key without a passphrase (");
    let locked = server.key.private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_128_cbc(), b"secret");
    put(&sandbox, "key", &locked.expect("pem"));
    refused(&format!(") is in its file: '{}'", files[0]));
    put(&sandbox, "key", &server.key_pem());
    put(&sandbox, "chain", b"rubbish");
    refused(&format!("the page cannot be encrypted: there is no certificate in its file: '{}'", files[1]));
    put(&sandbox, "chain", &server.certificate_pem());
    fs::set_permissions(sandbox.path("key"), fs::Permissions::from_mode(0o644)).expect("mode");
    refused("has mode 0644, at most 0750 is allowed");
    put(&sandbox, "key", &server.key_pem());
    control(&sandbox, port, "pemchain: @DIR@/chain pemkey: @DIR@/key ciphers: \"nonsense\"");
    refused("the library knows none of the ciphers");
    control(&sandbox, port, "pemchain: @DIR@/chain pemkey: @DIR@/key");

    sandbox.start();
    let mut open = connect(port, &server, |_| {}).expect("a connection");
    put(&sandbox, "chain", &other.certificate_pem());
    let told = sandbox.cli(&["reload"]);
    assert!(told.code == Some(1) && told.err.contains("does not belong to the certificate"), "{told:?}");
    assert!(get(port, &server, "/_ping", |_| {}).is_some(), "the old one is kept");
    put(&sandbox, "key", &other.key_pem());
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    assert!(get(port, &server, "/_ping", |_| {}).is_none());
    assert!(get(port, &other, "/_ping", |_| {}).is_some());
    assert!(exchange(&mut open, b"GET /_ping HTTP/1.0\r\n\r\n").expect("an answer").ends_with("pong"));
    // Without encryption, on the same port.
    sandbox.control(&format!("set httpd port {port} address 127.0.0.1 allow 127.0.0.1\ncheck system box\n"));
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    until("the page in the clear", || page::get(port, "/_ping").ok().filter(|answer| answer.ends_with("pong")));
    sandbox.stop();
}
