//! The network interfaces and their addresses: getifaddrs(3).

use std::ffi::CStr;
use std::io;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

use super::errno::cerr;
use crate::sys::count;

/// The name of the interface that has `address`; `None` when none has.
///
/// # Errors
/// Those of getifaddrs(3).
pub fn with_address(address: IpAddr) -> io::Result<Option<String>> {
    Ok(List::read()?.entries().find(|entry| entry.ip() == Some(address)).map(|entry| entry.name()))
}

/// All addresses of all interfaces.
pub(in crate::sys) struct List {
    first: *mut libc::ifaddrs,
}

impl List {
    pub(in crate::sys) fn read() -> io::Result<List> {
        let mut first = ptr::null_mut();
        count::bump();
        // SAFETY: the call stores a list in `first`, which is given back when this is dropped.
        cerr(unsafe { libc::getifaddrs(&mut first) })?;
        Ok(List { first })
    }

    pub(in crate::sys) fn entries(&self) -> Entries<'_> {
        Entries { next: self.first, list: PhantomData }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: the list came from getifaddrs and nothing refers to it any more.
        unsafe { libc::freeifaddrs(self.first) };
    }
}

/// Walks over a [`List`].
pub(in crate::sys) struct Entries<'l> {
    next: *mut libc::ifaddrs,
    list: PhantomData<&'l List>,
}

impl<'l> Iterator for Entries<'l> {
    type Item = Entry<'l>;

    fn next(&mut self) -> Option<Entry<'l>> {
        // SAFETY: null, or an element of the list, which lives as long as 'l.
        let entry = unsafe { self.next.as_ref::<'l>() }?;
        self.next = entry.ifa_next;
        Some(Entry(entry))
    }
}

/// One address of one interface.
pub(in crate::sys) struct Entry<'l>(&'l libc::ifaddrs);

impl Entry<'_> {
    pub(in crate::sys) fn name(&self) -> String {
        // SAFETY: a text ended by a NUL, which lives as long as the list.
        unsafe { CStr::from_ptr(self.0.ifa_name) }.to_string_lossy().into_owned()
    }

    /// Whether the interface is switched on (IFF_UP).
    #[cfg(target_os = "freebsd")]
    pub(in crate::sys) fn is_on(&self) -> bool {
        self.0.ifa_flags & libc::IFF_UP as libc::c_uint != 0
    }

    /// The family of the address; `None` when there is none.
    pub(in crate::sys) fn family(&self) -> Option<libc::c_int> {
        // SAFETY: null, or an address that lives as long as the list.
        unsafe { self.0.ifa_addr.as_ref() }.map(|address| libc::c_int::from(address.sa_family))
    }

    /// The statistics that come with an address of the link layer: the first `size` bytes of them.
    ///
    /// # Safety
    /// The family must be one whose entries carry a structure of at least `size` bytes.
    #[cfg(target_os = "freebsd")]
    pub(in crate::sys) unsafe fn data(&self, size: usize) -> Option<&[u8]> {
        if self.0.ifa_data.is_null() {
            return None;
        }
        // SAFETY: the caller knows the structure; it lives as long as the list.
        Some(unsafe { std::slice::from_raw_parts(self.0.ifa_data.cast::<u8>(), size) })
    }

    fn ip(&self) -> Option<IpAddr> {
        match self.family()? {
            libc::AF_INET => {
                // SAFETY: an address of this family is a sockaddr_in.
                let address = unsafe { self.0.ifa_addr.cast::<libc::sockaddr_in>().read_unaligned() };
                Some(IpAddr::V4(Ipv4Addr::from(address.sin_addr.s_addr.to_ne_bytes())))
            }
            libc::AF_INET6 => {
                // SAFETY: an address of this family is a sockaddr_in6.
                let address = unsafe { self.0.ifa_addr.cast::<libc::sockaddr_in6>().read_unaligned() };
                Some(IpAddr::V6(Ipv6Addr::from(address.sin6_addr.s6_addr)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_has_the_loopback_address() {
        let name = with_address(IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap().unwrap();
        assert!(name.starts_with("lo"), "{name}");
        assert_eq!(with_address("192.0.2.254".parse().unwrap()).unwrap(), None);
        assert!(List::read().unwrap().entries().any(|entry| entry.family().is_some() && entry.name() == name));
    }
}
