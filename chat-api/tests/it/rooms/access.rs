//! Who may do what in a room

use chat_api::message::{Settings, Visibility};
use chat_api::rooms::Command;
use serde_json::json;

use super::{beginning, has_read, say};
use crate::setup::changer::{Changer, person};
use crate::setup::{Replica, Setup, assert_problem, eventually};

/// What somebody gets who asks for a room in every way that there is.
async fn asks(replica: &Replica, setup: &Setup, who: &str, room: &str, message: &str) -> [u16; 6] {
    let token = setup.issuer.token(who);
    let mut statuses = Vec::new();
    for path in [
        format!("/v1/messages?room_id={room}"),
        format!("/v1/messages/{message}"),
        format!("/v1/messages/{message}/history?room_id={room}"),
    ] {
        statuses.push(replica.get(&token, &path).await.status().as_u16());
    }
    let body = json!({ "content": "x", "room_id": room });
    statuses.push(replica.post(&token, &body).send().await.unwrap().status().as_u16());
    let reaction = replica.url(&format!("/v1/messages/{message}/reactions/%F0%9F%91%8D"));
    let reaction = replica.http.put(reaction).bearer_auth(&token).send().await.unwrap();
    statuses.push(reaction.status().as_u16());
    let mut socket = replica.socket(&token).await;
    socket.send(&json!({ "type": "subscribe", "rooms": { room: null } })).await;
    let frame = socket.next().await;
    let is_heard = frame["type"] == "resumed";
    assert!(is_heard || frame["code"] == "unknown-room", "{frame}");
    statuses.push(if is_heard { 200 } else { 404 });
    statuses.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn members_read_and_speak_and_to_strangers_there_is_no_private_room() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let ada = setup.issuer.token("ada");
    let mut rooms = Vec::new();
    for (name, visibility) in [("open", Visibility::Public), ("closed", Visibility::Group)] {
        rooms.push(Changer::made(&setup, name, visibility, &["bob", "cid"]).await);
    }
    let direct = chat_api::rooms::direct::room_of(&person("ada"), &person("bob")).unwrap();
    let mut pair = Changer::new(&setup, direct.as_str());
    pair.change("ada", &Command::CreateDirect(person("bob"))).await;
    rooms.push(pair);
    let (inside, outside) = ([200, 200, 200, 202, 202, 200], [404; 6]);
    for changer in &mut rooms {
        let room = changer.room.to_string();
        let said = say(&replica, &ada, &room, "first").await;
        let id = said["message_id"].as_str().unwrap().to_owned();
        let is_public = room == "open";
        let read_only = [200, 200, 200, 403, 403, 200];
        let stranger = if is_public { read_only } else { outside };
        let asked = async |who| asks(&replica, &setup, who, &room, &id).await;
        assert_eq!(asked("ada").await, inside, "{room}");
        assert_eq!(asked("bob").await, inside, "{room}");
        assert_eq!(asked("eve").await, stranger, "{room}");
        if room == direct.as_str() {
            changer.change("bob", &Command::Ban(person("ada"))).await;
            has_read(&replica, &ada, changer).await;
            assert_eq!(asked("ada").await, read_only, "while one is blocked both read only");
            assert_eq!(asked("bob").await, read_only);
            continue;
        }
        changer.change("ada", &Command::Remove(person("cid"))).await;
        let archived = Settings { archived: Some(true), ..Settings::default() };
        changer.change("ada", &Command::Change(archived)).await;
        has_read(&replica, &ada, changer).await;
        assert_eq!(asked("cid").await, stranger, "{room}");
        assert_eq!(asked("bob").await, read_only, "what is archived is read only");
        changer.change("ada", &Command::Delete).await;
        has_read(&replica, &ada, changer).await;
        for who in ["ada", "bob", "eve"] {
            assert_eq!(asked(who).await, outside, "{room} is gone");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_was_never_made_is_none_to_anybody() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let said = replica.say(&setup.issuer.token("ada"), "first").await;
    let id = said["message_id"].as_str().unwrap();
    replica.includes(&setup.issuer.token("ada"), said["cursor"].as_str().unwrap()).await;
    let asked = asks(&replica, &setup, "ada", "attic", id).await;
    // The message is there, in the lobby.
    assert_eq!(asked, [404, 200, 404, 404, 202, 404]);
    // And what it is asked for is not kept for ever: it is made, and is there.
    let changer = Changer::made(&setup, "attic", Visibility::Group, &[]).await;
    let ada = setup.issuer.token("ada");
    has_read(&replica, &ada, &changer).await;
    say(&replica, &ada, "attic", "hello").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_member_sees_what_was_said_before() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let mut changer = Changer::made(&setup, "attic", Visibility::Group, &[]).await;
    has_read(&one, &ada, &changer).await;
    say(&one, &ada, "attic", "before").await;
    assert_problem(two.get(&bob, "/v1/messages?room_id=attic").await, 404, "unknown-room").await;
    changer.change("ada", &Command::Invite(person("bob"))).await;
    has_read(&two, &bob, &changer).await;
    eventually("the history has it", async || {
        let page = two.get(&bob, "/v1/messages?room_id=attic").await;
        let page: serde_json::Value = page.json().await.ok()?;
        (page[0]["content"] == "before").then_some(())
    })
    .await;
    let mut socket = two.socket(&bob).await;
    let (events, _) = socket.subscribe_to("attic", Some(&beginning("attic"))).await;
    let words: Vec<_> = events.iter().map(super::words).collect();
    assert_eq!(words, ["create", "before", "invite bob"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_no_rooms_are_refused() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    for name in ["", "ATTIC", "a/b", "attic ", "ä", &"x".repeat(65), "$where", "..", "a\u{0}"] {
        let query = url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>();
        let answer = replica.get(&token, &format!("/v1/messages?room_id={query}")).await;
        assert_problem(answer, 404, "unknown-room").await;
    }
}
