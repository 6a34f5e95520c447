//! The one delivery loop.
//!
//! For each room there is `next`. Events from there on are read out of the ring or, below its floor,
//! out of the archive; at the head the session waits to be woken. What is live, what is resumed and
//! what a slow client gets are all this.

use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes};
use tokio::time::Instant;

use super::{End, Session};
use crate::archive::{Archive, ArchiveError, End as From, Span};
use crate::kafka::GENERATION;
use crate::message::{Cursor, Partition, Position, RoomId};
use crate::ws::frame::{self, Outbound};

/// Events per room and turn: one write, and one read of the archive.
const PAGE: u16 = 200;
/// How long to wait for an archive that is behind or away.
const ARCHIVE_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Some events of a room, ready to be sent.
struct Turn {
    frames: Vec<Utf8Bytes>,
    next: Position,
}

impl Session {
    /// Sends one page of each room that has something. Whether there may be more.
    pub(super) async fn deliver(&mut self) -> Result<bool, End> {
        let mut more = false;
        // A room may not vanish in between: only frames change the rooms, and they are handled later.
        let rooms: Vec<(RoomId, Position)> = self
            .rooms
            .iter()
            .map(|(room, subscription)| (room.clone(), subscription.next))
            .collect();
        for (room, next) in rooms {
            let partition = self.service.partitioner.of(&room);
            let turn = match self.service.hub.read(partition, &room, next, usize::from(PAGE)) {
                Ok(page) => Turn { frames: page.frames, next: page.next },
                Err(_below_floor)
                    if self.archive_again.is_some_and(|again| again > Instant::now()) =>
                {
                    continue;
                }
                Err(_below_floor) => self.below_floor(partition, &room, next).await,
            };
            more |= next < turn.next && turn.next < self.service.hub.head(partition);
            self.send_turn(partition, &room, turn).await?;
        }
        Ok(more)
    }

    async fn below_floor(&mut self, partition: Partition, room: &RoomId, next: Position) -> Turn {
        let turn = read_archive(&self.service.archive, partition, room, next).await.unwrap_or_else(
            |error| {
                tracing::warn!(%error, "a resume waits for the archive");
                Turn { frames: Vec::new(), next }
            },
        );
        // An archive that is behind or away makes it late, never lost.
        let waits = turn.next == next;
        self.archive_again = waits.then(|| Instant::now() + ARCHIVE_AGAIN_AFTER);
        turn
    }

    async fn send_turn(
        &mut self,
        partition: Partition,
        room: &RoomId,
        turn: Turn,
    ) -> Result<(), End> {
        let events = turn.frames.len() as u64;
        if events > 0 {
            self.send_all(turn.frames).await?;
            metrics::counter!("chat_events_delivered_total").increment(events);
        }
        let Some(subscription) = self.rooms.get_mut(room) else { return Ok(()) };
        subscription.next = subscription.next.max(turn.next);
        if let Some(position) = subscription.upto.take_if(|upto| *upto < turn.next) {
            let resumed = Outbound::Resumed { room_id: room, upto: Cursor { partition, position } };
            self.send(Message::Text(resumed.encode())).await?;
        }
        Ok(())
    }
}

/// A page below the ring's floor. The archive holds everything up to its progress, which is asked
/// for first: what it takes in meanwhile can only be more.
async fn read_archive(
    archive: &Archive,
    partition: Partition,
    room: &RoomId,
    next: Position,
) -> Result<Turn, ArchiveError> {
    metrics::counter!("chat_archive_reads_total").increment(1);
    let progress = archive.progress(GENERATION, partition).await?;
    let span = Span {
        after: Some(next.previous()),
        before: Some(progress.next()),
        from: From::Oldest,
        limit: PAGE,
    };
    let events = archive.read(room, span).await?;
    let full = events.len() == usize::from(PAGE);
    let last = events.last().map(|event| event.position).filter(|_| full);
    let mut previous = None;
    let frames = events
        .iter()
        .map(|event| frame::event(event, previous.replace(event.cursor())).0)
        .collect();
    Ok(Turn { frames, next: last.unwrap_or(progress).next().max(next) })
}
