//! The value of a record as this release reads it: an envelope, or one of a later release.
//!
//! While a new release is rolled out, readers of this one meet records of kinds and versions that
//! they do not know. Those are no faults of whoever wrote them, and differ from what nobody can
//! read: each reader can wait for its own upgrade.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use serde::Deserialize;
use serde::de::Error as _;

use super::envelope::VERSION;
use super::proposal_record;
use super::{
    Act, Body, BodyHash, Change, Content, Emoji, Envelope, Kind, MessageId, Position, RoomId,
    Target, UserId, UserName,
};

/// Names of kinds go into logs and reasons: long enough for any, too short to say something.
const KIND_MAX: usize = 64;

/// What a record says, as far as this release understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// A record of a kind that this release knows.
    Known(Envelope),
    /// A record that a later release wrote.
    Newer(Newer),
}

/// A record of a kind, or in a form, that this release does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newer {
    /// The room it is about: its key, which names the room in every form.
    pub room_id: RoomId,
    /// What it calls itself.
    pub head: Head,
}

/// What every record says of itself, in whatever form the rest is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The version of its form.
    pub version: u64,
    /// The name of its kind, of at most 64 letters, digits, `_`, `-` and dots.
    pub kind: String,
    /// Whoever does not understand it knows nothing certain of its room from here on.
    pub critical: bool,
}

impl fmt::Display for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "type {}, version {}", self.kind, self.version)
    }
}

/// What a value is, before its place in the log is looked at.
pub(crate) enum ReadValue {
    Known(Envelope),
    Newer(Head),
}

/// A message as it is read. Fields that a later release adds are left out.
#[derive(Deserialize)]
struct ReadMessage<'a> {
    v: u64,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    message_id: MessageId,
    room_id: RoomId,
    user_id: UserId,
    user_name: UserName,
    #[serde(deserialize_with = "timestamp")]
    timestamp: DateTime<Utc>,
    content: Content,
    #[serde(default)]
    body_hash: Option<BodyHash>,
    #[serde(default)]
    reply_to: Option<MessageId>,
}

/// What was done to a message, likewise.
#[derive(Deserialize)]
struct ReadChange {
    message_id: MessageId,
    room_id: RoomId,
    user_id: UserId,
    user_name: UserName,
    #[serde(deserialize_with = "timestamp")]
    timestamp: DateTime<Utc>,
    #[serde(rename = "ref")]
    target: MessageId,
    #[serde(deserialize_with = "place")]
    ref_pos: Position,
    #[serde(default)]
    content: Option<Content>,
    #[serde(default)]
    emoji: Option<Emoji>,
    #[serde(default)]
    on: Option<bool>,
}

/// What every record says of who did it and when.
#[derive(Deserialize)]
struct ReadSigned {
    message_id: MessageId,
    room_id: RoomId,
    user_id: UserId,
    user_name: UserName,
    #[serde(deserialize_with = "timestamp")]
    timestamp: DateTime<Utc>,
}

#[derive(Deserialize)]
struct AnyHead<'a> {
    v: u64,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    critical: Option<bool>,
}

/// Reads the value of a record, which must be an object. `extra_kind` is one more kind that is read as
/// a message.
pub(crate) fn read(value: &[u8], extra_kind: Option<&str>) -> Result<ReadValue, serde_json::Error> {
    // Most are messages, and are read once.
    let is_known = |v: u64, kind: &str| {
        v == VERSION && (kind == Kind::Message.name() || extra_kind == Some(kind))
    };
    let fault = match serde_json::from_slice::<ReadMessage<'_>>(value) {
        Ok(said) if is_known(said.v, &said.kind) => {
            return Ok(ReadValue::Known(said.into()));
        }
        Ok(_) => None,
        Err(fault) => Some(fault),
    };
    let head: AnyHead<'_> = match serde_json::from_slice(value) {
        Ok(head) => head,
        // What was said first names the first fault.
        Err(error) => return Err(fault.unwrap_or(error)),
    };
    if head.v == VERSION
        && let Some(kind) = Kind::of_change(&head.kind)
    {
        let change: ReadChange = serde_json::from_slice(value)?;
        return change.envelope(kind).map(ReadValue::Known).map_err(serde_json::Error::custom);
    }
    // Where one proposal is not understood, nothing certain is known of the room any more. So one that is
    // not as this release writes them is not passed over: readers wait.
    let proposal = Kind::of_proposal(&head.kind).filter(|_| head.v == VERSION);
    if let Some(Ok(envelope)) = proposal.map(|kind| read_proposal(value, kind)) {
        return Ok(ReadValue::Known(envelope));
    }
    match fault {
        Some(fault) if is_known(head.v, &head.kind) || !is_name(&head.kind) => Err(fault),
        None if !is_name(&head.kind) => Err(serde_json::Error::custom("type is not a name")),
        _ => Ok(ReadValue::Newer(Head {
            version: head.v,
            critical: head.critical.unwrap_or(false) || proposal.is_some(),
            kind: head.kind.into_owned(),
        })),
    }
}

fn read_proposal(value: &[u8], kind: Kind) -> Result<Envelope, serde_json::Error> {
    let signed: ReadSigned = serde_json::from_slice(value)?;
    let ReadSigned { message_id, room_id, user_id, user_name, timestamp } = signed;
    let proposal = proposal_record::read(kind, value, &user_id)?;
    let body = Body::Proposal(Box::new(proposal));
    Ok(Envelope { message_id, room_id, user_id, user_name, timestamp, body })
}

fn is_name(kind: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=KIND_MAX).contains(&kind.len()) && kind.bytes().all(allowed)
}

/// A moment that the archive keeps and every client can read: whole milliseconds, no leap second, a
/// year of four digits (RFC 3339 §5.6). Any other would be another one after it was stored.
fn timestamp<'de, D: serde::Deserializer<'de>>(text: D) -> Result<DateTime<Utc>, D::Error> {
    let time = DateTime::<Utc>::deserialize(text)?;
    let is_whole = time.nanosecond() < 1_000_000_000 && time.nanosecond() % 1_000_000 == 0;
    if is_whole && (0..=9_999).contains(&time.year()) {
        Ok(time)
    } else {
        Err(D::Error::custom("timestamp is not of whole milliseconds"))
    }
}

/// A place that holds a record.
fn place<'de, D: serde::Deserializer<'de>>(number: D) -> Result<Position, D::Error> {
    let position = Position::from_raw(i64::deserialize(number)?).map_err(D::Error::custom)?;
    if position < Position::FIRST { Err(D::Error::custom("no place")) } else { Ok(position) }
}

impl From<ReadMessage<'_>> for Envelope {
    fn from(said: ReadMessage<'_>) -> Self {
        let ReadMessage { message_id, room_id, user_id, user_name, timestamp, .. } = said;
        let ReadMessage { content, body_hash, reply_to, .. } = said;
        let body = Body::Message { content: Some(content), body_hash, reply_to };
        Self { message_id, room_id, user_id, user_name, timestamp, body }
    }
}

impl ReadChange {
    /// The envelope of a change of that kind; otherwise the field that it lacks.
    fn envelope(self, kind: Kind) -> Result<Envelope, &'static str> {
        let Self { message_id, room_id, user_id, user_name, timestamp, .. } = self;
        let on = self.on.ok_or("missing field `on`");
        let act = match kind {
            Kind::Edit => {
                Act::Edit { content: Some(self.content.ok_or("missing field `content`")?) }
            }
            Kind::Delete => Act::Delete,
            Kind::React => {
                Act::React { emoji: self.emoji.ok_or("missing field `emoji`")?, on: on? }
            }
            Kind::Pin => Act::Pin { on: on? },
            Kind::Message | Kind::Room | Kind::Member => return Err("no change of a message"),
        };
        let target = Target { message_id: self.target, position: self.ref_pos };
        let body = Body::Change(Change { target, act });
        Ok(Envelope { message_id, room_id, user_id, user_name, timestamp, body })
    }
}
