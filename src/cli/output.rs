//! Words for the terminal. A reader that went away (`| head`) is no error; a full disk is.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Something could not be written to standard output.
static LOST: AtomicBool = AtomicBool::new(false);

/// Writes to standard output as it is.
pub fn out(text: &str) {
    let written = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
        && !LOST.swap(true, Ordering::Relaxed)
    {
        err(&format!("cannot write to standard output: {error}"));
    }
}

/// Writes a line to standard error.
pub fn err(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// The exit code, given that everything was to be written: 1 instead of 0 when it was not.
pub fn truthful(code: i32) -> i32 {
    if code == 0 && LOST.load(Ordering::Relaxed) { 1 } else { code }
}
