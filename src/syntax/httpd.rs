//! `set httpd`.

use super::lexer::TokenKind;
use super::parser::{Parse, Parser};
use super::protocol::QUOTES;
use super::source::{Span, Text};
use super::statement::{HttpdOption, PasswordKind, Set, TlsFile};

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
                    if enabled && self.accept("ssl") {
                        options.push(HttpdOption::Tls(Vec::new()));
                        continue;
                    }
                    self.expect("signature")?;
                    HttpdOption::Signature(enabled)
                }
                b"allow" => self.httpd_allow()?,
                b"unixsocket" => {
                    self.advance();
                    options.push(HttpdOption::Socket(self.path("the path of the socket")?));
                    self.socket_options(&mut options)?;
                    continue;
                }
                b"ssl" | b"tls" => {
                    self.advance();
                    self.accept("enable");
                    HttpdOption::Tls(if self.peek().kind == TokenKind::Open { self.tls_options()? } else { Vec::new() })
                }
                b"pemfile" => {
                    self.advance();
                    HttpdOption::File(TlsFile::PemFile, self.path("an absolute path")?)
                }
                b"clientpemfile" => {
                    self.advance();
                    HttpdOption::File(TlsFile::ClientPemFile, self.path("an absolute path")?)
                }
                b"allowselfcertification" => {
                    self.advance();
                    HttpdOption::AllowSelfCertification
                }
                _ => return Ok(Set::Httpd(options)),
            };
            options.push(option);
        }
    }

    /// What stands behind `unixsocket PATH`.
    fn socket_options(&mut self, options: &mut Vec<HttpdOption>) -> Parse<()> {
        loop {
            let option = if self.accept("uid") {
                HttpdOption::SocketUid(self.id("a user name or number")?)
            } else if self.accept("gid") {
                HttpdOption::SocketGid(self.id("a group name or number")?)
            } else if self.accept("permission") || self.accept("perm") {
                let token = self.expect_kind(TokenKind::Number, "permissions as an octal number")?;
                HttpdOption::SocketPermission(self.text(token))
            } else if self.read_only() {
                HttpdOption::SocketReadOnly
            } else {
                return Ok(());
            };
            options.push(option);
        }
    }

    fn httpd_port(&mut self) -> Parse<HttpdOption> {
        self.advance();
        let port = self.number("a port number")?;
        Ok(HttpdOption::Port { port, read_only: self.read_only() })
    }

    fn read_only(&mut self) -> bool {
        self.accept("read-only") || self.accept("readonly")
    }

    /// `enable` (true) or `disable`
    pub(super) fn enabled(&mut self) -> Parse<bool> {
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
        const KINDS: [(&str, PasswordKind); 3] =
            [("cleartext", PasswordKind::ClearText), ("crypt", PasswordKind::Crypt), ("md5", PasswordKind::Md5)];
        self.advance();
        let kind = self.accept_of(&KINDS);
        let token = self.peek();
        if kind.is_some() || self.is_path(token) {
            let path = self.path("the path of a password file")?;
            return Ok(HttpdOption::AllowFile { kind: kind.unwrap_or_default(), path, users: self.users() });
        }
        if token.kind == TokenKind::At {
            self.advance();
            let group = self.string("the name of a group")?;
            return Ok(HttpdOption::AllowGroup { group, read_only: self.read_only() });
        }
        let name = self.address("a host, a network or USER:PASSWORD")?;
        if self.peek().kind != TokenKind::Colon {
            return Ok(HttpdOption::AllowHost(name));
        }
        self.advance();
        let password = self.password("a password")?;
        Ok(HttpdOption::AllowUser { user: name, password, read_only: self.read_only() })
    }

    /// Strings that follow.
    fn users(&mut self) -> Vec<Text> {
        let mut users = Vec::new();
        loop {
            let token = self.peek();
            let is_user = match token.kind {
                TokenKind::Quoted => true,
                TokenKind::Word => !self.is_reserved(token) && !self.starts_statement(token),
                _ => false,
            };
            if !is_user {
                return users;
            }
            self.advance();
            users.push(self.text(token));
        }
    }

    /// A password; what it was is never repeated in a message.
    pub(super) fn password(&mut self, what: &str) -> Parse<Text> {
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
            self.warn_typographic(token.span);
            return Ok(self.text(token));
        }
        let span = Span { start: token.span.start, end };
        if matches!(token.kind, TokenKind::End | TokenKind::Unbalanced | TokenKind::TooLong) {
            return Err(self.expected(what));
        }
        self.take(span);
        Err(Box::new(self.error(span, format!("this cannot be {what} as it stands")).with_help(QUOTES)))
    }
}
