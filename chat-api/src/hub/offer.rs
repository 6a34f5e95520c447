//! What is worth having only now: a listener whose line is not free goes without it, or gets a later one.

use tokio::task::yield_now;
use tokio_tungstenite::tungstenite::Bytes;

use super::Hub;
use super::sweep::CHUNK;
use crate::message::{Partition, RoomId, UserId};

/// Whole frames for everybody who hears a room, besides its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Each frame, and whom it is about: that person is not told.
    frames: Vec<(Option<UserId>, Bytes)>,
    /// All of them, for the many whom none is about.
    joined: Bytes,
    version: Option<u64>,
}

impl Offer {
    /// How something is now. Of several the one with the greatest version counts, from 1 on.
    #[must_use]
    pub fn state(frame: Bytes, version: u64) -> Self {
        Self { frames: vec![(None, frame.clone())], joined: frame, version: Some(version) }
    }

    /// What changed a moment ago.
    #[must_use]
    pub fn to_all(frame: Bytes) -> Self {
        Self { frames: vec![(None, frame.clone())], joined: frame, version: None }
    }

    /// What people do at this moment.
    #[must_use]
    pub fn about(frames: Vec<(UserId, Bytes)>) -> Self {
        let frames: Vec<_> =
            frames.into_iter().map(|(about, frame)| (Some(about), frame)).collect();
        Self { joined: join(frames.iter()), frames, version: None }
    }

    /// Of what tells how something is, which one this is.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// What a person is told of it, if anything.
    #[must_use]
    pub fn to(&self, person: &UserId) -> Option<Bytes> {
        let is_about = |(about, _): &&(Option<UserId>, Bytes)| about.as_ref() == Some(person);
        let frames = if self.frames.iter().any(|frame| is_about(&frame)) {
            join(self.frames.iter().filter(|frame| !is_about(frame)))
        } else {
            self.joined.clone()
        };
        Some(frames).filter(|frames| !frames.is_empty())
    }
}

fn join<'a>(frames: impl Iterator<Item = &'a (Option<UserId>, Bytes)> + Clone) -> Bytes {
    let frames = frames.map(|(_, frame)| frame);
    let mut one = frames.clone();
    if let (Some(only), None) = (one.next(), one.next()) {
        return only.clone();
    }
    frames.flat_map(|frame| frame.iter().copied()).collect()
}

impl Hub {
    /// Offers something to everybody who hears a room. Whether all of them have it.
    pub async fn offer(&self, partition: Partition, room: &RoomId, offer: &Offer) -> bool {
        let watched = &self.shards[partition.index()].watched;
        let mut all_have_it = true;
        for lane in self.lanes() {
            let mut some = watched.some(lane, room, 0, CHUNK);
            loop {
                for (_, listener) in &some {
                    all_have_it &= listener.offer(offer);
                }
                let Some((last, _)) = some.get(CHUNK - 1) else { break };
                let next = last + 1;
                yield_now().await;
                some = watched.some(lane, room, next, CHUNK);
            }
        }
        all_have_it
    }
}

#[cfg(test)]
#[path = "offer_tests.rs"]
mod tests;
