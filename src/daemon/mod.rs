//! The daemon: the only place where the layers meet.
//!
//! `start.rs` brings it up, `recall.rs` takes up what an earlier daemon left, `cycle.rs` is one round of checks, `wait.rs` the one place where it sleeps, `perform.rs` turns
//! the engine's effects into programs, log lines and state, `reload.rs` puts a new configuration in place, `answer.rs`
//! serves the page and the command line, `picture.rs` draws the status they show.

mod answer;
mod cycle;
mod front;
mod perform;
mod picture;
mod recall;
mod reload;
mod resolve;
pub mod start;
mod wait;

use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crate::action::Engine;
use crate::base::process::{BootId, Pid};
use crate::base::time::{Mono, Wall};
use crate::cli::options::Options;
use crate::facts::system::Platform;
use crate::http::Server;
use crate::job::{Jobs, OutputDir};
use crate::log::Log;
use crate::probe::process::Sample;
use crate::state::Store;
use crate::sys::platform::process::ProcessTable;
use crate::sys::posix::account::Account;
use crate::sys::posix::clock;
use crate::sys::posix::file::PidFile;
use crate::sys::posix::signal::SignalPipe;
use crate::view::Product;

/// The running daemon.
pub struct Daemon {
    options: Options,
    product: Product,
    control_file: PathBuf,
    engine: Engine,
    jobs: Jobs,
    table: Rc<ProcessTable>,
    own: Pid,
    server: Server,
    resolver: resolve::Resolver,
    signals: SignalPipe,
    log: Log,
    store: Store,
    output: OutputDir,
    pidfile: PidFile,
    boot: BootId,
    id: String,
    platform: Platform,
    accounts: HashMap<u32, Option<Account>>,
    interval: Duration,
    /// When the control file was loaded last.
    incarnation: Wall,
    loaded: Mono,
    next_cycle: Mono,
    /// The state file must be written.
    dirty: bool,
    /// What the last refused reload said; empty when the configuration in force is the file's.
    refused_reload: Option<String>,
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
        if self.end.is_none() && now >= self.next_cycle {
            self.schedule_next(now);
            self.cycle(&mut sample, now);
        }
        self.engine.tick(now);
        self.settle(&mut sample, now);
        self.resolver.tick(now, &mut self.server, &mut self.log);
    }

    fn is_over(&self) -> bool {
        match self.end {
            None => false,
            Some(End::Asked { latest }) => !self.server.is_busy() || clock::monotonic() >= latest,
            Some(End::WhenDone) => !self.engine.is_busy() && !self.dirty,
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
        self.next_cycle = clock::monotonic();
    }

    fn stop(&mut self) {
        if self.end.is_none() {
            self.end = Some(End::Asked { latest: clock::monotonic().plus(FAREWELL) });
        }
    }

    fn name(&self) -> String {
        self.product.title()
    }
}
