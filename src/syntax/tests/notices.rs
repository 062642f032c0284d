//! Alerts, mail, collectors, encryption and the page's options: what is accepted, what is refused, what it means.

use super::{good, mistakes, service, set};
use crate::base::event::EventKind;
use crate::syntax::statement::*;

#[test]
fn accepted() {
    const SETTINGS: &[&str] = &[
        "mailserver localhost",
        "mailserver mx1, mx2 port 587, mx3",
        "mailserver localhost port 25 username \"a\" password \"b\" using tls with timeout 30 seconds",
        "mailserver ::1 port 25 tls { version: auto } tlsv12",
        "mailserver mx1 timeout 3 seconds hostname hx",
        "mailserver mx1 username u@v password p using sslauto",
        "mailserver mx1 certificate checksum 8f7f419955cefa0b33a2ba316cba3659",
        "alert a@b",
        "alert <a@b>",
        "alert a@b on { timeout, nonexist }",
        "alert a@b but not on { instance } reminder 5 cycles",
        "alert a@b only on { timeout } with mail-format { subject: it's } with reminder on 5 cycles",
        "alert a@b { time, fsflag, fsflags, icmp, bytein }",
        "mail-format { from: a@b }",
        "mail-format { from: \"Na me\" <a@b> reply-to: x@y subject: foo $EVENT }",
        "mail-format { from: Na me <a@b> }",
        "mail-format { from:a@$HOST, subject: it's\nmessage: don't\n stop }",
        "mail-format { subject: }",
        "eventqueue basedir /var/monit slots 100",
        "eventqueue slot 5",
        "mmonit http://u:p@h:80/collector",
        "mmonit http://h/a http://h/b timeout 3 seconds and register without credentials",
        "mmonit https://h/collector ssl {verify: enable} certificate checksum md5 8f7f419955cefa0b33a2ba316cba3659",
        "mmonit http://h/a hostgroups [a, \"b c\"]",
        "ssl { }",
        "tls options { verify: enable, selfsigned: allow version: -tlsv1 tlsv12 ciphers: \"a:b\" pemfile: /p }",
        "ssl { pemchain: /a pemkey: /b clientpemfile: /c cacertificatefile: /d cacertificatepath: /e }",
        "fips",
        "expectbuffer 5 kb",
        "expectbuffer 5",
        "limits { execTimeout: 5 s }",
        "httpd unixsocket /x read-only uid root gid 0 permission 0600 allow adm:pw",
        "httpd port 1 ssl enable pemfile /p clientpemfile /c allowselfcertification allow adm:pw",
        "httpd enable ssl port 1 pemfile /p",
        "httpd port 1 with ssl { pemfile: /p } ssl disable allow @wheel read-only",
        "httpd port 1 allow md5 /etc/x u1 \"u 2\" allow cleartext /y allow /z allow crypt '/w' allow localhost",
    ];
    for text in SETTINGS {
        for tail in ["set init", "check process a pidfile /a", "include /x"] {
            let expected = if tail.starts_with("include") { 1 } else { 2 };
            assert_eq!(good(&format!("set {text}\n{tail}")).len(), expected, "{text} {tail}");
        }
    }
}

#[test]
fn refused_at_its_place() {
    const SETTINGS: &[(&str, &str)] = &[
        ("mailserver", ""),
        ("mailserver /x", "/x"),
        ("mailserver daemon", "daemon"),
        ("mailserver mx1 timeout 5 seconds port 25", "port"),
        ("mailserver mx1 username u port 25", "port"),
        ("mailserver mx1 hostname x timeout 3 seconds", "timeout"),
        ("mailserver mx1 tls port 25", "port"),
        ("alert \"a@b\"", "\"a@b\""),
        ("alert a", "a"),
        ("alert a@b on timeout", "timeout"),
        ("alert a@b on { }", "}"),
        ("alert a@b on { foo }", "foo"),
        ("alert a@b,c@d", "c@d"),
        ("alert a@b reminder on 5 cycles { timeout }", "{"),
        ("mail-format { }", "}"),
        ("mail-format { foo: x }", "foo"),
        ("mail-format { from a@b }", "from"),
        ("mail-format { from: a }", "a"),
        ("eventqueue", ""),
        ("eventqueue slots 100 basedir /x", "basedir"),
        ("mmonit foo", "foo"),
        ("mmonit http://h/c register without credentials timeout 5 seconds", "timeout"),
        ("ssl verify: enable", "verify"),
        ("ssl { verify: foo }", "foo"),
        ("ssl { version: tlsv14 }", "tlsv14"),
        ("httpd port 1 hostname x", "hostname"),
        ("httpd port 1 verify: enable", "verify"),
        ("httpd port 1 ssl pemfile: /x", ":"),
        ("httpd unixsocket x", "x"),
    ];
    for (text, place) in SETTINGS {
        let found = mistakes(&format!("set {text}\nset init"));
        let places: Vec<&str> = found.iter().map(|(_, place)| place.as_str()).collect();
        if place.is_empty() {
            assert_eq!(places.len(), 1, "{text}: {found:?}");
        } else {
            assert_eq!(places, [*place], "{text}: {found:?}");
        }
    }
}

#[test]
fn alerts() {
    let ServiceStatement::Alert(alert) = service(
        "alert a@b but not on { action, time } with mail-format { from: X <c@d>\n subject: it's $EVENT\n message: don't\n stop } reminder 5",
    ) else {
        panic!()
    };
    assert_eq!(alert.address.lossy(), "a@b");
    assert_eq!(alert.events, Some(EventFilter { except: true, events: vec![EventKind::Action, EventKind::Timestamp] }));
    let format = alert.format.unwrap();
    let from = format.from.unwrap();
    assert_eq!((from.name.unwrap().lossy().as_str(), from.address.lossy().as_str()), ("X", "c@d"));
    assert_eq!(format.subject.unwrap().lossy(), "it's $EVENT");
    assert_eq!(format.message.unwrap().lossy(), "don't\n stop");
    assert_eq!(alert.reminder.unwrap().value, 5);
    assert!(matches!(service("noalert a@b"), ServiceStatement::NoAlert(text) if text.lossy() == "a@b"));
}

#[test]
fn mail_servers_and_collectors() {
    let Set::MailServers(mail) =
        set("set mailserver mx1 port 587 username u password p using tls, mx2 with timeout 3 seconds hostname x")
    else {
        panic!()
    };
    let [first, second] = mail.servers.as_slice() else { panic!("{mail:?}") };
    assert_eq!((first.host.lossy().as_str(), first.port.as_ref().unwrap().value), ("mx1", 587));
    assert_eq!(first.password.as_ref().unwrap().lossy(), "p");
    assert_eq!((first.tls.len(), second.host.lossy().as_str()), (1, "mx2"));
    assert_eq!((mail.timeout.unwrap().value, mail.hostname.unwrap().lossy().as_str()), (3, "x"));
    let Set::Collectors(all) = set("set mmonit http://u:p@h:80/c timeout 3 seconds register without credentials")
    else {
        panic!()
    };
    assert_eq!((all.len(), all[0].without_credentials), (1, true));
}

#[test]
fn the_page() {
    let Set::Httpd(options) = set("set httpd unixsocket /x uid u permission 0600 allow @wheel allow md5 /f u1 u2")
    else {
        panic!()
    };
    let [
        HttpdOption::Socket(_),
        HttpdOption::SocketUid(_),
        HttpdOption::SocketPermission(mode),
        HttpdOption::AllowGroup { group, read_only: false },
        HttpdOption::AllowFile { kind: PasswordKind::Md5, users, .. },
    ] = options.as_slice()
    else {
        panic!("{options:?}")
    };
    assert_eq!((mode.lossy().as_str(), group.lossy().as_str(), users.len()), ("0600", "wheel", 2));
}
