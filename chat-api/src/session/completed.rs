//! What was asked of others and is answered.

use std::sync::Arc;

use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::archive::ReadError;
use crate::backfill::OldPage;
use crate::message::{Position, RoomId};
use crate::room_loader::RoomError;
use crate::rooms::Refused;

/// Work that went on beside a session, and has ended.
pub(super) enum Completed {
    /// The frame that answers a send.
    Send(Utf8Bytes),
    /// The frame that refuses what was read, if it is refused.
    Read(Option<Utf8Bytes>),
    /// A sign of typing, and why it is not taken.
    Typing { room: RoomId, taken: Result<(), Refused> },
    /// A page below the ring's floor.
    Page { room: RoomId, from: Position, page: Result<Arc<OldPage>, Arc<ReadError>> },
    /// A room that was not known.
    Room { room: RoomId, loaded: Result<(), RoomError> },
}
