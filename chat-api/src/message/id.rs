//! Ids of messages.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Invalid;

/// The id of a message, unique in the whole system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub(super) Uuid);

impl MessageId {
    /// A new id: a UUIDv7 (RFC 9562 §5.7) of the given time and randomness.
    #[must_use]
    pub fn new(now: DateTime<Utc>, randomness: [u8; 10]) -> Self {
        // Before 1970 only on a broken clock; the id stays unique by its randomness.
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &randomness).into_uuid())
    }

    /// Parses the hyphenated form, in letters of either case (RFC 9562 §4). It is written in lower case.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let id = Uuid::parse_str(text).map_err(|_| Invalid("message id"))?;
        let is_hyphenated = id.to_string().eq_ignore_ascii_case(text);
        if is_hyphenated { Ok(Self(id)) } else { Err(Invalid("message id")) }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
