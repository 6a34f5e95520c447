//! The collections of rooms.

use mongodb::bson::Document;
use mongodb::error::{Error, ErrorKind};
use mongodb::{Client, Collection, Database};

use super::error::ArchiveError;
use super::mongo::{READ_TIMEOUT, limited, safe};

/// `NamespaceExists`: somebody else has made the collection.
const EXISTS: i32 = 48;

/// Handles, cheap to clone.
#[derive(Clone)]
pub(super) struct RoomCollections {
    pub(super) database: Database,
    pub(super) rooms: Collection<Document>,
    pub(super) members: Collection<Document>,
    pub(super) rooms_of: Collection<Document>,
    pub(super) markers: Collection<Document>,
    pub(super) changes: Collection<Document>,
}

impl RoomCollections {
    pub(super) fn of(database: &Database) -> Self {
        let collection = |name| database.collection_with_options(name, safe());
        Self {
            database: database.clone(),
            rooms: collection("rooms"),
            members: collection("members"),
            rooms_of: collection("rooms_of"),
            markers: collection("markers"),
            changes: collection("changes"),
        }
    }

    /// Makes those that are not there: within a transaction they would be made under a lock.
    pub(super) async fn make(&self) -> Result<(), ArchiveError> {
        let all = [&self.rooms, &self.members, &self.rooms_of, &self.markers, &self.changes];
        for collection in all {
            let made = self.database.create_collection(collection.name());
            match limited(READ_TIMEOUT, made).await {
                Err(ArchiveError::Unavailable(error)) if is_there(&error) => {}
                made => made?,
            }
        }
        Ok(())
    }

    pub(super) fn client(&self) -> &Client {
        self.database.client()
    }
}

fn is_there(error: &Error) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Command(answer) if answer.code == EXISTS)
}
