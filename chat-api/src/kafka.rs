//! The log: appending to it, reading it, its topics, and what can go wrong with it.

mod breaker;
mod codec;
mod consumer;
mod dlq;
mod error;
mod gate;
mod in_flight;
mod log;
mod markers;
mod partitioner;
mod producer;
mod raw;
mod reach;
mod reminder;
mod scan;
mod security;
mod topics;
mod trace;

pub use codec::{DecodeError, Decoder, encode};
pub use consumer::{Change, GroupConsumer, Item, ManualConsumer, Range, Ranges, Share};
pub use dlq::{DeadLetter, DeadLetters, NewDeadLetter, Origin, ReplayError};
pub use error::{AppendError, LogError};
pub use in_flight::Bounds;
pub use log::{LAST_GENERATION, Log};
pub use markers::{MarkerItem, MarkerShare, MarkerTail};
pub use partitioner::Partitioner;
pub use producer::{Appended, Producer};
pub use raw::Raw;
pub use scan::Scan;
pub use security::{ClientCertificate, Sasl, SaslMechanism, Security, Tls};
pub use topics::{TopicShape, Topics};
pub use trace::Trace;
