//! Making bytes from outside safe for the place they go to.

/// Replaces control characters so that a text stays on one log line: `\n`, `\t`, `\r` by name, others as `\xHH`.
pub fn log_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c if c.is_control() => line.push_str(&format!("\\x{:02x}", c as u32)),
            c => line.push(c),
        }
    }
    line
}

/// Text for HTML, safe between tags and inside quoted attributes. Control characters other than tab and newline, which
/// HTML does not allow, become U+FFFD.
pub fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' | '\n' => safe.push(c),
            c if c.is_control() => safe.push(char::REPLACEMENT_CHARACTER),
            c => safe.push(c),
        }
    }
    safe
}

/// Text as a part of a path, or a name or value of a form: letters, digits and `-_.~` stand for themselves, other bytes
/// become `%HH` (RFC 3986 section 2.1).
pub fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Longest file name [`file_name`] returns, in bytes: leaves room for endings within NAME_MAX (255).
pub const FILE_NAME_MAX: usize = 120;

/// A file name for `name`: the same for the same name, different for different names, safe to create in a directory.
/// Letters, digits, `-` `_` and inner `.` stand for themselves, other bytes become `%HH`; a name that grows too long is cut and closed
/// with a 64-bit hash (FNV-1a) of the whole.
pub fn file_name(name: &str) -> String {
    let mut safe = String::new();
    for (place, byte) in name.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => safe.push(char::from(byte)),
            b'.' if place > 0 => safe.push('.'),
            _ => safe.push_str(&format!("%{byte:02X}")),
        }
        if safe.len() > FILE_NAME_MAX {
            break;
        }
    }
    if safe.len() <= FILE_NAME_MAX && !safe.is_empty() {
        return safe;
    }
    safe.truncate(FILE_NAME_MAX - 17);
    safe.push_str(&format!("~{:016x}", fnv1a(name.as_bytes())));
    safe
}

/// The 64-bit FNV-1a hash; for names, not for secrets.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_has_no_control_characters() {
        assert_eq!(log_line("a\nb\tc\r\u{1b}[31m\u{7f}é"), "a\\nb\\tc\\r\\x1b[31m\\x7fé");
    }

    #[test]
    fn html_has_no_live_characters() {
        assert_eq!(html("<a href=\"x\" b='y'>&\u{0}\n"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;\u{fffd}\n");
    }

    #[test]
    fn file_names_are_safe_distinct_and_short() {
        assert_eq!(file_name("puma-1.example_x"), "puma-1.example_x");
        assert_eq!(file_name("../etc"), "%2E.%2Fetc");
        assert_eq!(file_name("a b"), "a%20b");
        let long = "x".repeat(10_000);
        let longer = "x".repeat(10_001);
        assert!(file_name(&long).len() <= FILE_NAME_MAX);
        assert_ne!(file_name(&long), file_name(&longer));
        assert!(!file_name("").is_empty());
    }
}
