//! Tokens, pulled one at a time by the parser, which knows what a word can mean at its place.

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

/// Reads tokens from any place of a text.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    text: &'a [u8],
    /// Bytes looked at; the measure of the lexer's work.
    steps: u64,
}

impl<'a> Lexer<'a> {
    /// A lexer for `text`.
    pub fn new(text: &'a [u8]) -> Lexer<'a> {
        Lexer { text, steps: 0 }
    }

    /// Bytes looked at so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The text of a range; empty for a range outside the text.
    pub fn slice(&self, span: Span) -> &'a [u8] {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The byte at a place.
    pub fn byte(&self, place: usize) -> Option<u8> {
        self.text.get(place).copied()
    }

    /// The length of the text.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The first place at or behind `from` whose byte fails `test`.
    pub fn skip_while(&mut self, from: usize, test: impl Fn(u8) -> bool) -> usize {
        let run = self.text.get(from..).unwrap_or_default().iter().take_while(|byte| test(**byte)).count();
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
            if token.kind != TokenKind::Word {
                return token;
            }
            let word = self.slice(token.span);
            if words::is_noise(word) {
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
            return token(TokenKind::End, self.text.len().max(start));
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
        if end < self.text.len() {
            return Token { kind: TokenKind::Quoted, span: Span { start, end: end + 1 } };
        }
        let line_end = self.skip_while(start, |byte| byte != b'\n' && byte != b'\r');
        Token { kind: TokenKind::Unbalanced, span: Span { start, end: line_end } }
    }

    fn run(&mut self, start: usize) -> Token {
        let end = self.skip_while(start, |byte| !ends_word(byte));
        let word = self.slice(Span { start, end });
        let token = |kind, end| Token { kind, span: Span { start, end } };
        let rest = self.text.get(end..).unwrap_or_default();
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
        let part = self.text.get(start..).unwrap_or_default().iter().take(LONGEST + 1);
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
        let mut lexer = Lexer::new(text.as_bytes());
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
