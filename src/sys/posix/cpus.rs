//! How many processors there are.

use crate::sys::count;

/// Processors that are in use (`_SC_NPROCESSORS_ONLN` of sysconf(3)); `None` when the system does not tell.
pub fn cpus() -> Option<u32> {
    count::bump();
    // SAFETY: sysconf takes no pointers.
    let number = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    u32::try_from(number).ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_machine_has_processors() {
        assert!(super::cpus().unwrap() >= 1);
    }
}
