//! A case as a text file: what it is about, the files, and the steps with what is to be seen after each.
//!
//! ```text
//! about: a process that died is started again
//! rows: 2.1 5.3
//! differs: why, with the row or the version that changed it     (only where the two must differ)
//! needs: root, or world for a network and mounts of its own
//!
//! === monitrc
//! check process x with pidfile @DIR@/run/x.pid
//! === steps
//! daemon
//! log x
//!   | error: 'x' process is not running
//!   - what only Monit says
//!   + what only pollux says
//! ```

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::play::Played;

/// How the two compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They do the same.
    Equal,
    /// They do not, for this reason.
    Differs(String),
    /// The original cannot do it at all, for this reason; only pollux is played.
    Ours(String),
}

/// Whose observations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// pollux
    Ours,
    /// Monit
    Theirs,
}

/// A file of the sandbox.
#[derive(Clone, Debug)]
pub struct Fixture {
    pub path: String,
    pub mode: u32,
    pub text: String,
}

/// What is done, and what is to be seen then.
#[derive(Clone, Debug)]
pub struct Step {
    /// Line in the file, from 1.
    pub line: usize,
    /// The step, or a comment, or nothing.
    pub text: String,
    /// `|`, `+` or `-`, and a line.
    pub seen: Vec<(char, String)>,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    path: PathBuf,
    /// The file down to `=== steps`.
    head: String,
    pub rows: Vec<String>,
    pub kind: Kind,
    pub needs_root: bool,
    /// It changes the network or the mounts, so it gets some of its own (and must be root for that).
    pub needs_world: bool,
    pub files: Vec<Fixture>,
    pub steps: Vec<Step>,
}

impl Case {
    /// Reads a case; a broken one fails the test.
    pub fn read(path: &Path) -> Case {
        let text = std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (head, steps) =
            text.split_once("=== steps\n").unwrap_or_else(|| panic!("{name}: there is no line `=== steps`"));
        let mut parts = format!("\n{head}");
        let files = files_of(&mut parts, &name);
        let field = |name: &str| {
            let line = parts.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            Some(line.trim().to_owned())
        };
        let kind = match (field("differs"), field("ours")) {
            (Some(why), _) => Kind::Differs(why),
            (None, Some(why)) => Kind::Ours(why),
            (None, None) => Kind::Equal,
        };
        assert!(field("about").is_some(), "{name}: no about");
        let needs = field("needs").unwrap_or_default();
        let needs: Vec<&str> = needs.split_whitespace().collect();
        let first_line = head.lines().count() + 2;
        Case {
            rows: field("rows").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            needs_root: needs.contains(&"root"),
            needs_world: needs.contains(&"world"),
            kind,
            files,
            steps: steps_of(steps, first_line),
            head: head.to_owned(),
            path: path.to_owned(),
            name,
        }
    }

    /// Where one side did not do what is written down.
    pub fn compare(&self, who: &str, played: &Played, side: Side) -> Vec<String> {
        let mut findings = Vec::new();
        for (step, seen) in self.steps.iter().zip(&played.seen) {
            let wanted = step.wanted(side);
            if wanted != *seen {
                let mut finding = format!("{}:{}: {who}: after `{}`", self.path.display(), step.line, step.text);
                for (mark, line) in diff(&wanted, seen) {
                    let mark = if mark == '|' {
                        "        "
                    } else if mark == '-' {
                        "written "
                    } else {
                        "seen    "
                    };
                    let _ = write!(finding, "\n    {mark}{line}");
                }
                findings.push(finding);
            }
        }
        findings
    }

    /// A case that says it differs must differ, another must not.
    pub fn difference(&self, ours: &Played, theirs: &Played) -> Option<String> {
        let marked = self.steps.iter().flat_map(|step| &step.seen).any(|(mark, _)| *mark != '|');
        match (&self.kind, ours.seen == theirs.seen && ours.late.is_none() && theirs.late.is_none()) {
            (Kind::Equal, false) => Some("the two do not behave alike".to_owned()),
            (Kind::Equal, true) if marked => Some("an equal case has lines of one side only".to_owned()),
            (Kind::Differs(_), true) => Some("said to differ, but the two behave alike".to_owned()),
            _ => None,
        }
    }

    /// Writes down what both did.
    pub fn bless(&self, ours: &Played, theirs: Option<&Played>) {
        let mut text = format!("{}=== steps\n", self.head);
        for (at, step) in self.steps.iter().enumerate() {
            text.push_str(&step.text);
            text.push('\n');
            let nothing = Vec::new();
            let ours = ours.seen.get(at).unwrap_or(&nothing);
            let theirs = theirs.map_or(ours, |theirs| theirs.seen.get(at).unwrap_or(&nothing));
            for (mark, line) in diff(theirs, ours) {
                text.push_str(format!("  {mark} {line}").trim_end());
                text.push('\n');
            }
        }
        std::fs::write(&self.path, text).expect("the case");
    }
}

impl Step {
    /// What one side is to show.
    fn wanted(&self, side: Side) -> Vec<String> {
        let other = if side == Side::Ours { '-' } else { '+' };
        self.seen.iter().filter(|(mark, _)| *mark != other).map(|(_, line)| line.clone()).collect()
    }
}

/// Takes the sections with files off the head.
fn files_of(head: &mut String, name: &str) -> Vec<Fixture> {
    let text = std::mem::take(head);
    let mut sections = text.split("\n=== ");
    *head = sections.next().unwrap_or_default().to_owned();
    let mut files = Vec::new();
    for section in sections {
        let (title, body) = section.split_once('\n').unwrap_or((section, ""));
        let body = if body.is_empty() { String::new() } else { format!("{}\n", body.trim_end_matches('\n')) };
        let words: Vec<&str> = title.split_whitespace().collect();
        let file = match words.as_slice() {
            ["monitrc"] => Fixture { path: "monitrc".to_owned(), mode: 0o600, text: format!("@HEAD@\n{body}@TICK@\n") },
            ["file", path, mode] => {
                let mode = u32::from_str_radix(mode, 8).unwrap_or_else(|_| panic!("{name}: mode {mode}"));
                Fixture { path: (*path).to_owned(), mode, text: body }
            }
            _ => panic!("{name}: section {title}"),
        };
        files.push(file);
    }
    files
}

fn steps_of(text: &str, first_line: usize) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        match line.strip_prefix("  ") {
            Some(seen) => {
                let mark = seen.chars().next().unwrap_or('|');
                let seen = seen.get(2..).unwrap_or_default().to_owned();
                steps.last_mut().expect("a step before what is seen").seen.push((mark, seen));
            }
            None => steps.push(Step { line: first_line + at, text: line.to_owned(), seen: Vec::new() }),
        }
    }
    steps
}

/// The lines of both lists: `|` in both, `-` in the first only, `+` in the second only; as few as can be.
pub fn diff(first: &[String], second: &[String]) -> Vec<(char, String)> {
    let (rows, columns) = (first.len(), second.len());
    let mut common = vec![vec![0usize; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            common[row][column] = if first[row] == second[column] {
                common[row + 1][column + 1] + 1
            } else {
                common[row + 1][column].max(common[row][column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut lines = Vec::new();
    while row < rows || column < columns {
        if row < rows && column < columns && first[row] == second[column] {
            lines.push(('|', first[row].clone()));
            (row, column) = (row + 1, column + 1);
        } else if row < rows && (column == columns || common[row + 1][column] >= common[row][column + 1]) {
            lines.push(('-', first[row].clone()));
            row += 1;
        } else {
            lines.push(('+', second[column].clone()));
            column += 1;
        }
    }
    lines
}

#[test]
fn a_difference_names_each_line_once() {
    let list = |text: &str| text.chars().map(String::from).collect::<Vec<_>>();
    let marks: String = diff(&list("abcd"), &list("axcd")).iter().map(|(mark, line)| format!("{mark}{line}")).collect();
    assert_eq!(marks, "|a-b+x|c|d");
    assert!(diff(&[], &[]).is_empty());
}

#[cfg(test)]
fn sample(kind: Kind, seen: &[(char, &str)]) -> Case {
    let seen = seen.iter().map(|(mark, line)| (*mark, (*line).to_owned())).collect();
    Case {
        name: "sample".to_owned(),
        path: PathBuf::from("sample.case"),
        head: String::new(),
        rows: Vec::new(),
        kind,
        needs_root: false,
        needs_world: false,
        files: Vec::new(),
        steps: vec![Step { line: 1, text: "log".to_owned(), seen }],
    }
}

#[cfg(test)]
fn played(lines: &[&str]) -> Played {
    Played { seen: vec![lines.iter().map(|line| (*line).to_owned()).collect()], late: None }
}

#[test]
fn what_is_not_as_it_is_written_is_found_on_either_side() {
    let case = sample(Kind::Differs("why".to_owned()), &[('|', "both"), ('-', "theirs"), ('+', "ours")]);
    assert!(case.compare("pollux", &played(&["both", "ours"]), Side::Ours).is_empty());
    assert!(case.compare("monit", &played(&["both", "theirs"]), Side::Theirs).is_empty());
    assert_eq!(case.compare("monit", &played(&["both", "ours"]), Side::Theirs).len(), 1);
    assert_eq!(case.compare("pollux", &played(&[]), Side::Ours).len(), 1);
}

#[test]
fn a_case_may_neither_differ_nor_be_equal_without_saying_so() {
    let (one, other) = (played(&["a"]), played(&["b"]));
    let equal = sample(Kind::Equal, &[('|', "a")]);
    assert!(equal.difference(&one, &one).is_none());
    assert!(equal.difference(&one, &other).is_some());
    assert!(sample(Kind::Equal, &[('+', "a"), ('-', "a")]).difference(&one, &one).is_some());
    let differs = sample(Kind::Differs("why".to_owned()), &[('-', "a"), ('+', "b")]);
    assert!(differs.difference(&other, &one).is_none());
    assert!(differs.difference(&one, &one).is_some());
}
