//! A message as it is now.

use chrono::{DateTime, Utc};
use mongodb::bson::{Bson, Document, doc};

use crate::message::{Body, Content, Emoji, Event, Position, UserId};

/// A message as it is now, whatever was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// The message with its present text.
    pub event: Event,
    /// Its first text, if it has another one now.
    pub original: Option<Content>,
    /// When it got its present text.
    pub edited_at: Option<DateTime<Utc>>,
    /// When it was deleted. It has no text then.
    pub deleted_at: Option<DateTime<Utc>>,
    /// The place of the last change that is in this.
    pub changed: Option<Position>,
    /// Whether it is pinned to its room.
    pub pinned: bool,
    /// Who reacts how, counted.
    pub reactions: Vec<ReactionCount>,
}

/// How many react in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionCount {
    /// With what.
    pub emoji: Emoji,
    /// How many people, at least one.
    pub count: u32,
    /// Whether whoever reads this is one of them.
    pub mine: bool,
}

impl StoredMessage {
    /// The event that it was when it was said. A deleted one has no text.
    #[must_use]
    pub fn as_said(self) -> Event {
        let Self { mut event, original, .. } = self;
        if let (Body::Message { content, .. }, Some(original)) =
            (&mut event.envelope.body, original)
        {
            *content = Some(original);
        }
        event
    }
}

/// The fields of a message as a person, or a guest, is shown them: reactions are counted by the server, so that a message
/// that many react to costs a page no more than others.
pub(in crate::archive) fn shown_to(person: Option<&UserId>) -> Document {
    let is_theirs = match person {
        Some(person) => doc! { "$in": [{ "$literal": person.as_str() }, "$$one.v"] }.into(),
        None => Bson::Boolean(false),
    };
    let count = doc! {
        "emoji": "$$one.k",
        "count": { "$cond": [{ "$isArray": "$$one.v" }, { "$size": "$$one.v" }, 0] },
        "mine": { "$cond": [{ "$isArray": "$$one.v" }, is_theirs, false] },
    };
    let counts = doc! { "$map": {
        "input": { "$objectToArray": "$reactions" },
        "as": "one",
        "in": count,
    } };
    let is_ours = doc! { "$eq": [{ "$type": "$reactions" }, "object"] };
    let mut fields = doc! { "reactions": { "$cond": [is_ours, counts, "$$REMOVE"] } };
    for field in FIELDS {
        fields.insert(field, 1);
    }
    fields
}

/// The fields of a message as it was said.
pub(in crate::archive) fn said() -> Document {
    FIELDS.into_iter().map(|field| (field.to_owned(), 1.into())).collect()
}

/// Every field but reactions.
const FIELDS: [&str; 16] = [
    "_id",
    "body_hash",
    "changed",
    "content",
    "deleted_at",
    "edited_at",
    "original",
    "partition",
    "pinned",
    "pos",
    "reply_to",
    "room_id",
    "timestamp",
    "type",
    "user_id",
    "user_name",
];
