//! A room as it happened: what whoever was away missed, in the log's order.

use mongodb::bson::{Document, doc};

use super::changes::document::{VOID, to_event};
use super::error::ReadError;
use super::messages::document::to_message;
use super::messages::stored::{self, StoredMessage};
use super::page::{self, Page, Source, Span, SpanEnd};
use super::reads::Reader;

use crate::message::{Event, Kind, Partition, Position, RoomId};

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
        let said = Source::of(&self.0.messages(), room, stored::said());
        let mut done = Source::of(&self.0.changes(), room, Document::new());
        let kinds: Vec<_> =
            Kind::CHANGES.into_iter().chain(Kind::PROPOSALS).map(Kind::name).collect();
        done.query.insert("type", doc! { "$in": kinds });
        // What does not count is nobody's event.
        done.query.insert("verdict", doc! { "$ne": VOID });
        let found = async move {
            // One after the other: they are one read, with one connection.
            Ok((page::read(said, span).await?, page::read(done, span).await?))
        };
        let (said, done) = self.0.operate(found).await?;
        let said = said.page(span.from, to_message);
        let said = Page {
            items: said.items.into_iter().map(StoredMessage::as_said).collect(),
            more_behind: said.more_behind,
        };
        let (events, more_behind) = merge([said, done.page(span.from, to_event)], limit);
        Ok(Replayed { events, more_behind, complete })
    }
}

/// What stands in both pages, in the log's order, as far as both go; and the place behind which there may be
/// more.
fn merge(pages: [Page<Event>; 2], limit: u16) -> (Vec<Event>, Option<Position>) {
    let mut end = pages.iter().filter_map(|page| page.more_behind).min();
    let mut events: Vec<Event> = pages.into_iter().flat_map(|page| page.items).collect();
    events.sort_unstable_by_key(|event| event.position);
    events.retain(|event| end.is_none_or(|end| event.position <= end));
    if events.len() > usize::from(limit) {
        events.truncate(usize::from(limit));
        end = events.last().map(|event| event.position);
    }
    (events, end)
}
