//! Messages as documents.

use mongodb::bson::{Bson, Document, RawDocumentBuf, cstr};

use super::stored::{ReactionCount, StoredMessage};
use crate::archive::document::{self, BadField, content, id, optional, place, time};
use crate::archive::mongo::number;
use crate::message::{Body, BodyHash, Emoji, Event};

/// The document of a message that is new.
pub(in crate::archive) fn of_event(event: &Event) -> RawDocumentBuf {
    let mut document = document::of_event(event);
    if let Some(content) = event.envelope.body.content() {
        document.append(cstr!("content"), content.as_str());
    }
    if let Some(hash) = event.envelope.body_hash() {
        document.append(cstr!("body_hash"), hash.to_string());
    }
    if let Body::Message { reply_to: Some(reply_to), .. } = &event.envelope.body {
        document.append(cstr!("reply_to"), reply_to.to_string());
    }
    document
}

/// The message of a document. Fields that a later release adds are left out.
pub(in crate::archive) fn to_message(document: &Document) -> Result<StoredMessage, BadField> {
    // Documents of messages have none. What a later release writes beside them has.
    if document.get_str("type").is_ok_and(|kind| kind != "message") {
        return Err("type");
    }
    let deleted_at = time(document, "deleted_at")?;
    let content = content(document, "content")?;
    if content.is_some() == deleted_at.is_some() {
        return Err("content");
    }
    let hash = |value: &Bson| BodyHash::parse(value.as_str()?).ok();
    let body = Body::Message {
        content,
        body_hash: optional(document, "body_hash", hash)?,
        reply_to: id(document, "reply_to")?,
    };
    Ok(StoredMessage {
        event: document::to_event(document, body)?,
        original: document::content(document, "original")?,
        edited_at: time(document, "edited_at")?,
        deleted_at,
        changed: place(document, "changed")?,
        pinned: optional(document, "pinned", Bson::as_bool)?.unwrap_or_default(),
        reactions: optional(document, "reactions", counts)?.unwrap_or_default(),
    })
}

/// Reactions as they are counted when a message is read.
fn counts(value: &Bson) -> Option<Vec<ReactionCount>> {
    let count = |one: &Bson| {
        let one = one.as_document()?;
        Some(ReactionCount {
            emoji: Emoji::parse(one.get_str("emoji").ok()?).ok()?,
            count: u32::try_from(number(one.get("count")?)?).ok()?,
            mine: one.get_bool("mine").ok()?,
        })
    };
    value.as_array()?.iter().map(count).collect()
}
