//! Where things are: build-time defaults, the control file, and the private socket that belongs to it.
//!
//! The socket and the run record are named after the control file's path, not found through its content, so that `quit` and
//! `status` work although the control file is broken.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::base::escape;
use crate::config::Settings;
use crate::sys::posix::account;

use super::options::Options;

/// Where control files are, beside `/etc` (build-time setting `POLLUX_SYSCONFDIR`).
pub const SYSCONFDIR: &str = match option_env!("POLLUX_SYSCONFDIR") {
    Some(path) => path,
    None => "/usr/local/etc",
};

/// Root's state (build-time setting `POLLUX_STATEDIR`).
pub const STATEDIR: &str = match option_env!("POLLUX_STATEDIR") {
    Some(path) => path,
    None => "/var/db/pollux",
};

/// Root's sockets and run records (build-time setting `POLLUX_RUNDIR_DEFAULT`); the environment variable `POLLUX_RUNDIR`
/// overrides it.
pub const RUNDIR: &str = match option_env!("POLLUX_RUNDIR_DEFAULT") {
    Some(path) => path,
    None => "/var/run/pollux",
};

/// Root's pidfile (build-time setting `POLLUX_PIDFILE`).
pub const PIDFILE: &str = match option_env!("POLLUX_PIDFILE") {
    Some(path) => path,
    None => "/var/run/pollux.pid",
};

/// The control file to use: the one asked for, or the first that exists of `~/.monitrc`, `/etc/monitrc`,
/// `SYSCONFDIR/monitrc`, `/usr/local/etc/monitrc`, `./monitrc`; absolute.
///
/// # Errors
/// None was asked for and none exists; the places that were tried.
pub fn control_file(options: &Options) -> Result<PathBuf, String> {
    if let Some(path) = &options.control_file {
        return Ok(std::path::absolute(path).unwrap_or_else(|_| path.clone()));
    }
    let mut places = vec![PathBuf::from("/etc/monitrc"), Path::new(SYSCONFDIR).join("monitrc")];
    places.push(PathBuf::from("/usr/local/etc/monitrc"));
    if let Some(home) = std::env::home_dir() {
        places.insert(0, home.join(".monitrc"));
    }
    if let Ok(here) = std::env::current_dir() {
        places.push(here.join("monitrc"));
    }
    places.dedup();
    if let Some(found) = places.iter().find(|path| path.is_file()) {
        return Ok(found.clone());
    }
    let tried: Vec<_> = places.iter().map(|path| path.display().to_string()).collect();
    Err(format!("Cannot find the Monit control file at {}; name one with -c", tried.join(", ")))
}

/// Where one daemon's things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The number of the daemon's process, locked.
    pub pidfile: PathBuf,
    /// Its state.
    pub statefile: PathBuf,
    /// Its id.
    pub idfile: PathBuf,
}

impl Paths {
    /// What the settings say (the command line has spoken there already), or the defaults.
    pub fn new(settings: &Settings) -> Paths {
        let root = account::effective_uid() == 0;
        let choose = |set: &Option<PathBuf>, system: PathBuf, own: &str| {
            let default = if root { system } else { own_dir().join(own) };
            let chosen = set.clone().unwrap_or(default);
            std::path::absolute(&chosen).unwrap_or(chosen)
        };
        let state = Path::new(STATEDIR);
        Paths {
            pidfile: choose(&settings.pidfile, PIDFILE.into(), "pid"),
            statefile: choose(&settings.statefile, state.join("state"), "state"),
            idfile: choose(&settings.idfile, state.join("id"), "id"),
        }
    }
}

/// Where Monit keeps its state unless its control file says otherwise: `.monit.state` in the home directory of whoever
/// starts it; at the boot of a FreeBSD machine that is `/`, by hand `/root`. The newest first; none when the control file
/// names a state file.
pub fn of_monit(settings: &Settings) -> Vec<PathBuf> {
    if settings.statefile.is_some() {
        return Vec::new();
    }
    let mut homes: Vec<PathBuf> = std::env::home_dir().into_iter().collect();
    if account::effective_uid() == 0 {
        homes.extend(["/root".into(), "/".into()]);
    }
    let files = homes.into_iter().map(|home| home.join(".monit.state"));
    let mut dated: Vec<_> = files.filter_map(|path| Some((std::fs::metadata(&path).ok()?.mtime(), path))).collect();
    dated.sort();
    dated.dedup();
    dated.into_iter().rev().map(|(_, path)| path).collect()
}

fn own_dir() -> PathBuf {
    std::env::home_dir().unwrap_or_else(|| PathBuf::from("/tmp")).join(".pollux")
}

/// The directory of sockets and run records: `POLLUX_RUNDIR`, or [`RUNDIR`] for root, or `~/.pollux/run`.
pub fn rundir() -> PathBuf {
    match std::env::var_os("POLLUX_RUNDIR").filter(|value| !value.is_empty()) {
        Some(path) => std::path::absolute(&path).unwrap_or_else(|_| path.into()),
        None if account::effective_uid() == 0 => RUNDIR.into(),
        None => own_dir().join("run"),
    }
}

/// The short name that stands for a control file in [`rundir`]: 16 hex digits.
pub fn run_name(control_file: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let real = std::fs::canonicalize(control_file).unwrap_or_else(|_| control_file.to_owned());
    format!("{:016x}", escape::fnv1a(real.as_os_str().as_bytes()))
}

/// What a daemon writes down beside its socket when it starts, for `service pollux stop` and for people.
pub fn run_record(control_file: &Path) -> PathBuf {
    rundir().join(format!("{}.run", run_name(control_file)))
}

/// The socket's name in [`rundir`].
pub fn socket_name(control_file: &Path) -> String {
    format!("{}.sock", run_name(control_file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_file_has_one_name_however_it_is_written() {
        let here = std::env::current_dir().unwrap();
        let plain = here.join("Cargo.toml");
        let roundabout = here.join("src/../Cargo.toml");
        assert_eq!(run_name(&plain), run_name(&roundabout));
        assert_ne!(run_name(&plain), run_name(&here.join("Cargo.lock")));
        assert_eq!(socket_name(&plain).len(), 21);
    }

    #[test]
    fn a_named_control_file_is_made_absolute() {
        let options = Options { control_file: Some("x/monitrc".into()), ..Options::default() };
        assert!(control_file(&options).unwrap().is_absolute());
    }
}
