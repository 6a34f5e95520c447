//! What people are told of rooms that they do not hear.

use std::time::Duration;

use mongodb::bson::doc;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{beginning, say};
use crate::routes::rooms::call;
use crate::setup::socket::Socket;
use crate::setup::{Replica, Setup, eventually};

/// Makes a group with a name, and these members.
async fn group(replica: &Replica, owner: &str, name: &str, members: &[&str]) -> String {
    let body = json!({ "kind": "group", "name": name });
    let made = call(replica, owner, Method::POST, "/v1/rooms", Some(&body)).await;
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    let room = made["room_id"].as_str().unwrap().to_owned();
    for member in members {
        member_call(replica, owner, Method::PUT, &room, member).await;
    }
    room
}

async fn member_call(replica: &Replica, token: &str, method: Method, room: &str, who: &str) {
    let path = format!("/v1/rooms/{room}/members/{who}");
    let body = (method == Method::PUT).then(|| json!({}));
    let done = call(replica, token, method, &path, body.as_ref()).await;
    assert_eq!(done.status(), 200);
}

/// The one room of which this is told next.
async fn noted(socket: &mut Socket, what: &str) -> Value {
    noted_in(&socket.next_of_all().await, what)
}

fn noted_in(frame: &Value, what: &str) -> Value {
    assert_eq!(frame["type"], "rooms", "{frame}");
    let (object, noted) = (frame.as_object().unwrap(), frame[what].as_array().unwrap());
    assert_eq!((object.len(), noted.len()), (2, 1), "{frame}");
    noted[0].clone()
}

/// Nothing more is told: what is asked next is answered next.
async fn is_quiet(socket: &mut Socket) {
    socket.send(&json!({ "type": "ping" })).await;
    assert_eq!(socket.next_of_all().await["type"], "pong");
}

/// Two replicas, of which the second one tells often what was said.
async fn two(setup: &Setup) -> (Replica, Replica) {
    let often = |config: &mut chat_api::config::Config| {
        config.timeouts.activity_every = Duration::from_millis(200);
    };
    (setup.replica().await, setup.replica_with(often).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_is_told_wherever_they_are_and_what_is_said_then_until_they_are_removed() {
    let setup = Setup::new().await;
    let (here, there) = two(&setup).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let (mut phone, mut desk) = (there.socket(&bob).await, there.socket(&bob).await);
    let room = group(&here, &ada, "Attic", &["bob"]).await;
    for socket in [&mut phone, &mut desk] {
        let added = noted(socket, "added").await;
        assert_eq!((&added["kind"], &added["name"]), (&json!("group"), &json!("Attic")));
        assert_eq!(added["room_id"], *room);
    }
    desk.subscribe_to(&room, None).await;
    let said = say(&here, &ada, &room, "one").await;
    let event = desk.expect("event").await["event"].clone();
    assert_eq!(event["content"], "one");
    let activity = noted(&mut phone, "activity").await;
    assert_eq!(activity["more"], 1);
    assert_eq!(activity["cursor"], said["cursor"]);
    let last = &activity["last"];
    assert_eq!((&last["excerpt"], &last["message_id"]), (&json!("one"), &said["message_id"]));
    assert_eq!(last["user_name"], event["user_name"]);

    member_call(&here, &ada, Method::DELETE, &room, "bob").await;
    assert_eq!(noted(&mut phone, "removed").await["room_id"], *room);
    // By its event and by a note, whichever comes first.
    let mut told = [desk.next_of_all().await, desk.next_of_all().await];
    told.sort_by_key(|frame| frame["type"].to_string());
    assert_eq!(told[0]["event"]["act"], "remove");
    assert_eq!(noted_in(&told[1], "removed")["room_id"], *room);
    let after = say(&here, &ada, &room, "not for Bob").await;
    eventually("it is read", async || {
        let path = format!("/v1/rooms/{room}");
        let cursor = after["cursor"].as_str().unwrap();
        let page = there.url(&format!("/v1/messages?room_id={room}&limit=1"));
        let page = there.http.get(page).bearer_auth(&ada).header("x-after", cursor);
        let answer = page.send().await.ok()?;
        (answer.status() == 200 && there.get(&bob, &path).await.status() == 404).then_some(())
    })
    .await;
    is_quiet(&mut phone).await;
    is_quiet(&mut desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_often_is_told_seldom_and_counted() {
    let setup = Setup::new().await;
    let (here, there) = two(&setup).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let room = group(&here, &ada, "Attic", &["bob"]).await;
    let mut socket = there.socket(&bob).await;
    for number in 1..=15 {
        say(&here, &ada, &room, &number.to_string()).await;
    }
    let (mut more, mut frames) = (0, 0);
    loop {
        let frame = socket.next_of_all().await;
        if frame.get("added").is_some() {
            // The invitation came after him.
            continue;
        }
        let activity = noted_in(&frame, "activity");
        more += activity["more"].as_u64().unwrap();
        frames += 1;
        if activity["last"]["excerpt"] == "15" {
            break;
        }
    }
    // It may have come between two of them.
    assert!((1..=15).contains(&more), "{more}");
    assert!(frames < 15, "{frames}");
    // What one says oneself is nothing new.
    say(&here, &bob, &room, "mine").await;
    let activity = noted(&mut socket, "activity").await;
    assert_eq!((&activity["more"], &activity["last"]["excerpt"]), (&json!(0), &json!("mine")));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_is_told_of_the_rooms_of_before_and_of_none_that_they_lost() {
    let setup = Setup::new().await;
    let (here, there) = two(&setup).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let kept = group(&here, &ada, "Kept", &["bob"]).await;
    let lost = group(&here, &ada, "Lost", &["bob"]).await;
    let stored = setup.collection("rooms_of").await;
    eventually("all are stored", async || {
        (stored.count_documents(doc! {}).await.unwrap() == 4).then_some(())
    })
    .await;
    member_call(&here, &ada, Method::DELETE, &lost, "bob").await;
    let mut socket = there.socket(&bob).await;
    say(&here, &ada, &lost, "secret").await;
    eventually("the rooms of Bob are read", async || {
        say(&here, &ada, &kept, "hello").await;
        let frame = timeout(Duration::from_millis(300), socket.next_of_all()).await.ok()?;
        assert_eq!(frame["type"], "rooms");
        assert!(!frame.to_string().contains("secret"), "{frame}");
        let activity = frame["activity"].as_array()?;
        (activity[0]["room_id"] == *kept).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_of_a_new_conversation_are_told_and_all_of_a_room_that_is_deleted() {
    let setup = Setup::new().await;
    let (here, there) = two(&setup).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let (mut one, mut other) = (here.socket(&ada).await, there.socket(&bob).await);
    let opened = call(&here, &ada, Method::PUT, "/v1/direct/bob", None).await;
    assert_eq!(opened.status(), 201);
    for socket in [&mut one, &mut other] {
        assert_eq!(noted(socket, "added").await["kind"], "direct");
    }
    let room = group(&here, &ada, "Attic", &["bob"]).await;
    for socket in [&mut one, &mut other] {
        assert_eq!(noted(socket, "added").await["room_id"], *room);
    }
    let path = format!("/v1/rooms/{room}");
    let gone = call(&here, &ada, Method::DELETE, &path, None).await;
    assert_eq!(gone.status(), 204);
    for socket in [&mut one, &mut other] {
        assert_eq!(noted(socket, "removed").await["room_id"], *room);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hears_a_room_is_told_of_it_by_its_events_alone() {
    let setup = Setup::new().await;
    let (here, there) = two(&setup).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let room = group(&here, &ada, "Attic", &["bob"]).await;
    let mut socket = there.socket(&bob).await;
    socket.send(&json!({ "type": "subscribe", "rooms": { &room: beginning(&room) } })).await;
    for expected in ["create", "invite"] {
        assert_eq!(socket.expect("event").await["event"]["act"], expected);
    }
    socket.expect("resumed").await;
    say(&here, &ada, &room, "heard").await;
    assert_eq!(socket.expect("event").await["event"]["content"], "heard");
    is_quiet(&mut socket).await;
    socket.send(&json!({ "type": "unsubscribe", "rooms": [room] })).await;
    is_quiet(&mut socket).await;
    say(&here, &ada, &room, "not heard").await;
    assert_eq!(noted(&mut socket, "activity").await["last"]["excerpt"], "not heard");
}
