//! One subscription: a room that a socket hears.

use std::time::Duration;

use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::place::Place;
use crate::hub::Listening;
use crate::message::{Partition, RoomId};
use crate::ws::frame::Outbound;

/// Rooms that one socket hears.
pub(super) const ROOMS_MAX: usize = 128;
/// How long to wait for an archive that is behind or away, or for the next read of somebody who read
/// too much.
const ARCHIVE_AGAIN: Duration = Duration::from_millis(500);

/// When another replica may have been upgraded, or this one: a rollout goes from one to the next in about
/// this time.
const UPGRADE: Duration = Duration::from_secs(10);

/// A room that a socket hears, how far it was sent and what it waits for.
pub(super) struct Subscription {
    pub(super) room: RoomId,
    pub(super) partition: Partition,
    pub(super) place: Place,
    pub(super) listening: Listening,
    /// Whether there may be more than was sent.
    pub(super) more: bool,
    /// What keeps it from being sent.
    pub(super) waits: Waits,
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
    /// When the subscription is to be looked at, whether or not something happens before.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.waits {
            Waits::Archive(until) | Waits::Log(until) => Some(until),
            Waits::Events | Waits::Page | Waits::Upgrade => None,
        }
    }

    /// Nothing certain is known of the room here any more: what the client is to be told.
    pub(super) fn wait_for_upgrade(&mut self) -> Option<Utf8Bytes> {
        let was = std::mem::replace(&mut self.waits, Waits::Upgrade);
        let retry = u64::try_from(UPGRADE.as_millis()).unwrap_or(u64::MAX);
        let behind = Outbound::Behind { room_id: &self.room, retry };
        (was != Waits::Upgrade).then(|| behind.encode())
    }

    /// The archive was behind or away; how long until it is asked again.
    pub(super) fn wait_for_archive(&mut self, now: Instant) -> Duration {
        self.waits = Waits::Archive(now + ARCHIVE_AGAIN);
        ARCHIVE_AGAIN
    }
}
