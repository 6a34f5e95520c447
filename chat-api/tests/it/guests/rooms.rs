//! What guests read and hear of rooms that have members, and where that ends

use std::num::NonZeroU32;

use chat_api::message::{Settings, Visibility};
use chat_api::rate::Rate;
use chat_api::rooms::Command;
use reqwest::Method;
use serde_json::{Value, json};

use super::{REAL_IP, ask, behind_a_proxy, enter, enter_from, get, open};
use crate::rooms::{beginning, has_read, heard, is_quiet, say, words};
use crate::setup::changer::{Changer, person};
use crate::setup::records::Putter;
use crate::setup::socket::Socket;
use crate::setup::{Replica, Setup, assert_problem, eventually};

/// Everybody finds the room from now on, or its members alone.
fn kind(visibility: Visibility) -> Command {
    Command::Change(Settings { visibility: Some(visibility), ..Settings::default() })
}

/// Says something in a room; what is answered, once it is in the history.
async fn stored(replica: &Replica, token: &str, room: &str, content: &str) -> Value {
    let said = say(replica, token, room, content).await;
    let path = format!("/v1/messages?room_id={room}&limit=1");
    eventually("the history includes it", async || {
        let request = replica.http.get(replica.url(&path)).bearer_auth(token);
        let request = request.header("x-after", said["cursor"].as_str()?);
        (request.send().await.ok()?.status() == 200).then_some(())
    })
    .await;
    said
}

/// Whoever it is hears nothing of a room, from any place.
async fn is_not_let_hear(socket: &mut Socket, room: &str) {
    for cursor in [json!(null), json!(beginning(room))] {
        socket.send(&json!({ "type": "subscribe", "rooms": { room: cursor } })).await;
        let error = socket.expect("error").await;
        assert_eq!((&error["code"], &error["room_id"]), (&json!("unknown-room"), &json!(room)));
    }
}

/// To a guest there is no such room, and no such message.
async fn is_none_to_guests(replica: &Replica, room: &str, message: &str) {
    for path in [format!("/v1/rooms/{room}"), format!("/v1/messages?room_id={room}")] {
        assert_problem(get(replica, &path).await, 404, "unknown-room").await;
    }
    for path in ["", "/history", &format!("?room_id={room}"), &format!("/history?room_id={room}")] {
        let path = format!("/v1/messages/{message}{path}");
        assert_problem(get(replica, &path).await, 404, "unknown-message").await;
    }
    is_not_let_hear(&mut enter(replica).await, room).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_reads_of_a_public_room_what_a_stranger_reads() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    let (ada, eve) = (setup.issuer.token("ada"), setup.issuer.token("eve"));
    let mut changer = Changer::made(&setup, "attic", Visibility::Public, &["bob"]).await;
    has_read(&replica, &ada, &changer).await;
    let said = stored(&replica, &ada, "attic", "first").await;
    let id = said["message_id"].as_str().unwrap();
    let paths = [
        "/v1/rooms/attic".to_owned(),
        "/v1/messages?room_id=attic".to_owned(),
        format!("/v1/messages/{id}"),
        format!("/v1/messages/{id}?room_id=attic"),
        format!("/v1/messages/{id}/history"),
    ];
    for is_archived in [false, true] {
        for path in &paths {
            // Once where the room is known, and once where it is not.
            for replica in [&replica, &setup.replica_with(open).await] {
                let as_guest = get(replica, path).await;
                assert_eq!(as_guest.status(), 200, "{path}");
                let up_to = as_guest.headers().get("x-cursor").cloned();
                let as_guest: Value = as_guest.json().await.unwrap();
                let as_stranger = replica.get(&eve, path).await;
                assert_eq!(as_stranger.headers().get("x-cursor").cloned(), up_to, "{path}");
                assert_eq!(as_guest, as_stranger.json::<Value>().await.unwrap(), "{path}");
            }
        }
        let shown: Value = get(&replica, "/v1/rooms/attic").await.json().await.unwrap();
        let expected = json!({
            "room_id": "attic", "kind": "public", "name": "Attic", "archived": is_archived, "members": 2,
        });
        assert_eq!(shown, expected, "how many are in it, and not who");
        let shown: Value = get(&replica, "/v1/messages?room_id=attic").await.json().await.unwrap();
        assert_eq!(shown[0]["content"], "first");
        if !is_archived {
            let archived = Settings { archived: Some(true), ..Settings::default() };
            changer.change("ada", &Command::Change(archived)).await;
            has_read(&replica, &ada, &changer).await;
        }
    }
    for path in ["/v1/rooms", "/v1/rooms/attic/members", "/v1/rooms/lobby/members"] {
        assert_problem(get(&replica, path).await, 401, "missing-token").await;
    }
    let lobby: Value = get(&replica, "/v1/rooms/lobby").await.json().await.unwrap();
    assert_eq!(lobby["kind"], "public");
    assert_problem(get(&replica, "/v1/rooms/never-made").await, 404, "unknown-room").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_a_guest_there_is_no_room_of_others() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    let ada = setup.issuer.token("ada");
    let group = Changer::made(&setup, "attic", Visibility::Group, &["bob"]).await;
    let direct = chat_api::rooms::direct::room_of(&person("ada"), &person("bob")).unwrap();
    let mut pair = Changer::new(&setup, direct.as_str());
    pair.change("ada", &Command::CreateDirect(person("bob"))).await;
    for changer in [&group, &pair] {
        let room = changer.room.as_str();
        has_read(&replica, &ada, changer).await;
        let said = stored(&replica, &ada, room, "among us").await;
        is_none_to_guests(&replica, room, said["message_id"].as_str().unwrap()).await;
        let elsewhere = setup.replica_with(open).await;
        is_none_to_guests(&elsewhere, room, said["message_id"].as_str().unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_hears_all_of_a_public_room_live_and_resumed_and_says_nothing_there() {
    let setup = Setup::new().await;
    let ada = setup.issuer.token("ada");
    let mut changer = Changer::made(&setup, "attic", Visibility::Public, &["bob"]).await;
    // Out of the ring, and out of the archive.
    let mut before = vec!["create".to_owned(), "invite bob".to_owned()];
    for (number, ring_bytes) in [1 << 20, 1].into_iter().enumerate() {
        let change = |config: &mut chat_api::config::Config| {
            open(config);
            config.ring_bytes = ring_bytes;
        };
        let replica = setup.replica_with(change).await;
        has_read(&replica, &ada, &changer).await;
        let mut socket = enter(&replica).await;
        let (events, resumed) = socket.subscribe_to("attic", Some(&beginning("attic"))).await;
        assert_eq!(events.iter().map(words).collect::<Vec<_>>(), before);

        let (text, guest) = (format!("live {number}"), format!("guest {number}"));
        say(&replica, &ada, "attic", &text).await;
        changer.change("ada", &Command::Invite(person(&format!("new-{number}")))).await;
        let since = vec![text, format!("invite new-{number}")];
        assert_eq!(heard(&mut socket, 2).await, since);

        let send = json!({ "type": "send", "ref": "r", "room_id": "attic", "content": guest });
        socket.send(&send).await;
        assert_eq!(socket.expect("nack").await["code"], "missing-token");
        is_quiet(&mut socket).await;

        // Elsewhere, from where it was.
        let elsewhere = setup.replica_with(change).await;
        let mut socket = enter(&elsewhere).await;
        let (missed, _) = socket.subscribe_to("attic", resumed["upto"].as_str()).await;
        assert_eq!(missed.iter().map(words).collect::<Vec<_>>(), since);
        before.extend(since);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_closes_or_is_deleted_ends_guests_where_it_ends_strangers() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica_with(open).await, setup.replica_with(open).await);
    let (ada, eve) = (setup.issuer.token("ada"), setup.issuer.token("eve"));
    let mut changer = Changer::made(&setup, "attic", Visibility::Public, &["bob"]).await;
    let putter = Putter::new(&setup);
    has_read(&one, &ada, &changer).await;
    let said = stored(&one, &ada, "attic", "to all").await;
    let id = said["message_id"].as_str().unwrap();
    let mut sockets = Vec::new();
    for replica in [&one, &two] {
        has_read(replica, &ada, &changer).await;
        for mut socket in [enter(replica).await, replica.socket(&eve).await] {
            socket.subscribe_to("attic", None).await;
            sockets.push(socket);
        }
    }
    changer.change("ada", &kind(Visibility::Group)).await;
    putter.say(&changer.room, "among us");
    putter.flush();
    for replica in [&one, &two] {
        has_read(replica, &ada, &changer).await;
        is_none_to_guests(replica, "attic", id).await;
    }
    for socket in &mut sockets {
        assert_eq!(heard(socket, 1).await, ["set"]);
        is_quiet(socket).await;
        is_not_let_hear(socket, "attic").await;
    }

    // It opens again: what ended them before is over, and they hear all of it.
    changer.change("ada", &kind(Visibility::Public)).await;
    let all = ["create", "invite bob", "to all", "set", "among us", "set"];
    for (number, socket) in sockets.iter_mut().enumerate() {
        has_read(if number < 2 { &one } else { &two }, &ada, &changer).await;
        let (events, _) = socket.subscribe_to("attic", Some(&beginning("attic"))).await;
        assert_eq!(events.iter().map(words).collect::<Vec<_>>(), all);
    }
    changer.change("ada", &Command::Delete).await;
    putter.say(&changer.room, "into the void");
    putter.flush();
    for socket in &mut sockets {
        assert_eq!(heard(socket, 1).await, ["delete"]);
        is_quiet(socket).await;
        is_not_let_hear(socket, "attic").await;
    }
    for replica in [&one, &two] {
        has_read(replica, &ada, &changer).await;
        is_none_to_guests(replica, "attic", id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_who_reads_slowly_out_of_the_archive_is_cut_off_at_the_same_place() {
    let setup = Setup::new().await;
    // Whatever is said lies below the ring.
    let change = |config: &mut chat_api::config::Config| {
        open(config);
        config.ring_bytes = 1;
    };
    let replica = setup.replica_with(change).await;
    let ada = setup.issuer.token("ada");
    let mut changer = Changer::made(&setup, "attic", Visibility::Public, &[]).await;
    has_read(&replica, &ada, &changer).await;
    let mut socket = enter(&replica).await;
    socket.subscribe_to("attic", None).await;
    let putter = Putter::new(&setup);
    let text = "x".repeat(1_000);
    // More than what a connection takes that nobody reads.
    for number in 0..300 {
        putter.say(&changer.room, &format!("{number} {text}"));
    }
    putter.flush();
    changer.change("ada", &kind(Visibility::Group)).await;
    putter.say(&changer.room, "among us");
    putter.flush();
    has_read(&replica, &ada, &changer).await;
    let all = heard(&mut socket, 301).await;
    let numbers: Vec<_> = all.iter().map(|words| words.split(' ').next().unwrap()).collect();
    let expected: Vec<_> = (0..300).map(|number| number.to_string()).collect();
    assert_eq!(numbers[..300], expected);
    assert_eq!(all[300], "set");
    is_quiet(&mut socket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_that_guests_ask_for_are_reads_of_their_network() {
    let setup = Setup::new().await;
    let few = |number| NonZeroU32::new(number).unwrap();
    let change = |config: &mut chat_api::config::Config| {
        behind_a_proxy(config);
        config.reads = Rate { per_second: few(1), burst: few(20) };
    };
    let replica = setup.replica_with(change).await;
    let mut answers = Vec::new();
    for number in 0..60 {
        let request = ask(&replica, Method::GET, &format!("/v1/rooms/room-{number}"));
        // One subscriber has all of these addresses.
        let request = request.header(REAL_IP, format!("2001:db8::{number:x}"));
        answers.push(request.send().await.unwrap().status().as_u16());
    }
    let refused = answers.iter().filter(|status| **status == 429).count();
    assert!(answers.iter().all(|status| [404, 429].contains(status)), "{answers:?}");
    // One comes back each second: of a slow machine's minute more.
    assert!((2..=40).contains(&refused), "{refused}");
    // So are those that their sockets ask for, which come late instead.
    let mut socket = enter_from(&replica, "2001:db8::ffff").await;
    let rooms: serde_json::Map<_, _> =
        (100..150).map(|number| (format!("room-{number}"), json!(null))).collect();
    socket.send(&json!({ "type": "subscribe", "rooms": rooms })).await;
    loop {
        let frame = socket.next().await;
        match frame["type"].as_str() {
            Some("behind") => break,
            Some("error") => assert_eq!(frame["code"], "unknown-room"),
            _ => panic!("{frame}"),
        }
    }
    // Nobody else's: of the neighbouring network, and of a person.
    let request = ask(&replica, Method::GET, "/v1/rooms/other").header(REAL_IP, "2001:db8:0:1::1");
    assert_problem(request.send().await.unwrap(), 404, "unknown-room").await;
    let request = ask(&replica, Method::GET, "/v1/rooms/another").header(REAL_IP, "2001:db8::1");
    let request = request.bearer_auth(setup.issuer.token("ada"));
    assert_problem(request.send().await.unwrap(), 404, "unknown-room").await;
}
