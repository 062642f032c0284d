//! The machine as a whole.

use std::time::Duration;

use super::rate;
use crate::base::time::Wall;

/// What the system service shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct System {
    /// Load averages of 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// Time since boot.
    pub uptime: Option<Duration>,
}

/// What `uname(2)` and the kernel tell about the platform; does not change while the machine is up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// Such as `FreeBSD`.
    pub system: String,
    /// Such as `15.0-RELEASE`.
    pub release: String,
    /// What the kernel was built from and when, in its own words.
    pub version: String,
    /// Such as `amd64`.
    pub machine: String,
    /// The host's name.
    pub host: String,
}

/// So much of so much: bytes of memory or swap space, open files of those that the system will open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the words say it
pub struct Share {
    pub used: u64,
    pub total: u64,
}

/// What the machine as a whole does. Readings nobody asked for stay unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SystemFacts {
    /// Load averages of 1, 5 and 15 minutes.
    pub load: Option<[f64; 3]>,
    /// What the processors did since boot.
    pub cpu: CpuCounters,
    /// Processors in use.
    pub cpus: Option<u32>,
    /// Physical memory in bytes.
    pub memory_total_bytes: Option<u64>,
    /// Memory in use, caches that the kernel gives back not among it.
    pub memory_used_bytes: Option<u64>,
    /// Swap space in bytes; 0 where there is none.
    pub swap_total_bytes: Option<u64>,
    /// Swap space in use.
    pub swap_used_bytes: Option<u64>,
    /// Open files of the whole system.
    pub descriptors_open: Option<u64>,
    /// Most files the system will open.
    pub descriptors_max: Option<u64>,
    /// Time since boot.
    pub uptime: Option<Duration>,
    /// When the machine was started, by the wall clock as it goes now.
    pub boot_time: Option<Wall>,
}

impl SystemFacts {
    /// The load averages divided by the number of processors.
    pub fn load_per_core(&self) -> Option<[f64; 3]> {
        let cpus = self.cpus.filter(|cpus| *cpus > 0)?;
        self.load.map(|load| load.map(|average| average / f64::from(cpus)))
    }

    /// Memory in use in percent of all.
    pub fn memory_percent(&self) -> Option<f64> {
        rate::percent(self.memory_used_bytes, self.memory_total_bytes)
    }

    /// Swap space in use in percent of all; 0 where there is none.
    pub fn swap_percent(&self) -> Option<f64> {
        match self.swap_total_bytes? {
            0 => Some(0.0),
            total => rate::percent(self.swap_used_bytes, Some(total)),
        }
    }

    /// Open files in percent of the most.
    pub fn descriptors_percent(&self) -> Option<f64> {
        rate::percent(self.descriptors_open, self.descriptors_max)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident,)*) => {
        /// Ticks that all processors together spent in each state since boot; `None` for states the system does not count.
        /// The length of a tick does not matter.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct CpuCounters {
            $($(#[$doc])* pub $kind: Option<u64>,)*
        }

        /// Percent of all processors' time that was spent in each state between two samples.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct CpuShare {
            $($(#[$doc])* pub $kind: Option<f64>,)*
        }

        impl CpuShare {
            /// What happened between two samples; all unknown when no tick passed. A state whose counter shrank (Linux's
            /// `iowait` may, proc(5)) is unknown for that step.
            pub fn between(earlier: &CpuCounters, later: &CpuCounters) -> CpuShare {
                let grown = CpuCounters { $($kind: rate::growth(earlier.$kind, later.$kind),)* };
                let all = Some(grown.all());
                CpuShare { $($kind: rate::percent(grown.$kind, all),)* }
            }
        }
    };
}

kinds! {
    /// Programs, virtual machines among them.
    user,
    /// Programs with a lowered priority.
    nice,
    /// The kernel.
    system,
    /// Nothing to do.
    idle,
    /// Nothing to do but wait for a disk.
    iowait,
    /// Interrupts.
    hardirq,
    /// Soft interrupts.
    softirq,
    /// Wanted to run while the hypervisor ran others.
    steal,
    /// Virtual machines; a part of `user`.
    guest,
    /// Virtual machines with a lowered priority; a part of `nice`.
    guestnice,
}

impl CpuCounters {
    /// All ticks, those of `guest` and `guestnice` once.
    fn all(&self) -> u64 {
        [self.user, self.nice, self.system, self.idle, self.iowait, self.hardirq, self.softirq, self.steal]
            .into_iter()
            .flatten()
            .fold(0, u64::saturating_add)
    }
}

impl CpuShare {
    /// What a rule on plain `cpu` means: `user` and `system` alone.
    pub fn usage(&self) -> Option<f64> {
        Some(self.user? + self.system?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(user: u64, system: u64, idle: u64, iowait: u64) -> CpuCounters {
        CpuCounters {
            user: Some(user),
            nice: Some(0),
            system: Some(system),
            idle: Some(idle),
            iowait: Some(iowait),
            guest: Some(user / 2),
            ..CpuCounters::default()
        }
    }

    #[test]
    fn shares_are_of_all_ticks_and_guests_count_once() {
        let share = CpuShare::between(&counters(100, 50, 800, 50), &counters(120, 60, 860, 60));
        assert_eq!((share.user, share.system, share.idle), (Some(20.0), Some(10.0), Some(60.0)));
        assert_eq!((share.guest, share.nice, share.steal), (Some(10.0), Some(0.0), None));
        assert_eq!(share.usage(), Some(30.0));
    }

    #[test]
    fn the_first_sample_and_a_standstill_give_nothing() {
        let now = counters(1, 2, 3, 4);
        assert_eq!(CpuShare::between(&CpuCounters::default(), &now), CpuShare::default());
        assert_eq!(CpuShare::between(&now, &now), CpuShare::default());
        assert_eq!(CpuShare::default().usage(), None);
    }

    #[test]
    fn a_counter_that_shrank_is_unknown_and_leaves_the_others() {
        let share = CpuShare::between(&counters(100, 50, 800, 50), &counters(150, 50, 850, 40));
        assert_eq!((share.iowait, share.user), (None, Some(50.0)));
    }

    #[test]
    fn percentages_need_both_values() {
        let facts = SystemFacts {
            load: Some([4.0, 2.0, 1.0]),
            cpus: Some(4),
            memory_total_bytes: Some(1000),
            memory_used_bytes: Some(250),
            swap_total_bytes: Some(0),
            descriptors_open: Some(5),
            ..SystemFacts::default()
        };
        assert_eq!(facts.load_per_core(), Some([1.0, 0.5, 0.25]));
        assert_eq!((facts.memory_percent(), facts.swap_percent()), (Some(25.0), Some(0.0)));
        assert_eq!(facts.descriptors_percent(), None);
        assert_eq!(SystemFacts::default().swap_percent(), None);
    }
}
