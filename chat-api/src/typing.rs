//! Who is typing: from a socket into the topic `chat-ephemeral`, and from there to those who hear the room.
//!
//! It may be lost everywhere: nobody waits for it, and nothing waits because of it.

mod board;
mod record;

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::Quota;
use governor::clock::MonotonicClock;
use service_process::metrics::OutcomeCounter;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::hub::Hub;
use crate::kafka::{EphemeralProducer, Partitioner, ShortLived};
use crate::message::{Author, RoomId, UserId};
use crate::metrics;
use crate::presence::Person;
use crate::rate::Rates;
use crate::rooms::Access;
use record::TypingRecord;

pub use board::TypingBoard;

/// Between two signs of one person in one room. Apps show one for six seconds.
const EVERY: Duration = Duration::from_secs(3);

/// Takes signs of typing in, and keeps what sockets are to be told.
pub struct Typing {
    producer: Arc<EphemeralProducer>,
    hub: Arc<Hub>,
    partitioner: Partitioner,
    rates: Rates<MonotonicClock, (UserId, RoomId)>,
    board: Mutex<TypingBoard>,
    noted: Notify,
    signs: OutcomeCounter,
}

/// There is no such room, for this person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such room")]
pub struct UnknownRoom;

impl Typing {
    /// Writes with that producer, about the rooms of that hub.
    #[must_use]
    pub fn new(
        producer: Arc<EphemeralProducer>,
        hub: Arc<Hub>,
        partitioner: Partitioner,
        clock: MonotonicClock,
    ) -> Self {
        let once = NonZeroU32::MIN;
        let quota = Quota::with_period(EVERY).expect("it is not zero").allow_burst(once);
        Self {
            producer,
            hub,
            partitioner,
            rates: Rates::within(quota, clock),
            board: Mutex::default(),
            noted: Notify::new(),
            signs: metrics::typing_signs(),
        }
    }

    /// Somebody types in a room. More often than others are told, it is passed over; so it is in a room of
    /// which this replica knows nothing certain.
    ///
    /// # Errors
    /// To whoever may not say something in a room, there is no such room.
    pub fn say(&self, author: &Author, room: &RoomId) -> Result<(), UnknownRoom> {
        let outcome = self.outcome(author, room);
        self.signs.count(outcome);
        if outcome == "unknown_room" { Err(UnknownRoom) } else { Ok(()) }
    }

    fn outcome(&self, author: &Author, room: &RoomId) -> &'static str {
        if !Access::of(room, &author.user_id).may_say() {
            return "unknown_room";
        }
        if self.hub.is_unloaded(self.partitioner.of(room), room) {
            return "unloaded";
        }
        if !self.rates.admits(&(author.user_id.clone(), room.clone())) {
            return "too_often";
        }
        let value = TypingRecord { room_id: room.clone(), person: author.into() }.encode();
        let is_taken = self.producer.offer(ShortLived::Ephemeral, room.as_str(), &value);
        if is_taken { "sent" } else { "dropped" }
    }

    /// Takes a record of the topic: what became of it, in one word.
    pub fn hear(&self, value: &[u8], now: Instant) -> &'static str {
        match TypingRecord::decode(value) {
            Ok(Some(TypingRecord { room_id, person })) => {
                let is_noted = self.board().note(&room_id, person, now);
                self.noted.notify_one();
                if is_noted { "applied" } else { "too_many" }
            }
            Ok(None) => "unknown",
            Err(_) => "unreadable",
        }
    }

    /// Completes when there may be something new to tell.
    pub async fn noted(&self) {
        self.noted.notified().await;
    }

    /// The rooms that are to be told now, and of whom.
    #[must_use]
    pub fn due(&self, now: Instant) -> Vec<(RoomId, Vec<Person>)> {
        self.board().due(now)
    }

    /// When a room is to be told next.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.board().next()
    }

    fn board(&self) -> MutexGuard<'_, TypingBoard> {
        // What is on it is worth nothing a moment later.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
