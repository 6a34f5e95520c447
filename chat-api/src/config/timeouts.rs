//! How long this replica waits for its clients. All but the two of a stop are the same everywhere: only
//! tests set them.

use std::time::Duration;

use super::sockets::SocketsArgs;

/// How long this replica waits for its clients.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the body of a request, until all of it has come.
    pub body: Duration,
    /// For the first token.
    pub auth: Duration,
    /// Between two pings.
    pub ping_every: Duration,
    /// For the answer to a ping.
    pub pong_within: Duration,
    /// Before the token's expiry, to say so.
    pub before_expiry: Duration,
    /// After the token's expiry, for a fresh one. Stays below the leeway with which tokens pass.
    pub after_expiry: Duration,
    /// For a write of which the other side takes nothing.
    pub stall: Duration,
    /// Between two times that a socket is told what was said in rooms that it does not hear.
    pub activity_every: Duration,
    /// After a stop was asked for, until sockets are told: the time in which whoever distributes
    /// connections learns that no more should come here.
    pub drain_pause: Duration,
    /// Over which the ends of the sockets are spread at a stop.
    pub drain_over: Duration,
}

impl Timeouts {
    pub(super) fn new(args: &SocketsArgs) -> Self {
        Self {
            body: Duration::from_secs(10),
            auth: Duration::from_secs(10),
            ping_every: Duration::from_secs(25),
            pong_within: Duration::from_secs(8),
            before_expiry: Duration::from_mins(1),
            after_expiry: Duration::from_secs(25),
            stall: Duration::from_secs(15),
            activity_every: Duration::from_secs(2),
            drain_pause: Duration::from_secs(args.chat_drain_pause.into()),
            drain_over: Duration::from_secs(args.chat_drain_over.into()),
        }
    }
}
