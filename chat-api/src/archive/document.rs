//! What every document of a record has, and what becomes of one that cannot be read.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use mongodb::bson::{self, Bson, Document, RawDocument, RawDocumentBuf, doc, rawdoc};

use super::mongo::number;
use crate::message::{
    Body, Content, Envelope, Event, MessageId, Partition, Position, RoomId, UserId, UserName,
};
use crate::metrics;

/// How many ids are remembered, each of at most 256 bytes.
const NAMED_MAX: usize = 1_000;
/// How many characters of an id are shown: a UUID has 36.
const ID_SHOWN: usize = 64;

/// The name of a field that is not as this release writes it.
pub(super) type BadField = &'static str;

/// What makes something of a document.
pub(super) type Read<T> = fn(&Document) -> Result<T, BadField>;

/// The document of an event but for what its kind adds, in the form in which it is sent: a tree of values
/// would cost more than what it is made of.
pub(super) fn of_event(event: &Event) -> RawDocumentBuf {
    let envelope = &event.envelope;
    rawdoc! {
        "_id": envelope.message_id.to_string(),
        "room_id": envelope.room_id.as_str(),
        "partition": event.partition.number(),
        "pos": event.position.raw(),
        "user_id": envelope.user_id.as_str(),
        "user_name": envelope.user_name.as_str(),
        "timestamp": bson::DateTime::from_millis(envelope.timestamp.timestamp_millis()),
    }
}

/// The event of a document, as far as every kind of them is the same.
pub(super) fn to_event(document: &Document, body: Body) -> Result<Event, BadField> {
    let partition = document.get_i32("partition").map_err(|_| "partition")?;
    let envelope = Envelope {
        message_id: id(document, "_id")?.ok_or("_id")?,
        room_id: RoomId::parse(text(document, "room_id")?).map_err(|_| "room_id")?,
        user_id: UserId::parse(text(document, "user_id")?).map_err(|_| "user_id")?,
        user_name: UserName::parse(text(document, "user_name")?).map_err(|_| "user_name")?,
        timestamp: time(document, "timestamp")?.ok_or("timestamp")?,
        body,
    };
    Ok(Event {
        partition: Partition::from_number(partition).map_err(|_| "partition")?,
        position: place(document, "pos")?.ok_or("pos")?,
        envelope,
    })
}

/// A text that must be there.
pub(super) fn text(document: &Document, field: BadField) -> Result<&str, BadField> {
    document.get_str(field).map_err(|_| field)
}

/// A content, if there is one.
pub(super) fn content(document: &Document, field: BadField) -> Result<Option<Content>, BadField> {
    optional(document, field, |value| Content::parse(value.as_str()?).ok())
}

/// An id, if there is one.
pub(super) fn id(document: &Document, field: BadField) -> Result<Option<MessageId>, BadField> {
    optional(document, field, |value| MessageId::parse(value.as_str()?).ok())
}

/// A time, if there is one.
pub(super) fn time(
    document: &Document,
    field: BadField,
) -> Result<Option<DateTime<Utc>>, BadField> {
    optional(document, field, |value| {
        DateTime::from_timestamp_millis(value.as_datetime()?.timestamp_millis())
    })
}

/// A place, if there is one.
pub(super) fn place(document: &Document, field: BadField) -> Result<Option<Position>, BadField> {
    optional(document, field, |value| Position::from_raw(number(value)?).ok())
}

/// What a field holds, if it is there; it must be something then.
pub(super) fn optional<T>(
    document: &Document,
    field: BadField,
    read: impl FnOnce(&Bson) -> Option<T>,
) -> Result<Option<T>, BadField> {
    document.get(field).map(|value| read(value).ok_or(field)).transpose()
}

/// What a document says, if this release can read it. One that it cannot hides none of its neighbours: it
/// is named, once, and left out.
pub(super) fn readable<T>(document: &Document, read: Read<T>) -> Option<T> {
    read(document).inspect_err(|field| leave_out(&shown_id(document), field)).ok()
}

/// The same of a document as it came. The server takes texts that are not UTF-8, of which no tree can be
/// made.
pub(super) fn readable_raw<T>(raw: &RawDocument, read: Read<T>) -> Option<T> {
    if let Ok(document) = Document::try_from(raw) {
        return readable(&document, read);
    }
    let named = raw.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
    let named = named.map_or_else(Document::new, |id| doc! { "_id": id });
    leave_out(&shown_id(&named), metrics::ENCODING);
    None
}

/// Names a document that is left out. Its content is not named.
fn leave_out(id: &str, field: BadField) {
    if NAMED.lock().unwrap_or_else(PoisonError::into_inner).is_news(id) {
        tracing::warn!(document = id, field, "archive: a document is left out");
        ::metrics::counter!(metrics::UNREADABLE_DOCUMENTS, "field" => field).increment(1);
    }
}

/// Whoever reads a page reads it often: each document is named once in the life of this process.
static NAMED: Mutex<Named> = Mutex::new(Named(BTreeSet::new()));

/// The ids that were named.
struct Named(BTreeSet<String>);

impl Named {
    /// Whether an id was not named yet. When there are too many, all are forgotten.
    fn is_news(&mut self, id: &str) -> bool {
        if self.0.contains(id) {
            return false;
        }
        if self.0.len() >= NAMED_MAX {
            self.0.clear();
        }
        self.0.insert(id.to_owned())
    }
}

/// The id to find a document by. Ours are short.
fn shown_id(document: &Document) -> String {
    match document.get("_id") {
        Some(Bson::String(id)) => id.escape_debug().take(ID_SHOWN).collect(),
        Some(Bson::ObjectId(id)) => id.to_hex(),
        Some(other) => format!("{:?}", other.element_type()),
        None => "none".to_owned(),
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
