//! The options of a public listener.

use std::time::Duration;

use clap::Args;

use super::limits::Limits;

/// The options of a public listener.
#[derive(Debug, Clone, Copy, Args)]
pub struct ListenerArgs {
    /// Connections at once at the public HTTP port, sockets too; one more is closed at once. No more than
    /// the system's limit of open files leaves.
    #[arg(long, env = "HTTP_CONNECTIONS", default_value_t = 20_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub http_connections: u32,

    /// Seconds that a connection may stay open at the public HTTP port after an answer. Should be longer
    /// than proxies keep theirs.
    #[arg(long, env = "HTTP_KEEP_ALIVE", default_value_t = 75,
          value_parser = clap::value_parser!(u16).range(1..=3_600))]
    pub http_keep_alive: u16,
}

impl ListenerArgs {
    /// The limits with these options.
    #[must_use]
    pub fn limits(self) -> Limits {
        let connections = usize::try_from(self.http_connections).unwrap_or(usize::MAX);
        let idle = Duration::from_secs(self.http_keep_alive.into());
        Limits { idle, ..Limits::new(connections) }
    }
}
