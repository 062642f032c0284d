//! Two kinds of time that must not be mixed: [`Mono`] for intervals and deadlines, [`Wall`] for what people read.

use std::time::Duration;

/// An instant of the monotonic clock (`CLOCK_MONOTONIC`), counted from an origin that is fixed while the machine is up.
/// It never steps; use it for every deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(Duration);

impl Mono {
    /// The instant `since_origin` after the clock's origin.
    pub const fn from_origin(since_origin: Duration) -> Mono {
        Mono(since_origin)
    }

    /// How long after the clock's origin this instant is.
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// The time that passed from `earlier` to this instant; zero when `earlier` is later.
    pub fn since(self, earlier: Mono) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// This instant moved `by` into the future; stays at the end of time instead of overflowing.
    pub fn plus(self, by: Duration) -> Mono {
        Mono(self.0.saturating_add(by))
    }
}

/// An instant of the wall clock (`CLOCK_REALTIME`): time since 1970-01-01 00:00:00 UTC. It may step in either direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(Duration);

impl Wall {
    /// The instant `since_epoch` after 1970-01-01 UTC.
    pub const fn from_epoch(since_epoch: Duration) -> Wall {
        Wall(since_epoch)
    }

    /// Time since 1970-01-01 UTC.
    pub const fn since_epoch(self) -> Duration {
        self.0
    }

    /// This instant moved `by` into the future; stays at the end of time instead of overflowing.
    pub fn plus(self, by: Duration) -> Wall {
        Wall(self.0.saturating_add(by))
    }

    /// This instant moved `by` into the past; stays at the epoch instead of falling below it.
    pub fn minus(self, by: Duration) -> Wall {
        Wall(self.0.saturating_sub(by))
    }

    /// Whole seconds since 1970-01-01 UTC.
    pub const fn secs(self) -> u64 {
        self.0.as_secs()
    }

    /// Microseconds within the second.
    pub const fn micros(self) -> u32 {
        self.0.subsec_micros()
    }
}

/// A wall instant broken down in the local time zone, as `localtime_r(3)` gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// Year, such as 2026.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 60.
    pub second: u8,
    /// Day of the week, 0 = Sunday.
    pub weekday: u8,
    /// Seconds east of UTC.
    pub offset: i32,
}

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl LocalTime {
    /// `2026-11-22T19:38:03+0000`, the form of log lines.
    pub fn iso8601(&self) -> String {
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.unsigned_abs() / 60;
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}{:02}",
            self.year,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
            sign,
            minutes / 60,
            minutes % 60
        )
    }

    /// `Sun, 22 Nov 2026 19:38:16`, the form of status texts (local time without zone).
    pub fn rfc_date(&self) -> String {
        let day = DAYS.get(usize::from(self.weekday)).copied().unwrap_or("?");
        format!(
            "{day}, {:02} {} {} {:02}:{:02}:{:02}",
            self.day,
            self.month_name(),
            self.year,
            self.hour,
            self.minute,
            self.second
        )
    }

    /// `Nov 22 19:38:16`, the form RFC 3164 asks of syslog messages.
    pub fn syslog_date(&self) -> String {
        format!("{} {:2} {:02}:{:02}:{:02}", self.month_name(), self.day, self.hour, self.minute, self.second)
    }

    fn month_name(&self) -> &'static str {
        MONTHS.get(usize::from(self.month).wrapping_sub(1)).copied().unwrap_or("?")
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; month 1 to 12, day 1 to 31.
pub fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    // Years that begin in March, in eras of 400.
    let year = i64::from(year) - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    const AN_EVENING: LocalTime =
        LocalTime { year: 2026, month: 11, day: 2, hour: 19, minute: 8, second: 3, weekday: 1, offset: -12_600 };

    #[test]
    fn dates_are_written_in_the_three_forms() {
        assert_eq!(AN_EVENING.iso8601(), "2026-11-02T19:08:03-0330");
        assert_eq!(AN_EVENING.rfc_date(), "Mon, 02 Nov 2026 19:08:03");
        assert_eq!(AN_EVENING.syslog_date(), "Nov  2 19:08:03");
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2000, 2, 29), 11_016);
        assert_eq!(days_from_civil(2026, 11, 23), 20_780);
        assert_eq!(days_from_civil(1969, 12, 31), -1);
    }

    #[test]
    fn monotonic_arithmetic_saturates() {
        let a = Mono::from_origin(Duration::from_secs(5));
        assert_eq!(a.since(a.plus(Duration::from_secs(1))), Duration::ZERO);
        assert_eq!(a.plus(Duration::MAX).since_origin(), Duration::MAX);
    }
}
