//! When a service is due.

use std::time::Duration;

/// The `every` statement of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Every {
    /// In each cycle.
    #[default]
    Cycle,
    /// In the first cycle and then in every n-th; n is at least 1.
    Cycles(u32),
}

/// How starts by rules are spaced out: each delay is twice the one before, up to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Between the first start and the second; at least a second.
    pub first: Duration,
    /// No delay is longer; at least `first`.
    pub longest: Duration,
}

impl Backoff {
    /// How long after the last of `starts` starts in a row the next one may come.
    pub fn delay(self, starts: u32) -> Duration {
        let doubled = 2_u32.checked_pow(starts.saturating_sub(1)).and_then(|factor| self.first.checked_mul(factor));
        doubled.map_or(self.longest, |delay| delay.min(self.longest))
    }
}

/// `count` failures within a window of `window` cycles; 1 <= count <= window <= 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// How many posts of the last `window` must agree.
    pub count: u32,
    /// How many cycles are looked at.
    pub window: u32,
}

impl Rate {
    /// Once is enough: the rate of a rule that names none.
    pub const ONCE: Rate = Rate { count: 1, window: 1 };

    /// The longest window in cycles.
    pub const MAX_WINDOW: u32 = 64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_secs(10), longest: Duration::from_secs(60) };
        assert_eq!([1, 2, 3, 4, 5, u32::MAX].map(|starts| backoff.delay(starts).as_secs()), [10, 20, 40, 60, 60, 60]);
        let years = Backoff { first: Duration::from_secs(31_622_400), longest: Duration::from_secs(31_622_400) };
        assert_eq!(years.delay(32), years.longest);
    }
}
