//! The last events of one partition.

use std::collections::{HashMap, VecDeque};

use crate::message::{Position, RoomId};

/// What an entry costs beside its frame: the entry, its place in the index, allocations.
const ENTRY_OVERHEAD: usize = 160;

/// The last events of one partition, bounded in bytes and indexed by room.
///
/// It holds every event of `floor ≤ position < head`. What is below the floor is the archive's.
pub struct Ring<F> {
    entries: VecDeque<Entry<F>>,
    /// Per room the serial numbers of its entries, ascending.
    rooms: HashMap<RoomId, VecDeque<u64>>,
    /// The serial number of the first entry.
    first: u64,
    floor: Position,
    head: Position,
    bytes: usize,
    limit: usize,
}

struct Entry<F> {
    position: Position,
    room: RoomId,
    frame: F,
    bytes: usize,
}

/// Some events of a room in their order.
#[derive(Debug, PartialEq, Eq)]
pub struct Page<F> {
    /// The events.
    pub frames: Vec<F>,
    /// What they take of a ring.
    pub bytes: usize,
    /// Where to read on. Everything of the room before it was in this page or an earlier one.
    pub next: Position,
    /// The end of the partition when this was read.
    pub head: Position,
}

impl<F: Clone> Ring<F> {
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

    /// What an event takes of a ring whose frame has that many bytes.
    #[must_use]
    pub fn bytes_of(frame: usize) -> usize {
        frame + ENTRY_OVERHEAD
    }

    /// Appends an event whose frame has that many bytes, and lets the oldest ones go if need be.
    /// A position below the head was read before and changes nothing.
    pub fn push(&mut self, position: Position, room: &RoomId, frame: F, bytes: usize) {
        if position < self.head {
            return;
        }
        let serial = self.first + self.entries.len() as u64;
        let bytes = Self::bytes_of(bytes);
        self.rooms.entry(room.clone()).or_default().push_back(serial);
        self.entries.push_back(Entry { position, room: room.clone(), frame, bytes });
        self.head = position.next();
        self.bytes += bytes;
        while self.bytes > self.limit {
            self.drop_oldest();
        }
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

    fn drop_oldest(&mut self) {
        let Some(entry) = self.entries.pop_front() else { return };
        self.first += 1;
        self.bytes -= entry.bytes;
        self.floor = entry.position.next();
        if let Some(serials) = self.rooms.get_mut(&entry.room) {
            serials.pop_front();
            if serials.is_empty() {
                self.rooms.remove(&entry.room);
            }
        }
    }

    /// The position of a room's last event, if it is held.
    #[must_use]
    pub fn last(&self, room: &RoomId) -> Option<Position> {
        let serial = self.rooms.get(room)?.back()?;
        Some(self.entry(*serial).position)
    }

    /// The events of a room from `next` on, until they have `budget` bytes, but at least one; `Err`
    /// is the floor if `next` lies below it.
    pub fn read(&self, room: &RoomId, next: Position, budget: usize) -> Result<Page<F>, Position> {
        if next < self.floor {
            return Err(self.floor);
        }
        let end = Page { frames: Vec::new(), bytes: 0, next: next.max(self.head), head: self.head };
        let Some(serials) = self.rooms.get(room) else { return Ok(end) };
        let from = serials.partition_point(|serial| self.entry(*serial).position < next);
        let mut page = end;
        for entry in serials.range(from..).map(|serial| self.entry(*serial)) {
            if page.bytes >= budget {
                // A page that ends early ends right before the first event it left out.
                page.next = entry.position;
                break;
            }
            page.bytes += entry.bytes;
            page.frames.push(entry.frame.clone());
        }
        Ok(page)
    }

    fn entry(&self, serial: u64) -> &Entry<F> {
        let index = usize::try_from(serial - self.first).expect("an index within memory");
        &self.entries[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(raw: i64) -> Position {
        Position::from_raw(raw).unwrap()
    }

    fn room(name: &str) -> RoomId {
        RoomId::parse(name).unwrap()
    }

    #[test]
    fn a_reader_at_any_place_gets_exactly_the_rooms_events_from_there_on() {
        let mut ring = Ring::new(at(0), usize::MAX);
        // Every third position belongs to room a; positions 10..20 are not in the log.
        let positions: Vec<i64> = (0..10).chain(20..50).collect();
        for raw in &positions {
            let name = if raw % 3 == 0 { "a" } else { "b" };
            ring.push(at(*raw), &room(name), *raw, 1);
        }
        for start in 0..52 {
            for limit in [1, 2, 100] {
                let budget = (limit - 1) * (1 + ENTRY_OVERHEAD) + 1;
                let (mut next, mut seen) = (at(start), Vec::new());
                loop {
                    let page = ring.read(&room("a"), next, budget).unwrap();
                    assert!(page.next >= next, "next never falls");
                    assert!(page.frames.len() <= limit);
                    next = page.next;
                    if page.frames.is_empty() {
                        break;
                    }
                    seen.extend(page.frames);
                }
                let expected: Vec<i64> =
                    positions.iter().copied().filter(|raw| raw % 3 == 0 && *raw >= start).collect();
                assert_eq!(seen, expected, "from {start}, {limit} at a time");
            }
        }
    }

    #[test]
    fn the_floor_rises_with_what_is_let_go_and_is_never_read_across() {
        let limit = 10 * (100 + ENTRY_OVERHEAD);
        let mut ring = Ring::new(at(0), limit);
        for raw in 0..1_000 {
            ring.push(at(raw), &room("a"), raw, 100);
            assert!(ring.bytes <= limit);
        }
        assert_eq!(ring.read(&room("a"), at(989), 100), Err(at(990)));
        let page = ring.read(&room("a"), at(990), limit).unwrap();
        assert_eq!(page.frames, (990..1_000).collect::<Vec<_>>());
        assert_eq!((page.bytes, page.next, page.head), (limit, at(1_000), at(1_000)));
        assert_eq!(ring.rooms[&room("a")].len(), 10, "the index shrinks with the ring");
    }

    #[test]
    fn an_event_larger_than_the_ring_goes_straight_below_the_floor() {
        let mut ring = Ring::new(at(5), 10);
        ring.push(at(5), &room("a"), 5, 100);
        assert_eq!(ring.read(&room("a"), at(5), 1), Err(at(6)));
        let page = ring.read(&room("a"), at(6), 1).unwrap();
        assert_eq!((page.frames, page.next), (vec![], at(6)));
        assert!(ring.rooms.is_empty());
    }

    #[test]
    fn what_is_passed_moves_the_head_and_leaves_no_event() {
        let mut ring = Ring::new(at(3), usize::MAX);
        ring.skip(at(1));
        assert_eq!(ring.head(), at(3), "below the ring's beginning there is nothing to pass");
        ring.skip(at(3));
        ring.push(at(4), &room("a"), 4, 1);
        let page = ring.read(&room("a"), at(3), 1).unwrap();
        assert_eq!((page.frames, page.next), (vec![4], at(5)));
    }

    #[test]
    fn a_place_that_was_read_changes_nothing() {
        let mut ring = Ring::new(at(0), usize::MAX);
        ring.push(at(0), &room("a"), 0, 1);
        ring.push(at(0), &room("a"), 7, 1);
        assert_eq!(ring.read(&room("a"), at(0), 9).unwrap().frames, [0]);
        assert_eq!(ring.last(&room("a")), Some(at(0)));
        assert_eq!(ring.last(&room("b")), None);
    }
}
