//! The engine's effects, made real.

use std::ffi::{CString, OsString};

use super::Daemon;
use crate::action::{self, Effect, ExecSource};
use crate::base::event::EventKind;
use crate::base::logging::Level;
use crate::base::process::Pid;
use crate::base::program::{Outcome, Purpose};
use crate::base::time::Mono;
use crate::config::{Action, Program, Service, ServiceId};
use crate::facts::process::Presence;
use crate::job::{self, News, Occasion, Order, Sink, Target};
use crate::probe::process::{self, Asked, Sample};
use crate::probe::remote;
use crate::state::State;
use crate::sys::posix::spawn::{Credentials, Spec};
use crate::sys::posix::{account, clock, helper};

/// So many programs are held back at most, so that descriptors suffice when everything dies at once.
pub(super) const HELD_MAX: usize = 64;

/// More exec programs of one service do not run at a time: one that never ends must not pile up.
const EXEC_MAX: usize = 16;

impl Daemon {
    /// Performs effects until the engine has no more. Programs are forked but held back; [`Daemon::settle`] lets them run.
    pub(super) fn perform(&mut self, sample: &mut Sample<'_>, now: Mono) {
        while let Some(effect) = self.engine.next_effect() {
            match effect {
                Effect::Log(level, text) => self.log.write(level, &text),
                Effect::Look(id) => {
                    if let Some(presence) = self.look(id, remote::Purpose::Action, sample, now) {
                        self.engine.looked(id, &presence, now, clock::wall());
                    }
                }
                Effect::LookEarly(id) => {
                    if let Some(presence) = self.look(id, remote::Purpose::Exit, sample, now) {
                        self.judge_exit(id, presence, sample, now);
                    }
                }
                Effect::Run { service, purpose, timeout } => {
                    let deadline = timeout.map(|timeout| now.plus(timeout));
                    if self.jobs.held() >= HELD_MAX {
                        self.let_run();
                    }
                    if let Err(why) = self.run_program(service, purpose, deadline, sample) {
                        self.engine.program_not_run(service, purpose, &why, now);
                    }
                }
                Effect::Exec { service, source, event, description, message } => {
                    self.run_exec(service, source, event, description, &message, sample, now);
                }
                Effect::Dirty => self.dirty = true,
            }
        }
    }

    /// Performs everything, writes the journal, and only then lets the programs run that were forked meanwhile.
    pub(super) fn settle(&mut self, sample: &mut Sample<'_>, now: Mono) {
        self.perform(sample, now);
        self.let_run();
    }

    pub(super) fn let_run(&mut self) {
        if self.dirty || self.jobs.held() > 0 {
            self.save();
        }
        self.jobs.release();
    }

    /// What ended or took too long since the last look.
    pub(super) fn take_news(&mut self, now: Mono) {
        let mut news = self.jobs.reap(&mut helper::reaped);
        news.extend(self.jobs.tick(now, &self.table));
        for item in news {
            self.dirty = true;
            match item {
                News::Ended(ended) => match self.engine.find(&ended.service) {
                    Some(id) if ended.purpose == Purpose::Exec => self.exec_ended(id, &ended.outcome),
                    Some(id) if ended.purpose == Purpose::Check => self.check_ended(id, ended.outcome, now),
                    Some(id) => self.engine.program_ended(id, ended.purpose, ended.outcome, now),
                    // The service is no more; nobody asked for this any longer.
                    None => {}
                },
                News::Overdue { service, purpose, pid, output } => {
                    if let Some(id) = self.engine.find(&service) {
                        if purpose == Purpose::Check {
                            self.check_overdue(id, pid);
                            continue;
                        }
                        self.engine.program_overdue(id, purpose, pid, output);
                    }
                }
            }
        }
    }

    fn run_program(
        &mut self,
        id: ServiceId,
        purpose: Purpose,
        deadline: Option<Mono>,
        sample: &mut Sample<'_>,
    ) -> Result<(), String> {
        let config = self.engine.config().clone();
        let service = config.services.get(id.0).ok_or("there is no such service")?;
        let program = match purpose {
            Purpose::Start => &service.start,
            Purpose::Stop => &service.stop,
            Purpose::Restart => &service.restart,
            Purpose::Exec | Purpose::Check => &None,
        };
        let program = program.as_ref().ok_or("it has no such program")?;
        let done = match purpose {
            Purpose::Start => "Started",
            Purpose::Stop => "Stopped",
            _ => "Restarted",
        };
        if purpose.brings_to_life()
            && let Some(pid) = self.jobs.starting(&service.name)
            && self.engine.known(id).map(|known| known.pid) != Some(pid)
        {
            // The engine knows of every such program; this is the last line of defence.
            return Err(format!("a start program of it still runs (pid {pid})"));
        }
        // What a check program sees while another program works on its service says nothing about the outcome.
        if purpose.brings_to_life() {
            self.jobs.give_up_checks(&service.name, clock::monotonic());
        }
        self.spawn(id, service, program, purpose, deadline, done, done, sample)
    }

    #[allow(clippy::too_many_arguments)] // most are facts the program's environment tells
    fn run_exec(
        &mut self,
        id: ServiceId,
        source: ExecSource,
        event: EventKind,
        description: &str,
        message: &str,
        sample: &mut Sample<'_>,
        now: Mono,
    ) {
        let config = self.engine.config().clone();
        let Some(service) = config.services.get(id.0) else { return };
        let action = match source {
            ExecSource::Failure(place) => service.rules.get(place).map(|rule| &rule.failure.action),
            ExecSource::Recovery(place) => service.rules.get(place).map(|rule| &rule.recovery.action),
            ExecSource::Limit(place) => service.restart_limits.get(place).map(|limit| &limit.action),
        };
        let Some(Action::Exec(exec)) = action else { return };
        if self.jobs.count_exec(&service.name) >= EXEC_MAX {
            let text = format!("'{}' exec not run: {EXEC_MAX} of its exec programs still run ({event})", service.name);
            self.log.error(&text);
            return;
        }
        self.log.info(&format!("'{}' exec: '{}'", service.name, exec.program.command_line()));
        let deadline = exec.program.timeout.map(|timeout| now.plus(timeout));
        if let Err(why) = self.spawn(id, service, &exec.program, Purpose::Exec, deadline, description, message, sample)
        {
            self.log.error(&format!("'{}' exec failed -- {why}", service.name));
        }
    }

    fn exec_ended(&mut self, id: ServiceId, outcome: &Outcome) {
        if outcome.timed_out || outcome.status != Some(0) {
            let name = self.engine.config().services.get(id.0).map_or("", |service| service.name.as_str()).to_owned();
            let status = outcome.status.unwrap_or(-1);
            let printed: String = outcome.output.chars().take(255).collect();
            let said = if printed.is_empty() { "no output" } else { &printed };
            let how = match outcome.timed_out {
                true => "took longer than its timeout and was ended".to_owned(),
                false => format!("ended with status {status}"),
            };
            self.log.write(Level::Warning, &format!("'{name}' exec program {how} -- {said}"));
        }
    }

    #[allow(clippy::too_many_arguments)] // each is a fact the program's environment tells
    fn spawn(
        &mut self,
        id: ServiceId,
        service: &Service,
        program: &Program,
        purpose: Purpose,
        deadline: Option<Mono>,
        event: &str,
        message: &str,
        sample: &mut Sample<'_>,
    ) -> Result<(), String> {
        let (credentials, target) = self.become_whom(program)?;
        let ledger = self.engine.ledger(id);
        // What is not known from cycles is an average since the process was started, as in the status.
        let seen = ledger.process.map(|entry| {
            let running = Presence::Running(entry);
            process::readings(Asked::for_programs(), running, sample, clock::monotonic())
        });
        let facts = seen.as_ref().and_then(|seen| Some((seen.facts.as_ref()?, seen.cpus)));
        let usage = facts.map(|(facts, cpus)| ledger.memory.process.usage.or_since_start(facts, cpus));
        let facts = facts.map(|(facts, _)| facts);
        let occasion = Occasion {
            date: clock::local(clock::wall()).rfc_date(),
            service: &service.name,
            host: self.machine_name(),
            event,
            description: message,
            pid: ledger.process.map(|entry| entry.identity.pid),
            memory_kilobytes: facts.and_then(|facts| facts.resident_bytes).map(|bytes| bytes / 1024),
            children: facts.and_then(|facts| facts.tree.children),
            cpu_percent: usage.and_then(|usage| usage.cpu_percent),
            status: ledger.memory.program.last.as_ref().and_then(|run| run.status),
        };
        let environment = self.environment_of(&target, occasion.variables());
        let argv = program.argv.iter().map(OsString::as_os_str);
        let spec = Spec::new(argv, environment, credentials).map_err(|error| error.to_string())?;
        let output = match self.output.open(&service.name) {
            Ok(output) => Some(output),
            Err(error) => {
                let path = self.output.path_of(&service.name);
                let text = format!("'{}' output of programs is thrown away: {}: {error}", service.name, path.display());
                self.log.warning(&text);
                None
            }
        };
        let sink = output.map_or(Sink::Nothing, Sink::File);
        let order = Order { service: service.name.clone(), purpose, spec, deadline, sink };
        self.jobs
            .hold(order, clock::monotonic(), &self.table)
            .map(|_: Pid| ())
            .map_err(|error| format!("cannot create a process: {error}; '{}' was not run", program.command_line()))
    }

    /// The whole environment of a program.
    pub(super) fn environment_of(&self, target: &Target, told: Vec<(&'static str, String)>) -> Vec<(String, String)> {
        let ours =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let set = &self.engine.config().settings.environment;
        let set = set.iter().map(|one| (one.name.as_str(), one.value.0.as_str()));
        job::environment(target, ours, set, told)
    }

    /// Who a program runs as, and that user's details for the environment.
    pub(super) fn become_whom(&mut self, program: &Program) -> Result<(Option<Credentials>, Target), String> {
        let own = account::effective_uid();
        let uid = program.uid.as_ref().map_or(own, |user| user.uid);
        let account = self.accounts.get(&uid).cloned().flatten();
        let target = match &account {
            Some(a) => Target { name: a.name.clone(), home: a.home.clone(), shell: a.shell.clone() },
            None => Target { name: uid.to_string(), home: "/".to_owned(), shell: "/bin/sh".to_owned() },
        };
        let credentials = match (&program.uid, &program.gid) {
            (None, None) => None,
            (user, group) => {
                let gid = match (group, &account) {
                    (Some(group), _) => group.gid,
                    (None, Some(account)) => account.gid,
                    (None, None) => {
                        return Err(format!("user {uid} has no account that tells its group; add 'as gid'"));
                    }
                };
                let name = user.as_ref().and(account.as_ref()).and_then(|a| CString::new(a.name.clone()).ok());
                Some(Credentials { uid: user.as_ref().map(|user| user.uid), gid, name })
            }
        };
        Ok((credentials, target))
    }

    /// Writes the state file; trouble is told once.
    pub(super) fn save(&mut self) {
        self.dirty = false;
        let config = self.engine.config().clone();
        let services =
            action::ids(&config).map(|(id, service)| (action::key(service), self.engine.saved(id))).collect();
        let (boot, written) = (self.boot.clone(), clock::monotonic());
        let state = State { boot, written, services, journal: self.jobs.journal() };
        match self.store.save(&state) {
            Ok(false) | Err(None) => {}
            Ok(true) => self.log.info(&format!("state file {} is written again", self.store.path().display())),
            Err(Some(trouble)) => self.log.error(&trouble),
        }
    }
}
