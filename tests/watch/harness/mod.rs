//! What the tests share: a sandbox with a daemon and stand-in services, and ways to look at processes and pages.

pub mod page;
pub mod process;
mod record;
mod sandbox;
mod scripts;

pub use sandbox::{Sandbox, Told};

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pollux::sys::platform::process::ProcessTable;
use pollux::sys::posix::file;

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

/// For tests in which a state of Monit's is taken over, one at a time: where it is not told which files a process has open,
/// any Monit may be the one that keeps it, also the stand-in of such a test. `None`, which is said, when one runs here.
pub fn without_monit(test: &str) -> Option<MutexGuard<'static, ()>> {
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let listed = ProcessTable::live().and_then(|table| table.scan(true)).expect("process table");
    let is_monit =
        |command: &[u8]| command.split(|byte| *byte == b' ').next().is_some_and(|path| path.ends_with(b"monit"));
    let pids = listed.iter().filter(|process| is_monit(&process.command)).map(|process| process.entry.identity.pid);
    match pids.into_iter().find(|pid| file::is_open_in(Path::new("/"), *pid).is_none()) {
        Some(pid) => {
            skipped(test, &format!("a monit runs here (pid {pid}), and its files are not shown to us"));
            None
        }
        None => Some(one),
    }
}
