//! The rooms of a person, page by page, those in which something happened last first.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use mongodb::bson::{self, Document, doc};

use super::{document, unread};
use crate::archive::document::readable;
use crate::archive::error::{ArchiveError, ReadError};
use crate::archive::messages::document::to_message;
use crate::archive::messages::stored::{self, StoredMessage};
use crate::archive::mongo::READ_TIMEOUT;
use crate::archive::reads::Reader;
use crate::message::{Position, RoomId, Standing};
use crate::rooms::Room;

/// Of so many memberships the newest are looked for: more rooms than that nobody is in.
const MEMBERSHIPS: i64 = 1_100;

/// Reads the rooms of whoever was admitted.
pub struct MyRooms<'a>(&'a Reader<'a>);

/// A room of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MyRoom {
    /// The room.
    pub room_id: RoomId,
    /// What it is.
    pub room: Room,
    /// What the person is there.
    pub standing: Standing,
    /// When something was said there last, or when the person came if that is later or nothing was.
    pub active_at: DateTime<Utc>,
    /// What was said last.
    pub last: Option<StoredMessage>,
    /// How many messages of others lie behind the person's marker: at most 100 are counted.
    pub unread: u32,
}

/// A place in the list: behind that room, which was active then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// When the room was active last.
    pub active_at: DateTime<Utc>,
    /// The room.
    pub room_id: RoomId,
}

impl<'a> MyRooms<'a> {
    /// Reads by the admission of this reader.
    #[must_use]
    pub fn of(reader: &'a Reader<'_>) -> Self {
        Self(reader)
    }

    /// The rooms behind a place, at most `limit`. Whatever the person is in is looked at each time, which is
    /// 1,000 rooms at most: nothing is written per member and message.
    pub async fn page(
        &self,
        behind: Option<&Behind>,
        limit: u16,
    ) -> Result<Vec<MyRoom>, ReadError> {
        // A guest is in no room.
        let Some(person) = self.0.person() else { return Ok(Vec::new()) };
        let last = doc! {
            "from": "messages", "localField": "room_id", "foreignField": "room_id", "as": "last",
            "pipeline": [
                { "$sort": { "pos": -1 } },
                { "$limit": 1 },
                { "$project": stored::shown_to(Some(person)) },
            ],
        };
        let mut stages = vec![
            doc! { "$match": { "user_id": person.as_str(), "_id": document::rooms_of(person) } },
            doc! { "$lookup": {
                "from": "rooms", "localField": "room_id", "foreignField": "_id", "as": "room",
            } },
            doc! { "$lookup": last },
            doc! { "$set": { "room": { "$first": "$room" }, "last": { "$first": "$last" } } },
            doc! { "$set": { "active_at": { "$max": ["$timestamp", "$last.timestamp"] } } },
        ];
        if let Some(Behind { active_at, room_id }) = behind {
            let at = bson::DateTime::from_millis(active_at.timestamp_millis());
            stages.push(doc! { "$match": { "$or": [
                { "active_at": { "$lt": at } },
                { "active_at": at, "room_id": { "$gt": room_id.as_str() } },
            ] } });
        }
        stages.push(doc! { "$sort": { "active_at": -1, "room_id": 1 } });
        stages.push(doc! { "$limit": i64::from(limit) });
        let id = doc! { "$concat": ["$room_id", "/", { "$literal": person.as_str() }] };
        stages.push(doc! { "$set": { "marker": id } });
        stages.push(doc! { "$lookup": {
            "from": "markers", "localField": "marker", "foreignField": "_id", "as": "marker",
        } });
        stages.push(doc! { "$set": { "marker": { "$first": "$marker.pos" } } });
        let rooms = self.0.rooms().rooms_of;
        let found = async move {
            let found = rooms.aggregate(stages).batch_size(u32::from(limit) + 1);
            found.max_time(READ_TIMEOUT).await?.try_collect::<Vec<Document>>().await
        };
        let found = self.0.operate(found).await?;
        let found = found.iter().map(room).collect::<Result<Vec<_>, _>>()?;
        let is_news = |found: &&Found| {
            found.room.last.as_ref().is_some_and(|last| last.event.position > found.read_to)
        };
        let behind = found.iter().filter(is_news).map(|found| (&found.room.room_id, found.read_to));
        let mut unread = unread::count(self.0, &behind.collect::<Vec<_>>()).await?;
        let counted = |Found { room, .. }: Found| {
            let unread = unread.remove(room.room_id.as_str()).unwrap_or_default();
            MyRoom { unread, ..room }
        };
        Ok(found.into_iter().map(counted).collect())
    }

    /// The ids of all rooms of the person, those that they came into last first.
    pub async fn newest(&self) -> Result<Vec<RoomId>, ReadError> {
        let Some(person) = self.0.person() else { return Ok(Vec::new()) };
        let rooms = self.0.rooms().rooms_of;
        let mine = doc! { "user_id": person.as_str(), "_id": document::rooms_of(person) };
        let found = async move {
            let found = rooms.find(mine).projection(doc! { "room_id": 1, "timestamp": 1 });
            let found = found.limit(MEMBERSHIPS).max_time(READ_TIMEOUT).await?;
            found.try_collect::<Vec<Document>>().await
        };
        let mut found = self.0.operate(found).await?;
        found.sort_by_key(|room| Reverse(room.get_datetime("timestamp").copied().ok()));
        let id = |room: &Document| RoomId::parse(room.get_str("room_id").ok()?).ok();
        Ok(found.iter().filter_map(id).collect())
    }
}

/// A room in which nothing is counted yet.
struct Found {
    room: MyRoom,
    /// The person's marker. Whoever has none has read up to where they came, or became what they are.
    read_to: Position,
}

fn room(found: &Document) -> Result<Found, ArchiveError> {
    let foreign = || ArchiveError::Foreign("rooms_of");
    let text = found.get_str("room_id").map_err(|_| foreign())?;
    let room_id = RoomId::parse(text).map_err(|_| foreign())?;
    let room = found.get_document("room").map_err(|_| foreign())?;
    let room = bson::deserialize_from_document(room.clone()).map_err(|_| foreign())?;
    let (_, standing, since) = document::member(found)?;
    let at = found.get_datetime("active_at").map_err(|_| foreign())?;
    let active_at = DateTime::from_timestamp_millis(at.timestamp_millis()).ok_or_else(foreign)?;
    let last = found.get_document("last").ok();
    let last = last.and_then(|last| readable(last, to_message));
    let read_to = document::position(found, "marker").unwrap_or(since);
    let room = MyRoom { room_id, room, standing, active_at, last, unread: 0 };
    Ok(Found { room, read_to })
}
