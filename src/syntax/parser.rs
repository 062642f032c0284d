//! The parser: pulls tokens and builds statements; one mistake gives one message, then it goes on at the next statement.

use super::diagnostic::{Diagnostic, Diagnostics};
use super::lexer::{Lexer, Token, TokenKind, ends_word, unescape};
use super::source::{Location, SourceId, Sources, Span, Spanned, Text};
use super::statement::{Number, Statement, StatementKind};
use super::words;

/// The result of a step; an error was not reported yet.
pub(super) type Parse<T> = Result<T, Box<Diagnostic>>;

/// A parsed file.
#[derive(Debug)]
pub struct Parsed {
    /// Statements in the order of the file.
    pub statements: Vec<Statement>,
    /// The mistakes.
    pub diagnostics: Diagnostics,
    /// Bytes the lexer looked at, to see that the work is linear.
    pub steps: u64,
}

/// What is asked for the files that an `include` means.
pub trait Files {
    /// Adds the files of `pattern`, which stands at `place`, to the sources, in the order in which they take effect. What is
    /// wrong with them goes to `diagnostics`.
    fn include(
        &mut self,
        sources: &Sources,
        pattern: &[u8],
        place: Location,
        diagnostics: &mut Diagnostics,
    ) -> Vec<SourceId>;
}

/// Parses a file with all that it includes: a statement may begin in one file and end in another. Statements of services
/// stand alone.
pub fn parse(sources: &Sources, source: SourceId, files: &mut dyn Files) -> Parsed {
    let (text, base) = sources.get(source).map_or((&[] as &[u8], 0), |source| (source.text(), source.base()));
    let mut parser = Parser {
        lexer: Lexer::new(text, base),
        sources,
        files,
        place: base,
        last: Span { start: base, end: base },
        peeked: None,
        long_string: None,
        recovering: false,
        diagnostics: Diagnostics::default(),
    };
    let mut statements = Vec::new();
    while parser.peek().kind != TokenKind::End {
        let (start, place) = (parser.peek().span, parser.place);
        match parser.statement() {
            Ok(kind) => statements.push(Statement { span: start.to(parser.last), kind }),
            Err(diagnostic) => {
                let service = !stands_alone(parser.lexer.slice(start));
                parser.diagnostics.push(*diagnostic);
                if parser.place == place {
                    parser.advance();
                }
                parser.recovering = !parser.diagnostics.is_full();
                parser.skip_statement();
                parser.recovering = false;
                statements.push(Statement { span: start.to(parser.last), kind: StatementKind::Mistake { service } });
            }
        }
    }
    Parsed { statements, diagnostics: parser.diagnostics, steps: parser.lexer.steps() }
}

/// What the files of the statement families share.
pub(super) struct Parser<'a> {
    pub(super) lexer: Lexer<'a>,
    sources: &'a Sources,
    files: &'a mut dyn Files,
    /// Where the next token is looked for.
    place: usize,
    /// The token that was taken last.
    last: Span,
    peeked: Option<Token>,
    /// A string over several lines that was taken last: perhaps a quote is missing.
    long_string: Option<Span>,
    /// Behind a mistake the first word of a line begins a statement if it is one's, misspelt or followed by what cannot
    /// follow.
    recovering: bool,
    diagnostics: Diagnostics,
}

impl<'a> Parser<'a> {
    fn statement(&mut self) -> Parse<StatementKind> {
        let token = self.peek();
        let word = self.lexer.slice(token.span).to_ascii_lowercase();
        if token.kind == TokenKind::Word {
            if let Some(method) = self.program_head() {
                return self.service_program(method).map(StatementKind::Service);
            }
            match word.as_slice() {
                b"set" => return self.set(),
                b"check" => return self.check(),
                _ if words::is_one_of(&word, words::SERVICE_STATEMENTS) => return self.service_statement(),
                _ => {}
            }
        }
        Err(self.expected_word("a statement", &statement_words()))
    }

    /// The next token at or behind a place. Files that are included there are read.
    fn token(&mut self, place: usize) -> Token {
        let mut token = self.lexer.token(place);
        while self.is(token, "include") {
            self.include(token);
            token = self.lexer.token(token.span.start);
        }
        token
    }

    /// Opens the files of an `include`.
    fn include(&mut self, include: Token) {
        let start = self.lexer.skip_while(include.span.end, |byte| byte.is_ascii_whitespace());
        let first = self.lexer.token(start);
        let pattern = match self.lexer.byte(start) {
            Some(b'"' | b'\'') => first,
            _ => {
                let end = self.lexer.skip_while(start, |byte| byte > b' ' && !b";\"'".contains(&byte));
                Token { kind: TokenKind::Path, span: Span { start, end } }
            }
        };
        let forgotten = !self.is_on_line_of(include, first) && self.starts_statement(first);
        let mistake = if pattern.kind == TokenKind::Unbalanced {
            Some((Span { start, end: start + 1 }, "this quote has no partner".to_owned(), pattern.span.end))
        } else if forgotten || pattern.span.start == pattern.span.end {
            let end = include.span.end;
            let is_end = first.kind == TokenKind::End;
            let found = ", found the end of the file";
            let message = ["expected a path or glob pattern", if is_end { found } else { "" }].concat();
            Some((Span { start: end, end }, message, end))
        } else {
            None
        };
        if let Some((span, message, end)) = mistake {
            self.report(self.error(span, message));
            self.lexer.include(include.span.start, end, &[]);
            return;
        }
        let (text, place) = (self.text(pattern), self.location(pattern.span));
        let opened = self.files.include(self.sources, &text.value, place, &mut self.diagnostics);
        let opened = opened.iter().filter_map(|id| self.sources.get(*id));
        let texts: Vec<(&[u8], usize)> = opened.map(|source| (source.text(), source.base())).collect();
        self.lexer.include(include.span.start, pattern.span.end, &texts);
    }

    /// Reports something that may surprise.
    pub(super) fn warn(&mut self, span: Span, message: &str) {
        self.diagnostics.push(Diagnostic::warning(self.location(span), message));
    }

    /// Reports a message.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The next token, not taken.
    pub(super) fn peek(&mut self) -> Token {
        match self.peeked {
            Some(token) => token,
            None => {
                let token = self.token(self.place);
                self.peeked = Some(token);
                token
            }
        }
    }

    /// The token behind the next one, not taken.
    pub(super) fn peek_second(&mut self) -> Token {
        let end = self.peek().span.end;
        self.token(end)
    }

    /// Takes the next token.
    pub(super) fn advance(&mut self) -> Token {
        let token = self.peek();
        self.take(token.span);
        token
    }

    /// Goes on behind `span`, which becomes the token taken last.
    pub(super) fn take(&mut self, span: Span) {
        self.peeked = None;
        self.place = span.end;
        self.last = span;
        let lines = self.lexer.slice(span).contains(&b'\n');
        self.long_string = lines.then_some(span);
    }

    /// The token that was taken last.
    pub(super) fn last(&self) -> Span {
        self.last
    }

    /// Where the next token is looked for.
    pub(super) fn place(&self) -> usize {
        self.place
    }

    /// Whether `token` is the unquoted word `word`.
    pub(super) fn is(&self, token: Token, word: &str) -> bool {
        token.kind == TokenKind::Word && self.lexer.slice(token.span).eq_ignore_ascii_case(word.as_bytes())
    }

    /// Whether `token` is a word that must be quoted to stand for itself.
    pub(super) fn is_reserved(&self, token: Token) -> bool {
        token.kind == TokenKind::Word && words::is_reserved(self.lexer.slice(token.span))
    }

    /// Takes the next token if it is the unquoted word `word`.
    pub(super) fn accept(&mut self, word: &str) -> bool {
        let token = self.peek();
        let found = self.is(token, word);
        if found {
            self.advance();
        }
        found
    }

    /// Takes the next token if it is in the table, and returns what stands beside it.
    pub(super) fn accept_of<T: Copy>(&mut self, table: &[(&str, T)]) -> Option<T> {
        let token = self.peek();
        let (_, value) = table.iter().find(|(word, _)| self.is(token, word))?;
        self.advance();
        Some(*value)
    }

    /// Takes a word of the table or fails.
    pub(super) fn expect_of<T: Copy>(&mut self, what: &str, table: &[(&'static str, T)]) -> Parse<T> {
        match self.accept_of(table) {
            Some(value) => Ok(value),
            None => {
                let known: Vec<&'static str> = table.iter().map(|(word, _)| *word).collect();
                Err(self.expected_word(what, &known))
            }
        }
    }

    /// Takes a token of that kind or fails.
    pub(super) fn expect_kind(&mut self, kind: TokenKind, what: &str) -> Parse<Token> {
        if self.peek().kind == kind { Ok(self.advance()) } else { Err(self.expected(what)) }
    }

    /// Takes the word or fails.
    pub(super) fn expect(&mut self, word: &'static str) -> Parse<()> {
        if self.accept(word) {
            return Ok(());
        }
        let mut error = self.expected_word(&format!("'{word}'"), &[word]);
        let skipped = Span { start: self.last.end, end: self.peek().span.start };
        if word == "then" && self.lexer.slice(skipped).trim_ascii().eq_ignore_ascii_case(b"than") {
            error.help = Some("'than' means nothing, write 'then'".to_owned());
        }
        Err(error)
    }

    /// Takes a whole number or fails.
    pub(super) fn number(&mut self, what: &str) -> Parse<Number> {
        if self.peek().kind != TokenKind::Number {
            return Err(self.expected_number(what));
        }
        let token = self.advance();
        let digits = std::str::from_utf8(self.lexer.slice(token.span)).unwrap_or_default();
        match digits.parse() {
            Ok(value) => Ok(Spanned { value, span: token.span }),
            Err(_) => Err(Box::new(
                self.error(token.span, format!("the number is too large, at most {} can be read", u64::MAX)),
            )),
        }
    }

    /// Takes a string, quoted or not; reserved words and numbers must be quoted.
    pub(super) fn string(&mut self, what: &str) -> Parse<Text> {
        let token = self.peek();
        match token.kind {
            TokenKind::Word if !self.is_reserved(token) && !self.starts_statement(token) => {}
            TokenKind::Quoted | TokenKind::Path => {}
            _ => return Err(self.expected(what)),
        }
        self.advance();
        self.warn_typographic(token.span);
        Ok(self.text(token))
    }

    /// Warns when a word that was taken seems to have been meant to stand in quotes.
    pub(super) fn warn_typographic(&mut self, span: Span) {
        if is_typographic(self.lexer.slice(span)) {
            self.warn(span, TYPOGRAPHIC);
        }
    }

    /// Takes a path, quoted or not, or fails.
    pub(super) fn path(&mut self, what: &str) -> Parse<Text> {
        let token = self.peek();
        if !self.is_path(token) {
            let mut diagnostic = self.expected(what);
            if matches!(token.kind, TokenKind::Word | TokenKind::Quoted) && diagnostic.help.is_none() {
                diagnostic.help = Some("a path begins with '/'".to_owned());
            }
            return Err(diagnostic);
        }
        self.advance();
        Ok(self.text(token))
    }

    /// Whether `token` is a path, quoted or not.
    pub(super) fn is_path(&self, token: Token) -> bool {
        match token.kind {
            TokenKind::Path => true,
            TokenKind::Quoted => {
                self.lexer.byte(token.span.start + 1) == Some(b'/') && !self.lexer.slice(token.span).contains(&b'\n')
            }
            _ => false,
        }
    }

    /// The value of a token that was taken: quotes and escapes are taken off.
    pub(super) fn text(&self, token: Token) -> Text {
        let bytes = self.lexer.slice(token.span);
        let value = match (token.kind, bytes) {
            (TokenKind::Quoted, [_, content @ .., _]) => unescape(content),
            _ => bytes.to_vec(),
        };
        Spanned { value, span: token.span }
    }

    /// Takes a name: no word is reserved here, and separators end it.
    pub(super) fn name(&mut self, what: &str) -> Parse<Text> {
        let start = self.lexer.skip_while(self.place, |byte| byte.is_ascii_whitespace());
        self.peeked = None;
        self.place = start;
        if let Some(quote @ (b'"' | b'\'')) = self.lexer.byte(start) {
            let token = self.lexer.token(start);
            if token.kind != TokenKind::Quoted {
                return Err(self.expected(what));
            }
            let content = Span { start: start + 1, end: token.span.end - 1 };
            let value = self.lexer.slice(content);
            if value.is_empty() {
                return Err(Box::new(self.error(token.span, format!("{what} must not be empty"))));
            }
            if value.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
                let message = format!("{what} must not contain control characters");
                let help = format!("is a {} missing?", char::from(quote));
                return Err(Box::new(self.error(token.span, message).with_help(help)));
            }
            self.take(token.span);
            return Ok(Spanned { value: value.to_vec(), span: token.span });
        }
        let end = self.lexer.skip_while(start, |byte| !ends_word(byte));
        if end == start {
            return Err(self.expected(what));
        }
        let span = Span { start, end };
        self.take(span);
        self.warn_typographic(span);
        Ok(Spanned { value: self.lexer.slice(span).to_vec(), span })
    }

    /// A place in this source.
    pub(super) fn location(&self, span: Span) -> Location {
        self.sources.locate(span)
    }

    /// An error at a place of this source.
    pub(super) fn error(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.location(span), message)
    }

    /// Something else than `what` is the next token.
    pub(super) fn expected(&mut self, what: &str) -> Box<Diagnostic> {
        let token = self.peek();
        let text = self.lexer.slice(token.span);
        let shown = String::from_utf8_lossy(text.get(..64).unwrap_or(text)).into_owned();
        let diagnostic = match token.kind {
            _ if token.kind == TokenKind::End || self.is_file_left(token) => {
                let at = Span { start: self.last.end, end: self.last.end };
                self.error(at, format!("expected {what}, found the end of the file"))
            }
            TokenKind::Unbalanced => {
                self.error(Span { start: token.span.start, end: token.span.start + 1 }, "this quote has no partner")
            }
            TokenKind::TooLong => {
                self.error(token.span, format!("this is longer than {} bytes", super::lexer::TOKEN_MAX))
            }
            TokenKind::Word if self.begins_line_of_statement(token) => {
                self.error(Span { start: self.last.end, end: self.last.end }, format!("expected {what}"))
            }
            TokenKind::Word if words::is_reserved(text) => {
                let help = format!("to use a reserved word as a string, put it in quotes: \"{shown}\"");
                let found = self.error(token.span, format!("expected {what}, found the reserved word '{shown}'"));
                if what.starts_with('\'') { found } else { found.with_help(help) }
            }
            TokenKind::Word if is_typographic(text) => {
                self.error(token.span, format!("expected {what}")).with_help(TYPOGRAPHIC)
            }
            TokenKind::Word if number_with_unit(text).is_some() => {
                let help =
                    number_with_unit(text).map(|(number, unit)| format!("separate number and unit: '{number} {unit}'"));
                Diagnostic { help, ..self.error(token.span, format!("expected {what}")) }
            }
            TokenKind::Word if matches!(text, b"=>" | b"=<" | b"<>") => {
                let sign = [(b"=>", ">="), (b"=<", "<=")].iter().find(|(written, _)| text == *written);
                let help = format!("write '{}'", sign.map_or("!=", |(_, sign)| sign));
                self.error(token.span, format!("expected {what}")).with_help(help)
            }
            TokenKind::Word if text.iter().any(|byte| b"<>=".contains(byte)) => {
                let help = "separate words, operators, numbers and units by blanks, such as 'mem > 50 MB'";
                self.error(token.span, format!("expected {what}")).with_help(help)
            }
            TokenKind::Operator => {
                let next = self.lexer.token(token.span.end);
                let found = self.error(token.span, format!("expected {what}, found an operator"));
                if is_typographic(self.lexer.slice(next.span)) {
                    self.error(next.span, format!("expected {what}")).with_help(TYPOGRAPHIC)
                } else if what.starts_with('\'') {
                    found
                } else {
                    found.with_help("leave the operator out")
                }
            }
            _ => self.error(token.span, format!("expected {what}")),
        };
        Box::new(match self.long_string {
            Some(span) => {
                let first = Span { end: span.start + 1, ..span };
                diagnostic.with_note(self.location(first), "the string before it begins here, is a quote missing?")
            }
            None => diagnostic,
        })
    }

    /// Something else than a number is the next token. Quotes would make none of a word.
    pub(super) fn expected_number(&mut self, what: &str) -> Box<Diagnostic> {
        let mut diagnostic = self.expected(what);
        let token = self.peek();
        if words::is_reserved(self.lexer.slice(token.span)) {
            diagnostic.help = None;
        }
        diagnostic
    }

    /// Something else than one of the words `known` is the next token.
    pub(super) fn expected_word(&mut self, what: &str, known: &[&'static str]) -> Box<Diagnostic> {
        let mut diagnostic = self.expected(what);
        let token = self.peek();
        if token.kind == TokenKind::Word && !self.diagnostics.is_full() {
            diagnostic.help = match words::nearest(self.lexer.slice(token.span), known) {
                Some(word) => Some(format!("did you mean '{word}'?")),
                None if words::is_reserved(self.lexer.slice(token.span)) => None,
                None => diagnostic.help,
            };
        }
        diagnostic
    }

    /// Whether a line below the token taken last begins with `token`, the first word of a statement.
    fn begins_line_of_statement(&mut self, token: Token) -> bool {
        let last = Token { kind: TokenKind::Word, span: self.last };
        self.last.end < token.span.start && !self.is_on_line_of(last, token) && self.starts_statement(token)
    }

    /// Whether the token taken last was the last one of its file, and `next` stands in another.
    fn is_file_left(&mut self, next: Token) -> bool {
        let end = self.last.end;
        let rest = self.lexer.skip_space(end);
        rest == self.lexer.end(end) && !self.lexer.is_one_text(end, next.span.start)
    }

    /// Takes everything up to where the next statement begins.
    pub(super) fn skip_statement(&mut self) {
        let mut format = false;
        loop {
            let token = self.peek();
            if token.kind == TokenKind::End || self.starts_statement(token) {
                return;
            }
            if token.kind == TokenKind::Open {
                self.skip_braces(format);
                format = false;
                continue;
            }
            let lists = self.is(token, "exec") || self.is(token, "path");
            if lists && self.skip_program(token) {
                continue;
            }
            self.advance();
            if self.is(token, "mail-format") {
                format = true;
            }
            let word = token.kind == TokenKind::Word;
            let next = self.peek();
            // Words that take the next one with them, which then begins no statement.
            let binds = word
                && (self.is(token, "else") && self.is(next, "if") || self.is_repeat(token) && self.is(next, "every"));
            if binds {
                self.advance();
            }
        }
    }

    /// Whether the token is `repeat`, misspelt or not.
    pub(super) fn is_repeat(&self, token: Token) -> bool {
        self.is(token, "repeat") || words::nearest(self.lexer.slice(token.span), &["repeat"]).is_some()
    }

    /// Takes a block in braces. The text of a mail format ends at the first closing brace whatever it holds.
    pub(super) fn skip_braces(&mut self, raw: bool) {
        let open = self.advance();
        if raw {
            let end = self.lexer.skip_while(open.span.end, |byte| byte != b'}');
            let end = (end + 1).min(self.lexer.end(end));
            self.take(Span { start: open.span.start, end });
            return;
        }
        let mut depth = 1_usize;
        while depth > 0 {
            let token = self.peek();
            match token.kind {
                TokenKind::End => return,
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth -= 1,
                TokenKind::Word if self.is(token, "set") || self.is(token, "check") => return,
                _ => {}
            }
            self.advance();
        }
    }

    /// Whether `program` stands behind `token` on its line.
    fn program_follows(&mut self, token: Token) -> bool {
        let start = self.lexer.skip_blanks(token.span.end);
        let end = self.lexer.skip_while(start, |byte| !ends_word(byte));
        words::is_one_of(self.lexer.slice(Span { start, end }), &["program", "programs"])
    }

    pub(super) fn is_first_on_line(&self, token: Token) -> bool {
        let before = (0..token.span.start).rev().map_while(|place| self.lexer.byte(place));
        before.take_while(|byte| *byte != b'\n').all(|byte| byte == b' ' || byte == b'\t')
    }

    /// Whether `next`, which comes behind `token`, is on the same line.
    pub(super) fn is_on_line_of(&self, token: Token, next: Token) -> bool {
        let between = Span { start: token.span.end, end: next.span.start };
        let is_one_text = self.lexer.is_one_text(between.start, between.end);
        next.kind != TokenKind::End && is_one_text && !self.lexer.slice(between).contains(&b'\n')
    }

    /// Whether a statement begins at `token`: its first word, and a second one that can follow.
    pub(super) fn starts_statement(&mut self, token: Token) -> bool {
        if token.kind != TokenKind::Word {
            return false;
        }
        let word = self.lexer.slice(token.span).to_ascii_lowercase();
        match word.as_slice() {
            b"set" | b"check" | b"if" | b"depends" | b"depend" | b"mode" | b"every" | b"onreboot" | b"include" => {
                return true;
            }
            _ => {}
        }
        let may_be_program = [b"start".as_slice(), b"stop", b"restart"].iter().any(|method| word.starts_with(method));
        if !may_be_program && !words::is_one_of(&word, words::SERVICE_STATEMENTS) {
            return self.recovering && self.is_first_on_line(token) && near_statement(&word);
        }
        // `token` need not be the next one: it may stand behind an `include` that is being read.
        if self.program_head_at(token.span.start).is_some() {
            return true;
        }
        let next = self.lexer.token(token.span.end);
        if self.recovering && self.is_first_on_line(token) {
            let goes_on = self.is_on_line_of(token, next) && !self.is(next, "else");
            return goes_on || word == b"group";
        }
        let follows =
            |words: &[&str]| next.kind == TokenKind::Word && words::is_one_of(self.lexer.slice(next.span), words);
        match word.as_slice() {
            b"start" | b"stop" | b"restart" => self.is_path(next) || self.program_follows(token),
            b"alert" | b"noalert" => next.kind == TokenKind::Mail,
            b"group" => matches!(self.lexer.byte(token.span.end), Some(b' ' | b'\t')),
            b"backoff" => next.kind == TokenKind::Number || follows(&["disable"]),
            b"not" => follows(&["every"]),
            b"ignore" => follows(&["content", "match", "not"]),
            _ => false,
        }
    }
}

/// Words that begin statements.
fn statement_words() -> Vec<&'static str> {
    ["set", "check", "include"].iter().chain(words::SERVICE_STATEMENTS).copied().collect()
}

/// Whether a statement that begins with `word`, misspelt or not, ends the service above it.
fn stands_alone(word: &[u8]) -> bool {
    let meant = words::nearest(word, &statement_words()).map_or(word, str::as_bytes);
    meant.eq_ignore_ascii_case(b"check") || meant.eq_ignore_ascii_case(b"set")
}

fn near_statement(word: &[u8]) -> bool {
    words::nearest(word, &statement_words()).is_some()
}

const TYPOGRAPHIC: &str = "typographic quotes are ordinary letters here, use \" or '";

/// Letters that only look like quotes.
pub(super) const TYPOGRAPHIC_QUOTES: [&[u8]; 8] = [
    "\u{201c}".as_bytes(),
    "\u{201d}".as_bytes(),
    "\u{201e}".as_bytes(),
    "\u{2018}".as_bytes(),
    "\u{2019}".as_bytes(),
    "\u{201a}".as_bytes(),
    "\u{ab}".as_bytes(),
    "\u{bb}".as_bytes(),
];

/// Whether the text begins or ends with a quote that only looks like one.
fn is_typographic(text: &[u8]) -> bool {
    TYPOGRAPHIC_QUOTES.iter().any(|quote| text.starts_with(quote) || text.ends_with(quote))
}

/// Splits `30s` into number and unit.
fn number_with_unit(text: &[u8]) -> Option<(String, String)> {
    const LONGEST_UNIT: usize = 12;
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let fits = digits > 0 && !unit.is_empty() && unit.len() <= LONGEST_UNIT && unit.iter().all(u8::is_ascii_alphabetic);
    let text = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
    // A letter for a size is no unit, `m` stands for minutes.
    let unit = match unit {
        [b'k' | b'K'] => "kB".to_owned(),
        [b'M'] => "MB".to_owned(),
        [b'g' | b'G'] => "GB".to_owned(),
        unit => text(unit),
    };
    fits.then(|| (text(number), unit))
}
