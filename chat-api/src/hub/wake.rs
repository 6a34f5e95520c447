//! Waking a connection, and telling it for which of its rooms.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// What a connection waits on, whatever it is to be woken for.
#[derive(Debug, Default)]
pub struct Bell(Notify);

impl Bell {
    /// Wakes the connection, now or when it next waits.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits to be woken.
    pub async fn rung(&self) {
        self.0.notified().await;
    }
}

/// One room of a connection on the room's list.
#[derive(Debug)]
pub struct Wake {
    bell: Arc<Bell>,
    /// There may be something that the connection has not looked at.
    pending: AtomicBool,
}

impl Wake {
    pub(super) fn new(bell: Arc<Bell>) -> Self {
        Self { bell, pending: AtomicBool::new(true) }
    }

    pub(super) fn ring(&self) {
        // One ring is enough until the connection has looked. What is pushed after it looked is
        // pushed after it cleared this.
        if !self.pending.swap(true, Ordering::AcqRel) {
            self.bell.ring();
        }
    }

    pub(super) fn answer(&self) -> bool {
        self.pending.swap(false, Ordering::AcqRel)
    }
}
