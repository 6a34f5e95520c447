//! What a client heard of one room, and whether it could be heard so.

use std::collections::HashSet;

use uuid::Uuid;

use super::place::Place;

/// An event as it was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Its position in the room's partition.
    pub position: i64,
    /// The message's id.
    pub id: Uuid,
}

/// What the client does with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// The message is new.
    New,
    /// Its message is known: the id filter drops it.
    Known,
    /// Something is missing before it: the room must be resumed. It comes again then.
    AfterHole,
    /// Like the one before, and the resume is under way.
    WhileResuming,
}

/// What a client heard of one room.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    start: Option<Place>,
    at: Option<Place>,
    heard: Vec<Heard>,
    known: HashSet<Uuid>,
    resuming: bool,
    /// Events whose `prev` told that something was missing.
    pub holes: u64,
    /// Events that came although the client had passed their place.
    pub again: u64,
    /// Events at a later place whose message was known: copies in the log that nobody dropped.
    pub copies: u64,
    /// How often the server did not know the cursor.
    pub resets: u64,
    /// Each thing heard that cannot be, in words.
    pub faults: Vec<String>,
}

impl From<Place> for Transcript {
    /// That of a client which begins with a cursor.
    fn from(cursor: Place) -> Self {
        Self { start: Some(cursor), at: Some(cursor), ..Self::default() }
    }
}

impl Transcript {
    /// Takes an event. `prev` is only a hint: without one the event is believed.
    pub fn event(&mut self, cur: Place, prev: Option<Place>, id: Uuid) -> Taking {
        let at = self.at.map_or(i64::MIN, |at| at.position);
        if self.at.is_some_and(|at| at.partition != cur.partition) {
            self.faults.push(format!("{cur:?} is of another partition than {:?}", self.at));
        }
        if self.at.is_some() && prev.is_some_and(|prev| prev.position > at) {
            if self.resuming {
                return Taking::WhileResuming;
            }
            self.holes += 1;
            self.resuming = true;
            return Taking::AfterHole;
        }
        if cur.position <= at {
            self.again += 1;
            if self.known.insert(id) {
                self.faults.push(format!("{id} came at {} after {at}", cur.position));
                self.heard.push(Heard { position: cur.position, id });
            }
            return Taking::Known;
        }
        self.at = Some(cur);
        if !self.known.insert(id) {
            self.copies += 1;
            return Taking::Known;
        }
        self.heard.push(Heard { position: cur.position, id });
        Taking::New
    }

    /// Everything up to there has come. A client never steps back.
    pub fn resumed(&mut self, upto: Place) {
        self.resuming = false;
        if self.start.is_none() {
            // What came before this was said after the subscription.
            let heard = self.heard.first().map(|first| first.position - 1);
            self.start = Some(Place { position: heard.unwrap_or(upto.position), ..upto });
        }
        if self.at.is_none_or(|at| at.position < upto.position) {
            self.at = Some(upto);
        }
    }

    /// The server does not know the cursor: all over again, and the id filter drops what is known.
    pub fn reset(&mut self, oldest: Place) {
        self.resets += 1;
        self.start.get_or_insert(oldest);
        self.at = Some(oldest);
    }

    /// Where the client goes on from; nowhere yet when it has heard nothing.
    #[must_use]
    pub fn at(&self) -> Option<Place> {
        self.at
    }

    /// Everything after this place should have been heard.
    #[must_use]
    pub fn start(&self) -> Option<Place> {
        self.start
    }

    /// The messages in the order they came, each once.
    #[must_use]
    pub fn heard(&self) -> &[Heard] {
        &self.heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(position: i64) -> Place {
        Place { partition: 2, position }
    }

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    /// A client that listens from position 10 on and heard message 1 at 12.
    fn listening() -> Transcript {
        let mut transcript = Transcript::default();
        transcript.resumed(place(10));
        assert_eq!(transcript.event(place(12), Some(place(9)), id(1)), Taking::New);
        transcript
    }

    #[test]
    fn a_position_never_falls() {
        let mut transcript = listening();
        transcript.resumed(place(11));
        assert_eq!(transcript.at(), Some(place(12)));
        transcript.resumed(place(15));
        assert_eq!(transcript.at(), Some(place(15)));
        assert_eq!(transcript.start(), Some(place(10)));
    }

    #[test]
    fn what_comes_before_the_resumption_is_said_counts_from_the_start() {
        let mut transcript = Transcript::default();
        assert_eq!(transcript.event(place(12), None, id(1)), Taking::New);
        transcript.resumed(place(14));
        assert_eq!(transcript.start(), Some(place(11)));
    }

    #[test]
    fn a_known_message_is_dropped_wherever_it_comes_again() {
        let mut transcript = listening();
        assert_eq!(transcript.event(place(12), None, id(1)), Taking::Known);
        assert_eq!(transcript.event(place(14), Some(place(12)), id(1)), Taking::Known);
        assert_eq!((transcript.again, transcript.copies), (1, 1));
        assert_eq!(transcript.heard().len(), 1);
        assert!(transcript.faults.is_empty());
    }

    #[test]
    fn a_hole_is_resumed_and_nothing_behind_it_is_taken_before() {
        let mut transcript = listening();
        assert_eq!(transcript.event(place(16), Some(place(14)), id(3)), Taking::AfterHole);
        assert_eq!(transcript.event(place(17), Some(place(16)), id(4)), Taking::WhileResuming);
        assert_eq!(transcript.at(), Some(place(12)));
        assert_eq!(transcript.event(place(14), Some(place(12)), id(2)), Taking::New);
        assert_eq!(transcript.event(place(16), Some(place(14)), id(3)), Taking::New);
        assert_eq!(transcript.holes, 1);
    }

    #[test]
    fn an_event_without_a_hint_is_believed() {
        let mut transcript = listening();
        assert_eq!(transcript.event(place(30), None, id(2)), Taking::New);
        assert_eq!(transcript.holes, 0);
    }

    #[test]
    fn what_comes_too_late_or_elsewhere_is_a_fault() {
        let mut transcript = listening();
        transcript.event(place(11), None, id(2));
        transcript.event(Place { partition: 3, position: 20 }, None, id(3));
        assert_eq!(transcript.faults.len(), 2, "{:?}", transcript.faults);
    }

    #[test]
    fn after_a_reset_everything_is_heard_anew_and_taken_once() {
        let mut transcript = listening();
        transcript.reset(place(-1));
        assert_eq!(transcript.at(), Some(place(-1)));
        assert_eq!(transcript.event(place(12), None, id(1)), Taking::Known);
        assert_eq!(transcript.event(place(13), None, id(2)), Taking::New);
        assert_eq!(transcript.resets, 1);
    }
}
