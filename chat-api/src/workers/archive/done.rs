//! What was under way and has ended.

use super::backlog::{LaneStep, LetterBatch, Ticket};
use super::look::Look;
use crate::archive::{ArchiveError, RefusedDocument, Stored};
use crate::kafka::LogError;

/// Something that was under way and has ended.
pub(super) enum Done {
    Written(Vec<Ticket>, Result<Written, ArchiveError>),
    Advanced(Vec<LaneStep>, Result<(), ArchiveError>),
    /// The first `acknowledged` letters of a batch were acknowledged; the next one, if any, was
    /// not.
    Sent {
        batch: LetterBatch,
        acknowledged: usize,
        failure: Option<LogError>,
    },
    Looked(Look),
    Marked(Result<(), ArchiveError>),
}

/// What became of a batch.
pub(super) struct Written {
    pub(super) stored: Stored,
    /// Proposals that the server will never take, by their numbers in the batch.
    pub(super) held: Vec<RefusedDocument>,
}
