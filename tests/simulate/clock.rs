//! Schedules by the clock on the wall, in zones with summer time, on machines that sleep and clocks that are set.

use std::time::Duration;

use pollux::action::Engine;
use pollux::base::cron::{Minute, REACH, Schedule};
use pollux::base::time::Mono;
use pollux::config::ServiceId;

use crate::control::Read;
use crate::dice::Dice;

const DAY: i64 = 1_440;
/// A Sunday far from 1970, at midnight.
const SUNDAY: i64 = 19_995 * DAY;

/// A service with a schedule, and what the clock shows.
struct Clock {
    engine: Engine,
    schedule: Schedule,
    now: Mono,
}

impl Clock {
    fn new(fields: &str) -> Clock {
        let text = format!("check file u0 with path /data/u0\n every \"{fields}\"\n if does not exist then alert\n");
        let engine = Engine::new(Read::default().config_of(text), false);
        Clock { engine, schedule: Schedule::parse(fields).unwrap(), now: Mono::from_origin(Duration::from_secs(60)) }
    }

    /// A cycle while the clock shows that minute: is the service due?
    fn look(&mut self, minute: i64) -> bool {
        self.now = self.now.plus(Duration::from_secs(30));
        self.engine.due(ServiceId(0), self.now, Minute::from_number(minute))
    }

    /// Two cycles in each minute of these; the minutes in which it was due.
    fn due_in(&mut self, minutes: impl Iterator<Item = i64>) -> Vec<i64> {
        let mut due = Vec::new();
        for minute in minutes {
            due.extend([minute, minute].into_iter().filter(|minute| self.look(*minute)));
        }
        due
    }
}

/// Saturday noon to Monday noon: at two o'clock on Sunday the clock goes on an hour, at three back, or neither.
fn weekend(summer: i64) -> Vec<i64> {
    let turn = SUNDAY + if summer < 0 { 180 } else { 120 };
    (SUNDAY - DAY / 2..turn).chain(turn + summer * 60..SUNDAY + DAY * 3 / 2).collect()
}

#[test]
fn a_schedule_keeps_its_promises_where_summer_begins_and_ends() {
    let sunday = |times: &[i64]| times.iter().map(|time| SUNDAY + time).collect::<Vec<_>>();
    // A fixed time in the hour that is left out comes at its end, and one in the hour that is repeated comes once.
    for (summer, fields, due) in [
        (1, "30 2 * * 0", sunday(&[180])),
        (-1, "30 2 * * 0", sunday(&[150])),
        (0, "30 2 * * 0", sunday(&[150])),
        (1, "10,20 2 * * *", sunday(&[180, DAY + 130, DAY + 140])),
        (1, "0 3 * * 0", sunday(&[180])),
        (-1, "0 3 * * 0", sunday(&[180])),
    ] {
        assert_eq!(Clock::new(fields).due_in(weekend(summer).into_iter()), due, "{summer} {fields}");
    }
    // What goes by every minute or hour goes by the clock.
    for (summer, fields, times) in [
        (0, "*/15 * * * *", 192),
        (1, "*/15 * * * *", 188),
        (-1, "*/15 * * * *", 196),
        (0, "5 * * * *", 48),
        (-1, "5 * * * *", 49),
        (1, "* * * * *", 48 * 60 - 60),
        (-1, "* * * * *", 48 * 60 + 60),
    ] {
        assert_eq!(Clock::new(fields).due_in(weekend(summer).into_iter()).len(), times, "{summer} {fields}");
    }
}

/// What monitrc(5) says, looked at anew: each minute of the schedule counts once; what passed unseen counts as one minute, if it
/// is not too long ago; a clock that was set back is waited for, except by what goes by every minute or hour.
#[test]
fn every_due_minute_comes_once_on_machines_that_sleep_and_clocks_that_are_set() {
    const SCHEDULES: [&str; 6] =
        ["30 2 * * *", "0,20,40 1-4 * * *", "*/15 * * * *", "7 * * * *", "* 3 * * 0", "59 23 * * 6"];
    for seed in 0..600 {
        let mut dice = Dice::new(seed);
        let fields = SCHEDULES[dice.place(SCHEDULES.len())];
        let mut clock = Clock::new(fields);
        let waits = if fields.split(' ').take(2).any(|field| field.starts_with('*')) { 5 } else { REACH };
        let (mut minute, mut done) = (SUNDAY - 100, None);
        for _ in 0..1_500 {
            minute += match dice.below(200) {
                0 => dice.below(500) as i64,
                1 => -(dice.below(500) as i64),
                2 => -(dice.below(8) as i64),
                _ => i64::from(dice.once_in(2)),
            };
            let matches = |minute: i64| clock.schedule.matches(Minute::from_number(minute));
            let (expected, after) = match done {
                None => (matches(minute), minute),
                Some(done) if minute > done => ((done + 1..=minute).rev().take(REACH as usize).any(matches), minute),
                Some(done) if done - minute <= waits => (false, done),
                Some(_) => (matches(minute), minute),
            };
            done = Some(after);
            assert_eq!(clock.look(minute), expected, "seed {seed}, '{fields}', minute {}", minute - SUNDAY);
        }
    }
}
