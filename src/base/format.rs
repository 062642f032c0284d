//! Numbers as people read them in logs and status texts.

use std::time::Duration;

/// Time since a start, to the minute: `0m`, `16m`, `1h 5m`, `3d 0h 2m`.
pub fn uptime(since: Duration) -> String {
    let minutes = since.as_secs() / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}m"),
        (0, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h {minutes}m"),
    }
}

/// An amount of bytes in the largest 1024-based unit that leaves at least one: `0 B`, `1 kB`, `7.6 MB`. One decimal unless
/// the number is whole.
pub fn size(bytes: f64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut amount = bytes;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if amount.abs() < 1024.0 {
            break;
        }
        amount /= 1024.0;
        unit = larger;
    }
    format!("{} {unit}", decimal(amount, 1))
}

/// A span of time in the largest unit that leaves at least one: `0.048 ms`, `4 s`, `1.500 m`. Three decimals unless the
/// number is whole.
pub fn duration(span: Duration) -> String {
    let seconds = span.as_secs_f64();
    let (amount, unit) = match span.as_secs() {
        0 => (seconds * 1000.0, "ms"),
        1..60 => (seconds, "s"),
        60..3600 => (seconds / 60.0, "m"),
        3600..86_400 => (seconds / 3600.0, "h"),
        _ => (seconds / 86_400.0, "d"),
    };
    format!("{} {unit}", decimal(amount, 3))
}

/// A time that is left, in whole seconds and their larger units: `40 s`, `1.500 m`. What began counts as whole.
pub fn wait(left: Duration) -> String {
    duration(Duration::from_secs(left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0))))
}

/// `part` of `whole` in percent with one decimal and without the sign: `75.0`; `0.0` when there is no whole.
pub fn percent(part: usize, whole: usize) -> String {
    let share = if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
    format!("{share:.1}")
}

fn decimal(amount: f64, places: usize) -> String {
    if amount.fract() == 0.0 { format!("{amount:.0}") } else { format!("{amount:.places$}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptimes_show_hours_once_there_are_days() {
        let minutes = |n: u64| uptime(Duration::from_secs(n * 60 + 59));
        assert_eq!(minutes(0), "0m");
        assert_eq!(minutes(16), "16m");
        assert_eq!(minutes(65), "1h 5m");
        assert_eq!(minutes(3 * 1440 + 2), "3d 0h 2m");
        assert_eq!(uptime(Duration::MAX), "213503982334601d 7h 0m");
    }

    #[test]
    fn sizes_have_one_decimal_unless_whole() {
        assert_eq!(size(0.0), "0 B");
        assert_eq!(size(1023.0), "1023 B");
        assert_eq!(size(1024.0), "1 kB");
        assert_eq!(size(1229.0), "1.2 kB");
        assert_eq!(size(7.6 * 1024.0 * 1024.0), "7.6 MB");
        assert_eq!(size(u64::MAX as f64), "16 EB");
    }

    #[test]
    fn durations_have_three_decimals_unless_whole() {
        assert_eq!(duration(Duration::from_micros(48)), "0.048 ms");
        assert_eq!(duration(Duration::ZERO), "0 ms");
        assert_eq!(duration(Duration::from_secs(4)), "4 s");
        assert_eq!(duration(Duration::from_secs(90)), "1.500 m");
        assert_eq!(duration(Duration::from_secs(2 * 86_400)), "2 d");
    }

    #[test]
    fn a_share_of_nothing_is_nothing() {
        assert_eq!(percent(3, 4), "75.0");
        assert_eq!(percent(1, 7), "14.3");
        assert_eq!(percent(0, 0), "0.0");
    }
}
