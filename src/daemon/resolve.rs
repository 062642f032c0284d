//! The names in the allow list, resolved again and again while the daemon runs, in a helper child: a name server that does
//! not answer stops nobody.

use std::net::{IpAddr, ToSocketAddrs};
use std::os::fd::RawFd;
use std::time::Duration;

use crate::base::time::Mono;
use crate::http::Server;
use crate::log::Log;
use crate::sys::posix::clock;
use crate::sys::posix::helper::{Helper, Progress};

/// How long one round may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// From one round to the next.
const AGAIN: Duration = Duration::from_secs(300);

/// Keeps the names' addresses fresh.
#[derive(Debug, Default)]
pub(super) struct Resolver {
    names: Vec<String>,
    helper: Option<Helper>,
    next: Option<Mono>,
    /// Names without an address, told once.
    told: Vec<String>,
}

impl Resolver {
    /// Takes the names of a new configuration; they are resolved as soon as the loop turns.
    pub fn set_names(&mut self, names: Vec<String>) {
        self.told.retain(|told| names.contains(told));
        self.next = (!names.is_empty()).then(clock::monotonic);
        self.names = names;
        self.helper = None;
    }

    pub fn fd(&self) -> Option<RawFd> {
        self.helper.as_ref().map(Helper::fd)
    }

    pub fn next_deadline(&self) -> Option<Mono> {
        self.helper.as_ref().map(|helper| helper.deadline).or(self.next)
    }

    /// Starts a round that is due, gives up one that takes too long.
    pub fn tick(&mut self, now: Mono, server: &mut Server, log: &mut Log) {
        if self.helper.as_ref().is_some_and(|helper| now >= helper.deadline) {
            self.helper = None;
            self.take(b"", server, log);
        }
        if self.helper.is_none() && self.next.is_some_and(|next| now >= next) {
            self.next = Some(now.plus(AGAIN));
            let names = self.names.clone();
            self.helper = Helper::start(now.plus(PATIENCE), move || answer(&names)).ok();
        }
    }

    /// Reads what the helper found.
    pub fn read(&mut self, server: &mut Server, log: &mut Log) {
        let Some(helper) = &mut self.helper else { return };
        if let Progress::Done(answer) = helper.read() {
            self.helper = None;
            self.take(&answer, server, log);
        }
    }

    /// A name that could not be resolved keeps the addresses it had.
    fn take(&mut self, answer: &[u8], server: &mut Server, log: &mut Log) {
        let text = String::from_utf8_lossy(answer);
        for (place, name) in self.names.iter().enumerate() {
            let number = place.to_string();
            let addresses: Vec<IpAddr> = text
                .lines()
                .filter_map(|line| line.split_once(' '))
                .filter(|(of, _)| *of == number)
                .filter_map(|(_, address)| address.parse().ok())
                .collect();
            if addresses.is_empty() {
                if !self.told.contains(name) {
                    self.told.push(name.clone());
                    let who = match server.lets_in_by(name) {
                        true => "the addresses that it had are let in",
                        false => "nobody is let in for it",
                    };
                    log.warning(&format!("the name '{name}' of an 'allow' has no address now; {who}"));
                }
            } else {
                self.told.retain(|told| told != name);
                server.set_resolved(name, &addresses);
            }
        }
    }
}

/// A line for each address: the name's place and the address.
fn answer(names: &[String]) -> Vec<u8> {
    let mut text = String::new();
    for (place, name) in names.iter().enumerate() {
        for address in (name.as_str(), 0).to_socket_addrs().into_iter().flatten() {
            text.push_str(&format!("{place} {}\n", address.ip()));
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AllowHost, Httpd};
    use crate::http::Settings;
    use crate::sys::posix::poll::{Interest, PollSet};

    /// A round, to its end.
    fn round(resolver: &mut Resolver, now: Mono, server: &mut Server, log: &mut Log) {
        resolver.tick(now, server, log);
        while let Some(fd) = resolver.fd() {
            let mut set = PollSet::default();
            set.add(fd, Interest::Read, ());
            assert!(!set.wait(Some(Duration::from_secs(20))).unwrap().is_empty());
            resolver.read(server, log);
        }
    }

    #[test]
    fn names_are_looked_up_again_and_again() {
        // Literal addresses need no name server.
        let httpd = Httpd { allow: vec![AllowHost::Name("192.0.2.7".to_owned())], ..Httpd::default() };
        let mut server = Server::new(Settings::new(&httpd, Vec::new(), None));
        let mut log = Log::new("pollux", false);
        let mut resolver = Resolver::default();
        resolver.set_names(server.names_to_resolve());
        let now = clock::monotonic();
        assert!(!server.lets_in_by("192.0.2.7"));
        round(&mut resolver, now, &mut server, &mut log);
        assert!(server.lets_in_by("192.0.2.7"));
        resolver.tick(now.plus(AGAIN - Duration::from_secs(1)), &mut server, &mut log);
        assert!(resolver.fd().is_none(), "not yet");
        resolver.tick(now.plus(AGAIN), &mut server, &mut log);
        assert!(resolver.fd().is_some());
        resolver.tick(now.plus(AGAIN).plus(PATIENCE), &mut server, &mut log);
        assert!(resolver.fd().is_none(), "what does not answer is given up");
        assert!(server.lets_in_by("192.0.2.7"), "and the addresses that were known are kept");
        assert!(resolver.next_deadline().is_some_and(|next| next > now.plus(AGAIN)));
    }
}
