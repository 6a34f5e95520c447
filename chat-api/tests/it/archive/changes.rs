//! Messages that change: what is stored of it, shown, heard live and heard by resuming

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};

use crate::setup::archive::{archive_detail, progress};
use crate::setup::program::run;
use crate::setup::records::{Putter, Reader, change, envelope, held};
use crate::setup::room::{KnownRoom, beginning};
use crate::setup::{Replica, Setup, eventually};
use chat_api::message::Change;

/// A log of the lobby, and what of it counts.
#[derive(Default)]
struct Log {
    records: Vec<Value>,
}

impl Log {
    /// Appends a record; its place.
    fn push(&mut self, record: Value) -> i64 {
        self.records.push(record);
        i64::try_from(self.records.len()).unwrap() - 1
    }

    fn say(&mut self, content: &str) -> i64 {
        self.push(envelope("lobby", content))
    }

    fn done(&mut self, who: &str, kind: &str, to: i64, more: &Value) -> i64 {
        let target = self.records[usize::try_from(to).unwrap()].clone();
        self.push(change(who, kind, (&target, to), more))
    }

    fn write(&self, setup: &Setup, from: usize) {
        let putter = Putter::new(setup);
        self.records[from..].iter().for_each(|record| putter.write(record));
        putter.flush();
    }
}

async fn stored_up_to(setup: &Setup, log: &Log) {
    let last = i64::try_from(log.records.len()).unwrap() - 1;
    eventually("the archive has it all", async || {
        (progress(setup, Setup::lobby_partition()).await == Some(last)).then_some(())
    })
    .await;
}

async fn documents(setup: &Setup, name: &str) -> Vec<Document> {
    let found = setup.collection(name).await.find(doc! {}).sort(doc! { "_id": 1 }).await.unwrap();
    found.try_collect().await.unwrap()
}

/// What of an event is the same however it is heard.
fn heard(events: &[Value]) -> Vec<(Value, Value)> {
    events.iter().map(|event| (event["cur"].clone(), event["event"].clone())).collect()
}

/// One of everything. Nothing of it is deleted, but for the last message.
fn one_of_everything() -> Log {
    let mut log = Log::default();
    let first = log.say("first");
    log.done("ada", "edit", first, &json!({ "content": "first, edited" }));
    log.done("bob", "react", first, &json!({ "emoji": "👍", "on": true }));
    let mut answer = envelope("lobby", "second");
    answer["reply_to"] = log.records[0]["message_id"].clone();
    let second = log.push(answer);
    log.done("ada", "edit", first, &json!({ "content": "first, again" }));
    log.done("ada", "react", first, &json!({ "emoji": "👍", "on": true }));
    log.done("ada", "react", second, &json!({ "emoji": "🎉", "on": true }));
    log.done("bob", "react", first, &json!({ "emoji": "👍", "on": false }));
    log.done("bob", "pin", second, &json!({ "on": true }));
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_to_messages_is_heard_live_as_it_is_heard_by_resuming() {
    let setup = Setup::new().await;
    let (live, blind) = (
        setup.replica().await,
        // A ring that holds nothing: what is resumed is the archive's.
        setup.replica_with(|config| config.ring_bytes = 1).await,
    );
    let token = setup.issuer.token("ada");
    let mut socket = live.socket(&token).await;
    socket.subscribe(None).await;
    let mut log = one_of_everything();
    log.write(&setup, 0);
    let mut at_once = Vec::new();
    while at_once.len() < log.records.len() {
        at_once.push(socket.expect("event").await);
    }
    let written: Vec<&Value> = at_once.iter().map(|frame| &frame["event"]).collect();
    assert_eq!(written, log.records.iter().collect::<Vec<_>>(), "as it was written");
    stored_up_to(&setup, &log).await;
    let (later, _) = blind.socket(&token).await.subscribe(Some(&beginning())).await;
    assert_eq!(heard(&later), heard(&at_once));

    // From any place on.
    for (place, frame) in at_once.iter().enumerate() {
        let cursor = frame["cur"].as_str();
        let (rest, _) = blind.socket(&token).await.subscribe(cursor).await;
        assert_eq!(heard(&rest), heard(&at_once[place + 1..]));
    }

    // Whoever comes after a deletion hears nothing of what was said, out of whichever memory.
    let from = log.records.len();
    log.done("ada", "delete", 0, &json!({}));
    log.done("ada", "edit", 0, &json!({ "content": "too late" }));
    log.write(&setup, from);
    stored_up_to(&setup, &log).await;
    let (ring, _) = live.socket(&token).await.subscribe(Some(&beginning())).await;
    // A page that was read before is kept for others for half a second.
    eventually("both memories say the same", async || {
        let (archive, _) = blind.socket(&token).await.subscribe(Some(&beginning())).await;
        (heard(&ring) == heard(&archive)).then_some(())
    })
    .await;
    assert_eq!(ring.len(), log.records.len(), "every place is heard");
    let text = Value::from(ring).to_string();
    assert!(!text.contains("first") && !text.contains("too late") && text.contains("second"));
    for name in ["messages", "changes"] {
        let all = format!("{:?}", documents(&setup, name).await);
        assert!(!all.contains("first") && !all.contains("too late"), "{name}: {all}");
    }
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
    assert_eq!(archive_detail(&live).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_shows_what_became_of_a_message() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let mut log = one_of_everything();
    let third = log.say("third");
    log.done("ada", "delete", third, &json!({}));
    log.write(&setup, 0);
    stored_up_to(&setup, &log).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let shown = replica.history(&ada, 3).await;
    let reaction = |emoji: &str, mine: bool| json!([{ "emoji": emoji, "count": 1, "mine": mine }]);
    let [first, second, third] = &shown[..] else { panic!("{shown:?}") };
    assert_eq!(first["content"], "first, again");
    assert_eq!(first["edited_at"], log.records[4]["timestamp"]);
    assert_eq!(first["reactions"], reaction("👍", true));
    assert!(first["changed"].is_string() && first.get("deleted_at").is_none());
    assert_eq!(second["reply_to"], first["message_id"]);
    assert_eq!((&second["pinned"], &second["reactions"]), (&json!(true), &reaction("🎉", true)));
    let fields: Vec<&str> = third.as_object().unwrap().keys().map(String::as_str).collect();
    let tombstone = [
        "changed",
        "cursor",
        "deleted_at",
        "message_id",
        "room_id",
        "timestamp",
        "user_id",
        "user_name",
    ];
    assert_eq!(fields.len(), tombstone.len(), "{third}");
    assert!(tombstone.iter().all(|field| fields.contains(field)), "{third}");

    let others = replica.history(&bob, 3).await;
    assert_eq!(others[0]["reactions"], reaction("👍", false));
    for message in &shown {
        let path = format!("/v1/messages/{}", message["message_id"].as_str().unwrap());
        assert_eq!(replica.get(&ada, &path).await.json::<Value>().await.unwrap(), *message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_message_that_is_not_there_is_kept_and_changes_nothing() {
    let setup = Setup::new().await;
    let mut log = Log::default();
    let gone = log.say("gone");
    log.say("stays");
    // What stands before a message was not done to it.
    let later = log.push(envelope("lobby", "later"));
    let early = log.records.remove(usize::try_from(later).unwrap());
    log.push(change("ada", "edit", (&early, 3), &json!({ "content": "too early" })));
    log.push(early);
    log.write(&setup, 0);
    let replica = setup.replica().await;
    stored_up_to(&setup, &log).await;
    setup.collection("messages").await.delete_one(doc! { "pos": gone }).await.unwrap();
    let from = log.records.len();
    log.done("ada", "edit", gone, &json!({ "content": "of what is gone" }));
    log.done("ada", "delete", gone, &json!({}));
    log.done("ada", "edit", 1, &json!({ "content": "goes on" }));
    log.write(&setup, from);
    stored_up_to(&setup, &log).await;
    let token = setup.issuer.token("ada");
    let texts: Vec<_> =
        replica.history(&token, 2).await.iter().map(|one| one["content"].clone()).collect();
    assert_eq!(texts, ["goes on", "later"]);
    assert_eq!(documents(&setup, "changes").await.len(), 4);
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
    let (code, text, log) = run(&setup, &["archive", "rebuild"]).await;
    assert_eq!(code, Some(0), "{log}");
    assert!(text.contains(", 1 were missing\n"), "{text}");
    let texts: Vec<_> =
        replica.history(&token, 3).await.iter().map(|one| one["content"].clone()).collect();
    assert_eq!(texts, [Value::Null, json!("goes on"), json!("later")], "and it is deleted again");
}

/// Small numbers that look random.
struct Chance(u64);

impl Chance {
    fn below(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    /// So many records: messages, and what people do to them, as it may come into the log. Some stand there
    /// twice.
    fn log(&mut self, count: usize) -> Log {
        const PEOPLE: [&str; 3] = ["ada", "bob", "eve"];
        const EMOJI: [&str; 4] = ["👍", "❤️", "🎉", "👩🏻‍❤️‍💋‍👩🏿"];
        let (mut log, mut said, mut on) = (Log::default(), Vec::new(), Vec::new());
        while log.records.len() < count {
            let who = PEOPLE[self.below(3)];
            let place = log.records.len();
            match self.below(20) {
                _ if said.is_empty() => said.push(log.say("first")),
                0..4 => said.push(log.say(&format!("said at {place}"))),
                4..6 => {
                    // Anything may come again, also what was done to what is deleted.
                    let again = log.records[place - 1 - self.below(place.min(40))].clone();
                    log.push(again);
                }
                kind => {
                    let to = said[said.len() - 1 - self.below(said.len().min(6))];
                    match kind {
                        6..10 => {
                            let text = json!({ "content": format!("edited at {place}") });
                            log.done("ada", "edit", to, &text);
                        }
                        10 => drop(log.done("ada", "delete", to, &json!({}))),
                        11 => {
                            let is_on = self.below(2) == 0;
                            log.done(who, "pin", to, &json!({ "on": is_on }));
                        }
                        _ => {
                            // Nobody reacts twice in the same way.
                            let reaction = (to, who, EMOJI[self.below(4)]);
                            let had = on.iter().position(|other| *other == reaction);
                            match had {
                                Some(index) => drop(on.remove(index)),
                                None => on.push(reaction),
                            }
                            let more = json!({ "emoji": reaction.2, "on": had.is_none() });
                            log.done(who, "react", to, &more);
                        }
                    }
                }
            }
        }
        log
    }
}

/// What a client that was there from the beginning knows.
async fn heard_from_the_beginning(replica: &Replica, token: &str) -> KnownRoom {
    let mut room = KnownRoom::default();
    let (events, _) = replica.socket(token).await.subscribe(Some(&beginning())).await;
    for frame in &events {
        room.hear(frame, "ada");
    }
    room
}

#[tokio::test(flavor = "multi_thread")]
async fn all_events_on_an_old_state_come_to_what_a_fresh_look_shows() {
    for seed in 1..4 {
        println!("seed {seed}");
        state_equality(seed).await;
    }
}

async fn state_equality(seed: u64) {
    const RECORDS: usize = 600;
    let setup = Setup::new().await;
    let log = Chance(seed).log(RECORDS);
    let (replica, token) = (setup.replica().await, setup.issuer.token("ada"));
    let mut socket = replica.socket(&token).await;
    socket.subscribe(Some(&beginning())).await;
    let putter = Putter::new(&setup);
    // It looks now and then, and goes on from each of these states by what it hears.
    let mut states = Vec::new();
    for part in log.records.chunks(RECORDS / 6) {
        for record in part {
            putter.write(record);
        }
        putter.flush();
        states.push(KnownRoom::fetch(&replica, &token).await);
    }
    stored_up_to(&setup, &log).await;
    let (fresh, _) = KnownRoom::fetch(&replica, &token).await;
    assert!(fresh.messages.len() > RECORDS / 10);
    for (mut state, from) in states {
        let (events, _) = replica.socket(&token).await.subscribe(Some(&from)).await;
        for frame in &events {
            state.hear(frame, "ada");
        }
        assert_eq!(state, fresh, "seed {seed}, from {from}");
    }
    assert_eq!(heard_from_the_beginning(&replica, &token).await, fresh, "by the ring");
    let blind = setup.replica_with(|config| config.ring_bytes = 1).await;
    assert_eq!(heard_from_the_beginning(&blind, &token).await, fresh, "by the archive");

    // Applied again, from the beginning, it changes nothing.
    let all = async || (documents(&setup, "messages").await, documents(&setup, "changes").await);
    let before = all().await;
    let (code, text, log_text) = run(&setup, &["archive", "rebuild"]).await;
    assert_eq!(code, Some(0), "{log_text}");
    assert!(text.contains(", 0 were missing"), "{text}");
    assert_eq!(all().await, before);
    // What is lost comes again, and comes to the same.
    let every_third = doc! { "pos": { "$mod": [3, 0] } };
    setup.collection("messages").await.delete_many(every_third.clone()).await.unwrap();
    setup.collection("changes").await.delete_many(every_third).await.unwrap();
    let (code, _, log_text) = run(&setup, &["archive", "rebuild"]).await;
    assert_eq!(code, Some(0), "{log_text}");
    assert_eq!(KnownRoom::fetch(&replica, &token).await.0, fresh, "after a rebuild");
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_killed_in_the_middle_folds_nothing_twice_and_leaves_nothing_out() {
    const RECORDS: usize = 6_000;
    let setup = Setup::new().await;
    let log = Chance(7).log(RECORDS);
    log.write(&setup, 0);
    let mut at = Vec::new();
    for part in 1..6_i64 {
        let reader = Reader::start(&setup).await;
        let changes = setup.collection("changes").await;
        eventually("it has begun", async || {
            let so_far = i64::try_from(RECORDS).unwrap() * part / 10;
            let query = doc! { "pos": { "$gt": so_far } };
            changes.find_one(query).await.unwrap()
        })
        .await;
        reader.kill().await;
        at.push(progress(&setup, Setup::lobby_partition()).await);
    }
    let (replica, token) = (setup.replica().await, setup.issuer.token("ada"));
    stored_up_to(&setup, &log).await;
    let (fresh, _) = KnownRoom::fetch(&replica, &token).await;
    assert_eq!(heard_from_the_beginning(&replica, &token).await, fresh, "killed at {at:?}");
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_reactions_are_counted_to_the_limit_and_cost_a_page_no_more() {
    const REACTIONS: usize = 10_000;
    let setup = Setup::new().await;
    let mut log = Log::default();
    for number in 0..200 {
        log.say(&number.to_string());
    }
    for number in 0..REACTIONS {
        let who = format!("{number}-{}", "x".repeat(200));
        log.done(&who, "react", 190, &json!({ "emoji": "👍", "on": true }));
    }
    log.write(&setup, 0);
    let (replica, token) = (setup.replica().await, setup.issuer.token("ada"));
    stored_up_to(&setup, &log).await;
    let messages = setup.collection("messages").await;
    let document = messages.find_one(doc! { "pos": 190_i64 }).await.unwrap().unwrap();
    let people = document.get_document("reactions").unwrap().get_array("👍").unwrap();
    assert_eq!(people.len(), Change::REACTIONS_MAX);

    let client = mongodb::Client::with_uri_str(&setup.mongodb_uri).await.unwrap();
    let database = client.database(&setup.database);
    database.run_command(doc! { "profile": 2 }).await.unwrap();
    let page: Vec<Value> = replica.get(&token, "/v1/messages").await.json().await.unwrap();
    database.run_command(doc! { "profile": 0 }).await.unwrap();
    assert_eq!(page.len(), 50, "it is full by its count and not by its bytes");
    let reactions = json!([{ "emoji": "👍", "count": Change::REACTIONS_MAX, "mine": false }]);
    assert_eq!(page[40]["reactions"], reactions);
    let of_pages = doc! { "op": "query", "ns": format!("{}.messages", setup.database) };
    let found = setup.collection("system.profile").await.find(of_pages).await.unwrap();
    let found: Vec<Document> = found.try_collect().await.unwrap();
    assert!(!found.is_empty());
    for query in found {
        let number = |field: &str| query.get_i32(field).unwrap();
        assert!(number("keysExamined") <= 51, "{query}");
        assert!(number("responseLength") < 64 * 1024, "{query}");
        let filter = query.get_document("command").unwrap().get_document("filter").unwrap();
        assert_eq!(filter.keys().next().unwrap(), "room_id", "it names the room first");
    }
}
