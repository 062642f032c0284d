//! Programs with their arguments and options.

use super::diagnostic::Diagnostic;
use super::lexer::{Token, TokenKind, ends_word};
use super::parser::{Parse, Parser};
use super::source::{Span, Spanned, Text};
use super::statement::{Method, Number, Program, ServiceStatement};
use super::words;

/// Most words of a program, the path among them.
pub const WORDS_MAX: usize = 63;

const METHODS: [(&[u8], Method); 3] =
    [(b"start", Method::Start), (b"stop", Method::Stop), (b"restart", Method::Restart)];

impl Parser<'_> {
    /// The method if the next token begins `start [program] [=] "`, all on one line.
    pub(super) fn program_head(&mut self) -> Option<Method> {
        let start = self.peek().span.start;
        self.program_head_at(start)
    }

    /// The same for the token at `start`; no token is read for it.
    pub(super) fn program_head_at(&mut self, start: usize) -> Option<Method> {
        METHODS.iter().find(|(word, _)| self.head_end(start, word).is_some()).map(|(_, method)| *method)
    }

    /// The place of the quote in `WORD [program] [=] "` that begins at `start`.
    fn head_end(&mut self, start: usize, word: &[u8]) -> Option<usize> {
        let place = self.literal(start, word)?;
        let place = self.lexer.skip_blanks(place);
        let place = self.literal(place, b"program").unwrap_or(place);
        let place = self.lexer.skip_blanks(place);
        let place = self.literal(place, b"=").unwrap_or(place);
        let place = self.lexer.skip_blanks(place);
        (self.lexer.byte(place) == Some(b'"')).then_some(place)
    }

    /// The place behind `word` if it stands at `start`.
    fn literal(&self, start: usize, word: &[u8]) -> Option<usize> {
        let end = start + word.len();
        self.lexer.slice(Span { start, end }).eq_ignore_ascii_case(word).then_some(end)
    }

    /// `start program …` and its like.
    pub(super) fn service_program(&mut self, method: Method) -> Parse<ServiceStatement> {
        let token = self.peek();
        let quote = METHODS
            .iter()
            .filter(|(_, known)| *known == method)
            .find_map(|(word, _)| self.head_end(token.span.start, word));
        let words = match quote {
            Some(quote) => self.quoted_words(token.span.start, quote)?,
            None => {
                self.advance();
                self.misspelt_program()?;
                self.unquoted_words()?
            }
        };
        let (uid, gid) = self.ids()?;
        let timeout = self.timeout()?;
        Ok(ServiceStatement::Program { method, program: Program { words, uid, gid, timeout } })
    }

    /// Fails when the next word is `program` with a mistake in it, and the program stands behind it.
    fn misspelt_program(&mut self) -> Parse<()> {
        let (token, next) = (self.peek(), self.peek_second());
        let near = words::nearest(self.lexer.slice(token.span), &["program"]).is_some();
        let program = next.kind == TokenKind::Operator || next.kind == TokenKind::Quoted || self.is_path(next);
        if token.kind != TokenKind::Word || !near || !program {
            return Ok(());
        }
        let error = self.error(token.span, "expected a program, in quotes or by its path");
        Err(Box::new(error.with_help("did you mean 'program'?")))
    }

    /// The program behind `exec` or `path`, which was not taken yet; without timeout.
    pub(super) fn exec_program(&mut self) -> Parse<Program> {
        let exec = self.advance();
        let quote = self.lexer.skip_blanks(exec.span.end);
        let words = if self.lexer.byte(quote) == Some(b'"') {
            self.quoted_words(exec.span.start, quote)?
        } else {
            self.unquoted_words()?
        };
        let (uid, gid) = self.ids()?;
        Ok(Program { words, uid, gid, timeout: None })
    }

    /// Takes `exec "…"` or `path "…"`, in which single quotes may hold double ones, if one begins at `token`.
    pub(super) fn skip_program(&mut self, token: Token) -> bool {
        let quote = self.lexer.skip_blanks(token.span.end);
        self.lexer.byte(quote) == Some(b'"') && self.quoted_words(token.span.start, quote).is_ok()
    }

    /// `timeout N seconds`
    pub(super) fn timeout(&mut self) -> Parse<Option<Number>> {
        if self.accept("timeout") { self.seconds("a timeout in seconds").map(Some) } else { Ok(None) }
    }

    /// `uid X` and `gid X` in any order; of two, the last counts.
    fn ids(&mut self) -> Parse<(Option<Text>, Option<Text>)> {
        let (mut uid, mut gid) = (None, None);
        loop {
            if self.accept("uid") {
                uid = Some(self.id("a user name or number")?);
            } else if self.accept("gid") {
                gid = Some(self.id("a group name or number")?);
            } else {
                return Ok((uid, gid));
            }
        }
    }

    pub(super) fn id(&mut self, what: &str) -> Parse<Text> {
        let token = self.peek();
        if token.kind == TokenKind::Number {
            self.advance();
            return Ok(self.text(token));
        }
        self.string(what)
    }

    /// `N seconds`
    pub(super) fn seconds(&mut self, what: &str) -> Parse<Number> {
        let number = self.number(what)?;
        let units = [("seconds", ()), ("second", ()), ("s", ())];
        if self.accept_of(&units).is_some() {
            return Ok(number);
        }
        let error = self.expected("'seconds'");
        let longer = [
            ("minutes", 60),
            ("minute", 60),
            ("m", 60),
            ("hours", 3600),
            ("hour", 3600),
            ("h", 3600),
            ("days", 86_400),
            ("day", 86_400),
        ];
        let next = self.peek();
        let factor = longer.iter().find(|(word, _)| self.is(next, word)).map_or(1, |(_, factor)| *factor);
        let seconds = number.value.saturating_mul(factor);
        Err(Box::new(error.with_help(format!("the only unit here is seconds: '{seconds} seconds'"))))
    }

    /// The words of the list that begins with the double quote at `quote`, and the strings and paths behind it. `'…'` holds
    /// white space and double quotes together when white space or the end of the list follows.
    fn quoted_words(&mut self, start: usize, quote: usize) -> Parse<Vec<Text>> {
        let mut words = Vec::new();
        let mut place = quote + 1;
        loop {
            place = self.lexer.skip_while(place, |byte| byte.is_ascii_whitespace());
            match self.lexer.byte(place) {
                Some(b'"') => break,
                Some(_) => {}
                None => {
                    let at = Span { start: quote, end: quote + 1 };
                    self.take(Span { start, end: quote + 1 });
                    return Err(Box::new(self.error(at, "this quote has no partner")));
                }
            }
            let end = self.lexer.skip_while(place, |byte| !byte.is_ascii_whitespace() && byte != b'"');
            let plain = Span { start: place, end };
            let (value, span) = match self.single_quoted(plain) {
                Some(span) => (Span { start: span.start + 1, end: span.end - 1 }, span),
                None => (plain, plain),
            };
            words.push(Spanned { value: self.lexer.slice(value).to_vec(), span });
            place = span.end;
        }
        self.take(Span { start, end: place + 1 });
        if words.is_empty() {
            let span = Span { start: quote, end: place + 1 };
            return Err(Box::new(self.error(span, "expected a program between the quotes")));
        }
        self.more_words(words, true)
    }

    /// The range of `'…'` that begins where the unquoted word `plain` does, unless that is longer.
    fn single_quoted(&mut self, plain: Span) -> Option<Span> {
        if self.lexer.byte(plain.start) != Some(b'\'') {
            return None;
        }
        let close = self.lexer.skip_while(plain.start + 1, |byte| byte != b'\'');
        let span = Span { start: plain.start, end: close + 1 };
        if close >= self.lexer.end(plain.start) || span.end < plain.end {
            return None;
        }
        if self.lexer.slice(span).contains(&b'\n') {
            let open = Span { start: span.start, end: span.start + 1 };
            self.warn(open, "the argument in single quotes that begins here goes on over the end of the line");
        }
        Some(span)
    }

    /// A program and the strings and paths that follow.
    fn unquoted_words(&mut self) -> Parse<Vec<Text>> {
        let first = self.string("a program")?;
        self.more_words(vec![first], false)
    }

    /// Strings and paths that follow; noise words vanish among them. `closed`: behind a list in double quotes.
    fn more_words(&mut self, mut words: Vec<Text>, closed: bool) -> Parse<Vec<Text>> {
        loop {
            let token = self.peek();
            let is_word = match token.kind {
                TokenKind::Path | TokenKind::Quoted => true,
                TokenKind::Word => !self.is_reserved(token) && !self.starts_statement(token),
                _ => false,
            };
            if !is_word {
                return self.counted(words);
            }
            self.warn_noise(token);
            if token.kind == TokenKind::Word && (closed || self.is_first_on_line(token)) {
                self.warn_misspelt(token);
            }
            self.advance();
            words.push(self.text(token));
        }
    }

    /// A word that is almost one of the language becomes an argument, which is hardly what was meant.
    fn warn_misspelt(&mut self, token: Token) {
        let meant: Vec<&'static str> =
            words::SERVICE_STATEMENTS.iter().chain(&["else", "repeat", "timeout"]).copied().collect();
        let word = self.lexer.slice(token.span);
        let Some(near) = words::nearest(word, &meant) else { return };
        let message = format!("'{}' becomes an argument of this command", String::from_utf8_lossy(word));
        let warning = Diagnostic::warning(self.location(token.span), message);
        self.report(warning.with_help(format!("did you mean '{near}'?")));
    }

    /// A noise word in front of a word of the command is gone, which is hardly what was meant.
    fn warn_noise(&mut self, token: Token) {
        let start = self.lexer.skip_space(self.place());
        if start >= token.span.start || !self.lexer.is_one_text(start, token.span.start) {
            return;
        }
        let end = self.lexer.skip_while(start, |byte| !ends_word(byte));
        let span = Span { start, end };
        let word = String::from_utf8_lossy(self.lexer.slice(span)).into_owned();
        let message = format!("'{word}' means nothing outside of quotes and is left out of this command");
        let warning = Diagnostic::warning(self.location(span), message);
        self.report(warning.with_help("put the whole command in double quotes"));
    }

    fn counted(&self, words: Vec<Text>) -> Parse<Vec<Text>> {
        match words.get(WORDS_MAX) {
            None => Ok(words),
            Some(first) => {
                let message = format!("more than {WORDS_MAX} words in a program, this is the first too many");
                Err(Box::<Diagnostic>::new(self.error(first.span, message)))
            }
        }
    }
}
