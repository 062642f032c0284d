//! The layers: what stands in which order, and that nobody looks down.

use crate::source::{Source, check, count, paths, read, top};

/// The layers, lowest first, and whether each is pure. A module may use those that stand before its own.
pub const LAYERS: [(&str, bool); 18] = [
    ("base", true),
    ("facts", true),
    ("sys", false),
    ("log", false),
    ("syntax", true),
    ("config", true),
    ("net", false),
    ("job", false),
    ("probe", false),
    ("check", true),
    ("event", true),
    ("action", true),
    ("state", false),
    ("view", true),
    ("alert", false),
    ("http", false),
    ("cli", false),
    ("daemon", false),
];

/// The place of a layer in the table.
pub fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|(layer, _)| *layer == name)
}

/// The layers that a file names, by `crate::` or by climbing to the top with `super::`.
pub fn layers_used(source: &Source) -> Vec<(usize, usize)> {
    let depth = source.module().split('/').count();
    let by_crate = paths(&source.code).into_iter().filter_map(|(at, path)| {
        let name = path.strip_prefix("crate::").or_else(|| path.strip_prefix("pollux::"))?;
        Some((at, layer(name.split("::").next()?)?))
    });
    // below `mod tests { … }` one `super` more is needed, so only shipped code is looked at
    let by_climbing = paths(&source.shipped).into_iter().filter_map(|(at, path)| {
        let climbed = path.split("::").take_while(|step| *step == "super").count();
        let name = path.split("::").nth(climbed)?;
        if climbed >= depth { Some((at, layer(name)?)) } else { None }
    });
    by_crate.chain(by_climbing).collect()
}

fn layers_hold(source: &Source) -> Vec<String> {
    let Some(own) = source.layer() else { return Vec::new() };
    let above = layers_used(source).into_iter().filter(|(_, used)| *used > own);
    above.map(|(at, used)| source.finding(at, format!("{} may not use {}", LAYERS[own].0, LAYERS[used].0))).collect()
}

#[test]
fn a_module_uses_only_what_stands_above_it_in_the_table() {
    check(layers_hold);
}

#[test]
fn a_wrong_direction_is_found() {
    let own = "src/config/load.rs";
    assert_eq!(count(layers_hold, own, "use crate::base::time::Span;"), 0);
    assert_eq!(count(layers_hold, own, "use crate::daemon::cycle;"), 1);
    assert_eq!(count(layers_hold, own, "use crate::{base, http::{self, route}, daemon};"), 3);
    assert_eq!(count(layers_hold, own, "fn f() { crate::view::text() } // crate::http"), 1);
    assert_eq!(count(layers_hold, own, "use super::super::view;"), 1);
    assert_eq!(count(layers_hold, own, "use super::view;"), 0);
    assert_eq!(count(layers_hold, "src/main.rs", "use crate::daemon;"), 0);
}

/// The table that the library's documentation shows: lines such as `base  P  vocabulary` in a code block.
fn table(text: &str) -> Vec<(String, bool)> {
    let mut rows = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let Some(line) = line.strip_prefix("//!") else { continue };
        if line.trim_start().starts_with("```") {
            inside = !inside;
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(name) = words.next().filter(|_| inside) else { continue };
        let name = name.trim_end_matches('/').trim_end_matches(".rs");
        rows.push((name.to_owned(), words.next() == Some("P")));
    }
    rows
}

#[test]
fn the_table_in_the_library_is_the_one_that_is_checked() {
    let text = read("src/lib.rs");
    let rows = table(&text);
    // the finished program has its table; before, the order stands here alone
    if rows.is_empty() && !top().join("src/daemon").exists() {
        return;
    }
    let built = |name: &str| {
        top().join("src").join(name).is_dir() || top().join("src").join(name).with_extension("rs").is_file()
    };
    // rooms that have nothing in them yet may be missing from the table
    let expected: Vec<_> = LAYERS
        .iter()
        .filter(|(name, _)| built(name) || rows.iter().any(|row| row.0 == *name))
        .map(|(name, pure)| (name.to_string(), *pure))
        .collect();
    assert_eq!(rows, expected, "the table of layers in src/lib.rs");
}

#[test]
fn the_table_is_read() {
    let sample =
        "//! Layers:\n//! ```text\n//! base/     P  words\n//! log          lines\n//! ```\n//! daemon/ is last\n";
    assert_eq!(table(sample), [("base".to_owned(), true), ("log".to_owned(), false)]);
}

#[test]
fn every_room_of_the_source_is_a_layer() {
    let strange = |source: &Source| {
        let known = source.layer().is_some() || source.path == "src/main.rs" || source.path == "src/lib.rs";
        if known { Vec::new() } else { vec![source.finding(0, "stands in no layer")] }
    };
    check(strange);
    assert_eq!(count(strange, "src/util/mod.rs", ""), 1);
}
