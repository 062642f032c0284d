//! Who may connect: the `allow` lines that name hosts and networks. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::AllowHost;

/// The hosts and networks that may connect. Empty: everybody.
#[derive(Clone, Debug, Default)]
pub struct AllowList {
    networks: Vec<Network>,
    names: Vec<(String, Vec<IpAddr>)>,
}

#[derive(Clone, Copy, Debug)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

impl AllowList {
    /// The list of a control file. `localhost` stands for 127.0.0.1 and ::1; other names let nobody in until
    /// [`AllowList::set_resolved`] tells their addresses.
    pub fn new(allow: &[AllowHost]) -> AllowList {
        let mut list = AllowList::default();
        for host in allow {
            match host {
                AllowHost::Network { address, prefix } => {
                    list.networks.push(Network { address: *address, prefix: *prefix });
                }
                AllowHost::Name(name) if name.eq_ignore_ascii_case("localhost") => {
                    let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
                    list.names.push((name.clone(), loopback.to_vec()));
                }
                AllowHost::Name(name) => list.names.push((name.clone(), Vec::new())),
            }
        }
        list
    }

    /// Whether the control file names no host at all.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.names.is_empty()
    }

    /// The names whose addresses must be looked up.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| name.as_str()).filter(|name| !name.eq_ignore_ascii_case("localhost"))
    }

    /// Replaces the addresses of a name; a name that is not in the list is ignored.
    pub fn set_resolved(&mut self, name: &str, addresses: &[IpAddr]) {
        if name.eq_ignore_ascii_case("localhost") {
            return;
        }
        for (_, known) in self.names.iter_mut().filter(|(listed, _)| listed == name) {
            *known = addresses.iter().map(IpAddr::to_canonical).collect();
        }
    }

    /// Whether an address is known of that name.
    pub fn is_resolved(&self, name: &str) -> bool {
        self.names.iter().any(|(listed, addresses)| listed == name && !addresses.is_empty())
    }

    /// Takes over the addresses that `old` knows for names that are in both, so that a reload locks nobody out until the
    /// names are looked up again.
    pub fn inherit(&mut self, old: &AllowList) {
        for (name, addresses) in &old.names {
            self.set_resolved(name, addresses);
        }
    }

    /// Whether `peer` may connect. An IPv4 address that came in IPv6 clothes (RFC 4291 section 2.5.5.2) counts as IPv4.
    pub fn permits(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.is_empty()
            || self.networks.iter().any(|network| network.contains(peer))
            || self.names.iter().any(|(_, addresses)| addresses.contains(&peer))
    }
}

impl Network {
    fn contains(&self, peer: IpAddr) -> bool {
        match (self.address, peer) {
            (IpAddr::V4(network), IpAddr::V4(peer)) => {
                let mask = u32::MAX.checked_shl(32u32.saturating_sub(u32::from(self.prefix))).unwrap_or(0);
                network.to_bits() & mask == peer.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(peer)) => {
                let mask = u128::MAX.checked_shl(128u32.saturating_sub(u32::from(self.prefix))).unwrap_or(0);
                network.to_bits() & mask == peer.to_bits() & mask
            }
            // A network written as ::ffff:192.0.2.0/120 means IPv4 hosts.
            (IpAddr::V6(network), IpAddr::V4(_)) => match (network.to_ipv4_mapped(), self.prefix.checked_sub(96)) {
                (Some(v4), Some(prefix)) => Network { address: v4.into(), prefix }.contains(peer),
                _ => false,
            },
            (IpAddr::V4(_), IpAddr::V6(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str, prefix: u8) -> AllowHost {
        AllowHost::Network { address: address.parse().unwrap(), prefix }
    }

    fn permits(list: &AllowList, peer: &str) -> bool {
        list.permits(peer.parse().unwrap())
    }

    #[test]
    fn networks_are_compared_bit_by_bit() {
        let list = AllowList::new(&[
            network("192.0.2.0", 25),
            network("198.51.100.7", 32),
            network("2001:db8::", 33),
            network("::ffff:203.0.113.0", 120),
        ]);
        for peer in ["192.0.2.127", "198.51.100.7", "::ffff:198.51.100.7", "2001:db8:7fff::1", "203.0.113.9"] {
            assert!(permits(&list, peer), "{peer}");
        }
        for peer in ["192.0.2.128", "198.51.100.6", "2001:db8:8000::1", "::1", "127.0.0.1", "203.0.114.9"] {
            assert!(!permits(&list, peer), "{peer}");
        }
        assert!(permits(&AllowList::new(&[network("0.0.0.0", 0)]), "203.0.113.1"));
        assert!(!permits(&AllowList::new(&[network("0.0.0.0", 0)]), "2001:db8::1"));
        assert!(permits(&AllowList::new(&[network("::", 0)]), "2001:db8::1"));
    }

    #[test]
    fn localhost_needs_no_resolver_and_other_names_do() {
        let mut list = AllowList::new(&[AllowHost::Name("LocalHost".into()), AllowHost::Name("admin.example".into())]);
        assert!(permits(&list, "127.0.0.1") && permits(&list, "::1") && !permits(&list, "127.0.0.2"));
        assert!(!permits(&list, "192.0.2.1"));
        assert_eq!(list.names().collect::<Vec<_>>(), ["admin.example"]);
        list.set_resolved("admin.example", &["::ffff:192.0.2.1".parse().unwrap()]);
        list.set_resolved("other.example", &["192.0.2.2".parse().unwrap()]);
        assert!(permits(&list, "192.0.2.1") && !permits(&list, "192.0.2.2"));
        assert!(list.is_resolved("admin.example") && !list.is_resolved("other.example"));
        let mut reloaded = AllowList::new(&[AllowHost::Name("admin.example".into())]);
        reloaded.inherit(&list);
        assert!(permits(&reloaded, "192.0.2.1") && !permits(&reloaded, "127.0.0.1"));
    }

    #[test]
    fn a_list_without_hosts_keeps_nobody_out() {
        assert!(permits(&AllowList::new(&[]), "192.0.2.1"));
    }
}
