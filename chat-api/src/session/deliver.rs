//! The one delivery loop.
//!
//! For each room there is a [`Place`]. Events from there on are read out of the ring or, below its
//! floor, out of the archive; at the head the session waits to be woken. What is live, what is
//! resumed and what a slow client gets are all this.
//!
//! [`Place`]: super::Place

use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::Session;
use super::completed::Completed;
use super::end::End;
use super::place::ReadEnd;
use super::subscription::Waits;
use crate::archive::ReadError;
use crate::backfill::OldPage;
use crate::hub::HubReadError;
use crate::message::{Cursor, Partition, Position, RoomId, UserId};
use crate::ws::frame::Outbound;

/// What is taken out of the rings in one turn, in bytes.
const TURN: usize = 32 * 1024;

/// What is to be sent in one turn.
#[derive(Default)]
struct Turn {
    frames: Vec<Utf8Bytes>,
    bytes: usize,
}

impl Session {
    /// Sends a turn's worth of what there is, each room in its order, to this person; tells whether
    /// there may be more.
    pub(super) async fn deliver(&mut self, person: &UserId) -> Result<bool, End> {
        let (mut turn, mut more) = (Turn::default(), false);
        // A page that is asked for changes whose turn it is, but not in this round.
        let (count, first) = (self.rooms.len(), self.turn);
        for step in 0..count {
            let index = (first + step) % count;
            if turn.bytes >= TURN {
                (self.turn, more) = (index, true);
                break;
            }
            more |= self.take_events(index, person, &mut turn);
        }
        self.send_all(turn.frames).await?;
        Ok(more)
    }

    /// Takes what one room has to send into the turn; tells whether there may be more.
    fn take_events(&mut self, index: usize, person: &UserId, turn: &mut Turn) -> bool {
        let subscription = &mut self.rooms[index];
        subscription.more |= subscription.listening.take_news();
        let reading =
            matches!(subscription.waits, Waits::Page | Waits::Archive(_) | Waits::Upgrade);
        if reading || !subscription.more {
            return false;
        }
        let (partition, next) = (subscription.partition, subscription.place.next());
        let budget = TURN - turn.bytes;
        let page = match self.service.hub.read(partition, &subscription.room, next, budget) {
            Ok(page) => page,
            Err(HubReadError::Below(_)) => {
                self.ask_archive(index, person);
                return false;
            }
            Err(HubReadError::Unloaded) => {
                turn.frames.extend(subscription.wait_for_upgrade());
                return false;
            }
        };
        subscription.told = false;
        subscription.more = page.next < page.head;
        self.service.counters.delivered.increment(page.entries.len() as u64);
        let upto = subscription.place.sent(ReadEnd::from(&page));
        turn.bytes += page.bytes;
        turn.frames.extend(page.entries.iter().map(|entry| entry.frame()));
        turn.frames.extend(upto.map(|upto| resumed(partition, &subscription.room, upto)));
        subscription.more
    }

    /// Asks for the next page of a room, unless one of another room is under way. When that has come
    /// all rooms are looked at again.
    fn ask_archive(&mut self, index: usize, person: &UserId) {
        if self.reading.page_under_way {
            return;
        }
        self.reading.page_under_way = true;
        // The next page is another room's, if one waits.
        self.turn = index + 1;
        let subscription = &mut self.rooms[index];
        subscription.waits = Waits::Page;
        let (partition, from) = (subscription.partition, subscription.place.next());
        let (person, room) = (person.clone(), subscription.room.clone());
        let service = Arc::clone(&self.service);
        let page = async move {
            let page = service.backfill.read(&person, partition, &room, from).await;
            Completed::Page { room, from, page }
        };
        self.work.push(page.boxed());
    }

    pub(super) async fn finish(&mut self, completed: Completed) -> Result<(), End> {
        match completed {
            Completed::Send(answer) => {
                self.sends -= 1;
                self.send_all(vec![answer]).await
            }
            Completed::Page { room, from, page } => {
                self.reading.page_under_way = false;
                let page = page.inspect_err(|error| match **error {
                    // As often as somebody reads too much.
                    ReadError::TooFast | ReadError::Busy => {
                        tracing::debug!(%error, "a resume waits for its turn");
                    }
                    ReadError::Archive(_) => {
                        tracing::warn!(%error, "a resume waits for the archive");
                    }
                });
                self.take_page(&room, from, page.ok().filter(|page| page.next > from)).await
            }
        }
    }

    /// Sends a page of the archive. Without one the archive is behind or away, which makes the events
    /// late, never lost.
    async fn take_page(
        &mut self,
        room: &RoomId,
        from: Position,
        page: Option<Arc<OldPage>>,
    ) -> Result<(), End> {
        // The room may have been left, or subscribed anew from another place.
        let Some(index) = self.rooms.iter().position(|subscription| {
            subscription.room == *room
                && subscription.waits == Waits::Page
                && subscription.place.next() == from
        }) else {
            return Ok(());
        };
        let Some(page) = page else { return self.postpone(index).await };
        let subscription = &mut self.rooms[index];
        let partition = subscription.partition;
        if self.service.hub.is_unloaded(partition, room) {
            // It was read out of an archive that others may have filled with what is not known here.
            let behind = subscription.wait_for_upgrade();
            return self.send_all(behind.into_iter().collect()).await;
        }
        let head = self.service.hub.head(partition);
        (subscription.waits, subscription.more) = (Waits::Events, true);
        subscription.told = false;
        let upto = subscription.place.sent(ReadEnd { next: page.next, head });
        self.service.counters.delivered.increment(page.frames.len() as u64);
        let mut frames = page.frames.clone();
        frames.extend(upto.map(|upto| resumed(partition, room, upto)));
        self.send_all(frames).await
    }

    /// Reads a room on after a pause, and tells the client so once.
    pub(super) async fn postpone(&mut self, index: usize) -> Result<(), End> {
        let subscription = &mut self.rooms[index];
        let retry = subscription.wait_for_archive(Instant::now());
        if std::mem::replace(&mut subscription.told, true) {
            return Ok(());
        }
        let room = subscription.room.clone();
        let retry = u64::try_from(retry.as_millis()).unwrap_or(u64::MAX);
        self.say(&Outbound::Behind { room_id: &room, retry }).await
    }

    /// Reads on the rooms whose pause is over.
    pub(super) async fn resume_postponed(&mut self, now: Instant) -> Result<(), End> {
        let mut index = 0;
        while let Some(subscription) = self.rooms.get_mut(index) {
            index += 1;
            if subscription.due().is_none_or(|due| due > now) {
                continue;
            }
            let (partition, next) = (subscription.partition, subscription.place.next());
            match subscription.waits {
                Waits::Log(_) if next > self.service.hub.head(partition) => {
                    index -= 1;
                    let room = self.rooms.remove(index).room;
                    self.reset(partition, &room).await?;
                }
                _ => {
                    (subscription.waits, subscription.more) = (Waits::Events, true);
                }
            }
        }
        Ok(())
    }

    /// Says that a cursor is of no use here, and from where on everything can be had.
    pub(super) async fn reset(&mut self, partition: Partition, room: &RoomId) -> Result<(), End> {
        let oldest = Cursor { partition, position: Position::BEFORE_ALL };
        self.say(&Outbound::Reset { room_id: room, oldest }).await
    }
}

fn resumed(partition: Partition, room: &RoomId, position: Position) -> Utf8Bytes {
    Outbound::Resumed { room_id: room, upto: Cursor { partition, position } }.encode()
}
