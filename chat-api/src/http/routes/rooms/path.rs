//! Rooms and people in paths.

use crate::http::problem::Problem;
use crate::message::{RoomId, UserId};
use crate::refusal::Refusal;

/// A room's id in a path. What is none is not a room either.
pub(in crate::http::routes) fn room_id(room: Option<String>) -> Result<RoomId, Problem> {
    let room = room.and_then(|room| RoomId::parse(&room).ok());
    room.ok_or_else(|| Refusal::UNKNOWN_ROOM.into())
}

/// A person in a path.
pub(super) fn user_id(person: Option<String>) -> Result<UserId, Problem> {
    person.and_then(|person| UserId::parse(&person).ok()).ok_or_else(Problem::unknown_person)
}
