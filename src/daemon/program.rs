//! Check programs: started when their service is due, judged as soon as they have ended.

use std::ffi::OsString;

use super::Daemon;
use crate::base::process::Pid;
use crate::base::program::{Outcome, Purpose};
use crate::base::time::Mono;
use crate::config::{Kind, Program, Service, ServiceId};
use crate::facts::observation::{Observation, ProgramRun};
use crate::job::{Order, Sink};
use crate::sys::platform::machine;
use crate::sys::posix::spawn::{self, Spec};
use crate::sys::posix::{clock, fd};

/// So many run at a time: each has a descriptor, and most are for others.
fn most_checks() -> usize {
    (fd::limit() / 4).max(1)
}

impl Daemon {
    /// Starts the service's program, unless the last run has not ended yet. What it says comes in [`Daemon::check_ended`];
    /// returned is what must be said at once, because it could not be started.
    pub(super) fn check_program(&mut self, service: &Service, program: &Program, now: Mono) -> Option<Observation> {
        if self.jobs.is_checking(&service.name) || self.checks_waiting.contains(&service.name) {
            return None;
        }
        if self.jobs.checks() >= most_checks() {
            self.checks_waiting.push_back(service.name.clone());
            return None;
        }
        self.start_check(service, program, now)
            .err()
            .map(|why| Observation::Program(ProgramRun { not_run: Some(why), ..ProgramRun::default() }))
    }

    /// Starts programs that had to wait until others ended.
    pub(super) fn start_waiting_checks(&mut self, now: Mono) {
        while self.jobs.checks() < most_checks()
            && let Some(name) = self.checks_waiting.pop_front()
        {
            let config = self.engine.config().clone();
            if let Some(id) = self.engine.find(&name)
                && let Some(service) = config.services.get(id.0)
                && let Kind::Program(program) = &service.kind
                && self.engine.awaits_observation(id)
                && let Some(seen) = self.check_program(service, program, now)
            {
                self.engine.observed(id, &seen, now, clock::wall());
            }
        }
    }

    fn start_check(&mut self, service: &Service, program: &Program, now: Mono) -> Result<(), String> {
        let (credentials, target) = self.become_whom(program)?;
        let environment = self.environment_of(&target, vec![("MONIT_SERVICE", service.name.clone())]);
        let argv = program.argv.iter().map(OsString::as_os_str);
        let spec = Spec::new(argv, environment, credentials).map_err(|error| error.to_string())?;
        let deadline = program.timeout.map(|timeout| now.plus(timeout));
        let sink = Sink::Pipe(self.engine.config().settings.limits.program_output);
        if self.jobs.held() >= super::perform::HELD_MAX {
            self.let_run();
        }
        let order = Order { service: service.name.clone(), purpose: Purpose::Check, spec, deadline, sink };
        self.jobs.hold(order, now, &self.table).map(|_| ()).map_err(|error| format!("cannot create a process: {error}"))
    }

    /// A check program took too long and is being ended.
    pub(super) fn check_overdue(&mut self, id: ServiceId, pid: Pid) {
        let service = self.engine.config().services.get(id.0);
        if let Some((service, Kind::Program(program))) = service.map(|service| (service, &service.kind)) {
            let seconds = program.timeout.unwrap_or_default().as_secs();
            let name = &service.name;
            self.log.error(&format!("'{name}' program timed out after {seconds} s. Killing program with pid {pid}"));
        }
    }

    /// A check program ended: its service is judged, unless nobody asks any more.
    pub(super) fn check_ended(&mut self, id: ServiceId, outcome: Outcome, now: Mono) {
        if !self.engine.awaits_observation(id) {
            return;
        }
        let started = machine::uptime().ok().zip(outcome.started).map(|(up, start)| {
            let ago = up.saturating_sub(start.since_boot());
            clock::wall().minus(ago)
        });
        let kind = self.engine.config().services.get(id.0).map(|service| &service.kind);
        let program = match kind {
            Some(Kind::Program(program)) => program.argv.first(),
            _ => None,
        };
        let why = program.and_then(|path| spawn::why_not_executed(path, outcome.status, &outcome.output));
        let run = match why {
            Some(why) => ProgramRun { not_run: Some(why.to_owned()), ..ProgramRun::default() },
            None => ProgramRun { started, status: outcome.status, output: outcome.output, not_run: None },
        };
        self.engine.observed(id, &Observation::Program(run), now, clock::wall());
    }
}
