//! A room as it happened: what whoever was away missed, in the log's order.

use super::error::ReadError;
use super::messages::page::{self, Span, SpanEnd};
use super::reads::Reader;
use crate::message::{Event, Partition, Position, RoomId};

/// Reads rooms as they happened, for somebody who was admitted.
pub struct Replay<'a>(&'a Reader<'a>);

/// Some of what happened in a room.
#[derive(Debug, PartialEq, Eq)]
pub struct Replayed {
    /// In the log's order.
    pub events: Vec<Event>,
    /// The position of the last one, if there may be more behind it.
    pub more_behind: Option<Position>,
    /// Up to here nothing of the partition is missing, unless there is more.
    pub complete: Position,
}

impl<'a> Replay<'a> {
    /// Reads by the admission of this reader.
    #[must_use]
    pub fn of(reader: &'a Reader<'_>) -> Self {
        Self(reader)
    }

    /// What happened in a room from `next` on: at most `limit` events, and at most [`PAGE_BYTES`]
    /// of them.
    ///
    /// [`PAGE_BYTES`]: super::PAGE_BYTES
    pub async fn read(
        &self,
        partition: Partition,
        room: &RoomId,
        next: Position,
        limit: u16,
    ) -> Result<Replayed, ReadError> {
        // First: what the archive takes in meanwhile can only be more.
        let complete = self.0.progress(partition).await?;
        let span = Span {
            after: Some(next.previous()),
            before: Some(complete.next()),
            from: SpanEnd::Oldest,
            limit,
        };
        let messages = self.0.messages().clone_with_type();
        let found = self.0.operate(page::read(messages, room.clone(), span)).await?;
        let page::MessagePage { events, more_behind } = found.page(span.from);
        Ok(Replayed { events, more_behind, complete })
    }
}
