//! Where the log is, how it is reached, and what its topics and groups are called.

use std::time::Duration;

use rdkafka::ClientConfig;

use super::security::Security;
use crate::message::{Invalid, Position};

/// Generations have 15 bits of a position.
pub const LAST_GENERATION: u16 = (1 << 15) - 1;

/// How long a question to the broker may take.
pub(super) const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the log is.
#[derive(Debug, Clone)]
pub struct Log {
    /// `host:port` of one or more brokers, separated by commas.
    pub brokers: String,
    /// What the names of topics and groups begin with.
    pub prefix: String,
    /// How every client reaches the brokers.
    pub security: Security,
    /// Which of the topics with messages is open: one that was made anew is another one, and what is
    /// said in it comes after all that was said before.
    pub generation: u16,
}

impl Log {
    /// The topic with messages.
    #[must_use]
    pub fn messages(&self) -> String {
        match self.generation {
            0 => format!("{}chat-messages", self.prefix),
            later => format!("{}chat-messages.g{later}", self.prefix),
        }
    }

    /// The position of an offset in that topic.
    pub fn position(&self, offset: i64) -> Result<Position, Invalid> {
        Position::new(self.generation, offset)
    }

    /// The topic with how far people have read. It has no generations: what it says of a room is a position,
    /// which names its own.
    #[must_use]
    pub fn markers(&self) -> String {
        format!("{}chat-markers", self.prefix)
    }

    /// The group of those who store how far people have read.
    #[must_use]
    pub fn marker_group(&self) -> String {
        format!("{}chat-persist-markers", self.prefix)
    }

    /// The topic of dead letters.
    #[must_use]
    pub fn dead_letters(&self) -> String {
        format!("{}chat-dlq", self.prefix)
    }

    /// The topic with who is online: what each replica tells the others.
    #[must_use]
    pub fn presence(&self) -> String {
        format!("{}chat-presence", self.prefix)
    }

    /// The topic with what is of use for seconds: who is typing.
    #[must_use]
    pub fn ephemeral(&self) -> String {
        format!("{}chat-ephemeral", self.prefix)
    }

    /// The group of the archive readers.
    #[must_use]
    pub fn archive_group(&self) -> String {
        format!("{}chat-persist", self.prefix)
    }

    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "chat-api")
            .set("allow.auto.create.topics", "false")
            // A broker that is back should be found again within a second.
            .set("reconnect.backoff.max.ms", "1000")
            .set("socket.nagle.disable", "true");
        self.security.apply(&mut config);
        config
    }
}
