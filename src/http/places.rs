//! Who shares what: connections and wrong passwords are counted by place. Pure.

use std::net::{IpAddr, Ipv6Addr};

use super::listener::Peer;

/// Where a connection comes from, as far as quotas go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The private socket.
    Private,
    /// The socket file of the control file; each user of the machine is one place, those the kernel does not tell another.
    Socket(Option<u32>),
    /// An IPv4 address, or a /64 of IPv6.
    Address(IpAddr),
}

/// Who has connections of their own, that nobody else can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Private,
    Socket,
    Tcp,
}

impl Place {
    /// The place of a peer.
    pub(super) fn of(peer: Peer) -> Place {
        match peer {
            Peer::Private => Place::Private,
            Peer::Socket(user) => Place::Socket(user),
            Peer::Tcp(address) => Place::Address(match address.ip().to_canonical() {
                IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
                v4 => v4,
            }),
        }
    }

    /// Through which door it comes.
    pub(super) fn door(self) -> Door {
        match self {
            Place::Private => Door::Private,
            Place::Socket(_) => Door::Socket,
            Place::Address(_) => Door::Tcp,
        }
    }
}

impl Door {
    /// Most connections through it.
    pub(super) fn most(self) -> usize {
        match self {
            Door::Private => super::PRIVATE_MAX,
            Door::Socket => super::SOCKET_MAX,
            Door::Tcp => super::TCP_MAX,
        }
    }

    /// Most of them from one place.
    pub(super) fn most_of_one(self) -> usize {
        match self {
            Door::Private => super::PRIVATE_MAX,
            Door::Socket | Door::Tcp => super::PER_PEER,
        }
    }
}
