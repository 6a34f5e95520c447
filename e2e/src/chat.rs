//! The chat API: REST, a WebSocket that hears the lobby, and the reference client.

pub mod client;
pub mod close;
pub mod frame;
pub mod place;
pub mod rooms;
pub mod transcript;

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{HeaderMap, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderValue, StatusCode};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::oidc::Token;
use crate::wait::{HANG, within};

/// One person may send ten messages a second to a replica.
pub const TURN: Duration = Duration::from_millis(100);
/// The room everybody is in.
pub const LOBBY: &str = "lobby";
const SUBPROTOCOL: HeaderValue = HeaderValue::from_static("chat.v1");

/// A person at one replica of the chat API.
#[derive(Clone, Debug)]
pub struct Chat {
    http: Client,
    base: String,
    token: Option<Token>,
}

/// What the API answered.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or null when it is no JSON.
    pub body: Value,
}

/// A message that the log has acknowledged.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the 202, described with the API")]
pub struct Accepted {
    pub message_id: String,
    pub status: String,
    pub room_id: String,
    pub cursor: Option<String>,
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

    /// Opens a socket that has said who it is, if the token is let in.
    pub async fn connect(&self) -> Result<Listener> {
        let url = format!("{}/v1/ws", self.base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().context("the chat API's address is no URL")?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
        let (socket, _) = connect_async(request).await.context("no WebSocket")?;
        let mut listener = Listener { socket };
        let token = self.token.as_ref().context("a socket needs a token")?;
        listener.say(&json!({ "type": "auth", "token": token.expose() })).await?;
        listener.frame_of("ready").await?;
        Ok(listener)
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

/// A socket of `/v1/ws`.
#[derive(Debug)]
pub struct Listener {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// An event of a room.
#[derive(Clone, Debug, Deserialize)]
pub struct Event {
    /// Its place in the room.
    #[serde(rename = "cur")]
    pub cursor: String,
    /// What was said: the envelope.
    #[serde(rename = "event")]
    pub envelope: Value,
}

impl Event {
    /// The message's id.
    #[must_use]
    pub fn message_id(&self) -> &str {
        self.envelope["message_id"].as_str().unwrap_or_default()
    }

    /// What was said.
    #[must_use]
    pub fn content(&self) -> &str {
        self.envelope["content"].as_str().unwrap_or_default()
    }
}

impl Listener {
    /// The next event that is asked for; others are passed over.
    pub async fn event(&mut self, wanted: impl Fn(&Event) -> bool) -> Result<Event> {
        within("waiting for an event", async {
            loop {
                let frame = self.frame_of("event").await?;
                let event: Event = serde_json::from_value(frame).context("an event's shape")?;
                if wanted(&event) {
                    return Ok(event);
                }
            }
        })
        .await
    }

    /// The next events of these messages, as many as there are ids, in the order they came.
    pub async fn events_of(&mut self, ids: &[String]) -> Result<Vec<Event>> {
        let mut events = Vec::with_capacity(ids.len());
        while events.len() < ids.len() {
            let event = self.event(|event| ids.iter().any(|id| id == event.message_id())).await;
            let (got, all) = (events.len(), ids.len());
            events.push(event.with_context(|| format!("after {got} of {all} events"))?);
        }
        Ok(events)
    }

    /// Waits until the server closes, and gives its code.
    pub async fn closed(&mut self) -> Result<u16> {
        within("waiting for the close", async {
            while let Some(message) = self.socket.next().await {
                if let Message::Close(frame) = message? {
                    return frame.map(|frame| frame.code.into()).context("a close without code");
                }
            }
            bail!("the connection ended without a close frame")
        })
        .await
    }

    /// Nothing comes: what is asked next is answered next.
    pub async fn is_quiet(&mut self) -> Result<()> {
        within("waiting for a pong", async {
            self.say(&json!({ "type": "ping" })).await?;
            while let Some(message) = self.socket.next().await {
                if let Message::Text(text) = message? {
                    let frame: Value = serde_json::from_str(&text)?;
                    ensure!(frame["type"] == "pong", "something came: {frame}");
                    return Ok(());
                }
            }
            bail!("the connection ended")
        })
        .await
    }

    async fn say(&mut self, frame: &Value) -> Result<()> {
        self.socket.send(Message::text(frame.to_string())).await.context("the socket is gone")
    }

    /// The next frame of that type; others are passed over, but complaints are not.
    async fn frame_of(&mut self, wanted: &str) -> Result<Value> {
        loop {
            let message = self.socket.next().await.context("the connection ended")??;
            let text = match message {
                Message::Text(text) => text,
                Message::Close(frame) => {
                    let frame = frame.map(|frame| (u16::from(frame.code), frame.reason));
                    bail!("closed while waiting for {wanted:?}: {frame:?}");
                }
                _ => continue,
            };
            let frame: Value = serde_json::from_str(&text).context("a frame that is no JSON")?;
            let kind = frame["type"].as_str().unwrap_or_default();
            if kind == wanted {
                return Ok(frame);
            }
            ensure!(
                !matches!(kind, "error" | "nack" | "reset"),
                "while waiting for {wanted:?}: {frame}"
            );
        }
    }
}
