//! The control file with what the command line says in its place.

use std::path::{Path, PathBuf};

use super::options::Options;
use crate::config::load::{Loaded, Machine, Overrides, load};
use crate::config::world::World;
use crate::config::{Config, Facility, LogTarget};

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
    }
}

/// Reads the control file; even a broken one yields the settings that could be understood.
pub fn read(control_file: &Path, options: &Options) -> Loaded {
    load(control_file, &Machine, &overrides(options))
}

/// A configuration that can be put to work, and the warnings about it.
///
/// # Errors
/// All errors and warnings, as people read them.
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
    match loaded.config.take() {
        Some(config) => Ok((config, messages)),
        None => Err(messages.trim_end().to_owned()),
    }
}
