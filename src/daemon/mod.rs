//! The daemon: the only place where the layers meet.
//!
//! `start.rs` brings it up, `recall.rs` takes up what an earlier daemon left, `boot.rs` waits for a machine that is still
//! booting, `cycle.rs` is one round of checks, `look.rs` a look at one service, `exits.rs` what is done when one ends,
//! `wait.rs` the one place where it sleeps, `perform.rs` turns the engine's effects into programs, log lines and state,
//! `program.rs` runs check programs, `preflight.rs` and `reload.rs` put a new configuration in place,
//! `progress.rs` tells how an action is getting on,
//! `answer.rs` serves the page and the command line, `picture.rs` draws the status they show, `drawing.rs` a little at a time.
//!
//! Nothing in the loop waits for anybody. What may is done by helper children: looks at filesystems that others serve
//! (`probe::remote`), all that a control file asks for at a reload, names of `allow`. Users' accounts are looked up with the
//! configuration; a program's groups by its own child. The daemon's own files are opened and written in the loop and have to
//! be on local filesystems: log, state file, output of programs, pidfile, the directory of sockets. Start-up may wait: nobody
//! is watched yet, and a start that is refused is told on the terminal.

mod accounts;
mod answer;
mod boot;
mod cycle;
mod drawing;
mod exits;
mod findable;
mod front;
mod look;
mod perform;
mod picture;
mod preflight;
mod program;
mod progress;
mod recall;
mod reload;
mod resolve;
pub mod start;
mod wait;

use std::cell::Cell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::action::Engine;
use crate::base::lag::Lag;
use crate::base::process::{BootId, Pid};
use crate::base::time::{Mono, Wall};
use crate::cli::options::Options;
use crate::config::{Kind, ServiceId};
use crate::facts::system::Platform;
use crate::http::{ConnectionId, Reply, Server};
use crate::job::{Jobs, OutputDir};
use crate::log::Log;
use crate::probe::process::Sample;
use crate::probe::remote::Remote;
use crate::state::Store;
use crate::sys::platform::process::ProcessTable;
use crate::sys::posix::clock;
use crate::sys::posix::file::PidFile;
use crate::sys::posix::signal::SignalPipe;
use crate::view::Product;

/// The running daemon.
pub struct Daemon {
    options: Options,
    product: Product,
    control_file: PathBuf,
    /// Where it is written that this daemon runs. Kept, because finding it asks the control file's filesystem.
    record: PathBuf,
    /// A file by which others find the daemon is gone and could not be made anew.
    is_lost: bool,
    engine: Engine,
    jobs: Jobs,
    /// Services that the cycle has put off, because it took long.
    later: VecDeque<ServiceId>,
    /// In one pass: services that were passed over because it was not known yet whether what they depend on is up.
    unseen: Vec<ServiceId>,
    /// Services whose check programs wait until others have ended.
    checks_waiting: VecDeque<String>,
    table: Rc<ProcessTable>,
    own: Pid,
    /// What was asked of filesystems that have not answered yet.
    remote: Remote,
    /// Processes whose end the daemon is told of.
    exits: exits::Watch,
    /// When somebody last read all there is to read of the services.
    read_at: Cell<Option<Mono>>,
    /// What is mounted, read when somebody asks for it and at most once in a cycle.
    mounts: Option<look::Mounted>,
    server: Server,
    /// Pictures that are being drawn for who asked for them.
    drawings: drawing::Drawings,
    /// Who asked for a cycle and waits for its end.
    validating: Vec<ConnectionId>,
    resolver: resolve::Resolver,
    signals: SignalPipe,
    log: Log,
    store: Store,
    output: OutputDir,
    pidfile: PidFile,
    boot: BootId,
    id: String,
    platform: Platform,
    /// Whom programs run as.
    accounts: accounts::Accounts,
    preflight: preflight::Preflight,
    interval: Duration,
    /// When the control file was loaded last.
    incarnation: Wall,
    loaded: Mono,
    next_cycle: Mono,
    /// `start delay` after a boot: no cycle before.
    not_before: Mono,
    /// Until then rules start no service: the machine is booting.
    starts_from: Option<Mono>,
    /// The state file must be written.
    dirty: bool,
    /// What the last refused reload said; empty when the configuration in force is the file's.
    refused_reload: Option<String>,
    /// How late the loop was.
    lag: Lag,
    end: Option<End>,
}

/// How the daemon ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// A signal or `quit` asks for it: answers that are under way may be sent until then.
    Asked {
        /// When to stop waiting for them.
        latest: Mono,
    },
    /// One pass was asked for: when nothing is under way.
    WhenDone,
}

/// How long answers may take to be sent after the daemon was asked to end.
const FAREWELL: Duration = Duration::from_millis(500);

impl Daemon {
    /// The loop.
    fn run(&mut self) {
        self.lag.awake(clock::monotonic(), None);
        while !self.is_over() {
            // Once it was asked to end, the daemon begins nothing any more; it only sends the answers it owes.
            if !matches!(self.end, Some(End::Asked { .. })) {
                self.turn();
            }
            self.wait();
        }
    }

    /// Everything that is due now.
    fn turn(&mut self) {
        let now = clock::monotonic();
        let table = Rc::clone(&self.table);
        // A table read in this turn serves everybody in this turn, and nobody later.
        let mut sample = Sample::new(&*table, self.own);
        self.take_news(now);
        // What follows from the news is done before a look changes what is known.
        self.perform(&mut sample, now);
        self.take_answers(&mut sample, now);
        self.go_on_reloading(&mut sample, now);
        self.end_patience(now);
        self.go_on_looking(&mut sample, now);
        if self.end.is_none() && now >= self.next_cycle {
            self.schedule_next(now);
            self.cycle(&mut sample, now);
        }
        self.start_waiting_checks(now);
        self.engine.tick(now);
        self.settle(&mut sample, now);
        if !self.unseen.is_empty() {
            self.look_at_dependants(&mut sample, now);
            self.settle(&mut sample, now);
        }
        self.watch_processes(now);
        self.remote.begin(now);
        self.server.go_on_with_logins(now);
        self.resolver.tick(now, &mut self.server, &mut self.log);
        self.tell_validated(now);
        self.go_on_drawing();
        self.tell_of_clients();
    }

    fn is_over(&self) -> bool {
        match self.end {
            None => false,
            Some(End::Asked { latest }) => !self.server.is_busy() || clock::monotonic() >= latest,
            Some(End::WhenDone) => {
                let checks = self.jobs.checks() > 0 || !self.checks_waiting.is_empty();
                let looks = self.remote.is_busy() || !self.later.is_empty();
                !self.engine.is_busy() && !looks && !checks && !self.dirty
            }
        }
    }

    /// Cycles start `interval` apart, however long one takes. After a pause (the machine slept, the daemon was stopped)
    /// the missed ones are not made up for.
    fn schedule_next(&mut self, now: Mono) {
        let next = self.next_cycle.plus(self.interval);
        self.next_cycle = if next > now { next } else { now.plus(self.interval) };
    }

    /// A cycle now, and the next one an interval later.
    fn wake(&mut self) {
        self.next_cycle = clock::monotonic().max(self.not_before);
    }

    fn stop(&mut self) {
        if !matches!(self.end, Some(End::Asked { .. })) {
            let now = clock::monotonic();
            self.end = Some(End::Asked { latest: now.plus(FAREWELL) });
            self.give_up_drawing(now);
            for id in self.preflight.cancel().into_iter().chain(std::mem::take(&mut self.validating)) {
                self.server.respond(id, Reply::error(503, answer::ENDS), now);
            }
        }
    }

    fn name(&self) -> String {
        self.product.title()
    }

    /// What the machine is called in the log: the name of the last `check system`, as on the page.
    fn machine_name(&self) -> &str {
        let services = &self.engine.config().services;
        let system = services.iter().rev().find(|service| matches!(service.kind, Kind::System));
        system.map_or(self.platform.host.as_str(), |service| service.name.as_str())
    }
}
