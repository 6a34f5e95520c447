//! What can go wrong with the archive.

use mongodb::error::{Error, ErrorKind};

/// `E11000 duplicate key`: `_id` is the only unique index, so the message is held already.
const DUPLICATE_KEY: i32 = 11000;

/// What a server says about a document that it will never take: `BadValue`, `FailedToParse`,
/// `TypeMismatch`, `DollarPrefixedFieldName`, `DocumentValidationFailure`, `BSONObjectTooLarge`,
/// `KeyTooLong`. Anything else may pass, so the batch is tried again.
const REFUSALS: [i32; 7] = [2, 9, 14, 52, 121, 10334, 17280];

/// Why the archive did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The connection string cannot be read. The driver's own complaint may quote it.
    #[error("expected a mongodb:// or mongodb+srv:// connection string")]
    Address,
    /// The server is away, or said no.
    #[error("archive: {0}")]
    Unavailable(#[from] Error),
    /// The server did not answer in time.
    #[error("archive: no answer in time")]
    Timeout,
    /// Progress was not written.
    #[error("archive: progress was not written")]
    Progress,
    /// The server will never take these documents of the batch: their indexes.
    #[error("archive: {} documents were refused", .0.len())]
    Refused(Vec<usize>),
    /// A document that this program did not write.
    #[error("archive: a document in {0} is not ours")]
    Foreign(&'static str),
    /// The topic got another number of partitions.
    #[error(
        "the archive was begun with {recorded} partitions, the topic has {found}: partitions are never added in place"
    )]
    PartitionsChanged {
        /// How many there were.
        recorded: i64,
        /// How many there are.
        found: i64,
    },
}

/// Sorts the answer to an unordered insert.
pub(super) fn of_insert(error: Error) -> Result<(), ArchiveError> {
    let ErrorKind::InsertMany(insert) = error.kind.as_ref() else {
        return Err(error.into());
    };
    if insert.write_concern_error.is_some() {
        return Err(error.into());
    }
    let mut refused = Vec::new();
    for failure in insert.write_errors.iter().flatten() {
        match failure.code {
            DUPLICATE_KEY => {}
            code if REFUSALS.contains(&code) => refused.push(failure.index),
            _ => return Err(error.into()),
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(ArchiveError::Refused(refused)) }
}
