//! Who of each room is online → the members who hear it here.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use tokio::task::coop::consume_budget;

use crate::hub::{Hub, Known};
use crate::kafka::Partitioner;
use crate::message::RoomId;
use crate::presence::{Crowd, Person, Presence, RoomLog};

/// Tells members who of their rooms comes and goes.
pub(super) struct RoomTeller {
    presence: Arc<Presence>,
    hub: Arc<Hub>,
    partitioner: Partitioner,
    /// Those that somebody hears.
    rooms: BTreeMap<RoomId, ToldRoom>,
}

/// What those who hear a room are told.
#[derive(Default)]
struct ToldRoom {
    log: RoomLog,
    /// Whether somebody came into the room or left it since it was last looked at.
    is_stale: bool,
    /// Whether somebody who hears it may not have all of it.
    is_due: bool,
    /// Whether nobody is named: many are online, or nothing certain is known of the room.
    is_silent: bool,
}

impl RoomTeller {
    /// Of the rooms of that hub.
    pub(super) fn new(presence: Arc<Presence>, hub: Arc<Hub>, partitioner: Partitioner) -> Self {
        Self { presence, hub, partitioner, rooms: BTreeMap::new() }
    }

    /// Tells what changed since the last time, and whoever could not be told then.
    pub(super) async fn tell(&mut self) {
        for room in self.presence.take_heard() {
            let room = self.rooms.entry(room).or_default();
            (room.is_stale, room.is_due) = (true, true);
        }
        for room in self.hub.take_moved() {
            if let Some(room) = self.rooms.get_mut(&room) {
                room.is_stale = true;
            }
        }
        let changed = self.presence.take_changes();
        let Self { presence, hub, partitioner, rooms } = self;
        let mut left = Vec::new();
        for (room, told) in rooms.iter_mut() {
            consume_budget().await;
            let partition = partitioner.of(room);
            if !hub.is_heard(partition, room) {
                left.push(room.clone());
                continue;
            }
            let has_changed =
                |known: Known<'_>| matches!(known, Known::Room(state) if state.has_any(&changed));
            if mem::take(&mut told.is_stale) || hub.room(partition, room, has_changed) {
                let crowd = hub.room(partition, room, Crowd::of);
                told.update(crowd.and_then(|crowd| presence.of_room(&crowd).people));
            }
            if told.is_due && !told.is_silent {
                told.is_due = !hub.offer(partition, room, &told.log.offer(room)).await;
            }
        }
        for room in left {
            rooms.remove(&room);
        }
    }
}

impl ToldRoom {
    /// Takes in who is online now, if anybody is told: otherwise it is made good when somebody is.
    fn update(&mut self, people: Option<Vec<Person>>) {
        self.is_due = true;
        self.is_silent = people.is_none();
        if let Some(people) = people {
            self.log.update(people);
        }
    }
}
