//! The one delivery loop, from outside

use serde_json::{Value, json};

use crate::setup::Setup;

fn contents(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"]["content"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cursor_only_what_is_said_from_now_on_is_heard() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    // Who hears it knows that the fan-out has read it.
    let mut first = replica.socket(&token).await;
    first.subscribe(None).await;
    replica.say(&token, "before").await;
    assert_eq!(first.contents(1).await, ["before"]);
    let mut early = replica.socket(&token).await;
    early.subscribe(None).await;
    let last = replica.say(&token, "between").await;
    assert_eq!(early.contents(1).await, ["between"]);

    let mut socket = replica.socket(&token).await;
    let (events, resumed) = socket.subscribe(None).await;
    assert!(events.is_empty());
    assert_eq!(resumed["upto"], last["cursor"]);
    replica.say(&token, "after").await;
    assert_eq!(socket.contents(1).await, ["after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_cursor_everything_after_it_is_heard_once_and_in_order() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let first = replica.say(&token, "0").await;
    for number in 1..10 {
        replica.say(&token, &number.to_string()).await;
    }
    let mut socket = replica.socket(&token).await;
    // The fan-out may be a moment behind the acknowledgement: what is missing comes as live events.
    socket.send(&json!({ "type": "subscribe", "rooms": { "lobby": first["cursor"] } })).await;
    let mut seen = Vec::new();
    while seen.len() < 9 {
        let frame = socket.next().await;
        if frame["type"] == "event" {
            seen.push(frame["event"]["content"].as_str().unwrap().to_owned());
        } else {
            assert_eq!(frame["type"], "resumed");
        }
    }
    assert_eq!(seen, (1..10).map(|n: i32| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_rings_floor_the_archive_fills_in_without_gap_or_repeat() {
    let setup = Setup::new().await;
    // Some four events of this size; the resume also needs more than one page of the archive.
    let replica = setup.replica_with(|config| config.ring_bytes = 2_000).await;
    let token = setup.issuer.token("ada");
    let mut speaker = replica.socket(&token).await;
    let mut last = json!(null);
    for number in 0..450 {
        speaker.send(&json!({ "type": "send", "ref": "r", "room_id": "lobby", "content": number.to_string() })).await;
        last = speaker.expect("ack").await;
    }
    replica.includes(&token, last["cursor"].as_str().unwrap()).await;
    let page = replica.get(&token, "/v1/messages?limit=1").await;
    let start: Vec<Value> = page.json().await.unwrap();
    assert_eq!(start[0]["content"], "449");

    let beginning = chat_api::message::Cursor {
        partition: Setup::lobby_partition(),
        position: chat_api::message::Position::BEFORE_ALL,
    };
    // Answered when the fan-out has come as far as the acknowledgements.
    replica.socket(&token).await.subscribe(last["cursor"].as_str()).await;
    let mut socket = replica.socket(&token).await;
    let (events, resumed) = socket.subscribe(Some(&beginning.to_string())).await;
    assert_eq!(contents(&events), (0..450).map(|n: i32| n.to_string()).collect::<Vec<_>>());
    assert_eq!(resumed["upto"], last["cursor"]);
    for pair in events.windows(2) {
        if let Some(previous) = pair[1].get("prev") {
            assert_eq!(*previous, pair[0]["cur"], "prev never skips");
        }
    }
    replica.say(&token, "live").await;
    assert_eq!(socket.contents(1).await, ["live"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_partition_or_of_the_future_is_told_so() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let one = replica.say(&token, "one").await;
    // Answered when the fan-out has come as far.
    replica.socket(&token).await.subscribe(one["cursor"].as_str()).await;
    let lobby = Setup::lobby_partition();
    let elsewhere = chat_api::message::Partition::from_number((lobby.number() + 1) % 3).unwrap();
    let mut socket = replica.socket(&token).await;
    for (partition, raw) in [(elsewhere, 0), (lobby, 1_000_000), (lobby, i64::MAX)] {
        let position = chat_api::message::Position::from_raw(raw).unwrap();
        let cursor = chat_api::message::Cursor { partition, position }.to_string();
        socket.send(&json!({ "type": "subscribe", "rooms": { "lobby": cursor } })).await;
        let reset = socket.expect("reset").await;
        assert_eq!(reset["room_id"], "lobby");
        let oldest = reset["oldest"].as_str().unwrap().to_owned();
        let mut other = replica.socket(&token).await;
        let (events, _) = other.subscribe(Some(&oldest)).await;
        assert_eq!(contents(&events), ["one"], "from there everything can be had");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_listener_gets_everything_although_the_ring_moved_on() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.ring_bytes = 4_000).await;
    let token = setup.issuer.token("ada");
    let mut slow = replica.socket(&token).await;
    slow.subscribe(None).await;
    let mut speaker = replica.socket(&token).await;
    let padding = "x".repeat(8_000);
    for number in 0..300 {
        let content = format!("{number} {padding}");
        speaker
            .send(&json!({ "type": "send", "ref": "r", "room_id": "lobby", "content": content }))
            .await;
        speaker.expect("ack").await;
    }
    let seen = slow.contents(300).await;
    let numbers: Vec<&str> =
        seen.iter().map(|content| content.split(' ').next().unwrap()).collect();
    assert_eq!(numbers, (0..300).map(|n: i32| n.to_string()).collect::<Vec<_>>());
}
