//! The rows of behaviour that must have a case, and the table of which have one.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::case::{Case, Kind};

/// The rows with how many control files use them: `A` most, `B` some.
pub fn rows() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("rows.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').expect("a row and its importance")).collect()
}

/// Rows without a case, and cases of rows that are none.
pub fn findings(rows: &[(&str, &str)], cases: &[Case]) -> Vec<String> {
    let mut findings = Vec::new();
    let known: BTreeSet<&str> = rows.iter().map(|(row, _)| *row).collect();
    if known.len() != rows.len() {
        findings.push("a row is listed twice".to_owned());
    }
    for (row, _) in rows {
        if !cases.iter().any(|case| case.rows.iter().any(|of| of == row)) {
            findings.push(format!("row {row} has no case"));
        }
    }
    for case in cases {
        if case.rows.is_empty() {
            findings.push(format!("{} proves no row", case.name));
        }
        for row in case.rows.iter().filter(|row| !known.contains(row.as_str())) {
            findings.push(format!("{} names row {row}, which is not listed", case.name));
        }
    }
    findings
}

/// Each row with how many of its cases are equal, different and only ours; then the reasons.
pub fn table(rows: &[(&str, &str)], cases: &[Case], with_original: bool) -> String {
    let mut text = "# Compliance\n\n".to_owned();
    if !with_original {
        text.push_str("Monit is not installed: pollux was held against what is recorded.\n\n");
    }
    text.push_str("| row | | equal | different | only ours |\n|---|---|---|---|---|\n");
    let count = |row: Option<&str>, is: fn(&Kind) -> bool| {
        let of = |case: &&Case| row.is_none_or(|row| case.rows.iter().any(|of| of == row));
        cases.iter().filter(of).filter(|case| is(&case.kind)).count()
    };
    let kinds: [fn(&Kind) -> bool; 3] =
        [|kind| *kind == Kind::Equal, |kind| matches!(kind, Kind::Differs(_)), |kind| matches!(kind, Kind::Ours(_))];
    for (row, importance) in rows {
        let [equal, different, ours] = kinds.map(|is| count(Some(row), is));
        let _ = writeln!(text, "| {row} | {importance} | {equal} | {different} | {ours} |");
    }
    let [equal, different, ours] = kinds.map(|is| count(None, is));
    let _ = writeln!(text, "| cases | | {equal} | {different} | {ours} |\n");
    for case in cases {
        if let Kind::Differs(why) | Kind::Ours(why) = &case.kind {
            let _ = writeln!(text, "- {} ({}): {why}", case.name, case.rows.join(" "));
        }
    }
    text
}
