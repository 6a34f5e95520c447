//! How far people have read

mod lasting;
mod reach;
mod refused;
mod unread;

use std::collections::BTreeMap;

use chat_api::message::{Cursor, Position, RoomId};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::setup::records::partitioner;
use crate::setup::socket::Socket;
use crate::setup::{Replica, Setup, eventually};

async fn call(
    replica: &Replica,
    token: &str,
    method: Method,
    path: &str,
    body: &Value,
) -> Response {
    replica
        .http
        .request(method, replica.url(path))
        .bearer_auth(token)
        .json(body)
        .send()
        .await
        .unwrap()
}

/// Makes a room of ada with some others in it, which these replicas know.
async fn room(setup: &Setup, replicas: &[&Replica], kind: &str, others: &[&str]) -> String {
    let (ada, first) = (setup.issuer.token("ada"), replicas[0]);
    let body = json!({ "name": "Attic", "kind": kind });
    let made = call(first, &ada, Method::POST, "/v1/rooms", &body).await;
    assert_eq!(made.status(), 201);
    let room = made.json::<Value>().await.unwrap()["room_id"].as_str().unwrap().to_owned();
    for who in others {
        let path = format!("/v1/rooms/{room}/members/{who}");
        assert_eq!(call(first, &ada, Method::PUT, &path, &json!({})).await.status(), 200);
    }
    for replica in replicas {
        eventually("the replica knows its members", async || {
            let shown = replica.get(&ada, &format!("/v1/rooms/{room}")).await;
            let shown: Value = shown.json().await.ok()?;
            (shown["members"] == json!(others.len() + 1)).then_some(())
        })
        .await;
    }
    room
}

/// Says something in a room; its cursor.
async fn say(replica: &Replica, token: &str, room: &str, content: &str) -> String {
    let body = json!({ "content": content, "room_id": room });
    let response = replica.post(token, &body).send().await.unwrap();
    assert_eq!(response.status(), 202, "{room} {content}");
    response.json::<Value>().await.unwrap()["cursor"].as_str().unwrap().to_owned()
}

/// Waits until the history of a room goes up to a cursor.
async fn stored(replica: &Replica, token: &str, room: &str, cursor: &str) {
    let path = format!("/v1/messages?room_id={room}&limit=1");
    eventually("it is stored", async || {
        let asked = replica.http.get(replica.url(&path)).bearer_auth(token);
        let answer = asked.header("x-after", cursor).send().await.ok()?;
        (answer.status() == 200).then_some(())
    })
    .await;
}

async fn put(replica: &Replica, token: &str, room: &str, cursor: &str) -> Response {
    let path = format!("/v1/rooms/{room}/marker");
    call(replica, token, Method::PUT, &path, &json!({ "cursor": cursor })).await
}

/// Marks a room as read; what is answered.
async fn mark(replica: &Replica, token: &str, room: &str, cursor: &str) -> (String, String) {
    let response = put(replica, token, room, cursor).await;
    let status = response.status();
    let answer: Value = response.json().await.unwrap();
    assert_eq!((status.as_u16(), &answer["room_id"]), (200, &json!(room)), "{answer}");
    let text = |field: &str| answer[field].as_str().unwrap().to_owned();
    (text("status"), text("cursor"))
}

fn applied(cursor: &str) -> (String, String) {
    ("applied".to_owned(), cursor.to_owned())
}

fn unchanged(cursor: &str) -> (String, String) {
    ("unchanged".to_owned(), cursor.to_owned())
}

/// How far everybody has read a room, as somebody is told, by pages of two.
async fn markers(replica: &Replica, token: &str, room: &str) -> BTreeMap<String, String> {
    let (mut all, mut next) = (Vec::new(), Some(format!("/v1/rooms/{room}/markers?limit=2")));
    while let Some(path) = next {
        let response = replica.get(token, &path).await;
        assert_eq!(response.status(), 200, "{path}");
        let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        next = link.map(|link| link[1..].split_once('>').unwrap().0.to_owned());
        let page: Vec<Value> = response.json().await.unwrap();
        assert!(page.len() <= 2, "{page:?}");
        all.extend(page);
    }
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let told = |one: &Value| (text(&one["user_id"]), text(&one["cursor"]));
    let count = all.len();
    let markers: BTreeMap<_, _> = all.iter().map(told).collect();
    assert_eq!(markers.len(), count, "nobody is told twice");
    markers
}

/// Waits until everybody is told that people have read so far, and nobody else.
async fn are(replica: &Replica, token: &str, room: &str, expected: &[(&str, &str)]) {
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(who, cursor)| ((*who).to_owned(), (*cursor).to_owned())).collect();
    eventually("they have read so far", async || {
        (markers(replica, token, room).await == expected).then_some(())
    })
    .await;
}

/// Who has read, and up to where, as a socket is told next. What else happens in the room is passed over.
async fn told(socket: &mut Socket, room: &str) -> (String, String) {
    loop {
        let frame = socket.next().await;
        match frame["type"].as_str() {
            Some("marker") => {
                assert_eq!(frame["room_id"], room, "{frame}");
                let text = |field: &str| frame[field].as_str().unwrap().to_owned();
                return (text("user_id"), text("cursor"));
            }
            Some("event") => {}
            _ => panic!("{frame}"),
        }
    }
}

/// Nobody was told to have read: what is asked next is answered next, but for events.
async fn is_told_nothing(socket: &mut Socket) {
    socket.send(&json!({ "type": "ping" })).await;
    loop {
        let frame = socket.next().await;
        match frame["type"].as_str() {
            Some("event") => {}
            Some("pong") => return,
            _ => panic!("{frame}"),
        }
    }
}

/// A socket that hears a room.
async fn listener(replica: &Replica, token: &str, room: &str) -> Socket {
    let mut socket = replica.socket(token).await;
    socket.subscribe_to(room, None).await;
    socket
}

/// The cursor so many records behind the beginning of a room's partition.
fn cursor_at(room: &str, raw: i64) -> String {
    let partition = partitioner().of(&RoomId::parse(room).unwrap());
    Cursor { partition, position: Position::from_raw(raw).unwrap() }.to_string()
}

fn position(cursor: &str) -> Position {
    Cursor::parse(cursor).unwrap().position
}
