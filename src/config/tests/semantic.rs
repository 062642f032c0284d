//! What a control file may not say although its grammar is right.

use super::super::world::fake::Fake;
use super::super::*;
use super::{errors, loaded};
use crate::base::cron::Schedule;
use crate::base::event::EventKind;
use std::time::Duration;

#[test]
fn each_test_fits_certain_types() {
    const TYPES: [(&str, &str); 9] = [
        ("process", "check process zz pidfile /a"),
        ("file", "check file zz path /a"),
        ("fifo", "check fifo zz path /a"),
        ("directory", "check directory zz path /a"),
        ("filesystem", "check filesystem zz path /a"),
        ("host", "check host zz address x if failed ping then alert"),
        ("network", "check network zz interface lo"),
        ("system", "check system zz"),
        ("program", "check program zz path /bin/true if status > 0 then alert"),
    ];
    const FITS: [(&str, &str); 44] = [
        ("exited", "process"),
        ("not exist", "process file fifo directory filesystem"),
        ("exist", "process file fifo directory filesystem"),
        ("changed pid", "process"),
        ("changed ppid", "process"),
        ("failed uid root", "process file fifo directory filesystem"),
        ("failed euid root", "process"),
        ("failed gid wheel", "process file fifo directory filesystem"),
        ("uptime > 5", "process system"),
        ("cpu > 5%", "process system"),
        ("cpu(user) > 5%", "system"),
        ("total cpu > 5%", "process"),
        ("mem > 5 mb", "process system"),
        ("total mem > 5%", "process"),
        ("swap > 5%", "system"),
        ("threads > 5", "process"),
        ("children > 5", "process"),
        ("filedescriptors > 5%", "process system"),
        ("total filedescriptors > 5", "process"),
        ("failed security attribute \"x\"", "process"),
        ("read > 5 mb/s", "process filesystem"),
        ("write > 5 operations/s", "filesystem"),
        ("disk read > 5 mb/s", "process"),
        ("loadavg(5min) per core > 5", "process system"),
        ("failed port 80", "process host"),
        ("succeeded url http://x/", "process host"),
        ("failed unixsocket /x", "process"),
        ("failed ping", "host"),
        ("timestamp > 5", "file fifo directory"),
        ("changed mtime", "file fifo directory"),
        ("failed permission 0644", "file fifo directory filesystem"),
        ("changed permission", "file fifo directory filesystem"),
        ("failed checksum", "file"),
        ("changed checksum", "file"),
        ("size > 5 mb", "file"),
        ("content = \"x\"", "file program"),
        ("space free > 5 mb", "filesystem"),
        ("inodes > 5", "filesystem"),
        ("service time > 5 ms", "filesystem"),
        ("changed fsflags", "filesystem"),
        ("link down", "network"),
        ("total download > 5 mb in last hour", "network"),
        ("changed status", "program"),
        ("hardlink > 1", "file fifo directory"),
    ];
    for (test, fits) in FITS {
        for (kind, head) in TYPES {
            let text = format!("{head}\nif {test} then alert");
            let expected = fits.split(' ').any(|known| known == kind);
            assert_eq!(errors(&text).is_empty(), expected, "{text}: {:?}", errors(&text));
        }
    }
}

#[test]
fn mistakes_are_errors_at_their_place() {
    let process = |rest: &str| format!("check process a pidfile /a {rest}");
    let file = |rest: &str| format!("check file a path /a {rest}");
    let table = [
        (process("if failed port 70000 then alert"), "a port must be between 1 and 65535", "70000"),
        (
            process("if failed port 1 send 'x' protocol http then alert"),
            "'send' and 'expect' cannot stand beside the protocol 'http'",
            "'x'",
        ),
        (process("if failed port 1 protocol radius then alert"), "this protocol needs 'type udp'", "radius"),
        (
            process("if failed port 1 protocol http method head content = 'x' then alert"),
            "with 'method head' there is no content and no checksum to test",
            "http",
        ),
        (
            process("if failed port 1 protocol mysql rsakey checksum 8f7f419955cefa0b33a2ba316cba3659 then alert"),
            "'rsakey' needs 'username' and 'password'",
            "mysql",
        ),
        (
            process("if failed port 1 protocol http checksum abc then alert"),
            "this is no checksum, which has 32, 40 or 64 hexadecimal digits",
            "abc",
        ),
        (process("if failed url ftp://x/ then alert"), "only http and https addresses can be tested", "ftp://x/"),
        (process("if failed port 1 ssl { pemfile: /no } then alert"), "the file '/no' does not exist", "/no"),
        (process("if failed uid nosuch then alert"), "there is no user 'nosuch' on this system", "nosuch"),
        (
            "check host h address x if failed ping size 7 then alert".to_owned(),
            "the size of a ping must be between 8 and 1492",
            "7",
        ),
        (
            "check host h address x".to_owned(),
            "nothing of this host is tested: add a test of a port, an address or ping",
            "h",
        ),
        (
            "check program p path /bin/true".to_owned(),
            "nothing of this program is tested: add a test of its status or content",
            "p",
        ),
        (
            "check program p path /no if status > 0 then alert".to_owned(),
            "the program '/no' that is checked must exist and be executable",
            "/no",
        ),
        (
            "check network n interface lo if link up then alert if link down then alert".to_owned(),
            "tests for a link that is up and for one that is down cannot stand together",
            "if link",
        ),
        (
            file("if failed permission 0888 then alert"),
            "permissions must be an octal number between 0 and 7777",
            "0888",
        ),
        (
            file("if failed sha1 checksum expect 8f7f419955cefa0b33a2ba316cba3659 then alert"),
            "this is no SHA1 checksum, which has 40 hexadecimal digits",
            "8f7f419955cefa0b33a2ba316cba3659",
        ),
        (file("if content = /no then alert"), "the file with patterns '/no' cannot be read: entity not found", "/no"),
        (process("ignore content = \"x\""), "'ignore' belongs into a 'check file'", "ignore content = \"x\""),
        (
            process("every \"* * *\""),
            "expected five fields: minute, hour, day of the month, month, day of the week",
            "\"* * *\"",
        ),
        (
            "set httpd port 1 with ssl { verify: enable }".to_owned(),
            "encryption of the page needs 'pemfile', or 'pemchain' and 'pemkey'",
            "set httpd port 1 with ssl { verify: enable }",
        ),
        (process("backoff 0 s up to 5 s"), "the delay must be between 1 and 31622400 seconds", "0"),
        (process("backoff 2 m up to 90 s"), "the longest delay is less than the first", "90"),
        (process("if not exist then unmonitor for 367 days"), "the time must be between 1 and 31622400 seconds", "367"),
        ("set mailserver x port 0".to_owned(), "a port must be between 1 and 65535", "0"),
        ("set mmonit http:///c".to_owned(), "this address has no host", "http:///c"),
    ];
    for (text, message, place) in table {
        assert_eq!(errors(&text), [(message.to_owned(), place.to_owned())], "{text}");
    }
}

#[test]
fn a_key_that_is_missing_is_one_mistake() {
    for text in ["set httpd port 1 pemfile /no allow a:x", "set httpd port 1 ssl { pemfile: /no } allow a:x"] {
        assert_eq!(errors(text), [("the file '/no' does not exist".to_owned(), "/no".to_owned())], "{text}");
    }
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let mut fake = Fake::with("set httpd port 1 pemfile /key allow localhost");
    fake.add("/key", b"");
    assert!(loaded(&fake).config.is_some());
    fake.files.get_mut(std::path::Path::new("/key")).unwrap().0.mode = 0o644;
    assert!(loaded(&fake).messages().contains("the key '/key' has mode 0644, at most 0750 is allowed"));
}

#[test]
fn versions_add_up_and_of_two_set_ssl_the_last_counts() {
    use crate::syntax::statement::TlsVersion::{TlsV12, TlsV13};
    let settings = |text: &str| loaded(&Fake::with(text)).config.unwrap().settings.tls.unwrap();
    let both = settings("set ssl { version: tlsv12 verify: enable version: tlsv13 }");
    assert_eq!(both.versions, [(TlsV12, false), (TlsV13, false)]);
    let last = settings("set ssl { verify: enable version: tlsv12 } set ssl { selfsigned: allow }");
    assert_eq!((last.versions.len(), last.verify, last.self_signed), (0, None, Some(true)));
}

#[test]
fn tests_of_both_states_of_a_link_name_both_places() {
    let loaded = loaded(&Fake::with("check network n interface lo\nif link up then alert\nif link down then alert"));
    assert!(loaded.messages().contains("/etc/monitrc:2:1: note: this is the other one"), "{}", loaded.messages());
}

#[test]
fn every_statement_becomes_part_of_the_configuration() {
    let text = "set alert a@b on { timeout } reminder 3
set mail-format { from: X <c@d>\n subject: s }
set mailserver mx1 port 587 username u password p ssl, mx2 timeout 9 seconds hostname x
set eventqueue basedir /q slots 7
set mmonit http://u:p@h/c timeout 3 seconds register without credentials
set ssl { version: tlsv12 verify: enable }
set fips set expectbuffer 2 kb set limits { execTimeout: 7 s, networkTimeout: 3 s }
check process a pidfile /a every \"0 5 * * *\" alert e@f noalert g@h
 if failed host hx port 81 protocol http request \"/x\" content = \"y\" retry 2 responsetime < 2 s then exec \"/bin/true\"
check file f path /f ignore content = \"i\" if content != \"c\" then alert
check program p path \"/bin/true x\" timeout 4 seconds if status != 0 then alert";
    let config = loaded(&Fake::with(text)).config.unwrap();
    let settings = &config.settings;
    assert_eq!((settings.alerts[0].address.as_str(), settings.alerts[0].reminder), ("a@b", 3));
    assert_eq!(settings.alerts[0].events, Some(vec![EventKind::Timeout]));
    assert_eq!(settings.mail_format.from.as_ref().unwrap().address, "c@d");
    let mail = settings.mail.as_ref().unwrap();
    assert_eq!((mail.servers.len(), mail.servers[0].port, mail.servers[1].port), (2, 587, 25));
    assert_eq!((mail.timeout, mail.hostname.as_deref()), (Some(Duration::from_secs(9)), Some("x")));
    assert_eq!(settings.event_queue, Some(EventQueue { basedir: Some("/q".into()), slots: Some(7) }));
    assert!(settings.collectors[0].without_credentials && settings.fips && settings.tls.is_some());
    assert_eq!(
        (settings.limits.send_expect_buffer, settings.limits.exec_timeout),
        (2048, Some(Duration::from_secs(7)))
    );
    let service = |name: &str| config.services.iter().find(|service| service.name == name).unwrap();
    let process = service("a");
    assert_eq!(process.cron, Some(Cron { not: false, schedule: Schedule::parse("0 5 * * *").unwrap() }));
    assert_eq!((process.alerts.len(), process.no_alerts.as_slice()), (1, ["g@h".to_owned()].as_slice()));
    let Test::Connection(connection) = &process.rules[1].test else { panic!("{:?}", process.rules) };
    assert_eq!(connection.endpoint, Endpoint::Port { host: Some("hx".to_owned()), port: 81 });
    assert_eq!((connection.timeout, connection.tries, connection.content.len()), (Duration::from_secs(3), 2, 1));
    assert_eq!(connection.response_time, Some((Operator::Less, Duration::from_secs(2))));
    let Action::Exec(exec) = &process.rules[1].failure.action else { panic!() };
    assert_eq!(exec.program.timeout, Some(Duration::from_secs(7)));
    assert_eq!((service("f").ignore.len(), service("f").rules.len()), (1, 3));
    assert!(matches!(&service("p").kind, Kind::Program(program) if program.timeout == Some(Duration::from_secs(4))));
    assert!(!format!("{config:?}").contains("\"p\"),") && config.unbuilt.len() > 5);
}

#[test]
fn a_service_whose_beginning_is_misspelt_gives_one_error() {
    let rest = "start \"/bin/true\"\n mode active\n depends on a\n";
    for (check, message) in [
        ("chek process b pidfile /b", "expected a statement"),
        ("check proces b pidfile /b", "expected a type between 'check' and the name"),
        ("check process \"b\" pidfle /b", "expected 'pidfile' or 'matching'"),
    ] {
        for text in [
            format!("{check}\n {rest}check process a pidfile /a"),
            format!("check process a pidfile /a depends on B\n{check}\n {rest}"),
        ] {
            let found = errors(&text);
            assert!(found.len() == 1 && found[0].0 == message, "{text}\n{found:?}");
        }
    }
    let text = "check process a pidfile /a depends on c\nchek process b pidfile /b";
    assert_eq!(errors(text).len(), 2, "{text}");
}

#[test]
fn a_file_that_includes_itself_by_a_relative_path_is_read_once() {
    let mut fake = Fake::with("");
    let text = b"include m\ncheck process a pidfile /a";
    fake.add("/cwd/m", text);
    fake.add("m", text);
    let shown = load::load(std::path::Path::new("/cwd/m"), &fake, &Default::default()).messages();
    assert_eq!(shown.lines().next(), Some("/cwd/m:1:9: warning: 'm' includes itself, it is skipped here"), "{shown}");
    assert_eq!(shown.matches("warning").count() + shown.matches("error").count(), 1, "{shown}");
}

#[test]
fn common_slips_get_a_hint() {
    let process = |rest: &str| format!("check process a pidfile /a\n{rest}\n");
    for (text, hint) in [
        (process("depends on b c"), "names are separated by commas"),
        (process("group x y"), "a 'group' statement has one name; write another 'group' for the next"),
        (process("if does not exits then alert"), "did you mean 'exist'?"),
        ("set httpd port 1 allow localhost".to_owned(), "add 'allow USER:PASSWORD', or 'read-only' behind the port"),
    ] {
        let shown = loaded(&Fake::with(&text)).messages();
        assert!(shown.contains(&format!("help: {hint}")) && shown.matches("help: ").count() == 1, "{shown}");
    }
    assert_eq!(errors(&process("group x start \"/bin/true\" group y alert a@b")), []);
}

#[test]
fn letters_that_look_like_quotes_give_a_warning_where_they_are_accepted() {
    for text in [
        "check process a matching \u{201c}puma\u{201d}",
        "check process \u{201c}a\u{201d} pidfile /a",
        "set mailserver mx password \u{201c}x\u{201d}",
        "set httpd port 1 allow a:\u{201c}x\u{201d}",
    ] {
        let shown = loaded(&Fake::with(text)).messages();
        assert!(
            shown.contains("warning: typographic quotes are ordinary letters here") && !shown.contains("error"),
            "{shown}"
        );
    }
}
