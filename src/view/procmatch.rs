//! The table of `procmatch`: which processes a pattern finds and which of them would be watched.

use crate::base::escape;
use crate::base::process::Pid;

use super::Style;
use super::table::{Align, Cell, Column, Overflow, table};

const COLUMNS: [Column; 4] = [
    Column { title: "", width: 1, align: Align::Left, overflow: Overflow::Cut },
    Column { title: "PID", width: 8, align: Align::Right, overflow: Overflow::Cut },
    Column { title: "PPID", width: 8, align: Align::Right, overflow: Overflow::Cut },
    Column { title: "Command", width: 50, align: Align::Left, overflow: Overflow::Wrap },
];

/// A process that the pattern matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// This is the one that would be watched.
    pub selected: bool,
    /// Its number.
    pub pid: Pid,
    /// Its parent's number; none is shown as 0.
    pub parent: Option<Pid>,
    /// Its command line, as patterns see it.
    pub command: &'a [u8],
}

/// The whole text, in the order of `matches`.
pub fn procmatch(pattern: &str, matches: &[Match<'_>], style: Style) -> String {
    let mut out = format!("List of processes matching pattern \"{}\":\n", escape::log_line(pattern));
    let row = |found: &Match<'_>| {
        let colour = found.selected.then_some("1");
        let cell = |text| Cell { text, colour };
        vec![
            cell(if found.selected { "*" } else { "" }.to_owned()),
            cell(found.pid.to_string()),
            cell(found.parent.map_or(0, Pid::get).to_string()),
            cell(escape::log_line(&String::from_utf8_lossy(found.command))),
        ]
    };
    if !matches.is_empty() {
        out.push_str(&table(&COLUMNS, &matches.iter().map(row).collect::<Vec<_>>(), style));
    }
    out.push_str(&format!("Total matches: {}\n", matches.len()));
    if matches.len() > 1 {
        out.push_str(
            "\nWARNING:\nThe pattern fits more than one process. The one marked with * is watched, because it\nruns longest; \
             a longer pattern that fits only one is safer.\n",
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_columns_of_the_original() {
        let pid = |n| Pid::new(n).unwrap();
        let long = format!("sleep {}\u{1b}", "x".repeat(50));
        let matches = [
            Match { selected: true, pid: pid(4952), parent: Some(pid(1)), command: b"sleep 98763" },
            Match { selected: false, pid: pid(5632), parent: None, command: long.as_bytes() },
        ];
        let text = procmatch("sleep", &matches, Style::PLAIN);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "List of processes matching pattern \"sleep\":");
        assert_eq!(lines[1], format!("    PID       PPID      {:<50} ", "Command"));
        assert_eq!(lines[2], format!(" *      4952         1  {:<50} ", "sleep 98763"));
        assert_eq!(lines[3], format!("        5632         0  {:<50} ", &long[..50]));
        assert_eq!(lines[4], format!("                        {:<50} ", "xxxxxx\\x1b"));
        assert_eq!(lines[5..8], ["Total matches: 2", "", "WARNING:"]);
    }

    #[test]
    fn one_match_needs_no_warning_and_none_no_table() {
        let one = [Match { selected: true, pid: Pid::new(7).unwrap(), parent: None, command: b"a" }];
        assert!(procmatch("a", &one, Style::PLAIN).ends_with("Total matches: 1\n"));
        assert_eq!(procmatch("zz", &[], Style::FULL), "List of processes matching pattern \"zz\":\nTotal matches: 0\n");
    }
}
