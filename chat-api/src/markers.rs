//! How far people have read, as far as this replica has heard of it lately.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::message::{Marker, Position, RoomId, UserId};

/// How many markers are remembered: with names of 100 bytes some 16 MB, and what a person sets within hours
/// is among them.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(1 << 16).unwrap();

/// The latest marker of each person and room: what goes backwards need not be written. What is not here the
/// archive may know.
#[derive(Debug)]
pub struct KnownMarkers(Mutex<LruCache<(UserId, RoomId), Position>>);

impl Default for KnownMarkers {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl KnownMarkers {
    /// Up to where a person has read a room, if that is remembered.
    #[must_use]
    pub fn get(&self, person: &UserId, room: &RoomId) -> Option<Position> {
        self.lock().get(&(person.clone(), room.clone())).copied()
    }

    /// Remembers a marker, unless a later one is known.
    pub fn note(&self, Marker { room_id, user_id, position }: &Marker) {
        let mut markers = self.lock();
        let key = (user_id.clone(), room_id.clone());
        let known = markers.get_or_insert_mut(key, || Position::BEFORE_ALL);
        *known = (*known).max(*position);
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<(UserId, RoomId), Position>> {
        // Each access leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "markers_tests.rs"]
mod tests;
