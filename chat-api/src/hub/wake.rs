//! Waking a connection, and telling it for which of its rooms.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

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

/// One room of a connection on the room's list.
#[derive(Debug)]
pub struct RoomWake {
    wake: Arc<Wake>,
    /// There may be something that the connection has not looked at.
    pending: AtomicBool,
}

impl RoomWake {
    pub(super) fn new(wake: Arc<Wake>) -> Self {
        Self { wake, pending: AtomicBool::new(true) }
    }

    pub(super) fn notify(&self) {
        // One notification is enough until the connection has looked. What is pushed after it looked is
        // pushed after it cleared this.
        if !self.pending.swap(true, Ordering::AcqRel) {
            self.wake.notify();
        }
    }

    pub(super) fn take_news(&self) -> bool {
        self.pending.swap(false, Ordering::AcqRel)
    }
}
