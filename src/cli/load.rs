//! The control file with what the command line says in its place.

use std::path::{Path, PathBuf};

use super::options::Options;
use crate::base::escape::log_line;
use crate::config::elsewhere::Elsewhere;
use crate::config::load::{Loaded, Machine, Overrides, load};
use crate::config::world::World;
use crate::config::{Config, Facility, LogTarget, Place};

/// The options that stand for `set` statements.
pub fn overrides(options: &Options) -> Overrides {
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    Overrides {
        interval: options.interval,
        log: options.log.as_deref().map(|log| match log {
            "syslog" => LogTarget::Syslog(Facility::default()),
            path => LogTarget::File(absolute(&path.into())),
        }),
        pidfile: options.pidfile.as_ref().map(absolute),
        statefile: options.statefile.as_ref().map(absolute),
        foreground: options.foreground,
        batch: options.batch,
        checking: false,
    }
}

/// Reads the control file; even a broken one yields the settings that could be understood.
pub fn read(control_file: &Path, options: &Options) -> Loaded {
    load(control_file, &Machine, &overrides(options))
}

/// Reads the control file as `-t` does: with `--no-host`, nothing of this machine counts but the files.
pub fn checked(control_file: &Path, options: &Options) -> Loaded {
    let overrides = Overrides { checking: !options.no_host, ..overrides(options) };
    if !options.no_host {
        return load(control_file, &Machine, &overrides);
    }
    let path = std::path::absolute(control_file).unwrap_or_else(|_| control_file.to_owned());
    load(&path, &Elsewhere::new(&Machine, &path), &overrides)
}

/// A configuration that can be put to work, and the warnings about it.
///
/// # Errors
/// All errors and warnings, as people read them; what this release does not run is an error too.
pub fn usable(control_file: &Path, options: &Options) -> Result<(Config, String), String> {
    usable_in(&Machine, control_file, options)
}

/// The same with somebody else's answers about the machine.
///
/// # Errors
/// Those of [`usable`].
pub fn usable_in(world: &dyn World, control_file: &Path, options: &Options) -> Result<(Config, String), String> {
    let mut loaded = load(control_file, world, &overrides(options));
    let messages = loaded.messages();
    let Some(config) = loaded.config.take() else {
        return Err(messages.trim_end().to_owned());
    };
    let refusals = refusals(&config);
    if refusals.is_empty() {
        return Ok((config, messages));
    }
    Err(format!("{messages}{refusals}").trim_end().to_owned())
}

/// Most places of what is not run that are named one by one.
const NAMED: usize = 50;

/// One line for each place at which the control file asks for what this release does not run.
fn refusals(config: &Config) -> String {
    let line = |(place, words): &(Place, String)| {
        let (file, line) = (log_line(&place.file.to_string_lossy()), place.line);
        format!("{file}:{line}: error: this release does not run '{}'\n", log_line(words))
    };
    let mut text: String = config.unbuilt.iter().take(NAMED).map(line).collect();
    let more = config.unbuilt.len().saturating_sub(NAMED);
    if more > 0 {
        text.push_str(&format!("error: {more} more places are not shown\n"));
    }
    text
}

/// One line for each kind of thing that the control file asks for and this release does not run.
pub fn notes(config: &Config) -> String {
    let mut words: Vec<&str> = Vec::new();
    for (_, found) in &config.unbuilt {
        if !words.contains(&found.as_str()) {
            words.push(found);
        }
    }
    let line = |words: &&str| {
        format!("note: this release does not run '{}', the daemon will refuse to start with it\n", log_line(words))
    };
    words.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_not_run_is_refused_with_its_place_and_noted_once() {
        let path = std::env::temp_dir().join(format!("pollux-cli-load-{}", std::process::id()));
        let text = "check process a pidfile /a\n alert a@b\n if failed port 80 then alert\n alert c@d\ncheck host f address localhost\n if failed port 80 then alert\n";
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let loaded = read(&path, &Options::default());
        let usable = usable(&path, &Options::default());
        fs::remove_file(&path).unwrap();
        let refused =
            |line: u32, words: &str| format!("{}:{line}: error: this release does not run '{words}'", path.display());
        let expected =
            [refused(2, "alert"), refused(3, "if failed port"), refused(4, "alert"), refused(5, "check host")]
                .join("\n");
        assert_eq!(usable.unwrap_err(), expected);
        let note = |words: &str| {
            format!("note: this release does not run '{words}', the daemon will refuse to start with it\n")
        };
        assert_eq!(
            notes(&loaded.config.unwrap()),
            [note("alert"), note("if failed port"), note("check host")].concat()
        );
    }
}
