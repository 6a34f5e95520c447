//! A socket of `/v1/ws` that hears what is said.

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::oidc::Token;
use crate::wait::within;

const SUBPROTOCOL: HeaderValue = HeaderValue::from_static("chat.v1");

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
    /// Opens a socket at a replica that has said who it is, or that it is a guest's, if that is let in.
    pub(super) async fn open(base: &str, token: Option<&Token>) -> Result<Self> {
        let url = format!("{}/v1/ws", base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().context("the chat API's address is no URL")?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
        let (socket, _) = connect_async(request).await.context("no WebSocket")?;
        let mut listener = Self { socket };
        let auth = match token {
            Some(token) => json!({ "type": "auth", "token": token.expose() }),
            None => json!({ "type": "auth", "guest": true }),
        };
        listener.say(&auth).await?;
        listener.frame_of("ready").await?;
        Ok(listener)
    }

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

    /// No event comes: what is asked next is answered next.
    pub async fn is_quiet(&mut self) -> Result<()> {
        within("waiting for a pong", async {
            self.say(&json!({ "type": "ping" })).await?;
            while let Some(message) = self.socket.next().await {
                if let Message::Text(text) = message? {
                    let frame: Value = serde_json::from_str(&text)?;
                    ensure!(frame["type"] != "event", "something came: {frame}");
                    if frame["type"] == "pong" {
                        return Ok(());
                    }
                }
            }
            bail!("the connection ended")
        })
        .await
    }

    pub(super) async fn say(&mut self, frame: &Value) -> Result<()> {
        self.socket.send(Message::text(frame.to_string())).await.context("the socket is gone")
    }

    /// The next frame of that type; others are passed over, but complaints are not.
    pub(super) async fn frame_of(&mut self, wanted: &str) -> Result<Value> {
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
