//! Statements inside a service: programs, rules, dependencies and the rest.

use std::time::Duration;

use super::build::{Builder, onreboot, to_path};
use super::built;
use super::model::{
    Action, Attribute, Cron, Exec, Group, Mode, OnReboot, Program, Reaction, RestartLimit, Rule, ServiceType, Test,
    User,
};
use super::world::ProgramState;
use crate::base::cron::Schedule;
use crate::base::schedule::{Backoff, Every, Rate};
use crate::syntax::diagnostic::Diagnostic;
use crate::syntax::source::{Span, Text};
use crate::syntax::statement as written;
use crate::syntax::statement::{Method, Number, ServiceStatement};

/// The rules that a service has without naming them, before those that it names.
pub(super) fn implicit(kind: ServiceType, named: &[Rule]) -> Vec<Rule> {
    use ServiceType::{Directory, Fifo, File, Filesystem, Network, Process};
    let rule = |test, failure, recovery| {
        let reaction = |action| Reaction { rate: Rate::ONCE, action };
        Rule { test, failure: reaction(failure), recovery: reaction(recovery) }
    };
    let names = |wanted: fn(&Test) -> bool| named.iter().any(|rule| wanted(&rule.test));
    let mut rules = Vec::new();
    if matches!(kind, File | Fifo | Directory) {
        rules.push(rule(Test::Type, Action::Restart, Action::Alert));
    }
    if matches!(kind, Process | File | Fifo | Directory | Filesystem)
        && !names(|test| matches!(test, Test::NotExist | Test::Exist | Test::Exited))
    {
        rules.push(rule(Test::NotExist, Action::Restart, Action::Alert));
    }
    if kind == Network && !names(|test| matches!(test, Test::Link(_))) {
        rules.push(rule(Test::Link(false), Action::Alert, Action::Alert));
    }
    if kind == Filesystem && !names(|test| *test == Test::Changed(Attribute::FilesystemFlags)) {
        rules.push(rule(Test::Changed(Attribute::FilesystemFlags), Action::Alert, Action::Ignore));
    }
    rules
}

/// What a service can have only one test of; `None` for all others.
fn only_one(test: &Test) -> Option<&'static str> {
    match test {
        Test::Uid(_) => Some("uid"),
        Test::EffectiveUid(_) => Some("effective uid"),
        Test::Gid(_) => Some("gid"),
        Test::Permission(_) | Test::Changed(Attribute::Permission) => Some("permission"),
        Test::Checksum { .. } | Test::Changed(Attribute::Checksum(_)) => Some("checksum"),
        _ => None,
    }
}

impl Builder<'_> {
    /// A statement of the service that is open.
    pub(super) fn service(&mut self, statement: ServiceStatement, span: Span) {
        match statement {
            ServiceStatement::Program { method, program } => self.method(method, program),
            ServiceStatement::Depends(names) => names.iter().for_each(|name| self.depend(name)),
            ServiceStatement::Group(name) => self.add_group(&name),
            ServiceStatement::Mode(mode) => self.mode(mode),
            ServiceStatement::OnReboot(word) => {
                if let Some(draft) = self.draft() {
                    draft.onreboot = onreboot(word);
                }
            }
            ServiceStatement::Backoff(written) => {
                if let (Some(backoff), Some(draft)) = (self.backoff(written), self.draft()) {
                    draft.backoff = backoff;
                }
            }
            ServiceStatement::Cron { not, fields } => self.cron(not, &fields, span),
            ServiceStatement::Alert(alert) => {
                self.unbuilt(span, "alert");
                if let (Some(alert), Some(draft)) = (self.alert(&alert), self.draft()) {
                    draft.alerts.push(alert);
                }
            }
            ServiceStatement::NoAlert(address) => {
                self.unbuilt(span, "noalert");
                if let Some(draft) = self.draft() {
                    draft.no_alerts.push(address.lossy());
                }
            }
            ServiceStatement::Ignore(content) => self.ignore(&content, span),
            ServiceStatement::Every(cycles) => self.every(&cycles, span),
            ServiceStatement::Rule(rule) => self.rule(*rule),
            ServiceStatement::RestartLimit(limit) => {
                let location = self.location(span);
                self.restart_limit(*limit);
                if let Some(draft) = self.draft() {
                    draft.limit_place.get_or_insert(location);
                }
            }
        }
    }

    fn method(&mut self, method: Method, program: written::Program) {
        let limits = &self.settings.limits;
        let default = match method {
            Method::Start => limits.start_timeout,
            Method::Stop => limits.stop_timeout,
            Method::Restart => limits.restart_timeout,
        };
        let timeout = match &program.timeout {
            Some(number) => self.seconds(number, 1, "a timeout"),
            None => Some(default),
        };
        let Some(mut program) = self.program(program) else {
            return;
        };
        program.timeout = timeout;
        let Some(draft) = self.draft() else {
            return;
        };
        let slot = match method {
            Method::Start => &mut draft.start,
            Method::Stop => &mut draft.stop,
            Method::Restart => &mut draft.restart,
        };
        *slot = Some(program);
    }

    /// A program whose users are known; whether it is there is worth a warning only, as it may come later.
    pub(super) fn program(&mut self, program: written::Program) -> Option<Program> {
        use std::os::unix::ffi::OsStringExt;
        let (uid, gid) = (self.user(program.uid), self.group_of(program.gid));
        if let Some(path) = program.words.first() {
            self.warn_program(path);
        }
        let argv = program.words.into_iter().map(|word| std::ffi::OsString::from_vec(word.value)).collect();
        Some(Program { argv, uid: uid.ok()?, gid: gid.ok()?, timeout: None })
    }

    fn warn_program(&mut self, text: &Text) {
        let path = to_path(&text.value);
        let shown = text.lossy();
        let message = if !path.is_absolute() {
            format!("the program '{shown}' is not given by an absolute path and will not be found")
        } else {
            match self.world.program(&path) {
                ProgramState::Ok => return,
                ProgramState::Missing => format!("the program '{shown}' does not exist"),
                ProgramState::NotExecutable => format!("the program '{shown}' is not executable"),
                ProgramState::InterpreterMissing(interpreter) => {
                    format!("the interpreter '{}' of '{shown}' does not exist", interpreter.display())
                }
            }
        };
        let location = self.location(text.span);
        self.push(Diagnostic::warning(location, message));
    }

    fn user(&mut self, text: Option<Text>) -> Result<Option<User>, ()> {
        let Some(text) = text else {
            return Ok(None);
        };
        self.needs_root(&text, "uid")?;
        self.known_user(&text).map(Some).ok_or(())
    }

    fn group_of(&mut self, text: Option<Text>) -> Result<Option<Group>, ()> {
        let Some(text) = text else {
            return Ok(None);
        };
        self.needs_root(&text, "gid")?;
        self.known_group(&text).map(Some).ok_or(())
    }

    /// The user of that name or number.
    pub(super) fn find_user(&self, text: &Text) -> Option<User> {
        let name = text.lossy();
        match number(text) {
            Some(uid) => self.world.user_name(uid).map(|name| User { uid, name: Some(name) }),
            None => self.world.uid_of(&name).map(|uid| User { uid, name: Some(name) }),
        }
    }

    /// The group of that name or number.
    pub(super) fn find_group(&self, text: &Text) -> Option<Group> {
        let name = text.lossy();
        match number(text) {
            Some(gid) => self.world.group_name(gid).map(|name| Group { gid, name: Some(name) }),
            None => self.world.gid_of(&name).map(|gid| Group { gid, name: Some(name) }),
        }
    }

    fn needs_root(&mut self, text: &Text, word: &str) -> Result<(), ()> {
        if self.world.effective_uid() != 0 {
            self.push(self.error(text.span, format!("'{word}' needs root privileges")));
            return Err(());
        }
        Ok(())
    }

    fn ignore(&mut self, content: &written::Content, span: Span) {
        if self.service_type() != Some(ServiceType::File) {
            self.push(self.error(span, "'ignore' belongs into a 'check file'"));
            return;
        }
        if let (Some(content), Some(draft)) = (self.content(content), self.draft()) {
            draft.ignore.push(content);
        }
    }

    fn cron(&mut self, not: bool, fields: &Text, span: Span) {
        let schedule = match Schedule::parse(&fields.lossy()) {
            Ok(schedule) => schedule,
            Err(why) => {
                let help = "such as \"0-29/5 8-18 * * 1-5\"";
                self.push(self.error(fields.span, why.to_string()).with_help(help));
                return;
            }
        };
        self.given_every(Every::Cycle, span);
        if let Some(draft) = self.draft() {
            draft.cron = Some(Cron { not, schedule });
        }
    }

    fn depend(&mut self, name: &Text) {
        let location = self.location(name.span);
        let name = name.lossy();
        if let Some(draft) = self.draft() {
            draft.depends.push((name, location));
        }
    }

    fn add_group(&mut self, name: &Text) {
        let Ok(text) = String::from_utf8(name.value.clone()) else {
            self.push(self.error(name.span, "a group name must be UTF-8"));
            return;
        };
        let group = self.group(text);
        if let Some(draft) = self.draft()
            && !draft.groups.contains(&group)
        {
            draft.groups.push(group);
        }
    }

    fn mode(&mut self, mode: written::Mode) {
        let Some(draft) = self.draft() else {
            return;
        };
        match mode {
            written::Mode::Active => draft.mode = Mode::Active,
            written::Mode::Passive => draft.mode = Mode::Passive,
            written::Mode::Manual => {
                draft.mode = Mode::Active;
                draft.onreboot = OnReboot::LastState;
            }
        }
    }

    fn every(&mut self, number: &Number, span: Span) {
        let Some(cycles) = self.small(number, 0, u64::from(u32::MAX), "a number of cycles") else {
            return;
        };
        let every = if cycles == 0 { Every::Cycle } else { Every::Cycles(cycles) };
        if cycles == 0 {
            let location = self.location(number.span);
            self.push(Diagnostic::warning(location, "every 0 cycles is taken as every cycle"));
        }
        self.given_every(every, span);
    }

    fn given_every(&mut self, every: Every, span: Span) {
        let location = self.location(span);
        let Some(draft) = self.draft() else {
            return;
        };
        draft.cron = None;
        let earlier = draft.every.replace((every, location));
        if let Some((_, first)) = earlier {
            let message = "'every' can be given only once, the last one counts";
            self.push(Diagnostic::warning(location, message).with_note(first, "first given here"));
        }
    }

    fn rule(&mut self, rule: written::Rule) {
        let location = self.location(rule.head);
        let changed = !rule.test.recovers();
        let Some(test) = self.test(rule.test, rule.head) else {
            return;
        };
        let runs = self.service_type().is_some_and(|kind| built::runs_test(kind, &test));
        if !runs && !self.in_unbuilt_check {
            let words = self.words(rule.head);
            self.unbuilt(rule.head, &words);
        }
        let failure = self.reaction(rule.rate, rule.action);
        let recovery = match rule.recovery {
            Some(recovery) => self.reaction(recovery.rate, recovery.action),
            None if changed => Some(Reaction { rate: Rate::ONCE, action: Action::Ignore }),
            None => Some(Reaction { rate: Rate::ONCE, action: Action::Alert }),
        };
        let (Some(failure), Some(recovery), Some(draft)) = (failure, recovery, self.draft()) else {
            return;
        };
        let earlier = only_one(&test)
            .and_then(|what| Some((what, draft.rules.iter().position(|rule| only_one(&rule.test) == Some(what))?)));
        draft.rules.push(Rule { test, failure, recovery });
        draft.rule_places.push(location);
        if let Some((what, at)) = earlier {
            draft.rules.remove(at);
            let first = draft.rule_places.remove(at);
            let message = format!("a service has one test of its {what}, the last one counts");
            self.push(Diagnostic::warning(location, message).with_note(first, "this one is dropped"));
        }
    }

    fn reaction(&mut self, rate: Option<written::Rate>, action: written::Action) -> Option<Reaction> {
        let rate = match rate {
            Some(rate) => self.rate(&rate),
            None => Some(Rate::ONCE),
        };
        let action = self.action(action);
        Some(Reaction { rate: rate?, action: action? })
    }

    fn rate(&mut self, rate: &written::Rate) -> Option<Rate> {
        let window = self.small(&rate.cycles, 1, u64::from(Rate::MAX_WINDOW), "the number of cycles")?;
        let count = match &rate.count {
            Some(count) => self.small(count, 1, u64::from(window), "the number of times within these cycles")?,
            None => window,
        };
        Some(Rate { count, window })
    }

    fn action(&mut self, action: written::Action) -> Option<Action> {
        Some(match action {
            written::Action::Ignore => Action::Ignore,
            written::Action::Alert => Action::Alert,
            written::Action::Restart => Action::Restart,
            written::Action::Start => Action::Start,
            written::Action::Stop => Action::Stop,
            written::Action::Unmonitor(None) | written::Action::Timeout => Action::Unmonitor,
            written::Action::Unmonitor(Some(time)) => Action::UnmonitorFor(self.time(&time, "the time")?),
            written::Action::Exec { program, repeat } => {
                let timeout = match &program.timeout {
                    Some(number) => Some(self.seconds(number, 1, "a timeout")?),
                    None => self.settings.limits.exec_timeout,
                };
                let program = self.program(program).map(|program| Program { timeout, ..program });
                let repeat = match repeat {
                    Some(number) => self.small(&number, 0, u64::from(u32::MAX), "a number of cycles"),
                    None => Some(0),
                };
                Action::Exec(Exec { program: program?, repeat: repeat.filter(|cycles| *cycles > 0) })
            }
        })
    }

    fn restart_limit(&mut self, limit: written::RestartLimit) {
        let action = self.action(limit.action);
        let Some(cycles) = self.small(&limit.cycles, 1, u64::from(u32::MAX), "the number of cycles") else {
            return;
        };
        let what = "the number of restarts within these cycles";
        let restarts = self.small(&limit.restarts, 1, u64::from(cycles), what);
        let (Some(restarts), Some(action), Some(draft)) = (restarts, action, self.draft()) else {
            return;
        };
        draft.restart_limits.push(RestartLimit { restarts, cycles, action });
    }

    /// What stands behind `backoff`; the inner `None` is `disable`.
    pub(super) fn backoff(&mut self, written: Option<written::Backoff>) -> Option<Option<Backoff>> {
        let Some(written) = written else {
            return Some(None);
        };
        let (first, longest) = (self.time(&written.first, "the delay"), self.time(&written.longest, "the delay"));
        let (first, longest) = (first?, longest?);
        if first > longest {
            let message = "the longest delay is less than the first";
            self.push(self.error(written.longest.number.span, message));
            return None;
        }
        Some(Some(Backoff { first, longest }))
    }

    /// A number with its unit.
    fn time(&mut self, time: &written::Time, what: &str) -> Option<Duration> {
        let seconds = Number { value: time.number.value.saturating_mul(time.unit), span: time.number.span };
        self.seconds(&seconds, 1, what)
    }

    /// A number within its limits.
    pub(super) fn small(&mut self, number: &Number, least: u64, most: u64, what: &str) -> Option<u32> {
        let value = u32::try_from(number.value).ok().filter(|value| (least..=most).contains(&u64::from(*value)));
        if value.is_none() {
            self.push(self.error(number.span, format!("{what} must be between {least} and {most}")));
        }
        value
    }
}

/// The number an account is given by.
fn number(text: &Text) -> Option<u32> {
    let digits = !text.value.is_empty() && text.value.iter().all(u8::is_ascii_digit);
    digits.then(|| text.lossy().parse().unwrap_or(u32::MAX))
}
