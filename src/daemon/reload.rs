//! A new configuration in place of the old one, or the old one kept.

use std::rc::Rc;

use super::Daemon;
use crate::cli::load;
use crate::config::ServiceId;
use crate::sys::posix::clock;

impl Daemon {
    /// Reads the control file again. When it is refused, everything goes on as before. The log is reopened either way,
    /// because a rotated log is why most reloads are asked for.
    ///
    /// # Errors
    /// The refusal, for whoever asked.
    pub(super) fn reload(&mut self) -> Result<(), String> {
        self.log.reopen();
        let name = self.name();
        let text = format!("Reinitializing {name} -- control file '{}'", self.control_file.display());
        self.log.info(&text);
        let result = self.try_reload();
        match &result {
            Ok(()) => {
                self.refused_reload = None;
                let host = self.platform.host.clone();
                self.log.info(&format!("'{host}' {name} reloaded"));
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
        result
    }

    fn try_reload(&mut self) -> Result<(), String> {
        let (config, warnings) = load::usable(&self.control_file, &self.options)?;
        for line in warnings.lines() {
            self.log.warning(line);
        }
        let config = Rc::new(config);
        let settings = &config.settings;
        // What can refuse comes first, and the new port is open before the old one is given up.
        if let Some(problem) = super::front::listen(&mut self.server, settings.httpd.as_ref())? {
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
        self.accounts.clear();
        self.engine.reconfigure(Rc::clone(&config));
        for (place, service) in config.services.iter().enumerate() {
            let id = ServiceId(place);
            self.engine.set_overdue(id, self.jobs.overdue(&service.name));
            // A service that was taken out and comes back while its start program runs is still being started.
            if self.engine.pending(id).is_none()
                && let Some(purpose) = self.jobs.bringing_to_life(&service.name)
            {
                self.engine.adopted(id, purpose, clock::monotonic());
            }
        }
        self.incarnation = clock::wall();
        self.loaded = clock::monotonic();
        self.next_cycle = self.loaded;
        self.dirty = true;
        Ok(())
    }
}
