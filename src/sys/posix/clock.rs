//! The clocks. No other file reads one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::base::time::{LocalTime, Mono, Wall};

/// Now on `CLOCK_MONOTONIC`.
pub fn monotonic() -> Mono {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec for the call to fill; CLOCK_MONOTONIC exists on every supported system, so the
    // call cannot fail.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    Mono::from_origin(Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32))
}

/// Now on the wall clock; 1970 while the clock stands before it.
pub fn wall() -> Wall {
    Wall::from_epoch(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// `instant` in the local time zone (localtime_r(3)); UTC fields of 1970 when libc cannot tell.
pub fn local(instant: Wall) -> LocalTime {
    let seconds = instant.secs() as libc::time_t;
    // SAFETY: an all-zero `tm` is a valid value of the struct; its only pointer field, tm_zone, may be null.
    let mut fields: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are valid for the call; localtime_r keeps neither.
    unsafe { libc::localtime_r(&seconds, &mut fields) };
    LocalTime {
        year: fields.tm_year + 1900,
        month: (fields.tm_mon + 1) as u8,
        day: fields.tm_mday as u8,
        hour: fields.tm_hour as u8,
        minute: fields.tm_min as u8,
        second: fields.tm_sec as u8,
        weekday: fields.tm_wday as u8,
        offset: fields.tm_gmtoff as i32,
    }
}

/// Sleeps. For the command line, which has nothing else to do; never for the daemon.
pub fn pause(time: std::time::Duration) {
    std::thread::sleep(time);
}
