//! Messages for editors and other programs.

use super::diagnostic::{Diagnostic, Diagnostics};
use super::source::{Location, Sources};

/// All messages as one JSON array, ended by a line feed. Each has `severity`, `message`, and as far as they are known `file`,
/// `line`, `column`, `end_line`, `end_column` (from 1, the end behind the last character), `help` and `notes`.
pub fn json(diagnostics: &Diagnostics, sources: &Sources) -> String {
    let all: Vec<String> = diagnostics.iter().map(|diagnostic| object(diagnostic, sources)).collect();
    let gap = if all.is_empty() { "" } else { "\n" };
    format!("[{gap}{}{gap}]\n", all.join(",\n"))
}

fn object(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut text = format!("{{\"severity\":\"{}\"", diagnostic.severity.word());
    text.push_str(&format!(",\"message\":{}", string(&diagnostic.message)));
    text.push_str(&place(diagnostic.location, sources));
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!(",\"help\":{}", string(help)));
    }
    if !diagnostic.notes.is_empty() {
        let notes: Vec<String> = diagnostic
            .notes
            .iter()
            .map(|note| format!("{{\"message\":{}{}}}", string(&note.text), place(Some(note.location), sources)))
            .collect();
        text.push_str(&format!(",\"notes\":[{}]", notes.join(",")));
    }
    text.push('}');
    text
}

fn place(location: Option<Location>, sources: &Sources) -> String {
    let Some((location, source)) = location.and_then(|at| Some((at, sources.get(at.source)?))) else {
        return String::new();
    };
    let (start, end) = (source.position(location.span.start), source.position(location.span.end));
    format!(
        ",\"file\":{},\"line\":{},\"column\":{},\"end_line\":{},\"end_column\":{}",
        string(&source.path().to_string_lossy()),
        start.line,
        start.column,
        end.line,
        end.column
    )
}

/// A JSON string (RFC 8259, section 7).
fn string(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::source::Span;
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn messages_are_objects() {
        let sources = Sources::default();
        let source = sources.add(PathBuf::from("/etc/\"m\"\n"), b"a\nset deamon\n".to_vec());
        let at = |start, end| Location { source, span: Span { start, end } };
        let mut all = Diagnostics::default();
        assert_eq!(json(&all, &sources), "[]\n");
        all.push(Diagnostic::error(at(6, 12), "x\u{1b}\\").with_help("h").with_note(at(0, 1), "n"));
        all.push(Diagnostic::general("g"));
        let file = "\"file\":\"/etc/\\\"m\\\"\\u000a\"";
        let expected = format!(
            "[\n{{\"severity\":\"error\",\"message\":\"x\\u001b\\\\\",{file},\"line\":2,\"column\":5,\"end_line\":2,\"end_column\":11,\"help\":\"h\",\"notes\":[{{\"message\":\"n\",{file},\"line\":1,\"column\":1,\"end_line\":1,\"end_column\":2}}]}},\n{{\"severity\":\"error\",\"message\":\"g\"}}\n]\n"
        );
        assert_eq!(json(&all, &sources), expected);
    }
}
