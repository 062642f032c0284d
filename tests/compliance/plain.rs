//! What cannot be the same twice is taken out of what is compared: places, numbers of processes, dates, versions.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// Patterns and what stands for them.
fn rules() -> &'static [(Regex, &'static str)] {
    static RULES: OnceLock<Vec<(Regex, &'static str)>> = OnceLock::new();
    RULES.get_or_init(|| {
        let rules = [
            (r"(Monit|monit|pollux)( version)? [0-9]+\.[0-9]+\.[0-9]+", "PROGRAM$2 VERSION"),
            (r"\b(pid|PID) (\[?)[0-9]+", "$1 ${2}N"),
            (r"\b(names process) [0-9]+", "$1 N"),
            (r"\b(PP?ID changed from) [0-9]+ to [0-9]+", "$1 N to N"),
            (r"^(\s+(parent )?pid\s+)[0-9]+", "${1}N"),
            (r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8}( [+-][0-9]{4})?", "DATE"),
            (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[+-][0-9]{4}", "DATE"),
            (r"(uptime:?\s+)([0-9]+[smhd] ?)+", "${1}TIME"),
            (r"\b[0-9a-f]{32}\b", "ID"),
        ];
        let rule = |pattern| RegexBuilder::new(pattern).unicode(false).build().expect("a pattern");
        rules.iter().map(|(pattern, with)| (rule(pattern), *with)).collect()
    })
}

/// One line without what changes from run to run.
pub fn plain(line: &str, places: &[(String, &str)]) -> String {
    let mut line = line.trim_end().to_owned();
    for (place, name) in places {
        line = line.replace(place, name);
    }
    for (pattern, with) in rules() {
        if pattern.is_match(&line) {
            line = pattern.replace_all(&line, *with).into_owned();
        }
    }
    line
}

/// An entry of the log: the level, the message's first line, and those that follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub level: String,
    pub lines: Vec<String>,
}

/// The entries of a log file; what is not ended by a newline yet is left out.
pub fn entries(log: &str) -> Vec<Entry> {
    static HEAD: OnceLock<Regex> = OnceLock::new();
    let head = HEAD.get_or_init(|| {
        Regex::new(r"^\[[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[+-][0-9]{4}\] ([a-z]+) *: (.*)$").expect("a pattern")
    });
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    let mut entries: Vec<Entry> = Vec::new();
    for line in whole.lines() {
        if let Some(found) = head.captures(line) {
            entries.push(Entry { level: found[1].to_owned(), lines: vec![found[2].to_owned()] });
        } else if let Some(entry) = entries.last_mut() {
            entry.lines.push(line.to_owned());
        }
    }
    entries
}

#[test]
fn what_changes_from_run_to_run_is_taken_out() {
    let places = [("/tmp/plc1x2".to_owned(), "@DIR@")];
    let same = |line: &str| plain(line, &places);
    assert_eq!(same("Monit 5.33.0 uptime: 1h 2m"), "PROGRAM VERSION uptime: TIME");
    assert_eq!(same("'x' process is running with pid 17"), "'x' process is running with pid N");
    assert_eq!(same("Stored in '/tmp/plc1x2/id'"), "Stored in '@DIR@/id'");
    assert_eq!(same("  data collected   Mon, 23 Nov 2026 00:41:00"), "  data collected   DATE");
}

#[test]
fn a_log_falls_into_entries() {
    let log = "[2026-11-23T00:41:04+0000] info     : a\n b\n[2026-11-23T00:41:04+0000] error    : c\n[2026";
    let found = entries(log);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].level.as_str(), found[0].lines.join("/").as_str()), ("info", "a/ b"));
    assert_eq!((found[1].level.as_str(), found[1].lines.join("/").as_str()), ("error", "c"));
}
