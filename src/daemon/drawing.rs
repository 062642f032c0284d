//! Pictures with readings of every service, which are drawn a little in each turn: of a thousand processes they take longer
//! than anybody else should have to wait.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use super::{Daemon, answer};
use crate::base::time::Mono;
use crate::config::Config;
use crate::http::answer::{Outcome, answer, detail};
use crate::http::route::Route;
use crate::http::{ConnectionId, Reply};
use crate::probe::process::{Kin, Sample};
use crate::sys::posix::clock;
use crate::view::html::Visitor;
use crate::view::status::{Detail, Status};

/// So much of a turn is drawn, at least one service. What writes the answer has a turn of its own when this one has had half
/// of that.
const SLICE: Duration = Duration::from_millis(5);

/// So many processes of the table are read between two looks at the clock.
const ROWS: usize = 100;

/// A picture for somebody who waits.
pub(super) struct Drawing {
    id: ConnectionId,
    route: Route,
    token: Option<String>,
    begun: Option<Begun>,
}

/// What is drawn already.
struct Begun {
    /// The configuration it is of; after a reload it is begun anew.
    config: Rc<Config>,
    status: Status,
    /// The next of the listed services.
    next: usize,
    /// Who descends from whom, read once for the whole picture.
    kin: Kin,
}

impl Daemon {
    /// Whether `route` is answered with a picture that is drawn in slices, which is on its way then; not by a daemon that ends.
    pub(super) fn draws(&mut self, id: ConnectionId, route: &Route, token: Option<&str>) -> bool {
        let is_large = self.end.is_none() && detail(route).is_some_and(|detail| detail.has_readings_of_all());
        if is_large {
            let token = token.map(str::to_owned);
            self.drawings.push_back(Drawing { id, route: route.clone(), token, begun: None });
        }
        is_large
    }

    /// Goes on with what is drawn, one after the other, and answers those who waited for it.
    pub(super) fn go_on_drawing(&mut self) {
        // Who went away leaves no work.
        let server = &self.server;
        self.drawings.retain(|drawing| server.awaits(drawing.id));
        let since = clock::monotonic();
        while let Some(mut drawing) = self.drawings.pop_front() {
            let Some(status) = self.go_on(&mut drawing, since) else {
                self.drawings.push_front(drawing);
                return;
            };
            let Drawing { id, route, token, .. } = drawing;
            let visitor = Visitor { signature: self.server.signature(), token: token.as_deref() };
            if let Outcome::Reply(reply) = answer(&route, visitor, |_| status) {
                self.server.respond(id, reply, clock::monotonic());
            }
            if clock::monotonic().since(since) >= SLICE {
                return;
            }
        }
    }

    /// The picture, once it is complete.
    fn go_on(&self, drawing: &mut Drawing, since: Mono) -> Option<Status> {
        let detail = detail(&drawing.route)?;
        let config = self.engine.config();
        let begun = drawing.begun.take().filter(|begun| Rc::ptr_eq(&begun.config, config));
        let Begun { config, mut status, mut next, mut kin } = begun.unwrap_or_else(|| Begun {
            config: Rc::clone(config),
            status: self.picture_without_services(detail),
            next: 0,
            kin: Kin::default(),
        });
        let spent = || clock::monotonic().since(since);
        let asks_for_kin =
            detail == Detail::Full && config.listed.iter().any(|id| self.engine.ledger(*id).process.is_some());
        while asks_for_kin && !kin.is_read(&*self.table, ROWS) {
            if spent() >= SLICE {
                drawing.begun = Some(Begun { config, status, next, kin });
                return None;
            }
        }
        let mut sample = Sample::new(&*self.table, self.own).with_kin(kin);
        let first = next;
        while let Some(id) = config.listed.get(next)
            && (next == first || spent() < SLICE)
        {
            status.services.extend(self.picture_of(*id, detail, &mut sample));
            next += 1;
        }
        if next >= config.listed.len() && (next == first || spent() < SLICE / 2) {
            return Some(status);
        }
        let kin = sample.into_kin();
        drawing.begun = Some(Begun { config, status, next, kin });
        None
    }

    /// Nobody gets a picture any more.
    pub(super) fn give_up_drawing(&mut self, now: Mono) {
        for drawing in std::mem::take(&mut self.drawings) {
            self.server.respond(drawing.id, Reply::error(503, answer::ENDS), now);
        }
    }
}

/// Pictures that are under way, the one that was asked for first in front.
pub(super) type Drawings = VecDeque<Drawing>;
