//! How people are counted as online.

use std::time::Duration;

use clap::Args;

use crate::presence::Pace;

/// How people are counted as online.
#[derive(Debug, Clone, Args)]
pub struct PresenceArgs {
    /// Seconds after which a replica tells the others anew who is online there, 1 to 60. One that told
    /// nothing three times is taken for dead, and its people for offline.
    #[arg(long, env = "CHAT_PRESENCE_SNAPSHOT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=60))]
    pub chat_presence_snapshot: u16,

    /// Seconds for which somebody is still online after the last connection has ended, 0 to 60: as long as
    /// it takes to come back to another replica.
    #[arg(long, env = "CHAT_PRESENCE_GRACE", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=60))]
    pub chat_presence_grace: u16,
}

impl PresenceArgs {
    /// How often others are told, and how long people stay.
    #[must_use]
    pub fn pace(&self) -> Pace {
        Pace {
            every: Duration::from_secs(self.chat_presence_snapshot.into()),
            grace: Duration::from_secs(self.chat_presence_grace.into()),
        }
    }
}
