//! What is worth having only now: a listener whose line is not free goes without it, or gets a later one.

use tokio_tungstenite::tungstenite::Bytes;

use crate::message::UserId;

/// Something for everybody who hears a room, besides its events.
pub trait Offer: Send + Sync {
    /// What a person, or a guest, is told of it who was told up to a version before; 0 is nothing.
    fn to(&self, person: Option<&UserId>, known: u64) -> Option<Told>;
}

/// What one listener is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whole frames.
    pub frames: Bytes,
    /// Up to which version the listener was told then.
    pub version: u64,
    /// Whether that is a part: the rest comes when it is offered again.
    pub has_more: bool,
}
