//! What is said of FreeBSD's readings: the table in `src/sys/freebsd/mod.rs` names what is there, and `layout.c`, which the
//! compiler holds against FreeBSD's headers, has the numbers of the decoders.

use crate::source::{files, read, report, top};

const TABLE: &str = "src/sys/freebsd/mod.rs";
const LAYOUT: &str = "tests/freebsd/layout.c";
const SELFCHECK: &str = "tests/freebsd/selfcheck.sh";

/// Names that stand in columns of the table: decoders, tests and facts, row by row.
struct Row<'t> {
    decoder: &'t str,
    test: &'t str,
    facts: Vec<&'t str>,
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix('|'));
    let rows = lines.filter(|line| !line.starts_with("reading |")).map(|line| {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, _, decoder, test, facts] = columns[..] else { panic!("five columns: {line}") };
        Row { decoder, test, facts: facts.split_whitespace().collect() }
    });
    rows.collect()
}

/// Whether `file::function` is there, as a function or as a test.
fn is_there(name: &str, is_test: bool) -> bool {
    let Some((file, function)) = name.split_once("::") else { return false };
    let places = [format!("src/sys/freebsd/{file}.rs"), format!("src/sys/{file}.rs")];
    let Some(path) = places.iter().find(|path| top().join(path).exists()) else { return false };
    let needle = format!("{}\nfn {function}", if is_test { "#[test]" } else { "" });
    let code = read(path).lines().map(|line| line.trim_start()).collect::<Vec<_>>().join("\n");
    let code = code.replace("pub(super) fn", "fn").replace("pub fn", "fn");
    code.split(&needle).skip(1).any(|rest| rest.starts_with(['(', '<']))
}

fn findings(text: &str, selfcheck: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for Row { decoder, test, facts } in rows(text) {
        if !decoder.starts_with("none: ") {
            let names = [(decoder, false), (test, true)];
            let missing = names.iter().filter(|(name, is_test)| !is_there(name, *is_test));
            findings.extend(missing.map(|(name, _)| format!("{TABLE}: '{name}' is nowhere")));
        }
        let words: Vec<&str> = selfcheck.split_whitespace().collect();
        let missing = facts.iter().filter(|fact| !words.contains(*fact));
        findings.extend(missing.map(|fact| format!("{TABLE}: {SELFCHECK} has no fact '{fact}'")));
        if facts.is_empty() {
            findings.push(format!("{TABLE}: no fact for '{decoder}'"));
        }
    }
    findings
}

#[test]
fn what_the_table_of_readings_names_is_there() {
    let text = read(TABLE);
    assert!(rows(&text).len() > 25, "the table was not found");
    report(findings(&text, &read(SELFCHECK)));
}

#[test]
fn what_is_not_there_is_found() {
    let selfcheck = "compare reading-x a b\n";
    let count = |row: &str| findings(&format!("//! {row}\n"), selfcheck).len();
    assert_eq!(count("| a | b | decode::records | decode::the_fields_are_found | reading-x |"), 0);
    assert_eq!(count("| a | b | none: because | | reading-x |"), 0);
    assert_eq!(count("| a | b | decode::nothing | decode::records | reading-y |"), 3);
    assert_eq!(count("| a | b | nowhere::records | decode::the_fields_are_found | |"), 2);
}

/// A number of C or Rust.
fn number(text: &str) -> Option<i128> {
    let text = text.trim().replace('_', "");
    let (sign, text) = text.strip_prefix('-').map_or((1, text.as_str()), |rest| (-1, rest));
    let number = match text.strip_prefix("0x") {
        Some(digits) => i128::from_str_radix(digits, 16).ok()?,
        None if text == "i64::MAX" => i128::from(i64::MAX),
        // The offset of a structure and that of a field inside.
        None => text.split('+').map(|part| part.trim().parse::<i128>().ok()).sum::<Option<i128>>()?,
    };
    Some(sign * number)
}

/// Constants of a Rust file: their name, whether they are offsets, and their number.
fn constants(code: &str) -> Vec<(&str, bool, i128)> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in code.lines() {
        match line.trim() {
            "mod offset {" | "pub(super) mod offset {" => inside = true,
            "}" => inside = false,
            line => {
                let constant = line.strip_prefix("pub ").unwrap_or(line).strip_prefix("const ");
                let parts = constant.and_then(|rest| rest.strip_suffix(';')?.split_once(": "));
                if let Some((name, (_, value))) = parts.and_then(|(name, rest)| Some((name, rest.split_once(" = ")?)))
                    && let Some(value) = number(value)
                {
                    found.push((name, inside, value));
                }
            }
        }
    }
    found
}

/// The lines of the C file: Rust file, constant, whether it is an offset, number.
fn layout(code: &str) -> Vec<(&str, &str, bool, i128)> {
    let lines = code.lines().filter_map(|line| {
        let (kind, rest) = line.split_once("(\"")?;
        let words: Vec<&str> = rest.strip_suffix(");")?.split(", ").collect();
        let (file, name) = (words.first()?.strip_suffix('"')?, *words.get(1)?);
        Some((file, name, kind == "AT", number(words.last()?)?))
    });
    lines.collect()
}

#[test]
fn the_numbers_of_the_decoders_are_held_against_the_headers() {
    let text = read(LAYOUT);
    let layout = layout(&text);
    assert!(layout.len() > 90, "the lines were not read");
    let mut findings = Vec::new();
    let directory = top().join("src/sys/freebsd");
    for path in files(&directory) {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let code = read(&format!("src/sys/freebsd/{name}.rs"));
        let constants = constants(&code);
        let of_file: Vec<_> = layout.iter().filter(|line| line.0 == name).collect();
        for (_, constant, is_offset, value) in &of_file {
            let same = |known: &(&str, bool, i128)| known.0 == *constant && known.2 == *value;
            let is_flag = *constant == "FLAG_NAMES"
                && code.lines().any(|line| {
                    let bit = line.trim().strip_prefix('(').and_then(|rest| number(rest.split_once(',')?.0));
                    bit == Some(*value) || *value == 0x1000
                });
            if !is_flag && !constants.iter().any(|known| same(known) && (known.1 || !is_offset)) {
                findings.push(format!("{LAYOUT}: {name}.rs has no {constant} of {value}"));
            }
        }
        for (constant, _, value) in constants.iter().filter(|(_, is_offset, _)| *is_offset) {
            if !of_file.iter().any(|line| line.1 == *constant && line.3 == *value) {
                findings.push(format!("src/sys/freebsd/{name}.rs: {constant} is not in {LAYOUT}"));
            }
        }
    }
    report(findings);
}

#[test]
fn constants_and_lines_are_read() {
    let code = "const A: u32 = 0x1_0;\nmod offset {\n    pub const B: usize = 608 + 88;\n}\nconst C: i16 = -5;\n";
    assert_eq!(constants(code), [("A", false, 16), ("B", true, 696), ("C", false, -5)]);
    let code = "IS(\"x\", A, MNT_A, 0x10);\nAT(\"y\", B, struct b, c, 696);\n#define IS(file, name)\n";
    assert_eq!(layout(code), [("x", "A", false, 16), ("y", "B", true, 696)]);
}
