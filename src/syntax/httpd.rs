//! `set httpd`.

use super::lexer::TokenKind;
use super::parser::{Parse, Parser};
use super::source::{Span, Text};
use super::statement::{HttpdOption, Set, Unsupported};
use super::words;

impl Parser<'_> {
    /// `httpd` and its options, which end where a word comes that is none.
    pub(super) fn set_httpd(&mut self) -> Parse<Set> {
        self.advance();
        let mut options = Vec::new();
        loop {
            let token = self.peek();
            let word = self.lexer.slice(token.span).to_ascii_lowercase();
            if token.kind != TokenKind::Word {
                return Ok(Set::Httpd(options));
            }
            let option = match word.as_slice() {
                b"port" => self.httpd_port()?,
                b"address" => {
                    self.advance();
                    HttpdOption::Address(self.address("an address or host name")?)
                }
                b"signature" => {
                    self.advance();
                    HttpdOption::Signature(self.enabled()?)
                }
                b"enable" | b"disable" => {
                    let enabled = self.enabled()?;
                    self.expect("signature")?;
                    HttpdOption::Signature(enabled)
                }
                b"allow" => self.httpd_allow()?,
                _ if words::is_one_of(&word, words::UNBUILT_HTTPD) => {
                    self.advance();
                    let words = format!("set httpd {}", String::from_utf8_lossy(&word));
                    HttpdOption::Unsupported(self.httpd_unsupported(token.span, words))
                }
                _ => return Ok(Set::Httpd(options)),
            };
            options.push(option);
        }
    }

    /// Skips the values of an option that is known by name only.
    fn httpd_unsupported(&mut self, span: Span, words: String) -> Unsupported {
        loop {
            let token = self.peek();
            let word = self.lexer.slice(token.span);
            let is_option = words::is_one_of(word, words::BUILT_HTTPD) || words::is_one_of(word, words::UNBUILT_HTTPD);
            // `ssl enable` and `verify: enable` are values, `enable signature` is an option.
            let is_value = words::is_one_of(word, &["enable", "disable"]) && {
                let second = self.peek_second();
                !self.is(second, "signature")
            };
            match token.kind {
                TokenKind::End => break,
                TokenKind::Open => {
                    self.skip_braces(false);
                    continue;
                }
                TokenKind::Word if is_option && !is_value => break,
                TokenKind::Word if self.starts_statement(token) => break,
                _ => {}
            }
            self.advance();
        }
        Unsupported { words, span, in_service: false }
    }

    fn httpd_port(&mut self) -> Parse<HttpdOption> {
        self.advance();
        let port = self.number("a port number")?;
        Ok(HttpdOption::Port { port, read_only: self.read_only() })
    }

    fn read_only(&mut self) -> bool {
        self.accept("read-only") || self.accept("readonly")
    }

    fn enabled(&mut self) -> Parse<bool> {
        self.expect_of("'enable' or 'disable'", &[("enable", true), ("disable", false)])
    }

    /// A name, an IPv4 or an IPv6 address.
    pub(super) fn address(&mut self, what: &str) -> Parse<Text> {
        let token = self.peek();
        if token.kind == TokenKind::Ipv6 {
            self.advance();
            return Ok(self.text(token));
        }
        self.string(what)
    }

    fn httpd_allow(&mut self) -> Parse<HttpdOption> {
        let allow = self.advance();
        let token = self.peek();
        let file = token.kind == TokenKind::Word
            && words::is_one_of(self.lexer.slice(token.span), &["cleartext", "crypt", "md5"]);
        if file || self.is_path(token) {
            self.advance();
            let span = allow.span.to(token.span);
            return Ok(HttpdOption::Unsupported(self.httpd_unsupported(span, "set httpd allow FILE".to_owned())));
        }
        if token.kind == TokenKind::At {
            self.advance();
            let span = allow.span.to(token.span);
            return Ok(HttpdOption::Unsupported(self.httpd_unsupported(span, "set httpd allow @GROUP".to_owned())));
        }
        let name = self.address("a host, a network or USER:PASSWORD")?;
        if self.peek().kind != TokenKind::Colon {
            return Ok(HttpdOption::AllowHost(name));
        }
        self.advance();
        let password = self.password()?;
        Ok(HttpdOption::AllowUser { user: name, password, read_only: self.read_only() })
    }

    /// A password; what it was is never repeated in a message.
    fn password(&mut self) -> Parse<Text> {
        let token = self.peek();
        let plain = match token.kind {
            TokenKind::Quoted => true,
            TokenKind::Word => !self.is_reserved(token),
            _ => false,
        };
        // A run goes on over characters that end an unquoted string, such as `pass@word`.
        let end = self.lexer.skip_while(token.span.end, |byte| byte > b' ' && !b";,()".contains(&byte));
        let cut = token.kind != TokenKind::Quoted && end > token.span.end;
        if plain && !cut {
            self.advance();
            return Ok(self.text(token));
        }
        let span = Span { start: token.span.start, end: end.min(self.lexer.len()) };
        if matches!(token.kind, TokenKind::End | TokenKind::Unbalanced | TokenKind::TooLong) {
            return Err(self.expected("a password"));
        }
        self.take(span);
        let help = "put it in quotes; reserved words, numbers and special characters cannot stand alone";
        Err(Box::new(self.error(span, "this cannot be a password as it stands").with_help(help)))
    }
}
