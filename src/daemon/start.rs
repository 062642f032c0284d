//! Bringing the daemon up, in the order in which things can go wrong: everything that may refuse does so before the
//! terminal is left, so that the user reads why and the exit code is true.

use std::cell::Cell;
use std::collections::VecDeque;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::{Daemon, End, accounts, drawing, front, preflight, resolve};
use crate::action::{self, Command, Engine};
use crate::base::lag::Lag;
use crate::base::process::{BootId, Pid};
use crate::cli::options::Options;
use crate::cli::output::{err, out};
use crate::cli::{CalledAs, ask, load, local, paths};
use crate::config::load::Machine;
use crate::config::{Service, ServiceId, Test};
use crate::facts::process::{Entry, Listed};
use crate::http::{Error, Server};
use crate::job::{Jobs, OutputDir};
use crate::log::Log;
use crate::probe::remote::Remote;
use crate::state::Store;
use crate::sys::platform::machine;
use crate::sys::platform::process::ProcessTable;
use crate::sys::posix::daemonize::{self, Side};
use crate::sys::posix::file::{self, LockProblem, PidFile};
use crate::sys::posix::signal::SignalPipe;
use crate::sys::posix::{clock, fd};
use crate::view::select::is_all;

/// Default time between cycles of a daemon that is asked for with `-I` alone.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);

/// Starts the daemon, or wakes the one that runs; without a poll time does one pass. Returns the exit code.
pub fn daemon(called_as: CalledAs, options: Options) -> i32 {
    match prepare(called_as, options, Errand::Daemon) {
        Ok(Prepared::Woken) => 0,
        Ok(Prepared::Daemon(daemon, Manner::Once)) => match (once(*daemon, None), called_as) {
            // The original's single pass always succeeds.
            (_, CalledAs::Monit) => 0,
            (code, CalledAs::Pollux) => code,
        },
        Ok(Prepared::Daemon(daemon, Manner::Foreground)) => foreground(*daemon),
        Ok(Prepared::Daemon(daemon, Manner::Background)) => background(*daemon),
        Err(why) => {
            err(&format!("{}: {why}", called_as.name()));
            1
        }
    }
}

/// `validate` while no daemon runs: one cycle, and what follows from it. Returns the exit code: the original's is always 1.
pub fn one_pass(called_as: CalledAs, options: Options) -> i32 {
    match prepare(called_as, options, Errand::Once) {
        Ok(Prepared::Daemon(daemon, _)) => match (once(*daemon, None), called_as) {
            (_, CalledAs::Monit) => 1,
            (code, CalledAs::Pollux) => code,
        },
        // An errand wakes nobody.
        Ok(Prepared::Woken) => 1,
        Err(why) => {
            err(&format!("{}: {why}", called_as.name()));
            1
        }
    }
}

/// Does what a user asks of services while no daemon runs: the same engine, for as long as it takes. Returns the exit code.
pub fn without_daemon(called_as: CalledAs, options: Options, command: Command, names: &[String]) -> i32 {
    let (group, time) = (options.group.clone(), options.time);
    let mut daemon = match prepare(called_as, options, Errand::Once) {
        Ok(Prepared::Daemon(daemon, _)) => *daemon,
        Ok(Prepared::Woken) => return 1,
        Err(why) => {
            err(&format!("{}: {why}", called_as.name()));
            return 1;
        }
    };
    match daemon.targets(names, group.as_deref()) {
        Ok(targets) => once(daemon, Some((command, targets, time))),
        Err(why) => {
            err(&why);
            daemon.put_away();
            1
        }
    }
}

enum Prepared {
    Daemon(Box<Daemon>, Manner),
    /// The daemon that runs already was told to run a cycle.
    Woken,
}

/// What the program was called for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Errand {
    /// To be the daemon, or to wake it.
    Daemon,
    /// To do one thing while there is no daemon; nothing listens meanwhile.
    Once,
}

enum Manner {
    Once,
    Foreground,
    Background,
}

fn prepare(called_as: CalledAs, options: Options, errand: Errand) -> Result<Prepared, String> {
    fd::tidy_inherited().map_err(|error| format!("/dev/null: {error}"))?;
    let control_file = paths::control_file(&options)?;
    let (config, warnings) = load::usable(&control_file, &options)?;
    if !warnings.is_empty() {
        err(warnings.trim_end());
    }
    let config = Rc::new(config);
    let settings = &config.settings;
    let places = paths::Paths::new(settings);
    let own = own_pid()?;
    let table = Rc::new(ProcessTable::live().map_err(|error| format!("cannot read the process table: {error}"))?);

    let interval = settings.interval;
    let manner = match (interval, settings.foreground || own.get() == 1) {
        _ if errand == Errand::Once => Manner::Once,
        (None, false) => Manner::Once,
        (_, true) => Manner::Foreground,
        (Some(_), false) => Manner::Background,
    };
    // A directory of our own is made; one that somebody has named must be there.
    if settings.pidfile.is_none()
        && let Some(directory) = places.pidfile.parent().filter(|directory| !directory.exists())
    {
        file::private_dir(directory).map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
    }
    let lock = match PidFile::lock(&places.pidfile) {
        Ok(lock) => lock,
        Err(LockProblem::Open(error)) => {
            let path = places.pidfile.display();
            return Err(format!(
                "cannot use the pidfile {path}: {error}; make its directory, remove what stands in its place, or change \
                 'set pidfile' or -p"
            ));
        }
        Err(LockProblem::Held(pid)) => {
            let wakes =
                matches!(manner, Manner::Background) || called_as == CalledAs::Monit && errand == Errand::Daemon;
            if wakes && wake(called_as, &control_file, &pid) {
                return Ok(Prepared::Woken);
            }
            return Err(already_running(&places.pidfile, &pid));
        }
    };
    refuse_beside_monit(&lock, &table, own)?;
    let mut store = Store::new(&places.statefile);
    refuse_in_place_of_monit(&store, &table, own)?;
    if let Some(warning) = store.claim()? {
        err(&format!("{}: warning: {warning}", called_as.name()));
    }

    let mut log = Log::new(called_as.name(), options.verbose);
    log.open(settings.log.as_ref())?;
    let mut server = Server::new(crate::http::Settings::default());
    if !matches!(manner, Manner::Once) {
        if let Some(problem) = front::listen(&mut server, &config, front::address(&config)?, &Machine)? {
            log.error(&problem);
        }
        listen_private(&mut server, &control_file)?;
    }
    let mut resolver = resolve::Resolver::default();
    resolver.set_names(server.names_to_resolve());
    let now = clock::monotonic();
    let signals = SignalPipe::install().map_err(|error| format!("cannot handle signals: {error}"))?;
    let boot = machine::boot_id().unwrap_or(BootId(String::new()));
    let daemon = Daemon {
        product: ask::product(called_as),
        engine: Engine::new(Rc::clone(&config), options.verbose),
        jobs: Jobs::default(),
        later: VecDeque::new(),
        unseen: Vec::new(),
        checks_waiting: VecDeque::new(),
        own,
        remote: Remote::default(),
        exits: super::exits::Watch::default(),
        read_at: Cell::new(None),
        mounts: None,
        server,
        drawings: drawing::Drawings::new(),
        validating: Vec::new(),
        resolver,
        signals,
        log,
        store,
        output: OutputDir::beside(&places.statefile),
        pidfile: lock,
        boot,
        id: id(&places.idfile),
        platform: machine::platform().unwrap_or_default(),
        accounts: accounts::look_up(&config),
        preflight: preflight::Preflight::default(),
        interval: interval.unwrap_or(DEFAULT_INTERVAL),
        incarnation: clock::wall(),
        loaded: now,
        next_cycle: now,
        not_before: now,
        starts_from: None,
        dirty: true,
        refused_reload: None,
        lag: Lag::default(),
        end: None,
        table,
        record: paths::run_record(&control_file),
        is_lost: false,
        control_file,
        options,
    };
    Ok(Prepared::Daemon(Box::new(daemon), manner))
}

fn own_pid() -> Result<Pid, String> {
    i32::try_from(std::process::id()).ok().and_then(Pid::new).ok_or_else(|| "this process has no number".to_owned())
}

/// Asks the daemon of this control file for a cycle; false when it is not that daemon which holds the pidfile.
fn wake(called_as: CalledAs, control_file: &Path, pid: &str) -> bool {
    let woken = ask::wake(control_file).is_ok();
    if woken {
        out(&format!("{} daemon with PID {pid} awakened\n", ask::product(called_as).name()));
    }
    woken
}

fn already_running(pidfile: &Path, pid: &str) -> String {
    format!(
        "another daemon (pid {pid}) holds the pidfile {}; end it with 'quit', or give this one its own 'set pidfile' (or -p), \
         'set statefile' and port",
        pidfile.display()
    )
}

/// Monit before 6.0 does not lock its pidfile. Two watchdogs would start everything twice.
fn refuse_beside_monit(lock: &PidFile, table: &ProcessTable, own: Pid) -> Result<(), String> {
    let Some(pid) = lock.content().parse().ok().and_then(Pid::new).filter(|pid| *pid != own) else { return Ok(()) };
    let Ok(Some(entry)) = table.entry(pid) else { return Ok(()) };
    let command = table.command(&entry).ok().flatten().unwrap_or_default();
    // Ours holds the lock, so a live pollux in a file that is not locked is a number that was reused.
    if entry.zombie || !is_monit(&command) {
        return Ok(());
    }
    Err(format!(
        "monit (pid {pid}) is running and holds the pidfile {}; stop it first ('service monit stop', or 'monit quit' of that \
         installation), because two watchdogs would start every service twice",
        lock.path().display()
    ))
}

fn is_monit(command: &[u8]) -> bool {
    let program = command.split(|byte| *byte == b' ').next().unwrap_or_default();
    program.rsplit(|byte| *byte == b'/').next() == Some(b"monit".as_slice())
}

/// The Monits that run beside this program. One in a jail has a state of its own, and is no reason never to start on the host.
fn monits(listed: &[Listed], own: Pid) -> impl Iterator<Item = Pid> {
    let beside = move |entry: &Entry| entry.identity.pid != own && !entry.zombie && entry.jail.unwrap_or(0) == 0;
    listed
        .iter()
        .filter(move |process| beside(&process.entry) && is_monit(&process.command))
        .map(|process| process.entry.identity.pid)
}

/// A state file of Monit's is taken over, but not from beneath a Monit that runs, which may have another pidfile. Where the
/// system does not tell which files a process has open, any Monit may be the one.
fn refuse_in_place_of_monit(store: &Store, table: &ProcessTable, own: Pid) -> Result<(), String> {
    if !store.is_of_monit() {
        return Ok(());
    }
    let listed = table.scan(true).map_err(|error| format!("cannot read the process table: {error}"))?;
    let keeper = monits(&listed, own).find(|pid| file::is_open_in(store.path(), *pid) != Some(false));
    match keeper {
        None => Ok(()),
        Some(pid) => Err(format!(
            "monit (pid {pid}) is running, and its state is in {}; stop it first ('service monit stop', or 'monit quit' of \
             that installation), or use another file ('set statefile' or -s)",
            store.path().display()
        )),
    }
}

fn listen_private(server: &mut Server, control_file: &Path) -> Result<(), String> {
    let rundir = paths::rundir();
    let remedy = "POLLUX_RUNDIR names another directory";
    file::private_dir(&rundir).map_err(|error| format!("cannot use {}: {error}; {remedy}", rundir.display()))?;
    let path = rundir.join(paths::socket_name(control_file));
    server.listen_private(&path).map_err(|error| match error {
        Error::Private(_, error) if error.kind() == std::io::ErrorKind::AddrInUse => format!(
            "another daemon runs with the control file {}; end it with 'quit' or read the file again with 'reload'",
            control_file.display()
        ),
        error => format!("{error}; {remedy}"),
    })
}

/// The daemon's id: read, or made and stored. One that cannot be stored is not used at all.
fn id(path: &Path) -> String {
    local::stored_id(path).or_else(|| local::new_id(path).ok()).unwrap_or_default()
}

fn once(mut daemon: Daemon, command: Option<(Command, Vec<ServiceId>, Option<Duration>)>) -> i32 {
    daemon.recall();
    let now = clock::monotonic();
    let table = Rc::clone(&daemon.table);
    let mut sample = crate::probe::process::Sample::new(&*table, daemon.own);
    match &command {
        Some((_, targets, Some(time))) => daemon.engine.unmonitor_for(targets, *time, now),
        Some((command, targets, None)) => daemon.engine.command(*command, targets, now),
        None => {
            daemon.cycle(&mut sample, now);
            daemon.unseen = daemon.waiting_for_parents();
        }
    }
    daemon.end = Some(End::WhenDone);
    daemon.settle(&mut sample, now);
    drop(sample);
    daemon.run();
    daemon.store.renew();
    daemon.save();
    daemon.put_away();
    // How other services are does not count for what was asked for.
    let has_failed = match command {
        Some((command, targets, _)) => targets.iter().any(|id| daemon.shortfall(*id, command).is_some()),
        None => daemon.any_failure(),
    };
    i32::from(has_failed)
}

fn foreground(mut daemon: Daemon) -> i32 {
    let starting = daemon.starting_line();
    daemon.log.info(&starting);
    if let Err(why) = daemon.take_office() {
        err(&why);
        return 1;
    }
    daemon.serve_until_told();
    0
}

fn background(mut daemon: Daemon) -> i32 {
    out(&format!("{}\n", daemon.starting_line()));
    match daemonize::detach() {
        Err(error) => {
            err(&format!("cannot start a daemon: {error}"));
            1
        }
        Ok(Side::Starter(starter)) => {
            // What we hold belongs to the daemon now; nothing of it may be tidied away here.
            std::mem::forget(daemon);
            match starter.wait() {
                Ok(()) => 0,
                Err(why) => {
                    err(&why);
                    1
                }
            }
        }
        Ok(Side::Daemon(side)) => {
            daemon.log.leave_terminal();
            let starting = daemon.starting_line();
            daemon.log.info(&starting);
            let ready = own_pid().and_then(|own| {
                daemon.own = own;
                fd::detach_standard().map_err(|error| format!("/dev/null: {error}"))?;
                daemon.take_office()
            });
            match ready {
                Ok(()) => side.ready(),
                Err(why) => {
                    daemon.log.error(&why);
                    side.failed(&why);
                    return 1;
                }
            }
            daemon.serve_until_told();
            0
        }
    }
}

impl Daemon {
    fn starting_line(&self) -> String {
        let addresses = self.server.tcp_addresses();
        let interface = match addresses.first() {
            None => {
                let socket = self.server.socket_path();
                socket.map(|path| format!(" with http interface at {}", path.display())).unwrap_or_default()
            }
            Some(address) if address.ip().is_unspecified() => format!(" with http interface at [*]:{}", address.port()),
            Some(address) => format!(" with http interface at [{}]:{}", address.ip(), address.port()),
        };
        format!("Starting {} daemon{interface}", self.name())
    }

    /// From here on this process is the daemon that others find.
    fn take_office(&mut self) -> Result<(), String> {
        let path = self.pidfile.path().display().to_string();
        self.pidfile.write(std::process::id()).map_err(|error| format!("cannot write the pidfile {path}: {error}"))?;
        if let Err(error) = self.write_record() {
            self.log.warning(&format!("cannot write {}: {error}", self.record.display()));
        }
        if self.id.is_empty() {
            self.log.warning("the id file cannot be written; the daemon has no id");
        }
        Ok(())
    }

    fn serve_until_told(&mut self) {
        let name = self.name();
        self.log.info(&format!("'{}' {name} started", self.machine_name()));
        let last = self.recall();
        self.schedule_first(last);
        self.run();
        self.store.renew();
        self.save();
        self.log.info(&format!("{} daemon with pid [{}] stopped", self.product.name(), std::process::id()));
        self.log.info(&format!("'{}' {name} stopped", self.machine_name()));
        let _ = std::fs::remove_file(&self.record);
        self.put_away();
    }

    /// The services a user names; each must exist.
    fn targets(&self, names: &[String], group: Option<&str>) -> Result<Vec<ServiceId>, String> {
        let services = &self.engine.config().services;
        if let Some(group) = group {
            let member = |service: &Service| service.groups.iter().any(|name| name.eq_ignore_ascii_case(group));
            let found: Vec<_> = (0..services.len()).filter(|place| member(&services[*place])).map(ServiceId).collect();
            return if found.is_empty() { Err(format!("Group '{group}' not found")) } else { Ok(found) };
        }
        if is_all(names) {
            return Ok((0..services.len()).map(ServiceId).collect());
        }
        let find = |name: &String| self.engine.find(name).ok_or_else(|| format!("Service '{name}' -- doesn't exist"));
        names.iter().map(find).collect()
    }

    fn put_away(&mut self) {
        self.server.close_all();
        self.pidfile.remove();
    }

    fn any_failure(&self) -> bool {
        let failed = |(id, service): (ServiceId, &Service)| {
            let ledger = self.engine.ledger(id);
            // That it was not there is answered by its being there now, although no rule has been asked again.
            let is_past = |test: &Test| matches!(test, Test::NotExist | Test::Exited) && ledger.process.is_some();
            let mut rules = service.rules.iter().zip(&ledger.rules);
            ledger.last_failure.is_some()
                || ledger.data.is_failed()
                || rules.any(|(rule, track)| track.is_failed() && !is_past(&rule.test))
        };
        action::ids(self.engine.config()).any(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process::{Identity, StartTime};
    use std::time::Duration;

    #[test]
    fn a_monit_in_a_jail_does_not_keep_the_state_of_the_host() {
        let process = |pid: i32, jail, zombie, command: &str| {
            let start = StartTime::from_boot(Duration::from_secs(1));
            let identity = Identity { pid: Pid::new(pid).unwrap(), start };
            let entry = Entry { identity, parent: Pid::new(1), zombie, kernel: false, jail };
            Listed { entry, command: command.into() }
        };
        let own = Pid::new(9).unwrap();
        let listed = [
            process(7, Some(3), false, "/usr/local/bin/monit -c /usr/local/etc/monitrc"),
            process(8, Some(0), true, "monit"),
            process(9, Some(0), false, "/usr/local/bin/monit"),
            process(10, Some(0), false, "vi monit"),
            process(11, Some(0), false, "/usr/local/bin/monit -c /usr/local/etc/monitrc"),
            process(12, None, false, "monit"),
        ];
        let found: Vec<i32> = monits(&listed, own).map(Pid::get).collect();
        assert_eq!(found, [11, 12]);
    }
}
