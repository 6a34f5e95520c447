//! How much is unread

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Method;
use serde_json::Value;

use super::{are, call, cursor_at, mark, markers, position, room, say, stored};
use crate::setup::{Replica, Setup, eventually};

/// How much is unread in each room of a person.
async fn unread(replica: &Replica, token: &str) -> BTreeMap<String, u64> {
    let rooms: Vec<Value> = replica.get(token, "/v1/rooms").await.json().await.unwrap();
    let count = |room: &Value| {
        let id = room["room_id"].as_str().unwrap().to_owned();
        (id, room["unread"].as_u64().unwrap())
    };
    rooms.iter().map(count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_something_has_read_up_to_there() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let room = room(&setup, &[&replica], "group", &["bob"]).await;
    for content in ["one", "two"] {
        say(&replica, &ada, &room, content).await;
    }
    let of_ada = say(&replica, &ada, &room, "three").await;
    stored(&replica, &ada, &room, &of_ada).await;
    are(&replica, &bob, &room, &[("ada", &of_ada)]).await;
    assert_eq!(unread(&replica, &bob).await[&room], 3);
    assert_eq!(unread(&replica, &ada).await[&room], 0, "nothing of others");
    let of_bob = say(&replica, &bob, &room, "four").await;
    are(&replica, &bob, &room, &[("ada", &of_ada), ("bob", &of_bob)]).await;
    assert_eq!(unread(&replica, &bob).await[&room], 0);
    assert_eq!(unread(&replica, &ada).await[&room], 1);
    // What is deleted leaves a place, which is counted.
    let said = replica.get(&bob, &format!("/v1/messages?room_id={room}&limit=1")).await;
    let said: Vec<Value> = said.json().await.unwrap();
    let path = format!("/v1/messages/{}", said[0]["message_id"].as_str().unwrap());
    let deleted = call(&replica, &bob, Method::DELETE, &path, &Value::Null).await;
    let deleted: Value = deleted.json().await.unwrap();
    stored(&replica, &bob, &room, deleted["cursor"].as_str().unwrap()).await;
    assert_eq!(unread(&replica, &ada).await[&room], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_stand_for_more_and_no_document_is_read_to_count_them() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let mut rooms = Vec::new();
    for count in [250, 99, 0] {
        let room = room(&setup, &[&replica], "group", &["bob"]).await;
        let said = (0..count).map(|number| {
            let (replica, ada, room) = (&replica, &ada, &room);
            async move { say(replica, ada, room, &number.to_string()).await }
        });
        let said = futures_util::future::join_all(said).await;
        let last = said.into_iter().max_by_key(|cursor| position(cursor));
        if let Some(last) = &last {
            stored(&replica, &ada, &room, last).await;
        }
        rooms.push((room, last, count.min(100)));
    }
    crate::setup::archive::indexes_are_there(&setup).await;
    eventually("all three are stored", async || {
        (unread(&replica, &bob).await.len() == rooms.len()).then_some(())
    })
    .await;
    let client = mongodb::Client::with_uri_str(&setup.mongodb_uri).await.unwrap();
    let database = client.database(&setup.database);
    database.run_command(doc! { "profile": 2 }).await.unwrap();
    let counted = unread(&replica, &bob).await;
    database.run_command(doc! { "profile": 0 }).await.unwrap();
    for (room, _, count) in &rooms {
        assert_eq!(counted[room], *count);
    }
    let profile = database.collection::<Document>("system.profile");
    let query = doc! { "command.aggregate": "messages" };
    let asked: Vec<Document> = profile.find(query).await.unwrap().try_collect().await.unwrap();
    assert_eq!(asked.len(), 1, "one question for all rooms, and {asked:?}");
    let number = |field: &str| {
        let value = asked[0].get(field).unwrap();
        value.as_i64().or(value.as_i32().map(i64::from)).unwrap()
    };
    assert_eq!(number("docsExamined"), 0, "{:?}", asked[0]);
    let keys = number("keysExamined");
    // Two of them have something new.
    assert!((1..=2 * 102).contains(&keys), "{keys}");
}

/// The last place of somebody's own that stands in a room, and where they came in.
type Read = BTreeMap<(String, String), i64>;

/// Every message of a room, by place: who said it.
async fn history(replica: &Replica, token: &str, room: &str) -> Vec<(i64, String)> {
    let (mut all, mut next) = (Vec::new(), Some(format!("/v1/messages?room_id={room}&limit=200")));
    while let Some(path) = next {
        let response = replica.get(token, &path).await;
        let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        next = link.map(|link| link[1..].split_once('>').unwrap().0.to_owned());
        let page: Vec<Value> = response.json().await.unwrap();
        all.extend(page.iter().map(|message| {
            let place = position(message["cursor"].as_str().unwrap()).raw();
            (place, message["user_id"].as_str().unwrap().to_owned())
        }));
    }
    all
}

async fn is_counted_as_the_history_has_it(seed: u64) {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let replicas = [&one, &two];
    let mut chance = StdRng::seed_from_u64(seed);
    let people = ["ada", "bob", "cid"];
    let tokens = people.map(|who| setup.issuer.token(who));
    let mut rooms = Vec::new();
    for kind in ["group", "public"] {
        let room = room(&setup, &replicas, kind, &people[1..]).await;
        let first = position(&say(&one, &tokens[0], &room, "first").await).raw();
        rooms.push((room, vec![first]));
    }
    let mut read = Read::new();
    for (room, places) in &rooms {
        read.insert((room.clone(), "ada".to_owned()), places[0]);
    }
    for round in 0..4 {
        for _ in 0..25 {
            let (who, number) = (chance.random_range(0..3), chance.random_range(0..2));
            let replica = replicas[chance.random_range(0..2)];
            let (room, places) = &mut rooms[number];
            let key = (room.clone(), people[who].to_owned());
            let place = if chance.random_range(0..3) > 0 {
                let said = say(replica, &tokens[who], room, &round.to_string()).await;
                places.push(position(&said).raw());
                position(&said).raw()
            } else {
                let place = places[chance.random_range(0..places.len())];
                mark(replica, &tokens[who], room, &cursor_at(room, place)).await;
                place
            };
            let known = read.entry(key).or_insert(place);
            *known = place.max(*known);
        }
        for (room, places) in &rooms {
            let last = cursor_at(room, *places.last().unwrap());
            for replica in replicas {
                stored(replica, &tokens[0], room, &last).await;
            }
            let expected: BTreeMap<String, String> = read
                .iter()
                .filter(|((of, _), _)| of == room)
                .map(|((_, who), place)| (who.clone(), cursor_at(room, *place)))
                .collect();
            eventually("all markers are stored", async || {
                (markers(&two, &tokens[0], room).await == expected).then_some(())
            })
            .await;
            let all = history(&one, &tokens[0], room).await;
            for (who, token) in people.iter().zip(&tokens) {
                // Whoever has read nothing came before all that was said.
                let upto = read.get(&(room.clone(), (*who).to_owned())).copied().unwrap_or(-1);
                let others = all.iter().filter(|(place, by)| *place > upto && by != who).count();
                let counted = unread(&one, token).await[room];
                assert_eq!(counted, others as u64, "seed {seed}, round {round}, {who} in {room}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_anything_that_people_do_as_much_is_unread_as_the_history_has_behind_their_markers() {
    for seed in [1, 2, 3] {
        is_counted_as_the_history_has_it(seed).await;
    }
}
