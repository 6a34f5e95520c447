//! Proxies, whose word on the address of a caller is believed.

use std::fmt;
use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use thiserror::Error;

use crate::network::Network;

/// The networks of the proxies that people come through. The address of one says nothing about the person
/// behind it.
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

    /// The address of a person: the peer's, or the one that a proxy tells in the header of this name. Two
    /// such headers say nothing.
    #[must_use]
    pub fn caller(
        &self,
        peer: Option<IpAddr>,
        headers: &HeaderMap,
        name: &HeaderName,
    ) -> Option<IpAddr> {
        let is_person = |address: &IpAddr| self.network_of(Some(*address)).is_some();
        let peer = peer.map(|address| address.to_canonical())?;
        if is_person(&peer) {
            return Some(peer);
        }
        let mut said = headers.get_all(name).iter();
        let (Some(address), None) = (said.next(), said.next()) else { return None };
        let address: IpAddr = address.to_str().ok()?.trim().parse().ok()?;
        Some(address.to_canonical()).filter(is_person)
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

/// It cannot be the header of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidProxyHeader {
    /// No name of a header.
    #[error("expected the name of a header, such as X-Real-IP")]
    Name,
    /// Whoever calls writes into it, too.
    #[error(
        "a list to which each proxy adds; name a header that yours overwrites with one address"
    )]
    List,
}

/// Parses the name of the header in which proxies tell who called them.
pub fn parse_proxy_header(text: &str) -> Result<HeaderName, InvalidProxyHeader> {
    let name: HeaderName = text.parse().map_err(|_| InvalidProxyHeader::Name)?;
    let lists = ["x-forwarded-for", "forwarded"];
    if lists.contains(&name.as_str()) { Err(InvalidProxyHeader::List) } else { Ok(name) }
}

#[cfg(test)]
#[path = "proxies_tests.rs"]
mod tests;
