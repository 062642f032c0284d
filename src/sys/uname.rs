//! What POSIX and the BSDs agree on about the machine: uname(3) and getloadavg(3).

use std::io;

use super::count;
use super::posix::errno::cerr;
use crate::facts::system::Platform;

/// Operating system, release, version, machine type and host name (uname(3)).
///
/// # Errors
/// Those of uname(3).
pub fn platform() -> io::Result<Platform> {
    // SAFETY: utsname consists of character arrays, for which all zeros is a valid value.
    let mut names: libc::utsname = unsafe { std::mem::zeroed() };
    count::bump();
    // SAFETY: `names` is a valid utsname for the call to fill.
    cerr(unsafe { libc::uname(&mut names) })?;
    Ok(Platform {
        system: text(&names.sysname),
        release: text(&names.release),
        version: text(&names.version),
        machine: text(&names.machine),
        host: text(&names.nodename),
    })
}

/// The host's name, as hostname(1) prints it.
///
/// # Errors
/// Those of uname(3).
pub fn host_name() -> io::Result<String> {
    platform().map(|platform| platform.host)
}

/// Load averages of 1, 5 and 15 minutes (getloadavg(3)).
///
/// # Errors
/// The system cannot tell all three.
pub fn load() -> io::Result<[f64; 3]> {
    let mut averages = [0.0; 3];
    count::bump();
    // SAFETY: the pointer and the count describe the array, which outlives the call.
    let told = unsafe { libc::getloadavg(averages.as_mut_ptr(), 3) };
    if told == 3 { Ok(averages) } else { Err(io::Error::other("the system does not tell its load averages")) }
}

/// The text before the first NUL.
fn text(field: &[libc::c_char]) -> String {
    let bytes: Vec<u8> = field.iter().map(|c| *c as u8).take_while(|b| *b != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_names_and_a_load() {
        let platform = platform().unwrap();
        assert!(matches!(platform.system.as_str(), "Linux" | "FreeBSD"), "{platform:?}");
        assert!(!platform.release.is_empty() && !platform.machine.is_empty());
        assert_eq!(host_name().unwrap(), platform.host);
        assert!(load().unwrap().iter().all(|load| (0.0..1e6).contains(load)));
    }

    #[test]
    fn a_field_ends_at_its_nul_and_need_not_be_text() {
        assert_eq!(text(&[b'a' as libc::c_char, 0, b'b' as libc::c_char]), "a");
        assert_eq!(text(&[0xffu8 as libc::c_char]), "\u{fffd}");
    }
}
