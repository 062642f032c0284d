//! Control files that chance writes.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use pollux::config::Config;
use pollux::config::load::{Overrides, load};
use pollux::config::world::{FileFacts, ProgramState, World};

use crate::dice::Dice;

/// What the services of a world are like.
#[derive(Clone, Copy)]
pub struct Shape {
    /// One depends on another in so many of those before it.
    pub parents: u64,
    /// So many in a hundred are no processes.
    pub files: u64,
    /// So many in a hundred of the processes are found by their title, not by a pidfile.
    pub patterns: u64,
}

/// One service of the file.
#[derive(Clone)]
pub struct Written {
    /// What stands behind it.
    pub unit: usize,
    pub name: String,
    depends: Vec<usize>,
    /// A file that its programs bring and take away, instead of a process.
    pub file: bool,
    pub pidfile: bool,
    start: Option<u64>,
    stop: Option<u64>,
    restart: Option<u64>,
    rule: &'static str,
    pub told: bool,
    /// What follows at once when its process ends.
    exited: Option<&'static str>,
    /// First and longest wait between its starts, in seconds.
    pub backoff: Option<(u64, u64)>,
    limit: Option<(u64, u64, &'static str)>,
    other: &'static str,
}

impl Written {
    pub fn of(unit: usize, dice: &mut Dice, Shape { parents, files, patterns }: Shape) -> Written {
        let seconds = [1, 5, 20, 30, 60];
        let mut timeout = |some: u64| (!dice.once_in(some)).then(|| seconds[dice.place(seconds.len())]);
        let (start, stop, restart) = (timeout(12), timeout(8), timeout(100).filter(|_| unit % 3 == 2));
        let rule = match dice.below(12) {
            0 => "start",
            1 => "alert",
            2 => "stop",
            3 => "unmonitor",
            4 => "unmonitor for 50 seconds",
            _ => "restart",
        };
        let other = match dice.below(16) {
            0 => "every 2 cycles",
            1 => "mode passive",
            2 => "onreboot nostart",
            3 => "onreboot laststate",
            4 => "every \"*/2 * * * *\"",
            5 => "not every \"*/3 * * * *\"",
            _ => "",
        };
        let actions = ["unmonitor", "unmonitor for 70 seconds", "stop", "alert", "exec /bin/limit", "restart"];
        let limit = dice.once_in(4).then(|| (1 + dice.below(4), 1 + dice.below(6), actions[dice.place(actions.len())]));
        let file = dice.below(100) < files;
        // On the first of those before it, or on the last: long chains.
        let mut depends: Vec<usize> = (0..unit).filter(|_| dice.once_in(parents)).collect();
        if unit % 2 == 1 {
            depends.reverse();
        }
        depends.truncate(4);
        let exited = ["restart", "restart", "start", "alert"];
        Written {
            unit,
            name: format!("u{unit}"),
            depends,
            file,
            pidfile: dice.below(100) >= patterns,
            start,
            stop,
            restart,
            rule,
            told: dice.once_in(3),
            exited: dice.once_in(3).then(|| exited[dice.place(exited.len())]).filter(|_| !file),
            backoff: dice.once_in(4).then(|| [(10, 200), (50, 100), (100, 100), (40, 600)][dice.place(4)]),
            limit,
            other,
        }
    }

    /// A process that is restarted by its stop and start programs.
    pub fn is_stopped_and_started(&self) -> bool {
        !self.file && self.start.is_some() && self.stop.is_some() && self.restart.is_none()
    }

    /// Whether it depends on the service of that unit.
    pub fn needs(&self, unit: usize) -> bool {
        self.depends.contains(&unit)
    }

    /// It behaves as most do: it is started when it is gone, without limits.
    pub fn plain(mut self) -> Written {
        (self.rule, self.limit, self.other, self.backoff) = ("restart", None, "", None);
        self.exited = self.exited.map(|_| "restart");
        self.start = self.start.or(Some(20));
        // One that is as short as its program takes would fail for ever.
        self.stop = self.stop.map(|seconds| seconds.max(20));
        self
    }

    /// The text of this service in its file.
    pub fn text(&self, all: &[Written]) -> String {
        let (unit, name) = (self.unit, &self.name);
        let mut text = if self.file {
            format!("check file {name} with path /data/u{unit}\n")
        } else if self.pidfile {
            format!("check process {name} with pidfile /run/u{unit}\n")
        } else {
            format!("check process {name} matching \"^unit {unit} \"\n")
        };
        for (word, timeout) in [("start", self.start), ("stop", self.stop), ("restart", self.restart)] {
            if let Some(seconds) = timeout {
                text += &format!(" {word} program = \"/bin/u{unit} {word}\" with timeout {seconds} seconds\n");
            }
        }
        text += &format!(" if does not exist then {}\n", self.rule);
        if self.told {
            text +=
                " if does not exist for 2 cycles then exec /bin/failed else if succeeded then exec /bin/recovered\n";
        }
        if let Some(action) = self.exited {
            text += &format!(" if exited then {action}\n");
        }
        if let Some((first, longest)) = self.backoff {
            text += &format!(" with backoff {first} seconds up to {longest} seconds\n");
        }
        if let Some((restarts, cycles, action)) = self.limit {
            // A limit that more restarts than cycles would have to pass is refused.
            text += &format!(" if {restarts} restarts within {} cycles then {action}\n", cycles.max(restarts));
        }
        text += &format!(" {}\n", self.other);
        for parent in &self.depends {
            if let Some(parent) = all.iter().find(|written| written.unit == *parent) {
                text += &format!(" depends on {}\n", parent.name);
            }
        }
        text
    }
}

/// The file's text.
pub fn text(services: &[Written]) -> String {
    services.iter().map(|service| service.text(services)).collect()
}

/// Configurations that were read before, under their texts: reading is most of the work.
#[derive(Default)]
pub struct Read(HashMap<String, Rc<Config>>);

impl Read {
    /// What the daemon makes of these services.
    pub fn config(&mut self, services: &[Written]) -> Rc<Config> {
        self.config_of(text(services))
    }

    /// What the daemon makes of that text.
    pub fn config_of(&mut self, text: String) -> Rc<Config> {
        if let Some(config) = self.0.get(&text) {
            return Rc::clone(config);
        }
        let world = File(text);
        let loaded = load(Path::new(PATH), &world, &Overrides::default());
        let messages = loaded.messages();
        let config = loaded.config.unwrap_or_else(|| panic!("a control file is refused\n{}\n{messages}", world.0));
        let config = Rc::new(config);
        if self.0.len() >= 64 {
            self.0.clear();
        }
        self.0.insert(world.0, Rc::clone(&config));
        config
    }
}

/// The unit behind a service.
pub fn unit_of(name: &str) -> Option<usize> {
    name.strip_prefix('u')?.trim_end_matches('x').parse().ok()
}

const PATH: &str = "/etc/monitrc";

/// A machine that has the control file and all that it names.
struct File(String);

impl World for File {
    fn read(&self, _path: &Path, _limit: u64) -> io::Result<Vec<u8>> {
        Ok(self.0.clone().into_bytes())
    }

    fn stat(&self, _path: &Path) -> io::Result<FileFacts> {
        Ok(FileFacts { regular: true, directory: false, owner: 0, mode: 0o600 })
    }

    fn glob(&self, _pattern: &[u8]) -> io::Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }

    fn uid_of(&self, _name: &str) -> Option<u32> {
        Some(0)
    }

    fn user_name(&self, _uid: u32) -> Option<String> {
        None
    }

    fn gid_of(&self, _name: &str) -> Option<u32> {
        Some(0)
    }

    fn group_name(&self, _gid: u32) -> Option<String> {
        None
    }

    fn effective_uid(&self) -> u32 {
        0
    }

    fn program(&self, _path: &Path) -> ProgramState {
        ProgramState::Ok
    }

    fn host_name(&self) -> String {
        "host".to_owned()
    }

    fn current_dir(&self) -> PathBuf {
        "/".into()
    }

    fn command_line(&self) -> Vec<u8> {
        b"pollux".to_vec()
    }
}
