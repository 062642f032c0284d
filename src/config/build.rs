//! Statements of all files, in the order in which they take effect, to a [`Config`].

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::built;
use super::model::{
    Alert, Config, Content, Cron, Jail, Kind, Mode, NetworkTarget, OnReboot, Pattern, Place, ProcessTarget, Program,
    RestartLimit, Rule, Service, ServiceId, ServiceType, Settings, Test, TlsFile, User,
};
use super::order::{Cycle, order};
use super::world::{Jailed, PEM_MAX, ProgramState, World};
use crate::base::ere;
use crate::base::schedule::{Backoff, Every};
use crate::syntax::diagnostic::{Diagnostic, Diagnostics};
use crate::syntax::source::{Location, SourceId, Sources, Span, Text};
use crate::syntax::statement as written;
use crate::syntax::statement::{Check, OnReboot as OnRebootWord, Set, Statement, StatementKind, Target};

/// Most names of a cycle that a message holds.
const CYCLE_SHOWN: usize = 20;

/// Takes statements one after the other.
pub(super) struct Builder<'a> {
    pub(super) world: &'a dyn World,
    /// See [`super::load::Overrides::checking`].
    pub(super) checking: bool,
    pub(super) sources: &'a Sources,
    pub(super) diagnostics: &'a mut Diagnostics,
    pub(super) settings: Settings,
    /// Default of `onreboot`, as it stands at this place of the file.
    pub(super) onreboot: OnReboot,
    /// Default of `backoff`, likewise.
    pub(super) backoff: Option<Backoff>,
    /// Where `set httpd` gave its address.
    pub(super) httpd_address: Option<Location>,
    /// Users of `set httpd` that have credentials.
    pub(super) httpd_users: HashSet<String>,
    /// The control file.
    main: SourceId,
    services: Vec<Draft>,
    /// What the next service statement belongs to.
    current: Current,
    /// Spellings of group names by their lower-case form.
    groups: HashMap<String, String>,
    /// Where `ssl` of `set httpd` is.
    pub(super) httpd_tls: Option<Location>,
    /// Whether the open service is of a type that is not run; then its rules need not be named too.
    pub(super) in_unbuilt_check: bool,
    /// Where the first `set mmonit` is.
    pub(super) collectors_place: Option<Location>,
    /// Where `set httpd` is.
    pub(super) httpd_place: Option<Location>,
    /// Settings of included files by their words.
    pub(super) given: HashMap<&'static str, super::surprises::Given>,
    /// Whether it was said that processes are hidden.
    pub(super) warned_hidden: bool,
    /// Whether it was said that nothing can be pinged.
    pub(super) warned_ping: bool,
    /// Processes in jails, once somebody asked.
    pub(super) jailed: Option<Vec<Jailed>>,
    /// Where statements are that could not be read and perhaps begin services.
    refused: Vec<Span>,
    /// What is not run.
    unbuilt: Vec<(Location, String)>,
}

/// What service statements belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Current {
    /// No `check` came before, or `set` ended it.
    None,
    /// The last draft.
    Service,
    /// A `check` that was refused; its statements are not looked at.
    Refused,
}

/// A service under construction.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) location: Location,
    /// `None`: refused, but its name is taken.
    pub(super) kind: Option<Kind>,
    pub(super) groups: Vec<String>,
    pub(super) depends: Vec<(String, Location)>,
    pub(super) every: Option<(Every, Location)>,
    pub(super) mode: Mode,
    pub(super) onreboot: OnReboot,
    pub(super) start: Option<super::Program>,
    pub(super) stop: Option<super::Program>,
    pub(super) restart: Option<super::Program>,
    pub(super) backoff: Option<Backoff>,
    pub(super) rules: Vec<Rule>,
    /// Where each rule is.
    pub(super) rule_places: Vec<Location>,
    /// Where the first restart limit is.
    pub(super) limit_place: Option<Location>,
    pub(super) restart_limits: Vec<RestartLimit>,
    pub(super) cron: Option<Cron>,
    pub(super) ignore: Vec<Content>,
    pub(super) alerts: Vec<Alert>,
    pub(super) no_alerts: Vec<String>,
    /// A statement of it has a mistake.
    has_mistake: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        world: &'a dyn World,
        sources: &'a Sources,
        diagnostics: &'a mut Diagnostics,
        main: SourceId,
        checking: bool,
    ) -> Builder<'a> {
        Builder {
            world,
            checking,
            sources,
            diagnostics,
            settings: Settings::default(),
            onreboot: OnReboot::Start,
            backoff: None,
            httpd_address: None,
            httpd_users: HashSet::new(),
            main,
            services: Vec::new(),
            current: Current::None,
            groups: HashMap::new(),
            httpd_tls: None,
            httpd_place: None,
            collectors_place: None,
            given: HashMap::new(),
            in_unbuilt_check: false,
            warned_hidden: false,
            warned_ping: false,
            jailed: None,
            refused: Vec::new(),
            unbuilt: Vec::new(),
        }
    }

    /// Takes the next statement.
    pub(super) fn statement(&mut self, statement: Statement) {
        match statement.kind {
            StatementKind::Set(set) => {
                self.current = Current::None;
                self.set(set, statement.span);
            }
            StatementKind::Check(check) => self.check(check),
            // Perhaps the beginning of the service that the next statements belong to.
            StatementKind::Mistake { service: true } if self.current == Current::None => {
                self.refuse(statement.span);
            }
            StatementKind::Mistake { service: true } => {
                if let Some(draft) = self.services.last_mut() {
                    draft.has_mistake = true;
                }
            }
            StatementKind::Mistake { service: false } => self.refuse(statement.span),
            StatementKind::Service(service) => match self.current {
                Current::Service => {
                    self.warn_stray(statement.span);
                    let errors = self.diagnostics.errors();
                    self.service(service, statement.span);
                    let is_mistake = self.diagnostics.errors() > errors;
                    if let Some(draft) = self.services.last_mut() {
                        draft.has_mistake |= is_mistake;
                    }
                }
                Current::Refused => {}
                Current::None => {
                    let message = "this statement belongs into a service, and none is open here";
                    let help = "put it behind a 'check' statement";
                    self.push(self.error(statement.span, message).with_help(help));
                }
            },
        }
    }

    /// Passes over the statements that belong to something that could not be read.
    fn refuse(&mut self, span: Span) {
        self.current = Current::Refused;
        self.refused.push(span);
    }

    /// The words of what could not be read, in lower case: names of services may be among them.
    fn refused_words(&self) -> HashSet<String> {
        let texts: Vec<String> = self.refused.iter().map(|span| self.words(*span)).collect();
        let words = texts.iter().flat_map(|text| text.split(' '));
        words.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
    }

    fn set(&mut self, set: Set, span: Span) {
        self.warn_order(&set, span);
        match set {
            Set::OnReboot(word) => self.onreboot = onreboot(word),
            set => self.setting(set, span),
        }
    }

    fn check(&mut self, check: Check) {
        let location = self.location(check.name.span);
        let name = self.service_name(&check);
        let words = check.target.words();
        let kind = self.kind(check.target);
        if let Some(Kind::Process(target)) = &kind {
            self.warn_hidden(target, check.head);
        }
        let jail = match &kind {
            Some(Kind::Process(target)) => target.jail().and_then(Jail::below).map(str::to_owned),
            _ => None,
        };
        self.in_unbuilt_check = !kind.as_ref().is_some_and(built::runs_kind);
        if kind.is_some() && self.in_unbuilt_check {
            self.unbuilt(check.head, words);
        }
        self.current = if kind.is_some() { Current::Service } else { Current::Refused };
        let Some(name) = name else {
            self.current = Current::Refused;
            return;
        };
        let draft = Draft::new(name, location, kind, self.onreboot);
        self.services.push(Draft { backoff: self.backoff, ..draft });
        if let Some(using) = check.using {
            self.using(&using, jail.as_deref());
        }
    }

    /// What is checked, if it can be.
    fn kind(&mut self, target: Target) -> Option<Kind> {
        Some(match target {
            Target::Pidfile { path, pattern, user, jail } => {
                let pattern = pattern.map(|text| self.pattern(&text).ok_or(()));
                let (user, jail) = (self.owner(user), self.jail(jail));
                let path = to_path(&path.value);
                let (pattern, user, jail) = (pattern.transpose().ok()?, user.ok()?, jail.ok()?);
                Kind::Process(ProcessTarget::Pidfile { path, pattern, user, jail })
            }
            Target::Matching { pattern, user, jail } => {
                let (user, jail) = (self.owner(user), self.jail(jail));
                let compiled = self.pattern(&pattern)?;
                if jail == Ok(None) {
                    self.warn_jailed(&compiled, pattern.span);
                }
                if compiled.regex.is_match(&self.world.command_line()) {
                    let message = "this pattern also matches pollux itself, which is never taken for the service";
                    self.push(Diagnostic::warning(self.location(pattern.span), message));
                }
                Kind::Process(ProcessTarget::Matching { pattern: compiled, user: user.ok()?, jail: jail.ok()? })
            }
            Target::System => Kind::System,
            Target::File(path) => Kind::File(to_path(&path.value)),
            Target::Fifo(path) => Kind::Fifo(to_path(&path.value)),
            Target::Directory(path) => Kind::Directory(to_path(&path.value)),
            Target::Filesystem(path) => Kind::Filesystem(path.lossy()),
            Target::Host(address) => Kind::Host(address.lossy()),
            Target::Interface(name) => Kind::Network(NetworkTarget::Interface(name.lossy())),
            Target::InterfaceAddress(address) => Kind::Network(NetworkTarget::Address(address.lossy())),
            Target::Program(program) => Kind::Program(self.check_program(program)?),
        })
    }

    /// The user that a process must belong to, who must exist.
    fn owner(&mut self, text: Option<Text>) -> Result<Option<User>, ()> {
        text.map(|text| self.known_user(&text).ok_or(())).transpose()
    }

    /// The program of `check program`, which must be there.
    fn check_program(&mut self, mut written: written::Program) -> Option<Program> {
        let timeout = match written.timeout.take() {
            Some(number) => self.seconds(&number, 1, "a timeout"),
            None => Some(self.settings.limits.program_timeout),
        };
        if let Some(path) = written.words.first()
            && let ProgramState::Missing | ProgramState::NotExecutable = self.world.program(&to_path(&path.value))
        {
            let message = format!("the program '{}' that is checked must exist and be executable", path.lossy());
            self.push(self.error(path.span, message));
            return None;
        }
        let program = self.program(written)?;
        Some(Program { timeout: Some(timeout?), ..program })
    }

    /// The service's name, if it can be one.
    fn service_name(&mut self, check: &Check) -> Option<String> {
        let span = check.name.span;
        let Ok(name) = String::from_utf8(check.name.value.clone()) else {
            self.push(self.error(span, "a service name must be UTF-8"));
            return None;
        };
        if name.starts_with('/') {
            self.push(self.error(span, "a service name must not start with '/'"));
            return None;
        }
        Some(match check.target {
            Target::System => name.replace("$HOST", &self.world.host_name()),
            _ => name,
        })
    }

    /// Compiles a pattern.
    pub(super) fn pattern(&mut self, text: &Text) -> Option<Pattern> {
        let source = text.lossy();
        // Where the pattern stands in the file as it is, a place in it can be pointed at.
        let quotes = text.span.end - text.span.start - text.value.len().min(text.span.end - text.span.start);
        let plain = (quotes == 0 || quotes == 2) && source.len() == text.value.len();
        let span_of = |offset: usize| {
            let start = (text.span.start + quotes / 2 + offset).min(text.span.end);
            if plain { Span { start, end: start + 1 } } else { text.span }
        };
        match ere::compile(&text.value) {
            Ok((regex, warnings)) => {
                let mut told: Vec<String> = Vec::new();
                for warning in warnings {
                    if told.contains(&warning.text) {
                        continue;
                    }
                    told.push(warning.text.clone());
                    let location = self.location(span_of(warning.offset));
                    self.push(Diagnostic::warning(location, warning.text));
                }
                Some(Pattern { source, regex })
            }
            Err(error) => {
                self.push(self.error(span_of(error.offset), format!("this pattern cannot be used: {}", error.text)));
                None
            }
        }
    }

    /// The words of a range, in lower case with single blanks.
    pub(super) fn words(&self, span: Span) -> String {
        let Location { source, span } = self.location(span);
        let text = self.sources.get(source).and_then(|source| source.text().get(span.start..span.end));
        let text = String::from_utf8_lossy(text.unwrap_or_default()).to_lowercase();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Notes something that is not run.
    pub(super) fn unbuilt(&mut self, span: Span, words: &str) {
        let location = self.location(span);
        self.unbuilt.push((location, words.to_owned()));
    }

    /// All services so far.
    pub(super) fn drafts(&self) -> &[Draft] {
        &self.services
    }

    /// The service that is open.
    pub(super) fn draft(&mut self) -> Option<&mut Draft> {
        self.services.last_mut()
    }

    /// The type of the open service.
    pub(super) fn service_type(&self) -> Option<ServiceType> {
        self.services.last().and_then(|draft| draft.kind.as_ref()).map(Kind::service_type)
    }

    /// The first spelling of a group's name.
    pub(super) fn group(&mut self, name: String) -> String {
        self.groups.entry(name.to_lowercase()).or_insert(name).clone()
    }

    pub(super) fn location(&self, span: Span) -> Location {
        self.sources.locate(span)
    }

    pub(super) fn error(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.location(span), message)
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Checks what concerns several services, and orders them. `None` when anything at all was wrong.
    pub(super) fn finish(mut self, control_file: PathBuf) -> (Settings, Option<Config>) {
        let places = self.places();
        self.add_system(&places);
        let depends = self.depends(&places);
        let order = match order(&depends) {
            Ok(order) => order,
            Err(Cycle(cycle)) => {
                self.cycle(&cycle);
                Vec::new()
            }
        };
        self.incomplete();
        let settings = self.settings.clone();
        if self.diagnostics.has_errors() {
            return (settings, None);
        }
        self.warn_idle();
        self.warn_page();
        self.warn_names();
        self.warn_collectors();
        let mut new_places: Vec<usize> = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            if let Some(slot) = new_places.get_mut(*old) {
                *slot = new;
            }
        }
        let sources = self.sources;
        let mut drafts: Vec<Option<Draft>> = self.services.into_iter().map(Some).collect();
        let services = order.iter().filter_map(|old| {
            let draft = drafts.get_mut(*old)?.take()?;
            let parents = depends.get(*old).map(Vec::as_slice).unwrap_or_default();
            let parents = parents.iter().filter_map(|parent| new_places.get(*parent)).map(|place| ServiceId(*place));
            draft.service(parents.collect(), sources)
        });
        let services = services.collect();
        let unbuilt = self.unbuilt.into_iter().map(|(location, words)| (place(sources, location), words)).collect();
        let listed = new_places.into_iter().map(ServiceId).collect();
        let config = Config { control_file, settings: settings.clone(), services, listed, unbuilt };
        (settings, Some(config))
    }

    /// Places of services by their names in lower case; reports names that are given twice.
    fn places(&mut self) -> HashMap<String, usize> {
        let mut places = HashMap::new();
        let mut conflicts = Vec::new();
        for (place, draft) in self.services.iter().enumerate() {
            let first = *places.entry(draft.name.to_lowercase()).or_insert(place);
            if let Some(earlier) = self.services.get(first).filter(|_| first != place) {
                let message = format!("the service name '{}' is used already", draft.name);
                let diagnostic = Diagnostic::error(draft.location, message);
                conflicts.push(diagnostic.with_note(earlier.location, "first defined here"));
            }
        }
        for conflict in conflicts {
            self.push(conflict);
        }
        places
    }

    /// For each service, the places of those it depends on, each once.
    fn depends(&mut self, places: &HashMap<String, usize>) -> Vec<Vec<usize>> {
        let refused = self.refused_words();
        let mut unknown = Vec::new();
        let mut all = Vec::new();
        for draft in &self.services {
            let mut parents = Vec::new();
            let mut known = HashSet::new();
            for (name, location) in &draft.depends {
                match places.get(&name.to_lowercase()) {
                    Some(place) if !known.insert(*place) => {}
                    Some(place) => parents.push(*place),
                    None if refused.contains(&name.to_lowercase()) => {}
                    None => unknown
                        .push(Diagnostic::error(*location, format!("there is no service named '{name}' to depend on"))),
                }
            }
            all.push(parents);
        }
        for diagnostic in unknown {
            self.push(diagnostic);
        }
        all
    }

    fn cycle(&mut self, cycle: &[usize]) {
        let drafts: Vec<&Draft> = cycle.iter().filter_map(|place| self.services.get(*place)).collect();
        let (Some(first), Some(second)) = (drafts.first(), drafts.iter().chain(drafts.first()).nth(1)) else {
            return;
        };
        let mut names: Vec<&str> = drafts.iter().chain(drafts.first()).map(|draft| draft.name.as_str()).collect();
        if names.len() > CYCLE_SHOWN {
            names.splice(CYCLE_SHOWN / 2..names.len() - CYCLE_SHOWN / 2, ["..."]);
        }
        let found = first.depends.iter().find(|(name, _)| name.to_lowercase() == second.name.to_lowercase());
        let location = found.map_or(first.location, |(_, location)| *location);
        let message = format!("services depend on each other: {}", names.join(" -> "));
        self.push(Diagnostic::error(location, message));
    }

    /// Adds a system service named after the host when the file has none.
    fn add_system(&mut self, places: &HashMap<String, usize>) {
        if self.services.iter().any(|draft| draft.kind == Some(Kind::System)) {
            return;
        }
        let name = self.world.host_name();
        if let Some(taken) = places.get(&name.to_lowercase()).and_then(|place| self.services.get(*place)) {
            let message = "this name is the host's, which the system service takes that the file does not have";
            let help = "add 'check system NAME' with another name";
            let diagnostic = Diagnostic::error(taken.location, message).with_help(help);
            self.push(diagnostic);
            return;
        }
        let location = Location { source: self.main, span: Span::default() };
        self.services.push(Draft::new(name, location, Some(Kind::System), self.onreboot));
    }

    /// Reports what lacks something without which it makes no sense.
    fn incomplete(&mut self) {
        let mut missing = Vec::new();
        // A rule with a mistake in it may have been the test.
        for draft in self.services.iter().filter(|draft| !draft.has_mistake) {
            let has = |wanted: fn(&Test) -> bool| draft.rules.iter().any(|rule| wanted(&rule.test));
            let message = match &draft.kind {
                Some(Kind::Host(_)) if !has(|test| matches!(test, Test::Connection(_))) => {
                    "nothing of this host is tested: add a test of a port, an address or ping"
                }
                Some(Kind::Program(_)) if !has(is_program_test) => {
                    "nothing of this program is tested: add a test of its status or content"
                }
                _ => continue,
            };
            missing.push((draft.location, message));
        }
        for (location, message) in missing {
            self.push(Diagnostic::error(location, message));
        }
        self.page_keys();
    }

    /// Encryption of the page needs a key that nobody else can read.
    fn page_keys(&mut self) {
        const KEY_MODE_MAX: u32 = 0o750;
        let Some(location) = self.httpd_tls else {
            return;
        };
        let tls = self.settings.httpd.as_ref().and_then(|httpd| httpd.tls.clone()).unwrap_or_default();
        let has = |file| tls.files.iter().any(|(known, _)| *known == file);
        let (file, chain, key) = (has(TlsFile::PemFile), has(TlsFile::PemChain), has(TlsFile::PemKey));
        if file && (chain || key) {
            let message = "'pemfile' cannot stand beside 'pemchain' and 'pemkey'";
            self.push(Diagnostic::error(location, message));
        } else if !(file || chain && key) {
            let message = "encryption of the page needs 'pemfile', or 'pemchain' and 'pemkey'";
            self.push(Diagnostic::error(location, message));
        }
        for (_, path) in tls.files.iter().filter(|(file, _)| matches!(file, TlsFile::PemFile | TlsFile::PemKey)) {
            let mode = self.world.stat(path).map_or(0, |facts| facts.mode);
            if mode & 0o7777 & !KEY_MODE_MAX != 0 {
                let path = path.display();
                let message = format!("the key '{path}' has mode {mode:04o}, at most {KEY_MODE_MAX:04o} is allowed");
                self.push(Diagnostic::error(location, message));
                return;
            }
        }
        // What is read here is at hand when a reload takes the configuration over.
        for (file, path) in &tls.files {
            let is_told = !self.world.stat(path).is_ok_and(|facts| facts.regular);
            if is_told || matches!(file, TlsFile::CaCertificateFile | TlsFile::CaCertificatePath) {
                continue;
            }
            if let Err(error) = self.world.read_data(path, PEM_MAX) {
                let message = format!("the file '{}' cannot be read: {error}", path.display());
                self.push(Diagnostic::error(location, message));
                return;
            }
        }
        if !self.diagnostics.has_errors()
            && let Some(problem) = self.world.page_problem(&tls)
        {
            self.push(Diagnostic::error(location, format!("the page cannot be encrypted: {problem}")));
        }
    }
}

fn is_program_test(test: &Test) -> bool {
    let status = matches!(test, Test::Measured { .. } | Test::Changed(_));
    status || matches!(test, Test::Content(_) | Test::ContentChanged(_))
}

/// A place as the rest of the program knows it.
fn place(sources: &Sources, location: Location) -> Place {
    let source = sources.get(location.source);
    Place {
        file: source.map(|source| source.path().to_owned()).unwrap_or_default(),
        line: source.map_or(0, |source| source.line(location.span.start)),
    }
}

impl Draft {
    fn new(name: String, location: Location, kind: Option<Kind>, onreboot: OnReboot) -> Draft {
        Draft {
            name,
            location,
            kind,
            groups: Vec::new(),
            depends: Vec::new(),
            every: None,
            mode: Mode::Active,
            onreboot,
            start: None,
            stop: None,
            restart: None,
            backoff: None,
            rules: Vec::new(),
            rule_places: Vec::new(),
            limit_place: None,
            restart_limits: Vec::new(),
            cron: None,
            ignore: Vec::new(),
            alerts: Vec::new(),
            no_alerts: Vec::new(),
            has_mistake: false,
        }
    }

    /// The file that is checked.
    pub(super) fn file(&self) -> Option<PathBuf> {
        match &self.kind {
            Some(Kind::File(path)) => Some(path.clone()),
            _ => None,
        }
    }

    fn service(mut self, depends: Vec<ServiceId>, sources: &Sources) -> Option<Service> {
        let kind = self.kind?;
        let implicit = super::rules::implicit(kind.service_type(), &self.rules);
        self.rules.splice(0..0, implicit);
        let added = self.location.span == Span::default();
        let place = place(sources, self.location);
        Some(Service {
            name: self.name,
            kind,
            groups: self.groups,
            depends,
            every: self.every.map(|(every, _)| every).unwrap_or_default(),
            mode: self.mode,
            onreboot: self.onreboot,
            start: self.start,
            stop: self.stop,
            restart: self.restart,
            backoff: self.backoff,
            rules: self.rules,
            restart_limits: self.restart_limits,
            cron: self.cron,
            ignore: self.ignore,
            alerts: self.alerts,
            no_alerts: self.no_alerts,
            place: Place { line: if added { 0 } else { place.line }, ..place },
        })
    }
}

/// The meaning of the word behind `onreboot`.
pub(super) fn onreboot(word: OnRebootWord) -> OnReboot {
    match word {
        OnRebootWord::Start => OnReboot::Start,
        OnRebootWord::NoStart => OnReboot::NoStart,
        OnRebootWord::LastState => OnReboot::LastState,
    }
}

/// Bytes as a path.
pub(super) fn to_path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}
