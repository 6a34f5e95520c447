//! What can be wanted of a room, and why it is not done.

use crate::message::{RoomName, Settings, UserId, Visibility};

/// What somebody wants to do to a room or to a membership.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Command {
    /// Make a room and own it.
    Create {
        /// Who may find and join it.
        visibility: Visibility,
        /// What it is called.
        name: RoomName,
    },
    /// Make the direct room with a person.
    CreateDirect(UserId),
    /// Change what the room is called, who finds it, whether it is only read.
    Change(Settings),
    /// Delete the room.
    Delete,
    /// Become a member.
    Join,
    /// Make somebody a member.
    Invite(UserId),
    /// Be a member no more.
    Leave {
        /// Who follows as an owner.
        successor: Option<UserId>,
    },
    /// End somebody's membership.
    Remove(UserId),
    /// Make somebody an owner, or a member that owns nothing; oneself the latter only.
    SetRole {
        /// Whose role it is.
        person: UserId,
        /// What it is to be.
        role: Role,
        /// Who follows as an owner, if one steps down.
        successor: Option<UserId>,
    },
    /// Keep somebody out; in a direct room, hear nothing of the other.
    Ban(UserId),
    /// Do so no longer.
    Unban(UserId),
}

/// What a member may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Decides about the room.
    Owner,
    /// Reads, speaks and invites.
    Member,
}

/// Who wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor<'a> {
    /// A person, who may do what the room lets them.
    Person(&'a UserId),
    /// This program, for nobody who is there: it ends memberships of accounts that are no more.
    System,
}

/// Why it is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refused {
    /// There is no such room, or none that this person may know of.
    #[error("there is no such room")]
    NoRoom,
    /// It is as it is to be: nothing is to be done.
    #[error("it is so already")]
    Already,
    /// Only others may do that: owners, or members.
    #[error("this person may not do that in this room")]
    NotAllowed,
    /// The id of a direct room is made of the two who are in it.
    #[error("this is not the direct room of these two")]
    WrongPair,
    /// In a direct room there is nothing to own, to join or to leave.
    #[error("that is not done in a direct room")]
    Direct,
    /// The room is only read.
    #[error("the room is archived")]
    Archived,
    /// As many are in the room as may be.
    #[error("the room is full")]
    Full,
    /// Whom it would be done to is kept out of the room.
    #[error("that person is banned from this room")]
    Banned,
    /// Whom it would be done to is not in the room.
    #[error("that person is not in this room")]
    NotInRoom,
    /// One does not remove or ban oneself.
    #[error("this cannot be done to oneself")]
    Oneself,
    /// Who follows an owner is a member of the room and owns it not yet.
    #[error("that person cannot follow as an owner")]
    Successor,
}
