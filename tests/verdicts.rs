//! Small control files, one statement each in many variants: is each accepted or refused as by the original, and in the same
//! line? `make verdicts` runs this; it is skipped where there is no `monit`.

// a test may fail loudly; clippy's exception covers test functions only, not what they share
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used)]

#[path = "verdicts/cases.rs"]
mod cases;
#[path = "verdicts/differences.rs"]
mod differences;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cases::{COMMON, GLOBAL, RULES, SERVICES, TESTS};
use differences::DIFFERENCES;
use pollux::config::load::{Machine, Overrides, load};
use pollux::syntax::diagnostic::Severity;

/// All texts that a template stands for.
fn variants(template: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('«') {
        let (parts, behind) = behind.split_once('»').expect("a closing sign");
        let parts: Vec<&str> = parts.split('|').collect();
        all = all.iter().flat_map(|text| parts.iter().map(move |part| format!("{text}{before}{part}"))).collect();
        rest = behind;
    }
    all.iter().map(|text| format!("{text}{rest}")).collect()
}

fn file(head: &str, statement: &str) -> String {
    format!("set daemon 30\n{head}\n{statement}\nset init\n")
}

/// All control files.
fn texts(judge: &dyn Fn(&str) -> (Verdict, String)) -> Vec<String> {
    let mut all = Vec::new();
    let mut add = |head: &str, statement: String| all.push(file(head, &statement));
    GLOBAL.iter().flat_map(|template| variants(template)).for_each(|text| add("", text));
    let process = SERVICES[0].1;
    COMMON.iter().flat_map(|template| variants(template)).for_each(|text| add(process, text));
    for (_, head) in SERVICES {
        for template in TESTS {
            // A type that can have none of these tests is asked for the first one only.
            let tests = variants(template);
            let file = |test: &String| file(head, &format!("if {test} then alert"));
            let count = if tests.iter().any(|test| !judge(&file(test)).0.0) { tests.len() } else { 1 };
            tests.iter().take(count).for_each(|test| add(head, format!("if {test} then alert")));
        }
        for content in ["ignore content = \"x\"", "ignore match x", "ignore not match \"x\"", "ignore content != 'x'"] {
            add(head, content.to_owned());
        }
    }
    for test in ["not exist", "uptime > 5", "changed pid", "failed port 80", "succeeded port 80"] {
        RULES.iter().flat_map(|template| variants(template)).for_each(|rule| add(process, format!("if {test} {rule}")));
    }
    all
}

/// Whether a file is refused, and the lines of what is wrong.
type Verdict = (bool, Vec<u32>);

fn of_monit(path: &Path) -> Verdict {
    let output = Command::new("monit").args(["-t", "-c"]).arg(path).stdin(Stdio::null()).output().expect("monit runs");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let prefix = format!("{}:", path.display());
    let line = |text: &str| text.trim().strip_prefix(&prefix)?.split(':').next()?.parse().ok();
    (!output.status.success(), text.lines().filter_map(line).collect())
}

fn of_pollux(path: &Path) -> (Verdict, String) {
    let loaded = load(path, &Machine, &Overrides::default());
    let errors = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let line = |diagnostic: &pollux::syntax::diagnostic::Diagnostic| {
        let at = diagnostic.location?;
        Some(loaded.sources.get(at.source)?.line(at.span.start))
    };
    ((loaded.config.is_none(), errors.filter_map(line).collect()), loaded.messages())
}

#[test]
#[ignore = "needs monit, see make verdicts"]
fn every_variant_is_judged_as_by_the_original() {
    if Command::new("monit").arg("-V").stdout(Stdio::null()).status().is_err() {
        println!("skipped: there is no monit");
        return;
    }
    let folder = std::env::temp_dir().join(format!("pollux-verdicts-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path: PathBuf = folder.join("monitrc");
    let write = |text: &str| {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    let texts = texts(&|text| {
        write(text);
        of_pollux(&path)
    });
    let mut used = vec![false; DIFFERENCES.len()];
    let (mut same, mut expected, mut wrong) = (0, 0, Vec::new());
    for text in &texts {
        write(text);
        let (theirs, (ours, messages)) = (of_monit(&path), of_pollux(&path));
        // The original names the word behind a mistake, which may be in the next line.
        let near = |line: &u32| ours.1.contains(line) || ours.1.contains(&(line - 1));
        let line = !ours.0 || theirs.1.is_empty() || theirs.1.iter().any(near);
        if ours.0 == theirs.0 && line {
            same += 1;
            continue;
        }
        let known = DIFFERENCES.iter().position(|(refused, words, _)| *refused == ours.0 && text.contains(words));
        match known {
            Some(known) => {
                used[known] = true;
                expected += 1;
            }
            None => wrong.push(format!("{text}--- monit {theirs:?}, pollux {ours:?}\n{messages}")),
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    println!("{} files: {same} judged alike, {expected} deliberately otherwise", texts.len());
    for ((_, words, reason), used) in DIFFERENCES.iter().zip(used) {
        println!("'{words}': {reason}");
        assert!(used, "no file differs by '{words}'");
    }
    assert!(wrong.is_empty(), "{} files:\n{}", wrong.len(), wrong.join("\n"));
}
