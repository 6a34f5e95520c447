//! A room as it is now: what people are shown, page by page.

use chrono::{DateTime, Utc};
use mongodb::bson::{Document, doc};
use mongodb::options::Hint;

use super::changes::document::to_event;
use super::document::readable;
use super::error::{ArchiveError, ReadError};
use super::messages::document::to_message;
use super::messages::since::Since;
use super::messages::stored::{self, StoredMessage};
use super::mongo::READ_TIMEOUT;
use super::page::{self, Page, Source, Span};
use super::reads::Reader;
use crate::message::{Event, Kind, MessageId, Position, RoomId};

/// Reads rooms as they are now, for somebody who was admitted.
pub struct History<'a>(&'a Reader<'a>);

impl<'a> History<'a> {
    /// Reads by the admission of this reader.
    #[must_use]
    pub fn of(reader: &'a Reader<'_>) -> Self {
        Self(reader)
    }

    /// The message of an id, in that room if one is named: then one shard is asked.
    pub async fn find(
        &self,
        room: Option<&RoomId>,
        id: MessageId,
    ) -> Result<Option<StoredMessage>, ReadError> {
        let (messages, fields) = (self.0.messages(), stored::shown_to(self.0.person()));
        let mut query = Document::new();
        if let Some(room) = room {
            query.insert("room_id", room.as_str());
        }
        query.insert("_id", id.to_string());
        let found = async move {
            let find = messages.find_one(query).hint(Hint::Keys(doc! { "_id": 1 }));
            let find = find.projection(fields);
            find.max_time(READ_TIMEOUT).await
        };
        let found = self.0.operate(found).await?;
        Ok(found.as_ref().and_then(|document| readable(document, to_message)))
    }

    /// The first place of a room whose stamp is `time` or later, in its full precision. A stamp that is
    /// later than the log's own clock by more than five minutes is not trusted: by what follows it in
    /// the log or, at its end, by what it is `now`.
    pub async fn since(
        &self,
        room: &RoomId,
        time: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<Position>, ReadError> {
        // Stamps are in milliseconds: a time between two of them is before the later one.
        let between = !time.timestamp_subsec_nanos().is_multiple_of(1_000_000);
        let since = Since {
            messages: self.0.messages(),
            room: room.clone(),
            time: time.timestamp_millis() + i64::from(between),
            now: now.timestamp_millis(),
        };
        let position = self.0.operate(since.find()).await?;
        let position = position.map(Position::from_raw).transpose();
        Ok(position.map_err(|_| ArchiveError::Foreign("messages"))?)
    }

    /// A page of the edits of a message.
    pub async fn edits(
        &self,
        room: &RoomId,
        id: MessageId,
        span: Span,
    ) -> Result<Page<Event>, ReadError> {
        let mut source = Source::of(&self.0.changes(), room, Document::new());
        source.query.insert("type", Kind::Edit.name());
        source.query.insert("ref", id.to_string());
        let found = self.0.operate(page::read(source, span)).await?;
        Ok(found.page(span.from, to_event))
    }

    /// A page of the messages of a span.
    pub async fn page(&self, room: &RoomId, span: Span) -> Result<Page<StoredMessage>, ReadError> {
        let fields = stored::shown_to(self.0.person());
        let source = Source::of(&self.0.messages(), room, fields);
        let found = self.0.operate(page::read(source, span)).await?;
        Ok(found.page(span.from, to_message))
    }
}
