//! Rooms, memberships and verdicts as documents.

use mongodb::bson::{self, Bson, Document, doc};

use super::batch::Proposed;
use super::kept::Membership;
use crate::archive::changes::document::{ACCEPTED, VOID};
use crate::archive::error::ArchiveError;
use crate::message::{Position, RoomId, Standing, UserId};
use crate::people::name_keys;
use crate::rooms::{Phase, RoomKind, RoomState, Verdict};

/// The id of a membership: no room's id has a stroke.
pub(super) fn member_id(room: &RoomId, person: &UserId) -> String {
    format!("{room}/{person}")
}

/// The ids of all memberships of a room.
pub(super) fn members_of(room: &RoomId) -> Document {
    // `0` comes right after the stroke.
    doc! { "$gt": format!("{room}/"), "$lt": format!("{room}0") }
}

/// The id of a membership by person.
pub(super) fn of_person_id(room: &RoomId, person: &UserId) -> String {
    format!("{person}/{room}")
}

/// The ids of all memberships of a person. Those of others may be among them.
pub(super) fn rooms_of(person: &UserId) -> Document {
    doc! { "$gt": format!("{person}/"), "$lt": format!("{person}0") }
}

/// What is kept of a room beside its people, and the last proposal that was decided about.
pub(super) fn room(document: &Document) -> Result<(RoomState, Position), ArchiveError> {
    let foreign = || ArchiveError::Foreign("rooms");
    let (at, upto) = (position(document, "at"), position(document, "pos"));
    let (Some(at), Some(upto)) = (at, upto) else { return Err(foreign()) };
    let room = match document.get("kind") {
        Some(_) => {
            let room = bson::deserialize_from_document(document.clone());
            Some(room.map_err(|_| foreign())?)
        }
        None => None,
    };
    Ok((RoomState::restored(at, room), upto))
}

/// What is set of a room's document.
pub(super) fn of_room(state: &RoomState, upto: Position) -> Document {
    let mut document = state.room().map_or_else(Document::new, of);
    document.extend(doc! { "at": state.at().raw(), "pos": upto.raw(), "name_keys": keys(state) });
    document
}

/// By what a room is found: only those are that everybody may read.
fn keys(state: &RoomState) -> Vec<String> {
    let is_found = state.is_there() && state.is(RoomKind::Public);
    let name = state.room().filter(|_| is_found).and_then(|room| room.name.as_ref());
    name.map(|name| name_keys(name.as_str())).unwrap_or_default()
}

/// Who somebody is to a room, and since which record.
pub(super) fn member(document: &Document) -> Result<(UserId, Standing, Position), ArchiveError> {
    let read = || {
        let person = UserId::parse(document.get_str("user_id").ok()?).ok()?;
        let standing = bson::deserialize_from_bson(document.get("standing")?.clone()).ok()?;
        Some((person, standing, position(document, "pos")?))
    };
    read().ok_or(ArchiveError::Foreign("members"))
}

/// What is set of a membership's document.
pub(super) fn of_member(
    room: &RoomId,
    person: &UserId,
    Membership { standing, at, since }: &Membership,
) -> Document {
    let standing = self::standing(*standing);
    let since = bson::DateTime::from_millis(since.timestamp_millis());
    let (room, person) = (room.as_str(), person.as_str());
    doc! {
        "room_id": room, "user_id": person, "standing": standing, "pos": at.raw(), "timestamp": since,
    }
}

/// What somebody is to a room.
pub(super) fn standing(standing: Standing) -> Bson {
    bson::serialize_to_bson(&standing).unwrap_or(Bson::Null)
}

/// A proposal with what was decided about it.
pub(super) fn of_verdict(proposed: &Proposed, verdict: Verdict) -> Document {
    let Proposed { event, proposal, .. } = proposed;
    let envelope = &event.envelope;
    let verdict = match verdict {
        Verdict::Accepted => ACCEPTED,
        Verdict::Void => VOID,
    };
    doc! {
        "_id": envelope.message_id.to_string(),
        "room_id": envelope.room_id.as_str(),
        "partition": event.partition.number(),
        "pos": event.position.raw(),
        "type": proposal.change.kind().name(),
        "user_id": envelope.user_id.as_str(),
        "user_name": envelope.user_name.as_str(),
        "timestamp": bson::DateTime::from_millis(envelope.timestamp.timestamp_millis()),
        "verdict": verdict,
        "proposal": of(proposal),
    }
}

/// Whether a room goes on.
pub(super) fn phase(phase: Phase) -> Bson {
    bson::serialize_to_bson(&phase).unwrap_or(Bson::Null)
}

fn of(value: &impl serde::Serialize) -> Document {
    // Names, numbers and nothing that a document cannot hold.
    bson::serialize_to_document(value).unwrap_or_default()
}

/// Where a document stands.
pub(super) fn position(document: &Document, field: &str) -> Option<Position> {
    Position::from_raw(document.get_i64(field).ok()?).ok()
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
