//! What the tests share: a sandbox with a daemon and stand-in services, and ways to look at processes and pages.

pub mod page;
pub mod process;
mod record;
mod sandbox;
mod scripts;

pub use sandbox::{Sandbox, Told};

use std::time::{Duration, Instant};

/// How long something that must happen may take before the test fails. Generous: machines that test are busy.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `look` finds something; fails, naming `what`, when that takes too long.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// How many turns the daemon's loop has made, by its own count.
pub fn turns(sandbox: &Sandbox) -> u64 {
    let status = sandbox.cli(&["-v", "status"]).out;
    let words: Vec<&str> = status.split_whitespace().collect();
    let place = words.iter().position(|word| *word == "turns,").expect("the figures of the loop");
    words[place - 1].parse().expect("a number")
}

/// Says that a test was not made, and why.
pub fn skipped(test: &str, why: &str) {
    eprintln!("skipped {test}: {why}");
}
