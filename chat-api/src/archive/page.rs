//! A page of a room's documents, bounded in bytes as well as in number.

use futures_util::TryStreamExt as _;
use mongodb::Collection;
use mongodb::bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};

use super::document::{self, Read};
use super::mongo::{READ_TIMEOUT, number};
use crate::message::{Position, RoomId};

/// Bytes of documents that a page has at most, unless its first one is larger: what a single
/// request makes this process hold. A message may have 16 KiB, most have a few hundred bytes.
pub const PAGE_BYTES: usize = 64 * 1024;
/// Documents that are asked for before it is known how large they are: an ordinary page. Were they as
/// large as can be, 800 KiB would come.
const FIRST: usize = 50;

/// Which part of a room's documents to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Only what stands behind this position.
    pub after: Option<Position>,
    /// Only what stands before this position.
    pub before: Option<Position>,
    /// From which end to take them.
    pub from: SpanEnd,
    /// The most documents to read.
    pub limit: u16,
}

impl Span {
    /// The same, but nothing that stands at this position or behind it.
    #[must_use]
    pub fn upto(self, head: Position) -> Self {
        Self { before: Some(self.before.map_or(head, |before| before.min(head))), ..self }
    }
}

/// An end of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanEnd {
    /// The latest of the span.
    Newest,
    /// The earliest of the span.
    Oldest,
}

/// What stands in a span, as much as a page has.
#[derive(Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The oldest one first.
    pub items: Vec<T>,
    /// The position of the last one in the direction of reading, if there may be more behind it.
    pub more_behind: Option<Position>,
}

/// Documents in the order in which they were read.
pub(super) struct Found {
    documents: Vec<RawDocumentBuf>,
    more_behind: Option<Position>,
}

impl Found {
    /// What these documents say. Those that cannot be read are left out.
    pub(super) fn page<T>(self, from: SpanEnd, read: Read<T>) -> Page<T> {
        let documents = self.documents.iter();
        let mut items: Vec<_> =
            documents.filter_map(|raw| document::readable_raw(raw, read)).collect();
        if from == SpanEnd::Newest {
            items.reverse();
        }
        Page { items, more_behind: self.more_behind }
    }
}

/// Which documents of a collection a page is made of, and what of them.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) collection: Collection<RawDocumentBuf>,
    /// The room, and whatever else is the same of all of them.
    pub(super) query: Document,
    /// The fields to read; all, if it is empty.
    pub(super) fields: Document,
}

impl Source {
    /// Everything of a room.
    pub(super) fn of(collection: &Collection<Document>, room: &RoomId, fields: Document) -> Self {
        let collection = collection.clone_with_type();
        Self { collection, query: doc! { "room_id": room.as_str() }, fields }
    }
}

/// Reads the documents of a span.
pub(super) async fn read(source: Source, mut span: Span) -> mongodb::error::Result<Found> {
    let limit = usize::from(span.limit);
    let (mut documents, mut bytes, mut asked) = (Vec::new(), 0, FIRST.min(limit));
    loop {
        let found = find(&source, span, asked).await?;
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
    Source { collection, query, fields }: &Source,
    span: Span,
    count: usize,
) -> mongodb::error::Result<Vec<RawDocumentBuf>> {
    // Both, so that only numbers are found: they are what a page goes on from.
    let (after, before) = (span.after.map_or(i64::MIN, Position::raw), span.before);
    let before = before.map_or(i64::MAX, Position::raw);
    let mut query = query.clone();
    query.insert("pos", doc! { "$gt": after, "$lt": before });
    let direction = if span.from == SpanEnd::Newest { -1 } else { 1 };
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    let find = collection.find(query).sort(doc! { "pos": direction }).projection(fields.clone());
    let find = find.limit(i64::from(count)).max_time(READ_TIMEOUT);
    // One more than there can be: otherwise the server keeps the cursor for a second answer.
    find.batch_size(u32::from(count) + 1).await?.try_collect().await
}
