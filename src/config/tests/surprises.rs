//! What is right and may yet surprise.

use super::super::world::fake::Fake;
use super::{loaded, messages, warnings};
use crate::config::{CpuKind, Measure};
use crate::syntax::diagnostic::Severity;
use std::path::Path;

#[test]
fn rules_that_do_less_than_they_say() {
    const STARTS: &str = "start \"/bin/true\"";
    let table: &[(&str, &[&str])] = &[
        ("if exist then restart", &["this rule restarts nothing, the service has no start program"]),
        ("if exist then start", &["this rule starts nothing, the service has no start program"]),
        ("if exist then alert else restart", &["this rule restarts nothing, the service has no start program"]),
        ("if exist then stop", &["this rule stops nothing, the service has no stop program and is only unmonitored"]),
        ("if not exist then alert", &[]),
        ("if exist then restart start \"/bin/true\"", &[]),
        ("if exist then restart restart \"/bin/true\"", &[]),
        ("if exist then restart start \"/bin/true\" mode passive", &["in passive mode this rule only alerts"]),
        ("mode passive", &[]),
        (
            "if changed pid 2 times within 5 cycles then alert",
            &["a change is seen in one cycle only: this rule acts when 2 cycles have one each"],
        ),
        ("if changed pid then alert", &[]),
        ("if exist then alert if not exist then alert", &["one of the tests for existence always fails"]),
        (
            "if 3 restarts within 5 cycles then timeout",
            &["this limit is never reached, the service has no start program"],
        ),
    ];
    for (text, expected) in table {
        let found: Vec<String> =
            warnings(&format!("check process a pidfile /a {text}")).into_iter().map(|(message, _)| message).collect();
        assert_eq!(&found, expected, "{text}");
    }
    assert_eq!(
        warnings(&format!("check process a pidfile /a {STARTS} if 3 restarts within 5 cycles then timeout")),
        []
    );
}

#[test]
fn a_pattern_that_finds_the_shell_of_the_start_program_is_told() {
    let found = |pattern: &str, program: &str| {
        let text = format!("check process a matching \"{pattern}\" {program}");
        warnings(&text).iter().filter(|(message, _)| message.contains("the shell that starts this service")).count()
    };
    assert_eq!(found("puma", "start \"/bin/sh -c 'cd /x && puma'\""), 1);
    assert_eq!(found("puma", "restart \"/bin/bash -lc 'puma'\" start \"/bin/true\""), 1);
    assert_eq!(found("^puma", "start \"/bin/sh -c 'cd /x && puma'\""), 0);
    assert_eq!(found("puma", "start \"/usr/bin/puma -c x\" stop \"/bin/sh -c 'pkill puma'\""), 0);
    assert_eq!(found("puma", "start \"/bin/sh /etc/rc.d/puma start\""), 0);
}

#[test]
fn of_several_tests_in_one_rule_the_last_counts_and_the_others_are_named() {
    let text = "check system x if cpu > 5% and memory usage > 6% or loadavg > 7 for 3 cycles then alert";
    let message = "another test follows in this 'if': only the last one counts, as in Monit; write an 'if' for each";
    let expected = [(message.to_owned(), "cpu > 5%".to_owned()), (message.to_owned(), "memory usage > 6%".to_owned())];
    assert_eq!(warnings(text), expected);
    let loaded = loaded(&Fake::with(text));
    let rules = &loaded.config.unwrap().services[0].rules;
    assert!(matches!(rules[0].test, crate::config::Test::Measured { measure: Measure::Load { .. }, .. }), "{rules:?}");
    assert_eq!((rules.len(), rules[0].failure.rate.count), (1, 3));
}

#[test]
fn who_may_control_the_daemon_is_said_in_one_line() {
    let table = [
        ("port 1", "no 'allow' lets anybody in, there will be no page"),
        (
            "port 1 allow localhost",
            "no 'allow' asks for a password: every user of this machine may control all services",
        ),
        (
            "port 1 allow 127.0.0.0/8 allow ::1",
            "no 'allow' asks for a password: every user of this machine may control all services",
        ),
        (
            "port 1 allow localhost allow 10.0.0.0/8",
            "no 'allow' asks for a password: every user of these hosts and networks may control all services",
        ),
        (
            "port 1 allow 0.0.0.0/0.0.0.0",
            "no 'allow' asks for a password: everybody who can connect may control all services",
        ),
        (
            "port 1 allow a:x",
            "passwords cross the network in the clear: use 'ssl', or 'address' with this machine's own",
        ),
        (
            "port 1 allow a:x allow 10.0.0.1",
            "passwords cross the network in the clear: use 'ssl', or 'address' with this machine's own",
        ),
        ("port 1 allow a:x allow localhost", ""),
        ("port 1 allow a:x address localhost", ""),
        ("port 1 allow a:x address 127.0.0.1", ""),
    ];
    for (text, expected) in table {
        let found: Vec<String> =
            warnings(&format!("set httpd {text}")).into_iter().map(|(message, _)| message).collect();
        assert_eq!(found.concat(), expected, "{text}");
    }
}

#[test]
fn the_order_of_included_files_is_told_where_it_matters() {
    let warned = |a: &str, b: &str| -> Vec<(String, String)> {
        let mut fake = Fake::with("include /inc/*");
        fake.add("/inc/a", a.as_bytes());
        fake.add("/inc/b", b.as_bytes());
        messages(&fake, Severity::Warning)
    };
    let one = |message: &str, place: &str| vec![(message.to_owned(), place.to_owned())];
    let force = "this 'set daemon' is in force, for the files of an include take effect in reverse order";
    assert_eq!(warned("set daemon 5", "set daemon 6"), one(force, "set daemon 5"));
    assert_eq!(warned("set daemon 5", "set daemon  5 set init"), []);
    assert_eq!(warned("set daemon 5 set daemon 6", ""), []);
    let late = "this comes too late for services of other files: those of an include take effect in reverse order";
    let limits = "set limits { startTimeout: 5 s }";
    assert_eq!(warned(limits, "check process b pidfile /b"), one(late, limits));
    assert_eq!(warned("check process a pidfile /a", limits), []);
    assert_eq!(warned("set onreboot nostart", "check process b pidfile /b"), one(late, "set onreboot nostart"));
    let stray = "this belongs to the service 'b' of another file";
    assert_eq!(warned("mode active", "check process b pidfile /b"), one(stray, "mode active"));
    let mut fake = Fake::with("check process c pidfile /c include /inc/a include /inc/b set daemon 7");
    fake.add("/inc/a", b"mode active");
    fake.add("/inc/b", b"mode active set daemon 5");
    assert_eq!(messages(&fake, Severity::Warning), []);
}

#[test]
fn what_this_system_does_not_tell_is_said() {
    let mut fake = Fake::with(
        "check process a pidfile /a if disk write > 1 kB/s then alert if disk write > 1 operations/s then alert if failed security attribute x then alert\n check system x if cpu (wait) > 5% then alert",
    );
    fake.silent = vec![Measure::DiskWrite, Measure::Cpu(Some(CpuKind::Wait))];
    fake.labels = false;
    let messages: Vec<String> = messages(&fake, Severity::Warning).into_iter().map(|(message, _)| message).collect();
    let told = "this system does not tell that, the rule is never judged";
    assert_eq!(messages.iter().filter(|message| *message == told).count(), 4, "{messages:?}");
}

#[test]
fn hidden_processes_are_told_once_and_not_of_the_users_own() {
    let text = "check process a matching aa as user www\ncheck process b pidfile /b\ncheck process c matching cc\n";
    let mut fake = Fake::with(text);
    assert_eq!(messages(&fake, Severity::Warning), []);
    fake.hides_processes = true;
    fake.euid = 80;
    fake.files.get_mut(Path::new("/etc/monitrc")).unwrap().0.owner = 80;
    let warnings = messages(&fake, Severity::Warning);
    let [(message, place)] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(message.contains("hidden") && place == "check process", "{warnings:?}");
    assert!(loaded(&fake).messages().contains("monitrc:2:"));
}

#[test]
fn a_ping_that_cannot_be_sent_is_told_once() {
    let mut fake = Fake::with("check host a address ::1\n if failed ping then alert\n if failed ping6 then alert\n");
    assert_eq!(messages(&fake, Severity::Warning), []);
    fake.pings = false;
    let warnings = messages(&fake, Severity::Warning);
    let [(message, _)] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(message.contains("no raw socket"), "{warnings:?}");
    assert!(loaded(&fake).messages().contains("monitrc:2:"));
}

#[test]
fn a_service_whose_page_cannot_be_asked_for_is_told() {
    let page = "set httpd port 1\n allow u:p\n";
    let told = |name: &str| {
        let found = warnings(&format!("{page}check file \"{name}\" with path /f\n"));
        let found: Vec<String> =
            found.into_iter().map(|(text, _)| text).filter(|text| text.contains("page of")).collect();
        found.join("; ")
    };
    assert_eq!(told(".."), "the page of '..' cannot be asked for: browsers take '/..' for another path");
    assert_eq!(told("_status"), "the page of '_status' cannot be asked for: '/_status' is a page of the daemon");
    for name in ["_STATUS", "_x", "a.b", "...", "status", "favicon"] {
        assert_eq!(told(name), "", "{name}");
    }
    assert!(warnings("check file _status with path /f\n").is_empty(), "without a page there is none to miss");
}
