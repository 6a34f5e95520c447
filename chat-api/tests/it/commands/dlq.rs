//! `chat-api dlq`

use mongodb::bson::doc;
use serde_json::Value;

use crate::setup::archive::refuse;
use crate::setup::program::run;
use crate::setup::records::{Putter, dead_letters, envelope, partitioner, rooms};
use crate::setup::{Setup, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_shown_without_what_they_hold_and_are_appended_anew() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let home = Setup::lobby_partition();
    let putter = Putter::new(&setup);
    putter.put(home, Some(b"lobby"), Some(b"private words"));
    putter.put(home, Some(b"\x1b[2J"), None);
    let room = rooms().into_iter().find(|room| partitioner().of(room) != home).unwrap();
    let misplaced = envelope(room.as_str(), "private but lost").to_string();
    putter.put(home, Some(room.as_str().as_bytes()), Some(misplaced.as_bytes()));
    putter.flush();
    dead_letters(&setup, 3).await;
    refuse(&setup, Some("refuse me")).await;
    replica.say(&token, "refuse me").await;
    dead_letters(&setup, 4).await;

    let (code, text, _) = run(&setup, &["dlq", "list"]).await;
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert!(lines[0].starts_with("since") && lines[1].contains(&format!("  {home}:0  ")), "{text}");
    assert!(lines[4].contains("DocumentValidationFailure") && lines[4].contains("lobby"), "{text}");
    assert!(lines[2].contains(r"\u{1b}[2J") && lines[2].contains("no value"), "{text}");
    assert!(lines[3].contains("belongs to partition") && !lines[3].contains('\\'), "{text}");
    for secret in ["private", "refuse me", "\u{1b}"] {
        assert!(!text.contains(secret), "{text}");
    }
    let (code, text, _) = run(&setup, &["dlq", "list", "--limit", "1"]).await;
    assert_eq!(code, Some(0));
    assert!(text.contains("Validation") && text.ends_with("and 3 older ones\n"), "{text}");

    let (code, text, _) = run(&setup, &["dlq", "list", "--json"]).await;
    assert_eq!(code, Some(0));
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0]["topic"], setup.log.messages());
    assert_eq!(rows[0]["partition"], home.number());
    assert_eq!(rows[0]["offset"], 0);
    assert_eq!(rows[0]["key"], "lobby");
    assert_eq!(rows[0]["size"], 13);
    assert!(rows[0]["at"].is_string() && rows[0]["reason"].is_string());
    assert!(rows[1]["size"].is_null(), "no value is not an empty one");

    // The reason is gone: that one alone.
    refuse(&setup, None).await;
    let refused = format!("{home}:3");
    let (code, text, _) = run(&setup, &["dlq", "replay", "--offset", &refused]).await;
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(text, format!("{home}:3 stands at {home}:4 now\n"));
    assert_eq!(setup.stored_count(1).await, ["refuse me"]);

    let (code, text, log) = run(&setup, &["dlq", "replay", "--all"]).await;
    assert_eq!(code, Some(1));
    assert!(log.contains("2 were not appended"), "{log}");
    assert!(text.contains(&format!("{home}:0 stays: the value is not an envelope")), "{text}");
    assert!(text.contains(&format!("{home}:1 stays: the record has no value")), "{text}");
    let there = partitioner().of(&room);
    assert!(text.contains(&format!("{home}:2 stands at {there}:0 now")), "{text}");
    let messages = setup.collection("messages").await;
    eventually("it is in its own room", async || {
        messages.find_one(doc! { "room_id": room.as_str() }).await.unwrap()
    })
    .await;
    // The refused one was appended twice and is one message.
    replica.say(&token, "after").await;
    assert_eq!(setup.stored_count(2).await, ["refuse me", "after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_shown_as_it_reads() {
    let setup = Setup::new().await;
    let _replica = setup.replica().await;
    let putter = Putter::new(&setup);
    let good = envelope("lobby", "private words").to_string();
    putter.put(Setup::lobby_partition(), Some(b"elsewhere"), Some(good.as_bytes()));
    putter.flush();
    dead_letters(&setup, 1).await;
    let (code, text, _) = run(&setup, &["dlq", "list"]).await;
    assert_eq!(code, Some(0));
    assert!(text.contains("  the key is not the envelope's room  "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_dead_letter_is_named() {
    let setup = Setup::new().await;
    let (code, text, _) = run(&setup, &["dlq", "list"]).await;
    assert_eq!((code, text.lines().count()), (Some(0), 1), "{text}");
    let (code, text, _) = run(&setup, &["dlq", "replay", "--offset", "0:5"]).await;
    assert_eq!((code, text.as_str()), (Some(1), "0:5 is no dead letter\n"));
    for wrong in [&["--offset", "5"][..], &["--offset", "0:1", "--all"], &[]] {
        let arguments = [&["dlq", "replay"], wrong].concat();
        let (code, _, log) = run(&setup, &arguments).await;
        assert!(code == Some(64) && log.contains("--offset"), "{wrong:?}: {log}");
    }
}
