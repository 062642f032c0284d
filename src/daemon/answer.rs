//! What comes in through the sockets.

use super::Daemon;
use crate::base::time::Mono;
use crate::http::answer::{self, Outcome};
use crate::http::route::{DaemonVerb, Origin, Route, Text};
use crate::http::{Reply, Request};
use crate::sys::head::read_tail;
use crate::view::Style;
use crate::view::html::{self, Log, Visitor};

/// Bytes of the log that are shown.
const LOG_SHOWN: u64 = 128 * 1024;

/// For who waits for what will not come any more.
pub(super) const ENDS: &str = "the daemon ends";

impl Daemon {
    /// Answers every request that is there; a reload when it is known how it ends.
    pub(super) fn serve(&mut self, now: Mono) {
        self.tell_of_clients();
        while let Some((id, request)) = self.server.next_request() {
            let asked_by = match request.origin {
                Origin::Private => "the command line",
                Origin::Client { .. } => "a request over HTTP",
            };
            let is_local = request.origin == Origin::Private;
            let token = request.token.clone();
            let route = self.as_configured(request);
            if self.draws(id, &route, token.as_deref()) {
                continue;
            }
            let visitor = Visitor { signature: self.server.signature(), token: token.as_deref() };
            let reply = match answer::answer(&route, visitor, |detail| self.picture(detail)) {
                Outcome::Reply(reply) => reply,
                Outcome::Act { verb, services, time, then } => {
                    let targets: Vec<_> = services.iter().filter_map(|name| self.engine.find(name)).collect();
                    match time {
                        Some(time) => self.engine.unmonitor_for(&targets, time, now),
                        None => self.engine.command(verb, &targets, now),
                    }
                    then
                }
                Outcome::Progress { verb, services } => self.progress(verb, &services),
                Outcome::Lag => Reply::text(format!("{}\n", self.lag)),
                Outcome::Log => Reply::html(html::log(&self.end_of_log(), visitor)),
                Outcome::Daemon(DaemonVerb::Quit) => {
                    self.stop();
                    Reply::text("")
                }
                Outcome::Daemon(DaemonVerb::Validate) => {
                    self.log.info(&format!("Awakened by {asked_by}"));
                    self.wake();
                    if !is_local {
                        self.server.respond(id, Reply::moved("/_runtime", html::moved("/_runtime")), now);
                        continue;
                    }
                    self.validating.push(id);
                    continue;
                }
                Outcome::Daemon(DaemonVerb::Reload) if self.end.is_some() => Reply::error(503, ENDS),
                Outcome::Daemon(DaemonVerb::Reload) => {
                    self.ask_reload(Some(id), now);
                    continue;
                }
            };
            self.server.respond(id, reply, now);
        }
        self.tell_of_clients();
    }

    /// Logs what the front has to say.
    pub(super) fn tell_of_clients(&mut self) {
        for line in self.server.take_log() {
            self.log.error(&line.0);
        }
    }

    /// Answers those who asked for a cycle, when all that is done at once in it is done, or when it has to wait.
    pub(super) fn tell_validated(&mut self, now: Mono) {
        if self.later.is_empty() && self.next_cycle > now {
            for id in std::mem::take(&mut self.validating) {
                self.server.respond(id, Reply::text(""), now);
            }
        }
    }

    /// The last lines of the log, if it is a file. It is the one that this daemon writes to, so that reading it takes no
    /// longer than writing.
    fn end_of_log(&self) -> Log {
        let Some(path) = self.log.path() else {
            return Log::Elsewhere("The log does not go to a file: see the system's log.".to_owned());
        };
        match read_tail(path, LOG_SHOWN) {
            Ok((bytes, cut)) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                Log::File { path: path.display().to_string(), text, cut }
            }
            Err(why) => Log::Elsewhere(format!("The log {} cannot be read: {why}.", path.display())),
        }
    }

    /// `set terminal batch` holds for the command line, not for readers on the network.
    fn as_configured(&self, request: Request) -> Route {
        let plain = request.origin == Origin::Private && self.engine.config().settings.batch;
        match request.route {
            Route::Status(text) if plain => Route::Status(Text { style: Style::PLAIN, ..text }),
            Route::Summary(text) if plain => Route::Summary(Text { style: Style::PLAIN, ..text }),
            route => route,
        }
    }
}
