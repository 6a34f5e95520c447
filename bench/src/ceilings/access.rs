//! The question whether somebody may speak in a room, of rooms that are loaded.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use chat_api::archive::{ReadLimits, Reads};
use chat_api::hub::{Hub, HubSizes, SPAN};
use chat_api::kafka::Partitioner;
use chat_api::message::{Position, RoomId, Standing, UserId};
use chat_api::rate::Rate;
use chat_api::room_loader::RoomLoader;
use chat_api::rooms::{Phase, Room, RoomKind, RoomSnapshot, RoomState};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::stats::count;

/// As in the benchmark's places.
const PARTITIONS: usize = 6;
/// Rooms that are known, and people in each.
const ROOMS: usize = 100;
const PEOPLE: usize = 100;
/// How often each of them is asked about.
const LOOK_UPS: usize = 100;

/// What there is to ask.
#[derive(Debug, clap::Args)]
pub(super) struct AccessArgs {
    /// MongoDB, which is not asked: all rooms are known.
    #[arg(long)]
    uri: String,
}

/// How long one question takes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct AccessTime {
    /// In nanoseconds.
    pub(crate) nanos: f64,
}

pub(super) async fn run(args: &AccessArgs) -> Result<AccessTime> {
    let partitioner = Partitioner::new(PARTITIONS).context("a number of partitions")?;
    let limits = ReadLimits { rate: Rate::READS, connections: None };
    let uri = args.uri.as_str().into();
    let reads = Reads::open(&uri, "bench-access", 0, PARTITIONS, limits).await?;
    let start = Position::from_raw(1)?;
    let sizes = HubSizes { ring_bytes: 1 << 20, room_bytes: 256 << 20, span: SPAN, lanes: 1 };
    let hub = Arc::new(Hub::new(&[start; PARTITIONS], sizes));
    let people: Vec<UserId> =
        (0..PEOPLE).map(|n| UserId::parse(&format!("person-{n:06}"))).collect::<Result<_, _>>()?;
    let mut asked = Vec::new();
    for n in 0..ROOMS {
        let room = RoomId::parse(&format!("room-{n}"))?;
        let loaded = hub.load(partitioner.of(&room), &room, &snapshot(&people)?);
        ensure!(loaded.is_ok(), "a room is not loaded: {loaded:?}");
        asked.extend(people.iter().map(|person| (room.clone(), person.clone())));
    }
    let loader = RoomLoader::new(Arc::new(reads), hub, partitioner);
    let begun = Instant::now();
    for _ in 0..LOOK_UPS {
        for (room, person) in &asked {
            let access = loader.access(room, person).await?;
            ensure!(access.may_say(), "a member may not speak");
        }
    }
    let nanos = begun.elapsed().as_secs_f64() * 1e9 / count(LOOK_UPS * asked.len());
    Ok(AccessTime { nanos })
}

/// A room with these people in it.
fn snapshot(people: &[UserId]) -> Result<RoomSnapshot> {
    let at = Position::from_raw(0)?;
    let room = Room { kind: RoomKind::Group, name: None, phase: Phase::Open };
    let mut state = RoomState::restored(at, Some(room));
    for person in people {
        state.set(person, Standing::Member, at);
    }
    Ok(RoomSnapshot { state, upto: at, complete: at, from: at, accepted: Vec::new() })
}
