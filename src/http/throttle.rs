//! Wrong passwords slow down whoever sends them: after some of them a place waits, twice as long each time. Pure.

use std::time::Duration;

use crate::base::time::Mono;

use super::places::Place;

/// Wrong passwords that cost nothing.
const FREE: u32 = 5;
/// Longest wait.
const LONGEST: Duration = Duration::from_secs(60);
/// After this long without another one, all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(15 * 60);
/// Most places we remember; the one that was quiet longest makes room.
const REMEMBERED: usize = 256;

#[derive(Debug)]
struct Entry {
    place: Place,
    failures: u32,
    last: Mono,
}

impl Entry {
    fn until(&self) -> Mono {
        let Some(steps) = self.failures.checked_sub(FREE) else { return self.last };
        self.last.plus(Duration::from_secs(1 << steps.min(6)).min(LONGEST))
    }
}

/// Who failed to log in, from where.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    entries: Vec<Entry>,
}

impl Throttle {
    /// How long passwords from this place are not looked at any more.
    pub(super) fn wait(&self, place: Place, now: Mono) -> Option<Duration> {
        let entry = self.entries.iter().find(|entry| entry.place == place)?;
        Some(entry.until().since(now)).filter(|wait| !wait.is_zero())
    }

    /// A wrong password came from this place.
    pub(super) fn failed(&mut self, place: Place, now: Mono) {
        self.entries.retain(|entry| now.since(entry.last) < FORGOTTEN);
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.place == place) {
            entry.failures = entry.failures.saturating_add(1);
            entry.last = now;
            return;
        }
        if self.entries.len() >= REMEMBERED
            && let Some((oldest, _)) = self.entries.iter().enumerate().min_by_key(|(_, entry)| entry.last)
        {
            self.entries.swap_remove(oldest);
        }
        self.entries.push(Entry { place, failures: 1, last: now });
    }

    /// A right one came: what failed before was a slip of somebody who may act. Who may only look has reason to guess on,
    /// so the waits stay, and only begin anew.
    pub(super) fn succeeded(&mut self, place: Place, may_act: bool) {
        if may_act {
            self.entries.retain(|entry| entry.place != place);
        } else if let Some(entry) = self.entries.iter_mut().find(|entry| entry.place == place) {
            entry.failures = entry.failures.min(FREE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono::from_origin(Duration::from_secs(seconds))
    }

    #[test]
    fn slips_cost_nothing_and_guesses_more_and_more() {
        let mut throttle = Throttle::default();
        let (guesser, other) = (Place::Socket(Some(1)), Place::Socket(Some(2)));
        let mut now = 1000;
        for _ in 0..FREE - 1 {
            throttle.failed(guesser, at(now));
            assert_eq!(throttle.wait(guesser, at(now)), None);
        }
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            throttle.failed(guesser, at(now));
            assert_eq!(throttle.wait(guesser, at(now)), Some(Duration::from_secs(seconds)));
            now += seconds;
            assert_eq!(throttle.wait(guesser, at(now)), None);
        }
        assert_eq!(throttle.wait(other, at(now)), None);
        throttle.succeeded(guesser, true);
        throttle.failed(guesser, at(now));
        assert_eq!(throttle.wait(guesser, at(now)), None);
    }

    #[test]
    fn what_is_remembered_has_an_end() {
        let mut throttle = Throttle::default();
        for n in 0..1000_u32 {
            throttle.failed(Place::Socket(Some(n)), at(u64::from(n) / 10));
        }
        assert_eq!(throttle.entries.len(), REMEMBERED);
        throttle.failed(Place::Private, at(100_000));
        assert_eq!(throttle.entries.len(), 1);
    }
}
