//! The one way in: what REST and sockets both do with something that is to be said.

mod changes;
mod error;
mod markers;
mod proposals;
mod waits;
mod writes;

use std::sync::Arc;

use governor::clock::MonotonicClock;
use service_process::metrics::OutcomeCounter;
use service_process::sources::Sources;
use service_process::telemetry::TRACED;
use tokio::time::timeout;
use tracing::field::Empty;
use tracing::{Instrument as _, info_span};

use crate::archive::{History, Reads};
use crate::hub::{Hub, Recalled};
use crate::kafka::{AppendError, Appended, Partitioner, Producer};
use crate::lookup::Lookup;
use crate::message::{Author, Cursor, Draft, Envelope, MessageId, Partition, RoomId};
use crate::metrics;
use crate::rate::Rates;
use crate::room_loader::RoomLoader;
use waits::{LOOKUP, READ_BACK};

pub use changes::{Done, Named, Wish};
pub use error::SendError;
use error::may_say;
pub use markers::{Marked, MarkerLog};
pub use proposals::Settled;
pub use writes::{NewKind, Writes};

/// Appends what people say to the log.
pub struct Ingest {
    /// Appends to the log.
    pub producer: Arc<Producer>,
    /// Appends to the topic with markers.
    pub markers: MarkerLog,
    /// Which partition a room is in.
    pub partitioner: Partitioner,
    /// Tells what was said lately with the same key.
    pub hub: Arc<Hub>,
    /// The archive: it tells what was said with the same key before that.
    pub reads: Arc<Reads>,
    /// What each person may do in a room.
    pub rooms: Arc<RoomLoader>,
    /// How fast each person may speak.
    pub rates: Rates<MonotonicClock>,
    /// How many rooms each person may make.
    pub rooms_made: Rates<MonotonicClock>,
    /// What may be written besides messages.
    pub writes: Writes,
    /// The clock and the randomness that ids and timestamps are made of.
    pub sources: Sources,
    /// Counts what became of each, as [`metrics::SENDS`].
    pub sends: OutcomeCounter,
}

/// An envelope, and the partition of its room.
struct Placed {
    partition: Partition,
    envelope: Envelope,
}

/// Something that was said and stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The id of its record.
    pub message_id: MessageId,
    /// Its place, if the log told it.
    pub cursor: Option<Cursor>,
}

impl Ingest {
    /// Says something: returns when the log has acknowledged it. Without a key it is handed to the log
    /// before anything is waited for, so that what one person says keeps its order; in a room that is not
    /// known here yet, that is waited for.
    pub async fn send(&self, author: &Author, draft: Draft) -> Result<Accepted, SendError> {
        let span = info_span!(
            target: TRACED,
            "send",
            otel.kind = "producer",
            otel.status_code = Empty,
            outcome = Empty,
        );
        let outcome = self.say(author, draft).instrument(span.clone()).await;
        let class = match &outcome {
            Ok(_) => "accepted",
            Err(error) => error.class(),
        };
        self.sends.count(class);
        span.record("outcome", class);
        if matches!(outcome, Err(SendError::Log { .. })) {
            span.record("otel.status_code", "ERROR");
        }
        match &outcome {
            // The breaker said so, once for all of them.
            Err(SendError::Log { error: AppendError::Unavailable, .. }) => {}
            Err(SendError::Log { message_id, error }) => {
                tracing::warn!(%message_id, %error, class, "a message was not acknowledged");
            }
            _ => {}
        }
        outcome
    }

    async fn say(&self, author: &Author, draft: Draft) -> Result<Accepted, SendError> {
        if !self.rates.admits(&author.user_id) {
            return Err(SendError::TooFast);
        }
        may_say(self.rooms.access(&draft.room_id, &author.user_id).await?)?;
        let partition = self.partitioner.of(&draft.room_id);
        if let Some(reply_to) = draft.reply_to {
            self.check_reply(author, &draft.room_id, reply_to).await?;
        }
        let envelope =
            Envelope::compose(draft, author, (self.sources.now)(), (self.sources.random)());
        let placed = Placed { partition, envelope };
        if let Some(original) = self.said_before(author, &placed).await? {
            ::metrics::counter!(metrics::REPEATED_SENDS).increment(1);
            return placed.settle(original);
        }
        let message_id = placed.envelope.message_id;
        let appended = self.producer.append(partition, &placed.envelope).await;
        let appended = appended.map_err(|error| SendError::Log { message_id, error })?;
        self.read_back(&placed, appended).await
    }

    /// Whether a message of a room may be answered. One that was deleted may: it is still there.
    async fn check_reply(
        &self,
        author: &Author,
        room: &RoomId,
        id: MessageId,
    ) -> Result<(), SendError> {
        if !self.writes.allow(NewKind::Reply) {
            return Err(SendError::NotOpenYet(NewKind::Reply));
        }
        let reader = self.reads.admit(&author.user_id).map_err(|_| SendError::TooFast)?;
        let lookup = Lookup { hub: &self.hub, partitioner: self.partitioner, reader: &reader };
        lookup.find(Some(room), id).await?.map(drop).ok_or(SendError::UnknownMessage)
    }

    /// What was said with this key before, if there is a key and it is known.
    async fn said_before(
        &self,
        author: &Author,
        Placed { partition, envelope }: &Placed,
    ) -> Result<Option<Recalled>, SendError> {
        if envelope.body_hash().is_none() {
            return Ok(None);
        }
        let id = envelope.message_id;
        if let Some(recalled) = self.hub.recall(*partition, id) {
            return Ok(Some(recalled));
        }
        let reader = self.reads.admit(&author.user_id).map_err(|_| SendError::TooFast)?;
        let found =
            match timeout(LOOKUP, History::of(&reader).find(Some(&envelope.room_id), id)).await {
                Ok(Ok(found)) => found,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a key cannot be looked up");
                    None
                }
                Err(_) => {
                    tracing::warn!("a key cannot be looked up in time");
                    None
                }
            };
        Ok(found.map(|found| Recalled {
            position: found.event.position,
            // What a deleted message said is not known any more: it may have been the same.
            body_hash: match found.deleted_at {
                None => found.event.envelope.body_hash(),
                Some(_) => envelope.body_hash(),
            },
        }))
    }

    /// Answers with the place of the record that counts: not this one, if another replica was faster
    /// with the same key. Only a record that comes back out of the log tells.
    async fn read_back(&self, placed: &Placed, appended: Appended) -> Result<Accepted, SendError> {
        let message_id = placed.envelope.message_id;
        if placed.envelope.body_hash().is_none() && appended.cursor.is_some() {
            return Ok(Accepted { message_id, cursor: appended.cursor });
        }
        let appeared = self.hub.appeared(placed.partition, message_id);
        match timeout(READ_BACK, appeared).await {
            Ok(original) => placed.settle(original),
            Err(_) => Ok(Accepted { message_id, cursor: None }),
        }
    }
}

impl Placed {
    /// Accepts a message by the record that counts, unless that one says something else.
    fn settle(&self, original: Recalled) -> Result<Accepted, SendError> {
        if original.body_hash != self.envelope.body_hash() {
            return Err(SendError::Conflict);
        }
        let cursor = Cursor { partition: self.partition, position: original.position };
        Ok(Accepted { message_id: self.envelope.message_id, cursor: Some(cursor) })
    }
}
