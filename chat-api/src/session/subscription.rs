//! A room that is heard.

use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use tokio::time::Instant;

use super::Place;
use crate::hub::Listening;
use crate::message::{Partition, RoomId};

/// How long to wait for an archive that is behind or away, or for the next read of somebody who read
/// too much.
const ARCHIVE_AGAIN: Duration = Duration::from_millis(500);

/// A room that is heard.
pub(super) struct Subscription {
    pub(super) room: RoomId,
    pub(super) partition: Partition,
    pub(super) place: Place,
    pub(super) listening: Listening<Utf8Bytes>,
    /// There is more than was sent.
    pub(super) more: bool,
    /// What keeps it from being sent.
    pub(super) waits: Waits,
    /// The client knows that this takes longer.
    pub(super) told: bool,
}

/// What a subscription waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waits {
    /// Events.
    Events,
    /// A page of the archive that was asked for.
    Page,
    /// The moment to ask the archive again.
    Archive(Instant),
    /// Its own place, which was ahead of this replica, until then.
    Log(Instant),
}

impl Subscription {
    /// When something is to be done although nothing happens.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.waits {
            Waits::Archive(until) | Waits::Log(until) => Some(until),
            Waits::Events | Waits::Page => None,
        }
    }

    /// The archive was behind or away; how long until it is asked again.
    pub(super) fn wait_for_archive(&mut self, now: Instant) -> Duration {
        self.waits = Waits::Archive(now + ARCHIVE_AGAIN);
        ARCHIVE_AGAIN
    }
}
