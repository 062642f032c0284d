//! The one place where the daemon sleeps: until a descriptor has something to say or the nearest deadline is there.

use std::os::fd::RawFd;
use std::time::Duration;

use super::Daemon;
use crate::base::logging::Level;
use crate::base::time::Mono;
use crate::http;
use crate::sys::posix::clock;
use crate::sys::posix::poll::{Interest, PollSet};
use crate::sys::posix::signal::Signal;

/// A turn should not take so long.
const LONG: Duration = Duration::from_millis(100);

/// Who waits for a descriptor.
#[derive(Clone, Copy, Debug)]
enum Source {
    Signals,
    Http(http::Token),
    Resolver,
    /// A watched process has ended.
    Exit(RawFd),
    /// A pidfile's filesystem has answered; the next turn takes it.
    Remote,
    /// A check program printed something.
    Program,
    /// The child that reads the control file tells something; the next turn takes it.
    Preflight,
}

impl Daemon {
    /// Sleeps, then lets everybody whose descriptor is ready go on. What is readable is read before any deadline is
    /// judged: after a long pause (the machine slept, the daemon was stopped) requests that came in time count. So clients
    /// are late by the clock as it stood before poll(2) looked, wherever in the loop the pause was.
    pub(super) fn wait(&mut self) {
        let now = clock::monotonic();
        let before = now;
        let mut set = PollSet::default();
        set.add(self.signals.fd(), Interest::Read, Source::Signals);
        self.server.register(now, &mut |fd, interest, token| set.add(fd, interest, Source::Http(token)));
        if let Some(fd) = self.resolver.fd() {
            set.add(fd, Interest::Read, Source::Resolver);
        }
        self.exits.fds().for_each(|fd| set.add(fd, Interest::Read, Source::Exit(fd)));
        self.remote.fds().for_each(|fd| set.add(fd, Interest::Read, Source::Remote));
        self.jobs.fds(now).for_each(|fd| set.add(fd, Interest::Read, Source::Program));
        if let Some(fd) = self.preflight.fd() {
            set.add(fd, Interest::Read, Source::Preflight);
        }
        let farewell = match self.end {
            Some(super::End::Asked { latest }) => Some(latest),
            _ => None,
        };
        let next_cycle = self.end.is_none().then_some(self.next_cycle);
        let work = [
            next_cycle,
            (!self.later.is_empty() || !self.drawings.is_empty()).then_some(now),
            self.starts_from,
            self.jobs.next_deadline(now),
            self.engine.next_deadline(),
            self.remote.next_deadline(),
            self.preflight.next_deadline(),
            self.resolver.next_deadline(),
        ];
        let work = work.into_iter().filter(|_| farewell.is_none());
        let due = work.chain([farewell, self.server.next_deadline()]).flatten().min();
        if self.is_over() {
            return;
        }
        self.fall_asleep();
        let ready = match set.wait(due.map(|due| due.since(now))) {
            Ok(ready) => ready,
            Err(error) => {
                // Only a kernel without memory gets here; it must not be asked thousands of times a second.
                self.log.error(&format!("poll: {error}"));
                clock::pause(Duration::from_secs(1));
                return;
            }
        };
        let now = clock::monotonic();
        // Turns follow each other without a pause while something is overdue; what was late is told once.
        self.lag.awake(now, due.map(|due| due.max(before)));
        if ready.iter().any(|one| matches!(one.token, Source::Program)) {
            self.jobs.read(now);
        }
        for one in ready {
            match one.token {
                Source::Signals => self.take_signals(now),
                Source::Http(token) => self.server.ready(token, now),
                Source::Exit(fd) => self.take_exits(fd, now),
                Source::Remote | Source::Preflight | Source::Program => {}
                Source::Resolver => self.resolver.read(&mut self.server, &mut self.log),
            }
        }
        self.serve(now);
        self.server.expire(before);
    }

    /// A turn ends. One that was long is told to those who want to hear much.
    fn fall_asleep(&mut self) {
        if let Some(lag) = self.lag.asleep(clock::monotonic())
            && lag >= LONG
        {
            self.log.write(Level::Debug, &format!("the loop was busy for {} ms", lag.as_millis()));
        }
    }

    fn take_signals(&mut self, now: Mono) {
        for signal in self.signals.take() {
            match signal {
                // Children are reaped at the beginning of each turn.
                Signal::Child => {}
                Signal::Wake => {
                    self.log.info("Awakened by User defined signal 1");
                    self.wake();
                }
                Signal::Reload => self.ask_reload(None, now),
                Signal::Stop => self.stop(),
            }
        }
    }
}
