//! What a reader of the log knows of a room.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::message::{Position, RoomName, Standing, UserId, Visibility};

use super::people::{People, PersonKey};

/// A room, as of some place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoomState {
    /// The last record that changed what the room is or who owns it.
    at: Position,
    room: Option<Room>,
    people: People,
}

/// What a room that was made is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Room {
    /// Who may be in it.
    pub kind: RoomKind,
    /// What it is called. Direct rooms are called after the other person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<RoomName>,
    /// Whether it goes on.
    pub phase: Phase,
}

/// Who may be in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// Everybody finds, reads and joins it.
    Public,
    /// Whom its members invite.
    Group,
    /// Two people.
    Direct,
}

/// Whether a room goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It does.
    Open,
    /// It is read only.
    Archived,
    /// It is gone, and its id is nobody's for ever.
    Deleted,
}

impl From<Visibility> for RoomKind {
    fn from(visibility: Visibility) -> Self {
        match visibility {
            Visibility::Public => Self::Public,
            Visibility::Group => Self::Group,
        }
    }
}

impl Default for RoomState {
    /// Of a room that was never made.
    fn default() -> Self {
        Self { at: Position::BEFORE_ALL, room: None, people: People::default() }
    }
}

impl RoomState {
    /// A room as it was kept: what it is and since which record, if it was made.
    #[must_use]
    pub fn restored(at: Position, room: Option<Room>) -> Self {
        Self { at, room, people: People::default() }
    }

    /// The last record that changed what the room is or who owns it; before all if none did.
    #[must_use]
    pub fn at(&self) -> Position {
        self.at
    }

    /// What it is, if it was made.
    #[must_use]
    pub fn room(&self) -> Option<&Room> {
        self.room.as_ref()
    }

    /// What a person is to the room, if it knows of them.
    #[must_use]
    pub fn standing(&self, person: &UserId) -> Option<Standing> {
        self.people.find(person).map(|(standing, _)| standing)
    }

    /// The last record that changed a person's membership; before all if none did.
    #[must_use]
    pub fn position(&self, person: &UserId) -> Position {
        self.people.find(person).map_or(Position::BEFORE_ALL, |(_, at)| at)
    }

    /// Who is in it; nobody once it is deleted.
    pub fn keys(&self) -> impl Iterator<Item = PersonKey> {
        self.people.keys()
    }

    /// Whether it knows one of these people, who may have left.
    #[must_use]
    pub fn has_any(&self, people: &HashSet<PersonKey>) -> bool {
        self.people.has_any(people)
    }

    /// How many people are in it.
    #[must_use]
    pub fn members(&self) -> u32 {
        self.people.members()
    }

    /// How many of them own it.
    #[must_use]
    pub fn owners(&self) -> u32 {
        self.people.owners()
    }

    /// Whether one of a direct room wants to hear nothing of the other.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.is(RoomKind::Direct) && self.people.has_blocked()
    }

    /// Whether it is of that kind.
    #[must_use]
    pub fn is(&self, kind: RoomKind) -> bool {
        self.room.as_ref().is_some_and(|room| room.kind == kind)
    }

    /// Whether it is there: was made and is not deleted.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.room.as_ref().is_some_and(|room| room.phase != Phase::Deleted)
    }

    /// About how much memory it takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let name = self.room.as_ref().and_then(|room| room.name.as_ref());
        size_of::<Self>() + self.people.bytes() + name.map_or(0, |name| name.as_str().len())
    }

    /// Sets what a person is from a record on.
    pub fn set(&mut self, person: &UserId, standing: Standing, at: Position) {
        self.people.set(person, standing, at);
    }

    /// Notes that what the room is or who owns it was changed.
    pub(super) fn move_to(&mut self, at: Position) {
        self.at = at;
    }

    pub(super) fn create(&mut self, room: Room) {
        self.room = Some(room);
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut Room)) {
        if let Some(room) = &mut self.room {
            change(room);
        }
    }

    /// Forgets who was there: the room is no more.
    pub(super) fn clear(&mut self) {
        self.people = People::default();
    }
}
