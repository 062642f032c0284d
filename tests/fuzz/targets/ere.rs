//! A regular expression and texts, separated by zero bytes: the translation matches what the system's regexec(3) matches, and
//! what the system refuses is refused.

#![no_main]

use std::ffi::CString;

use libfuzzer_sys::fuzz_target;
use pollux::base::ere;
use pollux_fuzz::system::SystemEre;

/// Longest expression and text; the system's library takes exponential time and memory for some longer ones.
const LONGEST: usize = 48;

fuzz_target!(|input: &[u8]| {
    let mut parts = input.split(|byte| *byte == 0);
    let pattern = parts.next().unwrap_or_default();
    let ours = ere::compile(pattern);
    if pattern.len() > LONGEST || repeats_much(pattern) || has_word_brackets(pattern) {
        return;
    }
    let Ok((ours, _)) = ours else { return };
    let c_string = |bytes: &[u8]| CString::new(bytes).expect("no zero byte in a part");
    let Some(theirs) = SystemEre::new(&c_string(pattern)) else {
        panic!("the system refuses {}", pattern.escape_ascii());
    };
    for text in parts.filter(|text| text.len() <= LONGEST) {
        if anchors_within(pattern) && text.contains(&b'\n') {
            continue;
        }
        let Some(expected) = theirs.is_match(&c_string(text)) else { continue };
        let found = ours.is_match(text);
        assert_eq!(found, expected, "{} on {}", pattern.escape_ascii(), text.escape_ascii());
    }
});

/// Whether it has an interval with a large number, or many intervals or `+`: the system's library unfolds them, nested or in
/// a row into a power of two and more.
fn repeats_much(pattern: &[u8]) -> bool {
    let count = |sign: u8| pattern.iter().filter(|byte| **byte == sign).count();
    let large = pattern.windows(2).any(|pair| pair.iter().all(u8::is_ascii_digit));
    count(b'+') + 2 * count(b'{') > 6 || (count(b'{') > 0 && large)
}

/// `[[:<:]]` and `[[:>:]]` are FreeBSD's; glibc refuses them.
fn has_word_brackets(pattern: &[u8]) -> bool {
    cfg!(not(target_os = "freebsd")) && pattern.windows(7).any(|part| part == b"[[:<:]]" || part == b"[[:>:]]")
}

/// Whether an anchor stands elsewhere than at the ends. glibc then takes the inside of a text for its end where a line feed
/// was matched before or comes next (`a\n^b` finds "a\nb", although `^b` does not); POSIX and this program do not.
fn anchors_within(pattern: &[u8]) -> bool {
    let inner = pattern.get(1..pattern.len().saturating_sub(1)).unwrap_or_default();
    inner.iter().any(|byte| b"^$".contains(byte))
}
