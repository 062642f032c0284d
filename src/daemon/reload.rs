//! A new configuration in place of the old one, or the old one kept.

use std::rc::Rc;

use super::Daemon;
use super::preflight::{self, Landed};
use crate::base::time::Mono;
use crate::cli::load;
use crate::config::recording::Recording;
use crate::config::{Config, Kind, ServiceId};
use crate::http::{ConnectionId, Reply};
use crate::probe::process::Sample;
use crate::sys::posix::clock;

impl Daemon {
    /// Begins to read the control file again; `who` gets an answer when it is known whether it is accepted. The log is
    /// reopened at once and in any case, because a rotated log is why most reloads are asked for.
    pub(super) fn ask_reload(&mut self, who: Option<ConnectionId>, now: Mono) {
        self.log.reopen();
        let text = format!("Reinitializing {} -- control file '{}'", self.product.name(), self.control_file.display());
        self.log.info(&text);
        self.preflight.ask(who, now);
    }

    /// Goes on with a reload that is under way. When the control file is refused, everything goes on as before.
    pub(super) fn go_on_reloading(&mut self, sample: &mut Sample<'_>, now: Mono) {
        let (control_file, options) = (&self.control_file, &self.options);
        let landed = self.preflight.turn(now, |pipe| preflight::record(control_file, options, pipe));
        let Some(Landed { waiters, outcome }) = landed else { return };
        let result = outcome.and_then(|recording| self.take_over(&recording, sample, now));
        match &result {
            Ok(()) => {
                self.refused_reload = None;
                let text = format!("'{}' {} reloaded", self.machine_name(), self.product.name());
                self.log.info(&text);
            }
            Err(why) => {
                for line in why.lines() {
                    self.log.error(line);
                }
                self.log.error("the control file is refused; the configuration in force is kept");
                let first = why.lines().find(|line| line.contains("error")).or(why.lines().next()).unwrap_or_default();
                self.refused_reload = Some(first.to_owned());
            }
        }
        for id in waiters {
            let reply = match &result {
                Ok(()) => Reply::text(""),
                Err(why) => Reply::error(400, why.clone()),
            };
            self.server.respond(id, reply, now);
        }
    }

    /// Loads from what the child was answered, which asks nobody.
    fn take_over(&mut self, recording: &Recording, sample: &mut Sample<'_>, now: Mono) -> Result<(), String> {
        let (config, warnings) = load::usable_in(recording, &self.control_file, &self.options)?;
        for line in warnings.lines() {
            self.log.warning(line);
        }
        let (address, accounts) = preflight::findings(recording, &config);
        let config = Rc::new(config);
        let settings = &config.settings;
        // What can refuse comes first, and the new port is open before the old one is given up.
        if let Some(problem) = super::front::listen(&mut self.server, &config, address, recording)? {
            self.log.error(&problem);
        }
        if let Err(why) = self.log.open(settings.log.as_ref()) {
            self.log.error(&format!("{why}; the old log is kept"));
        }
        self.resolver.set_names(self.server.names_to_resolve());
        if let Some(interval) = settings.interval {
            self.interval = interval;
        }
        let places = crate::cli::paths::Paths::new(settings);
        if places.pidfile != self.pidfile.path() || places.statefile != self.store.path() {
            self.log
                .warning("a changed 'set pidfile' or 'set statefile' takes effect when the daemon is started again");
        }
        self.accounts = accounts;
        // What the engine decided so far is about the services as they are numbered now.
        self.settle(sample, now);
        let before = Rc::clone(self.engine.config());
        let later: Vec<_> =
            self.later.drain(..).filter_map(|id| Some(before.services.get(id.0)?.name.clone())).collect();
        let renamed = self.engine.reconfigure(Rc::clone(&config));
        self.later = later.iter().filter_map(|name| self.engine.find(name)).collect();
        self.give_up_checks(&before, &renamed, now);
        for (old, new) in renamed {
            self.jobs.rename(&old, &new);
            self.remote.rename(&old, &new);
        }
        for (place, service) in config.services.iter().enumerate() {
            let id = ServiceId(place);
            self.engine.set_overdue(id, self.jobs.overdue(&service.name));
            // A service that was taken out and comes back while its program runs is still being started or stopped.
            if self.engine.pending(id).is_none()
                && let Some(purpose) = self.jobs.acting_on(&service.name)
            {
                self.engine.adopted(id, purpose, clock::monotonic());
            }
        }
        self.mounts = None;
        self.ask_anew(sample, now);
        self.incarnation = clock::wall();
        self.loaded = clock::monotonic();
        self.wake();
        self.dirty = true;
        Ok(())
    }

    /// A check program that its service does not run any more has nothing to say about it.
    fn give_up_checks(&mut self, before: &Config, renamed: &[(String, String)], now: Mono) {
        for old in before.services.iter().filter(|service| matches!(service.kind, Kind::Program(_))) {
            let name = renamed.iter().find(|(before, _)| *before == old.name).map_or(&old.name, |(_, new)| new);
            let new = self.engine.find(name).and_then(|id| self.engine.config().services.get(id.0));
            if new.is_none_or(|new| new.kind != old.kind) {
                self.jobs.give_up_checks(&old.name, now);
            }
        }
    }
}
