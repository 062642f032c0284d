//! Who is let in: by the socket file, by passwords in files, by groups of the system, over encrypted connections.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use crate::harness::{Sandbox, page, until};

/// The whole answer over a socket file.
fn ask(socket: &Path, request: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn get(path: &str, lines: &str) -> String {
    format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n{lines}\r\n")
}

fn post(path: &str, form: &str, lines: &str) -> String {
    let form = format!("{form}&securitytoken=x");
    let length = form.len();
    format!("POST {path} HTTP/1.0\r\nCookie: securitytoken=x\r\nContent-Length: {length}\r\n{lines}\r\n{form}")
}

/// The header for a name and a password.
fn login(user: &str) -> String {
    format!("Authorization: Basic {}\r\n", pollux::base::base64::encode(user.as_bytes()))
}

fn code(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

#[test]
fn a_socket_file_needs_no_allow_and_is_there_for_as_long_as_the_daemon() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("s");
    let puma = sandbox.service("puma");
    let control = |options: &str| sandbox.control(&format!("set httpd unixsocket @DIR@/s {options}\n{puma}"));
    control("");
    assert_eq!(sandbox.cli(&["-t"]).err, "");
    sandbox.bring_up("puma");
    sandbox.start();
    assert!(sandbox.log().contains(&format!(" with http interface at {}\n", socket.display())));
    let mode = || fs::symlink_metadata(&socket).expect("the socket").permissions().mode() & 0o7777;
    assert_eq!(mode(), 0o600);
    assert!(fs::symlink_metadata(&socket).expect("the socket").file_type().is_socket());

    // As OPNsense asks, and as a proxy does that passes on the name which it was asked by.
    for lines in ["", "Host: monit.example.com\r\n"] {
        let answer = ask(&socket, &format!("GET /_status?format=text HTTP/1.0\r\n{lines}\r\n")).expect("an answer");
        assert!(answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.contains("\r\n\r\nMonit "), "{answer}");
    }
    assert_eq!(code(&ask(&socket, &post("/puma", "action=unmonitor", "")).expect("an answer")), 302);
    sandbox.await_log("'puma' unmonitor on user request");
    let foreign = post("/puma", "action=monitor", "Host: box\r\nOrigin: http://evil.example\r\n");
    assert_eq!(code(&ask(&socket, &foreign).expect("an answer")), 403);
    sandbox.await_log("HttpRequest: error -- client []: HTTP/1.0 403 The request comes from a page of another site");
    assert_eq!(code(&ask(&socket, &get("/_lag", "")).expect("an answer")), 404, "that is for the private socket");

    let inode = || fs::symlink_metadata(&socket).expect("the socket").ino();
    let before = inode();
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    assert_eq!(inode(), before, "a reload leaves it as it is");
    control("permission 0640 read-only");
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    assert_eq!(mode(), 0o640);
    assert_eq!(code(&ask(&socket, &post("/puma", "action=monitor", "")).expect("an answer")), 403);
    assert_eq!(code(&ask(&socket, &get("/puma", "")).expect("an answer")), 200);
    sandbox.stop();
    assert!(!socket.exists());
}

#[test]
fn over_a_socket_file_users_log_in_and_hosts_do_not_count() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("s");
    sandbox.control(
        "set httpd unixsocket @DIR@/s allow 192.0.2.1 allow adm:'secret' allow guest:'look' read-only\ncheck system box\n",
    );
    sandbox.start();
    let coded = |request: String| code(&ask(&socket, &request).expect("an answer"));
    let refused = ask(&socket, &get("/", "")).expect("an answer");
    assert_eq!(code(&refused), 401);
    assert!(!refused.contains("adm") && !refused.contains("secret"), "{refused}");
    assert_eq!(coded(get("/", &login("adm:secret"))), 200);
    assert_eq!(coded(get("/", &login("adm:secreT"))), 401);
    sandbox.await_log("HttpRequest: access denied -- client []: wrong password for user 'adm'\n");
    assert_eq!(coded(get("/", &login("nobody:x"))), 401);
    sandbox.await_log("HttpRequest: access denied -- client []: unknown user 'nobody'\n");
    assert_eq!(coded(post("/box", "action=monitor", &login("guest:look"))), 403);
    assert_eq!(coded(post("/box", "action=monitor", &login("adm:secret"))), 302);
    // Guesses make this user of the machine wait, as they do an address.
    let throttled = (0..8).map(|_| coded(get("/", &login("adm:x")))).collect::<Vec<_>>();
    assert!(throttled.contains(&429) && coded(get("/", &login("adm:secret"))) == 429, "{throttled:?}");
    assert_eq!(sandbox.cli(&["summary"]).code, Some(0), "the command line has its own socket");
    sandbox.stop();
}

#[test]
fn a_socket_file_of_nobody_is_replaced_and_no_other_file_is() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("s");
    sandbox.control("set httpd unixsocket @DIR@/s allow localhost\ncheck system box\n");
    sandbox.start();
    sandbox.kill();
    assert!(socket.exists());
    sandbox.start();
    assert_eq!(code(&ask(&socket, &get("/_ping", "")).expect("an answer")), 200);
    // Somebody takes the path away: at its end the daemon does not remove what is not its own.
    fs::remove_file(&socket).expect("socket");
    let other = UnixListener::bind(&socket).expect("socket");
    sandbox.stop();
    assert!(socket.exists());

    let refused = || {
        let told = sandbox.cli(&["-I"]);
        assert_eq!(told.code, Some(1), "{told:?}");
        told.err
    };
    assert!(refused().contains("change the path in 'set httpd'"));
    drop(other);
    fs::remove_file(&socket).expect("socket");
    fs::write(&socket, "precious").expect("file");
    assert!(refused().contains("it exists and is no socket"));
    assert_eq!(fs::read_to_string(&socket).expect("file"), "precious");
}

#[test]
fn a_crowd_at_the_socket_file_keeps_nobody_out() {
    let sandbox = Sandbox::new();
    let socket = sandbox.path("s");
    let port = page::free_port();
    sandbox.control(&format!(
        "set httpd port {port} address 127.0.0.1 unixsocket @DIR@/s allow localhost\ncheck system box\n"
    ));
    sandbox.start();
    // Whoever finds no place yet waits in the kernel's queue.
    let crowd: Vec<_> = (0..100).map(|_| UnixStream::connect(&socket).expect("a connection")).collect();
    assert!(page::get(port, "/_ping").expect("an answer").ends_with("pong"));
    assert!(ask(&socket, &get("/_ping", "")).expect("an answer").ends_with("pong"));
    assert_eq!(sandbox.cli(&["summary"]).code, Some(0));
    let open = until("the end of those who came first", || {
        let waits = |mut stream: &UnixStream| {
            stream.set_nonblocking(true).expect("flags");
            matches!(stream.read(&mut [0; 1]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
        };
        let open = crowd.iter().filter(|stream| waits(stream)).count();
        (open <= 8).then_some(open)
    });
    assert!(open > 0, "the last ones still have their time");
    sandbox.stop();
}

#[test]
fn who_may_come_in_without_a_password_is_said_before_the_start() {
    let sandbox = Sandbox::new();
    for (options, warnings) in [
        ("unixsocket @DIR@/s", &[][..]),
        (
            "unixsocket @DIR@/s permission 0666",
            &["every user of this machine may control all services by the socket file"],
        ),
        ("unixsocket @DIR@/s permission 0660 gid 0 allow localhost", &["may control all services by the socket file"]),
        ("unixsocket @DIR@/s permission 0666 read-only", &[]),
        ("unixsocket @DIR@/s permission 0666 allow adm:'x1'", &[]),
        ("port 1 unixsocket @DIR@/s", &["there will be no page but by the socket file"]),
        ("port 1", &["there will be no page"]),
        (
            "port 1 allow localhost",
            &["no 'allow' asks for a password: every user of this machine may control all services"],
        ),
    ] {
        sandbox.control(&format!("set httpd {options}\ncheck system box\n"));
        let told = sandbox.cli(&["-t"]);
        assert_eq!(told.code, Some(0), "{told:?}");
        assert_eq!(told.err.matches("warning").count(), warnings.len(), "{options}: {told:?}");
        for warning in warnings {
            assert!(told.err.contains(warning), "{options}: {told:?}");
        }
    }
    // The last one, as it is started.
    let port = page::free_port();
    sandbox.control(&format!("set httpd port {port} address 127.0.0.1 allow localhost\ncheck system box\n"));
    sandbox.start();
    assert!(sandbox.daemon_said().contains("every user of this machine may control all services"));
    sandbox.stop();
}
