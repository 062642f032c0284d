//! Tests over the network: ports, addresses, sockets and ping.

use super::lexer::TokenKind;
use super::parser::{Parse, Parser};
use super::statement::{Connection, ConnectionOption, Endpoint, Family, ProtocolName, Transport};

const PINGS: [(&str, Family); 3] = [("ping", Family::Any), ("ping4", Family::V4), ("ping6", Family::V6)];

const TRANSPORTS: [(&str, Transport); 3] =
    [("tcp", Transport::Tcp), ("udp", Transport::Udp), ("tcpssl", Transport::TcpSsl)];

/// First words of tests over the network.
const SUBJECTS: [&str; 10] =
    ["host", "icmp", "ping", "ping4", "ping6", "port", "portnumber", "unix", "unixsocket", "url"];

/// First words of the options of each kind of test.
#[derive(Clone, Copy)]
enum Options {
    Port,
    Url,
    Socket,
    Ping,
}

impl Options {
    const PORT: [&str; 17] = [
        "ipv4",
        "ipv6",
        "type",
        "ssl",
        "tls",
        "certificate",
        "address",
        "proto",
        "protocol",
        "send",
        "expect",
        "content",
        "timeout",
        "responsetime",
        "retry",
        "count",
        "size",
    ];
    const URL: [&str; 6] = ["content", "timeout", "retry", "ssl", "tls", "certificate"];
    const SOCKET: [&str; 8] = ["type", "proto", "protocol", "send", "expect", "timeout", "responsetime", "retry"];
    const PING: [&str; 5] = ["count", "size", "timeout", "address", "responsetime"];

    fn words(self) -> &'static [&'static str] {
        match self {
            Options::Port => Options::PORT.get(..15).unwrap_or_default(),
            Options::Url => &Options::URL,
            Options::Socket => &Options::SOCKET,
            Options::Ping => &Options::PING,
        }
    }
}

impl Parser<'_> {
    /// What stands behind `failed` or `succeeded`, which was taken.
    pub(super) fn connection(&mut self, succeeded: bool) -> Parse<Connection> {
        let (endpoint, kind) = self.endpoint()?;
        let mut options = Vec::new();
        loop {
            let token = self.peek();
            if token.kind != TokenKind::Word || !kind.words().iter().any(|word| self.is(token, word)) {
                return Ok(Connection { succeeded, endpoint, options });
            }
            self.connection_options(&mut options)?;
        }
    }

    fn endpoint(&mut self) -> Parse<(Endpoint, Options)> {
        if let Some(family) = self.accept_of(&PINGS) {
            return Ok((Endpoint::Ping(family), Options::Ping));
        }
        if self.accept("icmp") {
            self.expect("type")?;
            self.expect("echo")?;
            return Ok((Endpoint::Ping(Family::Any), Options::Ping));
        }
        if self.accept("url") {
            let token = self.expect_kind(TokenKind::Url, "an address such as http://example.org/")?;
            return Ok((Endpoint::Url(self.text(token)), Options::Url));
        }
        if self.accept("unixsocket") || self.accept("unix") {
            let path = self.path("the path of a socket")?;
            return Ok((Endpoint::Socket(path), Options::Socket));
        }
        let host = if self.accept("host") { Some(self.address("an address or host name")?) } else { None };
        if !self.accept("port") && !self.accept("portnumber") {
            let mut known = SUBJECTS.to_vec();
            known.extend(["permission", "uid", "euid", "gid", "checksum", "md5", "sha1", "sha256", "link"]);
            return Err(if host.is_some() {
                self.expected_word("'port'", &["port"])
            } else {
                self.expected_word("what is tested, such as 'port' or 'url'", &known)
            });
        }
        let port = self.number("a port number")?;
        Ok((Endpoint::Port { host, port }, Options::Port))
    }

    /// One option, or several that one word begins.
    fn connection_options(&mut self, options: &mut Vec<ConnectionOption>) -> Parse<()> {
        const FAMILIES: [(&str, Family); 2] = [("ipv4", Family::V4), ("ipv6", Family::V6)];
        if let Some(family) = self.accept_of(&FAMILIES) {
            options.push(ConnectionOption::Family(family));
            return Ok(());
        }
        if self.accept("type") {
            let transport = self.expect_of("'tcp', 'udp' or 'tcpssl'", &TRANSPORTS)?;
            options.push(ConnectionOption::Transport(transport));
            if transport == Transport::TcpSsl {
                self.tcpssl(options)?;
            }
            return Ok(());
        }
        let (first, second) = (self.peek(), self.peek_second());
        if self.is(first, "certificate") && self.is(second, "valid") {
            options.push(ConnectionOption::CertificateValid(self.certificate_valid()?));
            return Ok(());
        }
        if self.is(first, "content") {
            options.push(ConnectionOption::Content(self.content()?));
            return Ok(());
        }
        if self.accept("proto") || self.accept("protocol") {
            let token = self.peek();
            let name = self.expect_of("the name of a protocol", &ProtocolName::WORDS)?;
            options.push(ConnectionOption::Protocol(self.protocol(name, token.span)?));
            return Ok(());
        }
        if self.is(first, "certificate") && !self.is(second, "checksum") {
            self.advance();
            return Err(self.expected_word("'valid' or 'checksum'", &["valid", "checksum"]));
        }
        if let Some(tls) = self.tls_use()? {
            options.push(ConnectionOption::Tls(tls));
            return Ok(());
        }
        let option = if self.accept("address") {
            ConnectionOption::Source(self.address("an address or host name")?)
        } else if self.accept("send") {
            ConnectionOption::Send(self.string("a string to send")?)
        } else if self.accept("expect") {
            ConnectionOption::Expect(self.string("a pattern")?)
        } else if self.accept("timeout") {
            ConnectionOption::Timeout(self.seconds("a timeout in seconds")?)
        } else if self.accept("responsetime") {
            self.response_time()?
        } else if self.accept("retry") {
            ConnectionOption::Retry(self.number("a number of tries")?)
        } else if self.accept("count") {
            ConnectionOption::Count(self.number("a number of packets")?)
        } else {
            self.expect("size")?;
            ConnectionOption::Size(self.number("a number of bytes")?)
        };
        options.push(option);
        Ok(())
    }

    /// A version and a checksum directly behind `type tcpssl`.
    fn tcpssl(&mut self, options: &mut Vec<ConnectionOption>) -> Parse<()> {
        if let Some(version) = self.tls_version()? {
            options.push(ConnectionOption::Tls(super::statement::TlsUse::Version(version)));
        }
        let next = self.peek();
        if self.is(next, "certmd5")
            && let Some(tls) = self.tls_use()?
        {
            options.push(ConnectionOption::Tls(tls));
        }
        Ok(())
    }

    /// `certificate valid [for] [>] N days`
    fn certificate_valid(&mut self) -> Parse<super::statement::Number> {
        self.advance();
        self.advance();
        let token = self.peek();
        let greater = token.kind == TokenKind::Operator && self.lexer.slice(token.span) == b">"
            || ["gt", "greater", "more", "older"].iter().any(|word| self.is(token, word));
        if greater {
            self.advance();
        }
        let days = self.number("a number of days")?;
        self.expect_of("'days'", &[("days", ()), ("day", ())])?;
        Ok(days)
    }

    fn response_time(&mut self) -> Parse<ConnectionOption> {
        let operator = self.operator()?;
        let number = self.number("a time")?;
        let unit = self.latency_unit()?;
        let limit = super::source::Spanned { value: number.value.saturating_mul(unit), span: number.span };
        Ok(ConnectionOption::ResponseTime { operator, limit })
    }
}
