//! Services: what is checked, programs, rules.

use std::fmt::Write;
use std::time::Duration;

use super::notice::alert;
use super::test::content;
use super::{Secrets, operand, quoted, quoted_bytes, test, word};
use crate::base::schedule::{Backoff, Every, Rate};
use crate::config::model::{
    Action, Config, Kind, Mode, NetworkTarget, OnReboot, Pattern, ProcessTarget, Program, Reaction, RestartLimit, Rule,
    Service, Test,
};

/// A service with all its statements.
pub fn service(text: &mut String, config: &Config, service: &Service, secrets: Secrets) {
    limits(text, service);
    let name = word(&service.name);
    let _ = writeln!(text, "check {}", kind(&service.kind, &name));
    let programs = [("start", &service.start), ("stop", &service.stop), ("restart", &service.restart)];
    for (method, program) in programs.into_iter().filter_map(|(method, found)| Some((method, found.as_ref()?))) {
        let command = command(program);
        // An equals sign may stand in front of double quotes only.
        let equals = if command.starts_with('"') { "= " } else { "" };
        let _ = writeln!(text, "    {method} program {equals}{command}{}", timeout(program.timeout));
    }
    for group in &service.groups {
        let _ = writeln!(text, "    group {}", word(group));
    }
    let parents = service.depends.iter().filter_map(|id| config.services.get(id.0));
    let parents: Vec<String> = parents.map(|parent| word(&parent.name)).collect();
    if !parents.is_empty() {
        let _ = writeln!(text, "    depends on {}", parents.join(", "));
    }
    match (&service.cron, &service.every) {
        (Some(cron), _) => {
            let _ = writeln!(
                text,
                "    {}every {}",
                if cron.not { "not " } else { "" },
                quoted(&cron.schedule.to_string())
            );
        }
        (None, Every::Cycles(cycles)) => {
            let _ = writeln!(text, "    every {cycles} cycles");
        }
        (None, Every::Cycle) => {}
    }
    if service.mode == Mode::Passive {
        text.push_str("    mode passive\n");
    }
    match service.onreboot {
        OnReboot::Start => {}
        OnReboot::NoStart => text.push_str("    onreboot nostart\n"),
        OnReboot::LastState => text.push_str("    onreboot laststate\n"),
    }
    if let Some(Backoff { first, longest }) = service.backoff {
        let _ = writeln!(text, "    with backoff {} up to {}", time(first), time(longest));
    }
    for ignored in &service.ignore {
        let _ = writeln!(text, "    ignore {}", content(ignored));
    }
    for rule in service.rules.iter().filter(|rule| rule.test != Test::Type) {
        let _ = writeln!(text, "    {}", self::rule(rule, secrets));
    }
    for RestartLimit { restarts, cycles, action } in &service.restart_limits {
        let _ = writeln!(text, "    if {restarts} restarts within {cycles} cycles then {}", self::action(action));
    }
    for found in &service.alerts {
        let _ = writeln!(text, "    {}", alert(found));
    }
    for address in &service.no_alerts {
        let _ = writeln!(text, "    noalert {address}");
    }
    text.push('\n');
}

/// Timeouts that are no whole seconds can only come from `set limits`.
fn limits(text: &mut String, service: &Service) {
    let of = |program: &Option<Program>| program.as_ref().and_then(|program| program.timeout);
    let mut found = vec![
        ("startTimeout", of(&service.start)),
        ("stopTimeout", of(&service.stop)),
        ("restartTimeout", of(&service.restart)),
    ];
    if let Kind::Program(program) = &service.kind {
        found.push(("programTimeout", program.timeout));
    }
    for rule in service.rules.iter().filter(|rule| rule.test != Test::Type) {
        if let Test::Connection(connection) = &rule.test {
            found.push(("networkTimeout", Some(connection.timeout)));
        }
        for reaction in [&rule.failure, &rule.recovery] {
            if let Action::Exec(exec) = &reaction.action {
                found.push(("execTimeout", exec.program.timeout));
            }
        }
    }
    for limit in &service.restart_limits {
        if let Action::Exec(exec) = &limit.action {
            found.push(("execTimeout", exec.program.timeout));
        }
    }
    let parts = found.into_iter().filter_map(|(name, time)| Some((name, time.filter(|time| time.subsec_nanos() > 0)?)));
    let parts: Vec<String> = parts.map(|(name, time)| format!("{name}: {} ms", time.as_millis())).collect();
    if !parts.is_empty() {
        let _ = writeln!(text, "set limits {{ {} }}", parts.join(" "));
    }
}

fn kind(kind: &Kind, name: &str) -> String {
    let path = |path: &std::path::Path| operand(path);
    match kind {
        Kind::Process(target) => process(target, name),
        Kind::System => format!("system {name}"),
        Kind::File(file) => format!("file {name} with path {}", path(file)),
        Kind::Fifo(file) => format!("fifo {name} with path {}", path(file)),
        Kind::Directory(file) => format!("directory {name} with path {}", path(file)),
        Kind::Filesystem(device) => format!("filesystem {name} with path {}", quoted(device)),
        Kind::Host(address) => format!("host {name} with address {}", quoted(address)),
        Kind::Network(NetworkTarget::Interface(interface)) => {
            format!("network {name} with interface {}", quoted(interface))
        }
        Kind::Network(NetworkTarget::Address(address)) => format!("network {name} with address {}", quoted(address)),
        Kind::Program(program) => format!("program {name} with path {}{}", command(program), timeout(program.timeout)),
    }
}

fn process(target: &ProcessTarget, name: &str) -> String {
    let matching = |pattern: &Pattern| format!(" matching {}", quoted(&pattern.source));
    let (pidfile, pattern, user) = match target {
        ProcessTarget::Pidfile { path, pattern, user, .. } => {
            (format!(" with pidfile {}", operand(path)), pattern.as_ref().map(matching).unwrap_or_default(), user)
        }
        ProcessTarget::Matching { pattern, user, .. } => (String::new(), matching(pattern), user),
    };
    let user = user.as_ref().map(|user| format!(" as user {}", super::account(user.name.as_deref(), user.uid)));
    let jail = target.jail().map(|jail| format!(" in jail {}", word(jail.name())));
    format!("process {name}{pidfile}{pattern}{}{}", user.unwrap_or_default(), jail.unwrap_or_default())
}

/// Whole seconds; others come from `set limits`.
fn timeout(timeout: Option<Duration>) -> String {
    let whole = timeout.filter(|timeout| timeout.subsec_nanos() == 0);
    whole.map(|timeout| format!(" with timeout {} seconds", timeout.as_secs())).unwrap_or_default()
}

/// Whole seconds in the largest unit.
pub fn time(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds % 86_400 == 0 => format!("{} days", seconds / 86_400),
        seconds if seconds % 3600 == 0 => format!("{} hours", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} seconds"),
    }
}

/// A program with its arguments, user and group.
fn command(program: &Program) -> String {
    use std::os::unix::ffi::OsStrExt;
    let words: Vec<&[u8]> = program.argv.iter().map(|word| word.as_bytes()).collect();
    let plain = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '"' || c == '\'')
    };
    let count = words.iter().take_while(|word| plain(word)).count();
    let (head, rest) = words.split_at_checked(count.max(1)).unwrap_or_default();
    let mut text = match head.first() {
        Some(first) if !plain(first) => super::single_quoted(first),
        _ => format!("\"{}\"", head.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")),
    };
    for word in rest {
        text.push_str(&format!(" {}", quoted_bytes(word)));
    }
    if let Some(user) = &program.uid {
        text.push_str(&format!(" as uid {}", super::account(user.name.as_deref(), user.uid)));
    }
    if let Some(group) = &program.gid {
        text.push_str(&format!(" as gid {}", super::account(group.name.as_deref(), group.gid)));
    }
    text
}

/// `if TEST [RATE] then ACTION [else …]`
fn rule(rule: &Rule, secrets: Secrets) -> String {
    let mut text =
        format!("if {}{} then {}", test(&rule.test, secrets), rate(rule.failure.rate), action(&rule.failure.action));
    if rule.test.recovers() && rule.recovery != (Reaction { rate: Rate::ONCE, action: Action::Alert }) {
        let word = if rule.test.is_inverse() { "failed" } else { "succeeded" };
        let (rate, action) = (rate(rule.recovery.rate), action(&rule.recovery.action));
        text.push_str(&format!(" else if {word}{rate} then {action}"));
    }
    text
}

fn rate(rate: Rate) -> String {
    match rate {
        Rate::ONCE => String::new(),
        Rate { count, window } if count == window => format!(" for {window} cycles"),
        Rate { count, window } => format!(" for {count} times within {window} cycles"),
    }
}

fn action(action: &Action) -> String {
    let exec = match action {
        Action::Exec(exec) => exec,
        Action::UnmonitorFor(span) => return format!("unmonitor for {}", time(*span)),
        action => return action.word().to_owned(),
    };
    let repeat = exec.repeat.map(|cycles| format!(" repeat every {cycles} cycles")).unwrap_or_default();
    format!("exec {}{}{repeat}", command(&exec.program), timeout(exec.program.timeout))
}

impl Test {
    /// Whether a recovery may be written for it.
    fn recovers(&self) -> bool {
        use crate::config::model::Attribute;
        match self {
            Test::Content(_) | Test::ContentChanged(_) => false,
            Test::Changed(attribute) => matches!(attribute, Attribute::Link | Attribute::Permission),
            _ => true,
        }
    }

    /// Whether it holds while something works, so that it is over when that fails.
    fn is_inverse(&self) -> bool {
        match self {
            Test::Link(up) => *up,
            Test::Connection(connection) => connection.succeeded,
            _ => false,
        }
    }
}
