//! The network that somebody calls from. Limits count networks, not addresses: one subscriber has a whole
//! IPv6 /64 to choose addresses from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What one subscriber gets, an IPv4 /32 or an IPv6 /64 (RFC 6177 §2), or the [coarse](Self::coarse)
/// network around that. Displayed as PostgreSQL's `cidr` reads and writes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(Prefix);

/// Sixteen bytes: tables hold a million of them, and no prefix in use is longer than 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Prefix {
    V4 { address: u32, length: u8 },
    V6 { upper: u64, length: u8 },
}

impl Network {
    /// The network of an address. An IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2) counts as
    /// what it is: otherwise all of them would be one network.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => Prefix::V4 { address: address.to_bits(), length: 32 },
            IpAddr::V6(address) => {
                Prefix::V6 { upper: (address.to_bits() >> 64) as u64, length: 64 }
            }
        })
    }

    /// Eight bytes that tell networks of one size apart, for tables that hold millions of them. An
    /// IPv4 network takes the place of an IPv6 one among multicast addresses (RFC 4291 §2.7), from
    /// which nothing comes.
    #[must_use]
    pub fn packed(self) -> u64 {
        match self.0 {
            Prefix::V4 { address, .. } => u64::from(u32::MAX) << 32 | u64::from(address),
            Prefix::V6 { upper, .. } => upper,
        }
    }

    /// The first address in it.
    #[must_use]
    pub fn address(self) -> IpAddr {
        match self.0 {
            Prefix::V4 { address, .. } => Ipv4Addr::from_bits(address).into(),
            Prefix::V6 { upper, .. } => Ipv6Addr::from_bits(u128::from(upper) << 64).into(),
        }
    }

    /// The network around it that one party usually holds: IPv4 /24, the smallest that is routed
    /// on its own; IPv6 /48, a site's (RFC 6177 §2).
    #[must_use]
    pub fn coarse(self) -> Self {
        Self(match self.0 {
            Prefix::V4 { address, .. } => Prefix::V4 { address: address & !0xff, length: 24 },
            Prefix::V6 { upper, .. } => Prefix::V6 { upper: upper & !0xffff, length: 48 },
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Prefix::V4 { address, length } => {
                write!(f, "{}/{length}", Ipv4Addr::from_bits(address))
            }
            Prefix::V6 { upper, length } => {
                write!(f, "{}/{length}", Ipv6Addr::from_bits(u128::from(upper) << 64))
            }
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
