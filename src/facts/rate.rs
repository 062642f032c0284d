//! From counters to rates: what two readings of one counter say.

use std::time::Duration;

/// By how much a counter grew between two readings; `None` when one is unknown, and when the counter became smaller: it was
/// reset or wrapped, and what happened in that step is not known.
pub fn growth(earlier: Option<u64>, later: Option<u64>) -> Option<u64> {
    later?.checked_sub(earlier?)
}

/// The growth of a counter per second; `None` when the growth is unknown or no time passed.
pub fn per_second(growth: Option<u64>, passed: Duration) -> Option<f64> {
    let seconds = passed.as_secs_f64();
    growth.filter(|_| seconds > 0.0).map(|growth| growth as f64 / seconds)
}

/// `part` in percent of `whole`; `None` when either is unknown or the whole is nothing.
pub fn percent(part: Option<u64>, whole: Option<u64>) -> Option<f64> {
    let whole = whole.filter(|whole| *whole > 0)?;
    Some(part? as f64 * 100.0 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_shrank_says_nothing_about_that_step() {
        assert_eq!(growth(Some(5), Some(12)), Some(7));
        assert_eq!(growth(Some(u64::MAX), Some(3)), None);
        assert_eq!(growth(None, Some(3)), None);
        assert_eq!(growth(Some(3), None), None);
    }

    #[test]
    fn without_time_there_is_no_rate() {
        assert_eq!(per_second(Some(30), Duration::from_secs(4)), Some(7.5));
        assert_eq!(per_second(Some(30), Duration::ZERO), None);
        assert_eq!(per_second(None, Duration::from_secs(4)), None);
    }

    #[test]
    fn nothing_has_no_parts() {
        assert_eq!(percent(Some(1), Some(4)), Some(25.0));
        assert_eq!(percent(Some(1), Some(0)), None);
        assert_eq!(percent(None, Some(4)), None);
    }
}
