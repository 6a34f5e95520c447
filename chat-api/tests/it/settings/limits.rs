//! How much and how often, as operators set it

use std::time::Instant;

use chat_api::message::{Cursor, Position};
use futures_util::future::join_all;
use reqwest::Response;
use serde_json::{Value, json};

use super::served::{read, say, served, socket};
use crate::setup::{Setup, assert_problem, eventually};

/// How many of these were served and how many refused with 429, which is all that may happen to them.
async fn sort(answers: Vec<Response>) -> (u64, u64) {
    let (mut served, mut refused) = (0, 0);
    for answer in answers {
        if answer.status().is_success() {
            served += 1;
        } else {
            assert_problem(answer, 429, "rate-limited").await;
            refused += 1;
        }
    }
    (served, refused)
}

/// A burst of two, and one a second.
fn at_most(began: Instant) -> u64 {
    2 + began.elapsed().as_secs() + 1
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rates_of_sends_and_reads_are_those_that_are_set() {
    let setup = Setup::new().await;
    let token = setup.issuer.token("ada");
    let few = served(
        &setup,
        &[
            ("LIMIT_SENDS_PER_SECOND", "1"),
            ("LIMIT_SENDS_BURST", "2"),
            ("LIMIT_READS_PER_SECOND", "1"),
            ("LIMIT_READS_BURST", "2"),
        ],
    )
    .await;
    // By default none of them is too many.
    let began = Instant::now();
    let sends = join_all((0..15).map(|_| say(&few, &token, "me"))).await;
    let (said, refused) = sort(sends).await;
    assert!(said >= 2 && refused > 0 && said <= at_most(began), "{said} of 15 were said");
    let began = Instant::now();
    let reads = join_all((0..15).map(|_| read(&few, &token))).await;
    let (answered, refused) = sort(reads).await;
    let is_bounded = answered >= 2 && refused > 0 && answered <= at_most(began);
    assert!(is_bounded, "{answered} of 15 were answered");

    // By default most of them are too many.
    let many =
        served(&setup, &[("LIMIT_SENDS_BURST", "1000"), ("LIMIT_READS_BURST", "1000")]).await;
    let sends = join_all((0..200).map(|_| say(&many, &token, "me"))).await;
    assert_eq!(sort(sends).await, (200, 0));
    let (many, token) = (&many, token.as_str());
    let reads = (0..30).map(|_| async move {
        let mut answers = Vec::new();
        for _ in 0..10 {
            answers.push(read(many, token).await);
        }
        answers
    });
    let reads = join_all(reads).await.into_iter().flatten().collect();
    assert_eq!(sort(reads).await, (300, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_of_frames_is_the_one_that_is_set() {
    let setup = Setup::new().await;
    let token = setup.issuer.token("ada");
    let ping = json!({ "type": "ping" });
    let few =
        served(&setup, &[("LIMIT_FRAMES_PER_SECOND", "1"), ("LIMIT_FRAMES_BURST", "20")]).await;
    let mut flood = socket(&few, &token).await;
    // By default none of them is too many.
    for _ in 0..200 {
        if flood.try_send(&ping).await.is_err() {
            break;
        }
    }
    assert_eq!(flood.closed().await.0, 4029);

    let many = served(&setup, &[("LIMIT_FRAMES_BURST", "10000")]).await;
    let mut patient = socket(&many, &token).await;
    // By default most of them are too many.
    for _ in 0..50 {
        for _ in 0..100 {
            patient.send(&ping).await;
        }
        for _ in 0..100 {
            patient.expect("pong").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_holds_as_many_bytes_as_are_set_and_the_archive_has_the_rest() {
    // 256 KiB of contents: a quarter of what the default holds, and twice as much as the least.
    const MESSAGES: usize = 32;
    let setup = Setup::new().await;
    let token = setup.issuer.token("ada");
    let ample = ("LIMIT_SENDS_BURST", "1000");
    let small = served(&setup, &[ample, ("CHAT_RING_BYTES", "131072")]).await;
    let usual = served(&setup, &[ample]).await;
    let mut last = json!(null);
    for number in 0..MESSAGES {
        let content = format!("{number} {}", "x".repeat(8 * 1024));
        let answer = say(&small, &token, &content).await;
        assert_eq!(answer.status(), 202);
        last = answer.json::<Value>().await.unwrap()["cursor"].clone();
    }
    setup.stored_count(MESSAGES).await;

    let beginning = Cursor { partition: Setup::lobby_partition(), position: Position::BEFORE_ALL };
    for (alone, has_to_read) in [(&small, true), (&usual, false)] {
        // Answered when the fan-out has come as far.
        socket(alone, &token).await.subscribe(last.as_str()).await;
        let mut late = socket(alone, &token).await;
        let (events, _) = late.subscribe(Some(&beginning.to_string())).await;
        assert_eq!(events.len(), MESSAGES, "nothing is missing");
        let metrics = alone.metrics().await.unwrap();
        let pages = metrics.lines().find_map(|line| line.strip_prefix("chat_archive_reads_total "));
        let pages: u64 = pages.map_or(0, |pages| pages.parse().unwrap());
        assert_eq!(pages > 0, has_to_read, "{pages} pages were read");
    }
}

/// MongoDB stands still, so that no read ends.
#[tokio::test(flavor = "multi_thread")]
async fn as_much_is_read_at_once_as_there_are_connections_whatever_the_address_says() {
    const READERS: usize = 6;
    let home = tempfile::tempdir().unwrap();
    let mongodb = devstack::mongodb::ReplicaSet::start_private(home.path()).await.unwrap();
    let setup = Setup::on(&devstack::shared::kafka_brokers().unwrap(), mongodb.uri()).await;
    let token = setup.issuer.token("ada");
    let uri = format!("{}&maxPoolSize=4", mongodb.uri());
    let mut replicas = Vec::new();
    for (connections, turns) in [("", 4), ("2", 2), ("5", 5)] {
        let variables = [("MONGODB_URI", uri.as_str()), ("MONGODB_READ_CONNECTIONS", connections)];
        let alone = served(&setup, &variables).await;
        eventually("the archive is read", async || {
            (read(&alone, &token).await.status() == 200).then_some(())
        })
        .await;
        replicas.push((alone, turns));
    }

    mongodb.freeze();
    let token = token.as_str();
    let busy = replicas.iter().map(|(alone, _)| async move {
        let answers = join_all((0..READERS).map(|_| read(alone, token))).await;
        let mut busy = 0;
        for answer in answers {
            assert_eq!(answer.status(), 503);
            let problem: Value = answer.json().await.unwrap();
            busy += usize::from(problem["type"] == "urn:problem-type:chat:history-busy");
        }
        busy
    });
    let busy = join_all(busy).await;
    mongodb.thaw();
    let expected: Vec<usize> = replicas.iter().map(|(_, turns)| READERS - turns).collect();
    assert_eq!(busy, expected);
}
