//! Two releases on one log: this one, and one that is ahead by a kind

use serde_json::json;

use crate::setup::archive::{archive_detail, waits_at};
use crate::setup::records::{Putter, held, partitioner, rooms};
use crate::setup::{Replica, Setup, eventually};
use chat_api::message::RoomId;

/// The kind that the release ahead knows.
const KIND: &str = "note";

/// A replica of the release ahead.
async fn ahead(setup: &Setup) -> Replica {
    setup.replica_with(|config| config.extra_kind = Some(KIND)).await
}

async fn stored_in(setup: &Setup, room: &RoomId) -> Vec<String> {
    use futures_util::TryStreamExt as _;
    use mongodb::bson::{Document, doc};
    let messages = setup.collection("messages").await;
    let query = doc! { "room_id": room.as_str() };
    let found = messages.find(query).sort(doc! { "pos": 1 }).await.unwrap();
    let documents: Vec<Document> = found.try_collect().await.unwrap();
    documents.iter().map(|document| document.get_str("content").unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_release_ahead_knows_waits_for_it_and_keeps_its_place() {
    let setup = Setup::new().await;
    let token = setup.issuer.token("ada");
    let blind = setup.replica().await;
    let rooms = rooms();
    let putter = Putter::new(&setup);
    let mut at_blind = blind.socket(&token).await;
    at_blind.subscribe(None).await;
    let round = |number: u32| {
        for room in rooms.iter().chain([&RoomId::lobby()]) {
            putter.say(room, &format!("{number} before"));
            putter.of_later(room, KIND, &json!({ "content": format!("{number} note") }));
            putter.say(room, &format!("{number} after"));
        }
        putter.flush();
    };
    round(0);
    // Alone it stores what lies before, in every partition, and waits.
    let first: Vec<_> = rooms.iter().map(|room| (partitioner().of(room), 1)).collect();
    waits_at(&blind, &setup, &first).await;
    assert_eq!(at_blind.contents(2).await, ["0 before", "0 after"]);

    // The release ahead comes beside it: it goes on with the partitions that it gets.
    let seeing = ahead(&setup).await;
    let mut at_seeing = seeing.socket(&token).await;
    at_seeing.subscribe(None).await;
    let share = eventually("the partitions are shared", async || {
        let detail = archive_detail(&blind).await?;
        let says = |partition| detail.contains(&format!("partition {partition} "));
        let share: Vec<_> = rooms
            .iter()
            .map(|room| partitioner().of(room))
            .filter(|number| says(*number))
            .collect();
        (1..rooms.len()).contains(&share.len()).then_some(share)
    })
    .await;
    round(1);
    assert_eq!(at_blind.contents(2).await, ["1 before", "1 after"], "clients get nothing of it");
    assert_eq!(at_seeing.contents(3).await, ["1 before", "1 note", "1 after"]);
    let all = |rounds: u32| -> Vec<String> {
        let of = |number| ["before", "note", "after"].map(|what| format!("{number} {what}"));
        (0..rounds).flat_map(of).collect()
    };
    for room in &rooms {
        if !share.contains(&partitioner().of(room)) {
            eventually("the seeing one stores", async || {
                (stored_in(&setup, room).await == all(2)).then_some(())
            })
            .await;
        }
    }
    for room in &rooms {
        if share.contains(&partitioner().of(room)) {
            assert_eq!(stored_in(&setup, room).await, ["0 before"], "where it is blind it waits");
        }
    }
    for replica in [&blind, &seeing] {
        let page = replica.get(&token, "/v1/messages").await;
        assert_eq!(page.status(), 200, "no page fails");
    }

    // The blind one is replaced.
    blind.stop().await;
    let other = ahead(&setup).await;
    for room in rooms.iter().chain([&RoomId::lobby()]) {
        eventually("all is stored, in its place", async || {
            (stored_in(&setup, room).await == all(2)).then_some(())
        })
        .await;
    }
    for replica in [&other, &seeing] {
        eventually("nothing waits", async || archive_detail(replica).await.is_none().then_some(()))
            .await;
        assert_eq!(replica.history(&token, 6).await.len(), 6);
    }
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_critical_record_unloads_its_room_where_it_is_not_known_alone() {
    let setup = Setup::new().await;
    let token = setup.issuer.token("ada");
    let (blind, seeing) = (setup.replica().await, ahead(&setup).await);
    let (mut at_blind, mut at_seeing) = (blind.socket(&token).await, seeing.socket(&token).await);
    at_blind.subscribe(None).await;
    at_seeing.subscribe(None).await;
    let putter = Putter::new(&setup);
    putter.say(&RoomId::lobby(), "before");
    putter.flush();
    assert_eq!(at_blind.contents(1).await, ["before"]);
    putter.of_later(&RoomId::lobby(), KIND, &json!({ "content": "note", "critical": true }));
    putter.flush();
    assert_eq!(at_blind.expect("behind").await["room_id"], "lobby");
    seeing.say(&token, "after").await;
    assert_eq!(at_seeing.contents(3).await, ["before", "note", "after"]);
    let body = json!({ "content": "x" });
    assert_eq!(blind.post(&token, &body).send().await.unwrap().status(), 503);

    // Whoever was there goes on at the other, by cursor, and misses nothing.
    blind.stop().await;
    let replaced = ahead(&setup).await;
    let mut socket = replaced.socket(&token).await;
    let oldest = chat_api::message::Cursor {
        partition: Setup::lobby_partition(),
        position: chat_api::message::Position::BEFORE_ALL,
    };
    let (events, _) = socket.subscribe(Some(&oldest.to_string())).await;
    let contents: Vec<_> = events.iter().map(|event| &event["event"]["content"]).collect();
    assert_eq!(contents, ["before", "note", "after"]);
    assert_eq!(setup.stored_count(3).await, ["before", "note", "after"]);
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
}
