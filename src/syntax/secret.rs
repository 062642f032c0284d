//! Which parts of a control file must not be shown: passwords, shared secrets, the credentials of addresses.

use super::lexer::{Lexer, Token, TokenKind};
use super::parser::TYPOGRAPHIC_QUOTES;
use super::source::Span;

/// What stands in place of a secret, however long that is.
pub const MASK: &str = "********";

/// Whether a variable of that name probably holds a secret.
pub fn is_secret_name(name: &[u8]) -> bool {
    let name = name.to_ascii_uppercase();
    let parts: [&[u8]; 5] = [b"PASS", b"SECRET", b"TOKEN", b"KEY", b"CREDENTIAL"];
    parts.iter().any(|part| name.windows(part.len()).any(|some| some == *part))
}

/// Whether a header of HTTP requests of that name probably holds a secret.
pub fn is_secret_header(name: &[u8]) -> bool {
    let upper = name.to_ascii_uppercase();
    let parts: [&[u8]; 2] = [b"AUTH", b"COOKIE"];
    is_secret_name(name) || parts.iter().any(|part| upper.windows(part.len()).any(|some| some == *part))
}

/// Ranges of `text` that hold secrets, in order. It errs on the side of hiding: the text may be full of mistakes. A quote
/// without its partner turns what stands in quotes inside out up to the end of the text, so each line is read by itself as
/// well, and without its quotes if their number is odd.
pub fn secrets(text: &[u8]) -> Vec<Span> {
    let mut found = scan(text);
    let mut start = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        found.extend(scan(line).into_iter().map(|span| shifted(span, start)));
        let is_odd = |quote: u8| line.iter().filter(|byte| **byte == quote).count() % 2 == 1;
        if is_odd(b'"') || is_odd(b'\'') {
            let bare: Vec<u8> = line.iter().map(|byte| if b"\"'".contains(byte) { b' ' } else { *byte }).collect();
            found.extend(scan(&bare).into_iter().map(|span| shifted(span, start)));
            let mut by = start;
            for piece in line.split(|byte| b"\"'".contains(byte)) {
                found.extend(in_text(piece).into_iter().map(|span| shifted(span, by)));
                by += piece.len() + 1;
            }
        }
        start += line.len();
    }
    found.retain(|span| span.start < span.end);
    apart(found)
}

/// What can be told of secrets where quotes are in order.
fn scan(text: &[u8]) -> Vec<Span> {
    let mut lexer = Lexer::new(text, 0);
    let mut found = Vec::new();
    let mut place = 0;
    let mut after_password = false;
    let mut of_variable = false;
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
            if of_variable {
                place = end_of_value(&mut lexer, place);
            }
            place = end_of_typographic(&mut lexer, token.span.start, place);
            found.push(Span { start: token.span.start, end: place });
            (after_password, of_variable) = (false, false);
            continue;
        }
        match token.kind {
            TokenKind::Url if credentials(word).is_none() && is_cut(&mut lexer, token.span) => {
                let colon = word.iter().rposition(|byte| *byte == b':').unwrap_or_default();
                place = lexer.skip_while(place, |byte| byte != b'@' && byte != b'\n');
                found.push(Span { start: token.span.start + colon + 1, end: place });
            }
            TokenKind::Url | TokenKind::Quoted => {
                let inside = match token.kind {
                    TokenKind::Quoted => word.get(1..word.len().saturating_sub(1)).unwrap_or_default(),
                    _ => word,
                };
                let by = token.span.start + usize::from(token.kind == TokenKind::Quoted);
                found.extend(in_text(inside).into_iter().map(|span| shifted(span, by)));
            }
            TokenKind::Word if word.eq_ignore_ascii_case(b"password") => after_password = true,
            TokenKind::Word if word.eq_ignore_ascii_case(b"secret") => after_password = true,
            TokenKind::Word if !is_secret_name(word) && is_scheme(&mut lexer, place) => {
                place = lexer.skip_while(place, |byte| byte > b' ');
                let run = Span { start: token.span.start, end: place };
                found.extend(credentials(lexer.slice(run)).map(|span| shifted(span, run.start)));
            }
            // `NAME: VALUE` of `http headers`
            TokenKind::Word if lexer.token(place).kind == TokenKind::Colon && is_header(word) => {
                let colon = lexer.token(place).span.end;
                let start = lexer.skip_blanks(colon);
                place = lexer.skip_while(start, |byte| !b",]\n".contains(&byte));
                found.push(Span { start, end: place });
            }
            // `NAME = VALUE` of `set environment`, with or without blanks.
            TokenKind::Word => {
                let sign = word.iter().position(|byte| *byte == b'=');
                let name = word.get(..sign.unwrap_or(word.len())).unwrap_or_default();
                let behind = sign.map_or(word.len(), |sign| sign + 1);
                if !is_secret_name(name) {
                } else if behind < word.len() {
                    place = lexer.skip_while(place, |byte| byte > b' ');
                    place = end_of_value(&mut lexer, place);
                    found.push(Span { start: token.span.start + behind, end: place });
                } else {
                    after_password = sign.is_some() || lexer.token(place).kind == TokenKind::Operator;
                    of_variable = after_password;
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
                place = end_of_typographic(&mut lexer, start, place);
                found.push(Span { start, end: place });
                Allow::No
            }
            other => other,
        };
    }
}

/// Whether the signs at `place` make the word in front of them the scheme of an address.
fn is_scheme(lexer: &mut Lexer, place: usize) -> bool {
    let end = lexer.skip_while(place, |byte| b":/".contains(&byte));
    lexer.slice(Span { start: place, end }) == b"://"
}

/// Whether an address ends in what looks like a password with a blank in it: no port, and an '@' follows in the line.
fn is_cut(lexer: &mut Lexer, url: Span) -> bool {
    let line = lexer.skip_while(url.end, |byte| byte != b'\n');
    let has_at = lexer.slice(Span { start: url.end, end: line }).contains(&b'@');
    let behind_colon = lexer.slice(url).rsplit(|byte| *byte == b':').next().unwrap_or_default();
    has_at && !behind_colon.contains(&b'/') && !behind_colon.iter().all(u8::is_ascii_digit)
}

/// Whether a word in front of a colon is the name of a header that probably holds a secret. Options of encryption stand in
/// front of colons, too, but have no dash.
fn is_header(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"[").unwrap_or(word);
    let whole: [&[u8]; 2] = [b"authorization", b"cookie"];
    let whole = whole.iter().any(|name| word.eq_ignore_ascii_case(name));
    whole || word.contains(&b'-') && is_secret_header(word)
}

/// Where the value of a variable ends whose first word ends at `place`: quotes may be missing around several words.
fn end_of_value(lexer: &mut Lexer, place: usize) -> usize {
    let mut end = place;
    loop {
        let start = lexer.skip_blanks(end);
        let word = lexer.skip_while(start, |byte| byte > b' ' && !b"={};,#".contains(&byte));
        let behind = lexer.skip_blanks(word);
        if word == start || lexer.byte(behind) == Some(b'=') {
            return end;
        }
        end = lexer.skip_while(word, |byte| byte > b' ' && byte != b'}');
    }
}

/// Where a secret that stands from `start` to `end` really ends, if it begins with a letter that looks like a quote.
fn end_of_typographic(lexer: &mut Lexer, start: usize, end: usize) -> usize {
    let line = lexer.skip_while(start, |byte| byte != b'\n');
    let text = lexer.slice(Span { start, end: line });
    let Some(opening) = TYPOGRAPHIC_QUOTES.iter().find(|quote| text.starts_with(quote)) else {
        return end;
    };
    let closes = |place: &usize| {
        let rest = text.get(*place..).unwrap_or_default();
        TYPOGRAPHIC_QUOTES.iter().any(|quote| rest.starts_with(quote))
    };
    let closing = (opening.len()..text.len()).find(closes);
    lexer.skip_while(end.max(closing.map_or(line, |place| start + place)), |byte| byte > b' ')
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
pub fn credentials(url: &[u8]) -> Option<Span> {
    let start = url.windows(3).position(|part| part == b"://")? + 3;
    let rest = url.get(start..)?;
    let authority = rest.split(|byte| *byte == b'/').next()?;
    let at =
        authority.iter().rposition(|byte| *byte == b'@').or_else(|| rest.iter().rposition(|byte| *byte == b'@'))?;
    let colon = rest.iter().take(at).position(|byte| *byte == b':')?;
    Some(Span { start: start + colon + 1, end: start + at })
}

/// All secrets of an address or a text in quotes, in order and apart from each other.
fn in_text(text: &[u8]) -> Vec<Span> {
    apart(credentials(text).into_iter().chain(in_request(text)).chain(in_dialogue(text)).collect())
}

/// The ranges in order, those that touch as one.
fn apart(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| span.start);
    let mut apart: Vec<Span> = Vec::new();
    for span in spans {
        match apart.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => apart.push(span),
        }
    }
    apart
}

/// The values of a request such as `/path?name=value&name=value` whose names sound like secrets.
pub fn in_request(request: &[u8]) -> Vec<Span> {
    let mut found = Vec::new();
    let mut start = request.iter().position(|byte| *byte == b'?').map_or(request.len(), |mark| mark + 1);
    for part in request.get(start..).unwrap_or_default().split(|byte| b"&;".contains(byte)) {
        let value = part.split(|byte| *byte == b'#').next().unwrap_or_default();
        if let Some(sign) = value.iter().position(|byte| *byte == b'=')
            && is_secret_name(value.get(..sign).unwrap_or_default())
            && sign + 1 < value.len()
        {
            found.push(Span { start: start + sign + 1, end: start + value.len() });
        }
        start += part.len() + 1;
    }
    found
}

/// What follows `AUTH`, `PASS` or `LOGIN`, the first or second word of a line that is sent, and the values of headers that
/// sound like secrets. A line ends at a line end, also at one that is written `\r` or `\n`.
pub fn in_dialogue(text: &[u8]) -> Vec<Span> {
    const COMMANDS: [&[u8]; 3] = [b"AUTH", b"PASS", b"LOGIN"];
    let mut found = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let rest = text.get(start..).unwrap_or_default();
        let is_end = |place: &usize| matches!(rest.get(*place..), Some([b'\r' | b'\n', ..] | [b'\\', b'r' | b'n', ..]));
        let end = (0..rest.len()).find(is_end).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        let mut words = line.split(|byte| *byte == b' ').scan(0, |place, word| {
            let from = *place;
            *place += word.len() + 1;
            Some((from, word))
        });
        let is_command = |word: &[u8]| COMMANDS.iter().any(|known| word.eq_ignore_ascii_case(known));
        let behind = match line.iter().position(|byte| *byte == b':') {
            Some(colon) if is_header(line.get(..colon).unwrap_or_default()) => Some(colon + 1),
            _ => words.by_ref().take(2).find(|(_, word)| is_command(word)).map(|(from, word)| from + word.len()),
        };
        let value = behind.map(|behind| behind + line.iter().skip(behind).take_while(|byte| **byte == b' ').count());
        found.extend(value.filter(|value| *value < end).map(|value| Span { start: start + value, end: start + end }));
        // Behind the line end, of one or two characters.
        let mark = rest.get(end..).map_or(1, |mark| if mark.starts_with(b"\\") { 2 } else { 1 });
        start += end + mark;
    }
    found
}

/// `text` with [`MASK`] in place of these ranges, which are in order.
pub fn masked(text: &[u8], secrets: &[Span]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut place = 0;
    for secret in secrets.iter() {
        out.extend_from_slice(text.get(place..secret.start).unwrap_or_default());
        out.extend_from_slice(MASK.as_bytes());
        place = secret.end;
    }
    out.extend_from_slice(text.get(place..).unwrap_or_default());
    out
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
            ("set environment { DB_PASS = two words A = b }", &["two words"]),
            ("set environment { API_KEY=two words\nA = b }", &["two words"]),
            ("set environment { DATABASE_URL = postgres://u:p@h/d }", &["p"]),
            ("set environment { DATABASE_URL=\"postgres://u:p@h/d\" A = b }", &["p"]),
            ("http headers [Authorization: Basic c2VjcmV0, Accept: x, X-Api-Key: \"k\"]", &["Basic c2VjcmV0", "\"k\""]),
            ("allow admin:\u{201c}two words\u{201d} allow localhost", &["\u{201c}two words\u{201d}"]),
            ("password \u{201c}two words\u{201d} port 25", &["\u{201c}two words\u{201d}"]),
            ("password \u{201c}two words\nport 25", &["\u{201c}two words"]),
            ("set mmonit https://u:two words@h/c", &["two words"]),
            ("if failed url http://h:80/x then alert alert a@b", &[]),
            ("with ssl { pemkey: /etc/key pemfile: /etc/pem }", &[]),
            ("if memory > 5 MB then alert else if passed then alert", &[]),
            (r#"request "/x?user=u&password=a%20b&q=1" status 200"#, &["a%20b"]),
            ("url http://u:p@h/x?token=t&api_key=k#top then alert", &["p", "t", "k"]),
            ("if failed url https://h/x?monkeys=3 then alert", &["3"]),
            ("if failed url https://h/x?pass=&q=1 then alert", &[]),
            (r#"send "AUTH s3 cret\r\nPING\r\n" expect "OK""#, &["s3 cret"]),
            ("send 'a1 login u p' send \"USER u\\nPASS p\\n\"", &["u p", "p"]),
            (r#"send "GET / HTTP/1.0\r\nAuthorization: Basic eHg=\r\nHost: x""#, &["Basic eHg="]),
            (r#"send "PING" expect "PASSED 5""#, &[]),
            ("allow \"admin:s3\nset mailserver mx username \"u\" password \"s4\" port 25", &["s3", "\"s4\""]),
            (r#"if " failed port 1 request "/x?token=s3&q=1" then alert"#, &["s3"]),
            (r#"if failed port 1 " send "AUTH s3\r\n" then alert"#, &["s3"]),
            ("allow \"u:s3\" allow localhost\nset httpd \" port 1 allow adm:\"s4\" allow it:s5", &["s4", "s5"]),
            (r#"send "AUTH http://u:p@h/?token=x""#, &["http://u:p@h/?token=x"]),
        ];
        for (text, expected) in table {
            let found: Vec<&str> = secrets(text.as_bytes()).iter().map(|span| &text[span.start..span.end]).collect();
            assert_eq!(&found, expected, "{text}");
        }
    }

    #[test]
    fn what_is_masked_tells_nothing_of_its_length() {
        for secret in ["x", "a much longer secret"] {
            let request = format!("/x?token={secret}&q=1");
            assert_eq!(masked(request.as_bytes(), &in_request(request.as_bytes())), b"/x?token=********&q=1");
            let dialogue = format!("AUTH {secret}\r\nPING\r\n");
            let spans = in_dialogue(dialogue.as_bytes());
            assert_eq!(masked(dialogue.as_bytes(), &spans), b"AUTH ********\r\nPING\r\n");
        }
        assert_eq!(masked(b"plain", &[]), b"plain");
    }
}
