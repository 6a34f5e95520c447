//! Waking a connection, and telling it for which of its rooms.

use std::sync::Arc;

use tokio::sync::Notify;

use super::sync::{AtomicBool, Ordering};

/// What a connection waits on, whatever it is to be woken for.
#[derive(Debug, Default)]
pub struct Wake(Notify);

impl Wake {
    /// Wakes the connection, now or when it next waits.
    pub fn notify(&self) {
        self.0.notify_one();
    }

    /// Waits to be woken.
    pub async fn notified(&self) {
        self.0.notified().await;
    }
}

/// One room of a connection, for which it can be woken.
#[derive(Debug)]
pub struct RoomWake {
    wake: Arc<Wake>,
    /// There may be something that the connection has not looked at.
    pending: AtomicBool,
}

impl RoomWake {
    /// Of that connection, which was not woken for the room yet.
    #[must_use]
    pub fn new(wake: Arc<Wake>) -> Self {
        Self { wake, pending: AtomicBool::new(false) }
    }

    /// Wakes the connection for this room.
    pub fn notify(&self) {
        // One notification is enough until the connection has looked. What happens after it looked
        // happens after it cleared this.
        if !self.pending.swap(true, Ordering::AcqRel) {
            self.wake.notify();
        }
    }

    /// Whether it was woken for this room since this was last asked.
    #[must_use]
    pub fn take_news(&self) -> bool {
        self.pending.swap(false, Ordering::AcqRel)
    }
}
