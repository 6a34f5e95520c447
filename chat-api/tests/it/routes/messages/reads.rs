//! What one person reads keeps nobody else waiting

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use chat_api::message::{Cursor, Position, RoomId};
use chat_api::rate::Rate;
use futures_util::future::join_all;
use mongodb::bson::{Bson, doc};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::setup::records::Putter;
use crate::setup::{Replica, Setup, assert_problem};

/// Connections that are open at the same time: each needs two descriptors of this process.
const AT_ONCE: usize = 500;
/// Messages of the history, more than a page has.
const SAID: usize = 250;

/// Asks for something and is gone before the answer.
async fn hang_up(address: SocketAddr, token: &str, path: &str, header: &str) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: chat.example\r\nAuthorization: Bearer {token}\r\n{header}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
}

/// So many callers of one person, of each kind of read in turn, who all hang up.
async fn storm(replica: &Replica, token: &str, callers: usize, id: &str, ahead: &str) {
    let ahead = format!("X-After: {ahead}\r\n");
    let one = format!("/v1/messages/{id}");
    let page = "/v1/messages?limit=200";
    let kinds = [
        (page, ""),
        (one.as_str(), ""),
        (page, ahead.as_str()),
        ("/v1/messages?after=1999-12-31T23:59:59Z&before=2999-12-31T23:59:59Z", ""),
    ];
    let numbers: Vec<usize> = (0..callers).collect();
    for numbers in numbers.chunks(AT_ONCE) {
        join_all(numbers.iter().map(|number| {
            let (path, header) = kinds[number % kinds.len()];
            hang_up(replica.address, token, path, header)
        }))
        .await;
    }
}

/// A chat with some history, its last message and a cursor that nobody has come to.
async fn chat(setup: &Setup, replica: &Replica, token: &str) -> (String, String) {
    let putter = Putter::new(setup);
    (1..SAID).for_each(|number| putter.say(&RoomId::lobby(), &format!("{number}").repeat(100)));
    putter.flush();
    let last = replica.say(token, "the last").await;
    setup.stored_count(SAID).await;
    let cursor = Cursor::parse(last["cursor"].as_str().unwrap()).unwrap();
    let ahead = Position::from_raw(cursor.position.raw() + 1_000).unwrap();
    let ahead = Cursor { position: ahead, ..cursor };
    (last["message_id"].as_str().unwrap().to_owned(), ahead.to_string())
}

/// Somebody else says something and finds it in the history, before the server's own patience of 2 s
/// with an archive that lags is over.
async fn somebody_else_is_served(replica: &Replica, token: &str) {
    let accepted = replica.say(token, "me too").await;
    let request = replica.http.get(replica.url("/v1/messages?limit=1")).bearer_auth(token);
    let request = request.header("x-after", accepted["cursor"].as_str().unwrap());
    let response = request.send().await.unwrap();
    let (status, body) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, 200, "{body}");
    assert!(body.contains(accepted["message_id"].as_str().unwrap()), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_hang_up_keep_nobody_else_from_history_and_archive() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.reads = Rate::READS).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let (id, ahead) = chat(&setup, &replica, &ada).await;
    for callers in [1, 300, 3_000] {
        storm(&replica, &ada, callers, &id, &ahead).await;
        somebody_else_is_served(&replica, &bob).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_too_much_is_told_and_others_are_not() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.reads = slow()).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let paths = ["/v1/messages", "/v1/messages/019ab1c4-91f2-7b60-8a47-d1c02be9a7f0"];
    let mut answers = Vec::new();
    for number in 0..20 {
        answers.push(replica.get(&ada, paths[number % 2]).await);
    }
    let refused: Vec<_> = answers.into_iter().filter(|answer| answer.status() == 429).collect();
    // One comes back each second, and they do not take so long.
    assert!(refused.len() > 2, "{} were refused", refused.len());
    for response in refused {
        assert_eq!(response.headers()["retry-after"], "1");
        assert_problem(response, 429, "rate-limited").await;
    }
    // Whether a key was used before is a question to the archive, too.
    let mut refused = 0;
    for number in 0..20 {
        let request = replica.post(&ada, &json!({ "content": "hi" }));
        let answer = request.header("idempotency-key", format!("k{number}")).send().await.unwrap();
        refused += usize::from(answer.status() == 429);
    }
    assert!(refused > 2, "{refused} were refused");
    replica.say(&ada, "without a key nothing has to be read").await;
    assert_eq!(replica.get(&bob, "/v1/messages").await.status(), 200);
}

/// A burst of five, and one a second.
fn slow() -> Rate {
    let number = |number| NonZeroU32::new(number).unwrap();
    Rate { per_second: number(1), burst: number(5) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_subscribes_again_and_again_is_put_off_and_gets_everything_in_the_end() {
    const TIMES: usize = 900;
    for ring_bytes in [1 << 20, 2_000] {
        let setup = Setup::new().await;
        let change = |config: &mut chat_api::config::Config| {
            (config.reads, config.ring_bytes) = (slow(), ring_bytes);
        };
        let replica = setup.replica_with(change).await;
        let token = setup.issuer.token("ada");
        for number in 0..40 {
            replica.say(&token, &number.to_string()).await;
        }
        let last = replica.say(&token, "40").await;
        setup.stored_count(41).await;
        // Answered when the fan-out has come as far.
        replica.socket(&token).await.subscribe(last["cursor"].as_str()).await;
        let mut socket = replica.socket(&token).await;
        let beginning =
            Cursor { partition: Setup::lobby_partition(), position: Position::BEFORE_ALL };
        let subscribe = json!({ "type": "subscribe", "rooms": { "lobby": beginning.to_string() } });
        for _ in 0..TIMES {
            socket.send(&subscribe).await;
        }
        // Answered after all of them.
        socket.send(&json!({ "type": "ping" })).await;
        let mut heard = Vec::new();
        loop {
            let frame = socket.next().await;
            match frame["type"].as_str() {
                Some("event") => heard.push(frame["event"]["content"].clone()),
                Some("pong") => break,
                Some("resumed" | "behind") => {}
                _ => panic!("{frame}"),
            }
        }
        replica.say(&token, "41").await;
        while heard.last() != Some(&json!("41")) {
            let frame = socket.next().await;
            if frame["type"] == "event" {
                heard.push(frame["event"]["content"].clone());
            }
        }
        let all: Vec<Value> = (0..42).map(|number| json!(number.to_string())).collect();
        assert_eq!(heard[heard.len() - all.len()..], all);
        // The first time, the burst, and one a second: it does not take a minute.
        assert!(heard.len() < 66 * 41, "{} events were sent for 42", heard.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_no_log_is_told_to_somebody_who_reads_too_much_as_well() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.reads = slow()).await;
    let token = setup.issuer.token("ada");
    replica.say(&token, "the last").await;
    let at = |raw| {
        let position = Position::from_raw(raw).unwrap();
        let cursor = Cursor { partition: Setup::lobby_partition(), position };
        json!({ "type": "subscribe", "rooms": { "lobby": cursor.to_string() } })
    };
    let mut socket = replica.socket(&token).await;
    // The first time, the burst, and more than comes back meanwhile.
    for _ in 0..20 {
        socket.send(&at(-1)).await;
    }
    socket.send(&at(1_000)).await;
    loop {
        let frame = socket.next().await;
        match frame["type"].as_str() {
            Some("reset") => break,
            Some("event" | "resumed" | "behind") => {}
            _ => panic!("{frame}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stood_still_serves_everybody_when_it_is_back() {
    const STOOD_STILL: Duration = Duration::from_secs(10);
    let home = tempfile::tempdir().unwrap();
    let mongodb = devstack::mongodb::ReplicaSet::start_private(home.path()).await.unwrap();
    let setup = Setup::on(&devstack::shared::kafka_brokers().unwrap(), mongodb.uri()).await;
    let replica = setup.replica_with(|config| config.reads = Rate::READS).await;
    let people: Vec<String> =
        (0..20).map(|number| setup.issuer.token(&format!("person-{number}"))).collect();
    let (id, ahead) = chat(&setup, &replica, &people[0]).await;
    mongodb.freeze();
    let storms = people.iter().map(|token| storm(&replica, token, 100, &id, &ahead));
    let storms = async {
        join_all(storms).await;
    };
    tokio::join!(storms, sleep(STOOD_STILL));
    mongodb.thaw();
    somebody_else_is_served(&replica, &setup.issuer.token("bob")).await;
    somebody_else_is_served(&replica, &people[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_beyond_the_log_is_refused_at_once() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let (id, ahead) = chat(&setup, &replica, &token).await;
    let get = |path: &str, after: String| {
        let request = replica.http.get(replica.url(path)).bearer_auth(&token);
        request.header("x-after", after).send()
    };
    let partition = Setup::lobby_partition();
    let one = format!("/v1/messages/{id}");
    for raw in [1_000_000, 1 << 48, i64::MAX] {
        let position = Position::from_raw(raw).unwrap();
        let beyond = Cursor { partition, position }.to_string();
        for path in ["/v1/messages", &one] {
            let response = get(path, beyond.clone()).await.unwrap();
            let problem = assert_problem(response, 400, "invalid-header").await;
            assert_eq!(problem["fields"], json!(["X-After"]));
        }
    }

    // Ahead of this replica's own, as another replica's might be.
    let response = get("/v1/messages", ahead.clone()).await.unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    assert_problem(response, 503, "behind").await;
}

/// MongoDB takes nothing, so that messages are read from the log and not stored.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_for_the_archive_share_one_question() {
    const WAITING: usize = 200;
    let home = tempfile::tempdir().unwrap();
    let mongodb = devstack::mongodb::ReplicaSet::start_private(home.path()).await.unwrap();
    let setup = Setup::on(&devstack::shared::kafka_brokers().unwrap(), mongodb.uri()).await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    replica.say(&token, "stored").await;
    replica.history(&token, 1).await;
    let client = mongodb::Client::with_uri_str(mongodb.uri()).await.unwrap();
    let admin = client.database("admin");
    // The archive waits for a later release, and answers.
    let putter = Putter::new(&setup);
    putter.of_later(&RoomId::lobby(), "poll", &json!({}));
    putter.flush();
    let cursor = replica.say(&token, "not stored").await["cursor"].clone();

    let queries = async || {
        let status = admin.run_command(doc! { "serverStatus": 1 }).await.unwrap();
        let counters = status.get_document("opcounters").unwrap();
        bson_number(counters.get("query").unwrap())
    };
    let before = queries().await;
    let waiting = (0..WAITING).map(|_| {
        let request = replica.http.get(replica.url("/v1/messages")).bearer_auth(&token);
        request.header("x-after", cursor.as_str().unwrap()).send()
    });
    for response in join_all(waiting).await {
        assert_problem(response.unwrap(), 503, "behind").await;
    }
    let asked = queries().await - before;
    assert!(asked < 2 * i64::try_from(WAITING).unwrap(), "{asked} queries for {WAITING}");

    let request = replica.http.get(replica.url("/v1/messages")).bearer_auth(&token);
    let request = request.header("x-after", cursor.as_str().unwrap()).send();
    let progress = setup.collection("progress").await;
    let (home, held) = (Setup::lobby_partition().number(), doc! { "$set": { "pos": 2_i64 } });
    let goes_on = async { progress.update_one(doc! { "partition": home }, held).await.unwrap() };
    let (response, moved) = tokio::join!(request, goes_on);
    assert_eq!(moved.modified_count, 1);
    assert_eq!(response.unwrap().status(), 200, "it hears of progress when there is some");
}

fn bson_number(value: &Bson) -> i64 {
    value.as_i64().or(value.as_i32().map(i64::from)).unwrap()
}
