//! Whole loads on a machine made of tables.

mod messages;
mod semantic;
mod surprises;
mod using;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::load::{DEPTH_MAX, Loaded, Overrides, load};
use super::world::fake::Fake;
use super::world::{FileFacts, ProgramState};
use super::*;
use crate::base::schedule::{Backoff, Every, Rate};
use crate::syntax::diagnostic::Severity;

fn loaded(fake: &Fake) -> Loaded {
    load(Path::new("/etc/monitrc"), fake, &Overrides { checking: true, ..Overrides::default() })
}

/// The configuration of a text without errors and warnings.
fn config(text: &str) -> Config {
    let loaded = loaded(&Fake::with(text));
    assert_eq!(loaded.messages(), "", "{text}");
    loaded.config.unwrap()
}

fn service(text: &str) -> Service {
    config(text).services.into_iter().find(|service| service.service_type() == ServiceType::Process).unwrap()
}

/// The first service of a control file, for the tests of other layers.
pub(crate) fn first(text: &str) -> Service {
    let loaded = loaded(&Fake::with(text));
    assert!(!loaded.diagnostics.has_errors(), "{text}\n{}", loaded.messages());
    loaded.config.unwrap().services.into_iter().next().unwrap()
}

/// Messages of that severity with the texts they point at.
fn messages(fake: &Fake, severity: Severity) -> Vec<(String, String)> {
    let loaded = loaded(fake);
    assert_eq!(loaded.config.is_none(), loaded.diagnostics.has_errors());
    let place = |diagnostic: &crate::syntax::diagnostic::Diagnostic| {
        let at = diagnostic.location?;
        let text = loaded.sources.get(at.source)?.text().get(at.span.start..at.span.end)?;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    let all = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity);
    all.map(|diagnostic| (diagnostic.message.clone(), place(diagnostic).unwrap_or_default())).collect()
}

fn errors(text: &str) -> Vec<(String, String)> {
    messages(&Fake::with(text), Severity::Error)
}

fn warnings(text: &str) -> Vec<(String, String)> {
    messages(&Fake::with(text), Severity::Warning)
}

fn names(config: &Config) -> Vec<&str> {
    config.services.iter().map(|service| service.name.as_str()).collect()
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let fake = Fake::with("\u{feff}set daemon 5\n");
    let loaded = load(Path::new("/etc/monitrc"), &fake, &Overrides::default());
    assert_eq!(loaded.messages(), "");
    assert_eq!(loaded.settings.interval, Some(Duration::from_secs(5)));
}

#[test]
fn an_empty_file_has_the_system_alone() {
    let empty = loaded(&Fake::with(" # set daemon 30\n"));
    let message = "there is no statement here: nothing is watched but the machine itself";
    assert!(empty.messages().contains(&format!("/etc/monitrc:1:1: warning: {message}")), "{}", empty.messages());
    let mut elsewhere = Fake::with("include /none/*");
    elsewhere.add("/none", b"");
    assert!(!loaded(&elsewhere).messages().contains(message));
    let config = empty.config.unwrap();
    assert_eq!(names(&config), ["host1"]);
    assert_eq!(config.services[0].service_type(), ServiceType::System);
    assert_eq!(config.services[0].place, Place { file: "/etc/monitrc".into(), line: 0 });
    assert!(config.settings.interval.is_none() && config.settings.httpd.is_none());
    assert_eq!(config.settings.limits, Limits::default());
}

#[test]
fn settings() {
    let settings = config(
        "set daemon 30 with start delay 240 set init set terminal batch set log syslog facility log_local3 set pidfile /p set idfile /i set statefile /s",
    )
    .settings;
    assert_eq!(settings.interval, Some(Duration::from_secs(30)));
    assert_eq!(settings.start_delay, Some(Duration::from_secs(240)));
    assert!(settings.foreground && settings.batch);
    assert_eq!(settings.log, Some(LogTarget::Syslog(Facility::Local(3))));
    assert_eq!(settings.pidfile, Some(PathBuf::from("/p")));
    assert_eq!(settings.idfile, Some(PathBuf::from("/i")));
    assert_eq!(settings.statefile, Some(PathBuf::from("/s")));
    assert_eq!(config("set daemon 30 set daemon 40").settings.interval, Some(Duration::from_secs(40)));
    assert_eq!(config("set log /var/log/x").settings.log, Some(LogTarget::File("/var/log/x".into())));
    assert_eq!(config("set log syslog").settings.log, Some(LogTarget::Syslog(Facility::User)));
}

#[test]
fn the_command_line_comes_before_the_file() {
    let fake = Fake::with("set daemon 30 set log syslog set pidfile /p set statefile /s");
    let overrides = Overrides {
        interval: Some(Duration::from_secs(5)),
        log: Some(LogTarget::File("/l".into())),
        pidfile: Some("/q".into()),
        statefile: Some("/t".into()),
        foreground: true,
        batch: true,
        checking: false,
    };
    let loaded = load(Path::new("/etc/monitrc"), &fake, &overrides);
    let settings = &loaded.config.as_ref().unwrap().settings;
    assert_eq!(settings.interval, Some(Duration::from_secs(5)));
    assert_eq!(settings.log, Some(LogTarget::File("/l".into())));
    assert_eq!((&settings.pidfile, &settings.statefile), (&Some("/q".into()), &Some("/t".into())));
    assert!(settings.foreground && settings.batch && loaded.settings.foreground);
}

#[test]
fn httpd() {
    let httpd = config(
        "set httpd port 2812 read-only address localhost allow 127.0.0.1 allow 10.0.0.0/8 allow admin:monit allow guest:\"a b\" read-only signature disable",
    )
    .settings
    .httpd
    .unwrap();
    assert_eq!((httpd.port, httpd.address.as_deref(), httpd.read_only), (Some(2812), Some("localhost"), true));
    assert_eq!(httpd.signature, Signature::Hidden);
    assert_eq!(httpd.allow.len(), 2);
    let credential =
        |user: &str, password: &str, read_only| Credential { user: user.into(), password: password.into(), read_only };
    assert_eq!(httpd.credentials, [credential("admin", "monit", false), credential("guest", "a b", true)]);
    let twice = config("set httpd port 1 allow ::1 allow a:x set httpd port 2").settings.httpd.unwrap();
    assert_eq!((twice.port, twice.allow.len()), (Some(2), 1));
}

#[test]
fn a_process_with_everything() {
    let text = "check process puma matching \"puma .* \\[mastodon\\]\"
 start program = \"/usr/sbin/service puma restart\" as uid www and gid 80 with timeout 60 seconds
 stop program = \"/usr/sbin/service puma stop\"
 restart program \"/bin/true\"
 if 3 restarts within 5 cycles then timeout
 group Web group www mode passive onreboot nostart every 2 cycles";
    let service = service(text);
    let Kind::Process(ProcessTarget::Matching { pattern, .. }) = &service.kind else { panic!() };
    assert!(pattern.regex.is_match(b"puma 5.6.5 (tcp://127.0.0.1:3000) [mastodon]"));
    assert_eq!(pattern.source, r"puma .* \[mastodon\]");
    let start = service.start.unwrap();
    assert_eq!(start.command_line(), "/usr/sbin/service puma restart");
    assert_eq!(start.uid, Some(User { uid: 80, name: Some("www".into()) }));
    assert_eq!(start.gid, Some(Group { gid: 80, name: Some("www".into()) }));
    assert_eq!(start.timeout, Some(Duration::from_secs(60)));
    assert_eq!(service.stop.unwrap().timeout, Some(Duration::from_secs(30)));
    assert_eq!(service.restart.unwrap().argv, ["/bin/true"]);
    assert_eq!(service.restart_limits, [RestartLimit { restarts: 3, cycles: 5, action: Action::Unmonitor }]);
    assert_eq!(service.groups, ["Web", "www"]);
    assert_eq!((service.mode, service.onreboot, service.every), (Mode::Passive, OnReboot::NoStart, Every::Cycles(2)));
    assert_eq!(service.place, Place { file: "/etc/monitrc".into(), line: 1 });
}

#[test]
fn the_default_of_backoff_is_for_services_that_follow() {
    let text = "check process a pidfile /a
set backoff 10 seconds up to 10 minutes
check process b pidfile /b
check process c pidfile /c backoff disable
check process d pidfile /d with backoff 1 hour up to 1 hour
set backoff disable
check process e pidfile /e";
    let found: Vec<_> = config(text).services.iter().map(|service| service.backoff).collect();
    let backoff =
        |first, longest| Some(Backoff { first: Duration::from_secs(first), longest: Duration::from_secs(longest) });
    assert_eq!(found, [None, backoff(10, 600), None, backoff(3600, 3600), None, None], "the last is the system");
}

#[test]
fn a_process_that_says_nothing_of_its_existence_is_restarted() {
    let texts = |text: &str| service(text).rules.iter().map(Rule::text).collect::<Vec<_>>();
    assert_eq!(texts("check process a pidfile /a"), ["If doesn't exist then restart"]);
    assert_eq!(texts("check process a pidfile /a if not exist then alert"), ["If doesn't exist then alert"]);
    assert_eq!(texts("check process a pidfile /a stop \"/bin/true\" if exist then stop"), ["If exist then stop"]);
    assert_eq!(texts("check process a pidfile /a if exited then alert"), ["If exited then alert"]);
    let two = "check process a pidfile /a start \"/bin/true\" if not exist 2 times within 3 cycles then alert if not exist for 4 cycles then restart else if succeeded 2 cycles then exec \"/bin/true x\" as uid root repeat every 2 cycles";
    assert_eq!(
        texts(two),
        [
            "If doesn't exist for 2 times within 3 cycles then alert",
            "If doesn't exist for 4 cycles then restart else if succeeded for 2 cycles then exec '/bin/true x' as uid 0 repeat every 2 cycle(s)"
        ]
    );
    let rule = &service(two).rules[0];
    assert_eq!(rule.failure, Reaction { rate: Rate { count: 2, window: 3 }, action: Action::Alert });
    assert_eq!(rule.recovery, Reaction { rate: Rate::ONCE, action: Action::Alert });
}

#[test]
fn limits_and_onreboot_hold_for_what_follows() {
    let config = config(
        "check process a pidfile /a start \"/bin/true\" set limits { startTimeout: 77 s } set onreboot nostart check process b pidfile /b start \"/bin/true\" set limits { startTimeout: 500 ms, programOutput: 2 kb }",
    );
    let timeouts: Vec<_> =
        config.services.iter().map(|service| service.start.as_ref().and_then(|start| start.timeout)).collect();
    assert_eq!(timeouts, [Some(Duration::from_secs(30)), Some(Duration::from_secs(77)), None]);
    let onreboot: Vec<_> = config.services.iter().map(|service| service.onreboot).collect();
    assert_eq!(onreboot, [OnReboot::Start, OnReboot::NoStart, OnReboot::NoStart]);
    assert_eq!(config.settings.limits.start_timeout, Duration::from_millis(500));
    assert_eq!(config.settings.limits.program_output, 2048);
}

#[test]
fn mode_manual_is_onreboot_laststate() {
    let service = service("check process a pidfile /a mode manual");
    assert_eq!((service.mode, service.onreboot), (Mode::Active, OnReboot::LastState));
}

#[test]
fn services_stand_behind_what_they_depend_on() {
    let config = config(
        "check process a pidfile /a depends on C, b check process b pidfile /b check process c pidfile /c depends on b, b check process d pidfile /d",
    );
    assert_eq!(names(&config), ["b", "c", "d", "host1", "a"]);
    assert_eq!(config.services[4].depends, [ServiceId(1), ServiceId(0)]);
    assert_eq!(config.services[1].depends, [ServiceId(0)]);
}

#[test]
fn system_services() {
    assert_eq!(names(&config("check system web-$HOST check process a pidfile /a")), ["web-host1", "a"]);
    assert_eq!(names(&config("check system a check system b")), ["a", "b"]);
}

#[test]
fn group_names_keep_their_first_spelling() {
    let config = config("check process a pidfile /a group Web group web check process b pidfile /b group WEB");
    assert_eq!(config.services[0].groups, ["Web"]);
    assert_eq!(config.services[1].groups, ["Web"]);
}

#[test]
fn statements_go_on_in_included_files() {
    let mut fake =
        Fake::with("include /inc/*.conf\nstop \"/bin/true\"\ncheck process z pidfile /z\ninclude /rest\nmode passive");
    fake.add("/inc/1.conf", b"check process one pidfile /1");
    fake.add("/inc/2.conf", b"check process two pidfile /2");
    fake.add("/inc/3.conf~", b"nonsense");
    fake.add("/rest", b"start \"/bin/true\" group g");
    let loaded = loaded(&fake);
    assert_eq!(loaded.messages(), "");
    let config = loaded.config.unwrap();
    assert_eq!(names(&config), ["two", "one", "z", "host1"]);
    assert!(config.services[1].stop.is_some());
    assert_eq!((config.services[2].groups.len(), config.services[2].mode), (1, Mode::Passive));
    assert_eq!(config.services[0].place.file, Path::new("/inc/2.conf"));
}

#[test]
fn include_limits() {
    let mut fake = Fake::with("include /etc/monitrc\ninclude /no/*.conf\ninclude /no\n");
    let warnings = messages(&fake, Severity::Warning);
    let expected = [
        ("'/etc/monitrc' includes itself, it is skipped here", "/etc/monitrc"),
        ("there is no such directory to include files from", "/no/*.conf"),
        ("there is no such file to include", "/no"),
    ];
    assert_eq!(warnings, expected.map(|(message, place)| (message.to_owned(), place.to_owned())));
    for depth in 0..100 {
        fake.add(&format!("/d{depth}"), format!("include /d{}", depth + 1).as_bytes());
    }
    fake.add("/etc/monitrc", b"include /d0");
    let errors = messages(&fake, Severity::Error);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].0, format!("files are included more than {DEPTH_MAX} deep"));
    fake.files.insert(
        "/dev/fifo".into(),
        (FileFacts { regular: false, directory: false, owner: 0, mode: 0o600 }, Vec::new()),
    );
    fake.add("/etc/monitrc", b"include /dev/fifo");
    assert_eq!(messages(&fake, Severity::Error)[0].0, "'/dev/fifo' cannot be included: it is not a regular file");
    fake.add("/etc/monitrc", &vec![b' '; 16 * 1024 * 1024 + 1]);
    assert_eq!(
        messages(&fake, Severity::Error)[0].0,
        "The control file '/etc/monitrc' cannot be read: it is longer than 16777216 bytes"
    );
}

#[test]
fn many_includes_of_one_file_are_bounded() {
    let mut fake = Fake::with("include /x*");
    fake.add("/x", "include /y*\n".repeat(50).as_bytes());
    fake.add("/y", "include /z*\n".repeat(50).as_bytes());
    fake.add("/z", "include /n*\n".repeat(50).as_bytes());
    fake.add("/n", b"set init");
    let loaded = loaded(&fake);
    assert!(loaded.config.is_none());
    assert!(loaded.messages().contains("there are more than 10000 files"));
}

#[test]
fn a_control_file_must_be_safe() {
    let message = |change: &dyn Fn(&mut FileFacts), euid: u32| {
        let mut fake = Fake::with("set pidfile /p");
        fake.euid = euid;
        change(&mut fake.files.get_mut(Path::new("/etc/monitrc")).unwrap().0);
        let loaded = loaded(&fake);
        (loaded.messages(), loaded.settings_found)
    };
    let wrong =
        |mode: &str| format!("The control file '/etc/monitrc' permission {mode} is wrong, maximum 0700 allowed\n");
    assert_eq!(message(&|_| {}, 0), (String::new(), true));
    assert_eq!(message(&|facts| facts.mode = 0o700, 0), (String::new(), true));
    assert_eq!(message(&|facts| facts.mode = 0o644, 0), (wrong("0644"), true));
    assert_eq!(message(&|facts| facts.mode = 0o620, 0), (wrong("0620"), false));
    let owner = "The control file '/etc/monitrc' must be owned by you.\n".to_owned();
    assert_eq!(message(&|_| {}, 5), (owner, false));
    let kind = "The control file '/etc/monitrc' is not a file\n".to_owned();
    assert_eq!(message(&|facts| facts.regular = false, 0), (kind, false));
    let missing = |path: &str| load(Path::new(path), &Fake::with(""), &Overrides::default()).messages();
    assert_eq!(missing("/no"), "The control file '/no' is not a file\n");
    assert_eq!(missing("no"), "The control file 'no' does not exist at /cwd\n");
}

#[test]
fn settings_are_known_although_the_file_is_wrong() {
    let loaded = loaded(&Fake::with(
        "set pidfile /p\nset nonsense\ncheck process a pidfile /a\ncheck process a pidfile /a\nset daemon 0 set statefile /s",
    ));
    assert!(loaded.config.is_none() && loaded.settings_found);
    assert_eq!(loaded.settings.pidfile, Some("/p".into()));
    assert_eq!(loaded.settings.statefile, Some("/s".into()));
    assert_eq!(loaded.diagnostics.iter().count(), 3);
}

#[test]
fn what_is_not_built_is_listed() {
    let table = [
        ("set mailserver localhost", "set mailserver", 1),
        ("set init\nset ssl { verify: enable }", "set ssl", 2),
        ("check host r address localhost start program \"/x\" if failed port 80 then alert", "check host", 1),
        ("check process a pidfile /a\n\n if failed port 80 then alert", "if failed port", 3),
        ("check process a pidfile /a alert a@b", "alert", 1),
        ("check process a pidfile /a noalert a@b", "noalert", 1),
        ("set fips", "set fips", 1),
    ];
    for (text, words, line) in table {
        let loaded = loaded(&Fake::with(text));
        assert!(!loaded.diagnostics.has_errors(), "{text}\n{}", loaded.messages());
        let unbuilt = loaded.config.unwrap().unbuilt;
        assert_eq!(unbuilt, [(Place { file: "/etc/monitrc".into(), line }, words.to_owned())], "{text}");
    }
    let built = "set daemon 5 set httpd unixsocket /x uid root gid 0 permission 0600 read-only set expectbuffer 2 kb set limits { execTimeout: 5 s } set environment { A = b } check process a pidfile /a if exited then exec \"/bin/true\" timeout 5 seconds else ignore";
    assert!(config(built).unbuilt.is_empty());
}

#[test]
fn mistakes_are_errors_at_their_place() {
    let process = |rest: &str| format!("check process a pidfile /a {rest}");
    let table = [
        ("set daemon 0".to_owned(), "an interval must be between 1 and 31622400 seconds", "0"),
        ("set daemon 99999999".to_owned(), "an interval must be between 1 and 31622400 seconds", "99999999"),
        ("set log syslog facility log_foo".to_owned(), "unknown syslog facility", "log_foo"),
        ("set log syslog facility log_local8".to_owned(), "unknown syslog facility", "log_local8"),
        ("set httpd port 70000".to_owned(), "a port must be between 1 and 65535", "70000"),
        ("set httpd port 0".to_owned(), "a port must be between 1 and 65535", "0"),
        (
            "set limits { startTimeout: 0 s }".to_owned(),
            "startTimeout must be more than 0 and at most 31622400 seconds",
            "0",
        ),
        (
            "set limits { programOutput: 9999999 gb }".to_owned(),
            "programOutput must be at most 1073741824 bytes",
            "9999999",
        ),
        (
            format!("set httpd port 1 allow x:{}", "p".repeat(65)),
            "the password is longer than 64 bytes",
            "ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp",
        ),
        (
            "start \"/bin/true\"".to_owned(),
            "this statement belongs into a service, and none is open here",
            "start \"/bin/true\"",
        ),
        (
            process("set init mode active"),
            "this statement belongs into a service, and none is open here",
            "mode active",
        ),
        ("check process \"/a\" pidfile /a".to_owned(), "a service name must not start with '/'", "\"/a\""),
        (process("check process A pidfile /b"), "the service name 'A' is used already", "A"),
        (process("check filesystem A path /"), "the service name 'A' is used already", "A"),
        (process("depends on b"), "there is no service named 'b' to depend on", "b"),
        (process("depends on a"), "services depend on each other: a -> a", "a"),
        (
            process("depends on B check process b pidfile /b depends on c check process c pidfile /c depends on a"),
            "services depend on each other: a -> b -> c -> a",
            "B",
        ),
        (
            "check process host1 pidfile /a".to_owned(),
            "this name is the host's, which the system service takes that the file does not have",
            "host1",
        ),
        (process("start \"/bin/true\" timeout 0 s"), "a timeout must be between 1 and 31622400 seconds", "0"),
        (process("start \"/bin/true\" uid nobody"), "there is no user 'nobody' on this system", "nobody"),
        (process("start \"/bin/true\" uid 4711"), "there is no user '4711' on this system", "4711"),
        (
            process("start \"/bin/true\" gid 99999999999"),
            "there is no group '99999999999' on this system",
            "99999999999",
        ),
        (process("if not exist for 65 cycles then alert"), "the number of cycles must be between 1 and 64", "65"),
        ("set environment { 1a = x }".to_owned(), "'1a' is no name of a variable", "1a"),
        ("set environment { a-b = x }".to_owned(), "'a-b' is no name of a variable", "a-b"),
        (
            "set environment { MONIT_X = x }".to_owned(),
            "'MONIT_X' cannot be set: variables that begin with MONIT_ tell of events",
            "MONIT_X",
        ),
        ("set environment { A = '\u{0}' }".to_owned(), "a value must be UTF-8 and without NUL", "'\u{0}'"),
        ("set environment { A = }".to_owned(), "expected a value", "}"),
        ("set environment { A x }".to_owned(), "expected '='", "x"),
        ("set environment { A = x".to_owned(), "this brace has no partner", "{"),
        ("set environment A = x".to_owned(), "expected '{'", "A"),
        (process("if exited for 2 cycles then alert"), "'if exited' takes no rate", "2"),
        (process("if not exist for 0 cycles then alert"), "the number of cycles must be between 1 and 64", "0"),
        (
            process("if not exist 3 times within 2 cycles then alert"),
            "the number of times within these cycles must be between 1 and 2",
            "3",
        ),
        (
            process("if 6 restarts within 5 cycles then timeout"),
            "the number of restarts within these cycles must be between 1 and 5",
            "6",
        ),
        (
            process("if 0 restarts within 5 cycles then timeout"),
            "the number of restarts within these cycles must be between 1 and 5",
            "0",
        ),
        (
            "check process a matching \"x(y\"".to_owned(),
            "this pattern cannot be used: this parenthesis is not closed",
            "(",
        ),
        (
            r#"check process a matching "(x)\1""#.to_owned(),
            "this pattern cannot be used: back-references are not supported",
            "\\",
        ),
        (
            "check system s if not exist then alert".to_owned(),
            "'if not exist' cannot be tested on a system",
            "if not exist",
        ),
    ];
    for (text, message, place) in table {
        assert_eq!(errors(&text), [(message.to_owned(), place.to_owned())], "{text}");
    }
}

#[test]
fn both_places_of_a_conflict_are_shown() {
    let shown = loaded(&Fake::with("check process a pidfile /a\ncheck process A pidfile /b\n")).messages();
    let expected = "/etc/monitrc:2:15: error: the service name 'A' is used already\n  check process A pidfile /b\n                ^\n/etc/monitrc:1:15: note: first defined here\n  check process a pidfile /a\n                -\n";
    assert_eq!(shown, expected);
}

#[test]
fn without_root_there_is_no_other_user() {
    let mut fake = Fake::with("check process a pidfile /a start \"/bin/true\" uid www gid www");
    fake.euid = 5;
    fake.files.get_mut(Path::new("/etc/monitrc")).unwrap().0.owner = 5;
    let messages: Vec<String> = messages(&fake, Severity::Error).into_iter().map(|(message, _)| message).collect();
    assert_eq!(messages, ["'uid' needs root privileges", "'gid' needs root privileges"]);
}

#[test]
fn surprises_are_warnings() {
    let process = |rest: &str| format!("check process a pidfile /a {rest}");
    let table = [
        (process("start \"/no x\""), "the program '/no' does not exist", "/no"),
        (process("if not exist then exec \"/no\""), "the program '/no' does not exist", "/no"),
        (
            process("stop \"service x\""),
            "the program 'service' is not given by an absolute path and will not be found",
            "service",
        ),
        (
            process("every 2 cycles every 3 cycles"),
            "'every' can be given only once, the last one counts",
            "every 3 cycles",
        ),
        (
            "check file a path /a if failed perm 600 then alert if changed perm then alert".to_owned(),
            "a service has one test of its permission, the last one counts",
            "if changed perm",
        ),
        (process("every 0 cycles"), "every 0 cycles is taken as every cycle", "0"),
        (
            "set httpd port 1 address x address ::1 allow a:x".to_owned(),
            "the address can be given only once, the last one counts",
            "::1",
        ),
        (
            "set httpd port 1 address ::1 allow a:x allow 10.0.0.0/33".to_owned(),
            "this is no network and is ignored, nobody is allowed by it",
            "10.0.0.0/33",
        ),
        (
            "set httpd port 1 address ::1 allow a:x allow a:y".to_owned(),
            "there are credentials for 'a' already, these are ignored",
            "a",
        ),
        (process("if cpu > 100% then alert"), "no value passes this limit, the rule never acts", "100"),
        (process("if threads < 0 then alert"), "no value passes this limit, the rule never acts", "0"),
        (
            process("start program /bin/true the cat"),
            "'the' means nothing outside of quotes and is left out of this command",
            "the",
        ),
        (
            "set httpd port 1 address ::1 allow a:\"\"".to_owned(),
            "the password is empty, nobody can log in with it",
            "\"\"",
        ),
        (
            "check process a matching \"monitrc\"".to_owned(),
            "this pattern also matches pollux itself, which is never taken for the service",
            "\"monitrc\"",
        ),
        (r#"check process a matching "x\d""#.to_owned(), r"'\d' stands for 'd' here, write [0-9] for digits", "\\"),
    ];
    for (text, message, place) in table {
        assert_eq!(warnings(&text), [(message.to_owned(), place.to_owned())], "{text}");
        assert!(loaded(&Fake::with(&text)).config.is_some());
    }
    let mut fake = Fake::with("check process a pidfile /a start \"/x\" stop \"/y\"");
    fake.programs.insert("/x".into(), ProgramState::NotExecutable);
    fake.programs.insert("/y".into(), ProgramState::InterpreterMissing("/usr/bin/ruby".into()));
    let messages: Vec<String> = messages(&fake, Severity::Warning).into_iter().map(|(message, _)| message).collect();
    assert_eq!(
        messages,
        ["the program '/x' is not executable", "the interpreter '/usr/bin/ruby' of '/y' does not exist"]
    );
}

#[test]
fn messages_come_in_the_order_of_the_file() {
    let text = "set daemon 0\nset nonsense\ncheck process a pidfile /a start \"/no\"\ndepends on x\nset foo\n";
    let shown = loaded(&Fake::with(text)).messages();
    let lines: Vec<&str> =
        shown.lines().filter_map(|line| line.strip_prefix("/etc/monitrc:")).map(|line| &line[..1]).collect();
    assert_eq!(lines, ["1", "2", "3", "4", "5"], "{shown}");
}

#[test]
fn no_secret_is_ever_shown() {
    let text = "set httpd port 99999 allow admin:s3cret x\nset httpd allow admin:s3cr@t\nset mmonit http://u:s3cret@h/collector nonsense = \nset mailserver h username u password s3cret\nset httpd allow a:s3cret allow a:s3cret\n";
    let loaded = loaded(&Fake::with(text));
    let shown = loaded.messages();
    assert!(loaded.diagnostics.iter().count() >= 4 && !shown.contains("s3cr"), "{shown}");
    assert!(!format!("{:?}", loaded.settings).contains("s3cr"));
}

#[test]
fn a_long_cycle_is_told_in_short() {
    let text: String =
        (0..1000).map(|n| format!("check process p{n} pidfile /a depends on p{}\n", (n + 1) % 1000)).collect();
    let all = errors(&text);
    assert_eq!(all.len(), 1);
    assert!(all[0].0.contains("p8 -> p9 -> ... -> p991 -> p992"), "{all:?}");
}

#[test]
fn the_number_of_files_is_bounded() {
    use crate::config::load::FILES_MAX;
    let mut fake = Fake::with("include /etc/d/*\n");
    for number in 0..FILES_MAX {
        fake.add(&format!("/etc/d/{number:05}"), b"\n");
    }
    let shown = messages(&fake, Severity::Error);
    let [(message, _)] = &shown[..] else { panic!("{} messages", shown.len()) };
    assert!(message.ends_with(&format!("there are more than {FILES_MAX} files")), "{message}");
    fake.files.remove(Path::new("/etc/d/00000"));
    assert_eq!(messages(&fake, Severity::Error), []);
}
