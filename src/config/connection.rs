//! Connections and the encryption of connections.

use std::time::Duration;

use super::build::{Builder, to_path};
use super::model::{
    Connection, Endpoint, Exchange, Family, Hash, Protocol, ProtocolName, ProtocolOption, Secret, Tls, Url,
};
use crate::syntax::source::{Span, Text};
use crate::syntax::statement as written;
use crate::syntax::statement::{ConnectionOption, Number, TlsFile, TlsOption, TlsUse, Transport};

/// Most echo requests of a rule, most tries of a connection.
const TRIES_MAX: u64 = 1000;

impl Builder<'_> {
    /// The connection of a rule whose words are at `head`.
    pub(super) fn connection(&mut self, written: written::Connection, head: Span) -> Option<Connection> {
        let endpoint = match &written.endpoint {
            written::Endpoint::Port { host, port } => {
                let host = host.as_ref().map(Text::lossy);
                self.port(port).map(|port| Endpoint::Port { host, port })
            }
            written::Endpoint::Url(text) => self.url(text).map(Endpoint::Url),
            written::Endpoint::Socket(path) => Some(Endpoint::Socket(to_path(&path.value))),
            written::Endpoint::Ping(_) => {
                self.warn_ping(head);
                Some(Endpoint::Ping { count: 3, size: 64 })
            }
        };
        let family = match written.endpoint {
            written::Endpoint::Ping(family) => family,
            _ => Family::Any,
        };
        let mut connection = Connection {
            succeeded: written.succeeded,
            endpoint: endpoint?,
            family,
            datagrams: false,
            tls: None,
            certificate_days: None,
            source: None,
            protocol: Protocol { name: ProtocolName::Default, options: Vec::new() },
            dialogue: Vec::new(),
            content: Vec::new(),
            timeout: self.settings.limits.network_timeout,
            response_time: None,
            tries: 1,
        };
        for option in &written.options {
            self.connection_option(&mut connection, option)?;
        }
        self.protocol_rules(&connection, &written, head)?;
        Some(connection)
    }

    fn port(&mut self, port: &Number) -> Option<u16> {
        let number = u16::try_from(port.value).ok().filter(|number| *number > 0);
        if number.is_none() {
            self.push(self.error(port.span, "a port must be between 1 and 65535"));
        }
        number
    }

    fn connection_option(&mut self, connection: &mut Connection, option: &ConnectionOption) -> Option<()> {
        match option {
            ConnectionOption::Family(family) => connection.family = *family,
            ConnectionOption::Transport(transport) => {
                connection.datagrams = *transport == Transport::Udp;
                if *transport == Transport::TcpSsl {
                    connection.tls.get_or_insert_with(Tls::default);
                }
            }
            ConnectionOption::Tls(tls) => self.tls_use(&mut connection.tls, tls)?,
            ConnectionOption::CertificateValid(days) => {
                connection.certificate_days = Some(self.small(days, 0, 100_000, "a number of days")?);
                connection.tls.get_or_insert_with(Tls::default);
            }
            ConnectionOption::Source(text) => connection.source = Some(text.lossy()),
            ConnectionOption::Protocol(protocol) => connection.protocol = self.protocol(protocol)?,
            ConnectionOption::Send(text) => connection.dialogue.push(Exchange::Send(text.value.clone())),
            ConnectionOption::Expect(text) => connection.dialogue.push(Exchange::Expect(self.pattern(text)?)),
            ConnectionOption::Content(content) => connection.content.push(self.one_content(content)?),
            ConnectionOption::Timeout(number) => connection.timeout = self.seconds(number, 1, "a timeout")?,
            ConnectionOption::ResponseTime { operator, limit } => {
                connection.response_time = Some((*operator, Duration::from_millis(limit.value)));
            }
            ConnectionOption::Retry(number) => {
                connection.tries = self.small(number, 0, TRIES_MAX, "a number of tries")?.max(1);
            }
            ConnectionOption::Count(number) => {
                let wanted = self.small(number, 0, TRIES_MAX, "a number of packets")?;
                if let Endpoint::Ping { count, .. } = &mut connection.endpoint {
                    *count = wanted.max(1);
                }
            }
            ConnectionOption::Size(number) => {
                let wanted = self.small(number, 8, 1492, "the size of a ping")?;
                if let Endpoint::Ping { size, .. } = &mut connection.endpoint {
                    *size = wanted;
                }
            }
        }
        Some(())
    }

    /// What protocols do not allow.
    fn protocol_rules(&mut self, connection: &Connection, written: &written::Connection, head: Span) -> Option<()> {
        let name = connection.protocol.name;
        let has = |wanted: fn(&ProtocolOption) -> bool| connection.protocol.options.iter().any(wanted);
        let span_of = |wanted: fn(&ConnectionOption) -> Option<Span>| written.options.iter().find_map(wanted);
        let said = span_of(|option| match option {
            ConnectionOption::Send(text) | ConnectionOption::Expect(text) => Some(text.span),
            _ => None,
        });
        let protocol = span_of(|option| match option {
            ConnectionOption::Protocol(protocol) => Some(protocol.span),
            _ => None,
        });
        let protocol = protocol.unwrap_or(head);
        if let Some(span) = said.filter(|_| name != ProtocolName::Default) {
            let message = format!("'send' and 'expect' cannot stand beside the protocol '{}'", name.word());
            self.push(self.error(span, message).with_help("leave the protocol out"));
            return None;
        }
        if name == ProtocolName::Radius && !connection.datagrams {
            self.push(self.error(protocol, "this protocol needs 'type udp'"));
            return None;
        }
        let head_method = has(|option| matches!(option, ProtocolOption::Head(true)));
        let body = !connection.content.is_empty() || has(|option| matches!(option, ProtocolOption::Checksum { .. }));
        if head_method && body {
            self.push(self.error(protocol, "with 'method head' there is no content and no checksum to test"));
            return None;
        }
        let key = has(|option| matches!(option, ProtocolOption::RsaKey { .. }));
        if key && !has(|option| matches!(option, ProtocolOption::Username(_))) {
            self.push(self.error(protocol, "'rsakey' needs 'username' and 'password'"));
            return None;
        }
        if key && (name == ProtocolName::Mysqls || connection.tls.is_some()) {
            let message = "'rsakey' is for connections without encryption, which need no key for the password";
            self.push(self.error(protocol, message));
            return None;
        }
        Some(())
    }

    fn protocol(&mut self, written: &written::Protocol) -> Option<Protocol> {
        let options: Vec<Option<ProtocolOption>> =
            written.options.iter().map(|option| self.protocol_option(option)).collect();
        Some(Protocol { name: written.name, options: options.into_iter().collect::<Option<Vec<_>>>()? })
    }

    fn protocol_option(&mut self, option: &written::ProtocolOption) -> Option<ProtocolOption> {
        use written::ProtocolOption as Written;
        Some(match option {
            Written::Username(text) => ProtocolOption::Username(text.lossy()),
            Written::Password(text) => ProtocolOption::Password(Secret(text.lossy())),
            Written::Request(text) => ProtocolOption::Request(text.lossy()),
            Written::Head(head) => ProtocolOption::Head(*head),
            Written::Status { operator, status } => {
                let status = self.small(status, 0, 999, "an HTTP status")?;
                ProtocolOption::Status { operator: *operator, status }
            }
            Written::Checksum(text) => {
                let (kind, expected) = self.checksum(None, text)?;
                ProtocolOption::Checksum { kind, expected }
            }
            Written::HostHeader(text) => ProtocolOption::HostHeader(text.lossy()),
            Written::Headers(all) => {
                ProtocolOption::Headers(all.iter().map(|(name, value)| (name.lossy(), Secret(value.lossy()))).collect())
            }
            Written::Path(text) => ProtocolOption::Path(text.lossy()),
            Written::Limit { kind, operator, percent } => {
                let percent = self.small(percent, 0, 100, "a percentage")?;
                ProtocolOption::Limit { kind: *kind, operator: *operator, percent }
            }
            Written::Origin(text) => ProtocolOption::Origin(text.lossy()),
            Written::Host(text) => ProtocolOption::Host(text.lossy()),
            Written::Version(number) => ProtocolOption::Version(self.small(number, 0, 255, "a version")?),
            Written::RsaKey(checksum) => {
                let (kind, expected) = self.checksum(checksum.kind, &checksum.expected)?;
                ProtocolOption::RsaKey { kind, expected }
            }
            Written::Database(text) => ProtocolOption::Database(text.lossy()),
            Written::Secret(text) => ProtocolOption::Secret(Secret(text.lossy())),
            Written::Target(text) => ProtocolOption::Target(text.lossy()),
            Written::MaxForward(number) => {
                ProtocolOption::MaxForward(self.small(number, 0, u64::from(u32::MAX), "a number of hops")?)
            }
        })
    }

    /// A checksum in hexadecimal digits; its kind is told by its length.
    pub(super) fn checksum(&mut self, kind: Option<Hash>, text: &Text) -> Option<(Hash, String)> {
        let expected = text.lossy().to_ascii_lowercase();
        let known = match expected.len() {
            32 => Some(Hash::Md5),
            40 => Some(Hash::Sha1),
            64 => Some(Hash::Sha256),
            _ => None,
        };
        let known = known.filter(|_| expected.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if known.is_none() || kind.is_some() && kind != known {
            let message = match kind {
                Some(Hash::Md5) => "this is no MD5 checksum, which has 32 hexadecimal digits",
                Some(Hash::Sha1) => "this is no SHA1 checksum, which has 40 hexadecimal digits",
                Some(Hash::Sha256) => "this is no SHA256 checksum, which has 64 hexadecimal digits",
                None => "this is no checksum, which has 32, 40 or 64 hexadecimal digits",
            };
            self.push(self.error(text.span, message));
            return None;
        }
        known.map(|kind| (kind, expected))
    }

    /// Adds what one mention of encryption says.
    pub(super) fn tls_use(&mut self, tls: &mut Option<Tls>, written: &TlsUse) -> Option<()> {
        let tls = tls.get_or_insert_with(Tls::default);
        match written {
            TlsUse::Options(options) => options.iter().for_each(|option| self.tls_option(tls, option)),
            TlsUse::Version(version) => tls.versions.push((*version, false)),
            TlsUse::Checksum(checksum) => tls.checksum = Some(self.checksum(checksum.kind, &checksum.expected)?),
        }
        Some(())
    }

    /// Adds one line of `ssl { … }`.
    pub(super) fn tls_option(&mut self, tls: &mut Tls, option: &TlsOption) {
        match option {
            TlsOption::Version(versions) => tls.versions.extend(versions),
            TlsOption::Verify(on) => tls.verify = Some(*on),
            TlsOption::SelfSigned(on) => tls.self_signed = Some(*on),
            TlsOption::Ciphers(text) => tls.ciphers = Some(text.lossy()),
            TlsOption::File(file, path) => self.tls_file(tls, *file, path),
        }
    }

    /// Adds a file, which must exist; each can be named once.
    pub(super) fn tls_file(&mut self, tls: &mut Tls, file: TlsFile, path: &Text) {
        let word = file.word();
        if tls.files.iter().any(|(known, _)| *known == file) {
            self.push(self.error(path.span, format!("'{word}' is given twice")));
            return;
        }
        let target = to_path(&path.value);
        let problem = match self.world.stat(&target) {
            Err(_) => Some(format!("the file '{}' does not exist", target.display())),
            Ok(facts) if file == TlsFile::CaCertificatePath => {
                (!facts.directory).then(|| format!("'{}' is not a directory", target.display()))
            }
            Ok(facts) if !facts.regular => Some(format!("'{}' is not a regular file", target.display())),
            Ok(_) => None,
        };
        if let Some(message) = problem {
            self.push(self.error(path.span, message));
        }
        // Also one that is missing: it was named.
        tls.files.push((file, target));
    }

    /// An address in its parts.
    pub(super) fn url(&mut self, text: &Text) -> Option<Url> {
        match parse_url(&text.lossy()) {
            Ok(url) => Some(url),
            Err(message) => {
                self.push(self.error(text.span, message));
                None
            }
        }
    }
}

/// Takes `scheme://[user:password@]host[:port][/path][?query][#fragment]` apart. The fragment is dropped.
fn parse_url(text: &str) -> Result<Url, &'static str> {
    let (scheme, rest) = text.split_once("://").ok_or("this is no address")?;
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => return Err("only http and https addresses can be tested"),
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let head = rest.get(..end).unwrap_or_default();
    // A password may hold a slash: then the sign in front of the host comes later.
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let cut = !head.starts_with('[') && head.split_once(':').is_some_and(|(_, behind)| !is_port(behind));
    let at = head.rfind('@').or_else(|| rest.rfind('@').filter(|_| cut));
    let (login, rest) = match at {
        Some(at) => (rest.get(..at), rest.get(at + 1..).unwrap_or_default()),
        None => (None, rest),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let credentials = match login.map(|login| login.split_once(':')) {
        None => None,
        Some(Some((user, password))) if !user.is_empty() => Some((user.to_owned(), Secret(password.to_owned()))),
        Some(_) => return Err("an address with a user needs a password too: user:password@host"),
    };
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err("this address has no host");
    }
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if host.parse::<std::net::IpAddr>().is_err() && !host.split('.').all(label) {
        return Err("the host of an address has only letters, digits, '-' and '.'");
    }
    let port = match port {
        None => {
            if tls {
                443
            } else {
                80
            }
        }
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or("a port must be between 1 and 65535")?,
    };
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok(Url { tls, credentials, host: host.to_owned(), port, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let shown = |text: &str| {
            parse_url(text).map(|url| {
                let login = url.credentials.map(|(user, Secret(password))| format!("{user}:{password}@"));
                format!("{} {}{} {} {}", url.tls, login.unwrap_or_default(), url.host, url.port, url.path)
            })
        };
        let table = [
            ("http://h/x", "false h 80 /x"),
            ("HTTPS://h", "true h 443 /"),
            ("http://h?a=b", "false h 80 /?a=b"),
            ("http://u:p@h:8080/x?y#z", "false u:p@h 8080 /x?y"),
            ("http://u:p/q@h/x", "false u:p/q@h 80 /x"),
            ("http://[::1]:81/a@b", "false ::1 81 /a@b"),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
        }
        for wrong in [
            "ftp://h/",
            "http:///x",
            "http://u@h/",
            "http://h:99999/",
            "http://h:0/",
            "http://$h/",
            "http://a..b/",
            "http://a:/",
        ] {
            assert!(shown(wrong).is_err(), "{wrong}");
        }
    }
}
