//! Tokens, pulled one at a time by the parser, which knows what a word can mean at its place.

use std::cell::Cell;
use std::collections::HashMap;

use super::source::Span;
use super::words;

/// Longest token in bytes.
pub const TOKEN_MAX: usize = 64 * 1024;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An unquoted run of characters: a keyword or a string.
    Word,
    /// A string in quotes; the span includes them.
    Quoted,
    /// An unquoted run that begins with a slash.
    Path,
    /// Digits.
    Number,
    /// Digits, a point, digits.
    Real,
    /// `user@host`.
    Mail,
    /// `scheme://…`
    Url,
    /// An IPv6 address, with or without a prefix length.
    Ipv6,
    /// `=` `==` `!=` `<` `<=` `>` `>=`
    Operator,
    /// `%`
    Percent,
    /// `:`
    Colon,
    /// `@`
    At,
    /// `{`
    Open,
    /// `}`
    Close,
    /// A quote without its partner, up to the end of its line.
    Unbalanced,
    /// A token longer than [`TOKEN_MAX`].
    TooLong,
    /// A character that means nothing here.
    Stray,
    /// The end of the file.
    End,
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub span: Span,
}

/// Characters that end an unquoted run.
pub fn ends_word(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f || b"@:{}\"'!;(),%".contains(&byte)
}

/// Characters that are skipped between tokens.
fn is_blank(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f || b";,()".contains(&byte)
}

/// Reads tokens from any place of a text, and of the texts that are included in it.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    /// In the order of their places, which do not overlap.
    texts: Vec<Part<'a>>,
    /// The text that was looked at last.
    current: Cell<usize>,
    /// Where reading goes on in place of an `include`, by the place of the word.
    included: HashMap<usize, usize>,
    /// Bytes looked at; the measure of the lexer's work.
    steps: u64,
}

/// One text.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    text: &'a [u8],
    /// The place of its first byte.
    base: usize,
    /// Where reading goes on behind its end.
    behind: Option<usize>,
}

impl<'a> Lexer<'a> {
    /// A lexer for `text`, the first byte of which has the place `base`.
    pub fn new(text: &'a [u8], base: usize) -> Lexer<'a> {
        let texts = vec![Part { text, base, behind: None }];
        Lexer { texts, current: Cell::new(0), included: HashMap::new(), steps: 0 }
    }

    /// Reads the texts one after the other in place of what stands from the word `include` at `start` to `end`. Each comes
    /// with its first place, which is behind all that were given before.
    pub fn include(&mut self, start: usize, end: usize, texts: &[(&'a [u8], usize)]) {
        let next = texts.iter().skip(1).map(|(_, base)| *base).chain([end]);
        let parts = texts.iter().zip(next).map(|((text, base), next)| Part { text, base: *base, behind: Some(next) });
        self.texts.extend(parts);
        self.included.insert(start, texts.first().map_or(end, |(_, base)| *base));
    }

    /// Bytes looked at so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The text that holds a place; its end belongs to it.
    fn part(&self, place: usize) -> Option<&Part<'a>> {
        let holds = |part: &&Part<'a>| (part.base..=part.base + part.text.len()).contains(&place);
        if let Some(part) = self.texts.get(self.current.get()).filter(holds) {
            return Some(part);
        }
        let number = self.texts.partition_point(|part| part.base <= place).checked_sub(1)?;
        self.current.set(number);
        self.texts.get(number).filter(holds)
    }

    /// What stands at a place and behind it in its text.
    fn rest(&self, place: usize) -> &'a [u8] {
        self.part(place).and_then(|part| part.text.get(place - part.base..)).unwrap_or_default()
    }

    /// The text of a range; empty for a range that is not within one text.
    pub fn slice(&self, span: Span) -> &'a [u8] {
        span.end.checked_sub(span.start).and_then(|length| self.rest(span.start).get(..length)).unwrap_or_default()
    }

    /// The byte at a place.
    pub fn byte(&self, place: usize) -> Option<u8> {
        self.rest(place).first().copied()
    }

    /// The end of the text that holds a place.
    pub fn end(&self, place: usize) -> usize {
        place + self.rest(place).len()
    }

    /// Whether two places are in one text.
    pub fn is_one_text(&self, a: usize, b: usize) -> bool {
        let base = |place| self.part(place).map(|part| part.base);
        base(a) == base(b)
    }

    /// The first place at or behind `from` whose byte fails `test`.
    pub fn skip_while(&mut self, from: usize, test: impl Fn(u8) -> bool) -> usize {
        let run = self.rest(from).iter().take_while(|byte| test(**byte)).count();
        self.steps += run as u64 + 1;
        from + run
    }

    /// The place behind blanks and tabs.
    pub fn skip_blanks(&mut self, from: usize) -> usize {
        self.skip_while(from, |byte| byte == b' ' || byte == b'\t')
    }

    /// The place behind white space, separators, comments and continued lines.
    pub fn skip_space(&mut self, from: usize) -> usize {
        let mut place = from;
        loop {
            place = self.skip_while(place, is_blank);
            match self.byte(place) {
                Some(b'#') => place = self.skip_while(place, |byte| byte != b'\n'),
                Some(b'\\') => {
                    let behind = self.skip_while(place + 1, |byte| byte == b'\r');
                    if self.byte(behind) != Some(b'\n') {
                        return place;
                    }
                    place = behind + 1;
                }
                _ => return place,
            }
        }
    }

    /// The next token at or behind `from`; noise words are skipped.
    pub fn token(&mut self, from: usize) -> Token {
        let mut place = from;
        loop {
            place = self.skip_space(place);
            let token = self.raw_token(place);
            if token.kind == TokenKind::End
                && let Some(behind) = self.part(place).and_then(|part| part.behind)
            {
                place = behind;
                continue;
            }
            if token.kind != TokenKind::Word {
                return token;
            }
            let word = self.slice(token.span);
            if let Some(included) = self.included.get(&place) {
                place = *included;
            } else if words::is_noise(word) {
                place = token.span.end;
            } else if let Some(end) = self.disabled_ssl(token.span) {
                place = end;
            } else {
                return token;
            }
        }
    }

    /// `ssl disable` and `disable ssl` mean nothing together.
    fn disabled_ssl(&mut self, first: Span) -> Option<usize> {
        let word = self.slice(first);
        let partner: &[u8] = if word.eq_ignore_ascii_case(b"ssl") {
            b"disable"
        } else if word.eq_ignore_ascii_case(b"disable") {
            b"ssl"
        } else {
            return None;
        };
        let start = self.skip_blanks(first.end);
        let end = self.skip_while(start, |byte| !ends_word(byte));
        let second = self.slice(Span { start, end });
        (start > first.end && second.eq_ignore_ascii_case(partner)).then_some(end)
    }

    fn raw_token(&mut self, start: usize) -> Token {
        let token = |kind, end| Token { kind, span: Span { start, end } };
        let Some(byte) = self.byte(start) else {
            return token(TokenKind::End, start);
        };
        let found = match byte {
            b'"' | b'\'' => self.quoted(start, byte),
            b'{' => token(TokenKind::Open, start + 1),
            b'}' => token(TokenKind::Close, start + 1),
            b'%' => token(TokenKind::Percent, start + 1),
            b'@' => token(TokenKind::At, start + 1),
            b'!' if self.byte(start + 1) == Some(b'=') => token(TokenKind::Operator, start + 2),
            b'!' => token(TokenKind::Stray, start + 1),
            b':' => match self.ipv6(start) {
                Some(end) => token(TokenKind::Ipv6, end),
                None => token(TokenKind::Colon, start + 1),
            },
            _ => self.run(start),
        };
        if found.span.end - found.span.start > TOKEN_MAX {
            return Token { kind: TokenKind::TooLong, ..found };
        }
        found
    }

    fn quoted(&mut self, start: usize, quote: u8) -> Token {
        let end = self.skip_while(start + 1, |byte| byte != quote);
        if self.byte(end).is_some() {
            return Token { kind: TokenKind::Quoted, span: Span { start, end: end + 1 } };
        }
        let line_end = self.skip_while(start, |byte| byte != b'\n' && byte != b'\r');
        Token { kind: TokenKind::Unbalanced, span: Span { start, end: line_end } }
    }

    fn run(&mut self, start: usize) -> Token {
        let end = self.skip_while(start, |byte| !ends_word(byte));
        let word = self.slice(Span { start, end });
        let token = |kind, end| Token { kind, span: Span { start, end } };
        let rest = self.rest(end);
        if rest.starts_with(b"://") && word.iter().all(u8::is_ascii_alphanumeric) {
            let end = self.skip_while(end, |byte| byte > b' ');
            return token(TokenKind::Url, end);
        }
        if rest.starts_with(b"@") && self.byte(end + 1).is_some_and(|byte| !ends_word(byte)) {
            let end = self.skip_while(end + 1, |byte| !ends_word(byte));
            return token(TokenKind::Mail, end);
        }
        if rest.starts_with(b":")
            && let Some(end) = self.ipv6(start)
        {
            return token(TokenKind::Ipv6, end);
        }
        let kind = match word {
            b"=" | b"==" | b"<" | b"<=" | b">" | b">=" => TokenKind::Operator,
            [b'/', ..] => TokenKind::Path,
            _ if word.iter().all(u8::is_ascii_digit) => TokenKind::Number,
            _ if is_real(word) => TokenKind::Real,
            _ => TokenKind::Word,
        };
        token(kind, end)
    }

    /// The end of the IPv6 address that begins at `start`, if one does: colons and hex digits with `::` or seven colons.
    fn ipv6(&mut self, start: usize) -> Option<usize> {
        const LONGEST: usize = 45;
        let part = self.rest(start).iter().take(LONGEST + 1);
        let length = part.take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')).count();
        self.steps += length as u64;
        let end = start + length;
        let address = self.slice(Span { start, end });
        let colons = address.iter().filter(|byte| **byte == b':').count();
        let double = address.windows(2).any(|pair| pair == b"::");
        if address.len() > LONGEST || !(double || colons == 7) {
            return None;
        }
        if self.byte(end) == Some(b'/') {
            let behind = self.skip_while(end + 1, |byte| byte.is_ascii_digit());
            return (behind > end + 1).then_some(behind);
        }
        self.byte(end).is_none_or(ends_word).then_some(end)
    }
}

fn is_real(word: &[u8]) -> bool {
    let mut parts = word.split(|byte| *byte == b'.');
    let mut digits = || parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit));
    digits() && digits() && parts.next().is_none()
}

/// Takes the escapes of a quoted string off: `\n` `\t` `\r` `\\` `\ ` and `\0xHH`; every other backslash stays, and so does
/// `\0x00`, which send and expect strings spell out later.
pub fn unescape(content: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some((byte, behind)) = rest.split_first() {
        let (value, left) = match (byte, behind) {
            (b'\\', [b'n', left @ ..]) => (b'\n', left),
            (b'\\', [b't', left @ ..]) => (b'\t', left),
            (b'\\', [b'r', left @ ..]) => (b'\r', left),
            (b'\\', [b'\\', left @ ..]) => (b'\\', left),
            (b'\\', [b' ', left @ ..]) => (b' ', left),
            (b'\\', [b'0', b'x', high, low, left @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) if high + low > 0 => (high * 16 + low, left),
                _ => (b'\\', behind),
            },
            _ => (*byte, behind),
        };
        plain.push(value);
        rest = left;
    }
    plain
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::TokenKind::*;
    use super::*;

    fn tokens(text: &str) -> Vec<(TokenKind, &str)> {
        let mut lexer = Lexer::new(text.as_bytes(), 0);
        let mut place = 0;
        let mut all = Vec::new();
        loop {
            let token = lexer.token(place);
            if token.kind == End {
                return all;
            }
            all.push((token.kind, &text[token.span.start..token.span.end]));
            place = token.span.end;
        }
    }

    #[test]
    fn white_space_separators_comments_and_noise_are_skipped() {
        assert_eq!(
            tokens(" a;b,(c)\r\n# x \" '\n d \\\n e # f"),
            "abcde".split("").filter(|s| !s.is_empty()).map(|s| (Word, s)).collect::<Vec<_>>()
        );
        assert_eq!(tokens("IS as are for via on only with x within without the sum"), [(Word, "x")]);
        assert_eq!(
            tokens("ssl disable a DISABLE\tssl b ssl\ndisable"),
            [(Word, "a"), (Word, "b"), (Word, "ssl"), (Word, "disable")]
        );
        assert_eq!(tokens("a#b"), [(Word, "a#b")]);
        assert_eq!(tokens("a \\ b"), [(Word, "a"), (Word, "\\"), (Word, "b")]);
    }

    #[test]
    fn kinds_of_tokens() {
        let table: &[(&str, &[(TokenKind, &str)])] = &[
            ("30", &[(Number, "30")]),
            ("1.5", &[(Real, "1.5")]),
            ("1.2.3.4 1. .5", &[(Word, "1.2.3.4"), (Word, "1."), (Word, ".5")]),
            ("30s 50MB", &[(Word, "30s"), (Word, "50MB")]),
            ("50%", &[(Number, "50"), (Percent, "%")]),
            ("mem>50MB", &[(Word, "mem>50MB")]),
            (
                "= == != < <= > >= !",
                &[
                    (Operator, "="),
                    (Operator, "=="),
                    (Operator, "!="),
                    (Operator, "<"),
                    (Operator, "<="),
                    (Operator, ">"),
                    (Operator, ">="),
                    (Stray, "!"),
                ],
            ),
            ("/a/b=c x", &[(Path, "/a/b=c"), (Word, "x")]),
            ("'a\nb' \"c'd\"", &[(Quoted, "'a\nb'"), (Quoted, "\"c'd\"")]),
            ("a@b.c", &[(Mail, "a@b.c")]),
            ("a@ @b", &[(Word, "a"), (At, "@"), (At, "@"), (Word, "b")]),
            ("http://u:p@h:80/x?a,b;c y", &[(Url, "http://u:p@h:80/x?a,b;c"), (Word, "y")]),
            ("user:pass", &[(Word, "user"), (Colon, ":"), (Word, "pass")]),
            (
                "::1 fe80::/64 ab:cd 1:2:3:4:5:6:7:8",
                &[
                    (Ipv6, "::1"),
                    (Ipv6, "fe80::/64"),
                    (Word, "ab"),
                    (Colon, ":"),
                    (Word, "cd"),
                    (Ipv6, "1:2:3:4:5:6:7:8"),
                ],
            ),
            ("{}", &[(Open, "{"), (Close, "}")]),
            ("\"open\nx", &[(Unbalanced, "\"open"), (Word, "x")]),
        ];
        for (text, expected) in table {
            assert_eq!(&tokens(text), expected, "{text}");
        }
    }

    #[test]
    fn included_texts_are_read_in_place_of_the_word() {
        let mut lexer = Lexer::new(b"a include x b", 0);
        let mut all = Vec::new();
        let mut place = 0;
        loop {
            let token = lexer.token(place);
            place = token.span.end;
            let word = lexer.slice(token.span);
            all.extend_from_slice(word);
            match (token.kind, word) {
                (End, _) => break,
                (_, b"include") if token.span.start == 2 => {
                    lexer.include(2, 11, &[(b"c # d", 20), (b" include y e", 30)])
                }
                (_, b"include") => lexer.include(31, 40, &[]),
                _ => {}
            }
            if word == b"include" {
                place = token.span.start;
                all.push(b' ');
            }
        }
        assert_eq!(all, b"ainclude cinclude eb");
        assert!(lexer.is_one_text(30, 42) && !lexer.is_one_text(20, 30) && lexer.end(22) == 25);
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape(br"a\nb\tc\rd\\e\ f\[g\0x41\0x00\0xg1\"), b"a\nb\tc\rd\\e f\\[gA\\0x00\\0xg1\\");
    }

    #[test]
    fn a_token_has_a_greatest_length() {
        let long = "x".repeat(TOKEN_MAX + 1);
        assert_eq!(tokens(&long)[0].0, TooLong);
        assert_eq!(tokens(&long[1..])[0].0, Word);
    }
}
