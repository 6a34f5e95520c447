//! The envelope: what a record of the log says.

use std::fmt;

use chrono::{DateTime, SubsecRound as _, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    BodyHash, Content, Cursor, IdempotencyKey, Invalid, Partition, Position, RoomId, UserId,
    UserName,
};

/// What is done by a message that is new; part of the id if there is a key.
const SEND: &str = "send";

/// The id of a message, unique in the whole system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub(super) Uuid);

impl MessageId {
    /// A new id: a UUIDv7 (RFC 9562 §5.7) of the given time and randomness.
    #[must_use]
    pub fn new(now: DateTime<Utc>, randomness: [u8; 10]) -> Self {
        // Before 1970 only on a broken clock; the id stays unique by its randomness.
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &randomness).into_uuid())
    }

    /// Parses the canonical form: hyphenated, lower case.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let id = Uuid::parse_str(text).map_err(|_| Invalid("message id"))?;
        if id.to_string() == text { Ok(Self(id)) } else { Err(Invalid("message id")) }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The version of the envelope's form: 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
struct Version;

impl TryFrom<u16> for Version {
    type Error = String;
    fn try_from(number: u16) -> Result<Self, String> {
        if number == 1 { Ok(Self) } else { Err(format!("envelope version {number} is unknown")) }
    }
}

impl From<Version> for u16 {
    fn from(_: Version) -> Self {
        1
    }
}

/// What kind of thing a record says. More kinds come with rooms, edits and deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Message,
}

/// What a record of the log says. Fields that a later version adds are left out when it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    v: Version,
    #[serde(rename = "type")]
    kind: Kind,
    /// The id of the message.
    pub message_id: MessageId,
    /// The room it was said in.
    pub room_id: RoomId,
    /// Who said it.
    pub user_id: UserId,
    /// The name that person had.
    pub user_name: UserName,
    /// The server's time, in milliseconds. For display: the order is that of the log.
    pub timestamp: DateTime<Utc>,
    /// What was said.
    pub content: Content,
    /// What the key was used for, if the sender gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_hash: Option<BodyHash>,
}

/// Who says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The subject of the token.
    pub user_id: UserId,
    /// The name to show.
    pub user_name: UserName,
}

/// Something that is about to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Where.
    pub room_id: RoomId,
    /// What.
    pub content: Content,
    /// Under which name, if it may be sent again.
    pub key: Option<IdempotencyKey>,
}

impl Envelope {
    /// The envelope of a draft by an author at a time. Its id is made of the key, if there is one.
    #[must_use]
    pub fn compose(
        draft: Draft,
        author: &Author,
        now: DateTime<Utc>,
        randomness: [u8; 10],
    ) -> Self {
        let message_id = match &draft.key {
            Some(key) => MessageId::of_key(&author.user_id, &draft.room_id, SEND, "", key),
            None => MessageId::new(now, randomness),
        };
        let body_hash = draft.key.map(|_| BodyHash::of(&draft.content));
        Self {
            v: Version,
            kind: Kind::Message,
            message_id,
            room_id: draft.room_id,
            user_id: author.user_id.clone(),
            user_name: author.user_name.clone(),
            // The archive keeps milliseconds; live and stored events must be equal.
            timestamp: now.trunc_subsecs(3),
            content: draft.content,
            body_hash,
        }
    }

    /// The envelope of a message that was composed before, for instance of one out of the archive,
    /// as if it had been sent without a key.
    #[must_use]
    pub fn restore(id: MessageId, draft: Draft, author: Author, timestamp: DateTime<Utc>) -> Self {
        Self {
            v: Version,
            kind: Kind::Message,
            message_id: id,
            room_id: draft.room_id,
            user_id: author.user_id,
            user_name: author.user_name,
            timestamp,
            content: draft.content,
            body_hash: None,
        }
    }
}

/// A record of the log: what it says and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The partition it stands in.
    pub partition: Partition,
    /// Its place in that partition.
    pub position: Position,
    /// What it says.
    pub envelope: Envelope,
}

impl Event {
    /// The cursor of a client that has read up to this event.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { partition: self.partition, position: self.position }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author() -> Author {
        let user_id = UserId::parse("u").unwrap();
        Author { user_name: UserName::shown(Some("Ada"), &user_id), user_id }
    }

    fn draft(key: Option<IdempotencyKey>) -> Draft {
        Draft { room_id: RoomId::lobby(), content: Content::parse("hi").unwrap(), key }
    }

    #[test]
    fn with_a_key_neither_clock_nor_randomness_is_in_the_id() {
        let key = IdempotencyKey::parse("k").ok();
        let [first, second] = [(1_000, [1; 10]), (2_000, [2; 10])].map(|(seconds, randomness)| {
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            Envelope::compose(draft(key.clone()), &author(), now, randomness)
        });
        assert_eq!(first.message_id, second.message_id);
        assert_eq!(first.body_hash, Some(BodyHash::of(&first.content)));
        let json = serde_json::to_value(&first).unwrap();
        assert_eq!(json["body_hash"], first.body_hash.unwrap().to_string());
        assert_eq!(serde_json::from_value::<Envelope>(json).unwrap(), first);
        let without = Envelope::compose(draft(None), &author(), DateTime::UNIX_EPOCH, [1; 10]);
        assert!(serde_json::to_value(without).unwrap().get("body_hash").is_none());
    }

    #[test]
    fn the_id_and_the_timestamp_come_from_the_given_clock_and_randomness() {
        let now = DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap();
        let envelope = Envelope::compose(draft(None), &author(), now, [7; 10]);

        assert_eq!(envelope.timestamp.timestamp_nanos_opt(), Some(1_700_000_000_123_000_000));
        assert_eq!(envelope.message_id.to_string(), "018bcfe5-687b-7707-8707-070707070707");
        assert_eq!(MessageId::parse(&envelope.message_id.to_string()), Ok(envelope.message_id));
        assert!(MessageId::parse("018BCFE5-687B-7707-8707-070707070707").is_err());
    }
}
