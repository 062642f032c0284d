//! Statements of all files, in the order in which they take effect, to a [`Config`].

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::model::{
    Config, Kind, Mode, OnReboot, Pattern, Place, ProcessTarget, RestartLimit, Rule, Service, ServiceId, Settings, Test,
};
use super::order::{Cycle, order};
use super::world::World;
use crate::base::ere;
use crate::base::schedule::Every;
use crate::syntax::diagnostic::{Diagnostic, Diagnostics};
use crate::syntax::source::{Location, SourceId, Sources, Span, Text};
use crate::syntax::statement::{Check, OnReboot as OnRebootWord, Set, Statement, StatementKind, Target, Unsupported};

/// Most names of a cycle that a message holds.
const CYCLE_SHOWN: usize = 20;

/// Takes statements one after the other.
pub(super) struct Builder<'a> {
    pub(super) world: &'a dyn World,
    pub(super) sources: &'a Sources,
    pub(super) diagnostics: &'a mut Diagnostics,
    pub(super) settings: Settings,
    /// Default of `onreboot`, as it stands at this place of the file.
    pub(super) onreboot: OnReboot,
    /// Where `set httpd` gave its address.
    pub(super) httpd_address: Option<Location>,
    /// Users of `set httpd` that have credentials.
    pub(super) httpd_users: HashSet<String>,
    /// The source of the statement at hand.
    source: SourceId,
    services: Vec<Draft>,
    /// What the next service statement belongs to.
    current: Current,
    /// Spellings of group names by their lower-case form.
    groups: HashMap<String, String>,
}

/// What service statements belong to.
#[derive(Clone, Copy)]
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
    location: Location,
    kind: DraftKind,
    pub(super) groups: Vec<String>,
    pub(super) depends: Vec<(String, Location)>,
    pub(super) every: Option<(Every, Location)>,
    pub(super) mode: Mode,
    pub(super) onreboot: OnReboot,
    pub(super) start: Option<super::Program>,
    pub(super) stop: Option<super::Program>,
    pub(super) restart: Option<super::Program>,
    pub(super) rules: Vec<Rule>,
    pub(super) restart_limits: Vec<RestartLimit>,
}

enum DraftKind {
    Process(ProcessTarget),
    System,
    /// Refused, but its name is taken.
    Refused,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        world: &'a dyn World,
        sources: &'a Sources,
        diagnostics: &'a mut Diagnostics,
        first: SourceId,
    ) -> Builder<'a> {
        Builder {
            world,
            sources,
            diagnostics,
            settings: Settings::default(),
            onreboot: OnReboot::Start,
            httpd_address: None,
            httpd_users: HashSet::new(),
            source: first,
            services: Vec::new(),
            current: Current::None,
            groups: HashMap::new(),
        }
    }

    /// Takes the next statement. Includes were resolved before.
    pub(super) fn statement(&mut self, source: SourceId, statement: Statement) {
        self.source = source;
        match statement.kind {
            StatementKind::Set(set) => {
                self.current = Current::None;
                self.set(set, statement.span);
            }
            StatementKind::Check(check) => self.check(check),
            StatementKind::Service(service) => match self.current {
                Current::Service => self.service(service, statement.span),
                Current::Refused => {}
                Current::None => {
                    let message = "this statement belongs into a service, and none is open here";
                    let help = "put it behind a 'check' statement";
                    self.push(self.error(statement.span, message).with_help(help));
                }
            },
            StatementKind::Unsupported(unsupported) => {
                if !(unsupported.in_service && matches!(self.current, Current::Refused)) {
                    self.unsupported(&unsupported);
                }
                if !unsupported.in_service {
                    self.current = Current::None;
                }
            }
            StatementKind::Include(_) => {}
        }
    }

    fn set(&mut self, set: Set, span: Span) {
        match set {
            Set::OnReboot(word) => self.onreboot = onreboot(word),
            set => self.setting(set, span),
        }
    }

    fn check(&mut self, check: Check) {
        let location = self.location(check.name.span);
        let name = self.service_name(&check);
        let kind = match &check.target {
            Target::Pidfile(path) => Some(DraftKind::Process(ProcessTarget::Pidfile(to_path(&path.value)))),
            Target::Matching(pattern) => {
                self.pattern(pattern).map(|pattern| DraftKind::Process(ProcessTarget::Matching(pattern)))
            }
            Target::System => Some(DraftKind::System),
            target => {
                self.unbuilt(check.head, target.words());
                None
            }
        };
        self.current = if kind.is_some() { Current::Service } else { Current::Refused };
        let Some(name) = name else {
            self.current = Current::Refused;
            return;
        };
        self.services.push(Draft {
            name,
            location,
            kind: kind.unwrap_or(DraftKind::Refused),
            groups: Vec::new(),
            depends: Vec::new(),
            every: None,
            mode: Mode::Active,
            onreboot: self.onreboot,
            start: None,
            stop: None,
            restart: None,
            rules: Vec::new(),
            restart_limits: Vec::new(),
        });
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

    fn pattern(&mut self, text: &Text) -> Option<Pattern> {
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
                for warning in warnings {
                    let location = self.location(span_of(warning.offset));
                    self.push(Diagnostic::warning(location, warning.text));
                }
                if regex.is_match(&self.world.command_line()) {
                    let message = "this pattern also matches pollux itself, which is never taken for the service";
                    self.push(Diagnostic::warning(self.location(text.span), message));
                }
                Some(Pattern { source, regex })
            }
            Err(error) => {
                self.push(self.error(span_of(error.offset), format!("this pattern cannot be used: {}", error.text)));
                None
            }
        }
    }

    fn unsupported(&mut self, unsupported: &Unsupported) {
        self.unbuilt(unsupported.span, &unsupported.words);
    }

    /// The words of a range, in lower case with single blanks.
    pub(super) fn words(&self, span: Span) -> String {
        let text = self.sources.get(self.source).and_then(|source| source.text().get(span.start..span.end));
        let text = String::from_utf8_lossy(text.unwrap_or_default()).to_lowercase();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Refuses something by its name.
    pub(super) fn unbuilt(&mut self, span: Span, words: &str) {
        self.push(self.error(span, format!("'{words}' is not supported yet")));
    }

    /// The service that is open.
    pub(super) fn draft(&mut self) -> Option<&mut Draft> {
        self.services.last_mut()
    }

    /// Whether the open service is a system.
    pub(super) fn is_system(&self) -> bool {
        self.services.last().is_some_and(|draft| matches!(draft.kind, DraftKind::System))
    }

    /// The first spelling of a group's name.
    pub(super) fn group(&mut self, name: String) -> String {
        self.groups.entry(name.to_lowercase()).or_insert(name).clone()
    }

    pub(super) fn location(&self, span: Span) -> Location {
        Location { source: self.source, span }
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
        let depends = self.depends(&places);
        let order = match order(&depends) {
            Ok(order) => order,
            Err(Cycle(cycle)) => {
                self.cycle(&cycle);
                Vec::new()
            }
        };
        self.add_system(&places);
        let settings = self.settings.clone();
        if self.diagnostics.has_errors() {
            return (settings, None);
        }
        // The service that was added depends on nothing and stands at the end.
        let order: Vec<usize> = order.iter().copied().chain(depends.len()..self.services.len()).collect();
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
        let config = Config { control_file, settings: settings.clone(), services: services.collect() };
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
        let mut unknown = Vec::new();
        let mut all = Vec::new();
        for draft in &self.services {
            let mut parents = Vec::new();
            let mut known = HashSet::new();
            for (name, location) in &draft.depends {
                match places.get(&name.to_lowercase()) {
                    Some(place) if !known.insert(*place) => {}
                    Some(place) => parents.push(*place),
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
        if self.services.iter().any(|draft| matches!(draft.kind, DraftKind::System)) {
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
        let location = Location { source: self.source, span: Span::default() };
        self.services.push(Draft {
            name,
            location,
            kind: DraftKind::System,
            groups: Vec::new(),
            depends: Vec::new(),
            every: None,
            mode: Mode::Active,
            onreboot: self.onreboot,
            start: None,
            stop: None,
            restart: None,
            rules: Vec::new(),
            restart_limits: Vec::new(),
        });
    }
}

impl Draft {
    fn service(mut self, depends: Vec<ServiceId>, sources: &Sources) -> Option<Service> {
        let kind = match self.kind {
            DraftKind::Process(target) => Kind::Process(target),
            DraftKind::System => Kind::System,
            DraftKind::Refused => return None,
        };
        let existence = |rule: &Rule| matches!(rule.test, Test::NotExist | Test::Exist);
        if matches!(kind, Kind::Process(_)) && !self.rules.iter().any(existence) {
            self.rules.insert(0, super::rules::implicit());
        }
        let source = sources.get(self.location.source);
        let added = self.location.span == Span::default();
        let line = source.map_or(0, |source| source.line(self.location.span.start));
        let file = source.map(|source| source.path().to_owned()).unwrap_or_default();
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
            rules: self.rules,
            restart_limits: self.restart_limits,
            place: Place { file, line: if added { 0 } else { line } },
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
