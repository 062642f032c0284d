//! Everything that the original says about the meaning of a control file is said here too: one row for each of its messages,
//! with the line that is pointed at. It has two more, which nothing can bring about here: that the time of a file cannot be
//! had, since what a file is like is looked at when the daemon runs; and that there is no service, since there is always one.

use std::path::Path;

use super::super::world::fake::Fake;
use super::loaded;
use crate::syntax::diagnostic::Severity;
use crate::syntax::diagnostic::Severity::{Error, Warning};

const PROCESS: &str = "check process a pidfile /a\n";
const FILE: &str = "check file a path /a\n";
const HOST: &str = "check host a address hx\n";

/// What the original complains of, the text, whether it is an error, the line, and a part of what is said.
#[rustfmt::skip]
const ROWS: &[(&str, &str, &str, Severity, u32, &str)] = &[
    ("name conflict", PROCESS, "check file A path /b", Error, 2, "is used already"),
    ("slash in front of a name", "", "check process \"/a\" pidfile /a", Error, 1, "must not start with '/'"),
    ("unknown dependency", PROCESS, "depends on y", Error, 2, "no service named 'y'"),
    ("dependency loop", PROCESS, "depends on a", Error, 2, "a -> a"),
    ("checked program is missing", "", "check program p path /no\nif status > 0 then alert", Error, 1, "must exist"),
    ("incomplete program", "", "check program p path /bin/true", Error, 1, "test of its status or content"),
    ("incomplete host", "", HOST, Error, 1, "test of a port, an address or ping"),
    ("user not found", PROCESS, "if failed uid nosuch then alert", Error, 2, "no user 'nosuch'"),
    ("group not found", PROCESS, "if failed gid nosuch then alert", Error, 2, "no group 'nosuch'"),
    ("user number not found", PROCESS, "start \"/bin/true\" uid 4711", Error, 2, "no user '4711'"),
    ("permission not octal", FILE, "if failed permission 8 then alert", Error, 2, "between 0 and 7777"),
    ("permission too large", FILE, "if failed permission 10000 then alert", Error, 2, "between 0 and 7777"),
    ("invalid checksum", FILE, "if failed checksum expect abc then alert", Error, 2, "no checksum"),
    ("checksum of another kind", FILE, "if failed md5 checksum expect 1234567890123456789012345678901234567890 then alert", Error, 2, "no MD5 checksum"),
    ("pattern", FILE, "if content = \"(\" then alert", Error, 2, "not closed"),
    ("pattern in a file", FILE, "if content = /bad then alert", Error, 2, "line 2 of '/bad'"),
    ("pattern file missing", FILE, "if content = /no then alert", Error, 2, "cannot be read"),
    ("every format", PROCESS, "every \"* * *\"", Error, 2, "five fields"),
    ("cycles of a rate", PROCESS, "if exist for 65 cycles then alert", Error, 2, "between 1 and 64"),
    ("events of a rate", PROCESS, "if exist 6 times within 5 cycles then alert", Error, 2, "between 1 and 5"),
    ("restarts", PROCESS, "if 6 restarts within 5 cycles then alert", Error, 2, "between 1 and 5"),
    ("zero in a rate", PROCESS, "if exist 0 times within 5 cycles then alert", Error, 2, "between 1 and 5"),
    ("syslog facility", "", "set log syslog facility log_x", Error, 1, "unknown syslog facility"),
    ("unbalanced quotes", PROCESS, "group \"x", Error, 2, "no partner"),
    ("group with blanks", PROCESS, "group \"x y\"", Error, 2, "cannot have blanks"),
    ("no host in a URL", HOST, "if failed url http:///x then alert", Error, 2, "has no host"),
    ("protocol of a URL", HOST, "if failed url ftp://h/x then alert", Error, 2, "only http and https"),
    ("half credentials of a URL", HOST, "if failed url http://u@h/x then alert", Error, 2, "needs a password too"),
    ("send beside a protocol", HOST, "if failed port 1 send 'x' protocol http then alert", Error, 2, "cannot stand beside"),
    ("small ping", HOST, "if failed ping size 7 then alert", Error, 2, "between 8 and 1492"),
    ("large ping", HOST, "if failed ping size 1493 then alert", Error, 2, "between 8 and 1492"),
    ("link up and down", "check network n interface lo\n", "if link up then alert\nif link down then alert", Error, 3, "cannot stand together"),
    ("range of hours", "check network n interface lo\n", "if total upload > 1 gb in last 25 hours then alert", Error, 2, "at most 24"),
    ("range of minutes", "check network n interface lo\n", "if total upload > 1 gb in last 61 minutes then alert", Error, 2, "at most 60"),
    ("range of days", "check network n interface lo\n", "if total upload > 1 gb in last 2 days then alert", Error, 2, "at most 1 "),
    ("key of the page", "", "set httpd port 1 ssl enable allow a:x", Error, 1, "needs 'pemfile'"),
    ("key that is readable", "", "set httpd port 1 pemfile /open allow a:x", Error, 1, "has mode 0644"),
    ("pemfile and pemchain", "", "set httpd port 1 ssl { pemfile: /key pemchain: /key pemkey: /key } allow a:x", Error, 1, "cannot stand beside"),
    ("key that is missing", HOST, "if failed port 1 ssl { pemfile: /no } then alert", Error, 2, "does not exist"),
    ("key given twice", HOST, "if failed port 1 ssl { pemfile: /key pemfile: /key } then alert", Error, 2, "given twice"),
    ("folder of certificates", HOST, "if failed port 1 ssl { cacertificatepath: /key } then alert", Error, 2, "not a directory"),
    ("content without a body", HOST, "if failed port 1 protocol http method head content = 'x' then alert", Error, 2, "no content and no checksum"),
    ("key of an encrypted mysql", HOST, "if failed port 1 protocol mysqls username u password px rsakey checksum 12345678901234567890123456789012 then alert", Error, 2, "without encryption"),
    ("key of mysql with ssl", HOST, "if failed port 1 protocol mysql username u password px rsakey checksum 12345678901234567890123456789012 ssl then alert", Error, 2, "without encryption"),
    ("radius over TCP", HOST, "if failed port 1 protocol radius then alert", Error, 2, "type udp"),
    ("user of a pattern", "check process a matching bb as user nosuch\n", "", Error, 1, "no user 'nosuch'"),
    ("user of a pidfile", "check process a pidfile /a as user 4711\n", "", Error, 1, "no user '4711'"),
    ("user without as", "check process a pidfile /a # as\nuser www\n", "", Error, 2, "expected a statement"),
    ("jail without in", "check process a pidfile /a\njail x\n", "", Error, 2, "expected a statement"),
    ("service without using", "check process a pidfile /a\nservice x\n", "", Error, 2, "expected a statement"),
    ("name of a service", "check process a pidfile /a using service -j\n", "", Error, 1, "'-j' is no name of a service"),
    ("path as a service", "check process a pidfile /a using service ../x\n", "", Error, 1, "is no name of a service"),
    ("using of a file", "check file a path /a\nusing service x\n", "", Error, 2, "expected a statement"),
    ("script of a service", "check process a pidfile /a using service nosuch\n", "", Warning, 1, "no script 'nosuch' in /etc/rc.d"),
    ("pattern of a pidfile", "check process a pidfile /a matching \"(\"\n", "", Error, 1, "not closed"),
    ("poll time", "", "set daemon 0", Error, 1, "an interval must be between"),
    ("program is missing", PROCESS, "start \"/no\"", Warning, 2, "does not exist"),
    ("program is not executable", PROCESS, "start \"/plain\"", Warning, 2, "not executable"),
    ("checksum of nothing", FILE, "if failed checksum then alert", Warning, 2, "no such file now"),
    ("changed checksum of nothing", FILE, "if changed checksum then alert", Warning, 2, "no such file now"),
    ("include of nothing", "", "include /no", Warning, 1, "no such file to include"),
    ("include loop", "", "include /etc/monitrc", Warning, 1, "includes itself"),
    ("every twice", PROCESS, "every 2 cycles\nevery 3 cycles", Warning, 3, "only once"),
    ("address twice", "", "set httpd port 1 address x\naddress ::1 allow a:x", Warning, 2, "only once"),
    ("password file without users", "", "set httpd port 1 address ::1 allow /users c", Warning, 1, "no such user"),
    ("password file that is empty", "", "set httpd port 1 address ::1 allow /empty", Warning, 1, "has no users"),
    ("user twice", "", "set httpd port 1 address ::1 allow x:y\nallow x:z", Warning, 2, "already"),
    ("no network", "", "set httpd port 1 address ::1 allow a:x\nallow 10.0.0.0/99", Warning, 2, "no network"),
    ("collector without a page", "", "set mmonit http://hx/c", Warning, 1, "no 'set httpd'"),
    ("collector without credentials", "", "set mmonit http://hx/c set httpd port 1 allow a:x read-only address ::1", Warning, 1, "lets the collector act"),
];

#[test]
fn each_message_of_the_original_has_its_like() {
    for (what, head, rest, severity, line, part) in ROWS {
        let mut fake = Fake::with(&format!("{head}{rest}\n"));
        fake.add("/key", b"");
        fake.add("/open", b"");
        fake.files.get_mut(Path::new("/open")).unwrap().0.mode = 0o644;
        fake.add("/bad", b"x\n(\n");
        fake.add("/empty", b"");
        fake.add("/users", b"a:x\nb:y\n");
        fake.programs.insert("/plain".into(), super::ProgramState::NotExecutable);
        let loaded = loaded(&fake);
        let found = loaded.diagnostics.iter().filter(|diagnostic| {
            let at = diagnostic.location.unwrap();
            let found = loaded.sources.get(at.source).unwrap().line(at.span.start);
            diagnostic.severity == *severity && found == *line && diagnostic.message.contains(part)
        });
        assert_eq!(found.count(), 1, "{what}\n{}", loaded.messages());
        assert_eq!(loaded.diagnostics.iter().count(), 1, "{what}\n{}", loaded.messages());
    }
}

#[test]
fn users_and_groups_of_programs_need_the_superuser() {
    let mut fake = Fake::with(&format!("{PROCESS}start \"/bin/true\" uid www gid www"));
    fake.euid = 1;
    fake.files.get_mut(Path::new("/etc/monitrc")).unwrap().0.owner = 1;
    assert_eq!(loaded(&fake).messages().matches("needs root privileges").count(), 2);
}

#[test]
fn a_program_has_at_most_so_many_words() {
    let words = " x".repeat(crate::syntax::program::WORDS_MAX);
    let fake = Fake::with(&format!("{PROCESS}start \"/bin/true{words}\""));
    assert!(loaded(&fake).messages().contains("more than 63 words in a program"));
}
