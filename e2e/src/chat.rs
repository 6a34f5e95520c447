//! The chat API: REST, a WebSocket that hears the lobby, and the reference client.

mod answer;
pub mod client;
pub mod close;
pub mod frame;
mod listener;
pub mod place;
pub mod rooms;
pub mod transcript;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use http::StatusCode;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::sleep;

pub use answer::{Accepted, Reply};
pub use listener::{Event, Listener};

use crate::oidc::Token;
use crate::wait::{HANG, within};

/// One person may send ten messages a second to a replica.
pub const TURN: Duration = Duration::from_millis(100);
/// The room everybody is in.
pub const LOBBY: &str = "lobby";

/// A person at one replica of the chat API.
#[derive(Clone, Debug)]
pub struct Chat {
    http: Client,
    base: String,
    token: Option<Token>,
}

impl Chat {
    /// Somebody with a token at this replica.
    pub fn new(base: &str, token: &Token) -> Result<Self> {
        Ok(Self { token: Some(token.clone()), ..Self::anonymous(base)? })
    }

    /// Somebody without a token.
    pub fn anonymous(base: &str) -> Result<Self> {
        let http = Client::builder().no_proxy().timeout(HANG).build().context("no HTTP client")?;
        Ok(Self { http, base: base.to_owned(), token: None })
    }

    /// Posts a body to `/v1/messages`, whatever comes of it.
    pub async fn try_post(&self, body: &Value) -> Result<Reply> {
        self.ask(self.http.post(format!("{}/v1/messages", self.base)).json(body)).await
    }

    /// Posts a message to the lobby, and waits its turn if this person says too much.
    pub async fn post(&self, content: &str) -> Result<Accepted> {
        let body = json!({ "content": content });
        let mut reply = self.try_post(&body).await?;
        while reply.status == StatusCode::TOO_MANY_REQUESTS {
            sleep(TURN).await;
            reply = self.try_post(&body).await?;
        }
        ensure!(
            reply.status == StatusCode::ACCEPTED,
            "refused with {}: {}",
            reply.status,
            reply.body
        );
        serde_json::from_value(reply.body).context("a 202 of another shape")
    }

    /// Gives a message of one's own another text.
    pub async fn edit(&self, id: &str, content: &str) -> Result<Accepted> {
        let body = json!({ "content": content });
        self.change(self.http.patch(self.message(id)).json(&body)).await
    }

    /// Deletes a message of one's own.
    pub async fn delete(&self, id: &str) -> Result<Accepted> {
        self.change(self.http.delete(self.message(id))).await
    }

    /// Reacts to a message, or takes that back.
    pub async fn react(&self, id: &str, emoji: &str, on: bool) -> Result<Accepted> {
        let path = format!("{}/reactions/{emoji}", self.message(id));
        self.change(if on { self.http.put(path) } else { self.http.delete(path) }).await
    }

    /// A message, with everything up to a cursor.
    pub async fn message_after(&self, id: &str, cursor: &str) -> Result<Value> {
        let reply = self.ask(self.http.get(self.message(id)).header("x-after", cursor)).await?;
        ensure!(reply.status == StatusCode::OK, "refused with {}: {}", reply.status, reply.body);
        Ok(reply.body)
    }

    /// The texts that a message had, the first one first.
    pub async fn texts_of(&self, id: &str) -> Result<Vec<Value>> {
        let reply = self.ask(self.http.get(format!("{}/history", self.message(id)))).await?;
        ensure!(reply.status == StatusCode::OK, "refused with {}: {}", reply.status, reply.body);
        serde_json::from_value(reply.body).context("a history of another shape")
    }

    fn message(&self, id: &str) -> String {
        format!("{}/v1/messages/{id}", self.base)
    }

    async fn change(&self, request: reqwest::RequestBuilder) -> Result<Accepted> {
        let reply = self.ask(request).await?;
        let is_done = matches!(reply.status, StatusCode::ACCEPTED | StatusCode::OK);
        ensure!(is_done, "refused with {}: {}", reply.status, reply.body);
        serde_json::from_value(reply.body).context("an answer of another shape")
    }

    /// A page of the lobby's history after a cursor, oldest first.
    pub async fn history_after(&self, cursor: &str) -> Result<Vec<Value>> {
        let query = [("room_id", LOBBY), ("after", cursor), ("limit", "200")];
        let reply =
            self.ask(self.http.get(format!("{}/v1/messages", self.base)).query(&query)).await?;
        ensure!(reply.status == StatusCode::OK, "refused with {}: {}", reply.status, reply.body);
        serde_json::from_value(reply.body).context("a history of another shape")
    }

    /// Opens a socket that hears what is said from now on.
    pub async fn listen(&self) -> Result<Listener> {
        within("listening to the lobby", async {
            let mut listener = self.subscribed(None).await?;
            listener.frame_of("resumed").await?;
            Ok(listener)
        })
        .await
    }

    /// Opens a socket that hears everything after a cursor.
    pub async fn resume(&self, cursor: &str) -> Result<Listener> {
        within("resuming the lobby", self.subscribed(Some(cursor))).await
    }

    /// Opens a socket that has said who it is, or that it is a guest's, if that is let in.
    pub async fn connect(&self) -> Result<Listener> {
        Listener::open(&self.base, self.token.as_ref()).await
    }

    async fn subscribed(&self, cursor: Option<&str>) -> Result<Listener> {
        let mut listener = self.connect().await?;
        listener.say(&json!({ "type": "subscribe", "rooms": { LOBBY: cursor } })).await?;
        Ok(listener)
    }

    async fn ask(&self, mut request: reqwest::RequestBuilder) -> Result<Reply> {
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        Ok(Reply { status, headers, body })
    }
}
