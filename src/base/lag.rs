//! How late the loop is: the time for which something that was due, or that a descriptor had to tell, had to wait because
//! the loop was at work on something else.

use std::fmt;
use std::time::Duration;

use super::time::Mono;

/// So many turns back the median and the percentile reach.
const KEPT: usize = 1024;

/// What is known of the turns of a loop. A turn is what lies between two sleeps; its lag is how long whatever came to be
/// ready in its first moment had to wait for the next sleep, and for a deadline also by how much it was missed. Bounded.
#[derive(Clone, Debug, Default)]
pub struct Lag {
    /// Since when somebody waits; `None` while the loop sleeps.
    since: Option<Mono>,
    /// In microseconds: those of the last turns, the oldest of which is replaced next.
    recent: Vec<u32>,
    /// Turns that have ended.
    turns: u64,
    longest: Duration,
}

impl Lag {
    /// The loop wakes at that time; `due` is the deadline it slept for.
    pub fn awake(&mut self, at: Mono, due: Option<Mono>) {
        self.since = Some(due.map_or(at, |due| due.min(at)));
    }

    /// It is about to sleep. Returns the lag of the turn that ends.
    pub fn asleep(&mut self, at: Mono) -> Option<Duration> {
        let lag = at.since(self.since.take()?);
        let micros = u32::try_from(lag.as_micros()).unwrap_or(u32::MAX);
        let place = usize::try_from(self.turns % KEPT as u64).unwrap_or_default();
        match self.recent.get_mut(place) {
            Some(oldest) => *oldest = micros,
            None => self.recent.push(micros),
        }
        self.turns += 1;
        self.longest = self.longest.max(lag);
        Some(lag)
    }

    /// The shortest lag that so many percent of the recent turns did not exceed; `None` before the first.
    fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut sorted = self.recent.clone();
        sorted.sort_unstable();
        let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(place).map(|micros| Duration::from_micros((*micros).into()))
    }
}

/// One line, such as `loop lag: longest 12.345 ms of 5000 turns, median 0.100 ms, 99th percentile 2.000 ms of the last
/// 1024`.
impl fmt::Display for Lag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(median), Some(high)) = (self.percentile(50), self.percentile(99)) else {
            return f.write_str("loop lag: -");
        };
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        let (longest, median, high) = (millis(self.longest), millis(median), millis(high));
        write!(f, "loop lag: longest {longest:.3} ms of {} turns, ", self.turns)?;
        write!(f, "median {median:.3} ms, 99th percentile {high:.3} ms of the last {}", self.recent.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Mono {
        Mono::from_origin(Duration::from_millis(millis))
    }

    fn turn(lag: &mut Lag, from: u64, to: u64) -> Option<Duration> {
        lag.awake(at(from), None);
        lag.asleep(at(to))
    }

    #[test]
    fn a_turn_is_as_late_as_its_end_and_as_the_deadline_that_was_missed() {
        let mut lag = Lag::default();
        assert_eq!(lag.to_string(), "loop lag: -");
        assert_eq!(turn(&mut lag, 10, 13), Some(Duration::from_millis(3)));
        lag.awake(at(30), Some(at(20)));
        assert_eq!(lag.asleep(at(31)), Some(Duration::from_millis(11)));
        lag.awake(at(40), Some(at(99)));
        assert_eq!(lag.asleep(at(41)), Some(Duration::from_millis(1)), "woken before it was due");
        assert_eq!(lag.asleep(at(50)), None, "asleep already");
        assert_eq!(
            lag.to_string(),
            "loop lag: longest 11.000 ms of 3 turns, median 3.000 ms, 99th percentile 11.000 ms of the last 3"
        );
    }

    #[test]
    fn what_is_long_ago_counts_only_for_the_longest() {
        let mut lag = Lag::default();
        turn(&mut lag, 0, 500);
        for number in 0..KEPT as u64 {
            turn(&mut lag, 0, if number % 50 == 0 { 7 } else { 2 });
        }
        assert_eq!(lag.recent.len(), KEPT);
        assert_eq!(
            lag.to_string(),
            "loop lag: longest 500.000 ms of 1025 turns, median 2.000 ms, 99th percentile 7.000 ms of the last 1024"
        );
    }
}
