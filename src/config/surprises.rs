//! What is right and may yet surprise: rules that never act, who may control the daemon, and files of one `include` that take
//! effect in another order than their names.

use std::net::IpAddr;

use super::build::{Builder, Draft};
use super::model::{Action, AllowHost, Httpd, Kind, Mode, ProcessTarget, Program, Rule, Test};
use crate::syntax::diagnostic::Diagnostic;
use crate::syntax::source::{Location, Span};
use crate::syntax::statement::Set;

/// Names at which the daemon has pages of its own.
pub const OWN_PAGES: [&str; 13] = [
    "_status",
    "_status2",
    "_summary",
    "_report",
    "_runtime",
    "_about",
    "_viewlog",
    "_monit",
    "_ping",
    "_getid",
    "_doaction",
    "_style.css",
    "favicon.ico",
];

/// Where a setting was given of which only the last one counts.
pub(super) struct Given {
    location: Location,
    text: String,
}

impl Builder<'_> {
    /// Warns when an earlier file of the same `include` gave the setting otherwise, or has services that it comes too late for.
    pub(super) fn warn_order(&mut self, set: &Set, span: Span) {
        let location = self.location(span);
        if self.sources.get(location.source).is_none_or(|source| source.included().is_none()) {
            return;
        }
        if matches!(set, Set::Limits(_) | Set::OnReboot(_) | Set::Backoff(_) | Set::ExpectBuffer { .. }) {
            self.warn_late(location);
        }
        let Some(words) = single(set) else {
            return;
        };
        let text = self.words(span);
        let first = self.given.insert(words, Given { location, text: text.clone() });
        if let Some(first) = first.filter(|first| first.text != text && self.is_sibling(first.location, location)) {
            let message =
                format!("this '{words}' is in force, for the files of an include take effect in reverse order");
            self.push(Diagnostic::warning(location, message).with_note(first.location, "this one is not"));
        }
    }

    /// Limits and defaults count from where they stand; the services of a file that takes effect before do not get them.
    fn warn_late(&mut self, location: Location) {
        let before = self.drafts().iter().find(|draft| self.is_sibling(draft.location, location));
        let Some(first) = before.map(|draft| draft.location) else {
            return;
        };
        let message =
            "this comes too late for services of other files: those of an include take effect in reverse order";
        let help = "put it into the control file, in front of the include";
        let warning = Diagnostic::warning(location, message).with_note(first, "this service is among them");
        self.push(warning.with_help(help));
    }

    /// Whether a statement of a service stands in another file of the include than the service.
    pub(super) fn warn_stray(&mut self, span: Span) {
        let location = self.location(span);
        let Some(draft) = self.drafts().last().filter(|draft| self.is_sibling(draft.location, location)) else {
            return;
        };
        let message = format!("this belongs to the service '{}' of another file", draft.name);
        let note = "the files of an include take effect in reverse order";
        let warning = Diagnostic::warning(location, message).with_note(draft.location, note);
        self.push(warning);
    }

    /// Whether two places are in different files of one include.
    fn is_sibling(&self, a: Location, b: Location) -> bool {
        let included = |at: Location| self.sources.get(at.source).and_then(|source| source.included());
        a.source != b.source && included(a).is_some() && included(a) == included(b)
    }

    /// Warns once when the processes of other users are hidden from the daemon, which then cannot know that one is dead.
    pub(super) fn warn_hidden(&mut self, target: &ProcessTarget, head: Span) {
        let (ProcessTarget::Pidfile { user, .. } | ProcessTarget::Matching { user, .. }) = target;
        let is_own = user.as_ref().is_some_and(|user| user.uid == self.world.effective_uid());
        if is_own || self.warned_hidden || !self.world.hides_processes() {
            return;
        }
        self.warned_hidden = true;
        let message =
            "the processes of other users are hidden from this one: a service that is not seen is not started";
        let help = "run pollux as root, or add 'as user NAME' to the services of this user";
        self.push(Diagnostic::warning(self.location(head), message).with_help(help));
    }

    /// Warns once when no echo request can be sent.
    pub(super) fn warn_ping(&mut self, head: Span) {
        if self.warned_ping || self.world.pings() {
            return;
        }
        self.warned_ping = true;
        let message = "no echo request can be sent: this program may open no raw socket";
        let help = "run pollux as root; a jail needs 'allow.raw_sockets' as well";
        self.push(Diagnostic::warning(self.location(head), message).with_help(help));
    }

    /// Warns about rules of services that are complete now.
    pub(super) fn warn_idle(&mut self) {
        let warnings: Vec<Diagnostic> = self.drafts().iter().flat_map(idle).collect();
        warnings.into_iter().for_each(|warning| self.push(warning));
    }

    /// A collector acts through the page, with the credentials that it is told.
    pub(super) fn warn_collectors(&mut self) {
        let Some(location) = self.collectors_place else {
            return;
        };
        let registers = self.settings.collectors.iter().any(|collector| !collector.without_credentials);
        let message = match &self.settings.httpd {
            None => "there is no 'set httpd', so the collector cannot act",
            Some(httpd) if registers && !httpd.credentials.iter().any(|credential| !credential.read_only) => {
                "no 'allow USER:PASSWORD' lets the collector act"
            }
            Some(_) => return,
        };
        self.push(Diagnostic::warning(location, message));
    }

    /// Warns of services whose page nobody can ask for: browsers take dots for steps, and other names are the daemon's own.
    pub(super) fn warn_names(&mut self) {
        if self.settings.httpd.is_none() {
            return;
        }
        let is_taken = |name: &str| matches!(name, "." | "..") || OWN_PAGES.contains(&name);
        let taken = self.drafts().iter().filter(|draft| is_taken(&draft.name));
        let warnings = taken.map(|draft| {
            let name = &draft.name;
            let message = match name.as_str() {
                "." | ".." => {
                    format!("the page of '{name}' cannot be asked for: browsers take '/{name}' for another path")
                }
                _ => format!("the page of '{name}' cannot be asked for: '/{name}' is a page of the daemon"),
            };
            Diagnostic::warning(draft.location, message).with_help("give the service another name")
        });
        let warnings: Vec<Diagnostic> = warnings.collect();
        warnings.into_iter().for_each(|warning| self.push(warning));
    }

    /// Says who may act through the page, when that may be more than is meant.
    pub(super) fn warn_page(&mut self) {
        let Some((httpd, location)) = self.settings.httpd.as_ref().zip(self.httpd_place) else {
            return;
        };
        let open = passwords(httpd) == 0 && httpd.port.is_some() && !httpd.allow.is_empty();
        let mut warnings = Vec::new();
        if let Some(message) = page(httpd) {
            let warning = Diagnostic::warning(location, message);
            let help = "add 'allow USER:PASSWORD', or 'read-only' behind the port";
            warnings.push(if open { warning.with_help(help) } else { warning });
        }
        if let Some(message) = socket(httpd) {
            let help = "add 'allow USER:PASSWORD', or 'read-only' or another 'permission' behind the path";
            warnings.push(Diagnostic::warning(location, message).with_help(help));
        }
        warnings.into_iter().for_each(|warning| self.push(warning));
    }
}

/// The words of a setting that counts only once.
fn single(set: &Set) -> Option<&'static str> {
    Some(match set {
        Set::Daemon { .. } => "set daemon",
        Set::LogFile(_) | Set::LogSyslog { .. } => "set log",
        Set::Pidfile(_) => "set pidfile",
        Set::Idfile(_) => "set idfile",
        Set::Statefile(_) => "set statefile",
        Set::OnReboot(_) => "set onreboot",
        Set::Limits(_) => "set limits",
        Set::ExpectBuffer { .. } => "set expectbuffer",
        Set::MailFormat(_) => "set mail-format",
        Set::EventQueue(_) => "set eventqueue",
        Set::Backoff(_) => "set backoff",
        Set::Environment(_)
        | Set::Init
        | Set::TerminalBatch
        | Set::Httpd(_)
        | Set::Alert(_)
        | Set::MailServers(_)
        | Set::Collectors(_)
        | Set::Tls(_)
        | Set::Fips => return None,
    })
}

/// A shell that starts the service has its whole script in its command line, where the pattern may find it.
fn own_shell(draft: &Draft) -> Option<Diagnostic> {
    let Some(Kind::Process(ProcessTarget::Matching { pattern, .. })) = &draft.kind else { return None };
    let is_shell = |program: &&Program| {
        let name = program.argv.first().map(|path| path.to_string_lossy()).unwrap_or_default();
        let options = program.argv.get(1).map(|word| word.to_string_lossy()).unwrap_or_default();
        // `sh -c`, `bash -lc` and their like.
        name.ends_with("sh") && !name.ends_with("ssh") && options.starts_with('-') && options.ends_with('c')
    };
    let mut shells = [&draft.start, &draft.restart].into_iter().flatten().filter(is_shell);
    shells.find(|program| pattern.regex.is_match(program.command_line().as_bytes()))?;
    let message = "the pattern also matches the shell that starts this service, which may be taken for it";
    let help = "begin the pattern with '^', or put 'exec' in front of the last command of the shell";
    Some(Diagnostic::warning(draft.location, message).with_help(help))
}

/// Rules of a service that do less than they say.
fn idle(draft: &Draft) -> Vec<Diagnostic> {
    let starts = draft.start.is_some() || draft.restart.is_some();
    let mut found = Vec::new();
    for (rule, location) in draft.rules.iter().zip(&draft.rule_places) {
        for action in [&rule.failure.action, &rule.recovery.action] {
            let message = match action {
                Action::Start | Action::Stop | Action::Restart if draft.mode == Mode::Passive => {
                    "in passive mode this rule only alerts"
                }
                Action::Start if draft.start.is_none() => "this rule starts nothing, the service has no start program",
                Action::Restart if !starts => "this rule restarts nothing, the service has no start program",
                Action::Stop if draft.stop.is_none() => {
                    "this rule stops nothing, the service has no stop program and is only unmonitored"
                }
                _ => continue,
            };
            found.push(Diagnostic::warning(*location, message));
        }
        if let Test::Changed(_) | Test::ContentChanged(true) = rule.test
            && rule.failure.rate.count > 1
        {
            let cycles = rule.failure.rate.count;
            let message =
                format!("a change is seen in one cycle only: this rule acts when {cycles} cycles have one each");
            found.push(Diagnostic::warning(*location, message));
        }
    }
    found.extend(own_shell(draft));
    let existence = |wanted: fn(&Rule) -> bool| draft.rules.iter().position(wanted);
    let both = existence(|rule| rule.test == Test::Exist).zip(existence(|rule| rule.test == Test::NotExist));
    if let Some((one, other)) = both
        && let Some(location) = draft.rule_places.get(one.max(other))
    {
        let mut warning = Diagnostic::warning(*location, "one of the tests for existence always fails");
        if let Some(first) = draft.rule_places.get(one.min(other)) {
            warning = warning.with_note(*first, "this is the other one");
        }
        found.push(warning);
    }
    if let (Some(location), false) = (draft.limit_place, starts) {
        let message = "this limit is never reached, the service has no start program";
        found.push(Diagnostic::warning(location, message));
    }
    found
}

/// What is to be said about a page.
fn page(httpd: &Httpd) -> Option<String> {
    let passwords = passwords(httpd);
    if passwords + httpd.allow.len() == 0 {
        return match (httpd.port, &httpd.socket) {
            (None, Some(_)) => None,
            (Some(_), Some(_)) => {
                Some("no 'allow' lets anybody in, there will be no page but by the socket file".to_owned())
            }
            (_, None) => Some("no 'allow' lets anybody in, there will be no page".to_owned()),
        };
    }
    httpd.port?;
    let everywhere = |host: &AllowHost| matches!(host, AllowHost::Network { prefix: 0, .. });
    if passwords == 0 && httpd.read_only {
        return None;
    }
    if passwords == 0 {
        let who = if httpd.allow.iter().any(everywhere) {
            "everybody who can connect"
        } else if httpd.allow.iter().all(is_here) {
            "every user of this machine"
        } else {
            "every user of these hosts and networks"
        };
        return Some(format!("no 'allow' asks for a password: {who} may control all services"));
    }
    let reached = httpd.allow.is_empty() || !httpd.allow.iter().all(is_here);
    let here = httpd.address.as_deref().is_some_and(|address| is_here(&host(address)));
    (!httpd.encrypts() && reached && !here)
        .then(|| "passwords cross the network in the clear: use 'ssl', or 'address' with this machine's own".to_owned())
}

fn passwords(httpd: &Httpd) -> usize {
    httpd.credentials.len() + httpd.password_files.len() + httpd.groups.len()
}

/// What is to be said about the socket file: hosts do not count for it, only its mode does.
fn socket(httpd: &Httpd) -> Option<String> {
    let socket = httpd.socket.as_ref().filter(|socket| passwords(httpd) == 0 && !socket.read_only)?;
    let mode = socket.permission.unwrap_or(0);
    let who = match (mode & 0o002 != 0, mode & 0o020 != 0) {
        (true, _) => "every user of this machine".to_owned(),
        (false, true) => match socket.gid.as_ref().and_then(|group| group.name.as_deref()) {
            Some(group) => format!("every member of the group '{group}'"),
            None => "every member of its group".to_owned(),
        },
        (false, false) => return None,
    };
    Some(format!("no 'allow' asks for a password: {who} may control all services by the socket file"))
}

fn host(address: &str) -> AllowHost {
    match address.parse() {
        Ok(address) => AllowHost::Network { address, prefix: 128 },
        Err(_) => AllowHost::Name(address.to_owned()),
    }
}

/// Whether a host is this machine itself.
fn is_here(host: &AllowHost) -> bool {
    match host {
        AllowHost::Name(name) => name.eq_ignore_ascii_case("localhost"),
        AllowHost::Network { address: IpAddr::V4(address), prefix } => address.is_loopback() && *prefix >= 8,
        AllowHost::Network { address: IpAddr::V6(address), prefix } => address.is_loopback() && *prefix == 128,
    }
}
