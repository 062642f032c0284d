//! How the time to read a control file grows with its length: `make bench` prints the time of a line, and its ratio to that of
//! the shortest file. A linear reader has ratios near 1.

// a test may fail loudly; clippy's exception covers test functions only, not what they share
#![allow(clippy::expect_used, clippy::print_stdout)]

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use pollux::config::elsewhere::Elsewhere;
use pollux::config::load::{Machine, Overrides, load};

/// About ten lines to a service.
fn text(lines: usize) -> String {
    let mut text = "set daemon 30\ncheck process anchor with pidfile /var/run/anchor.pid\n".to_owned();
    for n in 0..lines / 10 {
        write!(
            text,
            "check process s{n} with pidfile /run/s{n}\n  start \"/bin/true {n}\"\n  stop \"/bin/true {n}\"\n  if cpu > 80% for 5 cycles then alert\n  if memory > 500 MB then restart\n  if failed port {} protocol http then restart\n  if 3 restarts within 5 cycles then timeout\n  group g{}\n  depends on anchor\n  #\n",
            n % 60_000 + 1,
            n % 50
        )
        .expect("a string takes all");
    }
    text
}

#[test]
#[ignore = "takes a while, see make bench"]
fn time_of_a_line() {
    let path = std::env::temp_dir().join(format!("pollux-bench-{}", std::process::id()));
    let mut first = None;
    for lines in [5_000, 50_000, 500_000] {
        fs::write(&path, text(lines)).expect("a file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it belongs to us");
        let best = (0..3).map(|_| {
            let start = Instant::now();
            // Programs that are looked for would be most of the time.
            let loaded = load(&path, &Elsewhere::new(&Machine, &path), &Overrides::default());
            assert!(loaded.config.is_some(), "{}", loaded.messages());
            start.elapsed()
        });
        let nanoseconds = best.min().unwrap_or_default().as_nanos() as f64 / lines as f64;
        let first = *first.get_or_insert(nanoseconds);
        println!("{lines:7} lines: {nanoseconds:6.0} ns a line, ratio {:.2}", nanoseconds / first);
    }
    fs::remove_file(&path).expect("it is ours");
}
