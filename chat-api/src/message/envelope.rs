//! The envelope: what a record of the log says.

use chrono::{DateTime, SubsecRound as _, Utc};
use serde::{Serialize, Serializer};

use super::proposal_record::WrittenProposal;
use super::{
    Act, BodyHash, Change, Content, Cursor, Draft, Emoji, Kind, MessageId, Partition, Position,
    Proposal, RoomId, UserId, UserName,
};

/// What is done by a message that is new; part of the id if there is a key.
const SEND: &str = "send";

/// The version of the envelope's form that this release writes.
pub(super) const VERSION: u64 = 1;
/// What a record of the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The id of the record, unique in the whole system.
    pub message_id: MessageId,
    /// The room it is about.
    pub room_id: RoomId,
    /// The person who did it. An act of the system bears its subject's name.
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
        /// The text. None once the message was deleted.
        content: Option<Content>,
        /// What the key was used for, if the sender gave one.
        body_hash: Option<BodyHash>,
        /// The message of the same room that it answers, if it answers one.
        reply_to: Option<MessageId>,
    },
    /// Something was done to a message.
    Change(Change),
    /// A room or a membership is changed, if what that was judged on still stands.
    Proposal(Box<Proposal>),
}

impl Body {
    /// Which of the kinds it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Message { .. } => Kind::Message,
            Self::Change(change) => change.act.kind(),
            Self::Proposal(proposal) => proposal.change.kind(),
        }
    }

    /// What it proposes, if it is about a room or a membership.
    #[must_use]
    pub fn proposal(&self) -> Option<&Proposal> {
        match self {
            Self::Proposal(proposal) => Some(proposal),
            Self::Message { .. } | Self::Change(_) => None,
        }
    }

    /// What it does to a message, if it does something to one.
    #[must_use]
    pub fn change(&self) -> Option<&Change> {
        match self {
            Self::Change(change) => Some(change),
            Self::Message { .. } | Self::Proposal(_) => None,
        }
    }

    /// The text that was said, if one was and it is not gone.
    #[must_use]
    pub fn content(&self) -> Option<&Content> {
        match self {
            Self::Message { content, .. }
            | Self::Change(Change { act: Act::Edit { content }, .. }) => content.as_ref(),
            Self::Change(_) | Self::Proposal(_) => None,
        }
    }

    /// The same without what was said: what is left of it once its message was deleted.
    #[must_use]
    pub fn blank(&self) -> Self {
        match self {
            Self::Message { reply_to, .. } => {
                Self::Message { content: None, body_hash: None, reply_to: *reply_to }
            }
            Self::Change(Change { target, act: Act::Edit { .. } }) => {
                Self::Change(Change { target: *target, act: Act::Edit { content: None } })
            }
            Self::Change(change) => Self::Change(change.clone()),
            Self::Proposal(proposal) => Self::Proposal(proposal.clone()),
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
        let reply_to = draft.reply_to;
        let body_hash = draft.key.map(|_| BodyHash::of(&draft.content, reply_to));
        Self {
            message_id,
            room_id: draft.room_id,
            user_id: author.user_id.clone(),
            user_name: author.user_name.clone(),
            // The archive keeps milliseconds; live and stored events must be equal.
            timestamp: now.trunc_subsecs(3),
            body: Body::Message { content: Some(draft.content), body_hash, reply_to },
        }
    }

    /// The envelope of what an author does to a message of a room at a time. It is done without a key: done
    /// again, it changes nothing.
    #[must_use]
    pub fn compose_change(
        room_id: RoomId,
        change: Change,
        author: &Author,
        now: DateTime<Utc>,
        randomness: [u8; 10],
    ) -> Self {
        Self {
            message_id: MessageId::new(now, randomness),
            room_id,
            user_id: author.user_id.clone(),
            user_name: author.user_name.clone(),
            timestamp: now.trunc_subsecs(3),
            body: Body::Change(change),
        }
    }

    /// The envelope of what an author proposes of a room or a membership at a time.
    #[must_use]
    pub fn propose(
        room_id: RoomId,
        proposal: Proposal,
        author: &Author,
        now: DateTime<Utc>,
        randomness: [u8; 10],
    ) -> Self {
        Self {
            message_id: MessageId::new(now, randomness),
            room_id,
            user_id: author.user_id.clone(),
            user_name: author.user_name.clone(),
            timestamp: now.trunc_subsecs(3),
            body: Body::Proposal(Box::new(proposal)),
        }
    }

    /// About how many bytes its JSON has, for a buffer that need not grow: more if much is escaped.
    #[must_use]
    pub fn json_bytes(&self) -> usize {
        /// Names of fields, ids, timestamp, place, emoji and what the key was used for.
        const AROUND: usize = 320;
        let Self { room_id, user_id, user_name, body, .. } = self;
        let content = body.content().map_or("", Content::as_str);
        let texts = [room_id.as_str(), user_id.as_str(), user_name.as_str(), content];
        AROUND + texts.iter().map(|text| text.len()).sum::<usize>()
    }

    /// What the key was used for, if it was done with one.
    #[must_use]
    pub fn body_hash(&self) -> Option<BodyHash> {
        match &self.body {
            Body::Message { body_hash, .. } => *body_hash,
            Body::Change(_) | Body::Proposal(_) => None,
        }
    }
}

/// The one form of an envelope, in the log and in the frames of sockets.
impl Serialize for Envelope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { message_id, room_id, user_id, user_name, timestamp, body } = self;
        let written = Written {
            v: VERSION,
            r#type: body.kind().name(),
            message_id: *message_id,
            room_id,
            user_id,
            user_name,
            timestamp: *timestamp,
            r#ref: None,
            ref_pos: None,
            content: body.content(),
            body_hash: self.body_hash(),
            emoji: None,
            on: None,
            reply_to: None,
        };
        let written = match body {
            Body::Message { reply_to, .. } => Written { reply_to: *reply_to, ..written },
            Body::Change(Change { target, act }) => {
                let (emoji, on) = match act {
                    Act::Edit { .. } | Act::Delete => (None, None),
                    Act::React { emoji, on } => (Some(emoji), Some(*on)),
                    Act::Pin { on } => (None, Some(*on)),
                };
                let (id, position) = (Some(target.message_id), Some(target.position.raw()));
                Written { r#ref: id, ref_pos: position, emoji, on, ..written }
            }
            Body::Proposal(proposal) => {
                let written = WrittenProposal {
                    v: VERSION,
                    r#type: body.kind().name(),
                    critical: true,
                    message_id: *message_id,
                    room_id,
                    user_id,
                    user_name,
                    timestamp: *timestamp,
                    proposal,
                };
                return written.serialize(serializer);
            }
        };
        written.serialize(serializer)
    }
}

/// An envelope as it is written: each kind has its own of the last fields.
#[derive(Serialize)]
struct Written<'a> {
    v: u64,
    r#type: &'static str,
    message_id: MessageId,
    room_id: &'a RoomId,
    user_id: &'a UserId,
    user_name: &'a UserName,
    timestamp: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#ref: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ref_pos: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_hash: Option<BodyHash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<&'a Emoji>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<MessageId>,
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
