//! What changes a message that was said.

use super::{Content, Emoji, Kind, MessageId, Position};

/// Something that is done to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The message.
    pub target: Target,
    /// What is done to it.
    pub act: Act,
}

/// A message, and where it stands: nobody has to look its id up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Its id.
    pub message_id: MessageId,
    /// Its place. It is in the room of the change.
    pub position: Position,
}

/// What is done to a message. Whether its author may do so was judged before it came into the log: no
/// reader judges again, so that none comes out differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Its text is another one from now on.
    Edit {
        /// The text. None once the message was deleted.
        content: Option<Content>,
    },
    /// It is gone, for good: nothing that comes after this changes it any more.
    Delete,
    /// Its author reacts to it, or takes that back.
    React {
        /// With what.
        emoji: Emoji,
        /// Whether the reaction is there from now on.
        on: bool,
    },
    /// It is pinned to its room, or is so no more.
    Pin {
        /// Whether it is pinned from now on.
        on: bool,
    },
}

impl Act {
    /// Which of the kinds of records it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Edit { .. } => Kind::Edit,
            Self::Delete => Kind::Delete,
            Self::React { .. } => Kind::React,
            Self::Pin { .. } => Kind::Pin,
        }
    }
}

impl Change {
    /// The most different emoji on one message. One more changes nothing, in every reader.
    pub const EMOJI_MAX: usize = 20;
    /// The most reactions on one message, of all people and with all emoji: with ids as long as can be they
    /// have 260 KiB in its document. One more changes nothing, in every reader.
    pub const REACTIONS_MAX: usize = 1_000;
}
