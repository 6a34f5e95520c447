//! The way into the cluster: what listens on this machine for a Service, as a load balancer would.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use anyhow::{Context as _, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Hands every connection to a port of this machine on to a Service, until it is dropped.
pub struct Entry(#[expect(dead_code, reason = "dropping it ends the work")] JoinSet<()>);

impl Entry {
    /// Listens on a port of the loopback address.
    #[expect(
        clippy::disallowed_methods,
        reason = "a few people and clients of one test wait there"
    )]
    pub async fn open(port: u16, service: SocketAddrV4) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("port {port} is taken: free it, or set its variable"))?;
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, service));
        Ok(Self(tasks))
    }
}

async fn serve(listener: TcpListener, service: SocketAddrV4) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((client, _)) = accepted {
                connections.spawn(hand_on(client, service));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Whoever cannot be handed on is closed on, as everywhere where nobody listens.
async fn hand_on(mut client: TcpStream, service: SocketAddrV4) {
    if let Ok(mut server) = TcpStream::connect(service).await {
        let _ = client.set_nodelay(true);
        let _ = server.set_nodelay(true);
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
