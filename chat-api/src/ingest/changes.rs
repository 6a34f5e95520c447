//! What people do to messages.

use tokio::time::timeout;

use super::Ingest;
use super::error::{SendError, may_say};
use super::waits::READ_BACK;
use super::writes::NewKind;
use crate::archive::StoredMessage;
use crate::lookup::Lookup;
use crate::message::{
    Act, Author, Change, Content, Cursor, Emoji, Envelope, MessageId, RoomId, Target,
};
use crate::rooms::{Access, Refused};

/// What somebody wants to do to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Say something else.
    Edit(Content),
    /// Have said nothing.
    Delete,
    /// React with an emoji, or take that back.
    React {
        /// With what.
        emoji: Emoji,
        /// Whether the reaction is to be there.
        on: bool,
    },
    /// Pin it to its room, or take that back.
    Pin {
        /// Whether it is to be pinned.
        on: bool,
    },
}

/// A message that is to be changed, as somebody names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its id.
    pub id: MessageId,
    /// Its room, if that is named.
    pub room: Option<RoomId>,
    /// What has to be known of before it is judged.
    pub after: Option<Cursor>,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The room of the message.
    pub room_id: RoomId,
    /// The place of the change, if the log told it; of the message's last one if nothing had to be done.
    pub cursor: Option<Cursor>,
    /// Whether something came into the log.
    pub is_new: bool,
}

impl Wish {
    fn kind(&self) -> NewKind {
        match self {
            Self::Edit(_) => NewKind::Edit,
            Self::Delete => NewKind::Delete,
            Self::React { .. } => NewKind::React,
            Self::Pin { .. } => NewKind::Pin,
        }
    }

    /// Whether somebody may who may say something in the room: edit and delete what is their own, as an owner
    /// of the room delete any message, as a member pin one.
    fn is_allowed(&self, access: Access, is_author: bool) -> Result<(), SendError> {
        match self {
            Self::Edit(_) if !is_author => Err(SendError::ForeignMessage),
            Self::Delete if !is_author && !access.owns() => Err(SendError::ForeignMessage),
            Self::Pin { .. } if !access.is_member() => Err(SendError::Room(Refused::NotAllowed)),
            Self::Edit(_) | Self::Delete | Self::React { .. } | Self::Pin { .. } => Ok(()),
        }
    }

    /// Whether a message is so already.
    fn is_fulfilled(&self, stored: &StoredMessage) -> bool {
        match self {
            Self::Edit(content) => stored.event.envelope.body.content() == Some(content),
            Self::Delete => stored.deleted_at.is_some(),
            Self::React { emoji, on } => {
                stored.reactions.iter().any(|one| one.emoji == *emoji && one.mine) == *on
            }
            Self::Pin { on } => stored.pinned == *on,
        }
    }

    /// Whether the message bears no more of it.
    fn is_too_much(&self, stored: &StoredMessage) -> bool {
        let Self::React { emoji, on: true } = self else { return false };
        let all: u64 = stored.reactions.iter().map(|one| u64::from(one.count)).sum();
        let is_known = stored.reactions.iter().any(|one| one.emoji == *emoji);
        all >= Change::REACTIONS_MAX as u64
            || (!is_known && stored.reactions.len() >= Change::EMOJI_MAX)
    }

    fn act(self) -> Act {
        match self {
            Self::Edit(content) => Act::Edit { content: Some(content) },
            Self::Delete => Act::Delete,
            Self::React { emoji, on } => Act::React { emoji, on },
            Self::Pin { on } => Act::Pin { on },
        }
    }
}

impl Ingest {
    /// Does something to a message: returns when the log has acknowledged it and, as a rule, this replica
    /// has read it. It is judged by what this replica has read; what is so already is not said again.
    pub async fn change(
        &self,
        author: &Author,
        named: Named,
        wish: Wish,
    ) -> Result<Done, SendError> {
        let outcome = self.judge_and_append(author, named, wish).await;
        self.sends.count(outcome.as_ref().map_or_else(SendError::class, |done| {
            if done.is_new { "accepted" } else { "unchanged" }
        }));
        outcome
    }

    async fn judge_and_append(
        &self,
        author: &Author,
        Named { id, room, after }: Named,
        wish: Wish,
    ) -> Result<Done, SendError> {
        if !self.writes.allow(wish.kind()) {
            return Err(SendError::NotOpenYet(wish.kind()));
        }
        if !self.rates.admits(&author.user_id) {
            return Err(SendError::TooFast);
        }
        let reader = self.reads.admit(&author.user_id).map_err(|_| SendError::TooFast)?;
        let lookup = Lookup { hub: &self.hub, partitioner: self.partitioner, reader: &reader };
        if let Some(after) = after {
            if after.partition.index() >= self.partitioner.count() {
                return Err(SendError::ForeignCursor);
            }
            lookup.caught_up(after).await?;
        }
        let found = lookup.find_current(room.as_ref(), id).await?;
        let stored = found.ok_or(SendError::UnknownMessage)?;
        let (event, room_id) = (&stored.event, stored.event.envelope.room_id.clone());
        let access = self.rooms.access(&room_id, &author.user_id).await?;
        if !access.may_read() {
            return Err(SendError::UnknownMessage);
        }
        may_say(access)?;
        if after.is_some_and(|after| after.partition != event.partition) {
            return Err(SendError::ForeignCursor);
        }
        wish.is_allowed(access, event.envelope.user_id == author.user_id)?;
        let partition = event.partition;
        let place = |position| Cursor { partition, position };
        if wish.is_fulfilled(&stored) {
            let cursor = Some(place(stored.changed.unwrap_or(event.position)));
            return Ok(Done { room_id, cursor, is_new: false });
        }
        if stored.deleted_at.is_some() {
            return Err(SendError::Deleted);
        }
        if wish.is_too_much(&stored) {
            return Err(SendError::TooManyReactions);
        }
        let target = Target { message_id: id, position: event.position };
        let envelope = Envelope::compose_change(
            room_id.clone(),
            Change { target, act: wish.act() },
            author,
            (self.sources.now)(),
            (self.sources.random)(),
        );
        // The room may have another partition in this generation of the log than its message has.
        let home = self.partitioner.of(&room_id);
        let message_id = envelope.message_id;
        let appended = self.producer.append(home, &envelope).await;
        let appended = appended.map_err(|error| SendError::Log { message_id, error })?;
        // So that whatever this person does next is judged by it.
        let read = timeout(READ_BACK, self.hub.appeared(home, message_id)).await;
        let read = read.map(|read| Cursor { partition: home, position: read.position });
        Ok(Done { room_id, cursor: appended.cursor.or(read.ok()), is_new: true })
    }
}
