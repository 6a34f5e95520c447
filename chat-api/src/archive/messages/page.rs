//! A page of a room's messages, bounded in bytes as well as in number.

use futures_util::TryStreamExt as _;
use mongodb::Collection;
use mongodb::bson::{Bson, RawDocument, RawDocumentBuf, doc};

use super::document;
use crate::archive::mongo::{READ_TIMEOUT, number};
use crate::message::{Event, Position, RoomId};

/// Bytes of documents that a page has at most, unless its first one is larger: what a single
/// request makes this process hold. A message may have 16 KiB, most have a few hundred bytes.
pub const PAGE_BYTES: usize = 64 * 1024;
/// Documents that are asked for before it is known how large they are: an ordinary page. Were they as
/// large as can be, 800 KiB would come.
const FIRST: usize = 50;

/// Which part of a room's messages to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Only messages behind this position.
    pub after: Option<Position>,
    /// Only messages before this position.
    pub before: Option<Position>,
    /// From which end to take them.
    pub from: SpanEnd,
    /// The most messages to read.
    pub limit: u16,
}

/// An end of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanEnd {
    /// The latest messages of the span.
    Newest,
    /// The earliest messages of the span.
    Oldest,
}

/// Messages of a span, as many as a page has.
#[derive(Debug, PartialEq, Eq)]
pub struct MessagePage {
    /// The oldest one first.
    pub events: Vec<Event>,
    /// The position of the last one in the direction of reading, if there may be more behind it.
    pub more_behind: Option<Position>,
}

/// Documents in the order in which they were read.
pub(in crate::archive) struct Found {
    documents: Vec<RawDocumentBuf>,
    more_behind: Option<Position>,
}

impl Found {
    /// The messages in these documents. Those that cannot be read are left out.
    pub(in crate::archive) fn page(self, from: SpanEnd) -> MessagePage {
        let documents = self.documents.iter();
        let mut events: Vec<_> = documents.filter_map(|raw| document::readable_raw(raw)).collect();
        if from == SpanEnd::Newest {
            events.reverse();
        }
        MessagePage { events, more_behind: self.more_behind }
    }
}

/// Reads the documents of a span.
pub(in crate::archive) async fn read(
    messages: Collection<RawDocumentBuf>,
    room: RoomId,
    mut span: Span,
) -> mongodb::error::Result<Found> {
    let limit = usize::from(span.limit);
    let (mut documents, mut bytes, mut asked) = (Vec::new(), 0, FIRST.min(limit));
    loop {
        let found = find(&messages, &room, span, asked).await?;
        let is_last = found.len() < asked;
        for raw in found {
            bytes += raw.as_bytes().len();
            if !documents.is_empty() && bytes > PAGE_BYTES {
                return Ok(Found { documents, more_behind: Some(end(span)) });
            }
            let Some(position) = position(&raw) else {
                return Ok(Found { documents, more_behind: None });
            };
            match span.from {
                SpanEnd::Newest => span.before = Some(position),
                SpanEnd::Oldest => span.after = Some(position),
            }
            documents.push(raw);
        }
        if is_last {
            return Ok(Found { documents, more_behind: None });
        }
        if documents.len() >= limit {
            return Ok(Found { documents, more_behind: Some(end(span)) });
        }
        // As many as fit if they are like those before.
        let fitting = PAGE_BYTES.saturating_sub(bytes) * documents.len() / bytes.max(1) + 1;
        asked = fitting.min(limit - documents.len());
    }
}

/// Where a document stands, though the rest of it may not be readable. Only what is a number is found.
fn position(document: &RawDocument) -> Option<Position> {
    let pos = Bson::try_from(document.get("pos").ok()??).ok()?;
    Position::from_raw(number(&pos)?).ok()
}

/// The place up to which a span was read.
fn end(span: Span) -> Position {
    let end = if span.from == SpanEnd::Newest { span.before } else { span.after };
    end.unwrap_or(Position::BEFORE_ALL)
}

async fn find(
    messages: &Collection<RawDocumentBuf>,
    room: &RoomId,
    span: Span,
    count: usize,
) -> mongodb::error::Result<Vec<RawDocumentBuf>> {
    // Both, so that only numbers are found: they are what a page goes on from.
    let (after, before) = (span.after.map_or(i64::MIN, Position::raw), span.before);
    let before = before.map_or(i64::MAX, Position::raw);
    let query = doc! { "room_id": room.as_str(), "pos": { "$gt": after, "$lt": before } };
    let direction = if span.from == SpanEnd::Newest { -1 } else { 1 };
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    let find = messages.find(query).sort(doc! { "pos": direction });
    let find = find.limit(i64::from(count)).max_time(READ_TIMEOUT);
    // One more than there can be: otherwise the server keeps the cursor for a second answer.
    find.batch_size(u32::from(count) + 1).await?.try_collect().await
}
