//! What the client does to rooms.

use anyhow::{Context as _, Result, ensure};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Chat;
use super::answer::{Accepted, Reply};
use super::listener::Listener;
use crate::wait::within;

/// A room, as it was shown.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the answer, described with the API")]
pub struct Room {
    pub room_id: String,
    pub kind: String,
    pub name: Option<String>,
    pub archived: bool,
    pub members: u32,
    pub role: Option<String>,
    pub cursor: Option<String>,
}

impl Chat {
    /// Makes a room of that kind.
    pub async fn create_room(&self, kind: &str, name: &str) -> Result<Room> {
        let body = json!({ "kind": kind, "name": name });
        self.room_call(Method::POST, "/v1/rooms", Some(&body)).await
    }

    /// Opens the direct room with somebody.
    pub async fn direct(&self, person: &str) -> Result<Room> {
        self.room_call(Method::PUT, &format!("/v1/direct/{person}"), None).await
    }

    /// Shows a room. None if there is none for this person.
    pub async fn room(&self, room: &str) -> Result<Option<Room>> {
        let reply = self.call(Method::GET, &format!("/v1/rooms/{room}"), None).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        ensure!(reply.status == StatusCode::OK, "refused with {}: {}", reply.status, reply.body);
        Ok(Some(serde_json::from_value(reply.body).context("a room of another shape")?))
    }

    /// The rooms of this person.
    pub async fn my_rooms(&self) -> Result<Vec<Value>> {
        self.room_call(Method::GET, "/v1/rooms", None).await
    }

    /// Joins a room, invites, or gives a role.
    pub async fn put_member(&self, room: &str, person: &str, role: Option<&str>) -> Result<Value> {
        let body = json!({ "role": role });
        let path = format!("/v1/rooms/{room}/members/{person}");
        self.room_call(Method::PUT, &path, Some(&body)).await
    }

    /// Leaves a room, removes somebody, or ends a ban.
    pub async fn end_member(&self, room: &str, person: &str) -> Result<Value> {
        let path = format!("/v1/rooms/{room}/members/{person}");
        self.room_call(Method::DELETE, &path, None).await
    }

    /// Says something in a room.
    pub async fn say_in(&self, room: &str, content: &str) -> Result<Accepted> {
        let body = json!({ "room_id": room, "content": content });
        let reply = self.try_post(&body).await?;
        let is_taken = reply.status == StatusCode::ACCEPTED;
        ensure!(is_taken, "refused with {}: {}", reply.status, reply.body);
        serde_json::from_value(reply.body).context("a 202 of another shape")
    }

    /// Asks for the newest page of a room's history, with everything up to a cursor if there is one, whatever comes of
    /// it.
    pub async fn try_history(&self, room: &str, with: Option<&str>) -> Result<Reply> {
        let query = [("room_id", room), ("limit", "200")];
        let mut request = self.http.get(format!("{}/v1/messages", self.base)).query(&query);
        if let Some(cursor) = with {
            request = request.header("x-after", cursor);
        }
        self.ask(request).await
    }

    /// Opens a socket that hears what is said in a room from now on.
    pub async fn listen_to(&self, room: &str) -> Result<Listener> {
        let mut listener = self.connect().await?;
        listener.hear(room).await?;
        Ok(listener)
    }

    async fn room_call<T: serde::de::DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T> {
        let reply = self.call(method, path, body).await?;
        let is_done = matches!(reply.status, StatusCode::OK | StatusCode::CREATED);
        ensure!(is_done, "refused with {}: {}", reply.status, reply.body);
        serde_json::from_value(reply.body).context("an answer of another shape")
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reply> {
        let request = self.http.request(method, format!("{}{path}", self.base));
        self.ask(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }
}

impl Listener {
    /// Hears what is said in one more room from now on.
    pub async fn hear(&mut self, room: &str) -> Result<()> {
        within("listening to a room", async {
            self.say(&json!({ "type": "subscribe", "rooms": { room: null } })).await?;
            self.frame_of("resumed").await.map(drop)
        })
        .await
    }
}
