//! Who is online and who is typing → the sockets of this replica.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::hub::{Hub, Offer};
use crate::kafka::Partitioner;
use crate::message::{RoomId, UserId};
use crate::presence::{Person, Presence, RoomChanges, by_room};
use crate::rooms::Crowd;
use crate::typing::Typing;
use crate::ws::frame::Outbound;

/// Between two times that sockets are told how many are online.
const COUNTS_EVERY: Duration = Duration::from_secs(2);
/// How long what the other replicas told before is waited for until sockets are told anything.
pub const WARM_WITHIN: Duration = Duration::from_secs(5);

/// Tells sockets.
pub struct Teller {
    /// Who is online.
    pub presence: Arc<Presence>,
    /// Who is typing.
    pub typing: Arc<Typing>,
    /// Knows who hears which room.
    pub hub: Arc<Hub>,
    /// Knows where a room is in the hub.
    pub partitioner: Partitioner,
}

impl Teller {
    /// Tells until it is stopped.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = self.tell() => Ok(()),
        }
    }

    async fn tell(&self) {
        // Whoever is not there in time is counted from then on.
        let _ = timeout(WARM_WITHIN, self.presence.warm.cancelled()).await;
        let mut counts_at = Instant::now();
        let mut told = None;
        loop {
            let now = Instant::now();
            for (room, people) in self.typing.due(now) {
                self.offer(&room, &typing(&room, people)).await;
            }
            if counts_at <= now {
                counts_at = now + COUNTS_EVERY;
                told = self.tell_counts(told).await;
                self.tell_rooms().await;
            }
            let next = self.typing.next().map_or(counts_at, |at| at.min(counts_at));
            tokio::select! {
                () = sleep_until(next) => {}
                () = self.typing.noted() => {}
            }
        }
    }

    /// Tells those who hear the lobby how many are online, unless they know. `told` is the version that was
    /// told last; returns the one that is now.
    async fn tell_counts(&self, told: Option<u64>) -> Option<u64> {
        let has_missed = self.presence.take_missed();
        let notice = self.presence.notice();
        if notice.version() == told && !has_missed {
            return told;
        }
        if !self.offer(&RoomId::lobby(), &notice).await {
            self.presence.note_missed();
        }
        notice.version()
    }

    async fn tell_rooms(&self) {
        let changes = self.presence.take_changes();
        for (room, changes) in by_room(&changes, Crowd::rooms_with) {
            self.offer(&room, &presence(&room, &changes)).await;
        }
    }

    async fn offer(&self, room: &RoomId, offer: &Offer) -> bool {
        self.hub.offer(self.partitioner.of(room), room, offer).await
    }
}

fn typing(room_id: &RoomId, people: Vec<Person>) -> Offer {
    let frame = |Person { user_id, user_name }: Person| {
        let frame = Outbound::Typing { room_id, user_id: &user_id, user_name: &user_name }.framed();
        (user_id, frame)
    };
    Offer::about(people.into_iter().map(frame).collect())
}

fn presence(room_id: &RoomId, changes: &RoomChanges) -> Offer {
    let online: Vec<&UserId> = changes.online.iter().map(|person| &person.user_id).collect();
    let offline: Vec<&UserId> = changes.offline.iter().collect();
    Offer::to_all(Outbound::Presence { room_id, online: &online, offline: &offline }.framed())
}
