//! Who of a room is online and who types there, for its members and for others

use chat_api::message::Visibility;
use chat_api::rooms::Command;
use serde_json::{Value, json};

use super::{fast, fast_replica};
use crate::setup::changer::{Changer, person};
use crate::setup::socket::Socket;
use crate::setup::{Replica, Setup, assert_problem, eventually};

/// Who of a room is online, as somebody is told.
async fn presence(replica: &Replica, token: &str, room: &str) -> Value {
    let response = replica.get(token, &format!("/v1/rooms/{room}/presence")).await;
    assert_eq!(response.status(), 200, "{room}");
    response.json().await.unwrap()
}

/// How many are online, and who they are if that is told.
fn shown(presence: &Value) -> (u64, Option<Vec<&str>>) {
    let people = presence["people"].as_array();
    let people = people.map(|people| {
        people.iter().map(|person| person["user_id"].as_str().unwrap()).collect::<Vec<_>>()
    });
    (presence["online"].as_u64().unwrap(), people)
}

/// What was said before was all: what is asked next is answered next.
async fn is_told(socket: &mut Socket) -> Vec<Value> {
    socket.send(&json!({ "type": "ping" })).await;
    let mut told = Vec::new();
    loop {
        let frame = socket.next_of_all().await;
        match frame["type"].as_str().unwrap() {
            "pong" => return told,
            "counts" | "rooms" => {}
            _ => told.push(frame),
        }
    }
}

async fn types(socket: &mut Socket, room: &str) {
    socket.send(&json!({ "type": "typing", "room_id": room })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_shown_who_is_online_readers_how_many_and_to_strangers_there_is_no_room() {
    let setup = Setup::new().await;
    let (one, two) = (fast_replica(&setup).await, fast_replica(&setup).await);
    let (ada, bob, eve) =
        (setup.issuer.token("ada"), setup.issuer.token("bob"), setup.issuer.token("eve"));
    Changer::made(&setup, "open", Visibility::Public, &["cleo", "bob"]).await;
    Changer::made(&setup, "closed", Visibility::Group, &["bob"]).await;
    let _sockets = [one.socket(&ada).await, two.socket(&bob).await, two.socket(&eve).await];
    for replica in [&one, &two] {
        replica.has_online(&ada, &["ada", "bob", "eve"]).await;
        for room in ["open", "closed"] {
            for token in [&ada, &bob] {
                let presence = presence(replica, token, room).await;
                assert_eq!(shown(&presence), (2, Some(vec!["ada", "bob"])), "{room}");
                assert_eq!(presence["people"][0]["user_name"], "Name of ada");
            }
        }
        let open = presence(replica, &eve, "open").await;
        assert_eq!(open, json!({ "room_id": "open", "online": 2 }));
        let closed = replica.get(&eve, "/v1/rooms/closed/presence").await;
        assert_problem(closed, 404, "unknown-room").await;
        let lobby = presence(replica, &ada, "lobby").await;
        assert_eq!(lobby, json!({ "room_id": "lobby", "online": 3 }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_who_hear_a_room_are_told_who_comes_and_goes_at_any_replica_and_nobody_else() {
    let setup = Setup::new().await;
    let (one, two) = (fast_replica(&setup).await, fast_replica(&setup).await);
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let mut room = Changer::made(&setup, "open", Visibility::Public, &["bob", "cleo"]).await;
    let mut hears = one.socket(&ada).await;
    hears.subscribe_to("open", None).await;
    hears.online("open", &["ada"]).await;

    let mut elsewhere = two.socket(&bob).await;
    hears.online("open", &["ada", "bob"]).await;
    elsewhere.subscribe_to("open", None).await;
    elsewhere.online("open", &["ada", "bob"]).await;
    let mut reads = one.socket(&setup.issuer.token("eve")).await;
    reads.subscribe_to("open", None).await;
    let mut deaf = one.socket(&setup.issuer.token("cleo")).await;
    hears.online("open", &["ada", "bob", "cleo"]).await;
    elsewhere.online("open", &["ada", "bob", "cleo"]).await;

    drop(elsewhere);
    hears.online("open", &["ada", "cleo"]).await;
    // Who is online and comes into the room, or leaves it, comes or goes there.
    room.change("eve", &Command::Join).await;
    hears.online("open", &["ada", "cleo", "eve"]).await;
    reads.online("open", &["ada", "cleo", "eve"]).await;
    room.change("ada", &Command::Remove(person("cleo"))).await;
    hears.online("open", &["ada", "eve"]).await;
    assert_eq!(is_told(&mut deaf).await, Vec::<Value>::new(), "it hears no room");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_is_no_member_is_told_nothing_nor_is_who_was_removed() {
    let setup = Setup::new().await;
    let one = fast_replica(&setup).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let mut room = Changer::made(&setup, "open", Visibility::Public, &["bob", "cleo"]).await;
    let (mut adas, mut bobs) = (one.socket(&ada).await, one.socket(&bob).await);
    let mut reads = one.socket(&setup.issuer.token("eve")).await;
    for socket in [&mut adas, &mut bobs, &mut reads] {
        socket.subscribe_to("open", None).await;
    }
    adas.online("open", &["ada", "bob"]).await;
    bobs.online("open", &["ada", "bob"]).await;

    room.change("ada", &Command::Remove(person("bob"))).await;
    adas.online("open", &["ada"]).await;
    // The last that he hears is that he is out. He may read on, as anybody.
    assert_eq!(bobs.expect("event").await["event"]["act"], "remove");
    bobs.subscribe_to("open", None).await;
    let _cleo = one.socket(&setup.issuer.token("cleo")).await;
    adas.online("open", &["ada", "cleo"]).await;
    assert_eq!(is_told(&mut bobs).await, Vec::<Value>::new(), "one pass tells all who are told");
    assert!(bobs.knows_online("open", &["ada", "bob"]), "as of before he was removed");
    assert!(reads.knows_online("open", &[]), "a reader is told of nobody");
    let told = is_told(&mut reads).await;
    assert!(told.iter().all(|frame| frame["type"] == "event"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_speak_in_a_room_types_there_and_who_hears_it_is_told() {
    let setup = Setup::new().await;
    let (one, two) = (fast_replica(&setup).await, fast_replica(&setup).await);
    let (ada, bob, eve) =
        (setup.issuer.token("ada"), setup.issuer.token("bob"), setup.issuer.token("eve"));
    Changer::made(&setup, "open", Visibility::Public, &["bob"]).await;
    Changer::made(&setup, "closed", Visibility::Group, &["bob"]).await;
    let (mut adas, mut reads) = (one.socket(&ada).await, one.socket(&eve).await);
    adas.subscribe_to("open", None).await;
    adas.subscribe_to("closed", None).await;
    reads.subscribe_to("open", None).await;
    // At this replica nobody has asked for the rooms before.
    let (mut bobs, mut eves) = (two.socket(&bob).await, two.socket(&eve).await);
    for (room, code) in [("open", "not-allowed"), ("closed", "unknown-room")] {
        types(&mut eves, room).await;
        let error = eves.expect("error").await;
        assert_eq!((&error["code"], &error["room_id"]), (&json!(code), &json!(room)));
    }
    for room in ["closed", "open"] {
        types(&mut bobs, room).await;
        let typing = adas.until("typing").await;
        assert_eq!((&typing["room_id"], &typing["user_id"]), (&json!(room), &json!("bob")));
    }
    let typing = reads.until("typing").await;
    assert_eq!((&typing["room_id"], &typing["user_id"]), (&json!("open"), &json!("bob")));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_many_are_online_they_are_counted_and_nobody_is_named_until_they_are_few() {
    const FEW: usize = chat_api::presence::NAMED_MAX;
    let setup = Setup::new().await;
    let slow = |config: &mut chat_api::config::Config| {
        fast(config);
        config.args.presence.chat_presence_grace = 0;
    };
    let one = setup.replica_with(slow).await;
    let ada = setup.issuer.token("ada");
    let names: Vec<String> = (1..=FEW).map(|number| format!("member-{number:03}")).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    Changer::made(&setup, "crowd", Visibility::Group, &members).await;
    let mut hears = one.socket(&ada).await;
    hears.subscribe_to("crowd", None).await;
    let mut sockets = Vec::new();
    for name in &members[1..] {
        sockets.push(one.socket(&setup.issuer.token(name)).await);
    }
    let few: Vec<&str> = ["ada"].into_iter().chain(members[1..].iter().copied()).collect();
    hears.online("crowd", &few).await;
    assert_eq!(shown(&presence(&one, &ada, "crowd").await), (FEW as u64, Some(few.clone())));

    let too_many = one.socket(&setup.issuer.token(members[0])).await;
    eventually("one more is online", async || {
        let presence = presence(&one, &ada, "crowd").await;
        (shown(&presence) == (FEW as u64 + 1, None)).then_some(())
    })
    .await;
    sockets.pop();
    drop(too_many);
    let few: Vec<&str> = few[..FEW - 1].to_vec();
    hears.online("crowd", &few).await;
    assert_eq!(shown(&presence(&one, &ada, "crowd").await), (FEW as u64 - 1, Some(few)));
}
