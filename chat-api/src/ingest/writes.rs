//! Which kinds of records this release may write.

use std::fmt;

/// What a release before this one cannot read: a kind of record, or a field of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewKind {
    /// Another text of a message.
    Edit,
    /// The end of a message.
    Delete,
    /// A reaction to a message, or its end.
    React,
    /// A message that is pinned to its room, or is so no more.
    Pin,
    /// A message's `reply_to`: an archive of a release before would store the message without it.
    Reply,
    /// A change of a room.
    Room,
    /// A change of a membership.
    Member,
    /// How far somebody has read: a record of a topic of its own.
    Marker,
}

impl NewKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Edit,
        Self::Delete,
        Self::React,
        Self::Pin,
        Self::Reply,
        Self::Room,
        Self::Member,
        Self::Marker,
    ];

    /// Its name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::React => "react",
            Self::Pin => "pin",
            Self::Reply => "reply",
            Self::Room => "room",
            Self::Member => "member",
            Self::Marker => "marker",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for NewKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Which of the new kinds may be written: those that every replica can read, as the operator says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Writes(Vec<NewKind>);

impl Writes {
    /// These kinds may be written, and no other.
    #[must_use]
    pub fn of(kinds: Vec<NewKind>) -> Self {
        Self(kinds)
    }

    /// Whether a kind may be written.
    #[must_use]
    pub fn allow(&self, kind: NewKind) -> bool {
        self.0.contains(&kind)
    }
}
