//! The frame `typing`

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::fast_replica;
use crate::setup::Setup;
use crate::setup::records::append_to;
use crate::setup::socket::Socket;

/// Whatever a socket is told until it has answered a ping.
async fn told(socket: &mut Socket) -> Vec<Value> {
    socket.send(&json!({ "type": "ping" })).await;
    let mut told = Vec::new();
    loop {
        let frame = socket.next_of_all().await;
        match frame["type"].as_str().unwrap() {
            "pong" => return told,
            "counts" => {}
            _ => told.push(frame),
        }
    }
}

async fn types(socket: &mut Socket) {
    socket.send(&json!({ "type": "typing", "room_id": "lobby" })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_else_who_hears_the_room_is_told_at_every_replica() {
    let setup = Setup::new().await;
    let (one, two) = (fast_replica(&setup).await, fast_replica(&setup).await);
    let (ada, bob, cleo) =
        (setup.issuer.token("ada"), setup.issuer.token("bob"), setup.issuer.token("cleo"));
    let mut adas = one.socket(&ada).await;
    let (mut beside, mut elsewhere) = (one.socket(&bob).await, two.socket(&cleo).await);
    let (mut deaf, mut second) = (two.socket(&bob).await, two.socket(&ada).await);
    for socket in [&mut adas, &mut beside, &mut elsewhere, &mut second] {
        socket.subscribe(None).await;
    }
    types(&mut adas).await;
    let expected = json!({
        "type": "typing", "room_id": "lobby", "user_id": "ada", "user_name": "Name of ada",
    });
    assert_eq!(beside.until("typing").await, expected);
    assert_eq!(elsewhere.until("typing").await, expected);
    // Those were told in the same pass, or after it.
    types(&mut beside).await;
    assert_eq!(adas.until("typing").await["user_id"], "bob", "nothing of her own came before");
    assert_eq!(second.until("typing").await["user_id"], "bob", "nor at her other device");
    assert_eq!(told(&mut deaf).await, Vec::<Value>::new(), "it hears no room");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_told_of_once_in_three_seconds_and_others_are_not_held_up_by_that() {
    let setup = Setup::new().await;
    let one = fast_replica(&setup).await;
    let (ada, bob, cleo) =
        (setup.issuer.token("ada"), setup.issuer.token("bob"), setup.issuer.token("cleo"));
    let (mut first, mut second) = (one.socket(&ada).await, one.socket(&ada).await);
    let (mut others, mut hears) = (one.socket(&cleo).await, one.socket(&bob).await);
    hears.subscribe(None).await;
    let began = Instant::now();
    let (mut adas, mut cleos) = (0, 0);
    while began.elapsed() < Duration::from_secs(5) {
        for socket in [&mut first, &mut second] {
            types(socket).await;
            assert_eq!(told(socket).await, Vec::<Value>::new(), "what is too much is passed over");
        }
        types(&mut others).await;
        for frame in told(&mut hears).await {
            match frame["user_id"].as_str().unwrap() {
                "ada" => adas += 1,
                "cleo" => cleos += 1,
                other => panic!("{other}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let most = 1 + began.elapsed().as_secs() / 3;
    assert!((1..=most).contains(&adas), "{adas} in {:?}", began.elapsed());
    assert!((1..=most).contains(&cleos), "{cleos} in {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_closed_as_any_other_and_harms_nobody() {
    let setup = Setup::new().await;
    let one = fast_replica(&setup).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let (mut floods, mut hears) = (one.socket(&ada).await, one.socket(&bob).await);
    hears.subscribe(None).await;
    let frame = json!({ "type": "typing", "room_id": "lobby" });
    for _ in 0..3_000 {
        if floods.try_send(&frame).await.is_err() {
            break;
        }
    }
    assert_eq!(floods.closed().await.0, 4029);
    let typing = hears.until("typing").await;
    assert_eq!(typing["user_id"], "ada");
    one.say(&bob, "still here").await;
    assert_eq!(hears.next().await["event"]["content"], "still here");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_may_speak_nobody_types_and_what_is_no_frame_ends_the_socket() {
    let setup = Setup::new().await;
    let one = fast_replica(&setup).await;
    let ada = setup.issuer.token("ada");
    let mut socket = one.socket(&ada).await;
    for (room, is_repeated) in
        [("attic", true), ("", true), ("Not A Room", true), (&"x".repeat(10_000), false)]
    {
        socket.send(&json!({ "type": "typing", "room_id": room })).await;
        let error = socket.expect("error").await;
        assert_eq!(error["code"], "unknown-room");
        assert_eq!(error.get("room_id"), is_repeated.then(|| json!(room)).as_ref());
    }
    for (rubbish, reason) in [
        (json!({ "type": "typing" }), "missing field: room_id"),
        (json!({ "type": "typing", "room_id": 7 }), "room_id: expected a string"),
        (json!({ "type": "typing", "room_id": null }), "missing field: room_id"),
        (json!({ "type": "typing", "room_id": "lobby", "on": true }), "unknown field: on"),
    ] {
        let mut socket = one.socket(&ada).await;
        socket.send(&rubbish).await;
        assert_eq!(socket.closed().await, (4501, reason.to_owned()), "{rubbish}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_read_in_the_topics_is_passed_over() {
    let setup = Setup::new().await;
    let one = fast_replica(&setup).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let (mut adas, mut hears) = (one.socket(&ada).await, one.socket(&bob).await);
    hears.subscribe(None).await;
    let long = "x".repeat(200_000);
    let later = r#"{"v":2,"kind":"typing","room_id":"lobby","user_id":"eve","user_name":"Eve"}"#;
    let foreign = r#"{"v":1,"kind":"typing","room_id":"attic","user_id":"eve","user_name":"Eve"}"#;
    let malformed = r#"{"v":1,"kind":"typing","room_id":"lobby","user_id":"","user_name":"Eve"}"#;
    let values = ["", "{", "[]", "null", &long, later, foreign, malformed];
    let mut records: Vec<(&[u8], Option<&[u8]>)> =
        values.iter().map(|value| (&b"chat-api-7"[..], Some(value.as_bytes()))).collect();
    records.extend([(&b"\xff\xfe"[..], Some(&b"\xff\xfe\x00"[..])), (&b""[..], None)]);
    for topic in [setup.log.presence(), setup.log.ephemeral()] {
        append_to(&setup, &topic, &records);
    }
    types(&mut adas).await;
    assert_eq!(hears.until("typing").await["user_id"], "ada");
    one.has_online(&ada, &["ada", "bob"]).await;
}
