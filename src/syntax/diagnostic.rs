//! What is wrong with a control file, and the one way to show it.

use crate::base::escape::log_line;

use super::secret::MASK;
use super::source::{Location, Source, Sources, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is accepted; what it says may surprise.
    Warning,
}

impl Severity {
    /// The word in front of the message.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A second place that belongs to a message, such as the first of two definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub location: Location,
    /// What is there.
    pub text: String,
}

/// One message about a control file. Texts are lower case without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where; `None` for what no line of a file says.
    pub location: Option<Location>,
    /// Other places that belong to it.
    pub notes: Vec<Note>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(location: Location, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            message: message.into(),
            location: Some(location),
            notes: Vec::new(),
            help: None,
        }
    }

    /// A warning at a place.
    pub fn warning(location: Location, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(location, message) }
    }

    /// An error about a whole file; shown as it is.
    pub fn general(message: impl Into<String>) -> Diagnostic {
        let message = message.into();
        Diagnostic { severity: Severity::Error, message, location: None, notes: Vec::new(), help: None }
    }

    /// The same with a `help:` line.
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// The same with a second place.
    pub fn with_note(mut self, location: Location, text: impl Into<String>) -> Diagnostic {
        self.notes.push(Note { location, text: text.into() });
        self
    }
}

/// Messages of one load, bounded in number.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    all: Vec<Diagnostic>,
    errors: usize,
    left_out: usize,
}

impl Diagnostics {
    /// How many messages are kept; later ones are only counted.
    pub const MAX: usize = 100;

    /// Adds a message.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if diagnostic.severity == Severity::Error {
            self.errors += 1;
        }
        if self.is_full() {
            self.left_out += 1;
        } else {
            self.all.push(diagnostic);
        }
    }

    /// Adds the messages of another collection.
    pub fn append(&mut self, other: Diagnostics) {
        let errors = self.errors + other.errors;
        self.left_out += other.left_out;
        other.all.into_iter().for_each(|diagnostic| self.push(diagnostic));
        self.errors = errors;
    }

    /// Puts the messages in the order of their places: those about no place first, then file by file.
    pub fn sort(&mut self) {
        self.all.sort_by_key(|diagnostic| diagnostic.location.map(|at| (at.source, at.span.start)));
    }

    /// The messages that were kept, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.all.iter()
    }

    /// Whether there is an error, also among those that were left out.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many errors there are, those that were left out among them.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// How many messages were not kept.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Whether further messages are only counted.
    pub fn is_full(&self) -> bool {
        self.all.len() >= Diagnostics::MAX
    }

    /// Whether there is no message at all.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All messages as people read them, each ended by a line feed.
    pub fn render(&self, sources: &Sources) -> String {
        let mut text: String = self.all.iter().map(|diagnostic| render(diagnostic, sources)).collect();
        if self.left_out > 0 {
            text.push_str(&format!("error: {} more messages are not shown\n", self.left_out));
        }
        text
    }
}

/// One message with the line it is about, a caret below the place, further places and help; ended by a line feed.
pub fn render(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let word = diagnostic.severity.word();
    let mut text = match place(diagnostic.location, sources) {
        Some((source, span)) => {
            let message = log_line(&diagnostic.message);
            format!("{}: {word}: {message}\n{}", path(source, span), quote(source, span, '^'))
        }
        None => format!("{}\n", log_line(&diagnostic.message)),
    };
    for note in &diagnostic.notes {
        if let Some((source, span)) = place(Some(note.location), sources) {
            let note = log_line(&note.text);
            text.push_str(&format!("{}: note: {note}\n{}", path(source, span), quote(source, span, '-')));
        }
    }
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!("  help: {}\n", log_line(help)));
    }
    text
}

fn place(location: Option<Location>, sources: &Sources) -> Option<(&Source, Span)> {
    let location = location?;
    Some((sources.get(location.source)?, location.span))
}

fn path(source: &Source, span: Span) -> String {
    let position = source.position(span.start);
    let file = log_line(&source.path().to_string_lossy());
    format!("{file}:{}:{}", position.line, position.column)
}

/// How many characters of a line are quoted before and behind the place.
const CONTEXT: usize = 120;

/// The line of the span's start and a line of marks below the part of the span that is in it.
fn quote(source: &Source, span: Span, mark: char) -> String {
    let line = source.line_span(span.start);
    let shown = |from: usize, to: usize| visible(source, from, to.max(from));
    let start = span.start.clamp(line.start, line.end);
    let end = span.end.clamp(start, line.end);
    // Four bytes are the longest character, so these ranges hold enough.
    const ENOUGH: usize = 4 * (CONTEXT + 1);
    let before: Vec<char> = shown(line.start.max(start.saturating_sub(ENOUGH)), start);
    let marked: Vec<char> = shown(start, end.min(start + ENOUGH));
    let behind: Vec<char> = shown(end, line.end.min(end + ENOUGH));
    let skipped = before.len().saturating_sub(CONTEXT);
    let lead: String = before.iter().skip(skipped).collect();
    let cut = if skipped > 0 { "..." } else { "" };
    let under: String = lead.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let middle: String = marked.iter().take(CONTEXT).collect();
    let width = marked.len().clamp(1, CONTEXT);
    let rest: String = if marked.len() > CONTEXT { String::new() } else { behind.iter().take(CONTEXT).collect() };
    let more = if marked.len() > CONTEXT || behind.len() > CONTEXT { "..." } else { "" };
    let tail = if mark == '^' { '~' } else { mark };
    let marks: String = std::iter::once(mark).chain(std::iter::repeat_n(tail, width - 1)).collect();
    let gap = if cut.is_empty() { "" } else { "   " };
    format!("  {cut}{lead}{middle}{rest}{more}\n  {gap}{under}{marks}\n")
}

/// A part of a line as it may be shown: [`MASK`] for each secret, control characters as `?`, tabs as they are.
fn visible(source: &Source, start: usize, end: usize) -> Vec<char> {
    let mut shown = Vec::new();
    let mut place = start;
    let mut was_secret = false;
    let mut show = |length: usize, c: char| {
        let is_secret = source.is_secret(place);
        place += length;
        match c {
            _ if is_secret && was_secret => {}
            _ if is_secret => shown.extend(MASK.chars()),
            '\t' => shown.push('\t'),
            c if c.is_control() => shown.push('?'),
            c => shown.push(c),
        }
        was_secret = is_secret;
    };
    for chunk in source.text().get(start..end).unwrap_or_default().utf8_chunks() {
        chunk.valid().chars().for_each(|c| show(c.len_utf8(), c));
        chunk.invalid().iter().for_each(|_| show(1, '?'));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn located(text: &str, part: &str) -> (Sources, Location) {
        let sources = Sources::default();
        let source = sources.add(PathBuf::from("/etc/monitrc"), text.as_bytes().to_vec());
        let start = text.find(part).unwrap();
        (sources, Location { source, span: Span { start, end: start + part.len() } })
    }

    #[test]
    fn a_message_shows_place_line_caret_and_help() {
        let (sources, location) = located("set init\n\tset deamon 30 # x\n", "deamon");
        let diagnostic = Diagnostic::error(location, "expected a setting").with_help("did you mean 'daemon'?");
        let expected = "/etc/monitrc:2:6: error: expected a setting\n  \tset deamon 30 # x\n  \t    ^~~~~~\n  help: did you mean 'daemon'?\n";
        assert_eq!(render(&diagnostic, &sources), expected);
    }

    #[test]
    fn a_note_shows_the_second_place() {
        let (sources, location) = located("check process a\ncheck process A", "A");
        let first = Location { span: Span { start: 14, end: 15 }, ..location };
        let diagnostic = Diagnostic::warning(location, "again").with_note(first, "first defined here");
        let expected = "/etc/monitrc:2:15: warning: again\n  check process A\n                ^\n/etc/monitrc:1:15: note: first defined here\n  check process a\n                -\n";
        assert_eq!(render(&diagnostic, &sources), expected);
    }

    #[test]
    fn secrets_and_control_characters_are_not_shown() {
        let (sources, location) = located("allow admin:t0p\u{1b}[1m allow x", "allow x");
        let text = render(&Diagnostic::error(location, "x"), &sources);
        assert!(!text.contains("t0p") && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("allow admin:********?"), "{text}");
        let text = render(&Diagnostic::error(location, "no user 'a\n\u{1b}b'"), &sources);
        assert!(text.contains("no user 'a\\n\\x1bb'\n"), "{text}");
    }

    #[test]
    fn a_secret_does_not_show_how_long_it_is_and_marks_stay_below_their_place() {
        let shown = |secret: &str| {
            let (sources, location) = located(&format!("allow admin:{secret} allow x # \u{e9}"), "allow x");
            let text = render(&Diagnostic::error(location, "x"), &sources);
            text.split_once('\n').unwrap().1.to_owned()
        };
        assert_eq!(shown("a"), "  allow admin:******** allow x # \u{e9}\n                       ^~~~~~~\n");
        assert_eq!(shown("a-much-longer-one"), shown("a"));
        // What is wrong with the secret itself.
        let (sources, location) = located("allow admin:secret allow x", "secret");
        let text = render(&Diagnostic::error(location, "x"), &sources);
        assert!(text.ends_with("  allow admin:******** allow x\n              ^~~~~~~~\n"), "{text}");
    }

    #[test]
    fn long_lines_are_cut() {
        let long = format!("{}mark{}", "a".repeat(100_000), "b".repeat(100_000));
        let (sources, location) = located(&long, "mark");
        assert!(render(&Diagnostic::error(location, "x"), &sources).len() < 1000);
    }

    #[test]
    fn the_number_of_messages_is_bounded() {
        let (sources, location) = located("x", "x");
        let mut all = Diagnostics::default();
        for _ in 0..Diagnostics::MAX {
            all.push(Diagnostic::warning(location, "w"));
        }
        assert!(!all.has_errors());
        all.push(Diagnostic::error(location, "e"));
        assert!(all.has_errors());
        assert_eq!((all.iter().count(), all.left_out()), (Diagnostics::MAX, 1));
        assert!(all.render(&sources).ends_with("error: 1 more messages are not shown\n"));
    }
}
