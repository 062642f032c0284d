//! Two readers a moment apart do not read the same; how far apart may they be?

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// A number on a line of a status, in its basic unit.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reading {
    value: f64,
    /// What one more in the last digit is worth.
    step: f64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Bytes
    Size,
    /// Seconds, from days, hours, minutes and seconds
    Time,
    /// As it stands.
    Number,
}

/// How far apart two readings may be.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    much: f64,
    /// So many percent of the greater, for each number; else of sizes alone, and so many seconds of times, and so much of
    /// any other number.
    percent: bool,
}

impl Tolerance {
    /// From `N` or `N%`.
    pub fn read(text: &str) -> Option<Tolerance> {
        let percent = text.ends_with('%');
        Some(Tolerance { much: text.trim_end_matches('%').parse().ok()?, percent })
    }

    fn of(self, one: &Reading, two: &Reading) -> f64 {
        let relative = self.percent || one.kind == Kind::Size;
        if relative { self.much / 100.0 * one.value.max(two.value) } else { self.much }
    }
}

/// The line with `N` for its numbers, and without the scale of its sizes.
pub fn form(line: &str) -> String {
    taken_apart(line).0
}

/// The [`form`] of the line, if both show the same but for the tolerance. Rounding may have put one more into the last
/// digit.
pub fn agree(here: &str, there: &str, tolerance: Tolerance) -> Option<String> {
    let ((form, ours), (other, theirs)) = (taken_apart(here), taken_apart(there));
    let near = |(one, two): (&Reading, &Reading)| {
        let within = tolerance.of(one, two);
        (one.value - two.value).abs() <= within.max(one.step).max(two.step) * 1.000_001
    };
    (form == other && ours.iter().zip(&theirs).all(near)).then_some(form)
}

/// The line without its numbers and without the scale of its sizes, and the numbers.
fn taken_apart(line: &str) -> (String, Vec<Reading>) {
    static NUMBER: OnceLock<Regex> = OnceLock::new();
    let pattern = r"([0-9]+)(?:\.([0-9]+))?(?:( [kMGT]?B\b)|([dhms]\b))?";
    let number = NUMBER.get_or_init(|| RegexBuilder::new(pattern).unicode(false).build().expect("a pattern"));
    let (mut form, mut readings, mut end) = (String::new(), Vec::<Reading>::new(), 0);
    for found in number.captures_iter(line) {
        let text = |at| found.get(at).map_or("", |part| part.as_str());
        let (kind, scale) = match (text(3).trim(), text(4)) {
            ("", "") => (Kind::Number, 1.0),
            ("", "d") => (Kind::Time, 86400.0),
            ("", "h") => (Kind::Time, 3600.0),
            ("", "m") => (Kind::Time, 60.0),
            ("", _) => (Kind::Time, 1.0),
            (size, _) => (Kind::Size, 1024f64.powi("BkMGT".find(&size[..1]).unwrap_or(0).try_into().unwrap_or(0))),
        };
        let value = scale * format!("{}.{}", text(1), text(2)).parse::<f64>().expect("a number");
        let step = scale / 10f64.powi(text(2).len().try_into().unwrap_or(0));
        let whole = found.get(0).expect("the whole");
        let between = &line[end..whole.start()];
        end = whole.end();
        match readings.last_mut().filter(|last| kind == Kind::Time && last.kind == kind && between.trim().is_empty()) {
            Some(last) => *last = Reading { value: last.value + value, step, kind },
            None => {
                form.push_str(between);
                form.push_str(["N B", "TIME", "N"][kind as usize]);
                readings.push(Reading { value, step, kind });
            }
        }
    }
    form.push_str(&line[end..]);
    // Numbers of different length move what follows.
    (form.split_whitespace().collect::<Vec<_>>().join(" "), readings)
}

#[cfg(test)]
fn near(here: &str, there: &str, tolerance: &str) -> Option<String> {
    agree(here, there, Tolerance::read(tolerance).expect("a tolerance"))
}

#[test]
fn two_lines_agree_within_the_tolerance_or_the_last_digit() {
    let line = "  memory                       1.5% [1020.0 kB]";
    assert_eq!(near(line, "  memory                       1.6% [1.0 MB]", "3").as_deref(), Some("memory N% [N B]"));
    assert_eq!(near(line, "  memory                       1.5% [1.5 MB]", "3"), None);
    assert_eq!(near(line, "  memory                       -", "3"), None);
    assert_eq!(near("cpu 3.0%", "cpu 7.9%", "5").as_deref(), Some("cpu N%"));
    assert_eq!(near("cpu 3.0%", "cpu 9.0%", "5"), None);
    assert_eq!(near("cpu 3.0%", "cpu 3.1%", "0").as_deref(), Some("cpu N%"));
    assert_eq!(near("pid 17", "pid 19", "0"), None);
    assert_eq!(near("load [20.00]", "load [21.90]", "10%").as_deref(), Some("load [N]"));
    assert_eq!(near("load [20.00]", "load [22.90]", "10%"), None);
}

#[test]
fn a_time_is_one_number() {
    assert_eq!(near("uptime 1d 23h 59m", "uptime 2d", "60").as_deref(), Some("uptime TIME"));
    assert_eq!(near("uptime 1h 10m", "uptime 1h 12m", "60"), None);
}
