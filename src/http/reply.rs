//! Answers, from their meaning to their bytes.

use std::io::Cursor;

use tiny_http::{HTTPVersion, Header, Response, StatusCode};

use crate::view::html;

use super::csrf::{COOKIE_AGE, NAME};
use super::route::Refusal;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    body: Body,
    location: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    Content(&'static str, String),
    Message(String),
}

impl Reply {
    fn content(content_type: &'static str, body: String) -> Reply {
        Reply { code: 200, body: Body::Content(content_type, body), location: None }
    }

    /// 302 to a path on this server, percent-encoded.
    pub fn moved(path: impl Into<String>, body: impl Into<String>) -> Reply {
        Reply { code: 302, location: Some(path.into()), ..Reply::html(body) }
    }

    /// 200 with a plain text.
    pub fn text(text: impl Into<String>) -> Reply {
        Reply::content("text/plain; charset=utf-8", text.into())
    }

    /// 200 with a page.
    pub fn html(page: impl Into<String>) -> Reply {
        Reply::content("text/html; charset=utf-8", page.into())
    }

    /// 200 with an XML document, which declares its encoding as UTF-8.
    pub fn xml(document: impl Into<String>) -> Reply {
        Reply::content("text/xml; charset=utf-8", document.into())
    }

    /// 200 with a style sheet.
    pub fn css(sheet: impl Into<String>) -> Reply {
        Reply::content("text/css; charset=utf-8", sheet.into())
    }

    /// 200 with an icon.
    pub fn svg(icon: impl Into<String>) -> Reply {
        Reply::content("image/svg+xml; charset=utf-8", icon.into())
    }

    /// An error; the message is plain text, it is escaped where needed.
    pub fn error(code: u16, message: impl Into<String>) -> Reply {
        Reply { code, body: Body::Message(message.into()), location: None }
    }

    /// The status code.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// What went wrong; `None` for answers that are no errors.
    pub fn message(&self) -> Option<&str> {
        match &self.body {
            Body::Message(message) => Some(message),
            Body::Content(..) => None,
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Reply {
        Reply::error(refusal.code, refusal.message)
    }
}

/// For whom an answer is printed.
#[derive(Clone, Debug)]
pub(super) struct Printing {
    /// The client asked with HEAD.
    pub head_only: bool,
    /// Errors are plain text, for our own command line, instead of pages.
    pub plain_errors: bool,
    /// The value of `Server`.
    pub signature: &'static str,
    /// The token for the cookie of a good answer.
    pub token: Option<String>,
    /// It is sent over an encrypted connection.
    pub encrypted: bool,
}

/// The bytes of an answer: HTTP/1.0, so that the length is always told and nothing is chunked.
pub(super) fn print(reply: Reply, printing: Printing) -> Vec<u8> {
    let status = StatusCode(reply.code);
    let cookie = match &reply.body {
        Body::Content(..) => {
            let secure = if printing.encrypted { "; Secure" } else { "" };
            let cookie = |token| format!("{NAME}={token}; Max-Age={COOKIE_AGE}; HttpOnly; SameSite=strict{secure}");
            printing.token.map(cookie)
        }
        Body::Message(_) => None,
    };
    let (content_type, body) = match reply.body {
        Body::Content(content_type, body) => (content_type, body),
        Body::Message(message) if printing.plain_errors => ("text/plain; charset=utf-8", message + "\n"),
        Body::Message(message) => {
            let page = html::error(reply.code, status.default_reason_phrase(), &message, printing.signature);
            ("text/html; charset=utf-8", page)
        }
    };
    let mut fields = vec![
        ("Server", printing.signature),
        ("X-Frame-Options", "SAMEORIGIN"),
        ("Content-Security-Policy", html::CONTENT_SECURITY_POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
        ("Content-Type", content_type),
    ];
    if printing.encrypted {
        // The original adds `includeSubdomains; preload`, which binds pages of others: those of hosts below this one.
        fields.push(("Strict-Transport-Security", "max-age=63072000"));
    }
    if let Some(cookie) = &cookie {
        fields.push(("Set-Cookie", cookie));
    }
    if let Some(location) = &reply.location {
        fields.push(("Location", location));
    }
    if reply.code == 401 {
        fields.push(("WWW-Authenticate", "Basic realm=\"monit\""));
    }
    let headers = fields.into_iter().filter_map(|(name, value)| header(name, value)).collect();
    let length = body.len();
    let response = Response::new(status, headers, Cursor::new(body), Some(length), None);
    let mut bytes = Vec::with_capacity(length + 512);
    if response.raw_print(&mut bytes, HTTPVersion(1, 0), &[], printing.head_only, None).is_err() {
        return Vec::new(); // A cursor and a vector have no I/O errors; an empty answer closes the connection.
    }
    // tiny_http drops a `Connection` that is given as a header, so it is put behind the status line.
    if let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") {
        bytes.splice(end + 2..end + 2, *b"Connection: close\r\n");
    }
    bytes
}

/// A header that cannot begin another one: `None` for a value with control characters or beyond ASCII.
fn header(name: &str, value: &str) -> Option<Header> {
    if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return None;
    }
    Header::from_bytes(name, value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTING: Printing =
        Printing { head_only: false, plain_errors: false, signature: "pollux/0.1.0", token: None, encrypted: false };

    fn text(reply: Reply, printing: Printing) -> String {
        String::from_utf8(print(reply, printing)).unwrap()
    }

    #[test]
    fn an_answer_closes_the_connection_and_tells_its_length() {
        let answer = text(Reply::text("pong"), PRINTING);
        assert!(answer.starts_with("HTTP/1.0 200 OK\r\nConnection: close\r\n"), "{answer}");
        assert!(answer.ends_with("\r\nContent-Length: 4\r\n\r\npong"), "{answer}");
        for line in [
            "Server: pollux/0.1.0",
            "Content-Type: text/plain; charset=utf-8",
            "X-Frame-Options: SAMEORIGIN",
            "X-Content-Type-Options: nosniff",
            "Content-Security-Policy: default-src 'none'; style-src 'self'; ",
        ] {
            assert!(answer.contains(&format!("\r\n{line}")), "{line}");
        }
        assert_eq!(answer.matches("\r\nServer:").count(), 1);
        assert!(!answer.contains("WWW-Authenticate"));
    }

    #[test]
    fn a_head_answer_is_the_same_without_its_body() {
        let whole = text(Reply::html("x".repeat(100_000)), PRINTING);
        let head = text(Reply::html("x".repeat(100_000)), Printing { head_only: true, ..PRINTING });
        let without_date = |text: &str| text.lines().filter(|line| !line.starts_with("Date:")).collect::<String>();
        assert_eq!(without_date(&head) + &"x".repeat(100_000), without_date(&whole));
        assert!(head.contains("Content-Length: 100000\r\n") && !head.contains("chunked"));
    }

    #[test]
    fn errors_are_pages_for_browsers_and_text_for_the_command_line() {
        let page = text(Reply::error(404, "There is no <x>"), PRINTING);
        assert!(page.starts_with("HTTP/1.0 404 Not Found\r\n"));
        assert!(page.contains("<h2>Not Found</h2>There is no &lt;x&gt;<hr>"));
        let plain = text(Reply::error(404, "There is no <x>"), Printing { plain_errors: true, ..PRINTING });
        assert!(plain.ends_with("\r\n\r\nThere is no <x>\n"));
        let login = text(Reply::error(401, "x"), PRINTING);
        assert!(login.contains("\r\nWWW-Authenticate: Basic realm=\"monit\"\r\n"));
    }

    #[test]
    fn good_answers_carry_the_token_and_the_way() {
        let printing = || Printing { token: Some("ab".into()), ..PRINTING };
        let moved = text(Reply::moved("/a%20b", "x"), printing());
        assert!(moved.starts_with("HTTP/1.0 302 Found\r\n") && moved.contains("\r\nLocation: /a%20b\r\n"), "{moved}");
        assert!(moved.contains("\r\nSet-Cookie: securitytoken=ab; Max-Age=600; HttpOnly; SameSite=strict\r\n"));
        assert!(!text(Reply::error(404, "x"), printing()).contains("Set-Cookie"));
        assert!(!text(Reply::moved("/a\r\nX: y", "x"), printing()).contains("X: y"));
    }

    #[test]
    fn over_an_encrypted_connection_browsers_are_told_to_stay_there() {
        let printing = Printing { token: Some("ab".into()), encrypted: true, ..PRINTING };
        let answer = text(Reply::text("pong"), printing);
        assert!(answer.contains("\r\nStrict-Transport-Security: max-age=63072000\r\n"), "{answer}");
        assert!(answer.contains("; SameSite=strict; Secure\r\n"), "{answer}");
        assert!(!text(Reply::text("pong"), PRINTING).contains("Strict-Transport"));
    }

    #[test]
    fn a_header_cannot_begin_another_one() {
        for value in ["a\r\nb: c", "a\nb", "a\rb", "\u{e9}", "a\tb"] {
            assert!(header("X", value).is_none(), "{value:?}");
        }
        assert!(header("X", "a b").is_some());
    }
}
