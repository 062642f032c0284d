//! Network interfaces: `check network`.

use super::limit::{self, Show};
use super::{Findings, Verdict};
use crate::base::time::Mono;
use crate::config::{Attribute, Limit, Measure, Service, Test, Unit};
use crate::facts::network::{LinkFacts, LinkHistory, LinkRates, TrafficRate};

/// What is remembered of an interface.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    last: Option<(Mono, LinkFacts)>,
    /// What `changed link` compares with.
    pub capacity: Option<Capacity>,
    history: LinkHistory,
    /// What it did between the last two looks.
    pub rates: LinkRates,
}

/// What a link can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Its speed, as far as it tells.
    pub speed_bits_per_second: Option<u64>,
    /// Whether it sends and receives at the same time, as far as it tells.
    pub full_duplex: Option<bool>,
}

impl Capacity {
    fn of(link: &LinkFacts) -> Capacity {
        Capacity { speed_bits_per_second: link.speed_bits_per_second, full_duplex: link.full_duplex }
    }
}

impl Memory {
    /// What the last look showed.
    pub fn last(&self) -> Option<LinkFacts> {
        self.last.map(|(_, link)| link)
    }
}

/// What a look at an interface says of its rules.
pub fn judge(service: &Service, seen: &Result<LinkFacts, String>, memory: &mut Memory, now: Mono) -> Findings {
    let link = match seen {
        Ok(link) => link,
        Err(why) => {
            *memory = Memory::default();
            let text = format!("link data collection failed -- {why}");
            return Findings::of(service, false, |rule| {
                matches!(rule.test, Test::Link(_)).then(|| Verdict::failed(text.clone()))
            });
        }
    };
    let before = memory.last.replace((now, *link));
    let capacity = Capacity::of(link);
    let capacity_before = memory.capacity.replace(capacity);
    memory.rates = before.map(|(at, earlier)| LinkRates::between(&earlier, link, now.since(at))).unwrap_or_default();
    memory.history.add(now, link);
    let is_first = before.is_none();
    // An interface that does not tell counts as up, as in the original.
    let is_up = link.up.unwrap_or(true);
    let rates = memory.rates;
    let history = &memory.history;
    Findings::of(service, is_up, |rule| {
        Some(match &rule.test {
            // `link down` fails while it is down; also when errors were counted, which are a kind of damage to it.
            Test::Link(false) if !is_up => Verdict::failed("link down"),
            Test::Link(false) => errors(&rates).unwrap_or_else(|| Verdict::passed("link up")),
            Test::Link(true) => Verdict::of(is_up, if is_up { "link up" } else { "link down" }),
            // Of an interface that is down nothing more is said.
            _ if !is_up => return None,
            Test::Changed(Attribute::Link) => changed(capacity_before, capacity),
            Test::Measured { measure: Measure::Saturation, limit } => {
                saturation(limit, &rates, link).later_if(is_first)
            }
            Test::Measured { measure: Measure::Upload, limit } => {
                rate("upload", &rates.upload, limit).later_if(is_first)
            }
            Test::Measured { measure: Measure::Download, limit } => {
                rate("download", &rates.download, limit).later_if(is_first)
            }
            Test::Transferred { upload, limit, minutes } => {
                let totals = history.total(now, u64::from(*minutes));
                let word = if *upload { "upload" } else { "download" };
                let amount = totals.map(|totals| if *upload { totals.upload } else { totals.download });
                let value = amount.map(|amount| match limit.unit {
                    Unit::Packets => amount.packets as f64,
                    _ => amount.bytes as f64,
                });
                traffic("total ", word, value, limit, &span(*minutes)).later_if(is_first)
            }
            _ => return None,
        })
    })
}

/// Errors that were counted since the last look.
fn errors(rates: &LinkRates) -> Option<Verdict> {
    let counted = |rate: &TrafficRate| rate.new_errors.filter(|errors| *errors > 0);
    let (word, errors) = match (counted(&rates.upload), counted(&rates.download)) {
        (Some(errors), _) => ("upload", errors),
        (None, Some(errors)) => ("download", errors),
        (None, None) => return None,
    };
    Some(Verdict::failed(format!("{errors} {word} errors detected")))
}

fn changed(before: Option<Capacity>, link: Capacity) -> Verdict {
    let Some(before) = before else { return Verdict::Later };
    if before.speed_bits_per_second != link.speed_bits_per_second {
        let speed = link.speed_bits_per_second.map_or("-".to_owned(), |speed| (speed / 1_000_000).to_string());
        return Verdict::changed(format!("link speed changed to {speed} Mb/s"));
    }
    if before.full_duplex != link.full_duplex {
        let mode = match link.full_duplex {
            Some(true) => "full-duplex",
            Some(false) => "half-duplex",
            None => "unknown",
        };
        return Verdict::changed(format!("link mode is now {mode}"));
    }
    Verdict::unchanged("link capacity has not changed")
}

/// The more loaded direction decides.
fn saturation(limit: &Limit, rates: &LinkRates, link: &LinkFacts) -> Verdict {
    let upload = rates.upload_saturation_percent(link);
    let download = rates.download_saturation_percent(link);
    let (word, value) = match (upload, download) {
        (Some(up), Some(down)) if limit::exceeds(up, limit) || up >= down && !limit::exceeds(down, limit) => {
            ("upload ", upload)
        }
        (Some(_), None) => ("upload ", upload),
        _ => ("download ", download),
    };
    let word = if link.full_duplex == Some(false) { "" } else { word };
    let Some(value) = value else {
        let what = if link.speed_bits_per_second.is_none() { "speed of the link" } else { "reading of saturation" };
        return Verdict::Unknown(format!("the {what} is not known"));
    };
    let shown = limit::shown(value, Show::Percent);
    if limit::exceeds(value, limit) {
        let words = limit::limit_words(limit, Show::Percent);
        Verdict::failed(format!("link {word}saturation of {shown} matches limit [saturation {words}]"))
    } else {
        Verdict::passed(format!("link {word}saturation check succeeded [current {word}saturation {shown}]"))
    }
}

fn rate(word: &str, rate: &TrafficRate, limit: &Limit) -> Verdict {
    let value = if limit.unit == Unit::Packets { rate.packets_per_second } else { rate.bytes_per_second };
    traffic("", word, value, limit, "1 second")
}

fn traffic(total: &str, word: &str, value: Option<f64>, limit: &Limit, span: &str) -> Verdict {
    let (kind, name, show) = match limit.unit {
        Unit::Packets => (" packets", format!("{word} packets"), Show::Count),
        _ => ("", format!("{word} rate"), Show::Bytes),
    };
    let Some(value) = value else { return Verdict::Unknown(format!("the {name} is not known")) };
    let shown = limit::shown(value, show);
    if limit::exceeds(value, limit) {
        let words = limit::limit_words(limit, show);
        Verdict::failed(format!("{total}{word}{kind} {shown} matches limit [{name} {words} in last {span}]"))
    } else {
        Verdict::passed(format!("{total}{word}{kind} check succeeded [current {name} {shown} in last {span}]"))
    }
}

/// A span in the words of the original, which knows no plural.
fn span(minutes: u32) -> String {
    match minutes {
        60.. if minutes.is_multiple_of(60) => format!("{} hour", minutes / 60),
        _ => format!("{minutes} minute"),
    }
}
