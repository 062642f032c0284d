//! Who is let in: by the socket file, by passwords in files, by groups of the system, over encrypted connections.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use crate::harness::{Sandbox, page, process, skipped, until};

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
    let crowd: Vec<_> = (0..40).map(|_| UnixStream::connect(&socket).expect("a connection")).collect();
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

/// Hashes of the password `pw`, each of another kind, made with `openssl passwd` and mkpasswd(1).
const HASHES: [(&str, &str); 7] = [
    ("apr", "$apr1$abcdefgh$5VEbMkemELfbhC5ck.U.z1"),
    ("md5", "$1$abcdefgh$IQtUouv7y7Q9dRWkQEPCc."),
    ("sha", "$5$abcdefgh$ijtOJ//yvc/9bq1g0llFn9dB688BwBDRD90DlKKSKE1"),
    ("sha512", "$6$abcdefgh$KQeXafAQAaOoKTevphVU215RvJdgzyfASRasIOuh12hO8u0r1bGW92ZnTmC9IjsiQ8VPiTXBiZF49dFL1U4wX/"),
    ("des", "abzlUXK5ed5rs"),
    ("bcrypt", "$2b$05$abcdefghijklmnopqrstuuHIrMEWpUCQe2YqFR3sXwQ75u4od..9q"),
    ("yescrypt", "$y$j9T$abcdefgh$UGYCVcUwcoG0k8SZZ.Uz3i0RYQNy1YmYj4I4poBPer2"),
];

#[test]
#[cfg_attr(not(feature = "tls"), ignore = "OpenSSL computes checksums and MD5")]
fn users_of_password_files_log_in_by_what_each_file_holds_now() {
    let sandbox = Sandbox::new();
    let (socket, clear) = (sandbox.path("s"), sandbox.path("clear"));
    fs::write(&clear, "# our users\nanna:se:cret\notto:x\nnopass:\n").expect("file");
    let lines = |names: &[&str]| -> String {
        let lines = HASHES.iter().filter(|(name, _)| names.contains(name));
        lines.map(|(name, hash)| format!("{name}:{hash}\n")).collect()
    };
    fs::write(sandbox.path("md5"), lines(&["apr", "md5"])).expect("file");
    fs::write(sandbox.path("crypt"), lines(&["sha", "sha512", "des", "bcrypt", "yescrypt"])).expect("file");
    sandbox.control(
        "set httpd unixsocket @DIR@/s\n allow cleartext @DIR@/clear anna nopass\n allow md5 @DIR@/md5\n \
         allow crypt @DIR@/crypt\n allow adm:'right'\ncheck system box\n",
    );
    sandbox.start();
    let coded = |user: &str| code(&ask(&socket, &get("/_ping", &login(user))).expect("an answer"));
    assert_eq!(coded("adm:right"), 200);
    assert_eq!(coded("anna:se:cret"), 200);
    assert_eq!(coded("apr:pw"), 200);
    assert_eq!(coded("md5:pw"), 200);
    assert_eq!(coded("apr:pW"), 401);
    sandbox.await_log("HttpRequest: access denied -- client []: wrong password for user 'apr'\n");
    assert_eq!(coded("otto:x"), 401, "not among those that may");
    sandbox.await_log("HttpRequest: access denied -- client []: unknown user 'otto'\n");
    assert_eq!(coded("anna:se:cret"), 200, "which makes the slips forgotten");
    assert_eq!(coded("nopass:"), 401);
    assert_eq!(coded("anna:se:cret"), 200);
    // What crypt(3) knows is the system's affair.
    for name in ["sha", "sha512", "des", "bcrypt", "yescrypt"] {
        match pollux::sys::posix::crypt::crypt(
            b"pw",
            HASHES.iter().find(|(known, _)| *known == name).expect("one").1.as_bytes(),
        ) {
            Ok(Some(_)) => {
                assert_eq!(coded(&format!("{name}:pw")), 200, "{name}");
                assert_eq!(coded(&format!("{name}:wrong")), 401, "{name}");
                assert_eq!(coded("anna:se:cret"), 200);
            }
            told => skipped("users_of_password_files_log_in", &format!("{name}: {told:?}")),
        }
    }
    // A change of the file counts at once, and a file that is gone lets nobody in and says so.
    fs::write(&clear, "anna:other\n").expect("file");
    assert_eq!((coded("anna:se:cret"), coded("anna:other")), (401, 200));
    fs::remove_file(&clear).expect("file");
    assert_eq!(coded("anna:other"), 503);
    sandbox.await_log("HttpRequest: the password of client [] cannot be checked -- ");
    assert_eq!(coded("apr:pw"), 200, "those of other files are not concerned");
    // Nothing that was written in files or sent is in an answer or in the log.
    let refused = ask(&socket, &get("/_ping", &login("apr:gu3ss"))).expect("an answer");
    for secret in ["gu3ss", "$apr1$", "se:cret", "other"] {
        assert!(!refused.contains(secret) && !sandbox.log().contains(secret), "{secret}");
    }
    sandbox.stop();
}

#[test]
fn what_is_wrong_with_a_password_file_is_said_with_its_line() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("pw");
    fs::write(&path, "a:$apr1$x$y\nno colon\nb:plain\nc:\n").expect("file");
    let shown = path.display();
    sandbox.control("set httpd unixsocket @DIR@/s allow md5 @DIR@/pw a z allow a:'x1'\ncheck system box\n");
    let told = sandbox.cli(&["-t"]);
    assert_eq!(told.code, Some(0));
    for text in [
        "monitrc:6:".to_owned(),
        format!(": warning: line 2 of '{shown}' lets nobody in: it has no ':'"),
        format!("line 3 of '{shown}' lets nobody in: its password is no MD5 hash, which begins with $apr1$ or $1$"),
        format!("line 4 of '{shown}' lets nobody in: it has no password"),
        format!("'z' cannot log in by the file '{shown}', which has no such user"),
        "there are credentials for 'a' already, these are ignored".to_owned(),
    ] {
        assert!(told.err.contains(&text), "{text} in {}", told.err);
    }
    assert!(!told.err.contains("plain") && !told.err.contains("colon\n"), "{}", told.err);
    fs::remove_file(&path).expect("file");
    let told = sandbox.cli(&["-t"]);
    assert!(told.code == Some(1) && told.err.contains(&format!("the file '{shown}' does not exist")), "{told:?}");
}

#[test]
fn slow_hashes_hold_up_nobody_else() {
    // Rounds for some seconds of work on any machine; nobody waits for its end.
    let hash = "$6$rounds=999999999$abcdefgh$x";
    if !matches!(pollux::sys::posix::crypt::crypt(b"x", b"$6$rounds=1000$abcdefgh$x"), Ok(Some(_))) {
        return skipped("slow_hashes_hold_up_nobody_else", "crypt(3) does not know $6$");
    }
    let sandbox = Sandbox::new();
    let (socket, port) = (sandbox.path("s"), page::free_port());
    fs::write(sandbox.path("pw"), format!("slow:{hash}\n")).expect("file");
    sandbox.control(&format!(
        "set httpd port {port} address 127.0.0.1 unixsocket @DIR@/s allow crypt @DIR@/pw allow adm:'x1'\ncheck system box\n"
    ));
    sandbox.start();
    let guesses: Vec<_> = (0..12)
        .map(|place| {
            let mut stream = UnixStream::connect(&socket).expect("a connection");
            stream.write_all(get("/_ping", &login(&format!("slow:{place}"))).as_bytes()).expect("a request");
            stream
        })
        .collect();
    let helpers = || -> Vec<u32> {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", sandbox.pid())).unwrap_or_default();
        children.split_whitespace().map(|pid| pid.parse().expect("a number")).collect()
    };
    if fs::metadata(format!("/proc/{0}/task/{0}/children", sandbox.pid())).is_ok() {
        until("a helper at work", || (!helpers().is_empty()).then_some(()));
    }
    for _ in 0..20 {
        assert_eq!(code(&page::get_with(port, "/_ping", &login("adm:x1")).expect("an answer")), 200);
        assert!(helpers().len() <= 1, "guesses of one place are looked at one by one");
    }
    let left = helpers();
    assert_eq!(sandbox.cli(&["summary"]).code, Some(0));
    drop(guesses);
    sandbox.stop();
    for pid in left {
        until("the helper's end", || (!process::lives(pid)).then_some(()));
    }
}

/// A libpam that knows one password and asks a file whether the account is in order; it is asked only for members.
const LIBPAM: &str = r#"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct message { int style; const char *text; };
struct response { char *text; int code; };
struct conversation { int (*ask)(int, const struct message **, struct response **, void *); void *data; };
static struct conversation talk;
static int service_ok;
int pam_start(const char *service, const char *user, const struct conversation *conversation, void **handle)
{
    (void)user;
    service_ok = !strcmp(service, "monit");
    talk = *conversation;
    *handle = &talk;
    return 0;
}
int pam_set_item(void *handle, int item, const void *value) { (void)handle, (void)item, (void)value; return 0; }
int pam_authenticate(void *handle, int flags)
{
    struct message one = { 1, "Password:" };
    const struct message *all = &one;
    struct response *told = NULL;
    int ok;
    (void)handle, (void)flags;
    if (access(DIR "/hang", F_OK) == 0)
        for (;;)
            pause();
    if (talk.ask(1, &all, &told, talk.data) != 0 || told == NULL || told->text == NULL)
        return 19;
    ok = service_ok && !strcmp(told->text, "right");
    free(told->text);
    free(told);
    return ok ? 0 : 7;
}
int pam_acct_mgmt(void *handle, int flags) { (void)handle, (void)flags; return access(DIR "/locked", F_OK) == 0 ? 13 : 0; }
int pam_end(void *handle, int status) { (void)handle, (void)status; return 0; }
const char *pam_strerror(void *handle, int status) { (void)handle; return status == 13 ? "account\nexpired" : "?"; }
"#;

#[test]
fn members_of_a_group_log_in_by_pam_unless_their_account_is_locked() {
    const NAME: &str = "members_of_a_group_log_in_by_pam";
    let sandbox = Sandbox::new();
    let library = sandbox.path("libpam.so.0");
    if let Err(why) = compile(&sandbox, LIBPAM, &library) {
        return skipped(NAME, &why);
    }
    let of_id = |option: &str| {
        let output = std::process::Command::new("id").arg(option).output().expect("id");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let (user, group) = (of_id("-un"), of_id("-gn"));
    if user.is_empty() || user.parse::<u32>().is_ok() || group.is_empty() || group.parse::<u32>().is_ok() {
        return skipped(NAME, "this user or group has no name");
    }
    let sandbox = sandbox.with_env("LD_LIBRARY_PATH", &library.parent().expect("directory").display().to_string());
    let socket = sandbox.path("s");
    sandbox.control(&format!(
        "set httpd unixsocket @DIR@/s allow @'{group}' read-only allow @nosuchgroup allow adm:'x1'\ncheck system box\n"
    ));
    let told = sandbox.cli(&["-t"]);
    assert!(told.err.contains("there is no group 'nosuchgroup' on this system, nobody can log in by it"), "{told:?}");
    sandbox.start();
    let asked = |request: String| ask(&socket, &request).expect("an answer");
    let coded = |user: &str| code(&asked(get("/_ping", &login(user))));
    let me = |password: &str| format!("{user}:{password}");
    assert_eq!(coded(&me("right")), 200);
    assert_eq!(code(&asked(post("/box", "action=monitor", &login(&me("right"))))), 403, "its group may look only");
    assert_eq!(coded(&me("wrong")), 401);
    sandbox.await_log(&format!("client []: wrong password for user '{user}'\n"));
    assert_eq!(coded(&me("")), 401);
    assert_eq!(coded("nobody-here:right"), 401);
    sandbox.await_log("client []: unknown user 'nobody-here'\n");
    assert_eq!(coded("adm:x1"), 200);

    // CVE-2022-26563: the right password of an account that may not be used.
    fs::write(sandbox.path("locked"), "").expect("file");
    assert_eq!(coded(&me("right")), 401);
    sandbox.await_log(&format!("client []: account of user '{user}' may not be used: account\\nexpired\n"));
    fs::remove_file(sandbox.path("locked")).expect("file");
    assert_eq!(coded(&me("right")), 200);

    // A module that hangs delays its client alone.
    fs::write(sandbox.path("hang"), "").expect("file");
    let mut hangs = UnixStream::connect(&socket).expect("a connection");
    hangs.write_all(get("/_ping", &login(&me("right"))).as_bytes()).expect("a request");
    assert_eq!(coded("adm:x1"), 200);
    assert_eq!(sandbox.cli(&["summary"]).code, Some(0));
    sandbox.stop();
    fs::remove_file(sandbox.path("hang")).expect("file");
}

#[test]
fn without_pam_its_users_are_not_let_in_and_the_log_says_why() {
    let sandbox = Sandbox::new();
    let id = std::process::Command::new("id").arg("-un").output().expect("id");
    let user = String::from_utf8_lossy(&id.stdout).trim().to_owned();
    let id = std::process::Command::new("id").arg("-gn").output().expect("id");
    let group = String::from_utf8_lossy(&id.stdout).trim().to_owned();
    if user.is_empty() || user.parse::<u32>().is_ok() || group.is_empty() || group.parse::<u32>().is_ok() {
        return skipped("without_pam_its_users_are_not_let_in", "this user or group has no name");
    }
    // Found before the system's own, and no library.
    for name in ["libpam.so.0", "libpam.so.6", "libpam.so"] {
        fs::write(sandbox.path(name), "not a library").expect("file");
    }
    let directory = sandbox.dir.display().to_string();
    let sandbox = sandbox.with_env("LD_LIBRARY_PATH", &directory);
    sandbox.control(&format!("set httpd unixsocket @DIR@/s allow @'{group}'\ncheck system box\n"));
    sandbox.start();
    let answer = ask(&sandbox.path("s"), &get("/_ping", &login(&format!("{user}:right")))).expect("an answer");
    assert!(code(&answer) == 503 && !answer.contains("libpam"), "{answer}");
    sandbox.await_log("HttpRequest: the password of client [] cannot be checked -- PAM cannot be used: ");
    sandbox.stop();
}

/// A resolver that answers from a file: an address, or nothing.
const RESOLVER: &str = r#"
#include <sys/types.h>
#include <sys/socket.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    char text[64] = "";
    FILE *file = fopen(DIR "/address", "r");
    struct addrinfo *info;
    struct sockaddr_in *name;
    (void)node, (void)service, (void)hints;
    if (file == NULL)
        return EAI_AGAIN;
    if (fgets(text, sizeof text, file) == NULL)
        text[0] = 0;
    fclose(file);
    info = calloc(1, sizeof *info);
    name = calloc(1, sizeof *name);
    name->sin_family = AF_INET;
    if (inet_pton(AF_INET, text, &name->sin_addr) != 1)
        return EAI_NONAME;
    info->ai_family = AF_INET;
    info->ai_socktype = SOCK_STREAM;
    info->ai_addrlen = sizeof *name;
    info->ai_addr = (struct sockaddr *)name;
    *result = info;
    return 0;
}
void freeaddrinfo(struct addrinfo *info) { (void)info; }
"#;

#[test]
fn a_host_is_let_in_by_its_name_and_a_silent_name_server_takes_nothing_away() {
    let sandbox = Sandbox::new();
    let library = sandbox.path("resolver.so");
    if let Err(why) = compile(&sandbox, RESOLVER, &library) {
        return skipped("a_host_is_let_in_by_its_name", &why);
    }
    let sandbox = sandbox.with_env("LD_PRELOAD", &library.display().to_string());
    let port = page::free_port();
    sandbox.control(&format!("set httpd port {port} address 127.0.0.1 allow admin.example.net\ncheck system box\n"));
    let enters = || page::get(port, "/_ping").is_ok_and(|answer| answer.ends_with("pong"));
    sandbox.start();
    sandbox.await_log("the name 'admin.example.net' of an 'allow' has no address now; nobody is let in for it\n");
    assert!(!enters());
    sandbox.await_log("Denied connection from non-authorized client [127.0.0.1]\n");
    fs::write(sandbox.path("address"), "127.0.0.1").expect("file");
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    until("the host is let in", || enters().then_some(()));
    fs::remove_file(sandbox.path("address")).expect("file");
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    sandbox.await_log(
        "the name 'admin.example.net' of an 'allow' has no address now; the addresses that it had are let in\n",
    );
    assert!(enters());
    fs::write(sandbox.path("address"), "192.0.2.1").expect("file");
    assert_eq!(sandbox.cli(&["reload"]).code, Some(0));
    until("the host is not let in any more", || (!enters()).then_some(()));
    sandbox.stop();
}

/// Makes a library of a text in C; says why not when there is no compiler.
fn compile(sandbox: &Sandbox, text: &str, library: &Path) -> Result<(), String> {
    let source = sandbox.path("library.c");
    fs::write(&source, text).expect("file");
    let define = format!("-DDIR=\"{}\"", sandbox.dir.display());
    let mut command = std::process::Command::new("cc");
    let told = command.args(["-shared", "-fPIC", &define, "-o"]).args([library, &source]).output();
    match told {
        Ok(output) if output.status.success() => Ok(()),
        told => Err(format!("no C compiler: {told:?}")),
    }
}

#[test]
fn no_answer_holds_a_secret() {
    let (sandbox, port) = (Sandbox::new(), page::free_port());
    fs::write(sandbox.path("pw"), format!("apr:{}\nanna:fileword\n", HASHES[0].1)).expect("file");
    let script = sandbox.script("say", "#!/bin/sh\necho said\n");
    sandbox.control(&format!(
        "set environment {{ DB_PASSWORD = envword }}\n\
         set httpd port {port} address 127.0.0.1 unixsocket @DIR@/s\n\
         \x20 allow adm:'firstword' allow guest:'guestword' read-only allow cleartext @DIR@/pw\n\
         check system box\ncheck program say with path \"{script}\" if status != 0 then alert\n"
    ));
    sandbox.start();
    sandbox.cycle();
    let wrong = page::get_with(port, "/", &login("adm:wrongword")).expect("an answer");
    assert_eq!(code(&wrong), 401);
    let paths = [
        "/",
        "/box",
        "/say",
        "/_runtime",
        "/_about",
        "/_viewlog",
        "/_status",
        "/_status?format=xml",
        "/_status2?format=xml",
        "/_summary",
        "/_report",
        "/_ping",
        "/_getid",
        "/_monit",
        "/_style.css",
        "/nosuch",
        "/_doaction",
        "/_report?type=nonsense",
    ];
    let mut answers = vec![wrong];
    for user in ["adm:firstword", "guest:guestword", "anna:fileword", "nobody:x", "adm:wrongword"] {
        for path in paths {
            answers.push(page::get_with(port, path, &login(user)).expect("an answer"));
            answers.push(ask(&sandbox.path("s"), &get(path, &login(user))).expect("an answer"));
        }
    }
    assert!(answers.iter().filter(|answer| code(answer) == 200).count() > 60);
    for secret in ["envword", "firstword", "guestword", "fileword", "wrongword", "$apr1$"] {
        for answer in &answers {
            assert!(!answer.contains(secret), "{secret} in {answer}");
        }
        assert!(!sandbox.log().contains(secret), "{secret} in the log");
    }
    // What a name for the log-in may hold is harmless where it is shown.
    let script = login("<script>alert(1)</script>\r\nfaked line:x");
    assert_eq!(code(&page::get_with(port, "/", &script).expect("an answer")), 429, "the guesses above count");
    assert_eq!(code(&ask(&sandbox.path("s"), &get("/", &script)).expect("an answer")), 429);
    sandbox.stop();
}
