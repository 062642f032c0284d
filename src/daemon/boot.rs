//! The first minutes after a boot of the machine: rc(8) and the daemon must not start the same services twice.

use std::time::Duration;

use super::Daemon;
use crate::base::time::Mono;
use crate::sys::platform::machine;
use crate::sys::posix::clock;

/// When the daemon before this one ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastRun {
    /// Since the machine booted.
    ThisBoot,
    /// Before that.
    EarlierBoot,
    /// No state file tells.
    Unknown,
}

/// What has to wait for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    Nothing,
    /// The first cycle.
    Cycle(Duration),
    /// Starts and restarts by rules; looks are taken at once.
    Starts(Duration),
}

/// How long after its boot a machine is still starting its services.
const YOUNG: Duration = Duration::from_secs(300);

/// `delay` is `start delay`, `up` how long ago the machine was booted.
fn patience(last: LastRun, delay: Option<Duration>, up: Option<Duration>, interval: Duration) -> Patience {
    let left = up.and_then(|up| YOUNG.checked_sub(up)).filter(|left| !left.is_zero());
    match (last, delay) {
        (LastRun::ThisBoot, _) => Patience::Nothing,
        (_, Some(delay)) if delay.is_zero() => Patience::Nothing,
        (LastRun::EarlierBoot, Some(delay)) => Patience::Cycle(delay),
        (LastRun::Unknown, Some(delay)) => left.map_or(Patience::Nothing, |_| Patience::Cycle(delay)),
        (_, None) => left.map_or(Patience::Nothing, |left| Patience::Starts(interval.min(left))),
    }
}

impl Daemon {
    /// Sets the time of the first cycle, and from when on rules may start services.
    pub(super) fn schedule_first(&mut self, last: LastRun) {
        let now = clock::monotonic();
        self.next_cycle = now;
        let up = machine::uptime().ok();
        match patience(last, self.engine.config().settings.start_delay, up, self.interval) {
            Patience::Nothing => {}
            Patience::Cycle(delay) => {
                let text =
                    format!("{} will delay for {}s on first start after reboot ...", self.name(), delay.as_secs());
                self.log.info(&text);
                self.not_before = now.plus(delay);
                self.next_cycle = self.not_before;
            }
            Patience::Starts(delay) => {
                let up = up.unwrap_or_default().as_secs();
                let delay_secs = delay.as_secs();
                self.log.info(&format!(
                    "the machine was booted {up}s ago: rules start no service in the next {delay_secs}s ('start delay' changes that)"
                ));
                self.engine.hold_starts(true);
                self.starts_from = Some(now.plus(delay));
            }
        }
    }

    /// When the time for it has come, lets rules start services, with a cycle in which they do.
    pub(super) fn end_patience(&mut self, now: Mono) {
        if self.starts_from.take_if(|from| now >= *from).is_some() {
            self.engine.hold_starts(false);
            self.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_daemon_after_a_boot_waits() {
        use LastRun::*;
        let secs = Duration::from_secs;
        let of = |last, delay: Option<u64>, up: Option<u64>| patience(last, delay.map(secs), up.map(secs), secs(30));
        for (delay, up) in [(None, Some(20)), (Some(60), Some(20)), (Some(0), None)] {
            assert_eq!(of(ThisBoot, delay, up), Patience::Nothing);
        }
        for last in [EarlierBoot, Unknown] {
            assert_eq!(of(last, None, Some(20)), Patience::Starts(secs(30)), "one interval");
            assert_eq!(of(last, None, Some(280)), Patience::Starts(secs(20)), "not beyond five minutes");
            assert_eq!(of(last, None, Some(300)), Patience::Nothing);
            assert_eq!(of(last, None, None), Patience::Nothing, "unknown is not young");
            assert_eq!(of(last, Some(0), Some(20)), Patience::Nothing, "it was asked for");
            assert_eq!(of(last, Some(60), Some(20)), Patience::Cycle(secs(60)));
        }
        assert_eq!(of(EarlierBoot, Some(60), Some(9000)), Patience::Cycle(secs(60)), "as the original");
        assert_eq!(of(Unknown, Some(60), Some(9000)), Patience::Nothing);
    }
}
