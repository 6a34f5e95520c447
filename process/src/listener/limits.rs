//! The limits of one listener.

use std::time::Duration;

/// The limits of one listener.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once, upgraded ones too. One more is closed at once.
    pub connections: usize,
    /// From the connection to the end of the first request's head, and from the first byte of a later
    /// head to its end.
    pub head: Duration,
    /// From an answer to the first byte of the next request.
    pub idle: Duration,
    /// How long a write may make no progress.
    pub stall: Duration,
    /// At a stop, how long the answers under way may take.
    pub shutdown: Duration,
}

impl Limits {
    /// The limits that a listener has unless its service says otherwise, with at most this many
    /// connections.
    #[must_use]
    pub const fn new(connections: usize) -> Self {
        Self {
            connections,
            head: Duration::from_secs(10),
            // Longer than the minute for which proxies commonly keep a connection: who closes first
            // should be the proxy, or it sends a request into a closed one.
            idle: Duration::from_secs(75),
            stall: Duration::from_secs(15),
            // Shorter than the shortest grace of a service, 10 s.
            shutdown: Duration::from_secs(8),
        }
    }
}
