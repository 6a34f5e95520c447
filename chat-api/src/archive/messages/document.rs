//! Events as documents.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use chrono::DateTime;
use mongodb::bson::{self, Bson, Document, RawDocument, RawDocumentBuf, cstr, doc, rawdoc};

use crate::message::{
    Body, BodyHash, Content, Envelope, Event, MessageId, Partition, Position, RoomId, UserId,
    UserName,
};
use crate::metrics;

/// How many ids are remembered, each of at most 256 bytes.
const NAMED_MAX: usize = 1_000;
/// How many characters of an id are shown: a UUID has 36.
const ID_SHOWN: usize = 64;

/// The document of an event, in the form in which it is sent: a tree of values would cost more than
/// what it is made of.
pub(super) fn of_event(event: &Event) -> RawDocumentBuf {
    let envelope = &event.envelope;
    let Body::Message { content, body_hash } = &envelope.body;
    let mut document = rawdoc! {
        "_id": envelope.message_id.to_string(),
        "room_id": envelope.room_id.as_str(),
        "partition": event.partition.number(),
        "pos": event.position.raw(),
        "user_id": envelope.user_id.as_str(),
        "user_name": envelope.user_name.as_str(),
        "timestamp": bson::DateTime::from_millis(envelope.timestamp.timestamp_millis()),
        "content": content.as_str(),
    };
    if let Some(hash) = body_hash {
        document.append(cstr!("body_hash"), hash.to_string());
    }
    document
}

/// Why a document is no event that this release knows. Its content is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unreadable {
    /// Its id, if that is a text; otherwise what it is.
    id: String,
    /// The first field that is not as this release writes it, or `encoding`.
    field: &'static str,
}

/// The event of a document, if it is one that this release can read. One that is not hides none of its
/// neighbours: it is named, once, and left out.
pub(in crate::archive) fn readable(document: &Document) -> Option<Event> {
    to_event(document).inspect_err(leave_out).ok()
}

/// The same of a document as it came. The server takes texts that are not UTF-8, of which no tree can be
/// made.
pub(super) fn readable_raw(raw: &RawDocument) -> Option<Event> {
    if let Ok(document) = Document::try_from(raw) {
        return readable(&document);
    }
    let named = raw.get("_id").ok().flatten().and_then(|id| Bson::try_from(id).ok());
    let named = named.map_or_else(Document::new, |id| doc! { "_id": id });
    leave_out(&Unreadable { id: id(&named), field: metrics::ENCODING });
    None
}

/// Names a document that is left out.
fn leave_out(Unreadable { id, field }: &Unreadable) {
    if NAMED.lock().unwrap_or_else(PoisonError::into_inner).is_news(id) {
        tracing::warn!(document = id, field, "archive: a document is left out");
        ::metrics::counter!(metrics::UNREADABLE_DOCUMENTS, "field" => *field).increment(1);
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

/// The event of a document. Fields that a later release adds are left out.
fn to_event(document: &Document) -> Result<Event, Unreadable> {
    read(document).map_err(|field| Unreadable { id: id(document), field })
}

/// Where an event stands, though the rest of its document may not be readable.
pub(super) fn position(document: &Document) -> Option<Position> {
    Position::from_raw(document.get_i64("pos").ok()?).ok()
}

fn read(document: &Document) -> Result<Event, &'static str> {
    let text = |field| document.get_str(field).map_err(|_| field);
    // Documents of messages have none. What a later release writes beside them has.
    if document.get_str("type").is_ok_and(|kind| kind != "message") {
        return Err("type");
    }
    let message_id = MessageId::parse(text("_id")?).map_err(|_| "_id")?;
    let number = document.get_i32("partition").map_err(|_| "partition")?;
    let partition = Partition::from_number(number).map_err(|_| "partition")?;
    let position = position(document).ok_or("pos")?;
    let time = document.get_datetime("timestamp").map_err(|_| "timestamp")?;
    let timestamp = DateTime::from_timestamp_millis(time.timestamp_millis()).ok_or("timestamp")?;
    let body_hash = match document.get("body_hash") {
        Some(_) => Some(BodyHash::parse(text("body_hash")?).map_err(|_| "body_hash")?),
        None => None,
    };
    let envelope = Envelope {
        message_id,
        room_id: RoomId::parse(text("room_id")?).map_err(|_| "room_id")?,
        user_id: UserId::parse(text("user_id")?).map_err(|_| "user_id")?,
        user_name: UserName::parse(text("user_name")?).map_err(|_| "user_name")?,
        timestamp,
        body: Body::Message {
            content: Content::parse(text("content")?).map_err(|_| "content")?,
            body_hash,
        },
    };
    Ok(Event { partition, position, envelope })
}

/// The id to find a document by. Ours are short.
fn id(document: &Document) -> String {
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
