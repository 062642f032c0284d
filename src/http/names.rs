//! Whether a request was meant for us by name: a page whose own name is made to point at our address (DNS rebinding) may do
//! in a browser what the browser's user may. Where a password is asked the browser has none for that name; where it is not,
//! the name itself is the only sign. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether `host`, the value of `Host` (RFC 9110 section 7.2), can be no name of a stranger: a literal address, `localhost`, a
/// name of the local network (`.local`, RFC 6762), or one of our `own` names.
pub(super) fn is_ours(host: &[u8], own: &[String]) -> bool {
    let Some((name, port)) = std::str::from_utf8(host).ok().map(split) else { return false };
    if !port.strip_prefix(':').unwrap_or(port).bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    if let Some(literal) = name.strip_prefix('[') {
        return literal.strip_suffix(']').is_some_and(|literal| literal.parse::<Ipv6Addr>().is_ok());
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name.parse::<Ipv4Addr>().is_ok()
        || name == "localhost"
        || [".localhost", ".local"].iter().any(|suffix| name.ends_with(suffix))
        || own.iter().any(|own| own.eq_ignore_ascii_case(&name))
}

/// Name and port, with its colon.
fn split(host: &str) -> (&str, &str) {
    let name = host.find(']').map_or(0, |bracket| bracket + 1);
    let colon = host.get(name..).and_then(|rest| rest.find(':')).map_or(host.len(), |colon| name + colon);
    host.split_at_checked(colon).unwrap_or((host, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_have_names() {
        let own = ["web1.example.com".to_owned(), "web1".to_owned()];
        for host in [
            "127.0.0.1",
            "192.0.2.7:2812",
            "[::1]",
            "[2001:db8::1]:2812",
            "localhost",
            "LOCALHOST:2812",
            "localhost.",
            "a.localhost",
            "nas.local:80",
            "web1",
            "Web1.Example.COM:2812",
            "web1.example.com.",
        ] {
            assert!(is_ours(host.as_bytes(), &own), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "web1.evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "local",
            "1.2.3",
            "[::1",
            "[evil.example]",
            "::1",
            "127.0.0.1:x",
            "localhost:80:80",
            "evil.example/[::1]",
            "web1\u{e9}",
            "[::1]x",
        ] {
            assert!(!is_ours(host.as_bytes(), &own), "{host}");
        }
        assert!(!is_ours(b"\xff", &own));
    }
}
