//! How sockets are ended when a replica stops.

use clap::Args;

/// How sockets are ended when a replica stops.
#[derive(Debug, Clone, Args)]
pub struct SocketsArgs {
    /// At a stop: seconds to go on taking connections after readiness is off, so that whoever
    /// distributes them learns of it.
    #[arg(long, env = "CHAT_DRAIN_PAUSE", default_value_t = 5, value_parser = clap::value_parser!(u16).range(0..=60))]
    pub chat_drain_pause: u16,

    /// Then: seconds over which the ends of the sockets are spread, so that their clients do not all
    /// come to the other replicas at once.
    #[arg(long, env = "CHAT_DRAIN_OVER", default_value_t = 5, value_parser = clap::value_parser!(u16).range(0..=60))]
    pub chat_drain_over: u16,
}
