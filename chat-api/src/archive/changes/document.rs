//! Changes as documents.

use mongodb::bson::{self, Bson, Document, RawDocumentBuf, cstr};

use crate::archive::document::{self, BadField, content, id, optional, place, text};
use crate::message::{Act, Body, Change, Emoji, Event, Kind, Proposal, Target, UserId};

/// The `verdict` of a proposal that counts.
pub(in crate::archive) const ACCEPTED: &str = "accepted";
/// The `verdict` of one that does not.
pub(in crate::archive) const VOID: &str = "void";

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
    let name = text(document, "type")?;
    if let Some(kind) = Kind::of_proposal(name) {
        let body = Body::Proposal(Box::new(proposal(document, kind)?));
        return document::to_event(document, body);
    }
    let kind = Kind::of_change(name).ok_or("type")?;
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

fn proposal(document: &Document, kind: Kind) -> Result<Proposal, BadField> {
    let signer = UserId::parse(text(document, "user_id")?).map_err(|_| "user_id")?;
    let fields = document.get_document("proposal").map_err(|_| "proposal")?;
    let json: Result<serde_json::Value, _> = bson::deserialize_from_document(fields.clone());
    let json = json.map_err(|_| "proposal")?.to_string();
    Proposal::read(kind, json.as_bytes(), &signer).ok_or("proposal")
}
