//! The envelope: what a record of the log says.

use chrono::{DateTime, SubsecRound as _, Utc};
use serde::{Serialize, Serializer};

use super::{
    BodyHash, Content, Cursor, Draft, MessageId, Partition, Position, RoomId, UserId, UserName,
};

/// What is done by a message that is new; part of the id if there is a key.
const SEND: &str = "send";

/// The version of the envelope's form that this release writes.
pub(super) const VERSION: u64 = 1;
/// The `type` of a message.
pub(super) const MESSAGE: &str = "message";

/// What a record of the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The id of the record, unique in the whole system.
    pub message_id: MessageId,
    /// The room it is about.
    pub room_id: RoomId,
    /// The person who did it.
    pub user_id: UserId,
    /// The name that person had.
    pub user_name: UserName,
    /// The server's time, in whole milliseconds. For display: the order is that of the log.
    pub timestamp: DateTime<Utc>,
    /// What was done, and whatever belongs to that.
    pub body: Body,
}

/// What was done: the kinds of records that this release knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Something was said.
    Message {
        /// The text.
        content: Content,
        /// What the key was used for, if the sender gave one.
        body_hash: Option<BodyHash>,
    },
}

/// The kinds by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// [`Body::Message`].
    Message,
}

impl Body {
    /// Which of the kinds it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Message { .. } => Kind::Message,
        }
    }

    /// The person it was done to, if it was done to somebody.
    #[must_use]
    pub fn subject(&self) -> Option<&UserId> {
        match self {
            Self::Message { .. } => None,
        }
    }
}

/// Who says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The subject of the token.
    pub user_id: UserId,
    /// The name to show.
    pub user_name: UserName,
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
            message_id,
            room_id: draft.room_id,
            user_id: author.user_id.clone(),
            user_name: author.user_name.clone(),
            // The archive keeps milliseconds; live and stored events must be equal.
            timestamp: now.trunc_subsecs(3),
            body: Body::Message { content: draft.content, body_hash },
        }
    }

    /// About how many bytes its JSON has, for a buffer that need not grow: more if much is escaped.
    #[must_use]
    pub fn json_bytes(&self) -> usize {
        /// Names of fields, id, timestamp and what the key was used for.
        const AROUND: usize = 256;
        let Self { room_id, user_id, user_name, body, .. } = self;
        let Body::Message { content, .. } = body;
        let texts = [room_id.as_str(), user_id.as_str(), user_name.as_str(), content.as_str()];
        AROUND + texts.iter().map(|text| text.len()).sum::<usize>()
    }

    /// What the key was used for, if it was done with one.
    #[must_use]
    pub fn body_hash(&self) -> Option<BodyHash> {
        match &self.body {
            Body::Message { body_hash, .. } => *body_hash,
        }
    }
}

/// The one form of an envelope, in the log and in the frames of sockets.
impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct WrittenMessage<'a> {
            v: u64,
            r#type: &'static str,
            message_id: MessageId,
            room_id: &'a RoomId,
            user_id: &'a UserId,
            user_name: &'a UserName,
            timestamp: DateTime<Utc>,
            content: &'a Content,
            #[serde(skip_serializing_if = "Option::is_none")]
            body_hash: Option<BodyHash>,
        }
        let Self { message_id, room_id, user_id, user_name, timestamp, body } = self;
        let (message_id, timestamp) = (*message_id, *timestamp);
        match body {
            Body::Message { content, body_hash } => WrittenMessage {
                v: VERSION,
                r#type: MESSAGE,
                message_id,
                room_id,
                user_id,
                user_name,
                timestamp,
                content,
                body_hash: *body_hash,
            }
            .serialize(serializer),
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
    /// The record itself.
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
#[path = "envelope_tests.rs"]
mod tests;
