//! POSIX extended regular expressions as glibc and FreeBSD's libc understand them (regex(7), re_format(7)), in the syntax of
//! the regex crate.
//!
//! The expression is parsed by a whitelist grammar: what is not known to mean the same is an error. Matching is on bytes, a
//! word character is an ASCII letter, digit or underscore, `.` matches every byte, and `^` and `$` are the ends of the text.

use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

/// Longest expression in bytes.
pub const LENGTH_MAX: usize = 64 * 1024;

/// How deep parentheses may be nested.
pub const DEPTH_MAX: usize = 64;

/// Largest number in `{…}`; glibc takes as many, FreeBSD takes 255.
pub const REPEAT_MAX: u32 = 32_767;

/// How many intervals may stand behind one another, as in `a{2}{3}`.
const INTERVALS_MAX: usize = 8;

/// Most bytes a compiled expression may take.
const COMPILED_MAX: usize = 8 * 1024 * 1024;

/// Something that may mean another thing than it looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where in the expression, in bytes.
    pub offset: usize,
    /// What to know, lower case without a full stop.
    pub text: String,
}

/// Why an expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EreError {
    /// Where in the expression, in bytes.
    pub offset: usize,
    /// Why, lower case without a full stop.
    pub text: String,
}

impl fmt::Display for EreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.text, self.offset + 1)
    }
}

impl std::error::Error for EreError {}

/// A translated expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translated {
    /// For [`regex::bytes::Regex`]; flags included.
    pub regex_source: String,
    /// What may surprise.
    pub warnings: Vec<Warning>,
}

/// Translates and compiles an expression. The result matches anywhere in the bytes unless anchored.
///
/// # Errors
/// When the expression is wrong, uses back-references, or is too large.
pub fn compile(ere: &[u8]) -> Result<(Regex, Vec<Warning>), EreError> {
    let translated = translate(ere)?;
    let regex = RegexBuilder::new(&translated.regex_source).unicode(false).size_limit(COMPILED_MAX).build();
    match regex {
        Ok(regex) => Ok((regex, translated.warnings)),
        Err(regex::Error::CompiledTooBig(limit)) => {
            Err(EreError { offset: 0, text: format!("it takes more than {limit} bytes of memory") })
        }
        Err(_) => Err(EreError { offset: 0, text: "it is too complex".to_owned() }),
    }
}

/// Translates an expression.
///
/// # Errors
/// When the expression is wrong, uses back-references, or is too long or too deep.
pub fn translate(ere: &[u8]) -> Result<Translated, EreError> {
    let mut parser = Parser { ere, place: 0, out: String::from("(?s-u)"), warnings: Vec::new(), depth: 0 };
    if ere.len() > LENGTH_MAX {
        return Err(parser.error(0, format!("it is longer than {LENGTH_MAX} bytes")));
    }
    parser.alternatives()?;
    Ok(Translated { regex_source: parser.out, warnings: parser.warnings })
}

struct Parser<'a> {
    ere: &'a [u8],
    place: usize,
    out: String,
    warnings: Vec<Warning>,
    depth: usize,
}

type Parse<T> = Result<T, EreError>;

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.ere.get(self.place).copied()
    }

    fn at(&self, place: usize) -> Option<u8> {
        self.ere.get(place).copied()
    }

    fn error(&self, offset: usize, text: impl Into<String>) -> EreError {
        EreError { offset, text: text.into() }
    }

    fn warn(&mut self, offset: usize, text: impl Into<String>) {
        self.warnings.push(Warning { offset, text: text.into() });
    }

    /// Branches separated by `|`, up to the end or to the parenthesis that closes the group.
    fn alternatives(&mut self) -> Parse<()> {
        let mut fresh = true;
        while let Some(byte) = self.peek() {
            let start = self.place;
            match byte {
                b'|' => {
                    self.place += 1;
                    self.out.push('|');
                    fresh = true;
                    continue;
                }
                b')' if self.depth > 0 => return Ok(()),
                b'*' | b'+' | b'?' | b'{' if fresh => {
                    let flags = start > 0 && self.at(start - 1) == Some(b'(') && byte == b'?';
                    let text = if flags {
                        "'?' has nothing to repeat here; there are no flags such as (?i)".to_owned()
                    } else {
                        format!("'{}' has nothing to repeat here", char::from(byte))
                    };
                    return Err(self.error(start, text));
                }
                _ => {}
            }
            let from = self.out.len();
            fresh = self.atom(byte)?;
            self.repeats(from, fresh)?;
        }
        Ok(())
    }

    /// One atom; tells whether a repetition behind it has nothing to repeat, as behind `^`.
    fn atom(&mut self, byte: u8) -> Parse<bool> {
        let start = self.place;
        self.place += 1;
        match byte {
            b'(' => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err(self.error(start, format!("parentheses are nested more than {DEPTH_MAX} deep")));
                }
                self.out.push_str("(?:");
                self.alternatives()?;
                if self.peek() != Some(b')') {
                    return Err(self.error(start, "this parenthesis is not closed"));
                }
                self.place += 1;
                self.out.push(')');
                self.depth -= 1;
            }
            b'.' => self.out.push('.'),
            b'^' | b'$' => {
                self.out.push(char::from(byte));
                return Ok(true);
            }
            b'[' => self.bracket(start)?,
            b'\\' => return self.escape(start),
            literal => push_byte(&mut self.out, literal),
        }
        Ok(false)
    }

    /// What stands behind a backslash; tells whether it is an assertion.
    fn escape(&mut self, start: usize) -> Parse<bool> {
        let Some(byte) = self.peek() else {
            return Err(self.error(start, "there is nothing behind the backslash"));
        };
        self.place += 1;
        match byte {
            b'1'..=b'9' => return Err(self.error(start, "back-references are not supported")),
            b'<' => self.out.push_str(r"\b{start}"),
            b'>' => self.out.push_str(r"\b{end}"),
            b'b' | b'B' => self.out.push_str(if byte == b'b' { r"\b" } else { r"\B" }),
            b'`' => self.out.push_str(r"\A"),
            b'\'' => self.out.push_str(r"\z"),
            b'w' | b'W' | b's' | b'S' => {
                self.out.push('\\');
                self.out.push(char::from(byte));
                return Ok(false);
            }
            literal => {
                if literal.is_ascii_alphanumeric() {
                    let letter = char::from(literal);
                    let help = match literal {
                        b'd' => ", write [0-9] for digits",
                        b'D' => ", write [^0-9] for all but digits",
                        _ => "",
                    };
                    self.warn(start, format!("'\\{letter}' stands for '{letter}' here{help}"));
                }
                push_byte(&mut self.out, literal);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Repetitions of what was printed from `from` on.
    fn repeats(&mut self, from: usize, anchor: bool) -> Parse<()> {
        // What `*`, `+` and `?` in a row come to: fewest and most.
        let mut plain: Option<(bool, bool)> = None;
        let mut intervals = 0;
        while let Some(byte) = self.peek() {
            let start = self.place;
            let (optional, many) = match byte {
                b'*' => (true, true),
                b'+' => (false, true),
                b'?' => (true, false),
                b'{' => {
                    if anchor {
                        return Err(self.error(start, "'{' has nothing to repeat here"));
                    }
                    self.close_plain(from, plain.take());
                    intervals += 1;
                    if intervals > INTERVALS_MAX {
                        return Err(self.error(start, format!("more than {INTERVALS_MAX} intervals in a row")));
                    }
                    let interval = self.interval(start)?;
                    self.wrap(from, &interval);
                    continue;
                }
                _ => break,
            };
            if anchor {
                return Err(self.error(start, format!("'{}' has nothing to repeat here", char::from(byte))));
            }
            if plain.is_some() && byte == b'?' {
                self.warn(start, "this '?' does not make the repetition lazy, it makes it optional");
            }
            self.place += 1;
            let (before_optional, before_many) = plain.unwrap_or_default();
            plain = Some((before_optional || optional, before_many || many));
        }
        self.close_plain(from, plain);
        Ok(())
    }

    fn close_plain(&mut self, from: usize, plain: Option<(bool, bool)>) {
        match plain {
            None => {}
            Some((true, true)) => self.wrap(from, "*"),
            Some((false, _)) => self.wrap(from, "+"),
            Some((true, false)) => self.wrap(from, "?"),
        }
    }

    fn wrap(&mut self, from: usize, operator: &str) {
        self.out.insert_str(from, "(?:");
        self.out.push(')');
        self.out.push_str(operator);
    }

    /// `{N}`, `{N,}`, `{,M}` and `{N,M}`
    fn interval(&mut self, start: usize) -> Parse<String> {
        self.place += 1;
        let least = self.interval_number(start)?;
        let most = if self.peek() == Some(b',') {
            self.place += 1;
            self.interval_number(start)?
        } else {
            let Some(count) = least else {
                return Err(self.error(start, "there must be a number behind '{'"));
            };
            Some(count)
        };
        match self.peek() {
            Some(b'}') => self.place += 1,
            Some(_) => return Err(self.error(self.place, "only numbers and a comma can stand between '{' and '}'")),
            None => return Err(self.error(start, "this brace is not closed")),
        }
        let least = least.unwrap_or(0);
        match most {
            Some(most) if most < least => Err(self.error(start, "the second number is smaller than the first")),
            Some(most) => Ok(format!("{{{least},{most}}}")),
            None => Ok(format!("{{{least},}}")),
        }
    }

    fn interval_number(&mut self, start: usize) -> Parse<Option<u32>> {
        let mut number: Option<u32> = None;
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            self.place += 1;
            let value = number.unwrap_or(0) * 10 + u32::from(digit - b'0');
            if value > REPEAT_MAX {
                return Err(self.error(start, format!("more than {REPEAT_MAX} repetitions")));
            }
            number = Some(value);
        }
        Ok(number)
    }

    /// A bracket expression; its `[` was taken.
    fn bracket(&mut self, start: usize) -> Parse<()> {
        let rest = self.ere.get(start..).unwrap_or_default();
        for (word, boundary) in [(b"[[:<:]]", r"\b{start}"), (b"[[:>:]]", r"\b{end}")] {
            if rest.starts_with(word) {
                self.place = start + word.len();
                self.out.push_str(boundary);
                return Ok(());
            }
        }
        let mut set = Set::default();
        let negated = self.peek() == Some(b'^');
        if negated {
            self.place += 1;
        }
        let first = self.place;
        loop {
            let item = self.place;
            match self.peek() {
                None => return Err(self.error(start, "this bracket is not closed")),
                Some(b']') if item > first => break,
                Some(_) => {}
            }
            let Some(low) = self.element(start, &mut set)? else {
                continue;
            };
            if self.place == item + 1 && low == b'-' && item > first && self.peek() != Some(b']') {
                return Err(self.error(item, "a '-' here must be the first or the last in the bracket"));
            }
            let is_range = self.peek() == Some(b'-') && !matches!(self.at(self.place + 1), Some(b']') | None);
            if !is_range {
                set.add(low, low);
                continue;
            }
            self.place += 1;
            let Some(high) = self.element(start, &mut set)? else {
                return Err(self.error(item, "a class cannot end a range"));
            };
            if low > high {
                return Err(self.error(item, "the range ends before it begins"));
            }
            if low == b'\\' {
                self.warn(item, "this is a range that begins with the backslash, which escapes nothing in brackets");
            }
            set.add(low, high);
        }
        self.place += 1;
        if negated {
            set.invert();
        }
        set.print(&mut self.out);
        Ok(())
    }

    /// One element of a bracket: the byte, or `None` for a class, which was added.
    fn element(&mut self, bracket: usize, set: &mut Set) -> Parse<Option<u8>> {
        let item = self.place;
        let Some(byte) = self.peek() else {
            return Err(self.error(bracket, "this bracket is not closed"));
        };
        self.place += 1;
        if byte == b'\\' {
            let text = match self.peek() {
                Some(b']') => "the backslash escapes nothing in brackets, so the bracket ends here",
                Some(b'd' | b'D' | b's' | b'S' | b'w' | b'W') => {
                    "the backslash stands for itself in brackets, write a class such as [:digit:]"
                }
                _ => return Ok(Some(byte)),
            };
            self.warn(item, text);
            return Ok(Some(byte));
        }
        if byte >= 0x80 && !self.warnings.iter().any(|warning| warning.offset >= bracket) {
            self.warn(item, "brackets match single bytes, this character has several");
        }
        let Some(kind @ (b':' | b'.' | b'=')) = self.peek().filter(|_| byte == b'[') else {
            return Ok(Some(byte));
        };
        let inner = self.place + 1;
        let rest = self.ere.get(inner..).unwrap_or_default();
        let Some(length) = rest.windows(2).position(|pair| pair == [kind, b']']) else {
            return Err(self.error(item, format!("there is no '{0}]' for this '[{0}'", char::from(kind))));
        };
        let name = rest.get(..length).unwrap_or_default();
        self.place = inner + length + 2;
        match (kind, name) {
            (b':', name) => match class(name) {
                Some(test) => {
                    (0..0x80).filter(test).for_each(|byte| set.add(byte, byte));
                    Ok(None)
                }
                None => Err(self.error(item, "there is no character class of that name")),
            },
            (b'=', [byte]) => {
                set.add(*byte, *byte);
                Ok(None)
            }
            (_, [byte]) => Ok(Some(*byte)),
            _ => Err(self.error(item, "there is no collating element of that name")),
        }
    }
}

/// A character class of the C locale.
fn class(name: &[u8]) -> Option<fn(&u8) -> bool> {
    Some(match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |byte| byte.is_ascii_graphic() || *byte == b' ',
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |byte| byte.is_ascii_whitespace() || *byte == 0x0b,
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    })
}

/// A set of bytes.
struct Set([bool; 256]);

impl Default for Set {
    fn default() -> Set {
        Set([false; 256])
    }
}

impl Set {
    fn add(&mut self, low: u8, high: u8) {
        self.0.iter_mut().take(usize::from(high) + 1).skip(usize::from(low)).for_each(|member| *member = true);
    }

    fn invert(&mut self) {
        self.0.iter_mut().for_each(|member| *member = !*member);
    }

    fn print(&self, out: &mut String) {
        if !self.0.contains(&true) {
            out.push_str(r"[^\x00-\xff]");
            return;
        }
        out.push('[');
        let mut start: Option<usize> = None;
        for (byte, member) in self.0.iter().copied().chain([false]).enumerate() {
            match (start, member) {
                (None, true) => start = Some(byte),
                (Some(first), false) => {
                    out.push_str(&format!("\\x{first:02x}-\\x{:02x}", byte - 1));
                    start = None;
                }
                _ => {}
            }
        }
        out.push(']');
    }
}

/// One byte that stands for itself.
fn push_byte(out: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() {
        out.push(char::from(byte));
    } else {
        out.push_str(&format!("\\x{byte:02x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(ere: &str, text: &[u8]) -> bool {
        compile(ere.as_bytes()).unwrap().0.is_match(text)
    }

    /// Expression, texts that match, texts that do not; as glibc's regcomp(3) and regexec(3) answer.
    const TABLE: &[(&str, &[&str], &[&str])] = &[
        ("", &["", "x"], &[]),
        ("a.c", &["abc", "xa\ncx"], &["ac", "a\u{e9}c"]),
        ("^a", &["ab"], &["ba", "b\na"]),
        ("a$", &["ba"], &["ab", "a\n"]),
        ("a|b|", &["", "b"], &[]),
        ("()a", &["a"], &["b"]),
        ("a)", &["a)"], &["a"]),
        ("(a|b)c", &["bc"], &["ab"]),
        ("a{,3}b", &["b", "aaab"], &["a"]),
        ("^a{2,3}$", &["aa", "aaa"], &["a", "aaaa"]),
        ("^a{2}$", &["aa"], &["aaa"]),
        ("^a{2}{2}$", &["aaaa"], &["aa", "aaa"]),
        ("^a{2,}$", &["aa", "aaaa"], &["a"]),
        ("^a**$", &["", "aa"], &["b"]),
        ("^a+?$", &["", "a", "aa"], &["b"]),
        ("^a?+$", &["", "aa"], &["b"]),
        ("a}", &["a}"], &["a"]),
        (r"a\{1", &["a{1"], &["a"]),
        (r"\[mastodon\]", &["puma 5 [mastodon]"], &["mastodon"]),
        (r"\.js$", &["index.js"], &["indexjs"]),
        (r"^[\d]$", &[r"\", "d"], &["1"]),
        (r"^[\.]$", &[".", r"\"], &["x"]),
        (r"^[a\]b]$", &["ab]", r"\b]"], &["]", "b"]),
        ("^[]a]$", &["]", "a"], &["b"]),
        ("^[^]a]$", &["b", "\n"], &["]", "a"]),
        ("^[a-]$", &["a", "-"], &["b"]),
        ("^[-a]$", &["a", "-"], &["b"]),
        ("^[a-c]$", &["b"], &["d", "-"]),
        ("^[a&&b]$", &["a", "&", "b"], &["c"]),
        ("^[a~~b]$", &["a", "~", "b"], &["c"]),
        ("^[!--]$", &["!", "-", "&"], &["."]),
        ("^[[a]$", &["[", "a"], &["b"]),
        ("^[a[]$", &["[", "a"], &["b"]),
        ("^[[.-.]]$", &["-"], &["."]),
        ("^[[.a.]-c]$", &["b"], &["d"]),
        ("^[[=a=]]$", &["a"], &["="]),
        ("^[[:alpha:]_]+$", &["aZ_"], &["a1", "\u{e9}"]),
        ("^[[:space:]]$", &["\u{b}", " ", "\n"], &["a"]),
        ("^[^[:digit:]]$", &["a"], &["1"]),
        ("^[[:alpha:][:digit:]]$", &["a", "1"], &["-"]),
        ("[[:<:]]foo[[:>:]]", &["a foo b"], &["afoo", "foob"]),
        (r"\<foo\>", &["a foo b"], &["afoo", "foob"]),
        (r"\bfoo\B", &["foob"], &["foo", "afoob"]),
        (r"^\w\W\s\S$", &["a- b"], &["--  "]),
        (r"\`a\'", &["a"], &["a\n"]),
        (r"^\d$", &["d"], &["1"]),
        (r"^\n\t\x41\e\y\z$", &["ntx41eyz"], &["\n\tA"]),
        (r"^\-\/\@\#$", &["-/@#"], &[]),
        ("caf\u{e9}", &["un caf\u{e9}"], &["cafe"]),
        ("a#b c", &["a#b c"], &["ab"]),
        ("-{3}", &["---"], &["--"]),
    ];

    #[test]
    fn expressions_mean_what_the_system_s_library_means() {
        for (ere, good, bad) in TABLE {
            for text in *good {
                assert!(matches(ere, text.as_bytes()), "{ere:?} must match {text:?}");
            }
            for text in *bad {
                assert!(!matches(ere, text.as_bytes()), "{ere:?} must not match {text:?}");
            }
        }
    }

    #[test]
    fn matching_is_on_bytes() {
        assert!(matches("^.$", b"\xff"));
        assert!(matches("^[^a]$", b"\x80"));
        assert!(!matches("^.$", "\u{e9}".as_bytes()));
        assert!(compile(b"\xff+$").unwrap().0.is_match(b"a\xff\xff"));
    }

    #[test]
    fn mistakes_are_found_at_their_place() {
        let table: &[(&str, usize, &str)] = &[
            ("*a", 0, "nothing to repeat"),
            ("a|*b", 2, "nothing to repeat"),
            ("(+a)", 1, "nothing to repeat"),
            ("(?i)a", 1, "no flags"),
            ("^*", 1, "nothing to repeat"),
            ("$+", 1, "nothing to repeat"),
            (r"\<{2}", 2, "nothing to repeat"),
            ("{1}a", 0, "nothing to repeat"),
            ("x(y", 1, "not closed"),
            ("x[y", 1, "not closed"),
            ("x[]", 1, "not closed"),
            ("x[[:foo:]]", 2, "no character class"),
            ("x[[.space.]]", 2, "no collating element"),
            ("[[:a]", 1, "there is no ':]'"),
            ("[c-a]", 1, "ends before it begins"),
            ("[a-[:digit:]]", 1, "cannot end a range"),
            ("[a-c-e]", 4, "first or the last"),
            ("[a--z]", 1, "ends before it begins"),
            ("[!----a]", 4, "first or the last"),
            ("a{1", 1, "not closed"),
            ("a{x}", 1, "there must be a number"),
            ("a{1x}", 3, "only numbers"),
            ("a{2,1}", 1, "smaller"),
            ("a{32768}", 1, "more than 32767"),
            (r"(a)\1", 3, "back-references"),
            (r"a\", 1, "nothing behind"),
        ];
        for (ere, offset, part) in table {
            let error = translate(ere.as_bytes()).expect_err(ere);
            assert_eq!(error.offset, *offset, "{ere}: {error}");
            assert!(error.text.contains(part), "{ere}: {error}");
        }
    }

    #[test]
    fn surprises_are_warned_of() {
        let table: &[(&str, Option<usize>)] = &[
            (r"a\d", Some(1)),
            (r"[\d]", Some(1)),
            (r"x[a\]b", Some(3)),
            (r"[\-x]", Some(1)),
            ("[\u{e9}]", Some(1)),
            ("a+?", Some(2)),
            (r"a\.b\[c", None),
            ("puma .* [a-z]", None),
            (r"[\.]", None),
        ];
        for (ere, offset) in table {
            let warnings = translate(ere.as_bytes()).unwrap().warnings;
            assert_eq!(warnings.first().map(|warning| warning.offset), *offset, "{ere}: {warnings:?}");
        }
    }

    #[test]
    fn size_and_depth_are_bounded() {
        let deep = "(".repeat(100_000);
        assert!(translate(&deep.as_bytes()[..LENGTH_MAX]).unwrap_err().text.contains("deep"));
        assert!(translate(deep.as_bytes()).unwrap_err().text.contains("longer"));
        assert!(compile(b"((a{1000}){1000}){1000}").unwrap_err().text.contains("memory"));
        assert!(compile("a*".repeat(LENGTH_MAX / 2).as_bytes()).is_ok());
        assert!(translate("a{1}{1}{1}{1}{1}{1}{1}{1}{1}".as_bytes()).is_err());
        assert!(matches(&"(".repeat(DEPTH_MAX).chars().chain(")".repeat(DEPTH_MAX).chars()).collect::<String>(), b""));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let pieces = b"ab.^$()|*+?{},0129[]-:=\\<&~!\xc3\xa9\n ";
        let mut seed: u64 = 0x9e37_79b9_7f4a_7c15;
        for _ in 0..20_000 {
            let mut ere = Vec::new();
            for _ in 0..12 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ere.push(pieces[(seed >> 33) as usize % pieces.len()]);
            }
            if let Ok(translated) = translate(&ere) {
                assert!(Regex::new(&translated.regex_source).is_ok(), "{ere:?} gives {}", translated.regex_source);
            }
        }
    }
}
