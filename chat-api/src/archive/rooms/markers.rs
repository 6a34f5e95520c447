//! Up to where people have read rooms.
//!
//! The collection `markers` has a document for each person and room, under the id of a membership. It only
//! goes forward: whatever is stored again, from further back or out of its order, changes nothing.

use std::collections::HashSet;

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};

use super::document;
use crate::archive::error::{ArchiveError, ReadError};
use crate::archive::mongo::{READ_TIMEOUT, WRITE_TIMEOUT, limited, number};
use crate::archive::reads::Reader;
use crate::archive::room_collections::RoomCollections;
use crate::message::{Marker, Position, RoomId, UserId};
use crate::rooms::Phase;

/// Markers that are stored by one command: each statement has less than a kilobyte, of 16 MiB.
const UPDATES: usize = 1_000;

/// The markers as they are stored. A handle, cheap to clone.
#[derive(Clone)]
pub struct MarkerStore(RoomCollections);

impl MarkerStore {
    pub(in crate::archive) fn of(collections: RoomCollections) -> Self {
        Self(collections)
    }

    /// Notes up to where people have read. What is not newer changes nothing, and of a room that is deleted
    /// nothing is kept.
    pub async fn advance(&self, markers: &[Marker]) -> Result<(), ArchiveError> {
        for some in markers.chunks(UPDATES) {
            let deleted = self.deleted(some).await?;
            let is_kept = |marker: &&Marker| !deleted.contains(marker.room_id.as_str());
            let updates: Vec<_> = some.iter().filter(is_kept).map(statement).collect();
            if !updates.is_empty() {
                self.update(updates).await?;
            }
        }
        Ok(())
    }

    /// Which of their rooms are deleted. Readers of the two topics know nothing of each other, so that a
    /// marker may come long after its room has gone.
    async fn deleted(&self, markers: &[Marker]) -> Result<HashSet<String>, ArchiveError> {
        let rooms: HashSet<&str> = markers.iter().map(|marker| marker.room_id.as_str()).collect();
        let rooms: Vec<&str> = rooms.into_iter().filter(|room| *room != RoomId::LOBBY).collect();
        if rooms.is_empty() {
            return Ok(HashSet::new());
        }
        let phase = document::phase(Phase::Deleted);
        let find = self.0.rooms.find(doc! { "_id": { "$in": rooms }, "phase": phase });
        let find = find.projection(doc! { "_id": 1 }).max_time(READ_TIMEOUT);
        let found = async move { find.await?.try_collect::<Vec<_>>().await };
        let found = limited(READ_TIMEOUT, found).await?;
        let id = |room: Document| room.get_str("_id").ok().map(str::to_owned);
        Ok(found.into_iter().filter_map(id).collect())
    }

    async fn update(&self, updates: Vec<Document>) -> Result<(), ArchiveError> {
        // One command for all of them; the driver has no such call for older servers.
        let command = doc! {
            "update": self.0.markers.name(),
            "updates": updates,
            "ordered": false,
            "writeConcern": { "w": "majority" },
        };
        let answer = limited(WRITE_TIMEOUT, self.0.database.run_command(command)).await?;
        if answer.contains_key("writeConcernError") {
            return Err(ArchiveError::Markers);
        }
        let failures = answer.get_array("writeErrors").into_iter().flatten();
        let code = |failure: &mongodb::bson::Bson| number(failure.as_document()?.get("code")?);
        match failures.map(code).next() {
            None => Ok(()),
            Some(code) => {
                let code = code.and_then(|code| i32::try_from(code).ok());
                Err(code.map_or(ArchiveError::Markers, ArchiveError::Insert))
            }
        }
    }
}

fn statement(Marker { room_id, user_id, position }: &Marker) -> Document {
    let (id, room) = (document::member_id(room_id, user_id), room_id.as_str());
    doc! {
        "q": { "_id": id, "room_id": room },
        "u": {
            "$max": { "pos": position.raw() },
            "$setOnInsert": { "user_id": user_id.as_str() },
        },
        "upsert": true,
    }
}

/// Reads markers, for somebody who was admitted.
pub struct Markers<'a>(&'a Reader<'a>);

impl<'a> Markers<'a> {
    /// Reads by the admission of this reader.
    #[must_use]
    pub fn of(reader: &'a Reader<'_>) -> Self {
        Self(reader)
    }

    /// Up to where whoever was admitted has read a room, if that was ever told.
    pub async fn mine(&self, room: &RoomId) -> Result<Option<Position>, ReadError> {
        let Some(person) = self.0.person() else { return Ok(None) };
        let found = self.of_people(room, &[person]).await?;
        Ok(found.first().map(|marker| marker.position))
    }

    /// Up to where some people have read a room, in the order of their ids. Who never told is left out.
    pub async fn of_people(
        &self,
        room: &RoomId,
        people: &[&UserId],
    ) -> Result<Vec<Marker>, ReadError> {
        let ids = people.iter().map(|person| document::member_id(room, person));
        let query = doc! { "room_id": room.as_str(), "_id": { "$in": ids.collect::<Vec<_>>() } };
        let (markers, batch) = (self.0.rooms().markers, u32::try_from(people.len()).unwrap_or(0));
        let found = async move {
            let find = markers.find(query).sort(doc! { "_id": 1 });
            // One more than there can be: otherwise the server keeps the cursor for a second answer.
            let find = find.batch_size(batch + 1).max_time(READ_TIMEOUT);
            find.await?.try_collect::<Vec<Document>>().await
        };
        let found = self.0.operate(found).await?;
        Ok(found.iter().map(|found| marker(room, found)).collect::<Result<_, _>>()?)
    }
}

fn marker(room: &RoomId, found: &Document) -> Result<Marker, ArchiveError> {
    let read = || {
        let user_id = UserId::parse(found.get_str("user_id").ok()?).ok()?;
        let position = document::position(found, "pos")?;
        Some(Marker { room_id: room.clone(), user_id, position })
    };
    read().ok_or(ArchiveError::Foreign("markers"))
}
