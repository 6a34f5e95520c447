//! The indexes that reads of messages need.

use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};

use crate::archive::error::ArchiveError;

/// What `room_pos_user` has taken the place of.
const BEFORE: &str = "room_pos";
/// `IndexNotFound`, and `NamespaceNotFound` of a collection without any.
const NOT_THERE: [i32; 2] = [27, 26];

/// No limit in time: MongoDB builds an index of many messages for minutes, and would begin anew.
pub(super) async fn create(messages: &Collection<Document>) -> Result<(), ArchiveError> {
    let named = |name: &str| IndexOptions::builder().name(name.to_owned()).build();
    // Who said it is there for those who count what others said: they read no documents.
    let by_room = doc! { "room_id": 1, "pos": 1, "user_id": 1 };
    let by_time = doc! { "room_id": 1, "timestamp": 1, "pos": 1 };
    let indexes = [
        IndexModel::builder().keys(by_room).options(named("room_pos_user")).build(),
        IndexModel::builder().keys(by_time).options(named("room_timestamp")).build(),
    ];
    messages.create_indexes(indexes).await?;
    match messages.drop_index(BEFORE).await {
        Err(error) if !is_not_there(&error) => Err(error.into()),
        _ => Ok(()),
    }
}

fn is_not_there(error: &Error) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Command(answer) if NOT_THERE.contains(&answer.code))
}
