//! The connections that rules test, as readers are shown them.

use std::time::Duration;

use crate::config::{Connection, Endpoint, ProtocolName, ProtocolOption};

/// One connection and how it went last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionReading {
    /// Where it goes.
    pub target: Target,
    /// How long the answer took; `None` when none came, or before the first test.
    pub response: Option<Duration>,
    /// For how many days the certificate is valid, where there is one.
    pub certificate_days: Option<u32>,
}

/// Where a connection goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An echo request.
    Ping,
    /// A port of a host.
    Port {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// What is asked for, of protocols that ask.
        request: String,
        /// In the words of the interfaces, such as `HTTP`.
        protocol: String,
        /// Datagrams in place of a stream.
        datagrams: bool,
        /// Encrypted.
        tls: bool,
    },
    /// A socket in the filesystem.
    Socket {
        /// Its path.
        path: String,
        /// In the words of the interfaces.
        protocol: String,
    },
}

impl ConnectionReading {
    /// The connection of a rule of a service whose own host is `host`, not tested yet.
    pub fn new(connection: &Connection, host: &str) -> ConnectionReading {
        let protocol = protocol(connection);
        let secure = matches!(
            connection.protocol.name,
            ProtocolName::Https | ProtocolName::Imaps | ProtocolName::Mysqls | ProtocolName::Pops | ProtocolName::Smtps
        );
        let tls = secure || connection.tls.is_some();
        let datagrams = connection.datagrams || connection.protocol.name == ProtocolName::Ntp3;
        let target = match &connection.endpoint {
            Endpoint::Ping { .. } => Target::Ping,
            Endpoint::Socket(path) => Target::Socket { path: path.display().to_string(), protocol },
            Endpoint::Port { host: other, port } => Target::Port {
                host: other.as_deref().unwrap_or(host).to_owned(),
                port: *port,
                request: request(connection),
                protocol,
                datagrams,
                tls,
            },
            Endpoint::Url(url) => Target::Port {
                host: url.host.clone(),
                port: url.port,
                request: url.path.clone(),
                protocol: "HTTP".to_owned(),
                datagrams,
                tls: tls || url.tls,
            },
        };
        ConnectionReading { target, response: None, certificate_days: None }
    }
}

/// What an HTTP test asks for, in the form in which it is sent; empty for others.
fn request(connection: &Connection) -> String {
    let asked = connection.protocol.options.iter().rev().find_map(|option| match option {
        ProtocolOption::Request(text) => Some(text.as_str()),
        _ => None,
    });
    asked.unwrap_or_default().replace(' ', "%20")
}

/// The original's names: encryption is no protocol of its own.
fn protocol(connection: &Connection) -> String {
    match connection.protocol.name {
        ProtocolName::Default if !connection.dialogue.is_empty() => "generic".to_owned(),
        ProtocolName::Https => "HTTP".to_owned(),
        ProtocolName::Imaps => "IMAP".to_owned(),
        ProtocolName::Mysqls => "MYSQL".to_owned(),
        ProtocolName::Pops => "POP".to_owned(),
        ProtocolName::Smtps => "SMTP".to_owned(),
        ProtocolName::ApacheStatus => "APACHESTATUS".to_owned(),
        name => name.word().to_ascii_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Test;
    use crate::config::tests::first;

    fn target(test: &str) -> Target {
        let service = first(&format!("check host h with address 192.0.2.1 if failed {test} then alert"));
        let connection = service.rules.iter().find_map(|rule| match &rule.test {
            Test::Connection(connection) => Some(connection.clone()),
            _ => None,
        });
        ConnectionReading::new(&connection.unwrap(), "192.0.2.1").target
    }

    fn port(test: &str) -> (String, u16, String, String, bool, bool) {
        match target(test) {
            Target::Port { host, port, request, protocol, datagrams, tls } => {
                (host, port, request, protocol, datagrams, tls)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn connections_are_named_as_the_original_names_them() {
        let table = [
            ("port 80", ("192.0.2.1", 80, "", "DEFAULT", false, false)),
            ("port 53 type udp", ("192.0.2.1", 53, "", "DEFAULT", true, false)),
            ("port 123 protocol ntp3", ("192.0.2.1", 123, "", "NTP3", true, false)),
            ("port 443 protocol https", ("192.0.2.1", 443, "", "HTTP", false, true)),
            ("host x port 80 protocol http request '/x y'", ("x", 80, "/x%20y", "HTTP", false, false)),
            (
                "port 1 protocol apache-status path /x loglimit > 10%",
                ("192.0.2.1", 1, "", "APACHESTATUS", false, false),
            ),
            ("port 1 protocol postfix-policy", ("192.0.2.1", 1, "", "POSTFIX-POLICY", false, false)),
            ("port 1 send 'a' expect 'b'", ("192.0.2.1", 1, "", "generic", false, false)),
            ("url http://u:p@h1:81/a?b=c", ("h1", 81, "/a?b=c", "HTTP", false, false)),
        ];
        for (test, (host, number, request, protocol, datagrams, tls)) in table {
            assert_eq!(port(test), (host.into(), number, request.into(), protocol.into(), datagrams, tls), "{test}");
        }
        assert_eq!(target("ping"), Target::Ping);
    }
}
