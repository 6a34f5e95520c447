//! What a client says, and the answer to it.

use tokio::sync::oneshot;
use uuid::Uuid;

use crate::chat::place::Place;

/// A message that was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acked {
    /// Its id.
    pub id: Uuid,
    /// Its place, when the server knew it.
    pub place: Option<Place>,
}

/// A refusal for good: the `code` of the `nack`, or why there is no client any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

/// Something to say, and who waits for the answer.
pub(super) struct Saying {
    pub(super) content: String,
    pub(super) key: String,
    pub(super) answer: oneshot::Sender<Result<Acked, Refused>>,
}
