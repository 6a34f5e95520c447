//! How long MongoDB may take, which read and write concern its answers need, and how its numbers
//! are read.

use std::time::Duration;

use mongodb::bson::Bson;
use mongodb::options::{
    CollectionOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};

use super::error::ArchiveError;

/// A history read that takes longer than this is an outage to its caller.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// A batch that takes longer than this is tried again; the server may have stopped in the middle.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// What is read is held by a majority, and what is written too before it counts.
pub(super) fn safe() -> CollectionOptions {
    CollectionOptions::builder()
        .write_concern(WriteConcern::majority())
        .read_concern(ReadConcern::majority())
        .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
        .build()
}

/// The driver has no deadline of its own for a server that stops answering.
pub(super) async fn limited<T>(
    limit: Duration,
    question: impl IntoFuture<Output = mongodb::error::Result<T>>,
) -> Result<T, ArchiveError> {
    let answer = tokio::time::timeout(limit, question.into_future()).await;
    Ok(answer.map_err(|_| ArchiveError::Timeout)??)
}

/// A whole number. Servers answer with whichever type of number is at hand, and so does whoever writes by
/// hand.
pub(super) fn number(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        // A whole one is written without a point.
        Bson::Double(number) => number.to_string().parse().ok(),
        _ => None,
    }
}
