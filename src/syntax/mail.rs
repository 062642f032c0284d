//! Statements about who is told what: alerts, mail, collectors.

use super::lexer::{Token, TokenKind};
use super::parser::{Parse, Parser};
use super::source::{Span, Spanned, Text};
use super::statement::{
    Alert, Collector, EventFilter, EventQueue, MailAddress, MailFormat, MailServer, MailServers, TlsUse,
};
use crate::base::event::{DISPLAY_ORDER, EventKind};

/// Words of events that have two.
const MORE_EVENTS: [(&str, EventKind); 3] =
    [("time", EventKind::Timestamp), ("fsflag", EventKind::FsFlags), ("perm", EventKind::Permission)];

impl Parser<'_> {
    /// `alert ADDRESS …`; `alert` was taken.
    pub(super) fn alert(&mut self) -> Parse<Alert> {
        let address = self.mail_address()?;
        let except = self.accept("not");
        let events = if except || self.peek().kind == TokenKind::Open {
            Some(EventFilter { except, events: self.events()? })
        } else {
            None
        };
        let format = if self.accept("mail-format") { Some(self.mail_format()?) } else { None };
        let reminder = if self.accept("reminder") {
            let cycles = self.number("a number of cycles")?;
            self.accept_of(&[("cycles", ()), ("cycle", ())]);
            Some(cycles)
        } else {
            None
        };
        Ok(Alert { address, events, format, reminder })
    }

    /// An address without quotes.
    pub(super) fn mail_address(&mut self) -> Parse<Text> {
        let token = self.peek();
        if token.kind != TokenKind::Mail {
            let mut error = self.expected("a mail address");
            if token.kind == TokenKind::Quoted {
                error.help = Some("a mail address stands without quotes".to_owned());
            }
            return Err(error);
        }
        self.advance();
        let mut text = self.text(token);
        if text.value.starts_with(b"<") && text.value.ends_with(b">") {
            text.value = text.value.get(1..text.value.len() - 1).unwrap_or_default().to_vec();
        }
        Ok(text)
    }

    /// `{ EVENT, … }`
    fn events(&mut self) -> Parse<Vec<EventKind>> {
        self.expect_kind(TokenKind::Open, "'{'")?;
        let words = DISPLAY_ORDER.iter().filter(|kind| **kind != EventKind::Heartbeat);
        let table: Vec<(&'static str, EventKind)> =
            words.map(|kind| (kind.word(), *kind)).chain(MORE_EVENTS.iter().copied()).collect();
        let mut events = Vec::new();
        loop {
            if self.peek().kind == TokenKind::Close && !events.is_empty() {
                self.advance();
                return Ok(events);
            }
            events.push(self.expect_of("the name of an event", &table)?);
        }
    }

    /// `{ from: … subject: … message: … }`; `mail-format` was taken.
    pub(super) fn mail_format(&mut self) -> Parse<MailFormat> {
        let open = self.expect_kind(TokenKind::Open, "'{'")?;
        let mut format = MailFormat::default();
        let mut any = false;
        loop {
            let place = self.lexer.skip_space(self.place());
            self.take(Span { start: place, end: place });
            match self.lexer.byte(place) {
                Some(b'}') if any => {
                    self.take(Span { start: place, end: place + 1 });
                    return Ok(format);
                }
                Some(_) => {}
                None => {
                    return Err(Box::new(self.error(open.span, "this brace is not closed")));
                }
            }
            any = true;
            let end = self.lexer.skip_while(place, |byte| byte.is_ascii_alphabetic() || byte == b'-');
            let key = self.lexer.slice(Span { start: place, end }).to_ascii_lowercase();
            let colon = Span { start: end, end: end + 1 };
            let known = ["from", "reply-to", "subject", "message"];
            if self.lexer.byte(end) != Some(b':') || !known.iter().any(|word| word.as_bytes() == key) {
                return Err(self.expected_word("'from:', 'reply-to:', 'subject:' or 'message:'", &known));
            }
            self.take(colon);
            match key.as_slice() {
                b"from" => format.from = Some(self.sender()?),
                b"reply-to" => format.reply_to = Some(self.sender()?),
                b"subject" => format.subject = Some(self.free_text(b"}\r\n")),
                _ => format.message = Some(self.free_text(b"}")),
            }
        }
    }

    /// Text up to one of the signs `ends`, without the blanks around it.
    fn free_text(&mut self, ends: &[u8]) -> Text {
        let start = self.lexer.skip_blanks(self.place());
        let end = self.lexer.skip_while(start, |byte| !ends.contains(&byte));
        let value = self.lexer.slice(Span { start, end }).trim_ascii().to_vec();
        self.take(Span { start, end });
        Spanned { value, span: Span { start, end } }
    }

    /// `ADDRESS` or `NAME <ADDRESS>`
    fn sender(&mut self) -> Parse<MailAddress> {
        let start = self.lexer.skip_while(self.place(), |byte| byte.is_ascii_whitespace());
        let at = self.lexer.skip_while(start, |byte| !b"@}<\n".contains(&byte));
        let bracket = self.lexer.byte(at) == Some(b'<');
        let name = self.lexer.slice(Span { start, end: at }).trim_ascii();
        let name = if bracket && !name.is_empty() {
            let bare = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name);
            Some(Spanned { value: bare.to_vec(), span: Span { start, end: at } })
        } else {
            None
        };
        let first = if bracket { at + 1 } else { start };
        let end = self.lexer.skip_while(first, |byte| byte > b' ' && !b">,;}".contains(&byte));
        let span = Span { start: first, end };
        let value = self.lexer.slice(span).to_vec();
        if !value.contains(&b'@') {
            let end = end.max(start + 1).min(self.lexer.end(start));
            return Err(Box::new(self.error(Span { start, end }, "expected a mail address")));
        }
        let closed = bracket && self.lexer.byte(end) == Some(b'>');
        self.take(Span { start, end: end + usize::from(closed) });
        Ok(MailAddress { name, address: Spanned { value, span } })
    }

    /// `mailserver …`; `mailserver` was taken.
    pub(super) fn mail_servers(&mut self) -> Parse<MailServers> {
        let mut servers = vec![self.mail_server()?];
        loop {
            let token = self.peek();
            if !self.is_address(token) {
                break;
            }
            servers.push(self.mail_server()?);
        }
        let timeout = self.timeout()?;
        let hostname = if self.accept("hostname") { Some(self.string("the name of this host")?) } else { None };
        Ok(MailServers { servers, timeout, hostname })
    }

    fn is_address(&mut self, token: Token) -> bool {
        match token.kind {
            TokenKind::Word => !self.is_reserved(token) && !self.starts_statement(token),
            TokenKind::Quoted => !self.is_path(token),
            TokenKind::Ipv6 => true,
            _ => false,
        }
    }

    fn mail_server(&mut self) -> Parse<MailServer> {
        let token = self.peek();
        if !self.is_address(token) {
            return Err(self.expected("the name of a mail server"));
        }
        let host = self.address("the name of a mail server")?;
        let port = if self.accept("port") { Some(self.number("a port number")?) } else { None };
        let mut server = MailServer { host, port, username: None, password: None, tls: Vec::new() };
        loop {
            if self.accept("username") {
                server.username = Some(self.user_name()?);
            } else if self.accept("password") {
                server.password = Some(self.password("a password")?);
            } else if let Some(tls) = self.tls_use()? {
                server.tls.push(tls);
            } else {
                return Ok(server);
            }
        }
    }

    /// `eventqueue …`; `eventqueue` was taken.
    pub(super) fn event_queue(&mut self) -> Parse<EventQueue> {
        let basedir = if self.accept("basedir") { Some(self.path("an absolute path")?) } else { None };
        let slots = if self.accept_of(&[("slots", ()), ("slot", ())]).is_some() {
            Some(self.number("a number of events")?)
        } else {
            None
        };
        if basedir.is_none() && slots.is_none() {
            return Err(self.expected_word("'basedir' or 'slots'", &["basedir", "slots"]));
        }
        Ok(EventQueue { basedir, slots })
    }

    /// `mmonit …`; `mmonit` was taken.
    pub(super) fn collectors(&mut self) -> Parse<Vec<Collector>> {
        let mut all = Vec::new();
        while all.is_empty() || self.peek().kind == TokenKind::Url {
            let token = self.expect_kind(TokenKind::Url, "the address of a collector")?;
            let url = self.text(token);
            let mut timeout = None;
            let mut tls: Vec<TlsUse> = Vec::new();
            loop {
                if let Some(number) = self.timeout()? {
                    timeout = Some(number);
                } else if let Some(found) = self.tls_use()? {
                    tls.push(found);
                } else {
                    break;
                }
            }
            let without_credentials = self.accept("register");
            if without_credentials {
                self.expect("credentials")?;
            }
            let hostgroups = if self.accept("hostgroups") { self.host_groups()? } else { Vec::new() };
            all.push(Collector { url, timeout, tls, without_credentials, hostgroups });
        }
        Ok(all)
    }

    /// `[NAME, "NAME"]`
    fn host_groups(&mut self) -> Parse<Vec<Text>> {
        let open = self.lexer.skip_while(self.place(), |byte| byte.is_ascii_whitespace());
        if self.lexer.byte(open) != Some(b'[') {
            return Err(self.expected("'['"));
        }
        self.take(Span { start: open, end: open + 1 });
        let mut names = Vec::new();
        loop {
            let place = self.lexer.skip_while(self.place(), |byte| byte.is_ascii_whitespace() || byte == b',');
            self.take(Span { start: place, end: place });
            match self.lexer.byte(place) {
                Some(b']') => {
                    self.take(Span { start: place, end: place + 1 });
                    return Ok(names);
                }
                Some(_) => names.push(self.item(b"]")?),
                None => return Err(self.expected("']'")),
            }
        }
    }
}
