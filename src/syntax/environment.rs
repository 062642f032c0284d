//! `set environment`: variables of programs.

use super::parser::{Parse, Parser};
use super::source::{Span, Spanned, Text};
use super::statement::{Set, Variable};

impl Parser<'_> {
    /// `{ NAME = VALUE … }`. No word is noise here, since any may be a name or a value.
    pub(super) fn environment(&mut self) -> Parse<Set> {
        let open = self.sign(b'{')?;
        let mut variables = Vec::new();
        loop {
            let start = self.lexer.skip_space(self.place());
            match self.lexer.byte(start) {
                Some(b'}') => {
                    self.take(Span { start, end: start + 1 });
                    return Ok(Set::Environment(variables));
                }
                Some(_) => {}
                None => return Err(Box::new(self.error(open, "this brace has no partner"))),
            }
            let end = self.lexer.skip_while(start, |byte| byte > b' ' && !b"={}\"',;".contains(&byte));
            let name = self.run(start, end, "the name of a variable or '}'")?;
            self.sign(b'=')?;
            let value = self.variable_value()?;
            variables.push(Variable { name, value });
        }
    }

    fn variable_value(&mut self) -> Parse<Text> {
        let start = self.lexer.skip_space(self.place());
        if let Some(b'"' | b'\'') = self.lexer.byte(start) {
            self.take(Span { start, end: start });
            return self.string("a value");
        }
        let end = self.lexer.skip_while(start, |byte| byte > b' ' && !b"={}\"',;".contains(&byte));
        self.run(start, end, "a value")
    }

    /// The text between two places, unless it is empty.
    fn run(&mut self, start: usize, end: usize, what: &str) -> Parse<Text> {
        if start == end {
            self.take(Span { start, end });
            return Err(self.expected(what));
        }
        let span = Span { start, end };
        self.take(span);
        Ok(Spanned { value: self.lexer.slice(span).to_vec(), span })
    }

    /// Takes one sign.
    fn sign(&mut self, sign: u8) -> Parse<Span> {
        let start = self.lexer.skip_space(self.place());
        if self.lexer.byte(start) != Some(sign) {
            return Err(self.expected(&format!("'{}'", char::from(sign))));
        }
        let span = Span { start, end: start + 1 };
        self.take(span);
        Ok(span)
    }
}
