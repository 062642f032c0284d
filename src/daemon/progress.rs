//! How an action that a user asked for is getting on. Whoever waits for one asks again and again; that way the wait holds
//! no connection, and outlives a reload, for the services are found by their names each time.

use super::Daemon;
use crate::action::Command;
use crate::config::{Kind, ServiceId};
use crate::event::ledger::Monitor;
use crate::http::Reply;
use crate::http::client::DONE;

impl Daemon {
    /// [`DONE`], a line for each service of which it is still to be done, or a refusal with a line for each of which it has
    /// failed. What has failed is not told before everything has come to its end.
    pub(super) fn progress(&self, command: Command, services: &[String]) -> Reply {
        let ids: Vec<_> = services.iter().filter_map(|name| self.engine.find(name)).collect();
        let line = |id: &ServiceId, text: &str| {
            let name = self.engine.config().services.get(id.0).map_or("", |service| service.name.as_str());
            format!("'{name}' {text}\n")
        };
        let word = command.word();
        let still = |id: &&ServiceId| self.engine.obeys(**id);
        let pending: String = ids.iter().filter(still).map(|id| line(id, &format!("{word} is not done yet"))).collect();
        if !pending.is_empty() {
            return Reply::text(pending);
        }
        let failed: String = ids.iter().filter_map(|id| Some(line(id, &self.shortfall(*id, command)?))).collect();
        match failed.trim_end() {
            "" => Reply::text(DONE),
            failed => Reply::error(409, failed),
        }
    }

    /// What is not as the command wished it, now that nothing is being done for it any more.
    pub(super) fn shortfall(&self, id: ServiceId, command: Command) -> Option<String> {
        let ledger = self.engine.ledger(id);
        let is_process =
            self.engine.config().services.get(id.0).is_some_and(|service| matches!(service.kind, Kind::Process(_)));
        let runs = ledger.process.is_some();
        match command {
            Command::Monitor => (ledger.monitor == Monitor::Off).then(|| "is not monitored".to_owned()),
            Command::Unmonitor => (ledger.monitor != Monitor::Off).then(|| "is monitored".to_owned()),
            _ if ledger.last_failure.is_some() => ledger.last_failure.clone(),
            Command::Stop => (is_process && runs).then(|| "runs on; it has no stop program".to_owned()),
            Command::Start | Command::Restart => match (is_process, ledger.overdue) {
                (true, _) if runs => None,
                (_, Some(pid)) => Some(format!("its start program still runs (pid {pid}); no other is started")),
                (true, None) => Some("does not run; it has no start program".to_owned()),
                (false, None) => None,
            },
        }
    }
}
