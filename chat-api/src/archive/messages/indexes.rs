//! The indexes that reads of messages need.

use mongodb::bson::{Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};

use crate::archive::error::ArchiveError;

/// No limit in time: MongoDB builds an index of many messages for minutes, and would begin anew.
pub(super) async fn create(messages: &Collection<Document>) -> Result<(), ArchiveError> {
    let named = |name: &str| IndexOptions::builder().name(name.to_owned()).build();
    let by_room = doc! { "room_id": 1, "pos": 1 };
    let by_time = doc! { "room_id": 1, "timestamp": 1, "pos": 1 };
    let indexes = [
        IndexModel::builder().keys(by_room).options(named("room_pos")).build(),
        IndexModel::builder().keys(by_time).options(named("room_timestamp")).build(),
    ];
    messages.create_indexes(indexes).await?;
    Ok(())
}
