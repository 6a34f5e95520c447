//! What people are told of rooms that their sockets do not hear: that they are in one or are not any more,
//! and that something was said there.
//!
//! The fan-out shows each event ([`Notices::follow`]). Whoever is in its room as the hub knows it then, and
//! has a socket here that does not hear it, gets a note into the [`Inbox`] of that socket: one for each room,
//! the latest, so nothing queues up. The list of who is in which room is only for finding people: what it
//! has too much of the hub denies.

mod inbox;
mod people;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::hub::{Hub, Known, Wake};
use crate::message::{
    Body, Cursor, Envelope, Event, MemberAct, MemberChange, Proposed, RoomChange, RoomId, UserId,
};
use crate::rooms::Access;
use crate::ws::notes::{Activity, Added};
pub use inbox::{Inbox, Notes};
use people::{Concerned, People};

/// Events of a room that are kept while it is loaded; of more, the latest.
const KEPT: usize = 128;

/// Something to be read for a note.
#[derive(Debug)]
pub enum Errand {
    /// The rooms of a person who came.
    RoomsOf(UserId),
    /// A room of which something happened, for a person who may be in it.
    Room(RoomId, UserId),
}

/// Who is told what, at one replica.
pub struct Notices {
    state: Mutex<State>,
    errands: UnboundedSender<Errand>,
}

#[derive(Default)]
struct State {
    people: People,
    /// What happened in rooms that are being loaded.
    kept: HashMap<RoomId, VecDeque<Event>>,
}

/// A socket that is told, until this is dropped.
pub struct Notified {
    notices: Arc<Notices>,
    inbox: Arc<Inbox>,
    number: u64,
}

/// A room that a socket hears by itself.
pub struct Heard {
    notices: Arc<Notices>,
    number: u64,
    room: RoomId,
}

impl Notices {
    /// Nobody yet, and the errands that are to be run for those who come.
    #[must_use]
    pub fn new() -> (Arc<Self>, UnboundedReceiver<Errand>) {
        // At most one for each person and each room of theirs that are here.
        let (errands, to_run) = mpsc::unbounded_channel();
        (Arc::new(Self { state: Mutex::default(), errands }), to_run)
    }

    /// Tells a socket of that person from now on.
    #[must_use]
    pub fn enter(self: &Arc<Self>, person: &UserId, wake: Arc<Wake>) -> Notified {
        let inbox = Arc::new(Inbox::new(wake));
        let (number, is_first) = self.lock().people.enter(person, Arc::clone(&inbox));
        if is_first {
            self.run(Errand::RoomsOf(person.clone()));
        }
        Notified { notices: Arc::clone(self), inbox, number }
    }

    /// Notes the rooms that a person was in when that was read, the newest first.
    pub fn know(&self, person: &UserId, rooms: impl IntoIterator<Item = RoomId>) {
        self.lock().people.know(person, rooms);
    }

    /// Whether a person has a socket here.
    #[must_use]
    pub fn is_here(&self, person: &UserId) -> bool {
        self.lock().people.is_here(person)
    }

    /// Tells of an event that the hub has taken in whoever it concerns. If the room is not known, that waits
    /// until it is.
    pub fn follow(&self, event: &Event, hub: &Hub) {
        let room = &event.envelope.room_id;
        if room.as_str() == RoomId::LOBBY {
            return;
        }
        let mut state = self.lock();
        if let Some(kept) = state.kept.get_mut(room) {
            if kept.len() == KEPT {
                kept.pop_front();
            }
            kept.push_back(event.clone());
        } else if let Err(Unknown(person)) = state.tell(event, hub) {
            state.kept.insert(room.clone(), VecDeque::from([event.clone()]));
            self.run(Errand::Room(room.clone(), person));
        }
    }

    /// Goes on with what waited for a room, which is known now or will not be.
    pub fn go_on(&self, room: &RoomId, hub: &Hub) {
        let mut state = self.lock();
        for event in state.kept.remove(room).unwrap_or_default() {
            // What is let go as soon as it is loaded nobody is told.
            let _ = state.tell(&event, hub);
        }
    }

    fn run(&self, errand: Errand) {
        // Without whoever runs them the process is on its way out.
        let _ = self.errands.send(errand);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each access leaves the maps consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A room of which nothing is known here, and somebody who may be in it.
struct Unknown(UserId);

impl State {
    /// Tells those whom an event concerns, as the hub knows its room then.
    fn tell(&mut self, event: &Event, hub: &Hub) -> Result<(), Unknown> {
        let room = &event.envelope.room_id;
        let concerned = concerned(&self.people, event);
        let Some(first) = concerned.first() else { return Ok(()) };
        let found = hub.room(event.partition, room, |known| match known {
            Known::Room(state) => {
                let is_in = |person| Access::in_room(state, person).is_member();
                let is_in = concerned.iter().map(|one| is_in(&one.person)).collect();
                Ok(state.room().cloned().zip(Some(is_in)))
            }
            // Nobody is told anything.
            Known::Lobby | Known::Unloaded => Ok(None),
            Known::NotLoaded => Err(Unknown(first.person.clone())),
        });
        let Some((shown, is_in)): Option<(_, Vec<_>)> = found? else { return Ok(()) };
        let concerned = concerned.into_iter().zip(is_in);
        if let Some(activity) = Activity::of(event) {
            for (Concerned { person, inbox }, _) in concerned.filter(|(_, is_in)| *is_in) {
                inbox.said(room, &activity, person != event.envelope.user_id);
            }
            return Ok(());
        }
        let cursor = Cursor { partition: event.partition, position: event.position };
        for (Concerned { person, .. }, is_in) in concerned {
            if is_in {
                self.people.came(&person, room, &Added::of(room, shown.clone(), cursor));
            } else {
                self.people.went(&person, room, cursor);
            }
        }
        Ok(())
    }
}

/// Whom an event may concern, of those who are here. Whether it does the room says.
fn concerned(people: &People, event: &Event) -> Vec<Concerned> {
    let Envelope { room_id: room, user_id: actor, body, .. } = &event.envelope;
    match body {
        Body::Message { .. } => people.who_do_not_hear(room),
        Body::Change(_) => Vec::new(),
        Body::Proposal(proposal) => match &proposal.change {
            Proposed::Room(RoomChange::Create { .. }) => people.these(&[actor]),
            Proposed::Room(RoomChange::CreateDirect { with }) => people.these(&[actor, with]),
            Proposed::Room(RoomChange::Delete) => people.in_room(room),
            Proposed::Room(RoomChange::Set(_)) => Vec::new(),
            Proposed::Member(MemberChange { act, subject, .. }) => match act {
                MemberAct::Join
                | MemberAct::Invite
                | MemberAct::Leave
                | MemberAct::Remove
                | MemberAct::Ban => people.these(&[subject]),
                // They are in the room, or out of it, as before.
                MemberAct::Promote
                | MemberAct::Demote
                | MemberAct::Unban
                | MemberAct::Block
                | MemberAct::Unblock => Vec::new(),
            },
        },
    }
}

impl Notified {
    /// What this socket is told.
    #[must_use]
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Tells this socket nothing of what is said in a room, until the returned value is dropped.
    #[must_use]
    pub fn hear(&self, room: &RoomId) -> Heard {
        self.notices.lock().people.hears(self.number, room, true);
        self.inbox.forget(room);
        Heard { notices: Arc::clone(&self.notices), number: self.number, room: room.clone() }
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.notices.lock().people.hears(self.number, &self.room, false);
    }
}

impl Drop for Notified {
    fn drop(&mut self) {
        self.notices.lock().people.leave(self.number);
    }
}

#[cfg(test)]
#[path = "notices_tests.rs"]
mod tests;
