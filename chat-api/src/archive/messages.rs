//! What was said, a document each.

pub(super) mod batch;
pub(super) mod document;
mod indexes;
pub(super) mod page;
pub(super) mod since;

use mongodb::bson::{Document, RawDocumentBuf};
use mongodb::options::InsertManyOptions;
use mongodb::{Collection, Database};

use super::error::ArchiveError;
use super::mongo::{WRITE_TIMEOUT, safe};
use batch::{Batch, Inserted, Stored};

/// The collection `messages`. A handle, cheap to clone.
#[derive(Clone)]
pub struct Messages(Collection<Document>);

/// The collection with messages, for whoever reads it with another client.
pub(super) fn collection(database: &Database) -> Collection<Document> {
    database.collection_with_options("messages", safe())
}

impl Messages {
    pub(super) fn of(database: &Database) -> Self {
        Self(collection(database))
    }

    /// Stores a batch, whatever of it is held already.
    pub async fn store(&self, batch: &Batch) -> Result<Stored, ArchiveError> {
        batch::divide(batch.len(), |part| self.insert(batch.part(part))).await
    }

    async fn insert(&self, documents: &[RawDocumentBuf]) -> Result<Inserted, ArchiveError> {
        let options = InsertManyOptions::builder().ordered(false).build();
        let messages = self.0.clone_with_type::<RawDocumentBuf>();
        let inserted = messages.insert_many(documents).with_options(options);
        match tokio::time::timeout(WRITE_TIMEOUT, inserted).await {
            Ok(Ok(_)) => {
                let stored = Stored { fresh: documents.len(), refused: Vec::new() };
                Ok(Inserted::Each(stored))
            }
            Ok(Err(error)) => batch::sort(error, documents.len()),
            Err(_) => Err(ArchiveError::Timeout),
        }
    }

    /// Has the indexes made, once: takes as long as there are messages without them.
    pub(super) async fn create_indexes(&self) -> Result<(), ArchiveError> {
        indexes::create(&self.0).await
    }

    /// Has the indexes made, however often that fails. Without them pages are read slowly.
    pub async fn create_indexes_until_done(&self) {
        indexes::create_until_done(&self.0).await;
    }
}
