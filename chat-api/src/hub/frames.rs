//! Events as they go onto a line.

use std::sync::Arc;

use tokio_tungstenite::tungstenite::Bytes;

use super::entry::Entry;
use crate::message::{Ended, Position};

/// What goes onto a line in one go, in bytes, unless one event is larger. A client that takes nothing holds
/// so much, and with what its socket needs to wait no more than 16 KiB; what goes on while it does not is
/// read again later.
pub const PIECE: usize = 14 * 1024;

/// Some events of a room in their order, shared by all who are at the same place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Frames {
    /// The place they were read from.
    pub from: Position,
    /// Their frames, one behind the other.
    pub bytes: Bytes,
    /// How many they are.
    pub count: u64,
    /// Where to read on. Everything of the room from [`Frames::from`] up to here is among them.
    pub next: Position,
    /// Whose subscriptions the last one ends. Nothing lies behind such an event: so one comparison tells
    /// whoever it is about where to stop, and all others share the frames.
    pub ends: Option<Ended>,
}

impl Frames {
    /// What was read from one place up to another.
    #[must_use]
    pub fn join(from: Position, entries: &[Arc<Entry>], next: Position) -> Self {
        let bytes = match entries {
            [] => Bytes::new(),
            // Most often: nothing is copied.
            [entry] => entry.frame().clone(),
            entries => {
                let length = entries.iter().map(|entry| entry.frame().len()).sum();
                let mut bytes = Vec::with_capacity(length);
                for entry in entries {
                    bytes.extend_from_slice(entry.frame());
                }
                bytes.into()
            }
        };
        let ends = entries.last().and_then(|entry| entry.meta.ends.clone());
        let count = entries.iter().filter(|entry| !entry.is_silent()).count() as u64;
        Self { from, bytes, count, next, ends }
    }
}
