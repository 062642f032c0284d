//! A writer of XML 1.0 that cannot write anything else: whatever a name or a program's output holds.

use std::fmt::{Display, Write};

/// The text so far. Elements follow each other without blanks, as readers of the original have them.
#[derive(Debug, Default)]
pub(super) struct Writer(String);

impl Writer {
    /// What was written.
    pub(super) fn finish(self) -> String {
        self.0
    }

    /// The declaration.
    pub(super) fn declaration(&mut self) {
        self.0.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    }

    /// An element with what `inner` writes into it.
    pub(super) fn element(&mut self, name: &str, inner: impl FnOnce(&mut Writer)) {
        self.with(name, &[], inner);
    }

    /// An element with attributes.
    pub(super) fn with(&mut self, name: &str, attributes: &[(&str, &str)], inner: impl FnOnce(&mut Writer)) {
        self.0.push('<');
        self.0.push_str(name);
        for (attribute, value) in attributes {
            self.0.push(' ');
            self.0.push_str(attribute);
            self.0.push_str("=\"");
            self.escaped(value);
            self.0.push('"');
        }
        self.0.push('>');
        inner(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// An element with a text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.element(name, |writer| writer.escaped(text));
    }

    /// An element with a text in a CDATA section.
    pub(super) fn cdata(&mut self, name: &str, text: &str) {
        self.element(name, |writer| {
            writer.0.push_str("<![CDATA[");
            let mut brackets = 0;
            for c in text.chars() {
                if c == '>' && brackets >= 2 {
                    // The end of a section may not stand within one: it is divided between two.
                    writer.0.push_str("]]><![CDATA[");
                }
                brackets = if c == ']' { brackets + 1 } else { 0 };
                writer.0.push(legal(c));
            }
            writer.0.push_str("]]>");
        });
    }

    /// An element with a number, or whatever is written without markup.
    pub(super) fn number(&mut self, name: &str, value: impl Display) {
        self.element(name, |writer| {
            // Writing into a string does not fail.
            let _ = write!(writer.0, "{value}");
        });
    }

    /// Text between tags or within a quoted attribute.
    pub(super) fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                // As they are, readers make blanks or line feeds of them.
                '\n' | '\r' | '\t' => {
                    let _ = write!(self.0, "&#{};", u32::from(c));
                }
                c => self.0.push(legal(c)),
            }
        }
    }
}

/// The character, or U+FFFD in place of what XML does not allow (its production 2) or advises against: control characters
/// other than tab, line feed and carriage return, and the two non-characters.
fn legal(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => c,
        '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::default();
        write(&mut writer);
        writer.finish()
    }

    #[test]
    fn text_has_no_markup_and_no_control_characters() {
        assert_eq!(written(|w| w.text("a", "<b> & \"c\" 'd' ]]>")), "<a>&lt;b&gt; &amp; &quot;c&quot; 'd' ]]&gt;</a>");
        assert_eq!(
            written(|w| w.text("a", "\0\u{1}\u{8}\u{b}\u{1b}\u{7f}\u{85}\u{9f}\u{fffe}\u{ffff}é\u{1f600}")),
            format!("<a>{}é\u{1f600}</a>", "\u{fffd}".repeat(10))
        );
        assert_eq!(written(|w| w.text("a", "b\tc\r\nd")), "<a>b&#9;c&#13;&#10;d</a>");
    }

    #[test]
    fn attributes_cannot_be_left() {
        let name = "x\" y='z'><q";
        let expected = "<s name=\"x&quot; y='z'&gt;&lt;q\"><n>1</n></s>";
        assert_eq!(written(|w| w.with("s", &[("name", name)], |w| w.number("n", 1))), expected);
    }

    #[test]
    fn the_end_of_a_section_is_divided() {
        assert_eq!(written(|w| w.cdata("o", "a]]>b")), "<o><![CDATA[a]]]]><![CDATA[>b]]></o>");
        assert_eq!(written(|w| w.cdata("o", "]]]>]>")), "<o><![CDATA[]]]]]><![CDATA[>]>]]></o>");
        assert_eq!(
            written(|w| w.cdata("o", "a\u{0}\u{1b}[1m\n\tb<&")),
            "<o><![CDATA[a\u{fffd}\u{fffd}[1m\n\tb<&]]></o>"
        );
        assert_eq!(written(|w| w.cdata("o", "")), "<o><![CDATA[]]></o>");
    }

    #[test]
    fn what_follows_a_section_s_end_is_one_text_again() {
        for text in ["]]>", "]]]]>>", "x]]>]]>y", "]", "]]", ">"] {
            let xml = written(|w| w.cdata("o", text));
            let inner = xml.strip_prefix("<o>").and_then(|rest| rest.strip_suffix("</o>")).unwrap();
            let mut read = String::new();
            let mut rest = inner;
            while let Some(section) = rest.strip_prefix("<![CDATA[") {
                let (content, after) = section.split_once("]]>").unwrap();
                read.push_str(content);
                rest = after;
            }
            assert_eq!((read.as_str(), rest), (text, ""), "{xml}");
        }
    }
}
