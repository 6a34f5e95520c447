//! One subscription: a room that a socket hears.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::feed::Feed;
use crate::hub::Listening;
use crate::notices::Heard;
use crate::ws::frame::Outbound;

/// Rooms that one socket hears.
pub(super) const ROOMS_MAX: usize = 128;
/// How long to wait for an archive that is behind or away, or for the next read of somebody who read
/// too much.
pub(super) const ARCHIVE_AGAIN: Duration = Duration::from_millis(500);

/// When another replica may have been upgraded, or this one: a rollout goes from one to the next in about
/// this time.
pub(super) const UPGRADE: Duration = Duration::from_secs(10);

/// A room that a socket hears, and what it waits for.
pub(super) struct Subscription {
    pub(super) feed: Arc<Feed>,
    /// Keeps it on the room's list.
    _listening: Listening,
    /// Keeps notes of it from the socket.
    _heard: Option<Heard>,
    /// Whether there may be more than was sent, and no sweep sees to it.
    pub(super) more: bool,
    /// What keeps it from being sent.
    waits: Waits,
    /// Whether the client was told that this takes longer.
    pub(super) told: bool,
}

/// What a subscription waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// The next event of its room.
    Events,
    /// A page of the archive that was asked for.
    Page,
    /// The moment to ask the archive again.
    Archive(Instant),
    /// The end of this replica: its release does not understand what became of the room. The client
    /// was told.
    Upgrade,
    /// Its own place, which was ahead of this replica, until then.
    Log(Instant),
}

impl Subscription {
    /// A room on whose list the feed is, so that nothing is missed of what comes after what its place says.
    pub(super) fn new(
        feed: Arc<Feed>,
        listening: Listening,
        heard: Option<Heard>,
        waits: Waits,
    ) -> Self {
        Self { feed, _listening: listening, _heard: heard, more: true, waits, told: false }
    }

    /// What it waits for.
    pub(super) fn waits(&self) -> Waits {
        self.waits
    }

    /// Has it wait for something else. Sweeps pass it by while it waits for what they do not bring.
    pub(super) fn wait_for(&mut self, waits: Waits) {
        self.waits = waits;
        self.feed.hold(matches!(waits, Waits::Page | Waits::Archive(_) | Waits::Upgrade));
    }

    /// Reads on, wherever the place is.
    pub(super) fn go_on(&mut self) {
        self.wait_for(Waits::Events);
        self.more = true;
    }

    /// When the subscription is to be looked at, whether or not something happens before.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.waits {
            Waits::Archive(until) | Waits::Log(until) => Some(until),
            Waits::Events | Waits::Page | Waits::Upgrade => None,
        }
    }

    /// Nothing certain is known of the room here any more: what the client is to be told.
    pub(super) fn wait_for_upgrade(&mut self) -> Option<Utf8Bytes> {
        let was = self.waits;
        self.wait_for(Waits::Upgrade);
        let retry = u64::try_from(UPGRADE.as_millis()).unwrap_or(u64::MAX);
        let behind = Outbound::Behind { room_id: &self.feed.room, retry };
        (was != Waits::Upgrade).then(|| behind.encode())
    }

    /// The archive was behind or away; how long until it is asked again.
    pub(super) fn wait_for_archive(&mut self, now: Instant) -> Duration {
        self.wait_for(Waits::Archive(now + ARCHIVE_AGAIN));
        ARCHIVE_AGAIN
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // A sweep may have the feed in hand.
        self.feed.end();
    }
}
