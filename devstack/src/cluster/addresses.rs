//! The addresses of the cluster. They are from the block for benchmarks (RFC 2544), which no real network has.

use std::net::Ipv4Addr;

/// All of them.
pub(crate) const ALL: &str = "198.18.0.0/15";
/// This machine, on the link to the node.
pub(crate) const HOST: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
/// The node, at the other end.
pub(crate) const NODE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
/// How many bits of both are the same.
pub(crate) const LINK_PREFIX: u8 = 30;
/// The pods.
pub(crate) const PODS: &str = "198.18.1.0/24";
/// The Services.
pub(crate) const SERVICES: &str = "198.19.0.0/16";
/// The API server's Service: the first of them.
pub(crate) const API_SERVICE: Ipv4Addr = Ipv4Addr::new(198, 19, 0, 1);
/// The name server's Service.
pub(crate) const DNS_SERVICE: Ipv4Addr = Ipv4Addr::new(198, 19, 0, 10);
