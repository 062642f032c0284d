//! `check` statements.

use super::lexer::ends_word;
use super::parser::{Parse, Parser};
use super::source::Span;
use super::statement::{Check, StatementKind, Target};
use super::words;

impl Parser<'_> {
    /// `check TYPE NAME …`; without a type it is a process
    pub(super) fn check(&mut self) -> Parse<StatementKind> {
        let start = self.advance().span;
        let first = self.lexer.skip_space(self.place());
        let word = self.word_at(first);
        let kind = word.to_ascii_lowercase();
        let unbuilt = words::is_one_of(&kind, words::UNBUILT_CHECKS);
        if !unbuilt && kind != b"process" && kind != b"system" {
            let name = self.name("a type, such as 'process'")?;
            let next = self.peek();
            if !["pidfile", "path", "matching"].iter().any(|word| self.is(next, word)) {
                let known: Vec<&'static str> =
                    ["process", "system"].iter().chain(words::UNBUILT_CHECKS).copied().collect();
                let near = words::nearest(&name.value, &known);
                let mut error = self.error(name.span, "expected a type between 'check' and the name");
                error.help = near.map(|word| format!("did you mean '{word}'?"));
                return Err(Box::new(error));
            }
            let target = self.process_target()?;
            return Ok(StatementKind::Check(Check { name, target }));
        }
        let end = first + word.len();
        self.take(Span { start: first, end });
        let name = self.name("a name for the service")?;
        let target = if unbuilt {
            let head = start.to(Span { start: first, end });
            let words = format!("check {}", String::from_utf8_lossy(&kind));
            let mut unsupported = self.unsupported(start, &words, false);
            unsupported.span = head;
            Target::Unsupported(unsupported)
        } else if kind == b"system" {
            Target::System
        } else {
            self.process_target()?
        };
        Ok(StatementKind::Check(Check { name, target }))
    }

    /// The unquoted run at a place.
    fn word_at(&mut self, start: usize) -> Vec<u8> {
        let end = self.lexer.skip_while(start, |byte| !ends_word(byte));
        self.lexer.slice(Span { start, end }).to_vec()
    }

    fn process_target(&mut self) -> Parse<Target> {
        if self.accept("matching") {
            return self.string("a pattern").map(Target::Matching);
        }
        if self.accept("pidfile") || self.accept("path") {
            return self.path("the path of a pidfile").map(Target::Pidfile);
        }
        Err(self.expected_word("'pidfile' or 'matching'", &["pidfile", "matching"]))
    }
}
