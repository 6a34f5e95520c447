//! Rooms that everybody may read, as they are found.

use futures_util::TryStreamExt as _;
use mongodb::bson::{self, Document, doc};
use mongodb::options::{Hint, IndexOptions};
use mongodb::{Collection, IndexModel};

use crate::archive::error::{ArchiveError, ReadError};
use crate::archive::mongo::READ_TIMEOUT;
use crate::archive::reads::Reader;
use crate::message::RoomId;
use crate::people::NamePrefix;
use crate::rooms::Room;

/// The index by which rooms are found.
const BY_NAME: &str = "name_keys";

/// Looks for rooms, for somebody who was admitted.
pub struct Finder<'a>(&'a Reader<'a>);

impl<'a> Finder<'a> {
    /// Reads by the admission of this reader.
    #[must_use]
    pub fn of(reader: &'a Reader<'_>) -> Self {
        Self(reader)
    }

    /// Public rooms with a word in their name that begins so, or any, at most so many, in the order of what begins
    /// so.
    pub async fn by_name(
        &self,
        prefix: Option<&NamePrefix>,
        limit: u16,
    ) -> Result<Vec<(RoomId, Room)>, ReadError> {
        let within = prefix.map_or_else(
            || doc! { "$gte": "" },
            |prefix| doc! { "$gte": prefix.first(), "$lt": prefix.behind() },
        );
        // Within one key: otherwise its end would be looked for in any other key of the same name.
        let query = doc! { "kind": "public", "name_keys": { "$elemMatch": within } };
        let rooms = self.0.rooms().rooms;
        let found = async move {
            // By this index and no other way: without it there is no answer, and never a look at all rooms.
            let find = rooms.find(query).hint(Hint::Name(BY_NAME.to_owned()));
            // One more than there can be: otherwise the server keeps the cursor for a second answer.
            let find = find.limit(i64::from(limit)).batch_size(u32::from(limit) + 1);
            find.max_time(READ_TIMEOUT).await?.try_collect::<Vec<Document>>().await
        };
        let found = self.0.operate(found).await?;
        Ok(found.iter().map(room).collect::<Result<_, _>>()?)
    }
}

fn room(found: &Document) -> Result<(RoomId, Room), ArchiveError> {
    let read = || {
        let room = bson::deserialize_from_document(found.clone()).ok()?;
        Some((RoomId::parse(found.get_str("_id").ok()?).ok()?, room))
    };
    read().ok_or(ArchiveError::Foreign("rooms"))
}

/// Makes the index that finding needs. It has no room that is not public.
pub(super) async fn create_index(rooms: &Collection<Document>) -> Result<(), ArchiveError> {
    let options = IndexOptions::builder()
        .name(BY_NAME.to_owned())
        .partial_filter_expression(doc! { "kind": "public" })
        .build();
    let index = IndexModel::builder().keys(doc! { "name_keys": 1 }).options(options).build();
    rooms.create_index(index).await?;
    Ok(())
}
