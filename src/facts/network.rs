//! What a network link is and does.

use std::collections::VecDeque;
use std::time::Duration;

use super::rate;
use crate::base::time::Mono;

/// One direction of a link since the system counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the words say it
pub struct Traffic {
    pub bytes: Option<u64>,
    pub packets: Option<u64>,
    pub errors: Option<u64>,
}

/// What the system says about one network interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkFacts {
    /// Whether the link is up; `None` where the interface knows no such state, which counts as up.
    pub up: Option<bool>,
    /// Bits per second.
    pub speed_bits_per_second: Option<u64>,
    /// Whether it sends and receives at the same time.
    pub full_duplex: Option<bool>,
    /// What came in.
    pub download: Traffic,
    /// What went out.
    pub upload: Traffic,
}

/// What one direction of a link did between two samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrafficRate {
    /// Bytes per second.
    pub bytes_per_second: Option<f64>,
    /// Packets per second.
    pub packets_per_second: Option<f64>,
    /// Errors that were counted between the samples, not per second.
    pub new_errors: Option<u64>,
}

/// What a link did between two samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(missing_docs)] // the words say it
pub struct LinkRates {
    pub download: TrafficRate,
    pub upload: TrafficRate,
}

impl LinkRates {
    /// What happened between two samples that lie `passed` apart. A counter that shrank (a new interface of the same name, 32
    /// bits that wrapped) is unknown for that step.
    pub fn between(earlier: &LinkFacts, later: &LinkFacts, passed: Duration) -> LinkRates {
        let direction = |earlier: &Traffic, later: &Traffic| TrafficRate {
            bytes_per_second: rate::per_second(rate::growth(earlier.bytes, later.bytes), passed),
            packets_per_second: rate::per_second(rate::growth(earlier.packets, later.packets), passed),
            new_errors: rate::growth(earlier.errors, later.errors),
        };
        LinkRates {
            download: direction(&earlier.download, &later.download),
            upload: direction(&earlier.upload, &later.upload),
        }
    }

    /// Percent of the link's speed that incoming data took; on a half-duplex link the data of both directions.
    pub fn download_saturation_percent(&self, link: &LinkFacts) -> Option<f64> {
        self.saturation(link, self.download)
    }

    /// Percent of the link's speed that outgoing data took; on a half-duplex link the data of both directions.
    pub fn upload_saturation_percent(&self, link: &LinkFacts) -> Option<f64> {
        self.saturation(link, self.upload)
    }

    fn saturation(&self, link: &LinkFacts, direction: TrafficRate) -> Option<f64> {
        let speed = link.speed_bits_per_second.filter(|speed| *speed > 0)?;
        let bytes = match link.full_duplex {
            Some(false) => self.download.bytes_per_second? + self.upload.bytes_per_second?,
            _ => direction.bytes_per_second?,
        };
        Some(bytes * 8.0 * 100.0 / speed as f64)
    }
}

/// Bytes and packets of one direction within some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the words say it
pub struct Amount {
    pub bytes: u64,
    pub packets: u64,
}

/// Bytes and packets of both directions within some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the words say it
pub struct LinkTotals {
    pub download: Amount,
    pub upload: Amount,
}

/// What a link did minute by minute in the last 24 hours.
#[derive(Clone, Debug, Default)]
pub struct LinkHistory {
    last: Option<LinkFacts>,
    /// Minutes of the monotonic clock in which something was sampled, oldest first; at most a day of them.
    minutes: VecDeque<(u64, LinkTotals)>,
}

/// Minutes that are kept: a day, and the one that has begun.
const MINUTES: u64 = 24 * 60 + 1;

impl LinkHistory {
    /// Adds a sample; what a link did since the one before belongs to the minute of `now`. The first sample only begins the
    /// history, and a step in which a counter shrank adds nothing. A sample without bytes or packets is none.
    pub fn add(&mut self, now: Mono, link: &LinkFacts) {
        let told = |traffic: &Traffic| traffic.bytes.is_some() && traffic.packets.is_some();
        if !told(&link.download) || !told(&link.upload) {
            return;
        }
        let minute = now.since_origin().as_secs() / 60;
        if let Some(last) = self.last.replace(*link) {
            let grown = |earlier: &Traffic, later: &Traffic| Amount {
                bytes: rate::growth(earlier.bytes, later.bytes).unwrap_or_default(),
                packets: rate::growth(earlier.packets, later.packets).unwrap_or_default(),
            };
            let step = LinkTotals {
                download: grown(&last.download, &link.download),
                upload: grown(&last.upload, &link.upload),
            };
            match self.minutes.back_mut() {
                Some((latest, totals)) if *latest >= minute => *totals = totals.plus(step, 1.0),
                _ => self.minutes.push_back((minute, step)),
            }
        }
        while self.minutes.front().is_some_and(|(oldest, _)| oldest.saturating_add(MINUTES) <= minute) {
            self.minutes.pop_front();
        }
    }

    /// What was sent and received in the last `minutes` (at most 1,440) before `now`, as far back as the history goes; of
    /// the minute in which that time begins, the share that lies within. `None` before there were two samples.
    pub fn total(&self, now: Mono, minutes: u64) -> Option<LinkTotals> {
        if self.minutes.is_empty() {
            return None;
        }
        let now_seconds = now.since_origin().as_secs();
        let begin = now_seconds.saturating_sub(minutes.saturating_mul(60));
        let within = |minute: u64| {
            let outside = begin.saturating_sub(minute.saturating_mul(60)).min(60);
            (60 - outside) as f64 / 60.0
        };
        Some(
            self.minutes.iter().fold(LinkTotals::default(), |sum, (minute, totals)| sum.plus(*totals, within(*minute))),
        )
    }
}

impl LinkTotals {
    fn plus(self, other: LinkTotals, share: f64) -> LinkTotals {
        let part = |value: u64| if share >= 1.0 { value } else { (value as f64 * share) as u64 };
        let sum = |a: Amount, b: Amount| Amount {
            bytes: a.bytes.saturating_add(part(b.bytes)),
            packets: a.packets.saturating_add(part(b.packets)),
        };
        LinkTotals { download: sum(self.download, other.download), upload: sum(self.upload, other.upload) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono::from_origin(Duration::from_secs(seconds))
    }

    fn link(received: u64, sent: u64) -> LinkFacts {
        let traffic = |bytes: u64| Traffic { bytes: Some(bytes), packets: Some(bytes / 100), errors: Some(0) };
        LinkFacts { download: traffic(received), upload: traffic(sent), ..LinkFacts::default() }
    }

    #[test]
    fn rates_errors_and_saturation_come_from_two_samples() {
        let mut before = link(1000, 100);
        before.speed_bits_per_second = Some(80_000);
        before.full_duplex = Some(true);
        let mut after = LinkFacts { download: link(5000, 0).download, ..before };
        after.upload.bytes = Some(1100);
        after.upload.errors = Some(3);
        let rates = LinkRates::between(&before, &after, Duration::from_secs(2));
        assert_eq!(rates.download.bytes_per_second, Some(2000.0));
        assert_eq!(rates.download.packets_per_second, Some(20.0));
        assert_eq!((rates.download.new_errors, rates.upload.new_errors), (Some(0), Some(3)));
        assert_eq!(rates.download_saturation_percent(&after), Some(20.0));
        assert_eq!(rates.upload_saturation_percent(&after), Some(5.0));
        after.full_duplex = Some(false);
        assert_eq!(rates.upload_saturation_percent(&after), Some(25.0));
        after.speed_bits_per_second = None;
        assert_eq!(rates.upload_saturation_percent(&after), None);
    }

    #[test]
    fn a_counter_that_shrank_is_unknown_for_that_step_and_adds_nothing() {
        let rates = LinkRates::between(&link(1000, 100), &link(10, 200), Duration::from_secs(1));
        assert_eq!((rates.download.bytes_per_second, rates.upload.bytes_per_second), (None, Some(100.0)));
        let mut history = LinkHistory::default();
        for (second, received) in [(0, 1000), (1, 10), (2, 15)] {
            history.add(at(second), &link(received, 0));
        }
        assert_eq!(history.total(at(2), 1).unwrap().download.bytes, 5);
    }

    #[test]
    fn totals_slide_and_the_oldest_minute_counts_in_part() {
        let mut history = LinkHistory::default();
        history.add(at(0), &link(0, 0));
        assert_eq!(history.total(at(0), 1), None);
        history.add(at(30), &link(600, 60));
        history.add(at(90), &link(1000, 60));
        assert_eq!(history.total(at(90), 60).unwrap().download, Amount { bytes: 1000, packets: 10 });
        // Half of the first minute lies within the last one before second 90.
        assert_eq!(history.total(at(90), 1).unwrap().download, Amount { bytes: 700, packets: 7 });
        assert_eq!(history.total(at(180), 1).unwrap().download.bytes, 0);
    }

    #[test]
    fn a_day_is_kept_and_no_more() {
        let mut history = LinkHistory::default();
        for minute in 0..4000_u64 {
            history.add(at(minute * 60), &link(minute * 10, 0));
        }
        let now = at(3999 * 60);
        assert_eq!(history.minutes.len() as u64, MINUTES);
        assert_eq!(history.total(now, 1440).unwrap().download.bytes, 14_410);
        history.add(at(9999 * 60), &link(40_000, 0));
        assert_eq!(history.minutes.len(), 1);
    }
}
