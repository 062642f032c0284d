//! The bytes of kevent(2), `struct kevent` of FreeBSD 12 and later on machines with 64-bit addresses.

use crate::base::process::Pid;

/// Bytes of one event.
pub const RECORD_SIZE: usize = 64;

/// Where its fields are.
mod offset {
    pub const IDENT: usize = 0;
    pub const FILTER: usize = 8;
    pub const FLAGS: usize = 10;
    pub const FFLAGS: usize = 12;
}

/// The filter of process events (<sys/event.h>).
const EVFILT_PROC: i16 = -5;
/// The flag of an event that reports an error (<sys/event.h>).
const EV_ERROR: u16 = 0x4000;
/// What happened to the process: it ended (<sys/event.h>).
const NOTE_EXIT: u32 = 0x8000_0000;

/// The compiler's view of the system's structure must be ours.
#[cfg(target_os = "freebsd")]
const _: () = {
    use std::mem::{offset_of, size_of};
    assert!(size_of::<libc::kevent>() == RECORD_SIZE);
    assert!(offset_of!(libc::kevent, ident) == offset::IDENT);
    assert!(offset_of!(libc::kevent, filter) == offset::FILTER);
    assert!(offset_of!(libc::kevent, flags) == offset::FLAGS);
    assert!(offset_of!(libc::kevent, fflags) == offset::FFLAGS);
    assert!(libc::EVFILT_PROC == EVFILT_PROC && libc::EV_ERROR == EV_ERROR && libc::NOTE_EXIT == NOTE_EXIT);
};

/// The processes that have ended according to these events; what is no whole event, or another one, is passed over.
pub fn ended(bytes: &[u8]) -> Vec<Pid> {
    bytes.chunks_exact(RECORD_SIZE).filter_map(event).collect()
}

fn event(bytes: &[u8]) -> Option<Pid> {
    let ident = u64::from_ne_bytes(field(bytes, offset::IDENT)?);
    let filter = i16::from_ne_bytes(field(bytes, offset::FILTER)?);
    let flags = u16::from_ne_bytes(field(bytes, offset::FLAGS)?);
    let what = u32::from_ne_bytes(field(bytes, offset::FFLAGS)?);
    let is_exit = filter == EVFILT_PROC && flags & EV_ERROR == 0 && what & NOTE_EXIT != 0;
    if is_exit { i32::try_from(ident).ok().and_then(Pid::new) } else { None }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event as the header lays it out: EV_EOF | EV_ONESHOT | EV_CLEAR, and the exit status in `data`.
    fn raw(pid: u64, filter: i16, flags: u16, what: u32) -> Vec<u8> {
        let mut bytes = pid.to_ne_bytes().to_vec();
        bytes.extend(filter.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(what.to_ne_bytes());
        bytes.extend(9i64.to_ne_bytes());
        bytes.extend([0xa5; 40]); // udata, ext
        bytes
    }

    fn numbers(bytes: &[u8]) -> Vec<i32> {
        ended(bytes).into_iter().map(Pid::get).collect()
    }

    #[test]
    fn the_end_of_processes_is_read_from_their_events() {
        let mut bytes = raw(4711, -5, 0x8030, 0x8000_0000);
        assert_eq!(bytes.len(), RECORD_SIZE);
        bytes.extend(raw(99_999, -5, 0x8030, 0x8000_0000));
        assert_eq!(numbers(&bytes), [4711, 99_999]);
    }

    #[test]
    fn other_events_torn_ones_and_nonsense_are_passed_over() {
        let mut bytes = raw(7, -1, 0x8030, 0x8000_0000); // EVFILT_READ
        bytes.extend(raw(7, -5, 0x4000, 3)); // an error about a change: ESRCH
        bytes.extend(raw(7, -5, 0x30, 0x2000_0000)); // NOTE_EXEC
        bytes.extend(raw(0, -5, 0x8030, 0x8000_0000));
        bytes.extend(raw(u64::MAX, -5, 0x8030, 0x8000_0000));
        bytes.extend(raw(8, -5, 0x8030, 0x8000_0000));
        assert_eq!(numbers(&bytes), [8]);
        assert_eq!(numbers(&bytes[5 * RECORD_SIZE..6 * RECORD_SIZE - 1]), [0; 0]);
        assert_eq!(numbers(&[]), [0; 0]);
    }
}
