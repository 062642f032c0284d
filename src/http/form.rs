//! Queries and form bodies: `name=value` pairs, percent-encoded (WHATWG URL, application/x-www-form-urlencoded). Pure.

use crate::base::escape;

/// Decoded pairs in the order in which they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `text`. `None` when an escape is not two hex digits or a name or value is not UTF-8.
    pub fn parse(text: &[u8]) -> Option<Form> {
        let mut form = Form::default();
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(equals);
            form.0.push((decode(name, true)?, decode(value.get(1..).unwrap_or_default(), true)?));
        }
        Some(form)
    }

    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Each value of `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Adds the pairs of another form behind these.
    pub fn extend(&mut self, other: Form) {
        self.0.extend(other.0);
    }
}

/// Decodes a path or, where `plus` stands for a blank, a part of a form. `None` as for [`Form::parse`].
pub fn decode(text: &[u8], plus: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                bytes.push(u8::try_from(high << 4 | low).ok()?);
            }
            b'+' if plus => bytes.push(b' '),
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// `text` in the form in which it survives as a name or value.
pub fn encode(text: &str) -> String {
    escape::percent(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_in_order() {
        let form = Form::parse(b"service=a+b&service=%C3%A9%2f&&flag&action=start&x=1=2").unwrap();
        assert_eq!(form.all("service").collect::<Vec<_>>(), ["a b", "\u{e9}/"]);
        assert_eq!(form.get("action"), Some("start"));
        assert_eq!(form.get("flag"), Some(""));
        assert_eq!(form.get("x"), Some("1=2"));
        assert_eq!(form.get("y"), None);
    }

    #[test]
    fn broken_escapes_are_refused() {
        for broken in ["a=%", "a=%2", "a=%zz", "%g0=1", "a=%ff", "a=%+1"] {
            assert_eq!(Form::parse(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn encoded_texts_come_back() {
        let hostile = "a&b=c d+%\u{0}\u{e9}/?#";
        assert_eq!(decode(encode(hostile).as_bytes(), true).as_deref(), Some(hostile));
        assert_eq!(decode(b"/a+b", false).as_deref(), Some("/a+b"));
    }
}
