//! What is printed is read back with the same meaning.

use std::path::Path;

use super::{Secrets, print};
use crate::config::load::{Overrides, load};
use crate::config::world::fake::Fake;
use crate::config::{Config, Place};

fn config(text: &str) -> Config {
    let mut fake = Fake::with(text);
    for file in ["/p", "/k", "/htpasswd"] {
        fake.add(file, b"");
    }
    fake.add("/patterns", b"one\ntwo\n");
    let loaded = load(Path::new("/etc/monitrc"), &fake, &Overrides::default());
    assert!(loaded.config.is_some(), "{text}\n{}", loaded.messages());
    loaded.config.unwrap()
}

/// The same without places, which a printed text cannot keep.
fn placeless(mut config: Config) -> Config {
    config.unbuilt.clear();
    for service in &mut config.services {
        service.place = Place { file: "/".into(), line: 0 };
    }
    config
}

fn returns(text: &str) {
    let first = config(text);
    let printed = print(&first, Secrets::Shown);
    let second = config(&printed);
    assert_eq!(placeless(first), placeless(second.clone()), "{text}\n{printed}");
    assert_eq!(printed, print(&second, Secrets::Shown));
}

#[test]
fn settings_return() {
    for text in [
        "",
        "set daemon 30 with start delay 5 set init set terminal batch set log '/a \"b' set pidfile /p set idfile /i set statefile /s",
        "set log syslog",
        "set log syslog facility log_daemon",
        "set log syslog facility log_local3 set onreboot laststate check process a pidfile /a",
        "set httpd port 2812 read-only address \"::1\" signature disable allow 10.0.0.0/8 allow ::1 allow localhost allow \"a b\":'c\"d\\\\' read-only allow @wheel allow md5 /htpasswd u1 'u 2'",
        "set environment { PATH = /bin:/sbin, ON=1; A_b1 = 'it \"x\" \\\\ y\\n' # c\n DB_PASSWORD = 'p q' IN = the } set environment { ON = 2 }",
        "set httpd unixsocket /x uid www gid 80 permission 0600 read-only pemfile /p allowselfcertification allow /htpasswd",
        "set httpd port 1 allowselfcertification allow localhost",
        "set limits { programOutput: 2 kb startTimeout: 500 ms } check process a pidfile /a start \"/bin/true\" set limits { startTimeout: 7 s networkTimeout: 1500 ms execTimeout: 2 s } check host h address x if failed port 1 then exec \"/bin/true\"",
        "set ssl { version: tlsv12 -tlsv1 verify: enable selfsigned: reject ciphers: \"a:b\" pemchain: /p pemkey: /k } set fips",
        "set mailserver mx1 port 587 username u@v password 'p\"' ssl, mx2 certificate checksum 8f7f419955cefa0b33a2ba316cba3659 timeout 9 seconds hostname x",
        "set mailserver '/no\npath' port 25",
        "set mail-format { from: \"N n\" <a@b> reply-to: c@d\n subject: it's $EVENT\n message: don't\n stop }",
        "set alert a@b not on { timeout, time } with mail-format { subject: x } reminder 3 set alert c@d",
        "set eventqueue basedir /q slots 7 set mmonit http://u:p@h:81/c timeout 3 seconds https://[::1]/x ssl {verify: enable} register without credentials hostgroups [a, \"b c\"]",
    ] {
        returns(text);
    }
}

#[test]
fn services_return() {
    for text in [
        "check process \"a 'b\" matching \"x \\\\[y\\\\] 'z' \\d\\\\\\n\" group g group 'h\"i'",
        "check process a pidfile /a start \"/bin/it's x\" stop '/bin/a \"b' xx restart \"/bin/true\" 'a\u{0}b'",
        "check process 'a \"b' matching 'x \" \\0x27 y'",
        "check process a pidfile '/a b' matching 'x \"y' as user www check process b pidfile /b as user 0 check process c pidfile /c matching c check process d matching 'as user www' as user www",
        "check process a matching 'x' in jail \"b c\" as user www check process b pidfile /b in jail host check process c pidfile /c in jail 7",
        "check process a matching xx using service puma.web with timeout 60 seconds stop \"/bin/true\" check process b pidfile /b in jail j using service b",
        "check process a pidfile '/a \"b' start \"/bin/true 'x y' z\" stop '/bin/true' '' 'a\"b' restart \"/bin/true\" 'it' as uid www and gid 80 timeout 7 seconds",
        "check process a pidfile /a depends on b, c check process b pidfile /b depends on c check process c pidfile /c",
        "check system \"x y\" if loadavg(5min) per core > 1.25 for 3 cycles then alert if cpu(guestnice) > 5.5% then alert if swap > 5% then stop",
        "check process a pidfile /a every \"0-5/2 * * jan sun\" mode passive onreboot nostart alert a@b noalert c@d",
        "check process a pidfile /a not every \"* * * * *\" check process b pidfile /b every 3 cycles",
        "set backoff 10 seconds up to 1 hour check process a pidfile /a check process b pidfile /b backoff disable check process c pidfile /c backoff 90 seconds up to 2 days",
        "check process a pidfile /a if not exist then unmonitor for 90 seconds else unmonitor for 2 hours if 3 restarts within 5 cycles then unmonitor for 1 day",
        "check process a pidfile /a if 3 restarts within 5 cycles then exec \"/bin/true x\" repeat every 2 cycles",
        "check process a pidfile /a if not exist 2 times within 3 cycles then exec \"/bin/true\" as uid www timeout 5 seconds repeat every 4 cycles else if succeeded for 2 cycles then ignore",
        "check process a pidfile /a if exited then restart else if succeeded for 2 cycles then alert if exited then exec \"/bin/true\"",
        "check file f path /f ignore content = \"i\" ignore not match /patterns if content != \"c\" then alert if content = /patterns then stop if changed sha1 checksum then alert if failed permission 0644 for 2 cycles then alert else stop if changed permission then alert else stop",
        "check file f path /f if failed checksum expect 8f7f419955cefa0b33a2ba316cba3659 then alert if size > 5 gb then alert if access time > 5 months then alert if changed mtime then alert if failed uid www then alert if failed gid 0 then alert if hardlink > 1 then alert if exist then start",
        "check filesystem d path \"host:/x\" if space free < 5.5 mb then alert if inodes > 500 then alert if read > 5 operations/s then alert if service time > 5 ms then alert if changed fsflags then alert",
        "check fifo f path /f check directory d path '/d e' if timestamp > 5 minutes then alert",
        "check network n interface eth0 if link up then alert else if failed then stop if total upload > 5 mb in last 2 hours then alert",
        "check network n address \"::1\" if saturation > 5% then alert if upload > 5 packets/s then alert if total download > 5 kb last day then alert if total upload > 1 mb in last 7 minutes then alert if changed link then alert else stop",
        "check file f path '/a\\nb' if content != '/patterns' then stop",
        "check program p path \"/bin/true a\" 'b \"c' as uid www timeout 5 seconds if status != 0 then alert if content = \"[/]x\" then alert if content not changed then alert",
        "check process a pidfile /a if failed security attribute \"x\" then alert if security attribute != \"x.*\" then alert if total mem > 5% then alert if disk write > 5 operations/s then alert if uptime > 3 days then alert",
    ] {
        returns(text);
    }
}

#[test]
fn connections_return() {
    let hosts = [
        "failed port 80",
        "succeeded host \"x y\" port 80 ipv6 type udp address 1.2.3.4 timeout 9 seconds retry 3 responsetime >= 5 ms",
        "failed port 80 protocol http username u password 'p\"' request \"/x y\" method get status != 201 checksum 8f7f419955cefa0b33a2ba316cba3659 hostheader h1 http headers [A: b c, \"D e\": 'f\"g'] content = \"x\" content != 'y'",
        "failed port 80 protocol apache-status path /x loglimit > 10% cleanuplimit < 5%",
        "failed port 80 protocol mysql username u password p rsakey checksum sha1 8f7f419955cefa0b33a2ba316cba36598f7f4199",
        "failed port 80 protocol pgsql database d protocol redis",
        "failed port 80 protocol websocket origin o request /c host hx version 13",
        "failed port 80 type udp protocol radius secret s3",
        "failed port 80 protocol sip target a@b maxforward 6",
        "failed port 80 send \"a\\r\\n\\0x41\\\\\" expect 'b\"' send 'c'",
        "failed port 80 type tcpssl tlsv12 certmd5 8f7f419955cefa0b33a2ba316cba3659",
        "failed port 80 ssl protocol imap",
        "failed port 80 type tcpssl tlsv12 ssl { version: tlsv13 }",
        "failed port 80 ssl certificate checksum 8f7f419955cefa0b33a2ba316cba3659",
        "failed port 80 ssl { version: auto -sslv3 verify: enable pemfile: /p } certificate valid > 9 days certificate checksum 8f7f419955cefa0b33a2ba316cba3659",
        "failed url https://u:p@h:8443/x?y=(z)&a=\"b\" content = 'x' timeout 3 seconds",
        "succeeded url http://[::1]",
        "failed ping6 count 5 size 100 responsetime < 2 s address 1.2.3.4",
    ];
    for test in hosts {
        returns(&format!("check host h1 address \"::1\" if {test} for 2 cycles then alert"));
    }
    let encrypted = config("check host h1 address x if failed port 80 with ssl then alert");
    let printed = print(&encrypted, Secrets::Shown);
    assert!(printed.contains("if failed port 80 ssl timeout 5 seconds then alert"), "{printed}");
    returns("check process a pidfile /a if failed unixsocket /x type tcpssl tlsv12 type tcpssl tlsv13 then alert");
    returns(
        "check process a pidfile /a if failed unixsocket '/x y' type tcpssl tlsv12 protocol http retry 4 then alert",
    );
    returns(
        "check process a pidfile /a if succeeded port 1 then alert else if failed 2 cycles then exec \"/bin/true\"",
    );
}

#[test]
fn secrets_are_masked_unless_they_are_asked_for() {
    let config = config(
        "set environment { DB_PASSWORD = s3cret DB_URL = postgres://u:s3cret@h/d } set httpd port 1 allow a:s3cret set mailserver mx password s3cret set mmonit http://u:s3cret@h/c check host h1 address x if failed url http://u:s3cret@h/ then alert if failed port 1 type udp protocol radius secret s3cret then alert if failed port 2 protocol http password s3cret http headers [Authorization: Basic s3cret, Accept: x] then alert",
    );
    let masked = print(&config, Secrets::Masked);
    assert!(!masked.contains("s3cret") && masked.matches(super::MASK).count() == 9, "{masked}");
    assert_eq!(print(&config, Secrets::Shown).matches("s3cret").count(), 9);
    assert!(!format!("{config:?}").contains("s3cret"), "{config:?}");
}

#[test]
fn secrets_in_requests_and_in_what_is_sent_are_masked_too() {
    let config = config(
        "check host h1 address x if failed port 3 send 'AUTH s3cret\\r\\nPING' then alert if failed port 4 protocol http request '/x?token=s3cret&q=1' then alert if failed url http://h/x?password=s3cret then alert",
    );
    let masked = print(&config, Secrets::Masked);
    assert!(!masked.contains("s3cret") && masked.matches(super::MASK).count() == 3, "{masked}");
    assert!(masked.contains("&q=1") && masked.contains("PING"), "{masked}");
    assert_eq!(print(&config, Secrets::Shown).matches("s3cret").count(), 3);
}
