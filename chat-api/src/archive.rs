//! The archive in MongoDB: what was said, for as long as nobody deletes it.
//!
//! Documents carry the message's id as `_id`, which is the only unique index, so writing one again
//! changes nothing. `progress` says per generation and partition up to where every record is held;
//! it is written after the documents, and only somebody who puts a backup back makes it fall.

mod batch;
mod document;
mod error;
mod generations;
mod history;
mod page;
mod prepare;
mod progress;
mod reach;
mod since;
mod watch;

use std::time::Duration;

use mongodb::bson::{Document, RawDocumentBuf};
use mongodb::options::{
    CollectionOptions, InsertManyOptions, ReadConcern, ReadPreference, SelectionCriteria,
    WriteConcern,
};
use mongodb::{Client, Collection, Database};
use secrecy::SecretString;

pub use batch::{Batch, Refusal, Stored};
pub use error::{ArchiveError, ReadError};
pub use history::{History, Reader};
pub use page::{End, PAGE_BYTES, Page, Span};
pub use progress::{Progress, Step};
pub use watch::Wait;

/// A history read that takes longer than this is an outage to its caller.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections for whoever fills the archive, unless the connection string says `maxPoolSize`: a batch,
/// progress, a look at it, and marks.
const CONNECTIONS: u32 = 10;
/// A batch that takes longer than this is tried again; the server may have stopped in the middle.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The archive as it is filled, with a client of its own. A handle, cheap to clone.
#[derive(Clone)]
pub struct Archive {
    database: Database,
    messages: Collection<Document>,
    progress: Collection<Document>,
    generations: Collection<Document>,
}

impl Archive {
    /// A handle to the database of a connection string. Connects in the background.
    pub async fn open(uri: &SecretString, database: &str) -> Result<Self, ArchiveError> {
        let (database, _) = connect(uri, database, CONNECTIONS).await?;
        let messages = database.collection_with_options("messages", safe());
        let progress = database.collection_with_options("progress", safe());
        let generations = database.collection_with_options("generations", safe());
        Ok(Self { database, messages, progress, generations })
    }

    /// Stores a batch, whatever of it is held already.
    pub async fn store(&self, batch: &Batch) -> Result<Stored, ArchiveError> {
        batch::divide(batch.len(), |part| self.insert(batch.part(part))).await
    }

    async fn insert(&self, documents: &[RawDocumentBuf]) -> Result<batch::Inserted, ArchiveError> {
        let options = InsertManyOptions::builder().ordered(false).build();
        let messages = self.messages.clone_with_type::<RawDocumentBuf>();
        let inserted = messages.insert_many(documents).with_options(options);
        match tokio::time::timeout(WRITE_TIMEOUT, inserted).await {
            Ok(Ok(_)) => {
                let stored = Stored { fresh: documents.len(), refused: Vec::new() };
                Ok(batch::Inserted::Each(stored))
            }
            Ok(Err(error)) => batch::sort(error, documents.len()),
            Err(_) => Err(ArchiveError::Timeout),
        }
    }
}

/// A client of its own for a database, and how many connections it makes at most.
async fn connect(
    uri: &SecretString,
    database: &str,
    connections: u32,
) -> Result<(Database, usize), ArchiveError> {
    let mut options = reach::options(uri).await?;
    let connections = *options.max_pool_size.get_or_insert(connections);
    let connections = usize::try_from(connections).unwrap_or(usize::MAX);
    Ok((Client::with_options(options)?.database(database), connections))
}

/// What is read is held by a majority, and what is written too before it counts.
fn safe() -> CollectionOptions {
    CollectionOptions::builder()
        .write_concern(WriteConcern::majority())
        .read_concern(ReadConcern::majority())
        .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
        .build()
}

/// The driver has no deadline of its own for a server that stops answering.
async fn limited<T>(
    limit: Duration,
    question: impl IntoFuture<Output = mongodb::error::Result<T>>,
) -> Result<T, ArchiveError> {
    let answer = tokio::time::timeout(limit, question.into_future()).await;
    Ok(answer.map_err(|_| ArchiveError::Timeout)??)
}
