//! What was under way and has ended.

use super::backlog::{LetterBatch, Stride, Ticket};
use super::look::Look;
use crate::archive::{ArchiveError, Stored};
use crate::kafka::LogError;

/// Something that was under way and has ended.
pub(super) enum Done {
    Written(Vec<Ticket>, Result<Stored, ArchiveError>),
    Advanced(Vec<Stride>, Result<(), ArchiveError>),
    /// So many letters of a batch were acknowledged; the next one was not, if any.
    Sent {
        batch: LetterBatch,
        acknowledged: usize,
        failure: Option<LogError>,
    },
    Looked(Look),
    Marked(Result<(), ArchiveError>),
}
