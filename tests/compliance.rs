//! Does pollux behave as Monit does? Every case is played twice, with pollux and with the original, each in a directory of
//! its own, and what can be seen from outside is compared. `make compliance` runs this; `CASE=text` picks cases by name,
//! `BLESS=1` writes down what both did.

// a test may fail loudly; clippy's exception covers test functions only, not what they share
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

#[path = "compliance/ask.rs"]
mod ask;
#[path = "compliance/case.rs"]
mod case;
#[path = "compliance/plain.rs"]
mod plain;
#[path = "compliance/play.rs"]
mod play;
#[path = "compliance/readings.rs"]
mod readings;
#[path = "compliance/rows.rs"]
mod rows;
#[path = "compliance/sandbox.rs"]
mod sandbox;
#[path = "compliance/scripts.rs"]
mod scripts;
#[path = "compliance/tree.rs"]
mod tree;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use case::{Case, Kind};
use play::play;
use sandbox::{Program, Sandbox, spawn};

/// How many cases are under way at once; they mostly wait.
const WORKERS: usize = 12;

/// After so many failures something is wrong with all cases, and the rest is not played.
const ENOUGH: usize = 20;

/// Of so many cases one may be deliberately different.
const ONE_IN: usize = 10;

/// Asked once.
static HAS_WORLDS: OnceLock<bool> = OnceLock::new();

/// Where the cases are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compliance/cases")
}

/// All cases, by name.
fn cases() -> Vec<Case> {
    let entries = std::fs::read_dir(folder()).expect("the folder of cases");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "there are no cases");
    paths.iter().map(|path| Case::read(path)).collect()
}

#[test]
fn every_row_has_a_case_and_every_case_a_row() {
    let findings = rows::findings(&rows::rows(), &cases());
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn at_most_one_case_in_ten_is_different() {
    let cases = cases();
    let different: Vec<&str> =
        cases.iter().filter(|case| case.kind != Kind::Equal).map(|case| case.name.as_str()).collect();
    assert!(different.len() * ONE_IN <= cases.len(), "{} of {}: {different:?}", different.len(), cases.len());
}

#[test]
#[ignore = "takes minutes and wants Monit, see make compliance"]
fn pollux_behaves_as_the_original_does() {
    let begun = Instant::now();
    let picked = std::env::var("CASE").unwrap_or_default();
    let bless = std::env::var_os("BLESS").is_some();
    let original = Program::monit();
    if original.is_none() {
        println!("skipped Monit's half of every case: monit is not installed; pollux is held against what is recorded");
        assert!(!bless, "without Monit there is nothing to write down");
    }
    let cases: Vec<Case> = cases().into_iter().filter(|case| case.name.contains(&picked)).collect();
    let results = Mutex::new(Vec::new());
    let (next, failures) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(at).filter(|_| failures.load(Ordering::Relaxed) < ENOUGH) else { break };
            let findings = try_case(case, original.as_ref(), bless);
            failures.fetch_add(usize::from(!findings.is_empty()), Ordering::Relaxed);
            results.lock().unwrap().push((at, findings));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(work);
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort();
    let failed: Vec<_> = results.iter().filter(|(_, findings)| !findings.is_empty()).collect();
    for (at, findings) in &failed {
        println!("\n==== {}\n{}", cases[*at].name, findings.join("\n"));
    }
    if picked.is_empty() {
        let table = rows::table(&rows::rows(), &cases, original.is_some());
        println!("\n{table}");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("compliance.md");
        std::fs::write(path, table).expect("the table");
    }
    println!("{} of {} cases in {:.0?}, {} failed", results.len(), cases.len(), begun.elapsed(), failed.len());
    assert!(failed.is_empty(), "{:?}", failed.iter().map(|(at, _)| &cases[*at].name).collect::<Vec<_>>());
}

#[test]
fn nothing_of_a_sandbox_outlives_it() {
    let program = Program::pollux();
    for round in 0..24_u64 {
        let sandbox = Sandbox::new(&program, &[], false);
        let scripts = (0..4).map(|name| {
            let mut script = sandbox.command(sandbox.dir.join("bin/service"));
            spawn(script.args([&format!("x{name}"), "start"])).expect("a script")
        });
        let mut scripts: Vec<_> = scripts.collect();
        // Each round they are somewhere else when it ends.
        std::thread::sleep(Duration::from_micros(500 * round));
        let dir = sandbox.dir.clone();
        drop(sandbox);
        scripts.iter_mut().for_each(|script| drop(script.wait()));
        assert!(!dir.exists());
        let left = sandbox::naming(&dir);
        assert!(left.is_empty(), "{round}: {left:?}");
    }
}

/// What is wrong with a case; nothing, if all is as it is written down.
fn try_case(case: &Case, original: Option<&Program>, bless: bool) -> Vec<String> {
    if case.needs_root && !is_root() {
        println!("skipped {}: needs root", case.name);
        return Vec::new();
    }
    if case.needs_world && !*HAS_WORLDS.get_or_init(sandbox::has_worlds) {
        println!("skipped {}: needs root, unshare and ip, and a kernel that lets them work", case.name);
        return Vec::new();
    }
    let ours = play(case, &Program::pollux());
    let theirs = original.filter(|_| !matches!(case.kind, Kind::Ours(_))).map(|program| play(case, program));
    let mut findings = Vec::new();
    for (who, played) in [("pollux", Some(&ours)), ("monit", theirs.as_ref())] {
        if let Some(late) = played.and_then(|played| played.late.as_ref()) {
            findings.push(format!("{who}: {late}"));
        }
    }
    if bless && findings.is_empty() {
        case.bless(&ours, theirs.as_ref());
        return findings;
    }
    findings.extend(case.compare("pollux", &ours, case::Side::Ours));
    if let Some(theirs) = &theirs {
        findings.extend(case.compare("monit", theirs, case::Side::Theirs));
        findings.extend(case.difference(&ours, theirs));
    }
    findings
}

/// Whether the tests run as root.
fn is_root() -> bool {
    pollux::sys::posix::account::effective_uid() == 0
}
