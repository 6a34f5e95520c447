//! A log with what happens in many rooms: messages, edits of them, and people who come.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use chat_api::kafka::Partitioner;
use chat_api::message::RoomId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::log::{LogArgs, append_all, id};

/// Every so many records of a room somebody is invited …
const INVITATION: u64 = 10;
/// … and every so many a message is edited: the one that was said last.
const EDIT: u64 = 5;

/// Where to append, and how much.
#[derive(Debug, clap::Args)]
pub(super) struct MixArgs {
    #[arg(long)]
    brokers: String,
    #[arg(long)]
    topic: String,
    #[arg(long)]
    partitions: usize,
    /// A file with an envelope: each message is one like it.
    #[arg(long)]
    sample: PathBuf,
    #[arg(long)]
    rooms: u64,
    /// Of each room.
    #[arg(long)]
    records: u64,
}

/// How many records were appended, by what becomes of them.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Mixed {
    /// A document each.
    pub(crate) messages: u64,
    /// A document each, and a message that is updated.
    pub(crate) edits: u64,
    /// A document each, and a transaction for those of a room and a batch.
    pub(crate) members: u64,
}

/// A room, as far as its next record needs it.
struct Room {
    name: String,
    /// Where it was made.
    made: i64,
    /// The message that was said last, and where.
    said: Option<(Uuid, i64)>,
    records: u64,
}

pub(super) fn run(args: &MixArgs) -> Result<Mixed> {
    let sample = std::fs::read_to_string(&args.sample).context("no sample")?;
    let sample: Value = serde_json::from_str(&sample)?;
    let partitioner = Partitioner::new(args.partitions).context("a number of partitions")?;
    let mut rooms: Vec<Vec<Room>> = (0..args.partitions).map(|_| Vec::new()).collect();
    for n in 0..args.rooms {
        let name = format!("room-{n}");
        let partition = partitioner.of(&RoomId::parse(&name)?).index();
        rooms[partition].push(Room { name, made: 0, said: None, records: 0 });
    }
    let (mut mixed, mut ids) = (Mixed::default(), 0..);
    for (partition, rooms) in (0..).zip(&mut rooms) {
        // The rooms in turn, so that a batch has something of all of them.
        let mut records = Vec::new();
        for _ in 0..args.records {
            for room in &mut *rooms {
                // An empty partition is filled from its beginning, in order.
                let position = i64::try_from(records.len())?;
                let id = id(ids.next().context("ids have no end")?);
                let value = room.next(&sample, id, position, &mut mixed);
                records.push((room.name.clone(), value.to_string().into_bytes()));
            }
        }
        let log = LogArgs {
            brokers: args.brokers.clone(),
            topic: args.topic.clone(),
            partition,
            sample: args.sample.clone(),
        };
        let appended = append_all(&log, &records)?.count;
        ensure!(appended == records.len() as u64, "{appended} records were appended");
    }
    Ok(mixed)
}

impl Room {
    /// The next record, at that place.
    fn next(&mut self, sample: &Value, id: Uuid, position: i64, mixed: &mut Mixed) -> Value {
        let mut value = sample.clone();
        value["room_id"] = json!(self.name);
        value["message_id"] = json!(id);
        let number = self.records;
        self.records += 1;
        if number.is_multiple_of(INVITATION) {
            mixed.members += 1;
            // What is done to a room or a membership says nothing.
            if let Some(fields) = value.as_object_mut() {
                fields.remove("content");
            }
            value["critical"] = json!(true);
            self.change(&mut value, number, position);
            return value;
        }
        if let Some((said, place)) = self.said.filter(|_| number % EDIT == EDIT - 1) {
            mixed.edits += 1;
            value["type"] = json!("edit");
            value["ref"] = json!(said);
            value["ref_pos"] = json!(place);
        } else {
            mixed.messages += 1;
            self.said = Some((id, position));
        }
        value
    }

    /// The room is made, or its owner invites one more: whom, the number tells.
    fn change(&mut self, value: &mut Value, number: u64, position: i64) {
        if number == 0 {
            self.made = position;
            value["type"] = json!("room");
            value["act"] = json!("create");
            value["kind"] = json!("group");
            value["name"] = json!(self.name);
            value["on"] = json!({ "room": -1, "actor": -1 });
        } else {
            value["type"] = json!("member");
            value["act"] = json!("invite");
            value["subject"] = json!(format!("guest-{number}"));
            value["on"] = json!({ "room": self.made, "actor": self.made, "subject": -1 });
        }
    }
}
