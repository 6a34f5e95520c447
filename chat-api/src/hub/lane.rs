//! The rooms that one sweeper is to take to their listeners.

use std::collections::VecDeque;

use tokio::sync::Notify;

use super::sync::{Mutex, MutexGuard, PoisonError};
use crate::message::{Partition, RoomId};

/// Rooms with events that were not taken to everybody yet, in the order in which they came to have some.
/// A room stands here once at most for each time that it is heard.
#[derive(Default)]
pub(super) struct Lane {
    dirty: Mutex<VecDeque<(Partition, RoomId)>>,
    pushed: Notify,
}

impl Lane {
    /// Adds a room.
    pub(super) fn push(&self, partition: Partition, room: &RoomId) {
        self.lock().push_back((partition, room.clone()));
        self.pushed.notify_one();
    }

    /// Takes the next room out, if there is one.
    pub(super) fn take(&self) -> Option<(Partition, RoomId)> {
        self.lock().pop_front()
    }

    /// Takes the next room out when there is one. For one sweeper only.
    pub(super) async fn next(&self) -> (Partition, RoomId) {
        loop {
            if let Some(room) = self.take() {
                return room;
            }
            self.pushed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Partition, RoomId)>> {
        // Each access leaves it whole.
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
