//! Changes as documents.

use mongodb::bson::{Bson, Document, RawDocumentBuf, cstr};

use crate::archive::document::{self, BadField, content, id, optional, place, text};
use crate::message::{Act, Body, Change, Emoji, Event, Kind, Target};

/// The document of a change.
pub(in crate::archive) fn of_event(event: &Event, change: &Change) -> RawDocumentBuf {
    let Change { target, act } = change;
    let mut document = document::of_event(event);
    document.append(cstr!("type"), act.kind().name());
    document.append(cstr!("ref"), target.message_id.to_string());
    document.append(cstr!("ref_pos"), target.position.raw());
    match act {
        Act::Edit { content } => {
            if let Some(content) = content {
                document.append(cstr!("content"), content.as_str());
            }
        }
        Act::Delete => {}
        Act::React { emoji, on } => {
            document.append(cstr!("emoji"), emoji.as_str());
            document.append(cstr!("on"), *on);
        }
        Act::Pin { on } => document.append(cstr!("on"), *on),
    }
    document
}

/// The event of a document. Fields that a later release adds are left out.
pub(in crate::archive) fn to_event(document: &Document) -> Result<Event, BadField> {
    let kind = Kind::of_change(text(document, "type")?).ok_or("type")?;
    let on = || optional(document, "on", Bson::as_bool)?.ok_or("on");
    let act = match kind {
        Kind::Edit => Act::Edit { content: content(document, "content")? },
        Kind::Delete => Act::Delete,
        Kind::React => {
            let emoji = |value: &Bson| Emoji::parse(value.as_str()?).ok();
            let emoji = optional(document, "emoji", emoji)?.ok_or("emoji")?;
            Act::React { emoji, on: on()? }
        }
        Kind::Pin => Act::Pin { on: on()? },
        Kind::Message | Kind::Room | Kind::Member => return Err("type"),
    };
    let target = Target {
        message_id: id(document, "ref")?.ok_or("ref")?,
        position: place(document, "ref_pos")?.ok_or("ref_pos")?,
    };
    document::to_event(document, Body::Change(Change { target, act }))
}
