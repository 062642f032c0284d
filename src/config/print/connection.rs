//! Connections, protocols, encryption.

use super::test::{content, hash};
use super::{Secrets, operand, operator, quoted, quoted_bytes};
use crate::config::model::{
    ApacheLimit, Connection, Endpoint, Exchange, Family, ProtocolName, ProtocolOption, Secret, Tls, Url,
};
use crate::syntax::secret::is_secret_header;

/// What stands between `if` and `then`, without the rate.
pub fn connection(connection: &Connection, secrets: Secrets) -> String {
    let mut text = String::from(if connection.succeeded { "succeeded " } else { "failed " });
    match &connection.endpoint {
        Endpoint::Port { host, port } => {
            if let Some(host) = host {
                text.push_str(&format!("host {} ", quoted(host)));
            }
            text.push_str(&format!("port {port}"));
        }
        Endpoint::Url(url) => text.push_str(&format!("url {}", self::url(url, secrets))),
        Endpoint::Socket(path) => text.push_str(&format!("unixsocket {}", operand(path))),
        Endpoint::Ping { count, size } => {
            let word = match connection.family {
                Family::Any => "ping",
                Family::V4 => "ping4",
                Family::V6 => "ping6",
            };
            text.push_str(&format!("{word} count {count} size {size}"));
        }
    }
    let ping = matches!(connection.endpoint, Endpoint::Ping { .. });
    let url = matches!(connection.endpoint, Endpoint::Url(_));
    match connection.family {
        Family::V4 if !ping => text.push_str(" ipv4"),
        Family::V6 if !ping => text.push_str(" ipv6"),
        _ => {}
    }
    if connection.datagrams {
        text.push_str(" type udp");
    }
    if let Some(tls) = &connection.tls {
        let socket = matches!(connection.endpoint, Endpoint::Socket(_));
        text.push_str(&if socket { tcpssl(tls) } else { self::tls(tls) });
    }
    if let Some(days) = connection.certificate_days {
        text.push_str(&format!(" certificate valid > {days} days"));
    }
    if let Some(source) = &connection.source {
        text.push_str(&format!(" address {}", quoted(source)));
    }
    if connection.protocol.name != ProtocolName::Default {
        text.push_str(&format!(" protocol {}", connection.protocol.name.word()));
        for option in &connection.protocol.options {
            text.push_str(&protocol_option(option, secrets));
        }
    }
    for exchange in &connection.dialogue {
        text.push_str(&match exchange {
            Exchange::Send(bytes) => format!(" send {}", quoted_bytes(&secrets.dialogue(bytes))),
            Exchange::Expect(pattern) => format!(" expect {}", quoted(&pattern.source)),
        });
    }
    for wanted in &connection.content {
        text.push_str(&format!(" {}", content(wanted)));
    }
    text.push_str(&timeout(connection.timeout));
    if let Some((sign, limit)) = &connection.response_time {
        text.push_str(&format!(" responsetime {} {} ms", operator(*sign), limit.as_millis()));
    }
    if connection.tries > 1 && (!ping || url) {
        text.push_str(&format!(" retry {}", connection.tries));
    }
    text
}

/// ` timeout N seconds`; fractions, which only `set limits` can give, are left to that.
fn timeout(timeout: std::time::Duration) -> String {
    if timeout.subsec_nanos() == 0 { format!(" timeout {} seconds", timeout.as_secs()) } else { String::new() }
}

fn protocol_option(option: &ProtocolOption, secrets: Secrets) -> String {
    match option {
        ProtocolOption::Username(text) => format!(" username {}", quoted(text)),
        ProtocolOption::Password(secret) => format!(" password {}", secrets.text(secret)),
        ProtocolOption::Request(text) => format!(" request {}", quoted(&secrets.request(text))),
        ProtocolOption::Head(head) => format!(" method {}", if *head { "head" } else { "get" }),
        ProtocolOption::Status { operator: sign, status } => format!(" status {} {status}", operator(*sign)),
        ProtocolOption::Checksum { expected, .. } => format!(" checksum {}", quoted(expected)),
        ProtocolOption::HostHeader(text) => format!(" hostheader {}", quoted(text)),
        ProtocolOption::Headers(all) => {
            let header = |(name, value): &(String, Secret)| {
                let hidden = secrets == Secrets::Masked && is_secret_header(name.as_bytes());
                format!("{}: {}", plain(name), plain(if hidden { super::MASK } else { &value.0 }))
            };
            format!(" http headers [{}]", all.iter().map(header).collect::<Vec<_>>().join(", "))
        }
        ProtocolOption::Path(text) => format!(" path {}", quoted(text)),
        ProtocolOption::Limit { kind, operator: sign, percent } => {
            let word = ApacheLimit::WORDS.iter().find(|(_, known)| known == kind).map_or("", |(word, _)| word);
            format!(" {word} {} {percent}%", operator(*sign))
        }
        ProtocolOption::Origin(text) => format!(" origin {}", quoted(text)),
        ProtocolOption::Host(text) => format!(" host {}", quoted(text)),
        ProtocolOption::Version(number) => format!(" version {number}"),
        ProtocolOption::RsaKey { kind, expected } => format!(" rsakey checksum {} {}", hash(*kind), quoted(expected)),
        ProtocolOption::Database(text) => format!(" database {}", quoted(text)),
        ProtocolOption::Secret(secret) => format!(" secret {}", secrets.text(secret)),
        ProtocolOption::Target(text) => format!(" target {}", quoted(text)),
        ProtocolOption::MaxForward(number) => format!(" maxforward {number}"),
    }
}

/// A name or value of a header, in quotes without escapes.
pub fn plain(text: &str) -> String {
    if text.contains('"') { format!("'{text}'") } else { format!("\"{text}\"") }
}

/// An address with its port.
pub fn url(url: &Url, secrets: Secrets) -> String {
    let scheme = if url.tls { "https" } else { "http" };
    let login = url.credentials.as_ref().map(|(user, password)| {
        let shown = if secrets == Secrets::Shown { &password.0 } else { super::MASK };
        format!("{user}:{shown}@")
    });
    let host = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
    format!("{scheme}://{}{host}:{}{}", login.unwrap_or_default(), url.port, secrets.request(&url.path))
}

/// ` type tcpssl …`, the only encryption that sockets in the filesystem can have.
fn tcpssl(tls: &Tls) -> String {
    let versions: Vec<String> = tls.versions.iter().map(|(version, _)| format!(" {}", version.word())).collect();
    let checksum = tls.checksum.as_ref().map(|(_, expected)| format!(" certmd5 {}", quoted(expected)));
    // A mention has one version.
    format!(" type tcpssl{}{}", versions.join(" type tcpssl"), checksum.unwrap_or_default())
}

/// ` ssl { … } certificate checksum …`; the original takes empty braces for no encryption.
pub fn tls(tls: &Tls) -> String {
    let lines = tls_lines(tls);
    let mut text = if lines.is_empty() { " ssl".to_owned() } else { format!(" ssl {{{lines} }}") };
    if let Some((kind, expected)) = &tls.checksum {
        text.push_str(&format!(" certificate checksum {} = {}", hash(*kind), quoted(expected)));
    }
    text
}

/// What stands between the braces.
pub fn tls_lines(tls: &Tls) -> String {
    let mut text = String::new();
    if !tls.versions.is_empty() {
        text.push_str(" version:");
        for (version, off) in &tls.versions {
            text.push_str(&format!(" {}{}", if *off { "-" } else { "" }, version.word()));
        }
    }
    if let Some(on) = tls.verify {
        text.push_str(&format!(" verify: {}", if on { "enable" } else { "disable" }));
    }
    if let Some(on) = tls.self_signed {
        text.push_str(&format!(" selfsigned: {}", if on { "allow" } else { "reject" }));
    }
    if let Some(ciphers) = &tls.ciphers {
        text.push_str(&format!(" ciphers: {}", quoted(ciphers)));
    }
    for (file, path) in &tls.files {
        text.push_str(&format!(" {}: {}", file.word(), operand(path)));
    }
    text
}
