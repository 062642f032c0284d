//! `check` statements.

use super::lexer::{TokenKind, ends_word};
use super::parser::{Parse, Parser};
use super::source::{Span, Text};
use super::statement::{Check, StatementKind, Target, Using};
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
            _ => return self.process(start.to(word), name),
        };
        Ok(StatementKind::Check(Check { head: start.to(word), name, target, using: None }))
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
        self.process(start, name)
    }

    /// The rest of `check process NAME`.
    fn process(&mut self, head: Span, name: Text) -> Parse<StatementKind> {
        let (mut path, mut pattern) = (None, None);
        if self.accept("matching") {
            pattern = Some(self.string("a pattern")?);
        } else if self.accept("pidfile") || self.accept("path") {
            path = Some(self.path("the path of a pidfile")?);
            if self.accept("matching") {
                pattern = Some(self.string("a pattern")?);
            }
        }
        let (mut user, mut jail, mut using) = (None, None, None);
        loop {
            if user.is_none() && self.accept_behind("as", "user") {
                user = Some(self.id("a user name or number")?);
            } else if jail.is_none() && self.accept_behind("in", "jail") {
                jail = Some(self.name("'host', or the name or number of a jail")?);
            } else if using.is_none() && self.accept_behind("using", "service") {
                let name = self.name("a name that service(8) knows")?;
                using = Some(Using { name, timeout: self.timeout()? });
            } else {
                break;
            }
        }
        let target = match (path, pattern) {
            (Some(path), pattern) => Target::Pidfile { path, pattern, user, jail },
            (None, Some(pattern)) => Target::Matching { pattern, user, jail },
            (None, None) => return Err(self.expected_word("'pidfile' or 'matching'", &["pidfile", "matching"])),
        };
        Ok(StatementKind::Check(Check { head, name, target, using }))
    }

    /// Takes `word` if `noise` stands in front of it, which is none there: a statement that begins with such a word is a
    /// mistake to the original.
    fn accept_behind(&mut self, noise: &str, word: &str) -> bool {
        let skipped = Span { start: self.last().end, end: self.peek().span.start };
        let line = self.lexer.slice(skipped).rsplit(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
        let mut words = line.unwrap_or_default().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let is_behind = words.next_back().is_some_and(|word| word.eq_ignore_ascii_case(noise.as_bytes()));
        let is_comment = line.is_some_and(|line| line.contains(&b'#'));
        is_behind && !is_comment && self.accept(word)
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
