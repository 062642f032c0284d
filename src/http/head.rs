//! The head of a request: its line and its headers, within limits. Pure.

use super::route::{Method, Refusal};

/// Longest head in bytes.
pub const HEAD_MAX: usize = 8 * 1024;
/// Most headers.
pub const HEADERS_MAX: usize = 64;
/// Longest body in bytes.
pub const BODY_MAX: usize = 16 * 1024;

/// What we keep of a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// Path and query as sent.
    pub target: Vec<u8>,
    /// The value of `Authorization`.
    pub authorization: Option<Vec<u8>>,
    /// The value of `Host`.
    pub host: Option<Vec<u8>>,
    /// The value of `Cookie`.
    pub cookie: Option<Vec<u8>>,
    /// The value of `Origin`.
    pub origin: Option<Vec<u8>>,
    /// The value of `Sec-Fetch-Site`.
    pub sec_fetch_site: Option<Vec<u8>>,
    /// Where the body begins.
    pub length: usize,
    /// How many bytes the body has; at most [`BODY_MAX`].
    pub body_length: usize,
}

/// Reads a head from the beginning of `bytes`; `None` while it is not complete.
///
/// # Errors
/// The answer for a head that can never become one we serve, told as soon as that is certain.
pub fn parse(bytes: &[u8]) -> Result<Option<Head>, Refusal> {
    let window = bytes.get(..HEAD_MAX).unwrap_or(bytes);
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(window) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() >= HEAD_MAX => {
            return Err(Refusal::new(431, "The request head is too long"));
        }
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::new(431, "The request has too many headers")),
        Err(httparse::Error::Version) => return Err(Refusal::new(505, "Only HTTP/1.0 and HTTP/1.1 are understood")),
        Err(_) => return Err(Refusal::new(400, "Cannot parse request")),
    };
    let method = match request.method {
        Some("GET") => Method::Get,
        Some("HEAD") => Method::Head,
        Some("POST") => Method::Post,
        _ => return Err(Refusal::new(501, "Method not implemented")),
    };
    let target = request.path.unwrap_or_default().as_bytes().to_vec();
    let [mut authorization, mut host, mut cookie, mut origin, mut sec_fetch_site] = [const { None }; 5];
    let mut body_length = None;
    for header in request.headers.iter() {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        for (name, kept) in [
            ("Authorization", &mut authorization),
            ("Host", &mut host),
            ("Cookie", &mut cookie),
            ("Origin", &mut origin),
            ("Sec-Fetch-Site", &mut sec_fetch_site),
        ] {
            if is(name) && kept.replace(header.value.trim_ascii().to_vec()).is_some() {
                return Err(Refusal::new(400, format!("{name} is given twice")));
            }
        }
        if is("content-length") {
            if body_length.replace(content_length(header.value)?).is_some() {
                return Err(Refusal::new(400, "Content-Length is given twice"));
            }
        } else if is("transfer-encoding") {
            return Err(Refusal::new(501, "Transfer-Encoding is not supported"));
        }
    }
    if method == Method::Post && body_length.is_none() {
        return Err(Refusal::new(400, "Cannot parse Request parameters"));
    }
    let body_length = body_length.unwrap_or(0);
    Ok(Some(Head { method, target, authorization, host, cookie, origin, sec_fetch_site, length, body_length }))
}

/// RFC 9110 section 8.6: digits, nothing else.
fn content_length(value: &[u8]) -> Result<usize, Refusal> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::new(400, "Content-Length is not a number"));
    }
    let number = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
    number.filter(|length| *length <= BODY_MAX).ok_or_else(|| Refusal::new(413, "The request body is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(bytes: &str) -> u16 {
        parse(bytes.as_bytes()).unwrap_err().code
    }

    #[test]
    fn a_head_is_read_with_either_line_ending_and_version() {
        let text = "POST /a?b HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 3\r\nAuthorization: Basic x\r\n\r\nabc";
        let head = parse(text.as_bytes()).unwrap().unwrap();
        let expected = Head {
            method: Method::Post,
            target: b"/a?b".to_vec(),
            authorization: Some(b"Basic x".to_vec()),
            host: Some(b"x".to_vec()),
            cookie: None,
            origin: None,
            sec_fetch_site: None,
            length: text.len() - 3,
            body_length: 3,
        };
        assert_eq!(head, expected);
        assert!(parse(b"HEAD / HTTP/1.0\n\n").unwrap().is_some());
        for end in 0..text.len() - 3 {
            assert_eq!(parse(&text.as_bytes()[..end]), Ok(None), "{end}");
        }
    }

    #[test]
    fn bodies_have_one_plain_length() {
        let with = |headers: &str| format!("POST / HTTP/1.1\r\n{headers}\r\n\r\n");
        for length in ["-1", "+1", "0x10", "1 2", "1,1", "", "\u{b2}"] {
            assert_eq!(code(&with(&format!("Content-Length: {length}"))), 400, "{length}");
        }
        for length in ["16385", "99999999999", "18446744073709551616", &"9".repeat(400)] {
            assert_eq!(code(&with(&format!("Content-Length: {length}"))), 413, "{length}");
        }
        assert_eq!(code(&with("Content-Length: 1\r\nContent-Length: 1")), 400);
        assert_eq!(code(&with("Content-Length: 1\r\nTransfer-Encoding: chunked")), 501);
        assert_eq!(code(&with("Host: x")), 400);
        assert!(parse(with("Content-Length: 16384").as_bytes()).unwrap().is_some());
        assert!(parse(with("Content-Length: 007").as_bytes()).unwrap().is_some());
    }

    #[test]
    fn what_is_too_long_or_foreign_is_told_at_once() {
        assert_eq!(code(&format!("GET /{}", "x".repeat(HEAD_MAX))), 431);
        assert_eq!(code(&format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(HEADERS_MAX + 1))), 431);
        assert_eq!(code(&format!("GET / HTTP/1.1\r\n{}", format!("a: {}\r\n", "b".repeat(150)).repeat(60))), 431);
        let most = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX));
        assert!(parse(most.as_bytes()).unwrap().is_some());
        assert_eq!(code("GET / HTTP/2.0\r\n\r\n"), 505);
        assert_eq!(code("DELETE / HTTP/1.1\r\n\r\n"), 501);
        assert_eq!(code("get / HTTP/1.1\r\n\r\n"), 501);
        assert_eq!(code("\x16\x03\x01\x02\0\x01\0\x01"), 400);
        assert_eq!(code("GET / HTTP/1.1\r\nA : b\r\n\r\n"), 400);
        assert_eq!(code("GET / HTTP/1.1\r\nA: b\0\r\n\r\n"), 400);
        assert_eq!(code("GET / HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n"), 400);
    }

    /// xorshift64*, good enough to damage bytes and the same on every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
        }
    }

    #[test]
    fn damaged_heads_never_panic_and_never_exceed_the_limits() {
        use super::super::auth;
        use super::super::route::{Origin, route};
        let seeds: [&[u8]; 3] = [
            b"GET /_status?format=text&service=a%20b HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YWRtOng=\r\n\r\n",
            b"POST /_doaction HTTP/1.0\r\nContent-Length: 22\r\n\r\nservice=a&action=start",
            b"HEAD /%41?%42=+&&=%00 HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encodin: x\r\n\r\n",
        ];
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut complete = 0;
        for round in 0..60_000 {
            let mut bytes = seeds[round % seeds.len()].to_vec();
            for _ in 0..random.below(6) {
                let place = random.below(bytes.len());
                match random.below(4) {
                    0 => bytes[place] = random.below(256) as u8,
                    1 => drop(bytes.remove(place)),
                    2 => bytes.insert(place, b"\r\n%:= /\0"[random.below(8)]),
                    _ => bytes.extend_from_within(place..),
                }
            }
            if let Ok(Some(head)) = parse(&bytes) {
                complete += 1;
                assert!(head.length <= bytes.len() && head.length <= HEAD_MAX && head.body_length <= BODY_MAX);
                let body = bytes.get(head.length..).unwrap_or_default();
                let _ = route(head.method, &head.target, body, &Origin::Private);
                let _ = auth::authenticate(head.authorization.as_deref(), &[]);
            }
        }
        assert!(complete > 10_000, "the damage leaves enough heads whole: {complete}");
    }
}
