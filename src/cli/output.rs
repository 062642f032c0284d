//! Words for the terminal. A reader that went away (`| head`) is no error.

use std::io::{self, Write};

/// Writes to standard output as it is.
pub fn out(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
    let _ = io::stdout().flush();
}

/// Writes a line to standard error.
pub fn err(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}
