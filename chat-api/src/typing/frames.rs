//! What those who hear a room are told of who types there.

use tokio_tungstenite::tungstenite::Bytes;

use crate::hub::{Offer, Told};
use crate::message::{RoomId, UserId};
use crate::presence::Person;
use crate::ws::frame::Outbound;

/// People who type in a room.
#[derive(Debug)]
pub struct TypingFrames {
    /// Each frame, and whom it is about: that person is not told.
    frames: Vec<(UserId, Bytes)>,
    /// All of them, for the many whom none is about.
    joined: Bytes,
}

impl TypingFrames {
    /// That these people type in a room.
    #[must_use]
    pub fn of(room_id: &RoomId, people: Vec<Person>) -> Self {
        let frame = |Person { user_id, user_name }: Person| {
            let typing = Outbound::Typing { room_id, user_id: &user_id, user_name: &user_name };
            let frame = typing.framed();
            (user_id, frame)
        };
        let frames: Vec<_> = people.into_iter().map(frame).collect();
        Self { joined: join(frames.iter()), frames }
    }
}

impl Offer for TypingFrames {
    fn to(&self, person: Option<&UserId>, known: u64) -> Option<Told> {
        let is_about = |(about, _): &&(UserId, Bytes)| Some(about) == person;
        let frames = if self.frames.iter().any(|frame| is_about(&frame)) {
            join(self.frames.iter().filter(|frame| !is_about(frame)))
        } else {
            self.joined.clone()
        };
        (!frames.is_empty()).then_some(Told { frames, version: known, has_more: false })
    }
}

fn join<'a>(frames: impl Iterator<Item = &'a (UserId, Bytes)> + Clone) -> Bytes {
    let frames = frames.map(|(_, frame)| frame);
    let mut one = frames.clone();
    if let (Some(only), None) = (one.next(), one.next()) {
        return only.clone();
    }
    frames.flat_map(|frame| frame.iter().copied()).collect()
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
