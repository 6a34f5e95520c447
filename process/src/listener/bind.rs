use std::io;
use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait until they are taken: Linux's own limit, `net.core.somaxconn`, unless it was
/// moved. One that finds no room is tried again by its client's system after 1 s, then 3 s and 7 s, and
/// when a replica is lost thousands come at once. The libraries would have 128 wait.
const WAITING: u32 = 4096;

/// Binds a port, within a runtime. `option` is the setting that an error names.
pub fn bind(option: &'static str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    listen(address).with_context(|| format!("{option}: {address} cannot be bound"))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As the libraries do: connections that a process before this one has ended keep nobody waiting.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}
