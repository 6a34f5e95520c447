//! Who is online and who is typing → the sockets of this replica.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::rooms::RoomTeller;
use crate::hub::{Hub, Offer};
use crate::kafka::Partitioner;
use crate::message::RoomId;
use crate::presence::Presence;
use crate::typing::{Typing, TypingFrames};

/// Between two times that sockets are told how many are online.
const COUNTS_EVERY: Duration = Duration::from_secs(2);
/// Between two times that members are told who of their rooms comes and goes.
const ROOMS_EVERY: Duration = Duration::from_secs(1);
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
        let (mut counts_at, mut rooms_at) = (Instant::now(), Instant::now());
        let mut told = None;
        let (presence, hub) = (Arc::clone(&self.presence), Arc::clone(&self.hub));
        let mut rooms = RoomTeller::new(presence, hub, self.partitioner);
        loop {
            let now = Instant::now();
            for (room, people) in self.typing.due(now) {
                self.offer(&room, &TypingFrames::of(&room, people)).await;
            }
            if counts_at <= now {
                counts_at = now + COUNTS_EVERY;
                told = self.tell_counts(told).await;
            }
            if rooms_at <= now {
                rooms_at = now + ROOMS_EVERY;
                rooms.tell().await;
            }
            let next = self.typing.next().into_iter().fold(counts_at.min(rooms_at), Instant::min);
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
        if Some(notice.version()) == told && !has_missed {
            return told;
        }
        if !self.offer(&RoomId::lobby(), &*notice).await {
            self.presence.note_missed();
        }
        Some(notice.version())
    }

    async fn offer(&self, room: &RoomId, offer: &dyn Offer) -> bool {
        self.hub.offer(self.partitioner.of(room), room, offer).await
    }
}
