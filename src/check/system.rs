//! The machine: `check system`.

use super::limit::{self, Show, resource};
use super::{Findings, Verdict};
use crate::config::{CpuKind, Limit, Measure, Service, Test, Unit};
use crate::facts::observation::Observation;
use crate::facts::system::{CpuCounters, CpuShare, SystemFacts};

/// What is remembered of the machine.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    counters: Option<CpuCounters>,
    /// How the processors spent their time between the last two looks.
    pub share: CpuShare,
}

impl Memory {
    /// The shares of the last look; before there were two, those between the only one and `now`, or since boot.
    pub fn share_with(&self, now: &CpuCounters) -> CpuShare {
        if self.share != CpuShare::default() {
            return self.share;
        }
        let zero = Some(0);
        let boot = CpuCounters {
            user: zero,
            nice: zero,
            system: zero,
            idle: zero,
            iowait: zero,
            hardirq: zero,
            softirq: zero,
            steal: zero,
            guest: zero,
            guestnice: zero,
        };
        CpuShare::between(&self.counters.unwrap_or(boot), now)
    }

    /// Brings the shares of processor time up to date; true when this was the first sample.
    pub fn sample(&mut self, counters: &CpuCounters) -> bool {
        let before = self.counters.replace(*counters);
        self.share = before.map(|before| CpuShare::between(&before, counters)).unwrap_or_default();
        before.is_none()
    }
}

/// What a look at the machine says of its rules.
pub fn judge(service: &Service, seen: &SystemFacts, memory: &mut Memory) -> Findings {
    let is_first = memory.sample(&seen.cpu);
    Findings::of(service, true, |rule| match &rule.test {
        Test::Measured { measure, limit } => {
            let is_share = matches!(measure, Measure::Cpu(_));
            Some(measured(*measure, limit, seen, &memory.share, &service.name)?.later_if(is_first && is_share))
        }
        _ => None,
    })
}

fn measured(measure: Measure, limit: &Limit, seen: &SystemFacts, share: &CpuShare, name: &str) -> Option<Verdict> {
    let bytes = |value: Option<u64>| value.map(|value| value as f64);
    let is_percent = limit.unit == Unit::Percent;
    Some(match measure {
        Measure::Load { minutes, per_core } => {
            let loads = if per_core { seen.load_per_core() } else { seen.load };
            let value = loads.map(|[one, five, fifteen]| match minutes {
                1 => one,
                5 => five,
                _ => fifteen,
            });
            let core = if per_core { "per core " } else { "" };
            resource(value, limit, Show::Tenths, &format!("loadavg {core}({minutes}min)"))
        }
        Measure::Cpu(kind) => {
            let (value, name) = cpu(kind, share);
            resource(value, limit, Show::Percent, name)
        }
        Measure::Memory if is_percent => resource(seen.memory_percent(), limit, Show::Percent, "mem usage"),
        Measure::Memory => resource(bytes(seen.memory_used_bytes), limit, Show::Bytes, "mem amount"),
        Measure::Swap if is_percent => resource(seen.swap_percent(), limit, Show::Percent, "swap usage"),
        Measure::Swap => resource(bytes(seen.swap_used_bytes), limit, Show::Bytes, "swap amount"),
        Measure::FileDescriptors => {
            let value = if is_percent { seen.descriptors_percent() } else { bytes(seen.descriptors_open) };
            limit::descriptors(value, limit, false)
        }
        Measure::Uptime => limit::uptime(seen.uptime, limit, name),
        _ => return None,
    })
}

fn cpu(kind: Option<CpuKind>, share: &CpuShare) -> (Option<f64>, &'static str) {
    match kind {
        None => (share.usage(), "cpu usage"),
        Some(CpuKind::User) => (share.user, "cpu user usage"),
        Some(CpuKind::System) => (share.system, "cpu system usage"),
        Some(CpuKind::Wait) => (share.iowait, "cpu I/O wait"),
        Some(CpuKind::Nice) => (share.nice, "cpu nice usage"),
        Some(CpuKind::HardIrq) => (share.hardirq, "cpu hardware IRQ usage"),
        Some(CpuKind::SoftIrq) => (share.softirq, "cpu software IRQ usage"),
        Some(CpuKind::Steal) => (share.steal, "cpu steal usage"),
        Some(CpuKind::Guest) => (share.guest, "cpu guest usage"),
        Some(CpuKind::GuestNice) => (share.guestnice, "cpu guest nice usage"),
    }
}

impl From<SystemFacts> for Observation {
    fn from(facts: SystemFacts) -> Observation {
        Observation::System(Box::new(facts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::first;

    fn facts(user: u64, idle: u64) -> SystemFacts {
        SystemFacts {
            load: Some([3.0, 2.0, 1.0]),
            cpus: Some(2),
            cpu: CpuCounters { user: Some(user), system: Some(0), idle: Some(idle), ..CpuCounters::default() },
            memory_total_bytes: Some(4096),
            memory_used_bytes: Some(1024),
            ..SystemFacts::default()
        }
    }

    #[test]
    fn every_rule_has_its_words() {
        let service = first(
            "check system x if loadavg (5min) per core >= 1 then alert if cpu > 10% then alert if cpu (wait) > 1% then alert \
             if memory > 1 kB then alert if memory > 20% then alert if swap > 5% then alert",
        );
        let mut memory = Memory::default();
        let verdicts = |seen: &SystemFacts, memory: &mut Memory| {
            judge(&service, seen, memory).rules.into_iter().map(|(_, verdict)| verdict).collect::<Vec<_>>()
        };
        let unknown = |name: &str| Verdict::Unknown(format!("the reading of {name} is not known"));
        let first = verdicts(&facts(0, 0), &mut memory);
        let rest = [
            Verdict::passed("mem amount check succeeded [current mem amount = 1 kB]"),
            Verdict::failed("mem usage of 25.0% matches resource limit [mem usage > 20.0%]"),
            unknown("swap usage"),
        ];
        let load =
            Verdict::failed("loadavg per core (5min) of 1.0 matches resource limit [loadavg per core (5min) >= 1.0]");
        assert_eq!(first[0], load);
        assert_eq!(first[1..3], [Verdict::Later, Verdict::Later]);
        assert_eq!(first[3..], rest);
        let second = verdicts(&facts(50, 50), &mut memory);
        assert_eq!(second[1], Verdict::failed("cpu usage of 50.0% matches resource limit [cpu usage > 10.0%]"));
        assert_eq!(second[2], unknown("cpu I/O wait"));
    }
}
