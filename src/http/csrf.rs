//! Whether a request that acts was meant by whoever sends it, and not slipped to their browser by a foreign page. Pure.
//!
//! Pages and their cookie carry a token of ours. What a browser sends tells where it comes from (`Sec-Fetch-Site`, W3C Fetch
//! Metadata; `Origin`, RFC 6454): then it must be a page of ours, with a token of ours. Scripts tell nothing of the kind; of
//! them an equal pair of cookie and parameter is asked, whatever its value, as the original does.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::time::Mono;
use crate::view::html;

use super::auth::same;
use super::form::Form;
use super::head::Head;
use super::route::Refusal;

/// The name of cookie and parameter.
pub const NAME: &str = html::TOKEN_NAME;
/// How long the browser keeps the cookie, in seconds; pages renew it.
pub const COOKIE_AGE: u64 = 600;
/// How long a token is given out; then comes a new one.
const FRESH: Duration = Duration::from_secs(COOKIE_AGE);
/// Tokens that are still taken, with the one that is given out: each for half an hour at least.
const KEPT: usize = 4;

/// The tokens of this daemon.
#[derive(Debug, Default)]
pub struct Tokens {
    issued: VecDeque<(String, Mono)>,
}

impl Tokens {
    /// The token to give out now; `random` is asked when a new one is due. `None` without randomness: then pages cannot act.
    pub fn current(&mut self, now: Mono, random: impl FnOnce() -> Option<[u8; 16]>) -> Option<&str> {
        let is_fresh = self.issued.back().is_some_and(|(_, since)| now.since(*since) < FRESH);
        if !is_fresh {
            let token = random()?.iter().map(|byte| format!("{byte:02x}")).collect();
            self.issued.push_back((token, now));
            while self.issued.len() > KEPT {
                self.issued.pop_front();
            }
        }
        self.issued.back().map(|(token, _)| token.as_str())
    }

    /// Whether we gave out `token`, not too long ago.
    fn know(&self, token: &str, now: Mono) -> bool {
        let taken = self.issued.iter().filter(|(_, since)| now.since(*since) < FRESH * KEPT as u32);
        taken.fold(false, |known, (issued, _)| known | same(issued.as_bytes(), token.as_bytes()))
    }
}

/// Lets a request that acts pass.
///
/// # Errors
/// 403, with the original's message where the token is wrong.
pub fn check(head: &Head, body: &[u8], tokens: &Tokens, now: Mono) -> Result<(), Refusal> {
    let invalid = || Refusal::new(403, "Invalid CSRF Token");
    let parameter = parameter(head, body).filter(|token| !token.is_empty()).ok_or_else(invalid)?;
    let cookie = head.cookie.as_deref().and_then(cookie).ok_or_else(invalid)?;
    if !same(cookie, parameter.as_bytes()) {
        return Err(invalid());
    }
    let is_ours = match (&head.sec_fetch_site, &head.origin) {
        (Some(site), _) => site == b"same-origin",
        (None, Some(origin)) => {
            authority(origin).zip(head.host.as_deref()).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
        }
        (None, None) => return Ok(()),
    };
    if !is_ours {
        return Err(Refusal::new(403, "The request comes from a page of another site"));
    }
    if !tokens.know(&parameter, now) {
        return Err(Refusal::new(403, "Invalid CSRF Token: the page is too old; load it again"));
    }
    Ok(())
}

/// What the log says of a pair that does not fit, in the original's words; `None` when the pair is right.
pub fn mistake(head: &Head, body: &[u8]) -> Option<&'static str> {
    let Some(parameter) = parameter(head, body) else { return Some("missing CSRF token in HTTP parameter") };
    let Some(header) = head.cookie.as_deref() else { return Some("missing CSRF token cookie") };
    match cookie(header).filter(|token| !token.is_empty()) {
        None => Some("no CSRF token in cookie"),
        Some(token) => (!same(token, parameter.as_bytes())).then_some("CSRF token mismatch"),
    }
}

/// The token among the parameters.
fn parameter(head: &Head, body: &[u8]) -> Option<String> {
    let query = head.target.splitn(2, |byte| *byte == b'?').nth(1).unwrap_or_default();
    [query, body].iter().find_map(|part| Form::parse(part)?.get(NAME).map(str::to_owned))
}

/// The token among the cookies (RFC 6265 section 4.2).
fn cookie(header: &[u8]) -> Option<&[u8]> {
    let pairs = header.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let value = |pair: &'_ [u8]| -> Option<usize> {
        let rest = pair.strip_prefix(NAME.as_bytes())?.strip_prefix(b"=")?;
        Some(pair.len() - rest.len())
    };
    pairs.filter_map(|pair| pair.get(value(pair)?..)).next()
}

/// Host and port of an origin, as `Host` has them; `None` for `null` and what is no origin of HTTP.
fn authority(origin: &[u8]) -> Option<&[u8]> {
    origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head;

    const TOKEN: &str = "01010101010101010101010101010101";

    fn at(seconds: u64) -> Mono {
        Mono::from_origin(Duration::from_secs(seconds))
    }

    fn issued() -> Tokens {
        let mut tokens = Tokens::default();
        assert_eq!(tokens.current(at(100), || Some([1; 16])), Some(TOKEN));
        tokens
    }

    fn judged(headers: &str, parameter: &str) -> Result<(), Refusal> {
        let head = |target: &str| {
            let text = format!("POST {target} HTTP/1.1\r\nContent-Length: 0\r\n{headers}\r\n\r\n");
            head::parse(text.as_bytes()).unwrap().unwrap()
        };
        let form = format!("action=x&securitytoken={parameter}");
        let by_query = check(&head(&format!("/?{form}")), b"", &issued(), at(200));
        let by_body = check(&head("/"), form.as_bytes(), &issued(), at(200));
        assert_eq!(by_query, by_body);
        by_body
    }

    #[test]
    fn of_scripts_an_equal_pair_is_asked() {
        assert_eq!(judged("Cookie: securitytoken=abc", "abc"), Ok(()));
        assert_eq!(judged("Cookie: a=b; securitytoken=abc;c=d", "abc"), Ok(()));
        for (headers, parameter) in [
            ("X: y", "abc"),
            ("Cookie: securitytoken=abc", "abd"),
            ("Cookie: securitytoken=abc", ""),
            ("Cookie: securitytoken=", ""),
            ("Cookie: xsecuritytoken=abc", "abc"),
            ("Cookie: securitytoken", "abc"),
            ("Cookie: securitytokens=abc", "abc"),
        ] {
            assert_eq!(
                judged(headers, parameter),
                Err(Refusal::new(403, "Invalid CSRF Token")),
                "{headers} {parameter}"
            );
        }
    }

    #[test]
    fn the_log_says_which_half_is_wrong() {
        let of = |headers: &str, form: &str| {
            let text = format!("POST / HTTP/1.1\r\nContent-Length: 0\r\n{headers}\r\n\r\n");
            mistake(&head::parse(text.as_bytes()).unwrap().unwrap(), form.as_bytes())
        };
        assert_eq!(of("X: y", "action=x"), Some("missing CSRF token in HTTP parameter"));
        assert_eq!(of("X: y", "securitytoken=a"), Some("missing CSRF token cookie"));
        assert_eq!(of("Cookie: a=b", "securitytoken=a"), Some("no CSRF token in cookie"));
        assert_eq!(of("Cookie: securitytoken=b", "securitytoken=a"), Some("CSRF token mismatch"));
        assert_eq!(of("Cookie: securitytoken=a", "securitytoken=a"), None);
    }

    #[test]
    fn of_browsers_a_page_of_ours_is_asked() {
        let cookie = format!("Cookie: securitytoken={TOKEN}\r\n");
        let with = |headers: &str| judged(&format!("{cookie}{headers}"), TOKEN).map_err(|refusal| refusal.code);
        assert_eq!(with("Host: Box:2812\r\nOrigin: http://box:2812"), Ok(()));
        assert_eq!(with("Host: box\r\nOrigin: https://box"), Ok(()));
        assert_eq!(
            with("Host: 127.0.0.1:2812\r\nOrigin: https://proxy.example\r\nSec-Fetch-Site: same-origin"),
            Ok(())
        );
        for foreign in [
            "Host: box:2812\r\nOrigin: http://evil.example",
            "Host: box:2812\r\nOrigin: http://box:8080",
            "Host: box:2812\r\nOrigin: null",
            "Host: box:2812\r\nOrigin: file://box:2812",
            "Origin: http://box:2812",
            "Host: box:2812\r\nSec-Fetch-Site: cross-site",
            "Host: box:2812\r\nSec-Fetch-Site: same-site\r\nOrigin: http://box:2812",
            "Host: box:2812\r\nSec-Fetch-Site: none",
        ] {
            assert_eq!(with(foreign), Err(403), "{foreign}");
        }
        let invented = judged("Host: box\r\nOrigin: http://box\r\nCookie: securitytoken=abc", "abc").unwrap_err();
        assert!(invented.message.starts_with("Invalid CSRF Token"), "{invented:?}");
    }

    #[test]
    fn tokens_change_and_end() {
        let mut tokens = issued();
        let mut random = 1;
        let mut next = |tokens: &mut Tokens, seconds| {
            let token = tokens.current(at(seconds), || {
                random += 1;
                Some([random; 16])
            });
            token.unwrap().to_owned()
        };
        assert_eq!(next(&mut tokens, 699), TOKEN);
        assert_eq!(next(&mut tokens, 700), "02".repeat(16));
        assert!(tokens.know(TOKEN, at(2499)) && !tokens.know(TOKEN, at(2500)));
        for seconds in [1300, 1900, 2500] {
            next(&mut tokens, seconds);
        }
        assert_eq!(tokens.issued.len(), KEPT);
        assert!(tokens.know(&"02".repeat(16), at(2600)) && !tokens.know("", at(2600)));
        assert_eq!(Tokens::default().current(at(1), || None), None);
    }
}
