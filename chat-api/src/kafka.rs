//! The log: appending to it, reading it, its topics, and what can go wrong with it.

mod breaker;
mod codec;
mod consumer;
mod dlq;
mod error;
mod gate;
mod in_flight;
mod partitioner;
mod producer;
mod raw;
mod reach;
mod scan;
mod topics;
mod trace;

use std::time::Duration;

use rdkafka::ClientConfig;

pub use codec::{DecodeError, Decoder, encode};
pub use consumer::{Change, GroupConsumer, HandConsumer, Item, Range, Ranges};
pub use dlq::{DeadLetter, DeadLetters, Dying, Origin, ReplayError};
pub use error::{AppendError, LogError};
pub use in_flight::Bounds;
pub use partitioner::Partitioner;
pub use producer::{Appended, Producer};
pub use raw::Raw;
pub use scan::Scan;
pub use topics::{TopicShape, Topics};
pub use trace::Trace;

/// The generation of the topic that is open. A second one comes with changing partition counts.
pub const GENERATION: u16 = 0;

/// How long a question to the broker may take.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the log is.
#[derive(Debug, Clone)]
pub struct Log {
    /// `host:port` of one or more brokers, separated by commas.
    pub brokers: String,
    /// What the names of topics and groups begin with.
    pub prefix: String,
}

impl Log {
    /// The topic with messages.
    #[must_use]
    pub fn messages(&self) -> String {
        format!("{}chat-messages", self.prefix)
    }

    /// The topic of dead letters.
    #[must_use]
    pub fn dead_letters(&self) -> String {
        format!("{}chat-dlq", self.prefix)
    }

    /// The group of the archive readers.
    #[must_use]
    pub fn archive_group(&self) -> String {
        format!("{}chat-persist", self.prefix)
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "chat-api")
            .set("allow.auto.create.topics", "false")
            // A broker that is back should be found again within a second.
            .set("reconnect.backoff.max.ms", "1000")
            .set("socket.nagle.disable", "true");
        config
    }
}
