//! Network links: `struct if_data` of the link-layer address of each interface (getifaddrs(3)), and SIOCGIFMEDIA
//! (ifmedia(4)) for those that have media.

use super::decode::{DecodeError, int, long};
use crate::facts::network::{LinkFacts, Traffic};

#[cfg(target_os = "freebsd")]
pub use fetch::link;

/// Size of `struct if_data` (<net/if.h>).
pub const DATA_SIZE: usize = 152;

/// Size of `struct ifmediareq` (<net/if.h>).
pub const MEDIA_SIZE: usize = 48;

/// Where the fields of those structures begin.
mod offset {
    pub const LINK_STATE: usize = 4;
    pub const BAUDRATE: usize = 16;
    pub const IPACKETS: usize = 24;
    pub const IERRORS: usize = 32;
    pub const OPACKETS: usize = 40;
    pub const OERRORS: usize = 48;
    pub const IBYTES: usize = 64;
    pub const OBYTES: usize = 72;
    pub const MEDIA_STATUS: usize = 24;
    pub const MEDIA_ACTIVE: usize = 28;
}

/// LINK_STATE_DOWN and LINK_STATE_UP; 0 is unknown.
const LINK_DOWN: u8 = 1;
const LINK_UP: u8 = 2;

/// Bits of `ifm_status`: the next one means something; there is a link (<net/if_media.h>).
const IFM_AVALID: i32 = 0x1;
const IFM_ACTIVE: i32 = 0x2;
/// Bits of `ifm_active`.
const IFM_FDX: i32 = 0x0010_0000;
const IFM_HDX: i32 = 0x0020_0000;

/// Decodes the statistics of an interface that is switched on or off, and its media where it has some. Interfaces that know
/// no link state (tunnels, some virtual ones) are up as long as they are switched on.
///
/// # Errors
/// [`DecodeError::Truncated`].
pub fn decode(data: &[u8], is_on: bool, media: Option<&[u8]>) -> Result<LinkFacts, DecodeError> {
    let number = |at: usize| long(data, at).map(|value| Some(value as u64));
    let state = *data.get(offset::LINK_STATE).ok_or(DecodeError::Truncated)?;
    let (status, active) = match media {
        None => (0, 0),
        Some(media) => (int(media, offset::MEDIA_STATUS)?, int(media, offset::MEDIA_ACTIVE)?),
    };
    let has_link = if status & IFM_AVALID != 0 {
        status & IFM_ACTIVE != 0
    } else {
        match state {
            LINK_UP => true,
            LINK_DOWN => false,
            _ => is_on,
        }
    };
    Ok(LinkFacts {
        up: Some(is_on && has_link),
        speed_bits_per_second: number(offset::BAUDRATE)?.filter(|speed| *speed > 0),
        full_duplex: match (active & IFM_FDX != 0, active & IFM_HDX != 0) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        },
        download: Traffic {
            bytes: number(offset::IBYTES)?,
            packets: number(offset::IPACKETS)?,
            errors: number(offset::IERRORS)?,
        },
        upload: Traffic {
            bytes: number(offset::OBYTES)?,
            packets: number(offset::OPACKETS)?,
            errors: number(offset::OERRORS)?,
        },
    })
}

#[cfg(target_os = "freebsd")]
mod fetch {
    use std::io;
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

    use super::{DATA_SIZE, MEDIA_SIZE, decode};
    use crate::facts::network::LinkFacts;
    use crate::sys::count;
    use crate::sys::posix::errno::cerr;
    use crate::sys::posix::interface::List;

    /// The compiler's view of the system's structures must be ours.
    const _: () = {
        use super::offset;
        use std::mem::{offset_of, size_of};
        assert!(size_of::<libc::if_data>() == DATA_SIZE);
        assert!(offset_of!(libc::if_data, ifi_link_state) == offset::LINK_STATE);
        assert!(offset_of!(libc::if_data, ifi_baudrate) == offset::BAUDRATE);
        assert!(offset_of!(libc::if_data, ifi_ipackets) == offset::IPACKETS);
        assert!(offset_of!(libc::if_data, ifi_ierrors) == offset::IERRORS);
        assert!(offset_of!(libc::if_data, ifi_opackets) == offset::OPACKETS);
        assert!(offset_of!(libc::if_data, ifi_oerrors) == offset::OERRORS);
        assert!(offset_of!(libc::if_data, ifi_ibytes) == offset::IBYTES);
        assert!(offset_of!(libc::if_data, ifi_obytes) == offset::OBYTES);
        assert!(size_of::<libc::ifmediareq>() == MEDIA_SIZE);
        assert!(offset_of!(libc::ifmediareq, ifm_status) == offset::MEDIA_STATUS);
        assert!(offset_of!(libc::ifmediareq, ifm_active) == offset::MEDIA_ACTIVE);
    };

    /// SIOCGIFMEDIA: _IOWR('i', 56, struct ifmediareq) of <sys/sockio.h>.
    const SIOCGIFMEDIA: libc::c_ulong = 0xc030_6938;

    /// What the system says about the interface `name`; `None` when there is none of that name. Some four system calls.
    ///
    /// # Errors
    /// Those of getifaddrs(3), socket(2) and ioctl(2).
    pub fn link(name: &str) -> io::Result<Option<LinkFacts>> {
        let list = List::read()?;
        let Some(entry) = list.entries().find(|e| e.family() == Some(libc::AF_LINK) && e.name() == name) else {
            return Ok(None);
        };
        // SAFETY: an entry of AF_LINK carries a struct if_data (getifaddrs(3)).
        let Some(data) = (unsafe { entry.data(DATA_SIZE) }) else { return Ok(None) };
        let media = media(name)?;
        Ok(Some(decode(data, entry.is_on(), media.as_ref().map(|media| media.as_slice()))?))
    }

    /// The answer of SIOCGIFMEDIA; `None` for an interface without media.
    fn media(name: &str) -> io::Result<Option<[u8; MEDIA_SIZE]>> {
        // SAFETY: all-zero is a valid `struct ifmediareq`: characters, integers, and a null pointer for a list of none.
        let mut request = unsafe { std::mem::zeroed::<libc::ifmediareq>() };
        for (to, from) in request.ifm_name.iter_mut().take(libc::IFNAMSIZ - 1).zip(name.bytes()) {
            *to = from as libc::c_char;
        }
        count::bump();
        // SAFETY: plain integers.
        let socket = cerr(unsafe { libc::socket(libc::AF_LOCAL, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) })?;
        // SAFETY: the descriptor was just opened and belongs to nobody else.
        let socket = unsafe { OwnedFd::from_raw_fd(socket) };
        count::bump();
        // SAFETY: the request is a valid structure of the size that its number says, and asks for a list of no media.
        let answer = cerr(unsafe { libc::ioctl(socket.as_raw_fd(), SIOCGIFMEDIA, &raw mut request) });
        count::bump(); // the close
        match answer {
            Ok(_) => {
                // SAFETY: the structure is initialised memory of exactly this length.
                let bytes = unsafe { std::slice::from_raw_parts((&raw const request).cast::<u8>(), MEDIA_SIZE) };
                Ok(bytes.try_into().ok())
            }
            Err(error) => match error.raw_os_error() {
                Some(libc::EINVAL | libc::ENOTTY | libc::EOPNOTSUPP | libc::ENXIO) => Ok(None),
                _ => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `struct if_data` as the headers lay it out.
    fn raw(state: u8, speed: u64) -> Vec<u8> {
        let mut raw = vec![0xa5; 152];
        raw[4] = state; // ifi_link_state
        let numbers = [(16, speed), (24, 10), (32, 3), (40, 20), (48, 4), (64, 1000), (72, 2000)];
        for (at, number) in numbers {
            raw[at..at + 8].copy_from_slice(&u64::to_ne_bytes(number));
        }
        raw
    }

    /// A `struct ifmediareq` as the headers lay it out.
    fn media(status: i32, active: i32) -> Vec<u8> {
        let mut raw = vec![0xa5; 48];
        raw[24..28].copy_from_slice(&status.to_ne_bytes()); // ifm_status
        raw[28..32].copy_from_slice(&active.to_ne_bytes()); // ifm_active
        raw
    }

    #[test]
    fn the_fields_are_found() {
        // IFM_ETHER | IFM_1000_T | IFM_FDX
        let link = decode(&raw(2, 1_000_000_000), true, Some(&media(3, 0x20 | 16 | 0x0010_0000))).unwrap();
        assert_eq!((link.up, link.full_duplex), (Some(true), Some(true)));
        assert_eq!(link.speed_bits_per_second, Some(1_000_000_000));
        assert_eq!(link.download, Traffic { bytes: Some(1000), packets: Some(10), errors: Some(3) });
        assert_eq!(link.upload, Traffic { bytes: Some(2000), packets: Some(20), errors: Some(4) });
    }

    #[test]
    fn a_link_is_up_when_it_is_on_and_nothing_says_otherwise() {
        let up = |state, is_on, media: Option<Vec<u8>>| decode(&raw(state, 0), is_on, media.as_deref()).unwrap().up;
        assert_eq!(up(0, true, None), Some(true));
        assert_eq!(up(1, true, None), Some(false));
        assert_eq!(up(2, true, None), Some(true));
        assert_eq!(up(2, false, None), Some(false));
        assert_eq!(up(2, true, Some(media(1, 0))), Some(false));
        assert_eq!(up(1, true, Some(media(3, 0))), Some(true));
        assert_eq!(up(2, true, Some(media(0, 0))), Some(true));
    }

    #[test]
    fn without_media_duplex_and_without_baudrate_speed_is_unknown() {
        let link = decode(&raw(2, 0), true, None).unwrap();
        assert_eq!((link.speed_bits_per_second, link.full_duplex), (None, None));
        assert_eq!(decode(&raw(2, 0), true, Some(&media(3, 0x0020_0000))).unwrap().full_duplex, Some(false));
    }

    #[test]
    fn torn_structures_are_refused() {
        assert_eq!(decode(&raw(2, 0)[..79], true, None), Err(DecodeError::Truncated));
        assert_eq!(decode(&raw(2, 0), true, Some(&media(3, 0)[..31])), Err(DecodeError::Truncated));
    }

    #[cfg(target_os = "freebsd")]
    #[test]
    fn this_machine_has_a_loopback_link() {
        assert!(link("lo0").unwrap().unwrap().download.bytes.is_some());
        assert_eq!(link("nosuch0").unwrap(), None);
    }
}
