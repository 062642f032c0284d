//! The form of files, what they may name, and the libraries in Cargo.toml.

use std::fs;
use std::path::Path;

use crate::source::{Source, check, count, files, read, report, top};

/// The libraries that were agreed on.
const DEPENDENCIES: [&str; 6] = ["getopts", "httparse", "libc", "openssl", "regex", "tiny_http"];

const LONGEST_FILE: usize = 800;

fn form_holds(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    let first =
        source.text.lines().find(|line| !line.is_empty() && (!line.starts_with("#![") || line.contains("doc =")));
    if !first.is_some_and(|line| line.starts_with("//!") || line.starts_with("#![doc =")) {
        findings.push(source.finding(0, "begins without a //! header"));
    }
    let lines = source.text.lines().count();
    if lines > LONGEST_FILE {
        findings.push(source.finding(0, format!("has {lines} lines, more than {LONGEST_FILE}")));
    }
    findings
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    check(form_holds);
    assert_eq!(count(form_holds, "src/log.rs", "use std::io;\n"), 1);
    assert_eq!(count(form_holds, "src/log.rs", "#![forbid(unsafe_code)]\n//! Lines.\n"), 0);
    assert_eq!(count(form_holds, "src/log.rs", &format!("//! Lines.\n{}", "\n".repeat(LONGEST_FILE))), 1);
}

/// The places that no file may name: one that names the directory it was written in works nowhere else.
fn places(checkout: &Path) -> Vec<String> {
    let shared =
        ["/", "/tmp", "/var/tmp", "/usr", "/usr/src", "/usr/local/src", "/usr/ports", "/home", "/root", "/src"];
    let mut found = vec![checkout.to_string_lossy().into_owned()];
    if let Some(parent) = checkout.parent().map(Path::to_string_lossy) {
        let builder = parent.starts_with("/usr/") || parent.starts_with("/wrkdirs") || parent.starts_with("/tmp");
        if !shared.contains(&&*parent) && !builder {
            found.push(parent.into_owned() + "/");
        }
    }
    found
}

#[test]
fn no_file_names_the_place_it_was_written_in() {
    let places = places(top());
    let mut findings = Vec::new();
    for path in files(top()) {
        let text = String::from_utf8_lossy(&fs::read(&path).expect("a readable file")).into_owned();
        for (number, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place.as_str())) {
                findings.push(format!("{}:{}: names the checkout's own directory", path.display(), number + 1));
            }
        }
    }
    report(findings);
}

#[test]
fn places_of_a_machine_are_told_from_places_of_a_checkout() {
    assert_eq!(places(Path::new("/tmp/pollux")), ["/tmp/pollux"]);
    assert_eq!(places(Path::new("/data/checkouts/pollux")), ["/data/checkouts/pollux", "/data/checkouts/"]);
}

/// Names of the dependencies of every kind in a Cargo.toml.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut kind = None;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            kind = None;
            if section == "dependencies" {
                kind = Some("");
            } else if section.ends_with("dependencies") {
                kind = Some("other: ");
            } else if let Some((_, name)) = section.split_once("dependencies.") {
                found.push(name.to_owned());
            }
        } else if let (Some(kind), Some((name, _))) = (kind, line.split_once('='))
            && !line.starts_with('#')
        {
            found.push(format!("{kind}{}", name.trim()));
        }
    }
    found
}

#[test]
fn the_libraries_are_the_agreed_ones() {
    assert_eq!(dependencies(&read("Cargo.toml")), DEPENDENCIES);
}

#[test]
fn another_library_is_found() {
    let sample = "[dependencies]\nlibc = \"0.2\"\n# x = 1\n[dependencies.serde]\nversion = \"1\"\n[dev-dependencies]\ntempfile = \"3\"\n[lints]\na = 1\n";
    assert_eq!(dependencies(sample), ["libc", "serde", "other: tempfile"]);
}
