//! Who is asking: those whom the control file knows are known at once; for others a helper child is asked, one for each place
//! at a time and few in all, so that guesses cost neither the loop nor the machine much.

use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::time::Duration;

use crate::base::time::Mono;
use crate::sys::posix::helper::{Abandoned, Helper, Progress};

use super::auth::{self, Denial, Given, User};
use super::head::Head;
use super::listener::Peer;
use super::log::Topic;
use super::places::Place;
use super::prove::{self, Verdict};
use super::{ConnectionId, Reply, Server, shown};

/// Most helpers at a time.
const HELPERS_MAX: usize = 4;
/// How long one may take. Modules of PAM sleep for seconds after a wrong password, and may ask the network.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is known of somebody.
#[derive(Debug)]
pub(super) enum Login {
    /// May come in: who it is, where that is asked.
    In(Option<User>),
    /// Says to be somebody of whom a file or the system knows.
    Asks(Given),
}

/// Those of whom it is not known yet who they are, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Logins {
    waiting: VecDeque<Waiting>,
    /// Children that were told to end and may not have done so.
    stuck: Vec<Abandoned>,
}

#[derive(Debug)]
struct Waiting {
    id: ConnectionId,
    peer: Peer,
    given: Given,
    request: (Head, Vec<u8>),
    helper: Option<Helper>,
}

impl Logins {
    /// The helpers' descriptors.
    pub(super) fn fds(&self) -> impl Iterator<Item = (ConnectionId, RawFd)> {
        self.waiting.iter().filter_map(|login| Some((login.id, login.helper.as_ref()?.fd())))
    }

    /// When to give them up.
    pub(super) fn deadlines(&self) -> impl Iterator<Item = Mono> {
        self.waiting.iter().filter_map(|login| login.helper.as_ref().map(|helper| helper.deadline))
    }

    /// Takes one out; its helper is given up.
    fn remove(&mut self, place: usize) -> Option<Waiting> {
        let mut login = self.waiting.remove(place)?;
        self.stuck.extend(login.helper.take().map(Helper::abandon));
        Some(login)
    }

    /// Forgets what helpers found out by the settings that were: they are asked again.
    pub(super) fn begin_anew(&mut self) {
        let helpers = self.waiting.iter_mut().filter_map(|login| login.helper.take());
        self.stuck.extend(helpers.map(Helper::abandon));
    }

    /// The first that may have a helper now.
    fn next(&mut self) -> Option<usize> {
        self.stuck.retain(Abandoned::lives);
        let busy: Vec<Place> =
            self.waiting.iter().filter(|login| login.helper.is_some()).map(|login| Place::of(login.peer)).collect();
        if busy.len() + self.stuck.len() >= HELPERS_MAX {
            return None;
        }
        self.waiting.iter().position(|login| login.helper.is_none() && !busy.contains(&Place::of(login.peer)))
    }
}

impl Server {
    /// Finds out who somebody is, as far as the control file knows.
    pub(super) fn log_in(&mut self, peer: Peer, head: &Head, now: Mono) -> Result<Login, Reply> {
        self.expect_patience(peer, now)?;
        let header = head.authorization.as_deref();
        match auth::authenticate(header, &self.settings.credentials) {
            Err(Denial::UnknownUser(_)) if self.settings.asks_elsewhere() => {
                auth::given(header).map(Login::Asks).map_err(|denial| self.deny(peer, &denial, now))
            }
            Ok(user) => {
                self.throttle.succeeded(Place::of(peer), !user.read_only);
                Ok(Login::In(Some(user)))
            }
            Err(denial) => Err(self.deny(peer, &denial, now)),
        }
    }

    /// Whoever guesses has to wait.
    fn expect_patience(&self, peer: Peer, now: Mono) -> Result<(), Reply> {
        match self.throttle.wait(Place::of(peer), now) {
            None => Ok(()),
            Some(wait) => {
                let seconds = wait.as_secs().max(1);
                Err(Reply::error(429, format!("Too many wrong passwords; try again in {seconds} s")))
            }
        }
    }

    fn deny(&mut self, peer: Peer, denial: &Denial, now: Mono) -> Reply {
        match denial {
            // Every browser asks without credentials first; that is no attempt.
            Denial::Missing | Denial::Malformed => {}
            Denial::UnknownUser(_) | Denial::WrongPassword(_) | Denial::Account(..) => {
                self.throttle.failed(Place::of(peer), now);
                let text = format!("HttpRequest: access denied -- client [{}]: {denial}", shown(peer));
                self.log.add(Topic::Login, &text, now);
            }
        }
        Reply::error(401, "This page needs a user name and a password that the control file allows")
    }

    /// Lets a request wait for a helper's verdict.
    pub(super) fn ask_for_login(
        &mut self,
        id: ConnectionId,
        peer: Peer,
        given: Given,
        request: (Head, Vec<u8>),
        now: Mono,
    ) {
        self.logins.waiting.push_back(Waiting { id, peer, given, request, helper: None });
        self.go_on_with_logins(now);
    }

    /// Gives up those who are gone and those that take too long, and asks for the next ones. Call it also when children were
    /// reaped.
    pub fn go_on_with_logins(&mut self, now: Mono) {
        while let Some(place) = self.logins.waiting.iter().position(|login| {
            let gone =
                self.slots.get(login.id.slot).and_then(Option::as_ref).is_none_or(|connection| {
                    connection.generation != login.id.generation || !connection.is_answering()
                });
            gone || login.helper.as_ref().is_some_and(|helper| helper.deadline <= now)
        }) {
            if let Some(login) = self.logins.remove(place) {
                self.cannot_tell(&login, "no answer in time", now);
            }
        }
        while let Some(place) = self.logins.next() {
            // Guesses that came together are counted one by one.
            let peer = self.logins.waiting.get(place).map(|login| login.peer);
            if let Some(Err(reply)) = peer.map(|peer| self.expect_patience(peer, now)) {
                if let Some(login) = self.logins.remove(place) {
                    self.send(login.id, reply, now);
                }
                continue;
            }
            let Some(login) = self.logins.waiting.get_mut(place) else { return };
            let host = match login.peer {
                Peer::Tcp(_) => Some(shown(login.peer)),
                Peer::Socket(_) | Peer::Private => None,
            };
            let (given, settings) = (&login.given, &self.settings);
            let work = || prove::prove(given, &settings.password_files, &settings.groups, host.as_deref());
            match Helper::start(now.plus(PATIENCE), work) {
                Ok(helper) => login.helper = Some(helper),
                Err(error) => {
                    if let Some(login) = self.logins.remove(place) {
                        self.cannot_tell(&login, &format!("cannot create a process: {error}"), now);
                    }
                }
            }
        }
    }

    /// Reads what a helper has to say.
    pub(super) fn read_login(&mut self, id: ConnectionId, now: Mono) {
        let Some(place) = self.logins.waiting.iter().position(|login| login.id == id) else { return };
        let Some(helper) = self.logins.waiting.get_mut(place).and_then(|login| login.helper.as_mut()) else { return };
        let Progress::Done(answer) = helper.read() else { return };
        let Some(login) = self.logins.waiting.remove(place) else { return };
        let (id, (head, body)) = (login.id, &login.request);
        match prove::verdict(&answer, &login.given) {
            Verdict::Unknown(why) => self.cannot_tell(&login, &why, now),
            Verdict::Proved(user) => {
                self.throttle.succeeded(Place::of(login.peer), !user.read_only);
                self.enter(id, Some(user), head, body, now);
            }
            Verdict::Denied(denial) => {
                let reply = self.deny(login.peer, &denial, now);
                self.send(id, reply, now);
            }
        }
        self.go_on_with_logins(now);
    }

    fn cannot_tell(&mut self, login: &Waiting, why: &str, now: Mono) {
        if self.connection(login.id).is_none_or(|connection| !connection.is_answering()) {
            return;
        }
        let text = format!("HttpRequest: the password of client [{}] cannot be checked -- {why}", shown(login.peer));
        self.log.add(Topic::Trouble, &text, now);
        self.send(login.id, Reply::error(503, "The password cannot be checked now; the log says why"), now);
    }
}
