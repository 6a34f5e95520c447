//! What can go wrong with the archive.

use mongodb::error::Error;

/// Why the archive did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The connection string cannot be read: which part. Nothing of it is repeated.
    #[error("{0}")]
    Address(String),
    /// The server cannot be reached.
    #[error("MongoDB cannot be reached: {place}: {reason}")]
    Unreachable {
        /// The addresses that were tried: `host:port`, separated by commas.
        place: String,
        /// What stood in the way.
        reason: String,
    },
    /// The server is away, or said no.
    #[error("archive: {0}")]
    Unavailable(#[from] Error),
    /// The server did not answer in time.
    #[error("archive: no answer in time")]
    Timeout,
    /// The task that asked the server panicked.
    #[error("archive: the question was not finished")]
    Died,
    /// The server could not store documents, with this code. It may later.
    #[error("archive: the server failed with code {0}")]
    Insert(i32),
    /// The server answered the write of progress with errors, or with something else.
    #[error("archive: progress was not written")]
    Progress,
    /// The server answered the update of messages with errors, or with something else.
    #[error("archive: messages were not updated")]
    Fold,
    /// The server answered the write of markers with errors, or with something else.
    #[error("archive: markers were not written")]
    Markers,
    /// The server answered the write of people with errors, or with something else.
    #[error("archive: people were not written")]
    People,
    /// Another reader changed the same messages again and again.
    #[error("archive: messages are changed by another reader")]
    Contended,
    /// The progress that is stored lies below what is known to have been stored: somebody put an
    /// older state back.
    #[error("archive: progress has fallen")]
    Fallen,
    /// A document that this program did not write.
    #[error("archive: a document in {0} is not ours")]
    Foreign(&'static str),
    /// The log is one of before: what is said in it would stand between what is stored.
    #[error(
        "the archive knows generation {recorded} of the log, and there is {found}: `chat-api topics raise {next}` makes the next one", next = recorded + 1
    )]
    GenerationLost {
        /// The newest generation that the archive has recorded.
        recorded: i32,
        /// The newest generation that has a topic.
        found: u16,
    },
    /// The topic got another number of partitions.
    #[error(
        "the archive was begun with {recorded} partitions, the topic has {found}: partitions are never added in place"
    )]
    PartitionsChanged {
        /// Partitions that were recorded when the archive was begun.
        recorded: i64,
        /// Partitions that the topic has now.
        found: i64,
    },
}

impl ArchiveError {
    /// Whether the log and the archive do not belong together, which only an operator can change.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::PartitionsChanged { .. } | Self::GenerationLost { .. })
    }
}

/// Why something was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// This person reads too much in a short time, or the guests of this network do.
    #[error("too many reads of one person or network in a short time")]
    TooFast,
    /// As much is read already as there are connections for.
    #[error("too many reads are under way")]
    Busy,
    /// The archive failed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}
