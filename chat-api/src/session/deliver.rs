//! What a socket's own task delivers.
//!
//! For each room there is a [`Feed`]. Sweeps take it on after every event. Where they cannot – the line keeps
//! something, there is more than goes at once, the place lies below the ring's floor – they wake this task,
//! which takes the same step from the same place. What is live, what is resumed and what a slow client gets
//! are all this.
//!
//! [`Feed`]: super::feed::Feed

use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::task::yield_now;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::Session;
use super::completed::Completed;
use super::end::End;
use super::feed::Advance;
use super::subscription::Waits;
use crate::archive::ReadError;
use crate::backfill::OldPage;
use crate::hub::Memo;
use crate::message::{Cursor, Partition, Position, RoomId};
use crate::visitor::Visitor;
use crate::ws::frame::Outbound;

/// What is taken out of the rings in one turn, in bytes.
const TURN: usize = 32 * 1024;

impl Session {
    /// Sends a turn's worth of what there is, each room in its order, to this visitor; tells whether
    /// there may be more.
    pub(super) async fn deliver(&mut self, visitor: &Visitor) -> Result<bool, End> {
        // Nothing goes past what the line keeps.
        self.flush().await?;
        let (mut bytes, mut more, mut ended) = (0, false, false);
        // A page that is asked for changes whose turn it is, but not in this round.
        let (count, first) = (self.rooms.len(), self.turn);
        for step in 0..count {
            let index = (first + step) % count;
            if bytes >= TURN {
                (self.turn, more) = (index, true);
                break;
            }
            match self.advance(index, &mut bytes) {
                Advance::More => more = true,
                Advance::Blocked => {
                    (self.turn, more) = (index + 1, true);
                    break;
                }
                Advance::Below => self.ask_archive(index, visitor),
                Advance::Unloaded => self.tell_unloaded(index).await?,
                // The line may keep the last of it.
                Advance::Ended => (ended, more) = (true, true),
                Advance::Head | Advance::Held => {}
            }
        }
        if ended {
            self.rooms.retain(|subscription| !subscription.feed.has_ended());
        }
        if more {
            // Nothing above waits while the client takes all: others want to be served, too.
            yield_now().await;
        }
        Ok(more)
    }

    /// Takes one step in one room, if there is something to be done there.
    fn advance(&mut self, index: usize, bytes: &mut usize) -> Advance {
        let subscription = &mut self.rooms[index];
        subscription.more |= subscription.feed.take_news();
        if !subscription.more {
            return Advance::Head;
        }
        let mut memo = Memo::default();
        let came_to = subscription.feed.advance(&mut memo);
        self.service.counters.delivered.increment(memo.events);
        *bytes += memo.bytes;
        if matches!(came_to, Advance::Head | Advance::More) {
            (subscription.more, subscription.told) = (came_to == Advance::More, false);
        }
        came_to
    }

    /// Says that a room cannot be heard here for now.
    async fn tell_unloaded(&mut self, index: usize) -> Result<(), End> {
        match self.rooms[index].wait_for_upgrade() {
            Some(behind) => self.send(Message::Text(behind)).await,
            None => Ok(()),
        }
    }

    /// Asks for the next page of a room, unless one of another room is under way. When that has come
    /// all rooms are looked at again.
    fn ask_archive(&mut self, index: usize, visitor: &Visitor) {
        if self.reading.page_under_way {
            return;
        }
        self.reading.page_under_way = true;
        // The next page is another room's, if one waits.
        self.turn = index + 1;
        let subscription = &mut self.rooms[index];
        subscription.wait_for(Waits::Page);
        let (partition, from) = (subscription.feed.partition, subscription.feed.next());
        let (visitor, room) = (visitor.clone(), subscription.feed.room.clone());
        let service = Arc::clone(&self.service);
        let page = async move {
            let page = service.backfill.read(&visitor, partition, &room, from).await;
            Completed::Page { room, from, page }
        };
        self.work.push(page.boxed());
    }

    pub(super) async fn finish(
        &mut self,
        visitor: &Visitor,
        completed: Completed,
    ) -> Result<(), End> {
        match completed {
            Completed::Send(answer) => {
                self.sends -= 1;
                self.send(Message::Text(answer)).await
            }
            Completed::Read(refusal) => {
                self.sends -= 1;
                match refusal {
                    Some(refusal) => self.send(Message::Text(refusal)).await,
                    None => Ok(()),
                }
            }
            Completed::Typing { room, taken } => self.typed(&room, taken).await,
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
                self.take_page(&room, from, page.ok().filter(|page| page.next() > from)).await
            }
            Completed::Room { room, loaded } => self.loaded(visitor, &room, loaded).await,
        }
    }

    /// Sends a page of the archive, piece by piece. Without one the archive is behind or away, which makes
    /// the events late, never lost.
    async fn take_page(
        &mut self,
        room: &RoomId,
        from: Position,
        page: Option<Arc<OldPage>>,
    ) -> Result<(), End> {
        // The room may have been left, or subscribed anew from another place.
        let Some(index) = self.rooms.iter().position(|subscription| {
            subscription.feed.room == *room
                && subscription.waits() == Waits::Page
                && subscription.feed.next() == from
        }) else {
            return Ok(());
        };
        let Some(page) = page else { return self.postpone(index).await };
        let feed = Arc::clone(&self.rooms[index].feed);
        if self.service.hub.is_unloaded(feed.partition, room) {
            // It was read out of an archive that others may have filled with what is not known here.
            return self.tell_unloaded(index).await;
        }
        let head = self.service.hub.head(feed.partition);
        for piece in &page.pieces {
            self.flush().await?;
            if feed.put_old(piece, head).is_none() {
                break;
            }
            self.service.counters.delivered.increment(piece.count);
        }
        let subscription = &mut self.rooms[index];
        subscription.told = false;
        subscription.go_on();
        Ok(())
    }

    /// Reads a room on after a pause, and tells the client so once.
    pub(super) async fn postpone(&mut self, index: usize) -> Result<(), End> {
        let subscription = &mut self.rooms[index];
        let retry = subscription.wait_for_archive(Instant::now());
        if std::mem::replace(&mut subscription.told, true) {
            return Ok(());
        }
        let room = subscription.feed.room.clone();
        self.behind(&room, retry).await
    }

    /// Reads on the rooms whose pause is over.
    pub(super) async fn resume_postponed(&mut self, now: Instant) -> Result<(), End> {
        let mut index = 0;
        while let Some(subscription) = self.rooms.get_mut(index) {
            index += 1;
            if subscription.due().is_none_or(|due| due > now) {
                continue;
            }
            let (partition, next) = (subscription.feed.partition, subscription.feed.next());
            match subscription.waits() {
                Waits::Log(_) if next > self.service.hub.head(partition) => {
                    index -= 1;
                    let room = self.rooms.remove(index).feed.room.clone();
                    self.reset(partition, &room).await?;
                }
                _ => subscription.go_on(),
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
