//! Who is in a room, page by page.

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};

use super::document;
use crate::archive::error::ReadError;
use crate::archive::mongo::READ_TIMEOUT;
use crate::archive::reads::Reader;
use crate::message::{Position, RoomId, Standing, UserId};

/// Reads who is in rooms, for somebody who was admitted.
pub struct Members<'a>(&'a Reader<'a>);

/// Somebody who is in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub user_id: UserId,
    /// What they are there.
    pub standing: Standing,
    /// The record since which they are that.
    pub since: Position,
}

impl<'a> Members<'a> {
    /// Reads by the admission of this reader.
    #[must_use]
    pub fn of(reader: &'a Reader<'_>) -> Self {
        Self(reader)
    }

    /// In how many rooms a person is; at most `limit` are counted.
    pub async fn count_rooms(&self, person: &UserId, limit: u64) -> Result<u64, ReadError> {
        let rooms = self.0.rooms().rooms_of;
        let query = doc! { "user_id": person.as_str(), "_id": document::rooms_of(person) };
        let count =
            async move { rooms.count_documents(query).limit(limit).max_time(READ_TIMEOUT).await };
        self.0.operate(count).await
    }

    /// The members of a room in the order of their ids, from behind one on, at most `limit`.
    pub async fn page(
        &self,
        room: &RoomId,
        after: Option<&UserId>,
        limit: u16,
    ) -> Result<Vec<Member>, ReadError> {
        let members = self.0.rooms().members;
        let mut ids = document::members_of(room);
        if let Some(after) = after {
            ids.insert("$gt", document::member_id(room, after));
        }
        let is_in = [Standing::Member, Standing::Owner, Standing::Blocked].map(document::standing);
        let query =
            doc! { "room_id": room.as_str(), "_id": ids, "standing": { "$in": is_in.to_vec() } };
        let found = async move {
            let find = members.find(query).sort(doc! { "_id": 1 }).limit(i64::from(limit));
            // One more than there can be: otherwise the server keeps the cursor for a second answer.
            let find = find.batch_size(u32::from(limit) + 1).max_time(READ_TIMEOUT);
            find.await?.try_collect::<Vec<Document>>().await
        };
        let found = self.0.operate(found).await?;
        let member = |found: &Document| {
            let (user_id, standing, since) = document::member(found)?;
            Ok(Member { user_id, standing, since })
        };
        found.iter().map(member).collect()
    }
}
