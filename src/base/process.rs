//! What a process *is*: a number is reused, a number together with its start time is not.

use std::fmt;
use std::time::Duration;

/// A process number; always positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(i32);

impl Pid {
    /// `None` for zero and negative numbers, which name groups to kill(2), never a process.
    pub const fn new(number: i32) -> Option<Pid> {
        if number > 0 { Some(Pid(number)) } else { None }
    }

    /// The number for a system call.
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// When a process started, as time since boot: Linux proc(5) `stat` field 22; FreeBSD `ki_start` minus `kern.boottime`
/// (a step of the wall clock moves both).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StartTime(Duration);

impl StartTime {
    /// A start `since_boot` after the machine's boot.
    pub const fn from_boot(since_boot: Duration) -> StartTime {
        StartTime(since_boot)
    }

    /// Time between boot and the start.
    pub const fn since_boot(self) -> Duration {
        self.0
    }
}

/// How far two readings of the same start time may differ. Linux reports clock ticks and is exact; on FreeBSD both terms
/// of the difference are rounded by the kernel while ntpd slews, so readings agree within a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance(pub Duration);

/// One process for as long as it lives: its number and its start time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The process number.
    pub pid: Pid,
    /// The start time that tells it from a later holder of the number.
    pub start: StartTime,
}

impl Identity {
    /// Whether both name the same process, allowing start times to differ by `tolerance`.
    pub fn is_same(self, other: Identity, tolerance: Tolerance) -> bool {
        let (a, b) = (self.start.since_boot(), other.start.since_boot());
        self.pid == other.pid && a.abs_diff(b) <= tolerance.0
    }
}

/// Tells one boot of the machine from the next: Linux `/proc/sys/kernel/random/boot_id`, FreeBSD `kern.boot_id`.
///
/// Where FreeBSD has no such identifier, it is `boottime-` and the second of `kern.boottime`, which moves a little when the
/// clock is corrected.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BootId(pub String);

/// No machine boots twice within so many seconds, and no clock is corrected by more without somebody setting it.
const BOOT_TOLERANCE: u64 = 30;

impl BootId {
    /// Whether both name the same boot. One without a name is like no other.
    pub fn is_same(&self, other: &BootId) -> bool {
        let second = |id: &BootId| id.0.strip_prefix("boottime-")?.parse::<u64>().ok();
        match (second(self), second(other)) {
            (Some(one), Some(other)) => one.abs_diff(other) <= BOOT_TOLERANCE,
            _ => self == other && !self.0.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(pid: i32, millis: u64) -> Identity {
        Identity { pid: Pid::new(pid).unwrap(), start: StartTime::from_boot(Duration::from_millis(millis)) }
    }

    #[test]
    fn numbers_that_name_groups_are_no_processes() {
        assert_eq!(Pid::new(0), None);
        assert_eq!(Pid::new(-1), None);
        assert_eq!(Pid::new(7).map(Pid::get), Some(7));
    }

    #[test]
    fn a_boot_is_told_from_others() {
        let same = |one: &str, other: &str| BootId(one.to_owned()).is_same(&BootId(other.to_owned()));
        assert!(same("0b9f-11", "0b9f-11") && !same("0b9f-11", "0b9f-12") && !same("", ""));
        assert!(same("boottime-1000", "boottime-1030") && same("boottime-1000", "boottime-999"));
        assert!(!same("boottime-1000", "boottime-1031") && !same("boottime-1000", "0b9f-11"));
    }

    #[test]
    fn a_reused_number_is_another_process() {
        let exact = Tolerance(Duration::ZERO);
        let second = Tolerance(Duration::from_secs(1));
        assert!(identity(7, 500).is_same(identity(7, 500), exact));
        assert!(!identity(7, 500).is_same(identity(7, 510), exact));
        assert!(identity(7, 500).is_same(identity(7, 1500), second));
        assert!(!identity(7, 500).is_same(identity(7, 1501), second));
        assert!(!identity(7, 500).is_same(identity(8, 500), second));
    }
}
