//! `check` statements.

use super::lexer::{TokenKind, ends_word};
use super::parser::{Parse, Parser};
use super::source::{Span, Text};
use super::statement::{Check, StatementKind, Target};
use super::words;

impl Parser<'_> {
    /// `check TYPE NAME …`; without a type it is a process
    pub(super) fn check(&mut self) -> Parse<StatementKind> {
        let start = self.advance().span;
        let first = self.lexer.skip_space(self.place());
        let end = self.lexer.skip_while(first, |byte| !ends_word(byte));
        let word = Span { start: first, end };
        let kind = self.lexer.slice(word).to_ascii_lowercase();
        if !words::is_one_of(&kind, words::CHECKS) {
            return self.untyped_check(start);
        }
        self.take(word);
        let name = self.name("a name for the service")?;
        let target = match kind.as_slice() {
            b"system" => Target::System,
            b"file" => Target::File(self.check_path()?),
            b"fifo" => Target::Fifo(self.check_path()?),
            b"directory" => Target::Directory(self.check_path()?),
            b"filesystem" | b"device" => {
                self.expect("path")?;
                Target::Filesystem(self.string("a path, a device or a connection string")?)
            }
            b"host" => {
                self.expect("address")?;
                Target::Host(self.address("an address or host name")?)
            }
            b"network" => self.network_target()?,
            b"program" => self.program_target()?,
            _ => self.process_target()?,
        };
        Ok(StatementKind::Check(Check { head: start.to(word), name, target }))
    }

    fn untyped_check(&mut self, start: Span) -> Parse<StatementKind> {
        let name = self.name("a type, such as 'process'")?;
        let next = self.peek();
        if !["pidfile", "path", "matching"].iter().any(|word| self.is(next, word)) {
            let near = words::nearest(&name.value, words::CHECKS);
            let mut error = self.error(name.span, "expected a type between 'check' and the name");
            error.help = near.map(|word| format!("did you mean '{word}'?"));
            return Err(Box::new(error));
        }
        let target = self.process_target()?;
        Ok(StatementKind::Check(Check { head: start, name, target }))
    }

    fn process_target(&mut self) -> Parse<Target> {
        if self.accept("matching") {
            let pattern = self.string("a pattern")?;
            return Ok(Target::Matching { pattern, user: self.user()? });
        }
        if self.accept("pidfile") || self.accept("path") {
            let path = self.path("the path of a pidfile")?;
            let pattern = if self.accept("matching") { Some(self.string("a pattern")?) } else { None };
            return Ok(Target::Pidfile { path, pattern, user: self.user()? });
        }
        Err(self.expected_word("'pidfile' or 'matching'", &["pidfile", "matching"]))
    }

    /// `as user USER`, in which `as` is no noise: a statement that begins with `user` is a mistake to the original.
    fn user(&mut self) -> Parse<Option<Text>> {
        let skipped = Span { start: self.last().end, end: self.peek().span.start };
        let line = self.lexer.slice(skipped).rsplit(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
        let mut words = line.unwrap_or_default().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let is_as = words.next_back().is_some_and(|word| word.eq_ignore_ascii_case(b"as"));
        let is_comment = line.is_some_and(|line| line.contains(&b'#'));
        if is_as && !is_comment && self.accept("user") {
            return self.id("a user name or number").map(Some);
        }
        Ok(None)
    }

    fn check_path(&mut self) -> Parse<Text> {
        self.expect("path")?;
        self.path("an absolute path")
    }

    fn network_target(&mut self) -> Parse<Target> {
        if self.accept("interface") {
            return self.string("the name of an interface").map(Target::Interface);
        }
        if self.accept("address") {
            return self.address("an address").map(Target::InterfaceAddress);
        }
        Err(self.expected_word("'interface' or 'address'", &["interface", "address"]))
    }

    fn program_target(&mut self) -> Parse<Target> {
        let token = self.peek();
        if token.kind != TokenKind::Word || !self.is(token, "path") {
            return Err(self.expected_word("'path'", &["path"]));
        }
        let mut program = self.exec_program()?;
        program.timeout = self.timeout()?;
        Ok(Target::Program(program))
    }
}
