//! What belongs into one room only: system calls, clocks, libraries; and what pure code may not touch.

use crate::layers::{LAYERS, layers_used};
use crate::source::{Source, check, count, paths, tokens};

/// The one part of a pure layer that does I/O.
pub const IMPURE_PARTS: [&str; 1] = ["config/load"];

/// The pure parts of a layer that is not.
pub const PURE_PARTS: [&str; 4] = ["http/route", "http/auth", "http/allow", "http/form"];

/// What pure code may not touch, as beginnings of paths.
const IMPURE_PATHS: [&str; 11] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::net::Tcp",
    "std::net::Udp",
    "std::os::unix::net",
    "std::io::std",
    "std::time::SystemTime",
    "SystemTime::now",
    "Instant::now",
];

/// Libraries that belong to one place, or one for each thing they do.
const LIBRARY_HOMES: [(&str, &[&str]); 5] = [
    ("libc", &["src/sys/"]),
    ("tiny_http", &["src/http"]),
    ("httparse", &["src/http"]),
    ("getopts", &["src/cli"]),
    ("openssl", &["src/sys/digest.rs", "src/sys/tls.rs"]),
];

/// The file that reads the clocks, and the one that reads how long FreeBSD has been up, for which only a clock is offered.
const CLOCK: &str = "src/sys/posix/clock.rs";
const UPTIME: &str = "src/sys/freebsd/machine.rs";

fn purity_holds(source: &Source) -> Vec<String> {
    if !source.is_pure() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (at, path) in paths(&source.shipped) {
        if IMPURE_PATHS.iter().any(|impure| path.starts_with(impure) || path.ends_with(&format!("::{impure}"))) {
            findings.push(source.finding(at, format!("pure code uses {path}")));
        }
        if path.starts_with("crate::config::load") {
            findings.push(source.finding(at, "pure code uses config/load.rs"));
        }
    }
    let own = source.layer();
    for (at, used) in layers_used(source) {
        if !LAYERS[used].1 && Some(used) != own {
            findings.push(source.finding(at, format!("pure code uses {}, which is not pure", LAYERS[used].0)));
        }
    }
    findings
}

#[test]
fn pure_modules_do_no_input_or_output_and_read_no_clock() {
    check(purity_holds);
}

#[test]
fn impurity_is_found() {
    for (own, text, expected) in [
        ("src/base/time.rs", "use std::time::Duration;", 0),
        ("src/base/time.rs", "use std::{fmt, fs};", 1),
        ("src/base/time.rs", "fn f() { std::time::Instant::now(); Instant::now(); }", 2),
        ("src/base/time.rs", "#[cfg(test)]\nmod tests { use std::fs; }", 0),
        (
            "src/base/time.rs",
            "// std::fs\nconst A: &str = \"std::fs\"; const B: char = '\"'; const C: &str = r#\"std::env\"#;",
            0,
        ),
        ("src/check/existence.rs", "use crate::sys::posix;", 1),
        ("src/config/rules.rs", "use super::load; use crate::config::load::read;", 1),
        ("src/config/load.rs", "use std::fs; use crate::sys::posix;", 0),
        ("src/http/route.rs", "use std::net::TcpStream;", 1),
        ("src/http/listener.rs", "use std::net::TcpStream;", 0),
        ("src/http/auth/basic.rs", "use std::process;", 1),
        ("src/view/text.rs", "use std::os::unix::net::UnixStream;", 1),
    ] {
        assert_eq!(count(purity_holds, own, text), expected, "{own}: {text}");
    }
}

fn wall_holds(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    for (at, path) in paths(&source.code) {
        for (library, homes) in LIBRARY_HOMES {
            let named = path == format!("{library}::*") || path.starts_with(&format!("{library}::"));
            if named && !homes.iter().any(|home| source.path.starts_with(home)) {
                findings.push(source.finding(at, format!("{library} belongs into {}", homes.join(" or "))));
            }
        }
        let of_one_system = path.starts_with("std::os::linux") || path.starts_with("std::os::freebsd");
        let walled = ["unsafe", "target_os", "target_family", "target_arch", "target_env"].contains(&path.as_str());
        if (walled || of_one_system) && !source.path.starts_with("src/sys/") {
            findings.push(source.finding(at, format!("{path} belongs into src/sys")));
        }
    }
    findings
}

#[test]
fn system_calls_and_libraries_stay_in_their_rooms() {
    check(wall_holds);
}

#[test]
fn a_breach_of_the_wall_is_found() {
    assert_eq!(count(wall_holds, "src/job/spawn.rs", "fn f() { unsafe { g() } }"), 1);
    assert_eq!(count(wall_holds, "src/job/spawn.rs", "use libc::kill; fn f() { libc::kill(1, 2) }"), 2);
    assert_eq!(count(wall_holds, "src/job/spawn.rs", "#[cfg(target_os = \"freebsd\")] fn f() {}"), 1);
    assert_eq!(count(wall_holds, "src/job/spawn.rs", "#![forbid(unsafe_code)] // unsafe"), 0);
    assert_eq!(count(wall_holds, "src/sys/posix/kill.rs", "use libc::kill; unsafe fn f() {}"), 0);
    assert_eq!(count(wall_holds, "src/daemon/mod.rs", "use getopts::Options; use tiny_http::Response;"), 2);
    assert_eq!(count(wall_holds, "src/cli.rs", "use getopts::Options;"), 0);
    assert_eq!(count(wall_holds, "src/net/tls.rs", "use openssl::hash::Hasher;"), 1);
    assert_eq!(count(wall_holds, "src/sys/digest.rs", "fn f() { openssl::hash::Hasher::new(); }"), 0);
}

fn clock_holds(source: &Source) -> Vec<String> {
    const CLOCKS: [&str; 5] =
        ["Instant::now", "SystemTime::now", "libc::clock_gettime", "libc::gettimeofday", "libc::time"];
    if source.path == CLOCK || source.path == UPTIME {
        return Vec::new();
    }
    let read = paths(&source.shipped).into_iter().filter(|(_, path)| CLOCKS.iter().any(|clock| path.ends_with(clock)));
    read.map(|(at, path)| source.finding(at, format!("{path} belongs into {CLOCK}"))).collect()
}

#[test]
fn one_file_reads_the_clocks() {
    check(clock_holds);
}

#[test]
fn a_second_clock_is_found() {
    let text = "use std::time; fn f() { time::Instant::now(); }";
    assert_eq!(count(clock_holds, "src/sys/posix/poll.rs", text), 1);
    assert_eq!(count(clock_holds, CLOCK, text), 0);
}

fn safety_holds(source: &Source) -> Vec<String> {
    let lines: Vec<_> = source.text.lines().collect();
    let mut findings = Vec::new();
    for (at, _) in tokens(&source.code).into_iter().filter(|(_, token)| *token == "unsafe") {
        let line = source.text.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count();
        let near = &lines[line.saturating_sub(8)..=line];
        if !near.iter().any(|l| l.contains("SAFETY:") || l.contains("# Safety")) {
            findings.push(source.finding(at, "unsafe without a SAFETY comment"));
        }
    }
    findings
}

#[test]
fn every_unsafe_says_why_it_is_safe() {
    check(safety_holds);
    let own = "src/sys/posix/kill.rs";
    assert_eq!(count(safety_holds, own, "fn f() { unsafe { g() } }"), 1);
    assert_eq!(count(safety_holds, own, "// SAFETY: g asks for nothing.\nunsafe { g() }"), 0);
}
