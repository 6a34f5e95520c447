//! The last events of one partition.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::entry::Entry;
use crate::message::{MessageId, Position, RoomId};

/// The last events of one partition, bounded in bytes and indexed by room.
///
/// It holds every event of `floor ≤ position < head`. What is below the floor is the archive's.
pub struct Ring {
    /// In the order of their positions.
    entries: VecDeque<Arc<Entry>>,
    /// Per room the serial numbers of its entries, ascending.
    rooms: HashMap<RoomId, VecDeque<u64>>,
    /// The serial number of the first entry.
    first: u64,
    floor: Position,
    head: Position,
    bytes: usize,
    limit: usize,
}

/// Some events of a room in their order.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The events, in the order of their positions.
    pub entries: Vec<Arc<Entry>>,
    /// What they take of a ring.
    pub bytes: usize,
    /// Where to read on. Everything of the room before it was in this page or an earlier one.
    pub next: Position,
    /// The end of the partition when this was read.
    pub head: Position,
}

impl Ring {
    /// An empty ring that begins at `start` and holds at most `limit` bytes.
    #[must_use]
    pub fn new(start: Position, limit: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            rooms: HashMap::new(),
            first: 0,
            floor: start,
            head: start,
            bytes: 0,
            limit,
        }
    }

    /// Appends an event, and lets the oldest ones go if need be. A position below the head was read
    /// before and changes nothing.
    pub fn push(&mut self, entry: Arc<Entry>) {
        if entry.position < self.head {
            return;
        }
        let serial = self.first + self.entries.len() as u64;
        self.rooms.entry(entry.room.clone()).or_default().push_back(serial);
        self.head = entry.position.next();
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        self.shrink();
    }

    /// Puts an entry in the place of the one at its position, if that is held and of the same room. Pages
    /// that were read before keep the other one. What is larger lets the oldest go, which may be itself.
    pub fn replace(&mut self, entry: Arc<Entry>) -> bool {
        let found = self.entries.binary_search_by_key(&entry.position, |held| held.position);
        let Ok(index) = found else { return false };
        let held = &mut self.entries[index];
        if held.room != entry.room {
            return false;
        }
        self.bytes = self.bytes - held.bytes() + entry.bytes();
        *held = entry;
        self.shrink();
        true
    }

    /// Whether the ring holds a place for which nothing is sent so far.
    #[must_use]
    pub fn is_silent(&self, position: Position) -> bool {
        let found = self.entries.binary_search_by_key(&position, |held| held.position);
        found.is_ok_and(|index| self.entries[index].is_silent())
    }

    /// Passes a position that holds nothing for anybody.
    pub fn skip(&mut self, position: Position) {
        self.head = self.head.max(position.next());
    }

    /// The position after the last one that was pushed or skipped.
    #[must_use]
    pub fn head(&self) -> Position {
        self.head
    }

    /// Lets the oldest events go until the rest is within the limit.
    fn shrink(&mut self) {
        while self.bytes > self.limit {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(entry) = self.entries.pop_front() else { return };
        self.first += 1;
        self.bytes -= entry.bytes();
        self.floor = entry.position.next();
        if let Some(serials) = self.rooms.get_mut(&entry.room) {
            serials.pop_front();
            if serials.is_empty() {
                self.rooms.remove(&entry.room);
            }
        }
    }

    /// Everything of the partition is held from here on.
    #[must_use]
    pub fn floor(&self) -> Position {
        self.floor
    }

    /// The position of a room's last event of which something is sent, if it is held.
    #[must_use]
    pub fn last(&self, room: &RoomId) -> Option<Position> {
        let mut serials = self.rooms.get(room)?.iter().rev();
        let spoken = serials.find(|serial| !self.entry(**serial).is_silent())?;
        Some(self.entry(*spoken).position)
    }

    /// What is held of a message and of what was done to it, from a place on.
    #[must_use]
    pub fn about(&self, room: &RoomId, id: MessageId, from: Position) -> Vec<Arc<Entry>> {
        let Some(serials) = self.rooms.get(room) else { return Vec::new() };
        let first = serials.partition_point(|serial| self.entry(*serial).position < from);
        let entries = serials.range(first..).map(|serial| self.entry(*serial));
        entries.filter(|entry| entry.meta.is_about(id)).cloned().collect()
    }

    /// The events of a room from `next` on, at most `budget` bytes of them unless the first one is larger,
    /// or until one ends somebody's subscription; `Err` is the floor if `next` lies below it.
    pub fn read(&self, room: &RoomId, next: Position, budget: usize) -> Result<Page, Position> {
        if next < self.floor {
            return Err(self.floor);
        }
        let end =
            Page { entries: Vec::new(), bytes: 0, next: next.max(self.head), head: self.head };
        let Some(serials) = self.rooms.get(room) else { return Ok(end) };
        let from = serials.partition_point(|serial| self.entry(*serial).position < next);
        let mut page = end;
        for entry in serials.range(from..).map(|serial| self.entry(*serial)) {
            if !page.entries.is_empty() && page.bytes.saturating_add(entry.bytes()) > budget {
                // A page that ends early ends right before the first event it left out.
                page.next = entry.position;
                break;
            }
            page.bytes += entry.bytes();
            page.entries.push(Arc::clone(entry));
            if entry.meta.ends.is_some() {
                page.next = entry.position.next();
                break;
            }
        }
        Ok(page)
    }

    fn entry(&self, serial: u64) -> &Arc<Entry> {
        let index = usize::try_from(serial - self.first).expect("an index within memory");
        &self.entries[index]
    }
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
