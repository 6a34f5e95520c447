//! Records that cannot be stored

use mongodb::bson::{Document, doc};
use serde_json::{Value, json};

use crate::setup::archive::refuse;
use crate::setup::program::Alone;
use crate::setup::records::{Putter, Record, dead_letters, delete_topic, envelope, records, rooms};
use crate::setup::{Replica, SHAPE, Setup, eventually};
use chat_api::kafka::Topics;
use chat_api::message::RoomId;

async fn archive_condition(replica: &Replica) -> (bool, Option<String>) {
    let report = replica.readiness().await;
    let detail = report["conditions"]["archive"]["detail"].as_str().map(str::to_owned);
    (report["ready"] == json!(true), detail)
}

/// How many dead letters this process has counted: those of other tests, too.
async fn counted(replica: &Replica, reason: &str) -> u64 {
    let series = format!("chat_dead_letters_total{{reason=\"{reason}\"}} ");
    let metrics = replica.metrics().await;
    let count = metrics.lines().find_map(|line| line.strip_prefix(&series));
    count.expect("it is counted").parse().unwrap()
}

fn text(bytes: Option<&[u8]>) -> Option<&str> {
    bytes.map(|bytes| std::str::from_utf8(bytes).unwrap())
}

fn reason(letter: &Record) -> &str {
    &letter.headers["dlq-reason"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_becomes_a_dead_letter_as_it_is_and_the_rest_arrives() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;
    replica.say(&token, "before").await;

    let putter = Putter::new(&setup);
    let home = Setup::lobby_partition();
    let good = envelope("lobby", "private words");
    let mut of_later = good.clone();
    of_later["v"] = json!(2);
    let (good, of_later) = (good.to_string(), of_later.to_string());
    putter.put(home, Some(b"lobby"), Some(b"private words"));
    putter.put(home, Some(b"elsewhere"), Some(good.as_bytes()));
    putter.put(home, None, Some(of_later.as_bytes()));
    putter.put(home, Some(b"lobby"), None);
    putter.put(home, Some(b""), Some(b""));
    let elsewhere = rooms().into_iter().map(|room| crate::setup::records::partitioner().of(&room));
    let elsewhere = elsewhere.into_iter().find(|partition| *partition != home).unwrap();
    putter.put(elsewhere, Some(b"lobby"), Some(good.as_bytes()));
    putter.flush();
    replica.say(&token, "after").await;

    assert_eq!(socket.contents(2).await, ["before", "after"], "live goes on");
    assert_eq!(setup.stored_count(2).await, ["before", "after"]);
    let letters = dead_letters(&setup, 6).await;
    let (misplaced, at_home): (Vec<_>, Vec<_>) =
        letters.into_iter().partition(|letter| letter.partition == elsewhere.number());
    assert_eq!(text(misplaced[0].value.as_deref()), Some(good.as_str()));
    assert_eq!(reason(&misplaced[0]), format!("the room belongs to partition {home}"));
    let expected = [
        (Some("lobby"), Some("private words")),
        (Some("elsewhere"), Some(good.as_str())),
        (None, Some(of_later.as_str())),
        (Some("lobby"), None),
        (Some(""), Some("")),
    ];
    for ((offset, letter), (key, value)) in (1..).zip(&at_home).zip(expected) {
        assert_eq!(
            (text(letter.key.as_deref()), text(letter.value.as_deref())),
            (key, value),
            "as it was"
        );
        assert_eq!(letter.headers["dlq-topic"], setup.log.messages());
        assert_eq!(letter.headers["dlq-partition"], home.to_string());
        assert_eq!(letter.headers["dlq-offset"], offset.to_string());
        assert_eq!(letter.headers["traceparent"], "00-1-2-03");
        assert_eq!(letter.headers["origin"], "elsewhere");
        assert!(!reason(letter).contains("private"), "{}", reason(letter));
    }
    assert_eq!(reason(&at_home[1]), "the key is not the envelope's room");
    assert_eq!(reason(&at_home[3]), "the record has no value");
    assert_eq!(archive_condition(&replica).await, (true, None));
    assert!(counted(&replica, "undecodable").await >= 6);

    // Progress has passed them: nothing is done twice.
    replica.stop().await;
    let replica = setup.replica().await;
    replica.say(&token, "later").await;
    setup.stored_count(3).await;
    dead_letters(&setup, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_mongodb_refuses_becomes_a_dead_letter_and_the_rest_arrives() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    refuse(&setup, Some("refuse me")).await;
    let token = setup.issuer.token("ada");
    let mut stored = Vec::new();
    for number in 0..30 {
        if number % 10 == 5 {
            replica.say(&token, "refuse me").await;
        } else {
            replica.say(&token, &number.to_string()).await;
            stored.push(number.to_string());
        }
    }
    assert_eq!(setup.stored_count(27).await, stored);

    let letters = dead_letters(&setup, 3).await;
    let log = records(&setup, &setup.log.messages(), 30).await;
    for (letter, original) in letters.iter().zip([&log[5], &log[15], &log[25]]) {
        assert_eq!((&letter.key, &letter.value), (&original.key, &original.value));
        assert_eq!(letter.headers["dlq-offset"], original.offset.to_string());
        assert!(reason(letter).contains("DocumentValidationFailure"), "{}", reason(letter));
        assert!(!reason(letter).contains("refuse me"), "{}", reason(letter));
        for (name, value) in &original.headers {
            assert_eq!(&letter.headers[name], value);
        }
    }
    assert!(counted(&replica, "refused").await >= 3);
    let progress = setup.collection("progress").await;
    eventually("progress is past them", async || {
        let query = doc! { "partition": Setup::lobby_partition().number(), "pos": 29_i64 };
        progress.find_one(query).await.unwrap()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_their_topic_dead_letters_hold_up_their_partition_alone_and_until_it_is_back() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    replica.say(&token, "before").await;
    setup.stored_count(1).await;
    delete_topic(&setup, &setup.log.dead_letters()).await;

    let putter = Putter::new(&setup);
    let home = Setup::lobby_partition();
    putter.put(home, Some(b"lobby"), Some(b"private words"));
    putter.flush();
    replica.say(&token, "behind").await;
    let detail = eventually("the condition tells", async || {
        let (ready, detail) = archive_condition(&replica).await;
        assert!(ready, "what is served does not need it");
        detail
    })
    .await;
    let place = format!("stopped: {} partition {home} offset 1: ", setup.log.messages());
    assert!(detail.starts_with(&place) && !detail.contains("private"), "{detail}");

    let others: Vec<_> = rooms()
        .into_iter()
        .filter(|room| crate::setup::records::partitioner().of(room) != home)
        .collect();
    for number in 0..20 {
        for room in &others {
            putter.say(room, &number.to_string());
        }
    }
    putter.flush();
    let messages = setup.collection("messages").await;
    eventually("other partitions go on", async || {
        let query = doc! { "room_id": { "$ne": "lobby" } };
        let count = messages.count_documents(query).await.unwrap();
        (count == 40).then_some(())
    })
    .await;
    assert_eq!(progress(&setup).await, 0, "its progress stays before the record");

    Topics::new(&setup.log, SHAPE).unwrap().ensure().await.unwrap();
    let letters = dead_letters(&setup, 1).await;
    assert_eq!(text(letters[0].value.as_deref()), Some("private words"));
    eventually("it goes on by itself", async || {
        (archive_condition(&replica).await == (true, None)).then_some(())
    })
    .await;
    replica.say(&token, "after").await;
    assert_eq!(setup.stored_count(3).await, ["before", "behind", "after"]);
    eventually("so does its progress", async || (progress(&setup).await == 3).then_some(())).await;
}

async fn progress(setup: &Setup) -> i64 {
    let query = doc! { "partition": Setup::lobby_partition().number() };
    let found: Option<Document> = setup.collection("progress").await.find_one(query).await.unwrap();
    found.unwrap().get_i64("pos").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_poison_is_kept_whole_and_in_order() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let putter = Putter::new(&setup);
    for number in 0..500 {
        putter.put(Setup::lobby_partition(), Some(b"lobby"), Some(number.to_string().as_bytes()));
    }
    putter.flush();
    replica.say(&token, "after").await;
    assert_eq!(setup.stored_count(1).await, ["after"]);
    let letters = dead_letters(&setup, 500).await;
    let values: Vec<Value> = letters
        .iter()
        .map(|letter| serde_json::from_slice(letter.value.as_ref().unwrap()).unwrap())
        .collect();
    assert_eq!(values, (0..500).map(|number| json!(number)).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_stopped_are_counted_by_why() {
    let setup = Setup::new().await;
    let alone = Alone::start(&setup);
    let (putter, home) = (Putter::new(&setup), Setup::lobby_partition());
    putter.say(&RoomId::lobby(), "before");
    putter.flush();
    setup.stored_count(1).await;
    delete_topic(&setup, &setup.log.dead_letters()).await;
    let elsewhere = |room: &RoomId| crate::setup::records::partitioner().of(room) != home;
    putter.put(home, Some(b"lobby"), Some(b"private words"));
    putter.of_later(&rooms().into_iter().find(elsewhere).unwrap(), "poll", &json!({}));
    putter.flush();
    let stopped = |why: &str, number: u8| {
        format!("chat_stopped_partitions{{reader=\"archive\",why=\"{why}\"}} {number}")
    };
    let read = "chat_fanout_records_total{outcome=\"newer\"} 1";
    alone.shows(&[&stopped("dead_letters", 1), &stopped("newer", 1), read]).await;
    Topics::new(&setup.log, SHAPE).unwrap().ensure().await.unwrap();
    alone.shows(&[&stopped("dead_letters", 0), &stopped("newer", 1)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_too_large_to_be_kept_becomes_a_dead_letter_without_its_body() {
    const LARGE: usize = 12 << 20;
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let limit = (2 * LARGE).to_string();
    let settings = [("message.max.bytes", limit.as_str()), ("compression.codec", "lz4")];
    let putter = Putter::with(&setup, &settings);
    let (home, body) = (Setup::lobby_partition(), vec![b'x'; LARGE]);
    putter.put(home, Some(b"lobby"), Some(&body));
    putter.put_with(home, b"private words", &[("large", &body[..])]);
    putter.put(home, Some(&body), Some(b"private words"));
    // Almost as large as one may be that is kept; its dead letter has headers of ours besides.
    let kept = (8 << 20) - (64 << 10) - 200;
    putter.put(home, Some(b"lobby"), Some(&body[..kept]));
    putter.flush();
    replica.say(&token, "after").await;
    assert_eq!(setup.stored_count(1).await, ["after"], "the archive goes on");

    let letters = dead_letters(&setup, 4).await;
    for (offset, letter) in letters[..3].iter().enumerate() {
        assert_eq!(letter.value, None);
        let size: usize = letter.headers["dlq-size"].parse().unwrap();
        assert!((LARGE..LARGE + 200).contains(&size), "{size}");
        assert_eq!(letter.headers["dlq-sha256"].len(), 64);
        assert_eq!(letter.headers["dlq-offset"], offset.to_string());
        assert!(!letter.headers.contains_key("large"));
    }
    let key = |number: usize| text(letters[number].key.as_deref());
    assert_eq!((key(0), key(1), key(2)), (Some("lobby"), Some("large"), None));
    let hash = &letters[0].headers["dlq-sha256"];
    assert_ne!(hash, &letters[1].headers["dlq-sha256"]);
    assert_eq!(letters[1].headers["dlq-sha256"], letters[2].headers["dlq-sha256"]);
    assert_eq!(letters[3].value.as_deref().map(<[u8]>::len), Some(kept), "this one fits");
    assert!(reason(&letters[0]).contains("more than any envelope"), "{}", reason(&letters[0]));

    let (code, list, _) = crate::setup::program::run(&setup, &["dlq", "list", "--json"]).await;
    let rows: Vec<Value> = list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, rows.len()), (Some(0), 4));
    assert_eq!((&rows[0]["kept"], &rows[0]["sha256"]), (&json!(false), &json!(hash)));
    assert_eq!(rows[0]["size"].to_string(), letters[0].headers["dlq-size"]);
    assert_eq!((&rows[3]["kept"], &rows[3]["size"]), (&json!(true), &json!(kept)));
    assert_eq!(rows[3]["offset"], json!(3), "where it stood is known");
    let (code, list, _) = crate::setup::program::run(&setup, &["dlq", "replay", "--all"]).await;
    assert_eq!(code, Some(1));
    assert!(list.contains(&format!("{home}:0 stays: it was not kept: it had 12")), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_are_larger_than_they_look_hold_nothing_up() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let limit = (64 << 20).to_string();
    let settings = [("message.max.bytes", limit.as_str()), ("compression.codec", "lz4")];
    let putter = Putter::with(&setup, &settings);
    let home = Setup::lobby_partition();
    // Almost as much as is kept, and two bytes more with each header.
    let (value, empty) = (vec![b'x'; (8 << 20) - (65 << 10)], vec![("", &b""[..]); 40_000]);
    putter.put_with(home, &value, &empty);
    let name = format!("a\0{}", "x".repeat(12 << 20));
    putter.put_with(home, b"private words", &[(name.as_str(), &b""[..])]);
    putter.flush();
    replica.say(&token, "after").await;
    assert_eq!(setup.stored_count(1).await, ["after"], "the archive goes on");
    for letter in dead_letters(&setup, 2).await {
        assert_eq!((text(letter.key.as_deref()), letter.value), (Some("large"), None));
        assert!(letter.headers.contains_key("dlq-size"), "{:?}", letter.headers);
    }
}
