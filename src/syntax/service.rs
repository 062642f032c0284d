//! Statements that stand inside a service.

use super::lexer::{Token, TokenKind, ends_word};
use super::parser::{Parse, Parser};
use super::source::{Span, Text};
use super::statement::{Backoff, Content, Method, Mode, ServiceStatement, StatementKind, Time};
use super::words;

impl Parser<'_> {
    /// A statement that begins with one of [`words::SERVICE_STATEMENTS`].
    pub(super) fn service_statement(&mut self) -> Parse<StatementKind> {
        let token = self.peek();
        let word = self.lexer.slice(token.span).to_ascii_lowercase();
        let statement = match word.as_slice() {
            b"start" => self.service_program(Method::Start)?,
            b"stop" => self.service_program(Method::Stop)?,
            b"restart" => self.service_program(Method::Restart)?,
            b"depend" | b"depends" => ServiceStatement::Depends(self.depends()?),
            b"group" => {
                self.advance();
                let name = self.group_name()?;
                self.no_more_names("a 'group' statement has one name; write another 'group' for the next")?;
                ServiceStatement::Group(name)
            }
            b"mode" => {
                const MODES: [(&str, Mode); 3] =
                    [("active", Mode::Active), ("passive", Mode::Passive), ("manual", Mode::Manual)];
                self.advance();
                ServiceStatement::Mode(self.expect_of("'active', 'passive' or 'manual'", &MODES)?)
            }
            b"onreboot" => {
                self.advance();
                ServiceStatement::OnReboot(self.onreboot_word()?)
            }
            b"backoff" => {
                self.advance();
                ServiceStatement::Backoff(self.backoff()?)
            }
            b"every" | b"not" => return self.every(),
            b"ignore" => {
                self.advance();
                ServiceStatement::Ignore(self.ignored()?)
            }
            b"alert" => {
                self.advance();
                ServiceStatement::Alert(Box::new(self.alert()?))
            }
            b"noalert" => {
                self.advance();
                ServiceStatement::NoAlert(self.mail_address()?)
            }
            _ => return self.rule(),
        };
        Ok(StatementKind::Service(statement))
    }

    fn every(&mut self) -> Parse<StatementKind> {
        let not = self.accept("not");
        self.expect("every")?;
        let token = self.peek();
        if not || token.kind == TokenKind::Quoted {
            self.expect_kind(TokenKind::Quoted, "a cron specification in quotes")?;
            let fields = self.text(token);
            return Ok(StatementKind::Service(ServiceStatement::Cron { not, fields }));
        }
        let number = self.number("a number of cycles or a cron specification in quotes")?;
        self.cycles_word()?;
        Ok(StatementKind::Service(ServiceStatement::Every(number)))
    }

    /// What stands behind `backoff`.
    pub(super) fn backoff(&mut self) -> Parse<Option<Backoff>> {
        if self.accept("disable") {
            return Ok(None);
        }
        if self.peek().kind != TokenKind::Number {
            let error = self.expected("a delay or 'disable'");
            return Err(Box::new(error.with_help("such as 'backoff 10 seconds up to 10 minutes'")));
        }
        let first = self.time("a delay")?;
        self.expect("up")?;
        Ok(Some(Backoff { first, longest: self.time("the longest delay")? }))
    }

    /// A number with its unit.
    pub(super) fn time(&mut self, what: &str) -> Parse<Time> {
        const UNITS: [(&str, u64); 11] = [
            ("second", 1),
            ("seconds", 1),
            ("s", 1),
            ("minute", 60),
            ("minutes", 60),
            ("m", 60),
            ("hour", 3600),
            ("hours", 3600),
            ("h", 3600),
            ("day", 86_400),
            ("days", 86_400),
        ];
        let number = self.number(what)?;
        let unit = self.expect_of("'seconds', 'minutes', 'hours' or 'days'", &UNITS)?;
        Ok(Time { number, unit })
    }

    /// What stands behind `ignore`.
    fn ignored(&mut self) -> Parse<Content> {
        let differs = self.accept("not");
        let next = self.peek();
        if !differs && !self.is(next, "match") {
            return self.content();
        }
        self.expect("match")?;
        Ok(Content { is_match: true, differs, pattern: self.pattern()? })
    }

    /// `cycles` or `cycle`
    pub(super) fn cycles_word(&mut self) -> Parse<()> {
        self.expect_of("'cycles'", &[("cycles", ()), ("cycle", ())])
    }

    fn group_name(&mut self) -> Parse<Text> {
        let start = self.lexer.skip_blanks(self.place());
        if self.lexer.byte(start).is_none_or(|byte| byte == b'\n' || byte == b'\r') {
            let word = Span { start: self.place(), end: self.place() };
            return Err(Box::new(self.error(word, "expected a group name on the line of 'group'")));
        }
        let name = self.name("a group name")?;
        if name.value.iter().any(u8::is_ascii_whitespace) {
            return Err(Box::new(self.error(name.span, "a group name cannot have blanks")));
        }
        Ok(name)
    }

    /// Names separated by commas.
    fn depends(&mut self) -> Parse<Vec<Text>> {
        self.advance();
        let start = self.lexer.skip_space(self.place());
        if self.word_is_on(start) {
            self.take(Span { start, end: start + 2 });
        }
        let mut names = Vec::new();
        loop {
            let start = self.lexer.skip_while(self.place(), |byte| byte.is_ascii_whitespace() || b"(,".contains(&byte));
            let behind = Token { kind: TokenKind::Word, span: Span { start: self.last().end, end: self.last().end } };
            self.take(Span { start, end: start });
            let next = self.peek();
            let is_end = next.kind == TokenKind::End && self.lexer.byte(start).is_none();
            if is_end && !names.is_empty() {
                // The original passes over a comma at the end of the file.
                return Ok(names);
            }
            // A word on the same line is a name, whatever it means elsewhere; on the line below a statement may begin.
            let here = Token { kind: TokenKind::Word, span: Span { start, end: start } };
            if !self.is_on_line_of(behind, here) && (is_end || self.starts_statement(next)) {
                return Err(Box::new(self.error(behind.span, "expected the name of a service")));
            }
            names.push(self.name("the name of a service")?);
            let separator = self.lexer.skip_while(self.place(), |byte| byte.is_ascii_whitespace());
            let more = match self.lexer.byte(separator) {
                Some(b',') => true,
                // The original takes a semicolon for a comma; most people end the statement with it.
                Some(b';') => {
                    let next = self.lexer.token(separator);
                    next.kind == TokenKind::Word && !self.starts_statement(next) || next.kind == TokenKind::Quoted
                }
                _ => false,
            };
            if !more {
                self.no_more_names("names are separated by commas")?;
                return Ok(names);
            }
            self.take(Span { start: separator, end: separator + 1 });
        }
    }

    /// Behind names: what goes on in their line must be a statement.
    fn no_more_names(&mut self, help: &str) -> Parse<()> {
        let last = Token { kind: TokenKind::Word, span: self.last() };
        let next = self.peek();
        let is_name = match next.kind {
            TokenKind::Word => !words::is_one_of(self.lexer.slice(next.span), words::SERVICE_STATEMENTS),
            TokenKind::Quoted => true,
            _ => false,
        };
        if !is_name || self.starts_statement(next) || !self.is_on_line_of(last, next) {
            return Ok(());
        }
        Err(Box::new(self.error(next.span, "expected a statement").with_help(help)))
    }

    fn word_is_on(&mut self, start: usize) -> bool {
        let end = self.lexer.skip_while(start, |byte| !ends_word(byte));
        self.lexer.slice(Span { start, end }).eq_ignore_ascii_case(b"on")
    }
}
