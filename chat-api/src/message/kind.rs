//! The kinds of records that this release knows.

/// The kinds by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something was said.
    Message,
    /// A message got another text.
    Edit,
    /// A message was deleted.
    Delete,
    /// Somebody reacted to a message, or took that back.
    React,
    /// A message was pinned to its room, or is so no more.
    Pin,
    /// A room is changed, if what that was judged on still stands.
    Room,
    /// A membership is changed, likewise.
    Member,
}

impl Kind {
    /// The kinds of what is done to messages.
    pub const CHANGES: [Self; 4] = [Self::Edit, Self::Delete, Self::React, Self::Pin];
    /// The kinds of what is proposed of rooms and memberships.
    pub const PROPOSALS: [Self; 2] = [Self::Room, Self::Member];

    /// Its name, as the `type` of a record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::React => "react",
            Self::Pin => "pin",
            Self::Room => "room",
            Self::Member => "member",
        }
    }

    /// The kind of a change with that name.
    #[must_use]
    pub fn of_change(name: &str) -> Option<Self> {
        Self::CHANGES.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of a proposal with that name.
    #[must_use]
    pub fn of_proposal(name: &str) -> Option<Self> {
        Self::PROPOSALS.into_iter().find(|kind| kind.name() == name)
    }
}
