//! Addresses of servers.

use axum::http::uri::Authority;
use thiserror::Error;

#[derive(Debug, Error)]
#[error("expected HOST:PORT")]
pub(super) struct InvalidAddress;

/// `HOST:PORT`, both given.
pub(super) fn parse_address(text: &str) -> Result<Authority, InvalidAddress> {
    let address: Authority = text.parse().map_err(|_| InvalidAddress)?;
    let usable = !address.host().is_empty()
        && !text.contains('@')
        && address.port_u16().is_some_and(|port| port > 0);
    if usable { Ok(address) } else { Err(InvalidAddress) }
}
