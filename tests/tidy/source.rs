//! Reads Rust well enough for rules: comments and string contents are blanked, `use` trees are unfolded, and what stands
//! under `#[cfg(test)]` is told apart from what is shipped.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::layers::{LAYERS, layer};
use crate::walls::{IMPURE_PARTS, PURE_PARTS};

/// One Rust file, read.
pub struct Source {
    /// From the project's top, with slashes.
    pub path: String,
    pub text: String,
    /// The text with comments and string contents blanked; lines and offsets stay.
    pub code: String,
    /// `code` without what stands under `#[cfg(test)]`.
    pub shipped: String,
    /// Offset of the opening quote and contents of each string.
    pub strings: Vec<(usize, String)>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let (code, strings) = lex(text);
        let shipped = without_tests(&code);
        Source { path: path.to_owned(), text: text.to_owned(), code, shipped, strings }
    }

    /// `config/load` for `src/config/load.rs`, `sys/posix` for `src/sys/posix/mod.rs`.
    pub fn module(&self) -> &str {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let stem = inner.strip_suffix(".rs").unwrap_or(inner);
        stem.strip_suffix("/mod").unwrap_or(stem)
    }

    /// The layer, unless this is `main.rs` or `lib.rs`, which stand above all.
    pub fn layer(&self) -> Option<usize> {
        layer(self.module().split('/').next()?)
    }

    pub fn is_pure(&self) -> bool {
        let module = self.module();
        let within = |parts: &[&str]| {
            parts
                .iter()
                .any(|part| module.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        };
        match self.layer() {
            Some(layer) if LAYERS[layer].1 => !within(&IMPURE_PARTS),
            Some(_) => within(&PURE_PARTS),
            None => false,
        }
    }

    pub fn shipped_strings(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_shipped = |at: usize| self.shipped.as_bytes()[at] == b'"';
        self.strings.iter().filter(move |(at, _)| is_shipped(*at)).map(|(at, value)| (*at, value.as_str()))
    }

    pub fn finding(&self, at: usize, what: impl Into<String>) -> String {
        let line = self.text.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count() + 1;
        format!("{}:{line}: {}", self.path, what.into())
    }
}

pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The code with everything that is not code blanked, and the strings that stood in it.
pub fn lex(text: &str) -> (String, Vec<(usize, String)>) {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut strings = Vec::new();
    let mut blank = |from: usize, to: usize| {
        for byte in &mut code[from..to] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    };
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"//") {
            let end = at + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
            blank(at, end);
            at = end;
        } else if rest.starts_with(b"/*") {
            let mut end = at + 2;
            let mut depth = 1;
            while depth > 0 && end < bytes.len() {
                match &bytes[end..] {
                    [b'/', b'*', ..] => (depth, end) = (depth + 1, end + 2),
                    [b'*', b'/', ..] => (depth, end) = (depth - 1, end + 2),
                    _ => end += 1,
                }
            }
            blank(at, end);
            at = end;
        } else if let Some(hashes) = raw_string(bytes, at) {
            let open = at + 1 + hashes;
            let close = format!("\"{}", "#".repeat(hashes));
            let end = text[open + 1..].find(&close).map_or(bytes.len(), |found| open + 1 + found);
            strings.push((open, text[open + 1..end].to_owned()));
            blank(open + 1, end);
            at = (end + close.len()).min(bytes.len());
        } else if bytes[at] == b'"' {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            let end = end.min(bytes.len());
            strings.push((at, text[at + 1..end].to_owned()));
            blank(at + 1, end);
            at = end + 1;
        } else if bytes[at] == b'\'' {
            // a character, or the name of a lifetime
            let mut following = text[at + 1..].chars();
            let first = following.next().unwrap_or(' ');
            let end = if first == '\\' {
                text[at + 3..].find('\'').map_or(bytes.len(), |found| at + 3 + found)
            } else if following.next() == Some('\'') {
                at + 1 + first.len_utf8()
            } else {
                at
            };
            blank(at + 1, end.max(at + 1).min(bytes.len()));
            at = end + 1;
        } else {
            at += 1;
        }
    }
    (String::from_utf8_lossy(&code).into_owned(), strings)
}

/// The number of `#` when a raw string begins at the `r` that stands at `at`.
pub fn raw_string(bytes: &[u8], at: usize) -> Option<usize> {
    let prefixed = at > 0 && (bytes[at - 1] == b'b' || bytes[at - 1] == b'c');
    let before = at.checked_sub(if prefixed { 2 } else { 1 });
    if bytes[at] != b'r' || before.is_some_and(|b| is_word(bytes[b])) {
        return None;
    }
    let hashes = bytes[at + 1..].iter().take_while(|&&b| b == b'#').count();
    (bytes.get(at + 1 + hashes) == Some(&b'"')).then_some(hashes)
}

/// Blanks each item that `#[cfg(test)]` stands before.
pub fn without_tests(code: &str) -> String {
    let mut shipped = code.as_bytes().to_vec();
    for mark in ["#[cfg(test)]", "#[cfg(all(test", "#[test]"] {
        for (start, _) in code.match_indices(mark) {
            let mut depth = 0;
            let mut end = start + mark.len();
            for &byte in &code.as_bytes()[end..] {
                end += 1;
                match byte {
                    b'{' => depth += 1,
                    b'}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 && (byte == b'}' || byte == b';') {
                    break;
                }
            }
            for byte in &mut shipped[start..end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
    }
    String::from_utf8_lossy(&shipped).into_owned()
}

/// Words and `::`; every other sign stands for itself.
pub fn tokens(code: &str) -> Vec<(usize, &str)> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = match bytes[at] {
            byte if is_word(byte) => bytes[at..].iter().take_while(|&&b| is_word(b)).count(),
            b':' if bytes.get(at + 1) == Some(&b':') => 2,
            byte if byte.is_ascii() => 1,
            _ => code[at..].chars().next().map_or(1, char::len_utf8),
        };
        if !bytes[at].is_ascii_whitespace() {
            found.push((at, &code[at..at + length]));
        }
        at += length;
    }
    found
}

/// Every path in the code, `use` trees unfolded: `use std::{fs, io::{self, Read}}` gives `std::fs`, `std::io::self` and
/// `std::io::Read`.
pub fn paths(code: &str) -> Vec<(usize, String)> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].1 == "use" {
            at = unfold(&tokens, at + 1, "", &mut found);
        } else if is_word(tokens[at].1.as_bytes()[0]) {
            let start = tokens[at].0;
            let mut path = tokens[at].1.to_owned();
            while let [(_, "::"), (_, word), ..] = tokens[at + 1..] {
                if !is_word(word.as_bytes()[0]) {
                    break;
                }
                path = path + "::" + word;
                at += 2;
            }
            found.push((start, path));
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

/// Unfolds the `use` tree at `at` below `prefix`; returns where it ends.
pub fn unfold(tokens: &[(usize, &str)], mut at: usize, prefix: &str, found: &mut Vec<(usize, String)>) -> usize {
    let mut path = prefix.to_owned();
    let mut start = None;
    while let Some(&(offset, token)) = tokens.get(at) {
        match token {
            "{" => {
                loop {
                    at = unfold(tokens, at + 1, &path, found);
                    if tokens.get(at).is_none_or(|t| t.1 != ",") {
                        break;
                    }
                }
                start = None;
                at += 1;
                continue;
            }
            "," | "}" | ";" => break,
            "as" => at += 1,
            "::" => path.push_str("::"),
            word => {
                path.push_str(word);
                start = Some(offset);
            }
        }
        at += 1;
    }
    if let Some(start) = start {
        found.push((start, path));
    }
    at
}

/// The project's own files below `directory`, sorted.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
    for entry in entries {
        let path = entry.expect("a directory entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != ".git" {
            found.extend(files(&path));
        } else if path.is_file() && name != ".git" {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

pub fn sources() -> Vec<Source> {
    let mut all = Vec::new();
    for path in files(&top().join("src")) {
        let name = path.strip_prefix(top()).expect("below the top").to_string_lossy().replace('\\', "/");
        if name.ends_with(".rs") {
            all.push(Source::new(&name, &read(&name)));
        }
    }
    // a file that only tests name, or that is called so, is a test itself
    let tests: BTreeSet<String> = all.iter().flat_map(test_files).collect();
    for source in &mut all {
        if tests.contains(source.module()) || source.module().ends_with("tests") {
            source.shipped = source.code.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
        }
    }
    assert!(all.len() > 5, "the sources were not found");
    all
}

/// The modules that `#[cfg(test)] mod name;` names.
pub fn test_files(source: &Source) -> Vec<String> {
    let home = if source.path.ends_with("/mod.rs") {
        source.module().to_owned() + "/"
    } else if source.layer().is_none() {
        String::new()
    } else {
        // `mod` in src/a/b.rs means src/a/b/name.rs
        source.module().to_owned() + "/"
    };
    let mut found = Vec::new();
    for (at, mark) in source.code.match_indices("#[cfg(test)]") {
        let words: Vec<_> = tokens(&source.code[at + mark.len()..]).into_iter().take(3).map(|t| t.1).collect();
        if let ["mod", name, ";"] = words[..] {
            found.push(format!("{home}{name}"));
        }
    }
    found
}

/// Fails with all findings, or says nothing.
pub fn check(rule: impl Fn(&Source) -> Vec<String>) {
    report(sources().iter().flat_map(rule).collect());
}

pub fn report(findings: Vec<String>) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// How many findings a rule has on a sample that pretends to be the file `path`.
pub fn count(rule: impl Fn(&Source) -> Vec<String>, path: &str, text: &str) -> usize {
    rule(&Source::new(path, text)).len()
}
