//! Which parts of a control file must not be shown: passwords, shared secrets, the credentials of addresses.

use super::lexer::{Lexer, Token, TokenKind};
use super::source::Span;

/// Whether a variable of that name probably holds a secret.
pub fn is_secret_name(name: &[u8]) -> bool {
    let name = name.to_ascii_uppercase();
    let parts: [&[u8]; 3] = [b"PASSWORD", b"SECRET", b"TOKEN"];
    parts.iter().any(|part| name.windows(part.len()).any(|some| some == *part))
}

/// Ranges of `text` that hold secrets, in order. It errs on the side of hiding: the text may be full of mistakes.
pub fn secrets(text: &[u8]) -> Vec<Span> {
    let mut lexer = Lexer::new(text, 0);
    let mut found = Vec::new();
    let mut place = 0;
    let mut after_password = false;
    let mut allow = Allow::No;
    loop {
        let token = lexer.token(place);
        if token.kind == TokenKind::End {
            return found;
        }
        place = token.span.end;
        let word = lexer.slice(token.span);
        let is_mark = matches!(token.kind, TokenKind::Operator | TokenKind::Colon);
        if after_password && !is_mark {
            place = lexer.skip_while(place, |byte| byte > b' ');
            found.push(Span { start: token.span.start, end: place });
            after_password = false;
            continue;
        }
        match token.kind {
            TokenKind::Url => found.extend(credentials(word).map(|span| shifted(span, token.span.start))),
            TokenKind::Word if word.eq_ignore_ascii_case(b"password") => after_password = true,
            TokenKind::Word if word.eq_ignore_ascii_case(b"secret") => after_password = true,
            // `NAME = VALUE` of `set environment`, with or without blanks.
            TokenKind::Word => {
                let sign = word.iter().position(|byte| *byte == b'=');
                let name = word.get(..sign.unwrap_or(word.len())).unwrap_or_default();
                let behind = sign.map_or(word.len(), |sign| sign + 1);
                if !is_secret_name(name) {
                } else if behind < word.len() {
                    place = lexer.skip_while(place, |byte| byte > b' ');
                    found.push(Span { start: token.span.start + behind, end: place });
                } else {
                    after_password = sign.is_some() || lexer.token(place).kind == TokenKind::Operator;
                }
            }
            _ => {}
        }
        allow = match allow.next(&token, word) {
            Allow::Secret => {
                let start = lexer.skip_space(place);
                let quoted = lexer.token(start);
                let end = if quoted.kind == TokenKind::Quoted { quoted.span.end } else { start };
                place = lexer.skip_while(end, |byte| byte > b' ');
                found.push(Span { start, end: place });
                Allow::No
            }
            other => other,
        };
    }
}

/// Where in `allow NAME : SECRET` the scan stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Allow {
    No,
    Word,
    Name,
    Secret,
}

impl Allow {
    fn next(self, token: &Token, word: &[u8]) -> Allow {
        match (self, token.kind) {
            (_, TokenKind::Word) if word.eq_ignore_ascii_case(b"allow") => Allow::Word,
            (Allow::Word, TokenKind::Ipv6) => Allow::No,
            (Allow::Word, _) => Allow::Name,
            (Allow::Name, TokenKind::Colon) => Allow::Secret,
            _ => Allow::No,
        }
    }
}

fn shifted(span: Span, by: usize) -> Span {
    Span { start: span.start + by, end: span.end + by }
}

/// The password within `scheme://user:password@host…`.
fn credentials(url: &[u8]) -> Option<Span> {
    let start = url.windows(3).position(|part| part == b"://")? + 3;
    let rest = url.get(start..)?;
    let authority = rest.split(|byte| *byte == b'/').next()?;
    let at =
        authority.iter().rposition(|byte| *byte == b'@').or_else(|| rest.iter().rposition(|byte| *byte == b'@'))?;
    let colon = rest.iter().take(at).position(|byte| *byte == b':')?;
    Some(Span { start: start + colon + 1, end: start + at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_good_and_bad_statements() {
        let table: &[(&str, &[&str])] = &[
            ("allow admin:monit", &["monit"]),
            ("allow admin : \"a b\" read-only", &["\"a b\""]),
            ("allow \"x\":y@z!q allow localhost", &["y@z!q"]),
            ("allow admin:\n secret", &["secret"]),
            ("allow ::1 allow 10.0.0.0/8", &[]),
            ("username x password y", &["y"]),
            ("password = \"a\nb\" x", &["\"a\nb\""]),
            ("PASSWORD pass@word x", &["pass@word"]),
            ("protocol radius secret s3", &["s3"]),
            ("set environment { PATH = /bin DB_PASSWORD = \"a b\" Api_Token=\"x\" }", &["\"a b\"", "\"x\""]),
            ("set environment { MY_SECRET=x/y HOME=/ TOKEN = z }", &["x/y", "z"]),
            ("check process tokens pidfile /password", &[]),
            ("set mmonit http://u:p@h:80/collector", &["p"]),
            ("set mmonit http://u:p/q@h/collector", &["p/q"]),
            ("if failed url http://h:80/x", &[]),
            ("set limits { programoutput: 5 b }", &[]),
            ("allow admin:\"unbalanced x", &["\"unbalanced"]),
        ];
        for (text, expected) in table {
            let found: Vec<&str> = secrets(text.as_bytes()).iter().map(|span| &text[span.start..span.end]).collect();
            assert_eq!(&found, expected, "{text}");
        }
    }
}
