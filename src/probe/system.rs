//! The machine as a whole.

use crate::facts::system::SystemFacts;
use crate::sys::platform::{machine, system};
use crate::sys::posix::cpus;

/// All that the system tells about the machine; what it does not tell is unknown.
pub fn observe() -> SystemFacts {
    let memory = system::memory().ok();
    let swap = system::swap().ok();
    let descriptors = system::descriptors().ok();
    SystemFacts {
        load: machine::load().ok(),
        cpu: system::cpu().unwrap_or_default(),
        cpus: cpus::cpus(),
        memory_total_bytes: memory.map(|memory| memory.total),
        memory_used_bytes: memory.map(|memory| memory.used),
        swap_total_bytes: swap.map(|swap| swap.total),
        swap_used_bytes: swap.map(|swap| swap.used),
        descriptors_open: descriptors.map(|files| files.used),
        descriptors_max: descriptors.map(|files| files.total),
        uptime: machine::uptime().ok(),
        boot_time: system::boot_time().ok(),
    }
}
