//! The network that an attempt comes from. Limits, lockout and known networks count networks, not
//! addresses: one subscriber has a whole IPv6 /64 to choose addresses from.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use thiserror::Error;

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

/// The networks of the proxies before Dex. When the header with the person's address is missing,
/// Dex hands over the proxy's own, and that says nothing about the person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// Why a list of networks cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidProxies {
    /// Not `ADDRESS/LENGTH`.
    #[error("{0:?} is not a network such as 10.0.0.0/8 or fd00::/8")]
    NotANetwork(String),
    /// Nobody would have a network any more, and so nobody a limit.
    #[error("{0} is every address")]
    Everybody(IpNet),
    /// Addresses are compared as IPv4 when they are, so it would contain none.
    #[error("{0} must be written as an IPv4 network")]
    Mapped(IpNet),
}

impl TrustedProxies {
    /// Parses networks separated by commas; none when there is only white space.
    pub fn parse(text: &str) -> Result<Self, InvalidProxies> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(|part| proxy_network(part.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether none is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The network of a caller. `None` when nobody can tell it: without an address, or with that
    /// of a proxy. Whoever gets `None` must not share a bucket with others who do.
    #[must_use]
    pub fn network_of(&self, remote_ip: Option<IpAddr>) -> Option<Network> {
        let address = remote_ip?.to_canonical();
        let is_proxy = self.0.iter().any(|network| network.contains(&address));
        (!is_proxy).then(|| Network::of(address))
    }
}

impl fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&networks.join(", "))
    }
}

fn proxy_network(text: &str) -> Result<IpNet, InvalidProxies> {
    let network: IpNet = text.parse().map_err(|_| InvalidProxies::NotANetwork(text.to_owned()))?;
    if network.prefix_len() == 0 {
        return Err(InvalidProxies::Everybody(network));
    }
    if network.addr().to_canonical() != network.addr() {
        return Err(InvalidProxies::Mapped(network));
    }
    Ok(network)
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
