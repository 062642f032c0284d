//! What comes in through the sockets.

use super::Daemon;
use crate::base::time::Mono;
use crate::http::Reply;
use crate::http::answer::{self, Outcome};
use crate::http::route::DaemonVerb;

impl Daemon {
    /// Answers every request that is there.
    pub(super) fn serve(&mut self, now: Mono) {
        for line in self.server.take_log() {
            self.log.error(&line.0);
        }
        while let Some((id, request)) = self.server.next_request() {
            let reply = match answer::answer(&request.route, self.server.signature(), || self.picture()) {
                Outcome::Reply(reply) => reply,
                Outcome::Act { verb, services } => {
                    let targets: Vec<_> = services.iter().filter_map(|name| self.engine.find(name)).collect();
                    self.engine.command(verb, &targets, now);
                    Reply::text("")
                }
                Outcome::Daemon(DaemonVerb::Quit) => {
                    self.stop();
                    Reply::text("")
                }
                Outcome::Daemon(DaemonVerb::Validate) => {
                    self.log.info("Awakened by the command line");
                    self.wake();
                    Reply::text("")
                }
                Outcome::Daemon(DaemonVerb::Reload) => match self.reload() {
                    Ok(()) => Reply::text(""),
                    Err(why) => Reply::error(400, why),
                },
            };
            self.server.respond(id, reply, now);
        }
    }
}
