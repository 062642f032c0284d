//! Wall-clock schedules: the five fields of `every "MIN HOUR DOM MON DOW"`.
//!
//! All five fields must match, as in Monit 5; cron(8) and Monit 6 run a schedule that restricts both days when either of
//! them matches. Time is counted in minutes of the local calendar ([`Minute`]), so that a schedule is about what a clock on
//! the wall shows: an hour that daylight saving time leaves out looks like a pause, one that it repeats like a step back.

use std::fmt;

use super::time::{LocalTime, days_from_civil};

/// A minute of the local calendar, counted from 1970-01-01 00:00 as if every day had 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(i64);

impl Minute {
    /// The minute that a clock on the wall shows at that time.
    pub fn of(time: &LocalTime) -> Minute {
        let days = days_from_civil(time.year, time.month, time.day);
        Minute(days * DAY + i64::from(time.hour) * 60 + i64::from(time.minute))
    }

    /// The minute with that number; far from all clocks it is the first or last one.
    pub fn from_number(number: i64) -> Minute {
        Minute(number.clamp(-FAR, FAR))
    }

    /// The minute before.
    pub fn before(self) -> Minute {
        Minute::from_number(self.0 - 1)
    }

    /// Minutes since 1970-01-01 00:00.
    pub fn number(self) -> i64 {
        self.0
    }

    /// Minute, hour, day of the month, month, day of the week (0 = Sunday).
    fn fields(self) -> [u32; 5] {
        let (days, within) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (month, day) = month_and_day(days);
        // 1970-01-01 was a Thursday.
        let weekday = (days + 4).rem_euclid(7);
        [within % 60, within / 60, day, month, weekday].map(|field| u32::try_from(field).unwrap_or_default())
    }
}

/// Minutes in a day.
const DAY: i64 = 24 * 60;

/// Some thousand years on both sides of 1970.
const FAR: i64 = 4000 * 366 * DAY;

/// How many minutes are made up for: of those that passed unseen (the machine slept, a cycle was long, daylight saving time
/// began) the last so many. And how far back the clock may step without a fixed time coming twice.
pub const REACH: i64 = 180;

/// How far the clock may step back without a schedule that goes by every minute or hour following it at once.
const JITTER: i64 = 5;

/// A schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Bit N of a field is set when the value N is among its values.
    fields: [u64; 5],
    /// Minute or hour begin with `*`.
    is_running: bool,
    text: String,
}

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CronError {
    /// There are not five fields.
    Fields,
    /// A part of a field that cannot be.
    Part(&'static str, String),
}

impl fmt::Display for CronError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CronError::Fields => {
                f.write_str("expected five fields: minute, hour, day of the month, month, day of the week")
            }
            CronError::Part(field, part) => write!(f, "'{part}' is no {field} of a cron specification"),
        }
    }
}

/// What a field may hold.
struct Field {
    title: &'static str,
    least: u32,
    /// The greatest value that is told apart from others.
    most: u32,
    /// The greatest number that may be written: 7 is Sunday as well.
    written: u32,
    /// Names of the values from the least on.
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { title: "minute", least: 0, most: 59, written: 59, names: &[] },
    Field { title: "hour", least: 0, most: 23, written: 23, names: &[] },
    Field { title: "day of the month", least: 1, most: 31, written: 31, names: &[] },
    Field { title: "month", least: 1, most: 12, written: 12, names: &MONTHS },
    Field { title: "day of the week", least: 0, most: 6, written: 7, names: &DAYS },
];

impl Schedule {
    /// Reads five fields separated by blanks. A field is a list, separated by commas, of `*`, values and ranges `A-B`, each
    /// with `/STEP` or without; months and days have names too; a range may go round the end (`22-6`, `fri-mon`).
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Schedule, CronError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        if words.len() != FIELDS.len() {
            return Err(CronError::Fields);
        }
        let mut fields = [0; 5];
        for ((bits, field), word) in fields.iter_mut().zip(&FIELDS).zip(&words) {
            for part in word.split(',') {
                *bits |= field.part(part).ok_or_else(|| CronError::Part(field.title, part.to_owned()))?;
            }
        }
        let is_running = words.iter().take(2).any(|word| word.starts_with('*'));
        Ok(Schedule { fields, is_running, text: words.join(" ") })
    }

    /// Whether all five fields match the minute.
    pub fn matches(&self, minute: Minute) -> bool {
        self.fields.iter().zip(minute.fields()).all(|(bits, value)| bits & (1 << value) != 0)
    }

    /// Whether the schedule is due now, when everything up to `done` has been done with; `None` at the first look. Of minutes
    /// that nobody looked at the last [`REACH`] count, however many of them match as one.
    ///
    /// When the clock was set back, a fixed time (`30 2 * * *`) does not come a second time: nothing is due until the
    /// clock has caught up. A schedule that begins with `*` in minute or hour goes by the clock as it is now. After a greater
    /// step than [`REACH`] the clock is believed, in both cases.
    pub fn is_due(&self, now: Minute, done: Option<Minute>) -> bool {
        let first = match done {
            Some(done) if self.waits_for(done, now) => return false,
            Some(done) if now > done => (done.0 + 1).max(now.0 - REACH + 1),
            _ => now.0,
        };
        (first..=now.0).any(|minute| self.matches(Minute(minute)))
    }

    /// Up to where everything is done with after a look at `now`.
    pub fn done(&self, now: Minute, done: Option<Minute>) -> Minute {
        done.filter(|done| self.waits_for(*done, now)).unwrap_or(now)
    }

    /// Whether the clock, which has been at `done`, shows that minute still or was set back so little that it is waited for.
    fn waits_for(&self, done: Minute, now: Minute) -> bool {
        let patience = if self.is_running { JITTER } else { REACH };
        (0..=patience).contains(&(done.0 - now.0))
    }
}

impl fmt::Display for Schedule {
    /// The five fields as they were written, with one blank between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Field {
    /// The values of `*`, `A`, `A-B`, each with `/STEP` or without.
    fn part(&self, text: &str) -> Option<u64> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(number(step).filter(|step| *step > 0)?)),
            None => (text, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.most),
            Some((first, last)) => (self.value(first)?, self.value(last)?),
            None => {
                let value = self.value(range)?;
                (value, if step.is_some() { self.most.max(value) } else { value })
            }
        };
        let size = self.most - self.least + 1;
        let length = if first <= last { last - first } else { last + size - first };
        let values = (0..=length).step_by(usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX));
        Some(values.fold(0, |bits, offset| bits | 1 << ((first - self.least + offset) % size + self.least)))
    }

    fn value(&self, text: &str) -> Option<u32> {
        if let Some(place) = self.names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
            return u32::try_from(place).ok().map(|place| place + self.least);
        }
        number(text).filter(|number| (self.least..=self.written).contains(number))
    }
}

/// Digits alone: no sign.
fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Month and day of the month of a day counted from 1970-01-01 (Gregorian calendar; eras of 400 years that begin in March).
fn month_and_day(days: i64) -> (i64, i64) {
    let of_era = (days + 719_468).rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    (if from_march < 10 { from_march + 3 } else { from_march - 9 }, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(text: &str) -> Schedule {
        Schedule::parse(text).unwrap()
    }

    /// A minute of March 2026, whose 1st was a Sunday.
    fn at(day: u8, hour: u8, minute: u8) -> Minute {
        let zone = LocalTime { year: 2026, month: 3, day, hour, minute, second: 0, weekday: 0, offset: 0 };
        Minute::of(&zone)
    }

    /// Looks at the clock in turn and tells at which looks it was due.
    fn dues(text: &str, clock: &[Minute]) -> Vec<bool> {
        let (schedule, mut done) = (schedule(text), None);
        let look = |now: &Minute| {
            let due = schedule.is_due(*now, done);
            done = Some(schedule.done(*now, done));
            due
        };
        clock.iter().map(look).collect()
    }

    #[test]
    fn lists_ranges_steps_and_names() {
        for good in
            ["* * * * *", "0-29/5 8-18 1,15 jan-Mar 1-5", "*/5 0 31 12 7", "59\t23  * * sun", "1/2 * * * fri-mon"]
        {
            assert!(Schedule::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "* * * *", "* * * * * *"] {
            assert_eq!(Schedule::parse(bad), Err(CronError::Fields), "{bad}");
        }
        for bad in ["60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *", "*/0 * * * *"] {
            assert!(matches!(Schedule::parse(bad), Err(CronError::Part(..))), "{bad}");
        }
        for bad in ["1- * * * *", "1,,2 * * * *", "-1 * * * *", "* jan * * *", "1/ * * * *", "+1 * * * *", "/2 * * * *"]
        {
            assert!(matches!(Schedule::parse(bad), Err(CronError::Part(..))), "{bad}");
        }
        assert!(Schedule::parse("*/99999999999999999999 * * * *").is_err());
        assert_eq!(schedule("*/4294967295 * * * *").fields[0], 1);
        assert_eq!(schedule(" 0\t5  * * 1-5 ").to_string(), "0 5 * * 1-5");
    }

    #[test]
    fn values_are_the_ones_written() {
        let values = |text: &str, place: usize| -> Vec<u32> {
            let bits = schedule(text).fields[place];
            (0..64).filter(|value| bits & (1 << value) != 0).collect()
        };
        assert_eq!(values("0-29/10,45 * * * *", 0), [0, 10, 20, 45]);
        assert_eq!(values("40/10 * * * *", 0), [40, 50]);
        assert_eq!(values("* 22-2 * * *", 1), [0, 1, 2, 22, 23]);
        assert_eq!(values("* 20-4/3 * * *", 1), [2, 20, 23]);
        assert_eq!(values("* * 30-2 * *", 2), [1, 2, 30, 31]);
        assert_eq!(values("* * * nov-jan *", 3), [1, 11, 12]);
        assert_eq!(values("* * * * fri-mon", 4), [0, 1, 5, 6]);
        assert_eq!(values("* * * * 5-7", 4), [0, 5, 6]);
        assert_eq!(values("* * * * 7", 4), [0]);
        assert_eq!(values("* * * * 7-2", 4), [0, 1, 2]);
        assert_eq!(values("* * * * 0-7", 4), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(values("*/25 * * * *", 0), [0, 25, 50]);
    }

    #[test]
    fn all_five_fields_must_match() {
        // The 13th of March 2026 is a Friday.
        assert!(schedule("30 4 13 3 5").matches(at(13, 4, 30)));
        for other in ["31 4 13 3 5", "30 5 13 3 5", "30 4 12 3 5", "30 4 13 4 5", "30 4 13 3 4"] {
            assert!(!schedule(other).matches(at(13, 4, 30)), "{other}");
        }
        assert!(!schedule("* * 13 * 1").matches(at(13, 0, 0)), "days are not alternatives");
    }

    #[test]
    fn minutes_know_their_dates() {
        assert_eq!(Minute(0).fields(), [0, 0, 1, 1, 4]);
        assert_eq!(Minute(-1).fields(), [59, 23, 31, 12, 3]);
        let leap = LocalTime { year: 2028, month: 2, day: 29, hour: 23, minute: 59, second: 9, weekday: 2, offset: 0 };
        assert_eq!(Minute::of(&leap).fields(), [59, 23, 29, 2, 2]);
        assert_eq!(Minute(Minute::of(&leap).0 + 1).fields(), [0, 0, 1, 3, 3]);
        for day in 1..=31 {
            assert_eq!(at(day, 7, 8).fields(), [8, 7, u32::from(day), 3, u32::from((day - 1) % 7)]);
        }
        assert_eq!(Minute::from_number(i64::MAX).fields()[0], Minute::from_number(i64::MAX).fields()[0]);
        assert!(Minute::from_number(i64::MIN) < Minute(0));
    }

    #[test]
    fn a_matching_minute_is_due_once() {
        let clock = [at(2, 3, 29), at(2, 3, 30), at(2, 3, 30), at(2, 3, 31), at(3, 3, 30)];
        assert_eq!(dues("30 3 * * *", &clock), [false, true, false, false, true]);
        assert_eq!(dues("* * * * *", &clock), [true, true, false, true, true]);
    }

    #[test]
    fn missed_minutes_are_made_up_for_once_within_three_hours() {
        assert_eq!(dues("30 3 * * *", &[at(2, 3, 28), at(2, 3, 33), at(2, 3, 34)]), [false, true, false]);
        assert_eq!(dues("*/5 * * * *", &[at(2, 3, 28), at(2, 5, 1), at(2, 5, 2)]), [false, true, false]);
        assert_eq!(dues("30 3 * * *", &[at(2, 3, 0), at(2, 6, 29)]), [false, true]);
        assert_eq!(dues("30 3 * * *", &[at(2, 3, 0), at(2, 6, 30)]), [false, false]);
        // What came before the first look was not missed.
        assert_eq!(dues("30 3 * * *", &[at(2, 3, 31)]), [false]);
    }

    #[test]
    fn an_hour_that_is_left_out_is_made_up_for_and_one_that_is_repeated_comes_once() {
        // 01:59 is followed by 03:00.
        let spring = [at(29, 1, 59), at(29, 3, 0), at(29, 3, 1)];
        assert_eq!(dues("30 2 * * *", &spring), [false, true, false]);
        assert_eq!(dues("30 2 29 3 0", &spring), [false, true, false]);
        // 02:59 is followed by 02:00.
        let autumn =
            [at(25, 2, 29), at(25, 2, 30), at(25, 2, 59), at(25, 2, 0), at(25, 2, 30), at(25, 2, 59), at(25, 3, 0)];
        assert_eq!(dues("30 2 * * *", &autumn), [false, true, false, false, false, false, false]);
        assert_eq!(dues("0 3 * * *", &autumn), [false, false, false, false, false, false, true]);
        // What goes by every hour or minute is not left alone for an hour.
        assert_eq!(dues("30 * * * *", &autumn), [false, true, false, false, true, false, false]);
        assert_eq!(dues("* 0-6 * * *", &autumn), [true; 7]);
    }

    #[test]
    fn a_clock_that_steps_back_runs_nothing_twice() {
        let little = [at(2, 3, 30), at(2, 3, 29), at(2, 3, 30), at(2, 3, 31)];
        assert_eq!(dues("30 3 * * *", &little), [true, false, false, false]);
        assert_eq!(dues("* * * * *", &little), [true, false, false, true]);
        // A clock that was days ahead is believed at once, or nothing would run for days.
        assert_eq!(dues("30 3 * * *", &[at(9, 3, 30), at(2, 3, 29), at(2, 3, 30)]), [true, false, true]);
        assert_eq!(dues("30 3 * * *", &[at(2, 3, 30), at(9, 3, 29), at(9, 3, 30)]), [true, false, true]);
    }
}
