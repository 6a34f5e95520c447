//! What was under way and has ended.

use super::backlog::{LaneStep, LetterBatch, Ticket};
use super::look::Look;
use crate::archive::{ArchiveError, Stored};
use crate::kafka::LogError;

/// Something that was under way and has ended.
pub(super) enum Done {
    Written(Vec<Ticket>, Result<Stored, ArchiveError>),
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
