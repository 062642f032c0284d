//! The manual knows what the program knows.

use crate::source::{Source, read, report, sources, tokens};

/// Beginnings of the names of tables whose words mean nothing that a user could use.
const NOT_OFFERED: [&str; 3] = ["RESERVED", "UNBUILT", "TEST"];

/// Short and long names of the options: the rows of the table `OPTIONS`, of which the getopts grammar is made.
fn options(source: &Source) -> Vec<(usize, String, String)> {
    const COLUMNS: usize = 4;
    let cells: Vec<(usize, String)> = source
        .shipped_strings()
        .filter(|(at, _)| enclosing_constant(&source.shipped[..*at]) == Some("OPTIONS"))
        .map(|(at, value)| (at, value.to_owned()))
        .collect();
    cells.chunks_exact(COLUMNS).map(|row| (row[0].0, row[0].1.clone(), row[1].1.clone())).collect()
}

/// Whether a page in mdoc names a word, apart from its comments; letters count without regard to case.
fn page_has_word(page: &str, word: &str) -> bool {
    let (page, word) = (page.to_ascii_lowercase(), word.to_ascii_lowercase());
    let boundary = |c: Option<char>| !c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    page.lines().filter(|line| !line.starts_with(".\\\"")).any(|line| {
        line.match_indices(&word)
            .any(|(at, _)| boundary(line[..at].chars().next_back()) && boundary(line[at + word.len()..].chars().next()))
    })
}

/// Whether a page has an option; mdoc writes `-t` as `Fl t` and `--test` as `Fl -test`.
fn page_has_option(page: &str, name: &str) -> bool {
    let name = if name.len() > 1 { format!("-{name}") } else { name.to_owned() };
    page.lines().any(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        words.windows(2).any(|pair| pair[0].trim_start_matches('.') == "Fl" && pair[1] == name)
    })
}

fn options_documented(source: &Source, page: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (at, short, long) in options(source) {
        for name in [short, long] {
            if !name.is_empty() && !page_has_option(page, &name) {
                findings.push(source.finding(at, format!("option {name} is not in the manual")));
            }
        }
    }
    findings
}

/// Lower-case words by which code decides: patterns of match arms, rows of tables, what `accept` and `expect` are given, and
/// constants that are lists of words. Words that are known only to be refused or reserved are not among them.
fn words_matched(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, value) in source.shipped_strings() {
        let is_keyword = value.starts_with(|c: char| c.is_ascii_lowercase())
            && value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let after = source.shipped.get(at + value.len() + 2..).unwrap_or("").trim_start();
        let is_pattern = after.starts_with("=>") || (after.starts_with('|') && !after.starts_with("||"));
        let is_given = match last_tokens(&source.shipped[..at])[..] {
            [.., "accept" | "expect", "("] => true,
            [.., "[" | ",", "("] => after.starts_with(','),
            _ => false,
        };
        let is_listed = enclosing_constant(&source.shipped[..at])
            .is_some_and(|name| !NOT_OFFERED.iter().any(|beginning| name.starts_with(beginning)));
        let is_option = enclosing_constant(&source.shipped[..at]) == Some("OPTIONS");
        if is_keyword && !is_option && (is_pattern || is_given || is_listed) {
            found.push((at, value.to_owned()));
        }
    }
    found
}

/// The few tokens before a place.
fn last_tokens(before: &str) -> Vec<&str> {
    const FAR_ENOUGH: usize = 80;
    let near = before.get(before.len().saturating_sub(FAR_ENOUGH)..).unwrap_or(before);
    tokens(near).into_iter().map(|token| token.1).collect()
}

/// The name of the constant in whose value the code before a place ends.
pub fn enclosing_constant(before: &str) -> Option<&str> {
    let head = before.rfind("const ").into_iter().chain(before.rfind("static ")).max()?;
    let (name, value) = before[head..].split_once(':')?;
    let (_, value) = value.split_once('=')?;
    let mut depth = 0;
    for byte in value.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    name.split_whitespace().last()
}

fn words_documented(source: &Source, page: &str) -> Vec<String> {
    let missing = words_matched(source)
        .into_iter()
        .filter(|(_, word)| !page_has_word(page, word) && !page_has_word(page, &format!("{word}s")));
    missing.map(|(at, word)| source.finding(at, format!("\"{word}\" is not in the manual"))).collect()
}

/// Environment variables, other than the switch that lets tests make system calls fail, must be in the manual; those that set paths when the program is built, in the Makefile.
fn variables_documented(source: &Source, pages: &str, makefile: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if source.path == "src/sys/fault.rs" {
        return findings;
    }
    for (at, value) in source.shipped_strings() {
        let ours = value.starts_with("POLLUX_") || value.starts_with("MONIT_");
        let is_name = value.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') && !value.ends_with('_');
        if !ours || !is_name {
            continue;
        }
        let built_in = matches!(last_tokens(&source.shipped[..at])[..], [.., "option_env", "!", "("]);
        let documented = if built_in { page_has_word(makefile, value) } else { page_has_word(pages, value) };
        if !documented {
            let place = if built_in { "the Makefile" } else { "the manual" };
            findings.push(source.finding(at, format!("variable {value} is not in {place}")));
        }
    }
    findings
}

/// Numbers of constants named `EXIT_…` must be items of the page's list of exit codes.
fn exit_codes_documented(source: &Source, page: &str) -> Vec<String> {
    let section = page.split(".Sh EXIT STATUS").nth(1).and_then(|rest| rest.split("\n.Sh ").next()).unwrap_or("");
    let mut findings = Vec::new();
    let tokens = tokens(&source.shipped);
    for window in tokens.windows(6) {
        if let [(at, "const"), (_, name), (_, ":"), _, (_, "="), (_, number)] = *window {
            let listed =
                section.lines().any(|line| line.strip_prefix(".It ").is_some_and(|item| item.trim() == number));
            if name.starts_with("EXIT_") && !listed {
                findings.push(source.finding(at, format!("exit code {number} is not in the manual")));
            }
        }
    }
    findings
}

#[test]
fn the_manual_knows_every_option_command_keyword_variable_and_exit_code() {
    let (program, file, makefile) = (read("man/pollux.8"), read("man/monitrc.5"), read("Makefile"));
    let pages = format!("{program}\n{file}");
    let mut findings = Vec::new();
    let mut declared = 0;
    for source in &sources() {
        if source.module().split('/').next() == Some("cli") {
            declared += options(source).len();
            findings.extend(options_documented(source, &program));
            findings.extend(words_documented(source, &program));
        }
        if source.module().split('/').next() == Some("config") && !source.module().contains("/tests") {
            findings.extend(words_documented(source, &file));
        }
        findings.extend(variables_documented(source, &pages, &makefile));
        findings.extend(exit_codes_documented(source, &program));
    }
    let has_cli = sources().iter().any(|source| source.module() == "cli");
    assert!(!has_cli || declared >= 10, "the table of options was not found");
    report(findings);
}

#[test]
fn what_the_manual_lacks_is_found() {
    let page = ".Nm\n.Op Fl t\n.It Fl t , Fl -test\n.It Cm start\n.\\\" MONIT_X secret\n.Ev POLLUX_RUNDIR\n.Sh EXIT STATUS\n.It 0\n.Sh X\n.It 7\n";
    let cli = |text: &str| Source::new("src/cli.rs", text);
    assert_eq!(
        options_documented(&cli("const OPTIONS: [R; 1] = [(\"t\", \"test\", \"\", \"check\")];"), page).len(),
        0
    );
    assert_eq!(
        options_documented(&cli("const OPTIONS: [R; 1] = [(\"t\", \"conf\", \"F\", \"file\")];"), page).len(),
        1
    );
    assert_eq!(options_documented(&cli("const OPTIONS: [R; 1] = [(\"c\", \"\", \"F\", \"file\")];"), page).len(), 1);
    assert_eq!(words_documented(&cli("match w { \"start\" => 1, _ => 0 }"), page).len(), 0);
    assert_eq!(words_documented(&cli("match w { \"stop\" | \"quit\" => 1, _ => 0 }"), page).len(), 2);
    assert_eq!(words_documented(&cli("const KEYWORDS: [(&str, u8); 1] = [(\"every\", 1)];"), page).len(), 1);
    assert_eq!(words_documented(&cli("const WORDS: [&str; 0] = []; let text = [\"odd\"];"), page).len(), 0);
    assert_eq!(words_documented(&cli("const UNBUILT_CHECKS: &[&str] = &[\"odd\"];"), page).len(), 0);
    assert_eq!(words_documented(&cli("p.accept(\"odd\"); p.f(\"other\"); p.expect(\"start\");"), page).len(), 1);
    assert_eq!(words_documented(&cli("let table = [(\"odd\", 1), (\"even\", 2)]; f(\"x\", 1);"), page).len(), 2);
    assert_eq!(words_documented(&cli("let text = f(\"other\");"), page).len(), 0);
    assert_eq!(words_documented(&cli("#[cfg(test)] mod tests { const WORDS: [&str; 1] = [\"odd\"]; }"), page).len(), 0);
    assert_eq!(variables_documented(&cli("let a = \"POLLUX_RUNDIR\"; let b = \"MONIT_\";"), page, "").len(), 0);
    assert_eq!(variables_documented(&cli("let a = \"MONIT_X\";"), page, "").len(), 1);
    assert_eq!(variables_documented(&cli("let a = option_env!(\"POLLUX_RUNDIR\");"), page, "").len(), 1);
    assert_eq!(variables_documented(&cli("let a = option_env!(\"POLLUX_P\");"), page, "X POLLUX_P='1'").len(), 0);
    assert_eq!(exit_codes_documented(&cli("const EXIT_OK: i32 = 0; const OTHER: i32 = 7;"), page).len(), 0);
    assert_eq!(exit_codes_documented(&cli("pub const EXIT_LOST: i32 = 7;"), page).len(), 1);
}
