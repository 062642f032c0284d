//! What needs no daemon: checks of the control file, the id, patterns, the version.

use std::io::{BufRead, Write};
use std::path::Path;

use super::options::Options;
use super::output::{err, out};
use super::{CalledAs, ask, load, paths};
use crate::base::ere;
use crate::base::process::Pid;
use crate::config::print::{Secrets, print};
use crate::facts::matching;
use crate::syntax::json::json;
use crate::sys::platform::process::ProcessTable;
use crate::sys::posix::{file, random};
use crate::view::COMPATIBLE_WITH;
use crate::view::procmatch::{Match, procmatch};

/// The text of `-V`. Tools take the last word of the first line for the version of Monit.
pub fn version() -> String {
    let own = env!("CARGO_PKG_VERSION");
    format!(
        "This is pollux, compatible with Monit version {COMPATIBLE_WITH}\npollux {own}, BSD-2-Clause; default control file: {}/monitrc\n",
        paths::SYSCONFDIR
    )
}

/// `-t`: checks the control file.
pub fn test(called_as: CalledAs, control_file: &Path, options: &Options) -> i32 {
    let loaded = load::checked(control_file, options);
    let strict = options.strict && !loaded.diagnostics.is_empty();
    let accepted = loaded.config.as_ref().filter(|_| !strict);
    if options.json {
        out(&json(&loaded.diagnostics, &loaded.sources));
        return i32::from(accepted.is_none());
    }
    let messages = loaded.messages();
    if !messages.is_empty() {
        err(messages.trim_end());
    }
    if let Some(config) = &accepted {
        let notes = load::notes(config);
        if !notes.is_empty() {
            err(notes.trim_end());
        }
        out("Control file syntax OK\n");
        return 0;
    }
    if loaded.config.is_some() {
        err("with --strict a warning is an error");
    }
    err(&format!("{} exiting due to parsing errors in the configuration file.", called_as.name()));
    1
}

/// `config dump`: prints the control file as it is understood.
pub fn dump(control_file: &Path, options: &Options) -> i32 {
    let loaded = load::read(control_file, &Options::default());
    let Some(config) = &loaded.config else {
        err(loaded.messages().trim_end());
        return 1;
    };
    let secrets = if options.with_secrets { Secrets::Shown } else { Secrets::Masked };
    out(&print(config, secrets));
    0
}

/// `procmatch`: the processes a pattern matches, and the one that would be watched.
pub fn process_matches(pattern: &str, options: &Options) -> i32 {
    let compiled = match ere::compile(pattern.as_bytes()) {
        Ok((regex, warnings)) => {
            for warning in warnings {
                err(&format!("warning: {}", warning.text));
            }
            regex
        }
        Err(error) => {
            err(&format!("Invalid pattern \"{pattern}\": {error}"));
            return 1;
        }
    };
    let listed = ProcessTable::live().and_then(|table| table.scan(true));
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => {
            err(&format!("cannot read the process table: {error}"));
            return 1;
        }
    };
    let Some(own) = i32::try_from(std::process::id()).ok().and_then(Pid::new) else { return 1 };
    let found = matching::matches(&listed, &compiled, own);
    let selected = matching::select(&found).map(|process| process.entry.identity);
    let rows: Vec<Match<'_>> = found
        .iter()
        .map(|process| Match {
            selected: Some(process.entry.identity) == selected,
            pid: process.entry.identity.pid,
            parent: process.entry.parent,
            command: &process.command,
        })
        .collect();
    out(&procmatch(pattern, &rows, ask::style(options)));
    0
}

/// `-i`: the daemon's id.
pub fn show_id(control_file: &Path, options: &Options) -> i32 {
    let loaded = load::read(control_file, options);
    if !loaded.settings_found {
        err(loaded.messages().trim_end());
        return 1;
    }
    let path = paths::Paths::new(&loaded.settings).idfile;
    match stored_id(&path).ok_or(()).or_else(|()| new_id(&path)) {
        Ok(id) => {
            out(&format!("Monit ID: {id}\n"));
            0
        }
        Err(why) => {
            err(&why);
            1
        }
    }
}

/// `-r`: a new id, after the user agreed.
pub fn reset_id(control_file: &Path, options: &Options) -> i32 {
    let loaded = load::read(control_file, options);
    if !loaded.settings_found {
        err(loaded.messages().trim_end());
        return 1;
    }
    let path = paths::Paths::new(&loaded.settings).idfile;
    out("Reset Monit Id? [y/N]> ");
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    let _ = std::io::stdout().flush();
    if !answer.trim().eq_ignore_ascii_case("y") {
        return 0;
    }
    match new_id(&path) {
        Ok(id) => {
            out(&format!("Monit id {id}\nStored in '{}'\n", path.display()));
            0
        }
        Err(why) => {
            err(&why);
            1
        }
    }
}

/// The id in the file; `None` when there is none.
pub fn stored_id(path: &Path) -> Option<String> {
    let text = String::from_utf8(file::read(path, 1024).ok()?).ok()?;
    let id = text.trim().to_owned();
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic())).then_some(id)
}

/// Makes an id of 32 hexadecimal digits and stores it.
///
/// # Errors
/// The file cannot be written.
pub fn new_id(path: &Path) -> Result<String, String> {
    let store = || -> std::io::Result<String> {
        let id: String = random::bytes()?.iter().map(|byte| format!("{byte:02x}")).collect();
        if let Some(directory) = path.parent()
            && !directory.exists()
        {
            file::private_dir(directory)?;
        }
        file::replace(path, format!("{id}\n").as_bytes())?;
        Ok(id)
    };
    store().map_err(|error| format!("cannot write the id file {}: {error}", path.display()))
}
