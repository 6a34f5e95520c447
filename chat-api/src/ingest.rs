//! The one way in: what REST and sockets both do with something that is to be said.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::kafka::{AppendError, Producer};
use crate::message::{Author, Cursor, Draft, Envelope, MessageId, RoomId};

/// The time of day and the randomness of this process, read where the outermost layer opened them.
#[derive(Clone, Copy)]
pub struct Sources {
    /// The present moment.
    pub now: fn() -> DateTime<Utc>,
    /// Ten random bytes.
    pub random: fn() -> [u8; 10],
}

/// Appends what people say to the log.
pub struct Ingest {
    producer: Arc<Producer>,
    sources: Sources,
}

/// Something that was said and stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub message_id: MessageId,
    /// Its place, if the log told it.
    pub cursor: Option<Cursor>,
}

/// Why something was not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is no such room for this person.
    #[error("there is no such room")]
    UnknownRoom,
    /// The log did not acknowledge it.
    #[error("{error}")]
    Log {
        /// The id it has if it stands in the log nevertheless.
        message_id: MessageId,
        /// What happened.
        error: AppendError,
    },
}

/// Whether there is such a room for a person. So far there is one, and it is everybody's.
#[must_use]
pub fn is_open_to_all(room: &RoomId) -> bool {
    room.as_str() == RoomId::LOBBY
}

impl Ingest {
    /// Appends by that producer.
    #[must_use]
    pub fn new(producer: Arc<Producer>, sources: Sources) -> Self {
        Self { producer, sources }
    }

    /// Says something: returns when the log has acknowledged it.
    pub async fn send(&self, author: &Author, draft: Draft) -> Result<Accepted, SendError> {
        let outcome = self.append(author, draft).await;
        let class = match &outcome {
            Ok(_) => "accepted",
            Err(SendError::UnknownRoom) => "unknown_room",
            Err(SendError::Log { error, .. }) => error.class(),
        };
        metrics::counter!("chat_sends_total", "outcome" => class).increment(1);
        if let Err(SendError::Log { message_id, error }) = &outcome {
            tracing::warn!(%message_id, %error, class, "a message was not acknowledged");
        }
        outcome
    }

    async fn append(&self, author: &Author, draft: Draft) -> Result<Accepted, SendError> {
        if !is_open_to_all(&draft.room_id) {
            return Err(SendError::UnknownRoom);
        }
        let envelope =
            Envelope::compose(draft, author, (self.sources.now)(), (self.sources.random)());
        let message_id = envelope.message_id;
        match self.producer.append(&envelope).await {
            Ok(appended) => Ok(Accepted { message_id, cursor: appended.cursor }),
            Err(error) => Err(SendError::Log { message_id, error }),
        }
    }
}

/// What an unacknowledged append means to whoever sent it: a code for programs, a text for people.
#[must_use]
pub fn explain(error: AppendError) -> (&'static str, &'static str) {
    match error {
        AppendError::Overloaded => {
            ("overloaded", "too much is under way; nothing was sent, try again")
        }
        AppendError::NotSent(_) => ("not-sent", "the message was not sent, try again"),
        AppendError::Unknown(_) => {
            ("unknown-outcome", "the message may have been sent; its id tells")
        }
        AppendError::Refused(_) => ("refused", "the message cannot be taken"),
    }
}
