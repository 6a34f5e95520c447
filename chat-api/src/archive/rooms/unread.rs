//! How much was said in rooms since somebody read them, counted by an index alone.

use std::collections::HashMap;

use futures_util::TryStreamExt as _;
use mongodb::bson::{Bson, Document, doc};

use crate::archive::error::{ArchiveError, ReadError};
use crate::archive::mongo::{READ_TIMEOUT, number};
use crate::archive::reads::Reader;
use crate::message::{Position, RoomId};

/// The most that is counted in a room: an app shows "99+" at most.
const UNREAD_MAX: i64 = 100;
/// The most that is looked at in a room. What one said oneself lies behind one's marker, but for the moment
/// between a message and the marker that comes with it.
const LOOKED_AT: i64 = UNREAD_MAX + 2;

/// Counts messages of others behind each of some places, whoever was admitted. Those that were deleted count
/// as well: that needs no document. A room without any is left out.
pub(super) async fn count(
    reader: &Reader<'_>,
    rooms: &[(&RoomId, Position)],
) -> Result<HashMap<String, u32>, ReadError> {
    let mut counts = rooms.iter().map(|(room, after)| of_room(reader, room, *after));
    let Some(mut stages) = counts.next() else { return Ok(HashMap::new()) };
    // One question for all of them: each needs bounds of its own, or the index would be read without.
    stages.extend(counts.map(|pipeline| {
        doc! { "$unionWith": { "coll": "messages", "pipeline": pipeline } }
    }));
    let (messages, batch) = (reader.messages(), u32::try_from(rooms.len()).unwrap_or(0));
    let found = async move {
        let found = messages.aggregate(stages).batch_size(batch + 1);
        found.max_time(READ_TIMEOUT).await?.try_collect::<Vec<Document>>().await
    };
    let found = reader.operate(found).await?;
    Ok(found.iter().map(counted).collect::<Result<_, _>>()?)
}

/// Every stage needs nothing but what the index `room_pos_user` has.
fn of_room(reader: &Reader<'_>, room: &RoomId, after: Position) -> Vec<Document> {
    let person = reader.person().map(|person| Bson::String(person.as_str().to_owned()));
    let others = doc! { "$ne": person.unwrap_or(Bson::Null) };
    vec![
        doc! { "$match": { "room_id": room.as_str(), "pos": { "$gt": after.raw() } } },
        doc! { "$sort": { "pos": 1 } },
        doc! { "$limit": LOOKED_AT },
        doc! { "$project": { "_id": 0, "room_id": 1, "pos": 1, "user_id": 1 } },
        doc! { "$match": { "user_id": others } },
        doc! { "$limit": UNREAD_MAX },
        doc! { "$group": { "_id": "$room_id", "unread": { "$sum": 1 } } },
    ]
}

fn counted(found: &Document) -> Result<(String, u32), ArchiveError> {
    let read = || {
        let room = found.get_str("_id").ok()?.to_owned();
        Some((room, u32::try_from(number(found.get("unread")?)?).ok()?))
    };
    read().ok_or(ArchiveError::Foreign("messages"))
}
