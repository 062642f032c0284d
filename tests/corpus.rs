//! Real control files, which are not part of the project: is each accepted or refused as the original does? `make corpus
//! CORPUS=DIR` runs this; DIR holds `VERDICT.tsv` and `files/`.

// a test may fail loudly; clippy's exception covers test functions only, not what they share
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

#[path = "corpus/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pollux::config::load::{Loaded, Overrides, load};
use pollux::config::print::{Secrets, print};
use pollux::config::{Config, Place};
use pollux::syntax::diagnostic::Severity;
use world::CorpusWorld;

/// Files that are judged otherwise than by the original, each with the reason.
const EXCEPTIONS: [(&str, &str); 2] = [
    ("0229", "a name that is given twice is pointed at; the original names the line behind it"),
    ("0287", "asks for SSL 3, which no TLS library of today has; the original refuses it there as well"),
];

/// One row of the table.
struct Case {
    id: String,
    snippet: bool,
    refused: bool,
    /// Lines of the file at which the original found an error.
    lines: Vec<u32>,
    needs: Vec<(String, String)>,
    text: Vec<u8>,
}

const MAIN: &str = "/corpus/monitrc";

impl Case {
    /// Where the file stands in the world of the test.
    fn path(&self) -> PathBuf {
        if self.snippet { PathBuf::from("/corpus/snippet") } else { PathBuf::from(MAIN) }
    }

    fn world(&self) -> CorpusWorld {
        let mut world = CorpusWorld::new(&self.needs);
        let needed = self.needs.iter().filter(|(kind, _)| kind == "dep");
        let needed: String =
            needed.map(|(_, name)| format!("\ncheck process \"{name}\" with pidfile /{name}\n")).collect();
        if self.snippet {
            world.add(Path::new(MAIN), format!("set daemon 30\n{needed}include /corpus/snippet\n").into_bytes());
            world.add(&self.path(), self.text.clone());
        } else {
            world.add(&self.path(), [self.text.as_slice(), needed.as_bytes()].concat());
        }
        world
    }

    fn load(&self) -> Loaded {
        load(Path::new(MAIN), &self.world(), &Overrides::default())
    }

    /// The same with another text in one file.
    fn load_text(&self, text: String) -> Loaded {
        let mut world = self.world();
        world.add(Path::new(MAIN), text.into_bytes());
        load(Path::new(MAIN), &world, &Overrides::default())
    }
}

fn cases() -> Vec<Case> {
    let folder =
        PathBuf::from(std::env::var_os("CORPUS").expect("CORPUS is not set: name the folder of control files"));
    let table = folder.join("VERDICT.tsv");
    let table = std::fs::read_to_string(&table).unwrap_or_else(|error| panic!("{}: {error}", table.display()));
    let cases: Vec<Case> = table.lines().skip(1).map(|line| case(&folder, line)).collect();
    assert!(!cases.is_empty(), "the table has no rows");
    cases
}

fn case(folder: &Path, line: &str) -> Case {
    let mut columns = line.split('\t');
    let mut next = || columns.next().unwrap_or("").to_owned();
    let (id, kind, _source, _verdict, class, messages, needs) =
        (next(), next(), next(), next(), next(), next(), next());
    let text = std::fs::read(folder.join("files").join(format!("{id}.monitrc"))).unwrap();
    let line_of = |message: &str| message.trim().strip_prefix("FILE:")?.split(':').next()?.parse().ok();
    let errors = messages.split(" | ").filter(|message| !message.contains("invalid allow option"));
    let need = |need: &str| need.trim().split_once(':').map(|(kind, name)| (kind.to_owned(), name.to_owned()));
    Case {
        snippet: kind == "snippet",
        refused: ["syntax", "semantic"].contains(&class.as_str()),
        lines: errors.filter_map(line_of).collect(),
        needs: needs.split(';').filter_map(need).collect(),
        id,
        text,
    }
}

/// Lines of the file with errors.
fn error_lines(loaded: &Loaded, path: &Path) -> BTreeSet<u32> {
    let errors = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let line = |diagnostic: &pollux::syntax::diagnostic::Diagnostic| {
        let at = diagnostic.location?;
        let source = loaded.sources.get(at.source).filter(|source| source.path() == path)?;
        Some(source.line(at.span.start))
    };
    errors.filter_map(line).collect()
}

/// A configuration without places and the order of the file, which a printed text cannot keep.
fn placeless(mut config: Config) -> Config {
    config.unbuilt.clear();
    for service in &mut config.services {
        service.place = Place { file: PathBuf::new(), line: 0 };
    }
    config
}

#[test]
#[ignore = "needs CORPUS, see make corpus"]
fn every_accepted_file_is_the_same_when_it_is_printed_and_read_back() {
    let mut wrong = Vec::new();
    let mut same = 0;
    for case in cases() {
        let Some(first) = case.load().config else { continue };
        let printed = print(&first, Secrets::Shown);
        let loaded = case.load_text(printed.clone());
        let messages = loaded.messages();
        match loaded.config {
            None => wrong.push(format!("{}: what is printed is refused\n{messages}", case.id)),
            Some(second) if placeless(second.clone()) != placeless(first.clone()) => {
                let pairs = first.services.iter().zip(&second.services);
                let first = pairs.map(|(a, b)| format!("{a:?}\n{b:?}")).find(|_| true);
                wrong.push(format!("{}: what is printed means something else\n{printed}\n{first:?}", case.id));
            }
            Some(_) => same += 1,
        }
    }
    println!("{same} files are the same");
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n"));
}

fn is_exception(id: &str) -> bool {
    EXCEPTIONS.iter().any(|(known, _)| *known == id)
}

#[test]
#[ignore = "needs CORPUS, see make corpus"]
fn every_file_is_judged_as_by_the_original() {
    let mut wrong = Vec::new();
    let (mut accepted, mut refused) = (0, 0);
    for case in cases() {
        let loaded = case.load();
        let messages = loaded.messages();
        let lines = error_lines(&loaded, &case.path());
        let finding = match (case.refused, loaded.config.is_some()) {
            (false, true) => {
                accepted += 1;
                continue;
            }
            (false, false) => format!("{}: refused, but the original accepts it\n{messages}", case.id),
            (true, true) => format!("{}: accepted, but the original refuses it\n{messages}", case.id),
            (true, false) => {
                refused += 1;
                let missing: Vec<&u32> = case.lines.iter().filter(|line| !lines.contains(line)).collect();
                if missing.is_empty() {
                    continue;
                }
                format!("{}: no error in line {missing:?}, but in {lines:?}\n{messages}", case.id)
            }
        };
        if !is_exception(&case.id) {
            wrong.push(finding);
        }
    }
    println!("{accepted} accepted, {refused} refused, {} exceptions", EXCEPTIONS.len());
    for (id, reason) in EXCEPTIONS {
        println!("exception {id}: {reason}");
    }
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n"));
}
