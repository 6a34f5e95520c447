//! Rooms that have members, on every replica

mod access;
mod convergence;
mod cut;
mod loading;
mod notices;

use chat_api::message::{Cursor, Position, RoomId};
use serde_json::{Value, json};

use crate::setup::changer::Changer;
use crate::setup::records::partitioner;
use crate::setup::socket::Socket;
use crate::setup::{Replica, eventually};

/// The cursor before everything in a room.
pub(crate) fn beginning(room: &str) -> String {
    let partition = partitioner().of(&RoomId::parse(room).unwrap());
    Cursor { partition, position: Position::BEFORE_ALL }.to_string()
}

/// Says something in a room, as somebody who may; what is answered.
pub(crate) async fn say(replica: &Replica, token: &str, room: &str, content: &str) -> Value {
    let message = json!({ "content": content, "room_id": room });
    let response = replica.post(token, &message).send().await.unwrap();
    assert_eq!(response.status(), 202, "{room} {content}");
    response.json().await.unwrap()
}

/// Waits until a replica has read what was last appended about a room.
pub(crate) async fn has_read(replica: &Replica, token: &str, changer: &Changer) {
    let (last, _) = changer.told.last().unwrap();
    let position = last.cursor().to_string();
    eventually("the replica has read it", async || {
        let request = replica.http.get(replica.url("/v1/messages?room_id=lobby&limit=1"));
        let path = format!("/v1/messages?room_id={}&limit=1", changer.room);
        let is_of_lobby = last.partition == partitioner().of(&RoomId::lobby());
        let request = if is_of_lobby { request } else { replica.http.get(replica.url(&path)) };
        let answer = request.bearer_auth(token).header("x-after", &position).send().await.ok()?;
        // Whoever may not read it is told so only when the room is known.
        [200, 404].contains(&answer.status().as_u16()).then_some(())
    })
    .await;
}

/// What is heard next in a room: the content of a message, or what was done and to whom.
pub(crate) async fn heard(socket: &mut Socket, count: usize) -> Vec<String> {
    let mut heard = Vec::new();
    while heard.len() < count {
        let frame = socket.next().await;
        if frame["type"] != "behind" {
            assert_eq!(frame["type"], "event", "{frame}, after {heard:?}");
            heard.push(words(&frame));
        }
    }
    heard
}

/// What an event says, in a word or two.
pub(crate) fn words(frame: &Value) -> String {
    let event = &frame["event"];
    if let Some(content) = event["content"].as_str() {
        return content.to_owned();
    }
    let subject = event["subject"].as_str().map(|subject| format!(" {subject}"));
    format!("{}{}", event["act"].as_str().unwrap(), subject.unwrap_or_default())
}

/// Nothing more is heard: what is asked next is answered next.
pub(crate) async fn is_quiet(socket: &mut Socket) {
    socket.send(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;
}
