//! What each replica makes of the same log

use std::collections::BTreeMap;

use chat_api::message::{Cursor, Visibility};
use chat_api::rooms::{Command, Role, Verdict};
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use super::{beginning, has_read};
use crate::setup::changer::{Changer, person};
use crate::setup::{Replica, Setup, eventually};

const PEOPLE: [&str; 5] = ["ada", "bob", "cid", "dan", "eve"];

fn wish(chance: &mut StdRng) -> Command {
    let other = person(PEOPLE[chance.random_range(0..PEOPLE.len())]);
    match chance.random_range(0..13) {
        0..4 => Command::Join,
        4..6 => Command::Invite(other),
        6..8 => Command::Leave { successor: chance.random_bool(0.6).then_some(other) },
        8 => Command::Remove(other),
        9..11 => Command::SetRole { person: other, role: Role::Owner, successor: None },
        11 => Command::Ban(other),
        _ => Command::Unban(other),
    }
}

/// Appends so many proposals more, judged with lag, some of them again.
async fn live(changer: &mut Changer, chance: &mut StdRng, count: usize) {
    let mut history = vec![changer.state.clone()];
    let until = changer.told.len() + count;
    while changer.told.len() < until {
        if chance.random_bool(0.15) {
            let again = chance.random_range(0..changer.told.len());
            let envelope = changer.told[again].0.envelope.clone();
            changer.append(envelope).await;
        } else {
            let lag = chance.random_range(0..history.len().min(4));
            let judged_by = history[history.len() - 1 - lag].clone();
            let who = PEOPLE[chance.random_range(0..PEOPLE.len())];
            let wish = wish(chance);
            // An archived room has no more history.
            let is_alone = judged_by.owners() == 1 || changer.state.owners() == 1;
            if is_alone && matches!(wish, Command::Leave { successor: None }) {
                continue;
            }
            changer.propose(who, &wish, &judged_by).await;
        }
        history.push(changer.state.clone());
    }
}

/// The places of all that a replica sends of a room.
async fn sent(replica: &Replica, token: &str, room: &str, last: &str) -> Vec<i64> {
    let mut socket = replica.socket(token).await;
    let rooms = json!({ room: beginning(room) });
    socket.send(&json!({ "type": "subscribe", "rooms": rooms })).await;
    let mut places = Vec::new();
    loop {
        let frame = socket.next().await;
        match frame["type"].as_str() {
            Some("event") => {
                let cursor = Cursor::parse(frame["cur"].as_str().unwrap()).unwrap();
                places.push(cursor.position.raw());
                if frame["cur"] == last {
                    return places;
                }
            }
            Some("behind" | "resumed") => {}
            _ => panic!("{frame}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_a_replica_began_and_whatever_it_holds_it_sends_what_counts_and_the_archive_agrees()
 {
    for seed in 0..4 {
        let setup = Setup::new().await;
        let mut chance = StdRng::seed_from_u64(seed);
        let mut changer = Changer::made(&setup, "attic", Visibility::Public, &["bob"]).await;
        let from_the_start = setup.replica().await;
        let ada = setup.issuer.token("ada");
        let mut listener = from_the_start.socket(&ada).await;
        listener.subscribe_to("attic", None).await;
        live(&mut changer, &mut chance, 40).await;
        let in_the_middle = setup.replica().await;
        live(&mut changer, &mut chance, 40).await;
        let small = setup.replica_with(|config| config.ring_bytes = 1).await;
        live(&mut changer, &mut chance, 20).await;
        // A public room is read by all: so whoever asks has it to the end.
        let counts = |(event, verdict): &(_, _)| -> Option<i64> {
            let event: &chat_api::message::Event = event;
            (*verdict == Verdict::Accepted).then(|| event.position.raw())
        };
        let expected: Vec<_> = changer.told.iter().filter_map(counts).collect();
        let void = changer.told.len() - expected.len();
        assert!(void > 5 && expected.len() > 5, "{void} of {}", changer.told.len());
        let is_last = |(event, _): &&(chat_api::message::Event, Verdict)| {
            Some(&event.position.raw()) == expected.last()
        };
        let last = changer.told.iter().find(is_last).unwrap().0.cursor().to_string();
        // Nobody of these, so that nothing ends for them.
        let stranger = setup.issuer.token("zoe");
        let after = setup.replica().await;
        for replica in [&from_the_start, &in_the_middle, &small, &after] {
            has_read(replica, &stranger, &changer).await;
            assert_eq!(sent(replica, &stranger, "attic", &last).await, expected, "seed {seed}");
        }
        let decided = setup.collection("changes").await;
        let stored = eventually("the archive has decided", async || {
            let found = decided.find(doc! {}).sort(doc! { "pos": 1 }).await.unwrap();
            let found: Vec<Document> = found.try_collect().await.unwrap();
            let last = changer.told.last().unwrap().0.position.raw();
            let rooms = setup.collection("rooms").await;
            let room = rooms.find_one(doc! { "_id": "attic" }).await.unwrap()?;
            (room.get_i64("pos").unwrap() == last).then_some(found)
        })
        .await;
        let accepted: Vec<_> = stored
            .iter()
            .filter(|change| change.get_str("verdict").unwrap() == "accepted")
            .map(|change| change.get_i64("pos").unwrap())
            .collect();
        assert_eq!(accepted, expected, "seed {seed}");
        let members = setup.collection("members").await;
        let members: Vec<Document> =
            members.find(doc! {}).await.unwrap().try_collect().await.unwrap();
        let members: BTreeMap<_, _> = members
            .iter()
            .map(|member| (member.get_str("user_id").unwrap(), member.get_i64("pos").unwrap()))
            .collect();
        for who in PEOPLE {
            let place = changer.state.position(&person(who)).raw();
            assert_eq!(members.get(who).copied().unwrap_or(-1), place, "{who}");
        }
    }
}
