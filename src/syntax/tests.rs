//! Tables of statements, of refusals and of mistakes.

mod measured;
mod network;
mod notices;
mod recovery;

use std::path::PathBuf;

use super::diagnostic::{Diagnostics, Severity};
use super::parser::{Files, Parsed, parse};
use super::source::{Location, SourceId, Sources, Text};
use super::statement::*;

/// Files that can be included, by their names.
struct Table<'a>(&'a [(&'a str, &'a str)]);

impl Files for Table<'_> {
    fn include(&mut self, sources: &Sources, pattern: &[u8], _: Location, _: &mut Diagnostics) -> Vec<SourceId> {
        let known = self.0.iter().filter(|(name, _)| name.as_bytes() == pattern);
        known.map(|(name, text)| sources.add(name.into(), text.as_bytes().to_vec())).collect()
    }
}

fn parsed_with(text: &[u8], files: &[(&str, &str)]) -> (Sources, Parsed) {
    let sources = Sources::default();
    let source = sources.add(PathBuf::from("monitrc"), text.to_vec());
    let parsed = parse(&sources, source, &mut Table(files));
    (sources, parsed)
}

fn parsed(text: &str) -> (Sources, Parsed) {
    parsed_with(text.as_bytes(), &[])
}

/// The statements of a text without mistakes.
fn good(text: &str) -> Vec<StatementKind> {
    let (sources, parsed) = parsed(text);
    assert!(!parsed.diagnostics.has_errors(), "{text}\n{}", parsed.diagnostics.render(&sources));
    parsed.statements.into_iter().map(|statement| statement.kind).collect()
}

/// The only statement of a service that follows `check process a pidfile /a`.
fn service(text: &str) -> ServiceStatement {
    let all = good(text);
    match <[StatementKind; 1]>::try_from(all) {
        Ok([StatementKind::Service(statement)]) => statement,
        other => panic!("{text}: {other:?}"),
    }
}

fn set(text: &str) -> Set {
    match <[StatementKind; 1]>::try_from(good(text)) {
        Ok([StatementKind::Set(set)]) => set,
        other => panic!("{text}: {other:?}"),
    }
}

/// Messages with the text they point at.
fn mistakes(text: &str) -> Vec<(String, String)> {
    let (_, parsed) = parsed(text);
    let place = |span: super::source::Span| text.get(span.start..span.end).unwrap_or("?").to_owned();
    let all = parsed.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    all.map(|diagnostic| (diagnostic.message.clone(), place(diagnostic.location.unwrap().span))).collect()
}

fn strings(texts: &[super::source::Text]) -> Vec<String> {
    texts.iter().map(|text| text.lossy()).collect()
}

#[test]
fn settings() {
    assert!(matches!(set("set daemon 30"), Set::Daemon { interval, start_delay: None } if interval.value == 30));
    let delayed = set("SET Daemon 30 with start delay 240;");
    assert!(matches!(delayed, Set::Daemon { start_delay: Some(delay), .. } if delay.value == 240));
    assert_eq!(set("set init"), Set::Init);
    assert_eq!(set("set terminal batch"), Set::TerminalBatch);
    assert!(matches!(set("set log /var/log/x"), Set::LogFile(path) if path.lossy() == "/var/log/x"));
    assert!(matches!(set("set logfile \"/var/log/a b\""), Set::LogFile(path) if path.lossy() == "/var/log/a b"));
    assert_eq!(set("set log syslog"), Set::LogSyslog { facility: None });
    let facility = set("set logfile syslog facility log_daemon");
    assert!(matches!(facility, Set::LogSyslog { facility: Some(name) } if name.lossy() == "log_daemon"));
    assert!(matches!(set("set pidfile /p"), Set::Pidfile(path) if path.lossy() == "/p"));
    assert!(matches!(set("set idfile '/i'"), Set::Idfile(path) if path.lossy() == "/i"));
    assert!(matches!(set("set statefile /s"), Set::Statefile(path) if path.lossy() == "/s"));
    assert_eq!(set("set onreboot laststate"), Set::OnReboot(OnReboot::LastState));
}

#[test]
fn several_settings_need_no_separator() {
    assert_eq!(good("set daemon 30 set init\n(set terminal batch),").len(), 3);
    assert_eq!(good("set daemon \\\n 30 # comment ' \"\n").len(), 1);
    assert_eq!(good(""), []);
}

#[test]
fn limits() {
    let Set::Limits(limits) = set(
        "set limits { programOutput: 512 B, sendExpectBuffer: 1 kb; httpContentBuffer : 2 MB/s fileContentBuffer: 7\n networkTimeout: 5 seconds startTimeout: 500 ms }",
    ) else {
        panic!()
    };
    let values: Vec<(LimitName, u64)> =
        limits.iter().map(|limit| (limit.name, limit.value.value * limit.unit)).collect();
    assert_eq!(
        values,
        [
            (LimitName::ProgramOutput, 512),
            (LimitName::SendExpectBuffer, 1024),
            (LimitName::HttpContentBuffer, 2 * 1024 * 1024),
            (LimitName::FileContentBuffer, 7),
            (LimitName::NetworkTimeout, 5000),
            (LimitName::StartTimeout, 500),
        ]
    );
}

#[test]
fn httpd() {
    let Set::Httpd(options) = set(
        "set httpd port 2812 read-only and use address localhost\n allow 127.0.0.1 allow ::1 allow fe80::/64 allow \"10.0.0.0/8\"\n allow admin:monit allow \"a b\":'c d' read-only signature disable disable signature",
    ) else {
        panic!()
    };
    let texts: Vec<String> = options
        .iter()
        .map(|option| match option {
            HttpdOption::Port { port, read_only } => format!("port {} {read_only}", port.value),
            HttpdOption::Address(text) => format!("address {}", text.lossy()),
            HttpdOption::Signature(shown) => format!("signature {shown}"),
            HttpdOption::AllowHost(text) => format!("allow {}", text.lossy()),
            HttpdOption::AllowUser { user, password, read_only } => {
                format!("user {} {} {read_only}", user.lossy(), password.lossy())
            }
            other => format!("{other:?}"),
        })
        .collect();
    let expected = "port 2812 true|address localhost|allow 127.0.0.1|allow ::1|allow fe80::/64|allow 10.0.0.0/8|user admin monit false|user a b c d true|signature false|signature false";
    assert_eq!(texts.join("|"), expected);
}

/// What stands behind the pidfile or pattern of a process.
fn more(user: Option<Text>, jail: Option<Text>, using: Option<Using>) -> String {
    let part =
        |word: &str, text: Option<Text>| text.map(|text| format!(" {word} {}", text.lossy())).unwrap_or_default();
    let timeout = using.as_ref().and_then(|using| using.timeout.as_ref()).map(|number| format!(" {} s", number.value));
    let using = part("using", using.map(|using| using.name));
    format!("{}{}{using}{}", part("user", user), part("jail", jail), timeout.unwrap_or_default())
}

#[test]
fn checks() {
    let target = |text: &str| match <[StatementKind; 1]>::try_from(good(text)) {
        Ok([StatementKind::Check(check)]) => match check.target {
            Target::Pidfile { path, pattern, user, jail } => {
                let pattern = pattern.map(|text| format!(" matching {}", text.lossy())).unwrap_or_default();
                let more = more(user, jail, check.using);
                format!("{}: pidfile {}{pattern}{more}", check.name.lossy(), path.lossy())
            }
            Target::Matching { pattern, user, jail } => {
                let more = more(user, jail, check.using);
                format!("{}: matching {}{more}", check.name.lossy(), pattern.lossy())
            }
            Target::System => format!("{}: system", check.name.lossy()),
            Target::Program(program) => {
                let timeout = program.timeout.map(|number| number.value);
                format!("{}: program {} {timeout:?}", check.name.lossy(), strings(&program.words).join("|"))
            }
            Target::Host(text)
            | Target::File(text)
            | Target::Fifo(text)
            | Target::Directory(text)
            | Target::Filesystem(text)
            | Target::Interface(text)
            | Target::InterfaceAddress(text) => format!("{}: {}", check.name.lossy(), text.lossy()),
        },
        other => panic!("{text}: {other:?}"),
    };
    let table = [
        ("check process a with pidfile /var/run/a.pid", "a: pidfile /var/run/a.pid"),
        ("check process a path \"/a b\"", "a: pidfile /a b"),
        ("CHECK PROCESS 'a b' PIDFILE /a", "a b: pidfile /a"),
        ("check process \"it's\" pidfile /a", "it's: pidfile /a"),
        ("check process start pidfile /a", "start: pidfile /a"),
        ("check process with pidfile /a", "with: pidfile /a"),
        ("check process pidfile pidfile /a", "pidfile: pidfile /a"),
        ("check process a#b=c.d pidfile /a", "a#b=c.d: pidfile /a"),
        ("check process a\nmatching b.*c", "a: matching b.*c"),
        (r#"check process a matching "puma .* \[mastodon\]""#, r"a: matching puma .* \[mastodon\]"),
        (r#"check process a matching "x\\.y\tz""#, "a: matching x\\.y\tz"),
        ("check process a matching /usr/bin/x", "a: matching /usr/bin/x"),
        ("check process a matching 'a\"b'", "a: matching a\"b"),
        ("check a with pidfile /a", "a: pidfile /a"),
        ("check \"a b\" pidfile /a", "a b: pidfile /a"),
        ("check a matching x", "a: matching x"),
        ("check process a with pidfile /a matching \"b c\" as user www", "a: pidfile /a matching b c user www"),
        ("check process a pidfile /a\n  As user 80", "a: pidfile /a user 80"),
        ("check process a path /a\n  matching bb", "a: pidfile /a matching bb"),
        ("check a matching bb as user \"a b\"", "a: matching bb user a b"),
        ("check process user matching user as user user", "user: matching user user user"),
        ("check process a pidfile /a in jail host", "a: pidfile /a jail host"),
        ("check process a matching bb in jail 17", "a: matching bb jail 17"),
        ("check process a matching bb\n  in jail \"b b\" as user www", "a: matching bb user www jail b b"),
        ("check process a matching bb using service mastodon-web", "a: matching bb using mastodon-web"),
        (
            "check process a pidfile /a matching bb using service start with timeout 60 seconds in jail j as user 80",
            "a: pidfile /a matching bb user 80 jail j using start 60 s",
        ),
        ("check system $HOST", "$HOST: system"),
        ("check filesystem root with path / if space > 80% then alert", "root: /"),
        ("check host h address example.org if failed port 80 protocol http then restart", "h: example.org"),
        (
            "check program p path \"/bin/sh -c 'a \"b\" c'\" with timeout 5 seconds",
            "p: program /bin/sh|-c|a \"b\" c Some(5)",
        ),
        ("check device d path /dev/sda", "d: /dev/sda"),
        ("check filesystem n path \"host:/x\"", "n: host:/x"),
        ("check file f with path '/a b'", "f: /a b"),
        ("check fifo f path /f", "f: /f"),
        ("check directory f path /f", "f: /f"),
        ("check host h address ::1", "h: ::1"),
        ("check network n interface eth0", "n: eth0"),
        ("check network n address 10.0.0.1", "n: 10.0.0.1"),
    ];
    for (text, expected) in table {
        let first = text.find(" if ").map_or(text, |end| &text[..end]);
        assert_eq!(target(first), expected);
        good(text);
    }
}

#[test]
fn programs() {
    let words = |text: &str| match service(text) {
        ServiceStatement::Program { program, .. } => strings(&program.words).join("|"),
        other => panic!("{text}: {other:?}"),
    };
    let table = [
        ("start program = \"/bin/echo a b\"", "/bin/echo|a|b"),
        ("start program=\"/bin/echo a b\"", "/bin/echo|a|b"),
        ("start=\"/bin/echo a b\"", "/bin/echo|a|b"),
        ("startprogram \"/bin/echo a b\"", "/bin/echo|a|b"),
        ("stop \" /bin/echo\n a  b \"", "/bin/echo|a|b"),
        ("start program \"/bin/echo 'a  b' c\"", "/bin/echo|a  b|c"),
        ("start program \"/bin/echo a'a  b'c\"", "/bin/echo|a'a|b'c"),
        ("start program \"/bin/echo 'x'y z\"", "/bin/echo|'x'y|z"),
        ("start program \"/bin/echo 'x y'z w\"", "/bin/echo|x y|z|w"),
        ("start program \"/bin/echo '' b\"", "/bin/echo||b"),
        ("start program \"/bin/echo 'unbalanced b\"", "/bin/echo|'unbalanced|b"),
        ("start program \"/bin/sh -c 'a \"b\" c' d\"", "/bin/sh|-c|a \"b\" c|d"),
        (r#"start program "/bin/echo a\ b \n c\\d""#, r"/bin/echo|a\|b|\n|c\\d"),
        ("start program \"/bin/echo a;b,(c){d}#e @f: %g\"", "/bin/echo|a;b,(c){d}#e|@f:|%g"),
        ("start program \"/bin/echo x\"foo bar \"baz q\"", "/bin/echo|x|foo|bar|baz q"),
        ("start program '/bin/echo a b'", "/bin/echo a b"),
        ("start program is \"/bin/echo a\"", "/bin/echo a"),
        ("start program\n\"/bin/echo a\"", "/bin/echo a"),
        ("start program /bin/echo a the cat with hat", "/bin/echo|a|cat|hat"),
        ("start program /bin/echo x \"b c\" /d 'e f' -x --foo=bar", "/bin/echo|x|b c|/d|e f|-x|--foo=bar"),
        ("start program \"echo a\"", "echo|a"),
    ];
    for (text, expected) in table {
        assert_eq!(words(text), expected, "{text}");
    }
}

#[test]
fn a_noise_word_in_a_command_is_told() {
    let warned = |text: &str| {
        let (_, parsed) = parsed(text);
        let all = parsed.diagnostics.iter().map(|diagnostic| diagnostic.location.unwrap().span);
        all.map(|span| text[span.start..span.end].to_owned()).collect::<Vec<_>>().join("|")
    };
    assert_eq!(warned("start program /bin/echo the cat with hat as uid www"), "the|with");
    assert_eq!(warned("start program \"/bin/echo the cat\" as uid www with timeout 5 seconds"), "");
    assert_eq!(warned("if not exist then exec /bin/echo a # the cat\n bb"), "");
}

#[test]
fn program_options() {
    let text = "restart program = \"/bin/true\" as uid \"daemon\" and using the gid 12 with timeout 60 seconds";
    let ServiceStatement::Program { method: Method::Restart, program } = service(text) else { panic!() };
    assert_eq!(program.uid.unwrap().lossy(), "daemon");
    assert_eq!(program.gid.unwrap().lossy(), "12");
    assert_eq!(program.timeout.unwrap().value, 60);
    let both = good("start \"/bin/a\" gid wheel timeout 5 s, stop \"/bin/b\" group www");
    assert_eq!(both.len(), 3);
}

#[test]
fn unquoted_arguments_end_at_the_next_statement() {
    assert_eq!(good("start program /bin/a x\ngroup www\nstop program /bin/c\ndepends on x\nmode passive").len(), 5);
    assert_eq!(good("start /bin/a stop /bin/b if not exist then exec /bin/c d check process x pidfile /x").len(), 4);
}

#[test]
fn service_statements() {
    let names = |text: &str| match service(text) {
        ServiceStatement::Depends(names) => strings(&names).join("|"),
        ServiceStatement::Group(name) => name.lossy(),
        other => format!("{other:?}"),
    };
    assert_eq!(names("depends on b"), "b");
    assert_eq!(names("depend b,c"), "b|c");
    assert_eq!(names("depends on (b,\n \"c d\" , 'start', with)"), "b|c d|start|with");
    assert_eq!(names("depends on b; c"), "b|c");
    assert_eq!(names("depends on b,"), "b");
    assert_eq!(names("depends on b, \n"), "b");
    assert_eq!(good("depends on in\ngroup x").len(), 2);
    assert_eq!(good("depends on the, of\nif exist then alert").len(), 2);
    assert_eq!(good("depends on b; group x").len(), 2);
    assert_eq!(good("depends on b depends on c").len(), 2);
    assert_eq!(names("group www"), "www");
    assert_eq!(names("group 'start'"), "start");
    assert_eq!(names("group with"), "with");
    assert_eq!(service("mode manual"), ServiceStatement::Mode(Mode::Manual));
    assert_eq!(service("onreboot nostart"), ServiceStatement::OnReboot(OnReboot::NoStart));
    assert!(matches!(service("every 5 cycles"), ServiceStatement::Every(number) if number.value == 5));
    assert_eq!(good("mode active onreboot start every 1 cycle").len(), 3);
}

#[test]
fn rules() {
    let rule = |text: &str| match service(text) {
        ServiceStatement::Rule(rule) => {
            let rate = |rate: &Option<Rate>| match rate {
                None => String::new(),
                Some(Rate { count, cycles }) => {
                    format!(" {}/{}", count.as_ref().map_or(0, |count| count.value), cycles.value)
                }
            };
            let action = |action: &Action| match action {
                Action::Exec { program, repeat } => format!(
                    "exec {} {:?} {:?}",
                    strings(&program.words).join("|"),
                    program.uid.as_ref().map(|uid| uid.lossy()),
                    repeat.as_ref().map(|number| number.value)
                ),
                Action::Unmonitor(None) => "Unmonitor".to_owned(),
                Action::Unmonitor(Some(time)) => format!("Unmonitor {}*{}", time.number.value, time.unit),
                action => format!("{action:?}"),
            };
            let recovery =
                rule.recovery.as_ref().map(|part| format!(" else{} {}", rate(&part.rate), action(&part.action)));
            format!("{:?}{} {}{}", rule.test, rate(&rule.rate), action(&rule.action), recovery.unwrap_or_default())
        }
        other => panic!("{text}: {other:?}"),
    };
    let table = [
        ("if not exist then alert", "NotExist Alert"),
        ("if does not exist for 2 cycles then restart", "NotExist 0/2 Restart"),
        ("IF NOT EXISTS 3 times within 5 cycles THEN UNMONITOR", "NotExist 3/5 Unmonitor"),
        (
            "if not exist then unmonitor for 2 hours else unmonitor 30 s",
            "NotExist Unmonitor 2*3600 else Unmonitor 30*1",
        ),
        ("if (not exist) 1 cycle then stop else start", "NotExist 0/1 Stop else Start"),
        ("if exist then start else if passed 2 3 cycles then stop", "Exist Start else 2/3 Stop"),
        ("if has exited then restart else if recovered 2 cycles then stop", "Exited Restart else 0/2 Stop"),
        (
            "if exists then exec \"/bin/a b\" as uid root repeat every 3 cycles",
            "Exist exec /bin/a|b Some(\"root\") Some(3)",
        ),
        (
            "if not exist then exec /bin/a x else if recovered then exec '/b c'",
            "NotExist exec /bin/a|x None None else exec /b c None None",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(rule(text), expected, "{text}");
    }
    let ServiceStatement::RestartLimit(limit) = service("if 3 restarts within 5 cycles then timeout") else { panic!() };
    assert_eq!((limit.restarts.value, limit.cycles.value, limit.action), (3, 5, Action::Timeout));
    let text = "if 3 restarts within 5 cycles then unmonitor for 1 day";
    let ServiceStatement::RestartLimit(limit) = service(text) else { panic!() };
    assert!(matches!(limit.action, Action::Unmonitor(Some(time)) if (time.number.value, time.unit) == (1, 86_400)));
}

#[test]
fn starts_may_be_spaced_out() {
    let backoff = |text: &str| match service(text) {
        ServiceStatement::Backoff(written) => written.map(|backoff| {
            let seconds = |time: Time| time.number.value * time.unit;
            (seconds(backoff.first), seconds(backoff.longest))
        }),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(backoff("with backoff 10 seconds up to 10 minutes"), Some((10, 600)));
    assert_eq!(backoff("Backoff 1 m UP 1 h"), Some((60, 3600)));
    assert_eq!(backoff("backoff disable"), None);
    // The word stays free for names.
    let text = "check process backoff pidfile /b group backoff depends on backoff\ncheck process c pidfile /c start \"/bin/c\" as uid backoff backoff 1 s up to 2 s";
    assert_eq!(good(text).len(), 6);
}

#[test]
fn actions_are_not_taken_for_statements() {
    let text = "if not exist then restart\nstart program = \"/bin/a\"\nif not exist then stop else start\nstop \"/bin/b\"\nif exist then exec \"/bin/c\" repeat every 2 cycles every 3 cycles";
    assert_eq!(good(text).len(), 6);
}

#[test]
fn an_include_may_stand_between_any_two_words() {
    const FILES: [(&str, &str); 7] = [
        ("/rate", "for 3 cycles # a comment"),
        ("/allow", "allow localhost"),
        ("/words", "x y"),
        ("/start", "if failed port 80"),
        ("/then", "then "),
        ("/then", "alert"),
        ("/empty", ""),
    ];
    let table = [
        ("if failed port 80 include /rate then alert", "if failed port 80 for 3 cycles then alert"),
        ("INCLUDE '/start'then alert", "if failed port 80 then alert"),
        ("include /start;include /then", "if failed port 80 then alert"),
        ("if include \"/empty\" include\n/empty failed port 80 include /then", "if failed port 80 then alert"),
        ("set httpd port 1 include /allow allow 10.0.0.1", "set httpd port 1 allow localhost allow 10.0.0.1"),
        ("start program /a include /words", "start program /a x y"),
        ("if include /unknown failed port 80 then alert", "if failed port 80 then alert"),
        ("group include", "group include"),
        ("depends on include, a", "depends on include, a"),
        ("start \"/a include /words\"", "start \"/a include /words\""),
    ];
    // Places differ, so what is compared is the rest of the debug text.
    let bare = |text: &str| {
        let (sources, parsed) = parsed_with(text.as_bytes(), &FILES);
        assert!(parsed.diagnostics.is_empty(), "{text}\n{}", parsed.diagnostics.render(&sources));
        let debug = format!("{:?}", parsed.statements);
        let mut parts = debug.split("Span {");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |all, part| all + part.split_once('}').unwrap().1)
    };
    for (text, plain) in table {
        assert_eq!(bare(text), bare(plain), "{text}");
    }
}

#[test]
fn a_mistake_in_an_included_file_is_shown_there() {
    let shown = |text: &str, file: &str| {
        let (sources, parsed) = parsed_with(text.as_bytes(), &[("/inc", file)]);
        parsed.diagnostics.render(&sources)
    };
    let expected = "/inc:2:5: error: expected a setting\n  set nonsense\n      ^~~~~~~~\n";
    assert_eq!(shown("set init include /inc\nset init", "set init\nset nonsense\n"), expected);
    let expected = "/inc:1:13: error: expected 'then', found the end of the file\n  if not exist\n              ^\n";
    assert_eq!(shown("check process a pidfile /a\n include /inc\nset init", "if not exist\n"), expected);
    let expected = "/inc:1:5: error: expected an action, found the end of the file\n  then\n      ^\n";
    assert_eq!(shown("if not exist include /inc set init", "then"), expected);
}

#[test]
fn one_mistake_gives_one_message_at_its_place() {
    let table = [
        ("set deamon 30", "expected a setting", "deamon"),
        ("set daemon=30", "expected a setting", "daemon=30"),
        ("set daemon = 30", "expected the interval in seconds, found an operator", "="),
        ("set daemon 30s", "expected the interval in seconds", "30s"),
        ("set daemon 30 seconds", "no unit may follow here, the number counts seconds", "seconds"),
        ("set daemon \"30\"", "expected the interval in seconds", "\"30\""),
        (
            "set daemon 99999999999999999999",
            "the number is too large, at most 18446744073709551615 can be read",
            "99999999999999999999",
        ),
        ("set daemon", "expected the interval in seconds, found the end of the file", ""),
        ("set terminal foo", "expected 'batch'", "foo"),
        ("set log x.log", "expected 'syslog' or the path of the log file", "x.log"),
        ("set pid file /x", "expected a setting, found the reserved word 'pid'", "pid"),
        (
            "set onreboot restart",
            "expected 'start', 'nostart' or 'laststate', found the reserved word 'restart'",
            "restart",
        ),
        ("set limits programOutput: 5 b", "expected '{', found the reserved word 'programOutput'", "programOutput"),
        ("set limits { foo: 5 b }", "expected the name of a limit or '}'", "foo"),
        ("set limits { programOutput = 5 b }", "expected ':', found an operator", "="),
        (
            "set limits { startTimeout: 5 minutes }",
            "expected 'seconds' or 'milliseconds', found the reserved word 'minutes'",
            "minutes",
        ),
        ("set limits { startTimeout: 5 }", "expected 'seconds' or 'milliseconds'", "}"),
        ("set httpd port x", "expected a port number", "x"),
        ("set httpd port 2812 allow admin:pass@word", "this cannot be a password as it stands", "pass@word"),
        ("set httpd port 2812 allow admin:start", "this cannot be a password as it stands", "start"),
        ("set httpd port 2812 allow admin:123 allow x", "this cannot be a password as it stands", "123"),
        (
            "set httpd port 2812 allow start:x",
            "expected a host, a network or USER:PASSWORD, found the reserved word 'start'",
            "start",
        ),
        ("set 'init'", "expected a setting", "'init'"),
        ("set mailserver mx username a@b password c@d", "this cannot be a password as it stands", "c@d"),
        ("check system s if cpu(ni) > 5% then alert", "expected a kind of processor time", "ni"),
        ("sett init", "expected a statement", "sett"),
        ("}", "expected a statement", "}"),
        ("check process", "expected a name for the service, found the end of the file", ""),
        ("check process a", "expected 'pidfile' or 'matching', found the end of the file", ""),
        ("check process a pidfile a", "expected the path of a pidfile", "a"),
        ("check process a:b pidfile /a", "expected 'pidfile' or 'matching'", ":"),
        ("check process '' pidfile /a", "a name for the service must not be empty", "''"),
        ("check process \"a\nb\" pidfile /a", "a name for the service must not contain control characters", "\"a\nb\""),
        ("check process a matching start", "expected a pattern, found the reserved word 'start'", "start"),
        ("check process a matching \"x", "this quote has no partner", "\""),
        ("check proces a pidfile /a", "expected a type between 'check' and the name", "proces"),
        ("start program echo a", "expected a program, found the reserved word 'echo'", "echo"),
        ("start program = /bin/a", "expected a program, found an operator", "="),
        ("start program \"\"", "expected a program between the quotes", "\"\""),
        ("start program \"/bin/a", "this quote has no partner", "\""),
        ("start \"/bin/a\" uid daemon", "expected a user name or number, found the reserved word 'daemon'", "daemon"),
        ("start \"/bin/a\" timeout 1 minute", "expected 'seconds', found the reserved word 'minute'", "minute"),
        ("start \"/bin/a\" timeout 60s", "expected a timeout in seconds", "60s"),
        ("depends on", "expected the name of a service, found the end of the file", ""),
        ("depends on b,\ngroup x", "expected the name of a service", ""),
        ("start group www", "expected a program", "group"),
        ("group\nset init", "expected a group name on the line of 'group'", ""),
        ("mode foo", "expected 'active', 'passive' or 'manual'", "foo"),
        ("every two cycles", "expected a number of cycles or a cron specification in quotes", "two"),
        ("every 5", "expected 'cycles', found the end of the file", ""),
        ("if not exist alert", "expected 'then', found the reserved word 'alert'", "alert"),
        ("if not exist thne restart", "expected 'then'", "thne"),
        ("if not exist for 5 then alert", "expected 'cycles', found the reserved word 'then'", "then"),
        ("if not exist then timeout", "expected an action, found the reserved word 'timeout'", "timeout"),
        (
            "if exist then stop else if failed then alert",
            "expected 'succeeded', 'passed' or 'recovered', found the reserved word 'failed'",
            "failed",
        ),
        ("if foo > 5 then alert", "expected a test", "foo"),
        (
            "if 3 restarts within 5 cycles then exec \"/a\" else alert",
            "expected a statement, found the reserved word 'else'",
            "else",
        ),
        ("include", "expected a path or glob pattern, found the end of the file", ""),
        ("group\u{a0}x", "expected a statement", "group\u{a0}x"),
    ];
    for (text, message, place) in table {
        if text.contains("end of the file") || place.is_empty() {
            assert_eq!(mistakes(text), [(message.to_owned(), place.to_owned())], "{text}");
            continue;
        }
        for tail in ["", "\nset init", "\ncheck process z pidfile /z", "\nstart program = \"/bin/z\""] {
            if message.contains("partner") && !tail.is_empty() {
                continue;
            }
            assert_eq!(mistakes(&format!("{text}{tail}")), [(message.to_owned(), place.to_owned())], "{text}{tail}");
        }
    }
}

#[test]
fn a_forgotten_path_before_a_statement_is_one_mistake() {
    for next in
        ["start program = \"/bin/z\"", "stop \"/bin/z\"", "restart program \"/bin/z\"", "set init", "mode active"]
    {
        for before in ["", "check process a pidfile /a\n", "check process a pidfile /a nonsense\n"] {
            let found = mistakes(&format!("{before}include\n{next}"));
            assert_eq!(
                found.last(),
                Some(&("expected a path or glob pattern".to_owned(), String::new())),
                "{before}{next}"
            );
        }
    }
}

#[test]
fn help_names_the_fix() {
    let help = |text: &str| {
        let (_, parsed) = parsed(text);
        parsed.diagnostics.iter().find_map(|diagnostic| diagnostic.help.clone()).unwrap_or_default()
    };
    assert_eq!(help("set deamon 30"), "did you mean 'daemon'?");
    assert_eq!(help("check proces a pidfile /a"), "did you mean 'process'?");
    assert_eq!(help("if not exist thne restart"), "did you mean 'then'?");
    assert_eq!(help("if not exist then restrat"), "did you mean 'restart'?");
    assert_eq!(help("set daemon = 30"), "leave the operator out");
    assert_eq!(help("if exist then exec \"/a\" repaet every 3 cycles"), "did you mean 'repeat'?");
    assert_eq!(help("if exist then exec \"/a\" uid x repaet every 3 cycles"), "did you mean 'repeat'?");
    assert_eq!(help("start \"/a\"\n depnds x"), "did you mean 'depends'?");
    assert_eq!(help("start /a b\n gruop x"), "did you mean 'group'?");
    assert_eq!(help("start /a gruop 'timout'"), "");
    assert_eq!(help("set daemon 30 start dealy 5"), "did you mean 'delay'?");
    assert_eq!(help("if failed port 1 protocl http then alert"), "did you mean 'protocol'?");
    assert_eq!(help("if failed port 1 thne alert"), "did you mean 'then'?");
    assert_eq!(help("if status => 1 then alert"), "write '>='");
    assert_eq!(help("if size <> 1 then alert"), "write '!='");
    assert_eq!(help("if status is not equal 0 then alert"), "write '!=' for 'not equal'");
    assert_eq!(help("if size changed then alert"), "a change is tested with 'changed' in front: 'if changed size'");
    assert_eq!(help("if checksum changed then alert"), "a change is tested with 'if changed checksum'");
    assert_eq!(help("if content not \"x\" then alert"), "write '!=' in front of a pattern that must not match");
    assert_eq!(help("if exist then exec \"/a\" repeat every cycle"), "");
    assert_eq!(help("start \"/a\" timeout 60s"), "separate number and unit: '60 s'");
    assert_eq!(help("start \"/a\" timeout 1 minute"), "the only unit here is seconds: '60 seconds'");
    assert_eq!(help("start \"/a\" timeout 2 days"), "the only unit here is seconds: '172800 seconds'");
    assert_eq!(help("start \"/a\" timeout 2 uid root"), "the only unit here is seconds: '2 seconds'");
    assert_eq!(help("start \"/a\" uid daemon"), "to use a reserved word as a string, put it in quotes: \"daemon\"");
    assert!(help("start program = \u{201c}/bin/a b\u{201d}").contains("typographic"));
    assert_eq!(help("set pidfile x.pid"), "a path begins with '/'");
}

#[test]
fn messages_point_at_their_place() {
    let (sources, parsed) = parsed("set init\n\tset httpd port 2812 allow admin:s3cr@t allow x\n");
    let expected = "monitrc:2:34: error: this cannot be a password as it stands\n  \tset httpd port 2812 allow admin:******** allow x\n  \t                                ^~~~~~~~\n  help: put it in quotes; reserved words, numbers and special characters cannot stand alone\n";
    assert_eq!(parsed.diagnostics.render(&sources), expected);
}

#[test]
fn a_place_at_the_end_of_the_text_is_inside_it() {
    for text in ["set mail-format { from:", "set mail-format { from: x", "set mail-format { from", "check", "set alert"]
    {
        let (_, parsed) = parsed(text);
        assert!(parsed.diagnostics.has_errors(), "{text}");
        for diagnostic in parsed.diagnostics.iter() {
            let span = diagnostic.location.unwrap().span;
            assert!(span.start <= span.end && span.end <= text.len(), "{text}: {span:?}");
        }
    }
}

#[test]
fn a_missing_quote_is_suspected_behind_a_long_string() {
    let text = "check process a matching \"x\nstart program = \"/bin/a b\"\n";
    let (sources, parsed) = parsed(text);
    let shown = parsed.diagnostics.render(&sources);
    assert!(shown.contains("monitrc:1:26: note: the string before it begins here, is a quote missing?"), "{shown}");
}

const SAMPLE: &str = "set daemon 30 with start delay 5\nset log syslog facility log_daemon\nset httpd port 2812 and address ::1 allow 10.0.0.0/8 allow a:\"b\" read-only\nset limits { programOutput: 1 kb, startTimeout: 5 s }\nset mail-format { subject: it's }\nset alert a@b { timeout } reminder 5\ninclude '/etc/*.conf'\ncheck process \"a b\" matching \"puma .* \\[x\\]\"\n start program = \"/bin/sh -c 'a \"b\" c' d\" as uid \"www\" with timeout 5 seconds\n stop program /bin/echo x 'y z'\n if not exist 2 times within 3 cycles then exec \"/bin/a\" repeat every 2 cycles else if succeeded then alert\n if 3 restarts within 5 cycles then timeout\n if failed url http://u:p@h/x then alert\n depends on c, \"d e\"; group www mode passive every 2 cycles onreboot nostart\nset mailserver mx1 port 25 username \"u\" password 'p' ssl { version: -tlsv1 auto verify: enable pemfile: /p }, mx2 timeout 5 seconds hostname x\nset mmonit http://u:p@h:80/c timeout 3 s register without credentials hostgroups [a, \"b c\"]\nset eventqueue basedir /q slots 5\nset alert a@b not on { timeout } mail-format { from: \"N\" <a@b> reply-to: c@d\n message: x } reminder 5\ncheck host h1 address ::1 if failed host h2 port 80 type tcpssl tlsv12 protocol http http headers [A: b, \"C\": 'd'] request \"/x\" content != 'x' certificate valid for 5 days responsetime < 5 ms retry 2 send 'x' expect \"y\" then alert else if passed 2 3 cycles then ignore\n if succeeded ping4 count 3 size 64 then alert else if failed then stop noalert x@y\ncheck system $HOST if cpu > 5% then alert # end\n";

#[test]
fn the_sample_of_these_tests_is_right() {
    good(SAMPLE);
}

#[test]
fn no_beginning_of_a_text_makes_it_panic() {
    for end in 0..SAMPLE.len() {
        parsed(&SAMPLE[..end]);
        parsed(&SAMPLE[end..]);
    }
}

#[test]
fn no_change_of_a_text_makes_it_panic() {
    let pieces: &[&[u8]] = &[
        b"\"",
        b"'",
        b"{",
        b"}",
        b":",
        b"@",
        b"\\",
        b"\n",
        b" ",
        b"#",
        b"\xff",
        b"\0",
        b"://",
        b"set ",
        b"check ",
        b"if ",
        b"exec ",
        b"include ",
        b"else ",
        b"9999999999",
        b"::",
        b"",
        b"depends on",
    ];
    let mut seed: u64 = 42;
    let mut random = |most: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % most
    };
    for _ in 0..5_000 {
        let mut text = SAMPLE.as_bytes().to_vec();
        for _ in 0..=random(4) {
            let start = random(text.len());
            let end = (start + random(20)).min(text.len());
            text.splice(start..end, pieces[random(pieces.len())].iter().copied());
        }
        let (sources, parsed) = parsed_with(&text, &[("/etc/*.conf", "set init 'x")]);
        parsed.diagnostics.render(&sources);
    }
}

#[test]
fn the_work_is_linear() {
    let steps = |text: &str| parsed(text).1.steps;
    for piece in [
        SAMPLE,
        "'x ",
        "\"x\n",
        "set ",
        "{ ",
        "if ",
        "start \"/a 'b",
        "a@",
        "1:",
        "include ",
        "allow x: ",
        "depends on a;",
        "x y\n",
        "/a ",
        "\\\n",
        "exec \"a'",
    ] {
        let (short, long) = (piece.repeat(200), piece.repeat(2000));
        let (few, many) = (steps(&short), steps(&long));
        assert!(many <= 12 * few, "{piece:?}: {few} steps for {} bytes, {many} for {}", short.len(), long.len());
        assert!(many <= 60 * long.len() as u64, "{piece:?}: {many} steps for {} bytes", long.len());
    }
}
