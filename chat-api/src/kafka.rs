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
use rdkafka::metadata::MetadataTopic;

use crate::message::{Invalid, Position};

pub use codec::{DecodeError, Decoder, encode};
pub use consumer::{Change, GroupConsumer, Item, ManualConsumer, Range, Ranges};
pub use dlq::{DeadLetter, DeadLetters, NewDeadLetter, Origin, ReplayError};
pub use error::{AppendError, LogError};
pub use in_flight::Bounds;
pub use partitioner::Partitioner;
pub use producer::{Appended, Producer};
pub use raw::Raw;
pub use scan::Scan;
pub use topics::{TopicShape, Topics};
pub use trace::Trace;

/// Generations have 15 bits of a position.
pub const LAST_GENERATION: u16 = (1 << 15) - 1;

/// How long a question to the broker may take.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the log is.
#[derive(Debug, Clone)]
pub struct Log {
    /// `host:port` of one or more brokers, separated by commas.
    pub brokers: String,
    /// What the names of topics and groups begin with.
    pub prefix: String,
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

    /// The same log with the newest generation that there is. An error says which brokers were asked and
    /// what stood in the way. Blocks.
    pub fn newest(mut self) -> Result<Self, LogError> {
        let metadata = reach::metadata(&self, None)?;
        let names: Vec<_> = metadata.topics().iter().map(MetadataTopic::name).collect();
        let first = format!("{}chat-messages.g", self.prefix);
        // Not of another form, such as `g07`: such a topic is somebody else's.
        let number = |text: &str| {
            let number: u16 = text.parse().ok()?;
            (number.to_string() == text).then_some(number)
        };
        let later = names.iter().filter_map(|name| number(name.strip_prefix(&first)?));
        self.generation = later.filter(|number| *number <= LAST_GENERATION).max().unwrap_or(0);
        Ok(self)
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
