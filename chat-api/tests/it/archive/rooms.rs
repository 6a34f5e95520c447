//! What the archive makes of records that change rooms and memberships

use std::collections::BTreeMap;
use std::process::Stdio;

use chat_api::archive::{Archive, RoomBatch};
use chat_api::message::{
    Body, Envelope, Event, MessageId, Position, RoomId, RoomName, Standing, UserId, UserName,
    Visibility,
};
use chat_api::rooms::{Actor, Command, Role, RoomState, Verdict, judge};
use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use mongodb::bson::{Document, doc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::setup::program::program;
use crate::setup::records::{Putter, Reader, held, partitioner};
use crate::setup::{Setup, eventually};

const PEOPLE: usize = 6;
const ROOMS: usize = 30;
const RECORDS: usize = 60;

/// What was put into the log, and what it comes to.
struct Told {
    rooms: BTreeMap<RoomId, RoomState>,
    /// Of each id where it stood first, and whether it counts there.
    verdicts: BTreeMap<String, (i64, &'static str)>,
    last: BTreeMap<RoomId, Position>,
    /// In the log's order, partition by partition.
    events: Vec<Event>,
}

fn person(number: usize) -> UserId {
    UserId::parse(&format!("person/{number}")).unwrap()
}

fn wish(chance: &mut StdRng) -> Command {
    let other = person(chance.random_range(0..PEOPLE));
    match chance.random_range(0..14) {
        0..4 => Command::Join,
        4..6 => Command::Invite(other),
        6..8 => Command::Leave { successor: chance.random_bool(0.6).then_some(other) },
        8 => Command::Remove(other),
        9..12 => Command::SetRole { person: other, role: Role::Owner, successor: None },
        12 => Command::Ban(other),
        _ => Command::Unban(other),
    }
}

/// Puts the lives of some rooms into the log, in turns: judged by replicas that are behind, some of it
/// twice, and some things said between.
fn tell(setup: &Setup, seed: u64) -> Told {
    let mut chance = StdRng::seed_from_u64(seed);
    // Whatever is sent again keeps its place: each says where others stand.
    let putter = Putter::with(setup, &[("linger.ms", "0"), ("enable.idempotence", "true")]);
    let rooms: Vec<_> =
        (0..ROOMS).map(|number| RoomId::parse(&format!("r{number}")).unwrap()).collect();
    let mut states = vec![vec![RoomState::default()]; ROOMS];
    let mut put: Vec<Vec<Envelope>> = vec![Vec::new(); ROOMS];
    let mut ends = BTreeMap::new();
    let (mut verdicts, mut last, mut events) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for round in 0..RECORDS {
        for (number, room) in rooms.iter().enumerate() {
            let home = partitioner().of(room);
            let end = ends.entry(home).or_insert(0_i64);
            if chance.random_bool(0.1) {
                putter.say(room, "between");
                *end += 1;
            }
            let history = &mut states[number];
            let behind = chance.random_range(0..history.len().min(4));
            let judged_by = &history[history.len() - 1 - behind];
            let (visibility, name) = (Visibility::Public, RoomName::parse("Attic").unwrap());
            let (command, by) = match round {
                0 => (Command::Create { visibility, name }, person(0)),
                _ => (wish(&mut chance), person(chance.random_range(0..PEOPLE))),
            };
            let envelope = if round > 0 && chance.random_bool(0.1) {
                put[number][chance.random_range(0..put[number].len())].clone()
            } else {
                let actor = Actor::Person(&by);
                let Ok(proposal) = judge(judged_by, room, &command, actor) else { continue };
                Envelope {
                    message_id: MessageId::new(chrono::Utc::now(), chance.random()),
                    room_id: room.clone(),
                    user_name: UserName::shown(None, &by),
                    user_id: by,
                    timestamp: chrono::DateTime::from_timestamp_millis(1_700_000_000_000).unwrap(),
                    body: Body::Proposal(Box::new(proposal)),
                }
            };
            let Body::Proposal(proposal) = &envelope.body else { unreachable!() };
            let position = Position::new(0, *end).unwrap();
            let mut state = history.last().unwrap().clone();
            let verdict = match state.decide(position, &envelope.user_id, proposal) {
                Verdict::Accepted => "accepted",
                Verdict::Void => "void",
            };
            let id = envelope.message_id.to_string();
            verdicts.entry(id).or_insert((position.raw(), verdict));
            last.insert(room.clone(), position);
            history.push(state);
            let key = room.as_str().as_bytes();
            putter.put(home, Some(key), Some(&chat_api::kafka::encode(&envelope)));
            *end += 1;
            events.push(Event { partition: home, position, envelope: envelope.clone() });
            put[number].push(envelope);
        }
    }
    putter.flush();
    let states = states.into_iter().map(|mut states| states.pop().unwrap());
    events.sort_by_key(|event| (event.partition, event.position));
    Told { rooms: rooms.into_iter().zip(states).collect(), verdicts, last, events }
}

async fn documents(setup: &Setup, name: &str) -> Vec<Document> {
    let found = setup.collection(name).await.find(doc! {}).sort(doc! { "_id": 1 }).await.unwrap();
    found.try_collect().await.unwrap()
}

/// All that the archive has of rooms.
async fn kept(setup: &Setup) -> Vec<Vec<Document>> {
    let names = ["rooms", "members", "rooms_of", "changes"];
    join_all(names.map(|name| documents(setup, name))).await
}

async fn decided(setup: &Setup) -> usize {
    let changes = setup.collection("changes").await;
    usize::try_from(changes.count_documents(doc! {}).await.unwrap()).unwrap()
}

async fn all_is_decided(setup: &Setup, told: &Told) {
    eventually("all is decided", async || {
        let rooms = documents(setup, "rooms").await;
        let is_read = |room: &Document| {
            let id = RoomId::parse(room.get_str("_id").unwrap()).unwrap();
            room.get_i64("pos").unwrap() == told.last[&id].raw()
        };
        (rooms.len() == ROOMS && rooms.iter().all(is_read)).then_some(())
    })
    .await;
}

/// What is kept is what the log says.
async fn is_as_told(setup: &Setup, told: &Told) {
    let changes = documents(setup, "changes").await;
    assert_eq!(changes.len(), told.verdicts.len());
    for change in changes {
        let id = change.get_str("_id").unwrap();
        let found = (change.get_i64("pos").unwrap(), change.get_str("verdict").unwrap());
        assert_eq!(found, told.verdicts[id], "{change}");
    }
    for room in documents(setup, "rooms").await {
        let state = &told.rooms[&RoomId::parse(room.get_str("_id").unwrap()).unwrap()];
        assert_eq!(room.get_i64("at").unwrap(), state.at().raw(), "{room}");
        let phase = format!("{:?}", state.room().unwrap().phase).to_lowercase();
        assert_eq!(room.get_str("phase").unwrap(), phase);
    }
    let (mut members, mut rooms_of) = (Vec::new(), Vec::new());
    for (room, state) in &told.rooms {
        for person in (0..PEOPLE).map(person) {
            let Some(standing) = state.standing(&person) else { continue };
            let is = (format!("{standing:?}").to_lowercase(), state.position(&person).raw());
            members.push((format!("{room}/{person}"), is.clone()));
            if standing.is_in() {
                rooms_of.push((format!("{person}/{room}"), is));
            }
        }
    }
    for (name, mut expected) in [("members", members), ("rooms_of", rooms_of)] {
        expected.sort();
        let is = |it: Document| {
            let standing = it.get_str("standing").unwrap().to_owned();
            (it.get_str("_id").unwrap().to_owned(), (standing, it.get_i64("pos").unwrap()))
        };
        let found: Vec<_> = documents(setup, name).await.into_iter().map(is).collect();
        assert_eq!(found, expected, "{name}");
    }
    assert_eq!(held(setup, &setup.log.dead_letters()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_are_what_the_log_says_and_reading_it_again_changes_nothing() {
    let setup = Setup::new().await;
    let told = tell(&setup, 1);
    let void = told.verdicts.values().filter(|(_, verdict)| *verdict == "void").count();
    assert!(void > 50 && told.verdicts.len() - void > 200, "{void} of {}", told.verdicts.len());
    let banned = |state: &RoomState| {
        (0..PEOPLE).any(|number| state.standing(&person(number)) == Some(Standing::Banned))
    };
    assert!(told.rooms.values().any(banned));
    let reader = Reader::start(&setup).await;
    all_is_decided(&setup, &told).await;
    reader.stop().await;
    is_as_told(&setup, &told).await;

    let before = kept(&setup).await;
    let said = documents(&setup, "messages").await;
    assert!(said.len() > 50, "{}", said.len());
    setup.collection("progress").await.delete_many(doc! {}).await.unwrap();
    let reader = Reader::start(&setup).await;
    let progress = setup.collection("progress").await;
    eventually("it has read all of it again", async || {
        let places: Vec<Document> =
            progress.find(doc! {}).await.unwrap().try_collect().await.unwrap();
        let at = |place: &Document| place.get_i64("pos").unwrap();
        let read: i64 = places.iter().map(|place| at(place) + 1).sum();
        let there = held(&setup, &setup.log.messages());
        (usize::try_from(read).unwrap() == there).then_some(())
    })
    .await;
    reader.stop().await;
    assert_eq!(kept(&setup).await, before);
    assert_eq!(documents(&setup, "messages").await, said);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_the_log_is_cut_into_batches_and_read_again_rooms_are_what_it_says() {
    let setup = Setup::new().await;
    let told = tell(&setup, 2);
    let uri = setup.mongodb_uri.clone().into();
    let archive = Archive::open(&uri, &setup.database).await.unwrap();
    let mut chance = StdRng::seed_from_u64(3);
    let mut next = 0;
    while next < told.events.len() {
        let end = (next + chance.random_range(1..40)).min(told.events.len());
        let again = next.saturating_sub(chance.random_range(0..20));
        let batch = RoomBatch::of(&told.events[again..end]);
        assert_eq!(archive.rooms.store(&batch).await.unwrap(), []);
        next = end;
    }
    is_as_told(&setup, &told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_killed_in_the_middle_decides_once_about_everything() {
    let setup = Setup::new().await;
    let client = mongodb::Client::with_uri_str(&setup.mongodb_uri).await.unwrap();
    // MongoDB gives up what a killed process has left open: after a minute, unless it is told otherwise.
    let sooner = doc! { "setParameter": 1, "transactionLifetimeLimitSeconds": 10 };
    client.database("admin").run_command(sooner).await.unwrap();
    let lives = join_all((0..3).map(killed_after)).await;
    assert!(lives.iter().any(|in_the_middle| *in_the_middle), "none was killed in the middle");
}

/// Whether it was killed before it was through.
async fn killed_after(number: usize) -> bool {
    let setup = Setup::new().await;
    let told = tell(&setup, 10 + u64::try_from(number).unwrap());
    // No member of the group, which would wait for the killed one.
    let mut command = program(&setup);
    command.args(["archive", "rebuild"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let some = number * told.verdicts.len() / 4;
    eventually("it has begun", async || (decided(&setup).await > some).then_some(())).await;
    child.kill().await.unwrap();
    let at_its_death = decided(&setup).await;

    let reader = Reader::start(&setup).await;
    all_is_decided(&setup, &told).await;
    reader.stop().await;
    is_as_told(&setup, &told).await;
    at_its_death < told.verdicts.len()
}

/// Has MongoDB take no room any more, or all again.
async fn refuse_rooms(setup: &Setup, refuse: bool) {
    let validator = if refuse {
        doc! { "never": true }
    } else {
        doc! {}
    };
    let client = mongodb::Client::with_uri_str(&setup.mongodb_uri).await.unwrap();
    let command = doc! { "collMod": "members", "validator": validator };
    client.database(&setup.database).run_command(command).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_mongodb_refuses_of_a_room_holds_its_partition_and_is_no_dead_letter() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let told = tell(&setup, 20);
    all_is_decided(&setup, &told).await;
    refuse_rooms(&setup, true).await;

    let (room, putter) = (RoomId::parse("later").unwrap(), Putter::new(&setup));
    let by = person(0);
    let (visibility, name) = (Visibility::Group, RoomName::parse("Later").unwrap());
    let create = Command::Create { visibility, name };
    let made = judge(&RoomState::default(), &room, &create, Actor::Person(&by)).unwrap();
    let envelope = Envelope {
        message_id: MessageId::new(chrono::Utc::now(), rand::random()),
        room_id: room.clone(),
        user_name: UserName::shown(None, &by),
        user_id: by,
        timestamp: chrono::DateTime::from_timestamp_millis(1_700_000_000_000).unwrap(),
        body: Body::Proposal(Box::new(made)),
    };
    let key = room.as_str().as_bytes();
    let value = chat_api::kafka::encode(&envelope);
    putter.put(partitioner().of(&room), Some(key), Some(&value));
    putter.flush();
    eventually("the archive says where it waits", async || {
        let detail = crate::setup::archive::archive_detail(&replica).await?;
        detail.contains("MongoDB refuses the document").then_some(())
    })
    .await;
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);

    refuse_rooms(&setup, false).await;
    let rooms = setup.collection("rooms").await;
    eventually("it goes on by itself", async || {
        rooms.find_one(doc! { "_id": "later" }).await.unwrap().map(drop)
    })
    .await;
    eventually("nothing waits", async || {
        crate::setup::archive::archive_detail(&replica).await.is_none().then_some(())
    })
    .await;
    assert_eq!(replica.stop().await, std::process::ExitCode::SUCCESS);
}
