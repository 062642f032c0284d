//! Options of protocols; they stand directly behind the protocol's name.

use super::lexer::TokenKind;
use super::parser::{Parse, Parser};
use super::source::{Span, Spanned, Text};
use super::statement::{ApacheLimit, Protocol, ProtocolName, ProtocolOption};

/// What to do about a word that cannot be a name or password.
pub(super) const QUOTES: &str = "put it in quotes; reserved words, numbers and special characters cannot stand alone";

/// First words of the options of a protocol.
fn option_words(name: ProtocolName) -> &'static [&'static str] {
    const HTTP: &[&str] = &["username", "password", "request", "method", "status", "checksum", "hostheader", "http"];
    const APACHE: &[&str] = &["path", "username", "password"];
    const LOGIN: &[&str] = &["username", "password"];
    const MYSQL: &[&str] = &["username", "password", "rsakey"];
    const PGSQL: &[&str] = &["username", "password", "database"];
    const WEBSOCKET: &[&str] = &["origin", "request", "host", "version"];
    const RADIUS: &[&str] = &["secret"];
    const SIP: &[&str] = &["target", "maxforward"];
    match name {
        ProtocolName::Http | ProtocolName::Https => HTTP,
        ProtocolName::ApacheStatus => APACHE,
        ProtocolName::Smtp | ProtocolName::Smtps | ProtocolName::Mqtt => LOGIN,
        ProtocolName::Mysql | ProtocolName::Mysqls => MYSQL,
        ProtocolName::Pgsql => PGSQL,
        ProtocolName::Websocket => WEBSOCKET,
        ProtocolName::Radius => RADIUS,
        ProtocolName::Sip => SIP,
        _ => &[],
    }
}

impl Parser<'_> {
    /// The options of the protocol `name`, which was taken at `span`.
    pub(super) fn protocol(&mut self, name: ProtocolName, span: Span) -> Parse<Protocol> {
        let mut options = Vec::new();
        loop {
            let token = self.peek();
            let is_option = option_words(name).iter().any(|word| self.is(token, word));
            let limit = name == ProtocolName::ApacheStatus;
            if let Some(kind) = if limit { self.accept_of(&ApacheLimit::WORDS) } else { None } {
                options.push(self.apache_limit(kind)?);
            } else if is_option {
                self.advance();
                let word = self.lexer.slice(token.span).to_ascii_lowercase();
                options.push(self.protocol_option(&word, name)?);
            } else if limit && options.is_empty() {
                return Err(self.expected_word("a limit such as 'waitlimit'", &["path", "loglimit", "waitlimit"]));
            } else {
                return Ok(Protocol { name, span, options });
            }
        }
    }

    fn protocol_option(&mut self, word: &[u8], name: ProtocolName) -> Parse<ProtocolOption> {
        Ok(match word {
            b"username" => ProtocolOption::Username(self.user_name()?),
            b"password" => ProtocolOption::Password(self.password("a password")?),
            b"request" if name == ProtocolName::Websocket => ProtocolOption::Request(self.path("a path")?),
            b"request" => ProtocolOption::Request(self.string("a path")?),
            b"method" => ProtocolOption::Head(self.expect_of("'get' or 'head'", &[("get", false), ("head", true)])?),
            b"status" => {
                let operator = self.operator()?;
                ProtocolOption::Status { operator, status: self.number("an HTTP status")? }
            }
            b"checksum" => ProtocolOption::Checksum(self.hash()?),
            b"hostheader" => ProtocolOption::HostHeader(self.string("the name of a host")?),
            b"http" => ProtocolOption::Headers(self.http_headers()?),
            b"path" => ProtocolOption::Path(self.path("a path")?),
            b"origin" => ProtocolOption::Origin(self.string("an origin")?),
            b"host" => ProtocolOption::Host(self.string("the name of a host")?),
            b"version" => ProtocolOption::Version(self.number("a version")?),
            b"rsakey" => ProtocolOption::RsaKey(self.key_checksum()?),
            b"database" => ProtocolOption::Database(self.string("the name of a database")?),
            b"secret" => ProtocolOption::Secret(self.password("a secret")?),
            b"target" => ProtocolOption::Target(self.target()?),
            _ => ProtocolOption::MaxForward(self.number("a number of hops")?),
        })
    }

    /// A user name, which may be a mail address.
    pub(super) fn user_name(&mut self) -> Parse<Text> {
        let token = self.peek();
        if token.kind == TokenKind::Mail {
            self.advance();
            return Ok(self.text(token));
        }
        self.string("a user name").map_err(|error| Box::new(error.with_help(QUOTES)))
    }

    fn target(&mut self) -> Parse<Text> {
        let token = self.peek();
        if token.kind == TokenKind::Mail {
            self.advance();
            return Ok(self.text(token));
        }
        self.string("an address")
    }

    fn apache_limit(&mut self, kind: ApacheLimit) -> Parse<ProtocolOption> {
        let operator = self.operator()?;
        let percent = self.number("a percentage")?;
        let token = self.peek();
        if token.kind != TokenKind::Percent && !self.is(token, "percent") {
            return Err(self.expected("'%'"));
        }
        self.advance();
        Ok(ProtocolOption::Limit { kind, operator, percent })
    }

    /// `headers [NAME: VALUE, …]`; `http` was taken.
    fn http_headers(&mut self) -> Parse<Vec<(Text, Text)>> {
        self.expect("headers")?;
        let open = self.lexer.skip_while(self.place(), |byte| byte.is_ascii_whitespace());
        if self.lexer.byte(open) != Some(b'[') {
            return Err(self.expected("'['"));
        }
        self.take(Span { start: open, end: open + 1 });
        let mut headers = Vec::new();
        loop {
            let place = self.lexer.skip_while(self.place(), |byte| byte.is_ascii_whitespace() || byte == b',');
            self.take(Span { start: place, end: place });
            match self.lexer.byte(place) {
                Some(b']') => {
                    self.take(Span { start: place, end: place + 1 });
                    return Ok(headers);
                }
                Some(_) => {}
                None => return Err(self.expected("']'")),
            }
            let name = self.item(b":]")?;
            let colon = self.lexer.skip_while(self.place(), |byte| byte.is_ascii_whitespace());
            if self.lexer.byte(colon) != Some(b':') {
                let at = Span { start: colon, end: colon + 1 };
                return Err(Box::new(self.error(at, "expected ':' behind the name of a header")));
            }
            self.take(Span { start: colon, end: colon + 1 });
            let place = self.lexer.skip_while(self.place(), |byte| byte.is_ascii_whitespace());
            self.take(Span { start: place, end: place });
            headers.push((name, self.item(b"]")?));
        }
    }

    /// A string in quotes, or one that a comma, the end of the line or one of `ends` ends.
    pub(super) fn item(&mut self, ends: &[u8]) -> Parse<Text> {
        let start = self.place();
        if let Some(quote @ (b'"' | b'\'')) = self.lexer.byte(start) {
            let close = self.lexer.skip_while(start + 1, |byte| byte != quote);
            if close >= self.lexer.end(start) {
                let at = Span { start, end: start + 1 };
                return Err(Box::new(self.error(at, "this quote has no partner")));
            }
            self.take(Span { start, end: close + 1 });
            let span = Span { start, end: close + 1 };
            let content = Span { start: start + 1, end: close };
            return Ok(Spanned { value: self.lexer.slice(content).to_vec(), span });
        }
        let end = self.lexer.skip_while(start, |byte| byte != b',' && byte != b'\n' && !ends.contains(&byte));
        let value = self.lexer.slice(Span { start, end }).trim_ascii_end();
        let span = Span { start, end: start + value.len() };
        if value.is_empty() {
            let at = Span { start, end: start + 1 };
            return Err(Box::new(self.error(at, "expected a name or value")));
        }
        self.take(Span { start, end: span.end });
        Ok(Spanned { value: value.to_vec(), span })
    }
}
