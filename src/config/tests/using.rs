//! Services of service(8), and jails.

use super::super::world::fake::Fake;
use super::super::world::{Jailed, ProgramState};
use super::super::*;
use super::loaded;
use crate::config::print::{Secrets, print};

fn config(fake: &Fake) -> Config {
    let loaded = loaded(fake);
    let messages = loaded.messages();
    loaded.config.unwrap_or_else(|| panic!("{messages}"))
}

/// The programs of the first process, as `COMMAND (SECONDS)`.
fn programs(fake: &Fake) -> [String; 3] {
    let config = config(fake);
    let service = config.services.iter().find(|service| service.name == "web").unwrap();
    [&service.start, &service.stop, &service.restart].map(|program| {
        let program = program.as_ref().unwrap();
        format!("{} ({})", program.command_line(), program.timeout.unwrap().as_secs())
    })
}

fn fake(text: &str) -> Fake {
    let mut fake = Fake::with(text);
    fake.programs.insert("/usr/local/etc/rc.d/mastodon-web".into(), ProgramState::Ok);
    fake
}

#[test]
fn a_service_is_started_and_stopped_whether_it_is_enabled_or_not() {
    let text = "check process web matching \"puma\" using service mastodon-web with timeout 60 seconds";
    let mut fake = fake(text);
    let verbs = |manner: &str| {
        ["start", "stop", "restart"].map(|verb| format!("/usr/sbin/service mastodon-web {manner}{verb} (60)"))
    };
    assert_eq!(programs(&fake), verbs("one"));
    assert_eq!(loaded(&fake).messages(), "");
    fake.is_freebsd = false;
    assert_eq!(programs(&fake), verbs(""), "elsewhere service(8) knows no other words");
}

#[test]
fn timeouts_are_those_of_set_limits_unless_one_is_given() {
    let text = "set limits { startTimeout: 7 s stopTimeout: 8 s restartTimeout: 9 s }\n\
        check process web pidfile /a using service mastodon-web";
    let [start, stop, restart] = programs(&fake(text));
    assert!(start.ends_with("(7)") && stop.ends_with("(8)") && restart.ends_with("(9)"), "{start} {stop} {restart}");
}

#[test]
fn a_program_that_is_given_replaces_that_of_the_service() {
    let text = "check process web pidfile /a using service mastodon-web\n stop program = \"/bin/true\"";
    let [start, stop, restart] = programs(&fake(text));
    assert_eq!(start, "/usr/sbin/service mastodon-web onestart (30)");
    assert_eq!(stop, "/bin/true (30)");
    assert_eq!(restart, "/usr/sbin/service mastodon-web onerestart (30)");
}

#[test]
fn the_service_of_a_process_in_a_jail_is_the_jails() {
    for (jail, expected) in [
        ("www", "/usr/sbin/service -j www mastodon-web onestart (30)"),
        ("host", "/usr/sbin/service mastodon-web onestart (30)"),
        ("svcj-puma", "/usr/sbin/service mastodon-web onestart (30)"),
    ] {
        let text = format!("check process web matching puma using service mastodon-web in jail {jail}");
        assert_eq!(programs(&fake(&text))[0], expected);
    }
}

#[test]
fn a_dump_shows_the_programs_and_is_read_back() {
    let text = "check process web matching \"puma\" in jail www using service mastodon-web with timeout 60 seconds";
    let first = config(&fake(text));
    let dump = print(&first, Secrets::Shown);
    assert!(
        dump.contains("in jail \"www\"\n    start program = \"/usr/sbin/service -j www mastodon-web onestart\""),
        "{dump}"
    );
    assert_eq!(print(&config(&fake(&dump)), Secrets::Shown), dump);
}

#[test]
fn a_jail_with_a_name_needs_a_system_that_has_them() {
    let text = "check process a matching aa in jail host\ncheck process b matching bb in jail www\n";
    let mut fake = fake(text);
    let jails = |config: &Config| -> Vec<Option<Jail>> {
        let target = |service: &Service| match &service.kind {
            Kind::Process(target) => Some(target.jail().cloned()),
            _ => None,
        };
        config.services.iter().filter_map(target).collect()
    };
    assert_eq!(jails(&config(&fake)), [Some(Jail::Host), Some(Jail::Named("www".to_owned()))]);
    fake.is_freebsd = false;
    let messages = loaded(&fake).messages();
    assert!(messages.contains("monitrc:2:37: error: there are no jails on this system"), "{messages}");
    assert_eq!(messages.matches("error").count(), 1, "{messages}");
}

#[test]
fn a_pattern_that_finds_something_in_a_jail_is_told() {
    let text = "check process a matching \"nginx\"\ncheck process b matching \"nginx\" in jail host\ncheck process c matching cc\n";
    let mut fake = fake(text);
    assert_eq!(loaded(&fake).messages(), "");
    fake.jailed = vec![Jailed { pid: 77, jail: 3, command: b"nginx: master process".to_vec() }];
    let messages = loaded(&fake).messages();
    assert!(
        messages.contains("monitrc:1:26: warning: this pattern also matches process 77 in the jail with number 3"),
        "{messages}"
    );
    assert_eq!(messages.matches("warning").count(), 1, "{messages}");
}
