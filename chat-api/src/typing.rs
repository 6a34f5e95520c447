//! Who is typing: from a socket into the topic `chat-ephemeral`, and from there to those who hear the room.
//!
//! It may be lost everywhere: nobody waits for it, and nothing waits because of it.

mod board;
mod frames;
mod record;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::MonotonicClock;
use service_process::metrics::OutcomeCounter;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::kafka::{EphemeralProducer, ShortLived};
use crate::message::{Author, RoomId, UserId};
use crate::metrics;
use crate::presence::Person;
use crate::rate::Rates;
use crate::room_loader::{RoomError, RoomLoader};
use crate::rooms::{Access, Refused};
use record::TypingRecord;

pub use board::TypingBoard;
pub use frames::TypingFrames;

/// Between two signs of one person in one room. Apps show one for six seconds.
const EVERY: Duration = Duration::from_secs(3);

/// Takes signs of typing in, and keeps what sockets are to be told.
pub struct Typing {
    producer: Arc<EphemeralProducer>,
    rooms: Arc<RoomLoader>,
    rates: Rates<MonotonicClock, (UserId, RoomId)>,
    board: Mutex<TypingBoard>,
    noted: Notify,
    signs: OutcomeCounter,
}

impl Typing {
    /// Writes with that producer, about these rooms.
    #[must_use]
    pub fn new(
        producer: Arc<EphemeralProducer>,
        rooms: Arc<RoomLoader>,
        clock: MonotonicClock,
    ) -> Self {
        Self {
            producer,
            rooms,
            rates: Rates::every(EVERY, clock),
            board: Mutex::default(),
            noted: Notify::new(),
            signs: metrics::typing_signs(),
        }
    }

    /// Somebody types in a room, which is loaded if it is not known here. More often than others are told,
    /// it is passed over; so it is in a room of which this replica comes to know nothing certain.
    ///
    /// # Errors
    /// Of whoever may not say something in a room nothing is taken.
    pub async fn say(&self, author: &Author, room: &RoomId) -> Result<(), Refused> {
        let (outcome, refused) = match self.rooms.access(room, &author.user_id).await {
            Ok(access) => match refused(access) {
                Some(refused) => ("refused", Some(refused)),
                None => (self.tell(author, room), None),
            },
            Err(RoomError::Unloaded) => ("unloaded", None),
            Err(_) => ("not_loaded", None),
        };
        self.signs.count(outcome);
        refused.map_or(Ok(()), Err)
    }

    fn tell(&self, author: &Author, room: &RoomId) -> &'static str {
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

/// Why somebody does not type in a room, as for a message.
fn refused(access: Access) -> Option<Refused> {
    let refused = if access.may_read() { Refused::NotAllowed } else { Refused::NoRoom };
    Some(refused).filter(|_| !access.may_say())
}
