//! A room as its log has it, by the rules that the documents give and not by the services' code.

use std::collections::HashMap;

use anyhow::Result;
use serde::Deserialize;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::chat::transcript::Heard;
use crate::log::{Record, Topic};

/// Before everything.
const NEVER: i64 = -1;

/// A room, and what of its log was read.
#[derive(Debug)]
pub struct LoggedRoom {
    /// Its id.
    pub id: String,
    /// Its partition.
    pub partition: i32,
    messages: Topic,
    log: Mutex<RoomLog>,
}

/// What of a room's log was read.
#[derive(Debug)]
pub struct RoomLog {
    /// What is heard of the room, in order: what was said, and what was done to it or to a membership and counts.
    pub events: Vec<Heard>,
    next: i64,
    /// What changed the room or its owners last.
    at: i64,
    people: HashMap<String, Membership>,
}

/// What somebody is to a room.
#[derive(Debug, Clone, Copy)]
struct Membership {
    /// What changed it last.
    at: i64,
    is_in: bool,
}

/// What every record of a room says.
#[derive(Deserialize)]
struct Envelope {
    v: u64,
    r#type: String,
    message_id: Uuid,
    room_id: String,
    user_id: String,
}

/// What a record says that changes a room or a membership.
#[derive(Deserialize)]
struct Proposal {
    on: On,
    act: String,
    subject: Option<String>,
    successor: Option<String>,
    #[serde(default)]
    moves_room: bool,
}

/// What has to stand still for it to count.
#[derive(Deserialize)]
struct On {
    room: i64,
    actor: Option<i64>,
    subject: Option<i64>,
}

impl LoggedRoom {
    /// A room of that partition.
    #[must_use]
    pub fn new(id: &str, partition: i32, messages: &Topic) -> Self {
        let log = Mutex::new(RoomLog::default());
        Self { id: id.to_owned(), partition, messages: messages.clone(), log }
    }

    /// The room's log as it stands now.
    pub async fn log(&self) -> Result<MutexGuard<'_, RoomLog>> {
        let mut log = self.log.lock().await;
        for record in self.messages.read(self.partition, log.next).await? {
            log.take(&self.id, &record);
        }
        Ok(log)
    }
}

impl Default for RoomLog {
    fn default() -> Self {
        Self { events: Vec::new(), next: 0, at: NEVER, people: HashMap::new() }
    }
}

impl RoomLog {
    /// Since which place somebody who was in the room is not any more.
    #[must_use]
    pub fn out_since(&self, person: &str) -> Option<i64> {
        self.people.get(person).filter(|membership| !membership.is_in).map(|left| left.at)
    }

    /// Since which place somebody is in the room.
    #[must_use]
    pub fn in_since(&self, person: &str) -> Option<i64> {
        self.people.get(person).filter(|membership| membership.is_in).map(|came| came.at)
    }

    /// Takes the partition's next record.
    fn take(&mut self, room: &str, record: &Record) {
        let position = record.offset;
        self.next = position + 1;
        let Some(envelope) = envelope(record).filter(|envelope| envelope.room_id == room) else {
            return;
        };
        if envelope.r#type == "message" || self.counts(&envelope, record) {
            self.events.push(Heard { position, id: envelope.message_id });
        }
    }

    /// Whether a record changes the room or a membership; then it is changed.
    fn counts(&mut self, envelope: &Envelope, record: &Record) -> bool {
        let is_of_room = envelope.r#type == "room";
        if !is_of_room && envelope.r#type != "member" {
            return false;
        }
        let value = record.value.as_deref().unwrap_or_default();
        let Ok(proposal) = serde_json::from_slice::<Proposal>(value) else { return false };
        let Proposal { on, act, subject, successor, moves_room } = proposal;
        let (position, actor) = (record.offset, envelope.user_id.as_str());
        let other = successor.as_deref().or(subject.as_deref());
        let stands = on.room == self.at
            && on.actor.is_none_or(|at| at == self.place_of(actor))
            && on.subject == other.map(|person| self.place_of(person));
        if !stands {
            return false;
        }
        match act.as_str() {
            "create" | "create_direct" => self.set(actor, position, true),
            "delete" => self.people.clear(),
            _ => {}
        }
        if let Some(subject) = &subject {
            let is_in = !matches!(act.as_str(), "leave" | "remove" | "ban" | "unban");
            self.set(subject, position, is_in);
        }
        if let Some(successor) = &successor {
            self.set(successor, position, true);
        }
        if is_of_room || moves_room {
            self.at = position;
        }
        true
    }

    fn place_of(&self, person: &str) -> i64 {
        self.people.get(person).map_or(NEVER, |membership| membership.at)
    }

    fn set(&mut self, person: &str, at: i64, is_in: bool) {
        self.people.insert(person.to_owned(), Membership { at, is_in });
    }
}

/// What a record says, if it is one of a room.
fn envelope(record: &Record) -> Option<Envelope> {
    let envelope: Envelope = serde_json::from_slice(record.value.as_deref()?).ok()?;
    let is_here = record.key.as_deref() == Some(envelope.room_id.as_bytes());
    (envelope.v == 1 && is_here).then_some(envelope)
}

/// The id of a message, if a record is one.
pub(super) fn message_id(record: &Record) -> Option<Uuid> {
    let envelope = envelope(record).filter(|envelope| envelope.r#type == "message");
    envelope.map(|envelope| envelope.message_id)
}

#[cfg(test)]
mod tests;
