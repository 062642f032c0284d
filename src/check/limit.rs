//! Measured values against limits, and the words for both.

use super::Verdict;
use crate::base::format;
use crate::config::{Limit, Operator, Unit};

/// How values are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// `5`
    Count,
    /// `0.5`
    Tenths,
    /// `3.2%`
    Percent,
    /// `1.5 kB`
    Bytes,
    /// `1.5 kB/s`
    BytesPerSecond,
    /// `2.0 operations/s`, and the limit as a whole number.
    OperationsPerSecond,
    /// `0.322 ms/operation`
    PerOperation,
}

/// The limit in bytes, milliseconds, percent or things.
pub fn bound(limit: &Limit) -> f64 {
    let scale = match limit.unit {
        Unit::Bytes(scale) | Unit::Milliseconds(scale) => scale as f64,
        Unit::One | Unit::Percent | Unit::Operations | Unit::Packets => 1.0,
    };
    limit.millionths as f64 / 1e6 * scale
}

/// Whether `value` (in bytes, milliseconds, percent or things) is what the limit says: then the rule has failed.
pub fn exceeds(value: f64, limit: &Limit) -> bool {
    let bound = bound(limit);
    match limit.operator {
        Operator::Less => value < bound,
        Operator::LessOrEqual => value <= bound,
        Operator::Greater => value > bound,
        Operator::GreaterOrEqual => value >= bound,
        Operator::Equal => value == bound,
        Operator::NotEqual => value != bound,
    }
}

/// The operator's sign.
pub fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Equal => "=",
        Operator::NotEqual => "!=",
    }
}

/// A value in words.
pub fn shown(value: f64, show: Show) -> String {
    match show {
        Show::Count => format!("{value:.0}"),
        Show::Tenths => format!("{value:.1}"),
        Show::Percent => format!("{value:.1}%"),
        Show::Bytes => format::size(value),
        Show::BytesPerSecond => format!("{}/s", format::size(value)),
        Show::OperationsPerSecond => format!("{value:.1} operations/s"),
        Show::PerOperation => format!("{}/operation", milliseconds(value)),
    }
}

/// The limit with its operator in words: `> 5.0%`.
pub fn limit_words(limit: &Limit, show: Show) -> String {
    let bound = bound(limit);
    let words = match show {
        Show::OperationsPerSecond => format!("{bound:.0} operations/s"),
        show => shown(bound, show),
    };
    format!("{} {words}", sign(limit.operator))
}

fn milliseconds(value: f64) -> String {
    format::duration(std::time::Duration::from_secs_f64((value / 1000.0).clamp(0.0, 1e9)))
}

/// The words for one measured value.
pub struct Words<'w> {
    /// What the failure's text begins with, up to the value: `mem usage of`.
    pub subject: &'w str,
    /// What stands in front of the operator: `mem usage`.
    pub name: &'w str,
    /// `matches resource limit` or `matches limit`.
    pub matches: &'w str,
    /// What a success begins with: `mem usage check succeeded`.
    pub success: &'w str,
    /// What a success shows: `current mem usage`.
    pub current: &'w str,
}

/// A resource whose value is known or not.
pub fn measured(value: Option<f64>, limit: &Limit, show: Show, words: &Words<'_>) -> Verdict {
    let Some(value) = value else { return Verdict::Unknown(format!("the reading of {} is not known", words.name)) };
    let text = shown(value, show);
    if exceeds(value, limit) {
        let limit = limit_words(limit, show);
        Verdict::failed(format!("{} {text} {} [{} {limit}]", words.subject, words.matches, words.name))
    } else {
        Verdict::passed(format!("{} [{} = {text}]", words.success, words.current))
    }
}

/// [`measured`] for the most common words: `NAME of V matches resource limit [NAME > L]` and
/// `NAME check succeeded [current NAME = V]`.
pub fn resource(value: Option<f64>, limit: &Limit, show: Show, name: &str) -> Verdict {
    measured(
        value,
        limit,
        show,
        &Words {
            subject: &format!("{name} of"),
            name,
            matches: "matches resource limit",
            success: &format!("{name} check succeeded"),
            current: &format!("current {name}"),
        },
    )
}

/// [`measured`] for `NAME V matches resource limit [NAME > L]` and `NAME test succeeded [current NAME = V]`.
pub fn amount(value: Option<f64>, limit: &Limit, show: Show, name: &str) -> Verdict {
    measured(
        value,
        limit,
        show,
        &Words {
            subject: name,
            name,
            matches: "matches resource limit",
            success: &format!("{name} test succeeded"),
            current: &format!("current {name}"),
        },
    )
}

/// A rate of reading or writing, in bytes or operations per second; `physical` is what reached a disk.
pub fn rate(value: Option<f64>, limit: &Limit, word: &str, physical: bool) -> Verdict {
    let (show, subject) = match (limit.unit, physical) {
        (Unit::Operations, _) => (Show::OperationsPerSecond, format!("{word} rate")),
        (_, true) => (Show::BytesPerSecond, format!("physical {word} activity")),
        (_, false) => (Show::BytesPerSecond, format!("{word} rate")),
    };
    measured(
        value,
        limit,
        show,
        &Words {
            subject: &subject,
            name: word,
            matches: "matches resource limit",
            success: &format!("{subject} test succeeded"),
            current: &format!("current {word}"),
        },
    )
}

/// Open descriptors, as a number or in percent of their limit.
pub fn descriptors(value: Option<f64>, limit: &Limit, total: bool) -> Verdict {
    let show = if limit.unit == Unit::Percent { Show::Percent } else { Show::Count };
    let success = match (total, show) {
        (true, _) => "total filedescriptors usage test succeeded",
        (false, Show::Percent) => "filedescriptors usage test succeeded",
        (false, _) => "filedescriptors test succeeded",
    };
    measured(
        value,
        limit,
        show,
        &Words {
            subject: if total { "total  filedescriptors usage of" } else { "filedescriptors usage of" },
            name: "filedescriptors",
            matches: "matches limit",
            success,
            current: "current filedescriptors usage",
        },
    )
}

/// The age of a process or a machine.
pub fn uptime(age: Option<std::time::Duration>, limit: &Limit, of: &str) -> Verdict {
    let Some(age) = age else { return Verdict::Unknown("the uptime is not known".to_owned()) };
    let seconds = age.as_secs();
    let unit = if limit.unit == Unit::One { 1.0 } else { 1000.0 };
    if exceeds(seconds as f64 * unit, limit) {
        Verdict::failed(format!("uptime test failed for {of} -- current uptime is {seconds} seconds"))
    } else {
        Verdict::passed(format!("uptime test succeeded [current uptime = {seconds} seconds]"))
    }
}

/// Whom something belongs to, against whom it shall.
pub fn owner(what: &str, is: Option<u32>, expected: u32, name: &str) -> Verdict {
    match is {
        None => Verdict::Unknown(format!("its {what} cannot be read")),
        Some(is) if is == expected => Verdict::passed(format!("{what} test succeeded [current {what} = {is}]")),
        Some(is) => Verdict::failed(format!("{what} test failed for {name} -- current {what} is {is}")),
    }
}

/// Permission bits, against those that shall be.
pub fn permission(is: u32, expected: u32, path: &str) -> Verdict {
    if is == expected {
        Verdict::passed(format!("permission test succeeded [current permission {is:04o}]"))
    } else {
        Verdict::failed(format!("permission test failed for {path} [current permission {is:04o}]"))
    }
}

/// Permission bits, against those of the last look.
pub fn permission_changed(is: u32, before: Option<u32>, path: &str) -> Verdict {
    match before {
        None => Verdict::Later,
        Some(before) if before == is => Verdict::unchanged(format!("permission not changed for {path}")),
        Some(before) => Verdict::changed(format!("permission for {path} changed from {before:04o} to {is:04o}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::event::EventState;

    fn limit(operator: Operator, value: f64, unit: Unit) -> Limit {
        Limit { operator, millionths: (value * 1e6) as u64, unit }
    }

    fn text(verdict: Verdict) -> (EventState, String) {
        match verdict {
            Verdict::Known(state, text) => (state, text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn operators() {
        use Operator::*;
        let passes = |operator| [4.0, 5.0, 6.0].map(|v| exceeds(v, &limit(operator, 5.0, Unit::One)));
        assert_eq!(passes(Less), [true, false, false]);
        assert_eq!(passes(LessOrEqual), [true, true, false]);
        assert_eq!(passes(Greater), [false, false, true]);
        assert_eq!(passes(GreaterOrEqual), [false, true, true]);
        assert_eq!(passes(Equal), [false, true, false]);
        assert_eq!(passes(NotEqual), [true, false, true]);
    }

    #[test]
    fn the_words_of_failures_and_successes() {
        use EventState::{Failed, Succeeded};
        let over = |value, unit| limit(Operator::Greater, value, unit);
        let rows = [
            (
                resource(Some(51.24), &over(50.0, Unit::Percent), Show::Percent, "cpu usage"),
                (Failed, "cpu usage of 51.2% matches resource limit [cpu usage > 50.0%]"),
            ),
            (
                resource(Some(2048.0), &over(3.0, Unit::Bytes(1024)), Show::Bytes, "mem amount"),
                (Succeeded, "mem amount check succeeded [current mem amount = 2 kB]"),
            ),
            (
                amount(Some(93.06), &over(1.0, Unit::Percent), Show::Percent, "space free"),
                (Failed, "space free 93.1% matches resource limit [space free > 1.0%]"),
            ),
            (
                rate(Some(1.96), &over(1.0, Unit::Operations), "write", true),
                (Failed, "write rate 2.0 operations/s matches resource limit [write > 1 operations/s]"),
            ),
            (
                rate(Some(0.0), &over(1.0, Unit::Bytes(1024)), "read", true),
                (Succeeded, "physical read activity test succeeded [current read = 0 B/s]"),
            ),
            (
                descriptors(Some(5.0), &over(1.0, Unit::One), true),
                (Failed, "total  filedescriptors usage of 5 matches limit [filedescriptors > 1]"),
            ),
            (permission(0o644, 0o600, "/f"), (Failed, "permission test failed for /f [current permission 0644]")),
        ];
        for (verdict, (state, words)) in rows {
            assert_eq!(text(verdict), (state, words.to_owned()));
        }
        let unknown = resource(None, &over(1.0, Unit::One), Show::Count, "threads");
        assert_eq!(unknown, Verdict::Unknown("the reading of threads is not known".to_owned()));
    }
}
