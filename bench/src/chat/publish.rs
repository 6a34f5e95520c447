//! Messages at a fixed rate, and sockets that listen to them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use crate::load::Schedule;
use crate::wire::http::Pool;
use crate::wire::listeners::{Hearing, Listeners};
use crate::wire::socket::Socket;

/// Connections that carry the messages: more than are ever under way at a few a second …
const CONNECTIONS: usize = 16;
/// … and at a thousand a second. No more than that for a few: Node.js ends what has no request for 5 s.
const MANY_CONNECTIONS: usize = 64;

/// How many messages, and how fast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    pub(super) per_second: f64,
    /// How many messages are due at the same moment.
    pub(super) burst: u32,
    pub(super) lasting: Duration,
}

impl Rate {
    fn schedule(self) -> Schedule {
        Schedule::from_now(self.per_second, self.lasting).in_bursts(self.burst)
    }

    /// How many messages there are in all.
    pub(super) fn messages(self) -> u32 {
        self.schedule().count
    }
}

/// Sends the requests, each when it is due, while the sockets listen, and waits for the last that is
/// heard. Each request must be answered by 202.
pub(super) async fn publish(
    address: SocketAddr,
    sockets: Vec<Socket>,
    requests: Vec<Vec<u8>>,
    rate: Rate,
) -> Result<Hearing> {
    publish_to(1, address, sockets, requests, rate).await
}

/// The same to so many rooms in turn, in which the sockets are in turn.
pub(super) async fn publish_to(
    rooms: u32,
    address: SocketAddr,
    sockets: Vec<Socket>,
    requests: Vec<Vec<u8>>,
    rate: Rate,
) -> Result<Hearing> {
    let connections = if rooms == 1 { CONNECTIONS } else { MANY_CONNECTIONS };
    let pool = Arc::new(Pool::open(address, connections).await?);
    let (requests, schedule) = (Arc::new(requests), rate.schedule());
    let listeners = Listeners::begin(sockets, schedule, rooms);
    let samples = schedule.run(|n| {
        let (pool, requests) = (Arc::clone(&pool), Arc::clone(&requests));
        async move { pool.ask(&requests[n as usize], 202).await }
    });
    for sample in samples.await {
        sample.answer?;
    }
    listeners.finish().await
}
