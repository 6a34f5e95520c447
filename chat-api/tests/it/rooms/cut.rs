//! Where somebody hears nothing more

use chat_api::message::{Settings, Visibility};
use chat_api::rooms::Command;
use serde_json::json;

use super::{beginning, has_read, heard, is_quiet, say};
use crate::setup::changer::{Changer, person};
use crate::setup::records::Putter;
use crate::setup::{Setup, assert_problem};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_removed_hears_their_removal_and_nothing_after_it_on_any_replica() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let mut changer = Changer::made(&setup, "attic", Visibility::Group, &["bob"]).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let mut sockets = Vec::new();
    for replica in [&one, &two] {
        has_read(replica, &ada, &changer).await;
        for token in [&bob, &ada] {
            let mut socket = replica.socket(token).await;
            socket.subscribe_to("attic", None).await;
            sockets.push(socket);
        }
    }
    say(&one, &ada, "attic", "to both").await;
    changer.change("ada", &Command::Remove(person("bob"))).await;
    Putter::new(&setup).say(&changer.room, "to one");
    for (number, socket) in sockets.iter_mut().enumerate() {
        assert_eq!(heard(socket, 2).await, ["to both", "remove bob"]);
        if number % 2 == 0 {
            is_quiet(socket).await;
        } else {
            assert_eq!(heard(socket, 1).await, ["to one"], "others hear on");
        }
    }
    for replica in [&one, &two] {
        has_read(replica, &ada, &changer).await;
        let answer = replica.get(&bob, "/v1/messages?room_id=attic").await;
        assert_problem(answer, 404, "unknown-room").await;
        let mut socket = replica.socket(&bob).await;
        let rooms = json!({ "attic": beginning("attic") });
        socket.send(&json!({ "type": "subscribe", "rooms": rooms })).await;
        assert_eq!(socket.expect("error").await["code"], "unknown-room");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_again_and_resumes_from_before_gets_everything() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let mut changer = Changer::made(&setup, "attic", Visibility::Group, &["bob"]).await;
    has_read(&replica, &ada, &changer).await;
    say(&replica, &ada, "attic", "one").await;
    changer.change("ada", &Command::Remove(person("bob"))).await;
    Putter::new(&setup).say(&changer.room, "two");
    changer.change("ada", &Command::Invite(person("bob"))).await;
    has_read(&replica, &bob, &changer).await;
    say(&replica, &ada, "attic", "three").await;
    let all = ["create", "invite bob", "one", "remove bob", "two", "invite bob", "three"];
    // Out of the ring, and out of the archive on a replica that holds none of it.
    let small = setup.replica_with(|config| config.ring_bytes = 1).await;
    for replica in [&replica, &small] {
        has_read(replica, &bob, &changer).await;
        let mut socket = replica.socket(&bob).await;
        let rooms = json!({ "attic": beginning("attic") });
        socket.send(&json!({ "type": "subscribe", "rooms": rooms })).await;
        let mut words = Vec::new();
        while words.len() < all.len() {
            let frame = socket.next().await;
            match frame["type"].as_str() {
                Some("event") => words.push(super::words(&frame)),
                Some("behind" | "resumed") => {}
                _ => panic!("{frame}"),
            }
        }
        assert_eq!(words, all);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_slowly_out_of_the_archive_is_cut_off_at_the_same_place() {
    let setup = Setup::new().await;
    // Whatever is said lies below the ring.
    let replica = setup.replica_with(|config| config.ring_bytes = 1).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let mut changer = Changer::made(&setup, "attic", Visibility::Group, &["bob"]).await;
    has_read(&replica, &ada, &changer).await;
    let mut socket = replica.socket(&bob).await;
    socket.subscribe_to("attic", None).await;
    let putter = Putter::new(&setup);
    let text = "x".repeat(1_000);
    // More than what a connection takes that nobody reads.
    for number in 0..300 {
        putter.say(&changer.room, &format!("{number} {text}"));
    }
    putter.flush();
    changer.change("ada", &Command::Remove(person("bob"))).await;
    putter.say(&changer.room, "after");
    putter.flush();
    has_read(&replica, &ada, &changer).await;
    let all = heard(&mut socket, 301).await;
    let numbers: Vec<_> = all.iter().map(|words| words.split(' ').next().unwrap()).collect();
    let expected: Vec<_> = (0..300).map(|number| number.to_string()).collect();
    assert_eq!(numbers[..300], expected);
    assert_eq!(all[300], "remove bob");
    is_quiet(&mut socket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_closes_ends_strangers_and_one_that_is_deleted_ends_everybody() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let mut changer = Changer::made(&setup, "attic", Visibility::Public, &["bob", "dan"]).await;
    has_read(&replica, &setup.issuer.token("ada"), &changer).await;
    let mut sockets = Vec::new();
    for who in ["ada", "bob", "dan", "eve"] {
        let mut socket = replica.socket(&setup.issuer.token(who)).await;
        socket.subscribe_to("attic", None).await;
        sockets.push(socket);
    }
    // Who has left a public room reads it as everybody does, after they have come again.
    changer.change("dan", &Command::Leave { successor: None }).await;
    for socket in &mut sockets {
        assert_eq!(heard(socket, 1).await, ["leave dan"]);
    }
    has_read(&replica, &setup.issuer.token("ada"), &changer).await;
    sockets[2].subscribe_to("attic", None).await;
    let closed = Settings { visibility: Some(Visibility::Group), ..Settings::default() };
    changer.change("ada", &Command::Change(closed)).await;
    let putter = Putter::new(&setup);
    putter.say(&changer.room, "among us");
    putter.flush();
    for (number, socket) in sockets.iter_mut().enumerate() {
        assert_eq!(heard(socket, 1).await, ["set"]);
        if number < 2 {
            assert_eq!(heard(socket, 1).await, ["among us"]);
        } else {
            is_quiet(socket).await;
        }
    }
    changer.change("ada", &Command::Delete).await;
    putter.say(&changer.room, "into the void");
    putter.flush();
    for socket in &mut sockets[..2] {
        assert_eq!(heard(socket, 1).await, ["delete"]);
        is_quiet(socket).await;
    }
}
