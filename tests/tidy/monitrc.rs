//! monitrc(5) and the sample: every example is a control file that is accepted, every word of the language has its place,
//! and what is not run yet is listed, no more and no less.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use pollux::base::ere;
use pollux::base::event::{DISPLAY_ORDER, EventKind};
use pollux::config::elsewhere::Elsewhere;
use pollux::config::load::{self, Loaded, Overrides};
use pollux::config::print::{Secrets, print};
use pollux::config::world::{FileFacts, ProgramState, World};
use pollux::config::{Config, settings};
use pollux::syntax::diagnostic::Diagnostic;
use pollux::syntax::{lexer, program};

use crate::source::{Source, read, report, sources};

const PAGE: &str = "man/monitrc.5";

/// Longest line of an example that does not wrap at 80 columns, and what each list around it takes.
const EXAMPLE_WIDTH: usize = 67;
const LIST_WIDTH: usize = 8;

/// The comments before the blocks that are lists of words.
const NOISE_MARK: &str = ".\\\" noise words";
const RESERVED_MARK: &str = ".\\\" reserved words";
const NOT_RUN_MARK: &str = ".\\\" not run yet";

/// One example of the page.
struct Example {
    /// Its line in the page, from 1.
    line: usize,
    text: String,
    /// How many lists it stands in.
    depth: usize,
    /// The statements that the page says to put in front of it.
    prefix: String,
}

impl Example {
    fn load(&self) -> Loaded {
        load_text(&format!("{}\n{}\n", self.prefix, self.text))
    }
}

/// Where the control file of a test seems to stand.
const CONTROL_FILE: &str = "/monitrc";

/// A machine on which nothing is but a control file; a path that is included is there and empty.
struct Text<'a>(&'a str);

impl World for Text<'_> {
    fn read(&self, path: &Path, _limit: u64) -> io::Result<Vec<u8>> {
        if path == Path::new(CONTROL_FILE) { Ok(self.0.into()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn stat(&self, _path: &Path) -> io::Result<FileFacts> {
        Ok(FileFacts { regular: true, directory: false, owner: 0, mode: 0o600 })
    }

    fn glob(&self, pattern: &[u8]) -> io::Result<Vec<PathBuf>> {
        let pattern = std::str::from_utf8(pattern).expect("a page in UTF-8");
        Ok(if pattern.contains('*') { Vec::new() } else { vec![pattern.into()] })
    }

    fn uid_of(&self, _name: &str) -> Option<u32> {
        None
    }

    fn user_name(&self, _uid: u32) -> Option<String> {
        None
    }

    fn gid_of(&self, _name: &str) -> Option<u32> {
        None
    }

    fn group_name(&self, _gid: u32) -> Option<String> {
        None
    }

    fn effective_uid(&self) -> u32 {
        0
    }

    fn program(&self, _path: &Path) -> ProgramState {
        ProgramState::Missing
    }

    fn host_name(&self) -> String {
        String::new()
    }

    fn current_dir(&self) -> PathBuf {
        "/".into()
    }

    fn command_line(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// Loads a control file as for another machine, where everything that it names exists.
fn load_text(text: &str) -> Loaded {
    let path = Path::new(CONTROL_FILE);
    load::load(path, &Elsewhere::new(&Text(text), path), &Overrides::default())
}

/// A text without the escapes of mdoc.
fn plain(text: &str) -> String {
    text.replace("\\(dq", "\"").replace("\\e", "\\")
}

/// The examples of a page in mdoc that are control files: each `.Dl`, neighbours being one, and each `.Bd -literal`.
fn examples(page: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut prefix = Some(String::new());
    let mut depth = 0;
    let mut literal = false;
    let mut line_goes_on = false;
    for (number, line) in (1..).zip(page.lines()) {
        let text = line.strip_prefix(".Dl ").or(literal.then_some(line));
        if line == ".Ed" {
            literal = false;
        } else if let (Some(text), Some(prefix)) = (text, &prefix) {
            let text = plain(text);
            match found.last_mut().filter(|_| literal || line_goes_on) {
                Some(example) => example.text.push_str(&format!("\n{text}")),
                None => found.push(Example { line: number, text, depth, prefix: prefix.clone() }),
            }
        } else if line.starts_with(".Bd -literal") {
            literal = true;
            if let Some(prefix) = &prefix {
                found.push(Example { line: number, text: String::new(), depth, prefix: prefix.clone() });
            }
        } else if let Some(statements) = line.strip_prefix(".\\\" examples in: ") {
            prefix = Some(statements.to_owned());
        } else if line == ".\\\" examples: none" {
            prefix = None;
        } else if line == ".\\\" examples alone" || line.starts_with(".Sh ") || line.starts_with(".Ss ") {
            prefix = Some(String::new());
        }
        depth += usize::from(line.starts_with(".Bl "));
        depth -= usize::from(line == ".El");
        line_goes_on = line.starts_with(".Dl ");
    }
    found
}

/// What is wrong with the examples of a page.
/// What is said of a fragment only because it shows one thing and leaves out another: programs, passwords.
const TORN_OUT: [&str; 5] = [
    "the collector cannot act",
    "this rule ",
    "this limit is never reached",
    "no 'allow' asks for a password",
    "passwords cross",
];

fn bad_examples(page: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for example in examples(page) {
        let loaded = example.load();
        let odd = |diagnostic: &Diagnostic| !TORN_OUT.iter().any(|text| diagnostic.message.contains(text));
        if loaded.diagnostics.iter().any(odd) || loaded.config.is_none() {
            findings.push(format!("{PAGE}:{}: is not accepted:\n{}", example.line, loaded.messages()));
        }
        let width = EXAMPLE_WIDTH - LIST_WIDTH * example.depth;
        if example.text.lines().any(|line| line.chars().count() > width) {
            findings.push(format!("{PAGE}:{}: a line is longer than {width} characters", example.line));
        }
    }
    findings
}

/// The lines of the block that stands behind a comment, without their macros and what is remarked behind `No`.
fn block(page: &str, mark: &str) -> Vec<String> {
    let behind = page.split_once(mark).map_or("", |(_, behind)| behind);
    let inside = behind.split_once("\n.Bd").map_or("", |(_, inside)| inside);
    let lines = inside.split("\n.Ed").next().unwrap_or("").lines().skip(1);
    let words = lines.map(|line| line.split(" No ").next().unwrap_or(line));
    words.map(|line| plain(line.trim_start_matches(".Ic ").trim_start_matches(".Cm "))).collect()
}

/// Whether a phrase of the list is `found` or its beginning.
fn begins(found: &str, listed: &str) -> bool {
    found.strip_prefix(listed).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// What examples ask for and is not run must be listed on the page, and nothing else.
fn not_run_listed(page: &str, configs: &[Config]) -> Vec<String> {
    let listed = block(page, NOT_RUN_MARK);
    let found: BTreeSet<&str> = configs.iter().flat_map(|config| &config.unbuilt).map(|(_, words)| &**words).collect();
    let missing = found.iter().filter(|words| !listed.iter().any(|listed| begins(words, listed)));
    let missing = missing.map(|words| format!("{PAGE}: NOT RUN YET lacks '{words}'"));
    let run = listed.iter().filter(|listed| !found.iter().any(|words| begins(words, listed)));
    let run = run.map(|listed| format!("{PAGE}: NOT RUN YET has '{listed}', which is run or has no example"));
    missing.chain(run).collect()
}

/// The page without the lists of words that stand for themselves.
fn page_without_lists(page: &str) -> String {
    let mut rest = page.to_owned();
    for mark in [RESERVED_MARK, NOT_RUN_MARK] {
        if let Some(start) = rest.find(mark) {
            let end = rest[start..].find("\n.Ed").map_or(rest.len(), |length| start + length);
            rest.replace_range(start..end, "");
        }
    }
    rest
}

/// The words on lines with macros for keywords, in lower case.
fn marked_words(page: &str) -> BTreeSet<String> {
    let macros = ["Ic", "Cm", "Ql"];
    let page = page_without_lists(page).to_ascii_lowercase();
    let marks = |line: &&str| {
        let words = line.trim_start_matches('.').split_whitespace();
        line.starts_with('.') && words.clone().any(|word| macros.iter().any(|mark| mark.eq_ignore_ascii_case(word)))
    };
    page.lines()
        .filter(marks)
        .flat_map(str::split_whitespace)
        .map(|word| word.trim_start_matches('.').to_owned())
        .collect()
}

/// Whether a string of the source can be a word of the language.
fn is_keyword(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-/_".contains(&b))
        && value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.bytes().any(|b| b.is_ascii_lowercase())
}

/// The constant in `words.rs` that holds words only because they are reserved.
const RESERVED: &str = "RESERVED";

/// Every string of the source that can be a word of the language, wherever it stands, must be on the page as one.
fn words_marked(source: &Source, marked: &BTreeSet<String>) -> Vec<String> {
    let reserved = table(source, RESERVED);
    let words = source.shipped_strings().filter(|(at, value)| is_keyword(value) && !reserved.contains(&(*at, *value)));
    let missing = words.filter(|(_, value)| !marked.contains(*value));
    missing.map(|(at, word)| source.finding(at, format!("\"{word}\" is not a word of {PAGE}"))).collect()
}

/// The strings of a constant.
fn table<'a>(source: &'a Source, name: &str) -> Vec<(usize, &'a str)> {
    let inside = |at: &usize| crate::manual::enclosing_constant(&source.shipped[..*at]) == Some(name);
    source.shipped_strings().filter(|(at, _)| inside(at)).collect()
}

/// A list of words on the page must be that of the source.
fn list_is_table(page: &str, mark: &str, source: &Source, name: &str) -> Vec<String> {
    let lines = block(page, mark).join(" ");
    let listed: BTreeSet<&str> = lines.split_whitespace().collect();
    let known: BTreeSet<&str> = table(source, name).into_iter().map(|(_, word)| word).collect();
    let odd = listed.symmetric_difference(&known);
    odd.map(|word| format!("{PAGE}: the list of {name} and the source differ in '{word}'")).collect()
}

/// The sample with its examples switched on: a line that begins with `#` and a letter, and lines with `#` and four blanks
/// behind it.
fn uncommented(sample: &str) -> String {
    let mut inside = false;
    let mut text = String::new();
    for line in sample.lines() {
        let rest = line.strip_prefix('#').unwrap_or("");
        inside = rest.starts_with(|c: char| c.is_ascii_alphabetic()) || inside && rest.starts_with("    ");
        text.push_str(if inside { rest } else { line });
        text.push('\n');
    }
    text
}

#[test]
fn every_example_of_the_page_is_accepted() {
    let page = read(PAGE);
    assert!(examples(&page).len() > 100, "the examples were not found");
    report(bad_examples(&page));
}

#[test]
fn every_example_of_the_page_survives_being_printed() {
    let page = read(PAGE);
    for config in examples(&page).iter().filter_map(|example| example.load().config) {
        let printed = print(&config, Secrets::Shown);
        let again = load_text(&printed);
        assert!(!again.diagnostics.has_errors(), "{printed}\n{}", again.messages());
        assert_eq!(again.config.map(|config| print(&config, Secrets::Shown)).as_ref(), Some(&printed));
    }
}

#[test]
#[cfg_attr(not(feature = "tls"), ignore = "the page describes a pollux with OpenSSL")]
fn what_is_not_run_yet_is_listed_and_nothing_else() {
    let page = read(PAGE);
    let configs: Vec<Config> = examples(&page).iter().filter_map(|example| example.load().config).collect();
    report(not_run_listed(&page, &configs));
}

#[test]
fn every_word_of_the_language_is_on_the_page_as_one() {
    let page = read(PAGE);
    let marked = marked_words(&page);
    let sources = sources();
    let language = sources.iter().filter(|source| source.module().starts_with("syntax"));
    let mut findings: Vec<String> = language.flat_map(|source| words_marked(source, &marked)).collect();
    let words = sources.iter().find(|source| source.path == "src/syntax/words.rs").expect("the tables of words");
    findings.extend(list_is_table(&page, NOISE_MARK, words, "NOISE"));
    findings.extend(list_is_table(&page, RESERVED_MARK, words, RESERVED));
    let events = DISPLAY_ORDER.iter().filter(|kind| **kind != EventKind::Heartbeat).map(|kind| kind.word());
    findings.extend(events.filter(|word| !marked.contains(*word)).map(|word| format!("{PAGE}: lacks event '{word}'")));
    report(findings);
}

#[test]
fn the_page_tells_the_limits() {
    let page = read(PAGE);
    let section = page.split("\n.Sh LIMITS\n").nth(1).and_then(|rest| rest.split("\n.Sh ").next()).expect("LIMITS");
    let megabytes = |bytes: u64| format!("\"{} MB\"", bytes >> 20);
    let limits = [
        format!("\"one file\" Ta {}", megabytes(load::FILE_MAX)),
        format!("\"all files together\" Ta {}", megabytes(load::TOTAL_MAX)),
        format!("\"files\" Ta \"{}\"", load::FILES_MAX),
        format!("\"depth of includes\" Ta \"{}\"", load::DEPTH_MAX),
        format!("\"a word or string\" Ta \"{} KB\"", lexer::TOKEN_MAX >> 10),
        format!("\"a pattern\" Ta \"{} KB\"", ere::LENGTH_MAX >> 10),
        format!("\"parentheses in a pattern\" Ta \"{} deep\"", ere::DEPTH_MAX),
        format!("\"number in braces of a pattern\" Ta \"{}\"", ere::REPEAT_MAX),
        format!("\"words of a command\" Ta \"{}\"", program::WORDS_MAX),
        format!("\"any time\" Ta \"{} seconds (366 days)\"", settings::SECONDS_MAX),
        format!("\"any buffer\" Ta \"{} GB\"", settings::BUFFER_MAX >> 30),
        format!("\"any number\" Ta \"{}\"", u64::MAX),
    ];
    let missing = limits.iter().filter(|limit| !section.contains(*limit));
    report(missing.map(|limit| format!("{PAGE}: LIMITS lacks {limit}")).collect());
}

#[test]
fn the_sample_is_accepted_and_run_as_it_is_and_with_its_examples() {
    let sample = read("monitrc.sample");
    assert!(uncommented(&sample).contains("\ncheck process streaming"), "the examples were not found");
    for text in [uncommented(&sample), sample] {
        let loaded = load_text(&text);
        assert_eq!(loaded.messages(), "");
        assert_eq!(loaded.config.expect("a configuration").unbuilt, []);
    }
}

#[test]
fn what_is_wrong_with_the_page_is_found() {
    let page = ".\\\" examples in: check process a pidfile /a\n.Dl if does not exist then alert\n.Dl mode odd\n.Bd -literal\nmode passive\n.Ed\n.Sh X\n.Dl mode passive\n.\\\" examples: none\n.Dl # ls\n";
    let found = examples(page);
    let texts: Vec<(usize, &str)> = found.iter().map(|example| (example.line, example.text.trim())).collect();
    let expected = [(2, "if does not exist then alert\nmode odd"), (4, "mode passive"), (8, "mode passive")];
    assert_eq!(texts, expected);
    assert_eq!(bad_examples(page).len(), 2);
    assert_eq!(bad_examples(&format!(".Dl set log /{}\n", "x".repeat(EXAMPLE_WIDTH))).len(), 1);

    let config = |text: &str| load_text(text).config.expect("a configuration");
    let list = ".\\\" not run yet\n.Bd -unfilled\n.Ic set alert No x\n.Ic set\n.Ic sets\n.Ed\n";
    assert_eq!(not_run_listed(list, &[config("set fips")]).len(), 2);
    assert_eq!(
        not_run_listed(list, &[config("set alert a@b"), config("check process a pidfile /a noalert a@b")]).len(),
        2
    );

    let marked = marked_words(
        "every\n.Cm start , stop\n.It Ic restart Ar onions\n.Sh mode\n.\\\" reserved words\n.Cm not\n.Ed\n",
    );
    assert!(["start", "stop", "restart"].iter().all(|word| marked.contains(*word)));
    assert!(!["every", "mode", "not"].iter().any(|word| marked.contains(*word)));
    let missing = |text: &str| words_marked(&Source::new("src/syntax/x.rs", text), &marked).len();
    assert_eq!(missing("f(\"start\"); g(b\"stop\"); \"A text.\"; \"%\";"), 0);
    assert_eq!(missing("f(\"odd\"); const RESERVED: [&str; 1] = [\"even\"];"), 1);

    let source = Source::new("src/syntax/words.rs", "const NOISE: [&str; 2] = [\"and\", \"or\"];");
    assert_eq!(list_is_table(".\\\" noise words\n.Bd\n.Cm and\n.Cm or\n.Ed\n", NOISE_MARK, &source, "NOISE").len(), 0);
    assert_eq!(list_is_table(".\\\" noise words\n.Bd\n.Cm and to\n.Ed\n", NOISE_MARK, &source, "NOISE").len(), 2);
    assert_eq!(uncommented("# x\n#set a\n#    b\n# c\n#    d\n"), "# x\nset a\n    b\n# c\n#    d\n");
}
