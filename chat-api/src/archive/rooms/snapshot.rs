//! A room as it is kept, read at one moment.

use mongodb::bson::{Document, doc};
use mongodb::{ClientSession, Collection};

use super::document;
use crate::archive::changes::document::ACCEPTED;
use crate::archive::error::{ArchiveError, ReadError};
use crate::archive::log::progress;
use crate::archive::mongo::READ_TIMEOUT;
use crate::archive::reads::Reader;
use crate::archive::room_collections::RoomCollections;
use crate::message::{Kind, Partition, Position, RoomId};
use crate::rooms::{RoomSnapshot, RoomState};

/// Reads rooms as they are kept, for somebody who was admitted.
pub struct RoomSnapshots<'a>(&'a Reader<'a>);

/// What was found of a room at one moment.
struct Found {
    progress: Vec<Document>,
    room: Option<Document>,
    members: Vec<Document>,
    accepted: Vec<Document>,
}

impl<'a> RoomSnapshots<'a> {
    /// Reads by the admission of this reader.
    #[must_use]
    pub fn of(reader: &'a Reader<'_>) -> Self {
        Self(reader)
    }

    /// A room of a partition as of one moment, with the places of the proposals that count, of those from
    /// a place on. It has everybody who was ever in it.
    pub async fn read(
        &self,
        partition: Partition,
        room: &RoomId,
        from: Position,
    ) -> Result<RoomSnapshot, ReadError> {
        let (collections, id) = (self.0.rooms(), room.clone());
        let (generation, places) = (self.0.generation(), self.0.places());
        let place = progress::id(generation, partition);
        let found = async move { find(&collections, &places, &place, &id, from).await };
        let found = self.0.operate(found).await?;
        let complete = progress::of(generation, partition, &found.progress)?.position;
        Ok(snapshot(&found, complete, from)?)
    }
}

async fn find(
    collections: &RoomCollections,
    places: &Collection<Document>,
    place: &str,
    room: &RoomId,
    from: Position,
) -> mongodb::error::Result<Found> {
    // All of it as of the same moment, and held by a majority.
    let mut session = collections.client().start_session().snapshot(true).await?;
    let name = room.as_str();
    let progress = all(places, doc! { "_id": place }, Document::new(), &mut session).await?;
    let found = collections.rooms.find_one(doc! { "_id": name }).max_time(READ_TIMEOUT);
    let found = found.session(&mut session).await?;
    let members = doc! { "room_id": name, "_id": document::members_of(room) };
    let members = all(&collections.members, members, Document::new(), &mut session).await?;
    let kinds = Kind::PROPOSALS.map(Kind::name).to_vec();
    let accepted = doc! {
        "room_id": name, "pos": { "$gte": from.raw() }, "type": { "$in": kinds }, "verdict": ACCEPTED,
    };
    let fields = doc! { "_id": 0, "pos": 1 };
    let accepted = all(&collections.changes, accepted, fields, &mut session).await?;
    Ok(Found { progress, room: found, members, accepted })
}

async fn all(
    collection: &Collection<Document>,
    query: Document,
    fields: Document,
    session: &mut ClientSession,
) -> mongodb::error::Result<Vec<Document>> {
    let find = collection.find(query).projection(fields).max_time(READ_TIMEOUT);
    let mut cursor = find.session(&mut *session).await?;
    let mut found = Vec::new();
    while let Some(document) = cursor.next(session).await {
        found.push(document?);
    }
    Ok(found)
}

fn snapshot(
    found: &Found,
    complete: Position,
    from: Position,
) -> Result<RoomSnapshot, ArchiveError> {
    let none = (RoomState::default(), Position::BEFORE_ALL);
    let (mut state, upto) = found.room.as_ref().map_or(Ok(none), document::room)?;
    // Nobody is in a room that is deleted.
    let members = if state.is_there() { found.members.as_slice() } else { &[] };
    for member in members {
        let (person, standing, at) = document::member(member)?;
        state.set(&person, standing, at);
    }
    let place = |change| document::position(change, "pos").ok_or(ArchiveError::Foreign("changes"));
    let mut accepted: Vec<_> = found.accepted.iter().map(place).collect::<Result<_, _>>()?;
    accepted.sort_unstable();
    Ok(RoomSnapshot { state, upto, complete, from, accepted })
}
