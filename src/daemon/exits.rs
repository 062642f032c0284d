//! Processes that end between two cycles.
//!
//! The engine names the processes whose end it wants to hear of; each is watched once, however many services mean it. What
//! cannot be watched is found by the next cycle, as without any of this.

use std::collections::HashMap;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;

use super::Daemon;
use crate::base::process::{Identity, Pid};
use crate::base::time::Mono;
use crate::config::{Service, ServiceId};
use crate::facts::process::Presence;
use crate::facts::script::Scripts;
use crate::probe::process::{self, Sample};
use crate::sys::platform::exits::Exits;
use crate::sys::platform::process::{ProcessTable, START_TOLERANCE};
use crate::sys::posix::clock;

/// What is known of one process that is wanted.
#[derive(Clone, Copy, Debug)]
struct Known {
    identity: Identity,
    /// Its end was told: it is neither watched nor told of again.
    ended: bool,
}

/// The processes that are watched.
#[derive(Debug, Default)]
pub(super) struct Watch {
    exits: Exits,
    known: HashMap<Pid, Known>,
    /// The system refused to watch any more; it is asked again in the next cycle.
    refused: bool,
    /// That it refused was told.
    told: bool,
}

impl Watch {
    /// Watches exactly the processes that are wanted; returned are those that turned out to have ended already, and why
    /// the rest could not be watched, with their number.
    fn set(
        &mut self,
        wanted: impl Iterator<Item = Identity>,
        table: &ProcessTable,
    ) -> (Vec<Identity>, Option<(usize, io::Error)>) {
        let mut wanted: HashMap<Pid, Identity> = wanted.map(|identity| (identity.pid, identity)).collect();
        let Watch { exits, known, .. } = self;
        known.retain(|pid, known| {
            let same = |wanted: &Identity| wanted.is_same(known.identity, START_TOLERANCE);
            match wanted.get(pid).copied().filter(same) {
                Some(identity) => {
                    known.identity = identity;
                    wanted.remove(pid);
                    true
                }
                None => {
                    if !known.ended {
                        exits.forget(*pid);
                    }
                    false
                }
            }
        });
        let new: Vec<Identity> = wanted.into_values().collect();
        let mut gone = Vec::new();
        if self.refused {
            return (gone, None);
        }
        for (done, identity) in new.iter().enumerate() {
            let watched = match self.exits.watch(identity.pid) {
                Ok(watched) => watched,
                Err(error) => {
                    self.refused = true;
                    return (gone, Some((new.len() - done, error)));
                }
            };
            // From here on the number cannot change hands unnoticed: does it still mean who was meant?
            let is_it = match table.entry(identity.pid) {
                Ok(entry) => entry.is_some_and(|e| !e.zombie && e.identity.is_same(*identity, START_TOLERANCE)),
                Err(_) => true,
            };
            if watched && !is_it {
                self.exits.forget(identity.pid);
            }
            let ended = !watched || !is_it;
            self.known.insert(identity.pid, Known { identity: *identity, ended });
            if ended {
                gone.push(*identity);
            }
        }
        (gone, None)
    }

    /// Whose end a ready descriptor tells.
    fn take(&mut self, ready: RawFd) -> Vec<Identity> {
        let mut ended = Vec::new();
        for pid in self.exits.take(ready) {
            if let Some(known) = self.known.get_mut(&pid).filter(|known| !known.ended) {
                known.ended = true;
                ended.push(known.identity);
            }
        }
        ended
    }

    /// The descriptors to poll for reading.
    pub(super) fn fds(&self) -> impl Iterator<Item = RawFd> {
        self.exits.fds()
    }

    /// What was refused may be had now.
    pub(super) fn try_again(&mut self) {
        self.refused = false;
    }
}

impl Daemon {
    /// Sees to it that the end of every process is told that a service wants to hear of.
    pub(super) fn watch_processes(&mut self, now: Mono) {
        let (ended, refused) = self.exits.set(self.engine.watched(), &self.table);
        for identity in ended {
            self.engine.exited(identity, now);
        }
        if let Some((count, error)) = refused
            && !std::mem::replace(&mut self.exits.told, true)
        {
            let text = format!("cannot be told when {count} processes end ({error}); cycles look for them");
            self.log.warning(&text);
        }
    }

    /// A descriptor of [`Watch::fds`] is ready.
    pub(super) fn take_exits(&mut self, ready: RawFd, now: Mono) {
        for identity in self.exits.take(ready) {
            self.engine.exited(identity, now);
        }
    }

    /// What is seen of a service whose process has ended goes to the engine.
    pub(super) fn judge_exit(&mut self, id: ServiceId, presence: Presence, sample: &mut Sample<'_>, now: Mono) {
        let config = self.engine.config().clone();
        let Some(service) = config.services.get(id.0) else { return };
        let script = match &presence {
            Presence::Gone(_) => process::script_at_work(&scripts(service), sample),
            Presence::Running(_) | Presence::Unknown(_) => Ok(None),
        };
        let (presence, script) = match script {
            Ok(script) => (presence, script),
            Err(why) => (Presence::Unknown(why), None),
        };
        self.engine.looked_early(id, &presence, script.as_deref(), now, clock::wall());
    }
}

/// How scripts that start or stop the service can be told.
fn scripts(service: &Service) -> Scripts {
    let programs = [&service.start, &service.stop, &service.restart].into_iter().flatten();
    let lines = programs.map(|program| {
        let words: Vec<&[u8]> = program.argv.iter().map(|word| word.as_bytes()).collect();
        words.join(&b' ')
    });
    Scripts::new(&service.name, lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process::StartTime;
    use crate::sys::posix::poll::{Interest, PollSet};
    use std::process::{Child, Command};
    use std::time::Duration;

    fn sleeper(table: &ProcessTable) -> (Child, Identity) {
        let child = Command::new("/bin/sleep").arg("600").spawn().unwrap();
        let pid = i32::try_from(child.id()).ok().and_then(Pid::new).unwrap();
        (child, table.entry(pid).unwrap().unwrap().identity)
    }

    /// Polls and takes, as often as something is ready.
    fn ended(watch: &mut Watch, patience: Duration) -> Vec<Identity> {
        let mut set = PollSet::default();
        watch.fds().for_each(|fd| set.add(fd, Interest::Read, fd));
        let ready = set.wait(Some(patience)).unwrap();
        ready.into_iter().flat_map(|ready| watch.take(ready.token)).collect()
    }

    #[test]
    fn an_end_is_told_once_and_whoever_is_still_wanted_is_not_watched_again() {
        let table = ProcessTable::live().unwrap();
        let (mut child, identity) = sleeper(&table);
        let mut watch = Watch::default();
        assert!(watch.set([identity, identity].into_iter(), &table).0.is_empty());
        child.kill().unwrap();
        assert_eq!(ended(&mut watch, Duration::from_secs(20)), [identity]);
        // The service still means it until somebody looked: this must not make the loop spin.
        assert!(watch.set([identity].into_iter(), &table).0.is_empty());
        assert_eq!(ended(&mut watch, Duration::ZERO), []);
        child.wait().unwrap();
        assert!(watch.set([].into_iter(), &table).0.is_empty() && watch.known.is_empty());
        assert_eq!(watch.set([identity].into_iter(), &table).0, [identity], "gone already");
    }

    #[test]
    fn a_number_that_was_reused_counts_as_ended() {
        let table = ProcessTable::live().unwrap();
        let (mut child, identity) = sleeper(&table);
        let earlier = Identity { start: StartTime::from_boot(Duration::ZERO), ..identity };
        let mut watch = Watch::default();
        assert_eq!(watch.set([earlier].into_iter(), &table).0, [earlier]);
        // Whoever has the number now can be watched in its turn.
        assert!(watch.set([identity].into_iter(), &table).0.is_empty());
        child.kill().unwrap();
        assert_eq!(ended(&mut watch, Duration::from_secs(20)), [identity]);
        child.wait().unwrap();
    }

    #[test]
    #[cfg(debug_assertions)]
    fn a_system_that_refuses_is_asked_again_only_in_the_next_cycle() {
        let table = ProcessTable::live().unwrap();
        let (mut child, identity) = sleeper(&table);
        let mut watch = Watch::default();
        crate::sys::fault::set("watch=EMFILE:1");
        assert_eq!(watch.set([identity].into_iter(), &table).1.map(|(count, _)| count), Some(1));
        assert!(watch.set([identity].into_iter(), &table).1.is_none() && watch.known.is_empty());
        watch.try_again();
        assert!(watch.set([identity].into_iter(), &table).1.is_none() && watch.known.len() == 1);
        crate::sys::fault::set("");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
