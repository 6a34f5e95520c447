//! A WebSocket client.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message, http};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::setup::{HANG, Replica};

pub(crate) struct Socket {
    pub(crate) stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) protocol: Option<String>,
    /// What was last said of how many are online.
    last_counts: Value,
    /// Of each room who is online, as far as that was said.
    members: BTreeMap<String, BTreeSet<String>>,
}

pub(crate) fn request(replica: &Replica) -> http::Request<()> {
    request_at(replica.address)
}

pub(crate) fn request_at(address: SocketAddr) -> http::Request<()> {
    let mut request = format!("ws://{address}/v1/ws").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "chat.v1".parse().unwrap());
    request
}

impl Socket {
    pub(crate) async fn connect(replica: &Replica, token: Option<&str>) -> Self {
        let mut request = request(replica);
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert("authorization", value);
        }
        Self::open(request).await.unwrap()
    }

    pub(crate) async fn open(request: http::Request<()>) -> Result<Self, tungstenite::Error> {
        let (stream, response) = connect_async(request).await?;
        let protocol = response.headers().get("sec-websocket-protocol");
        let protocol = protocol.map(|value| value.to_str().unwrap().to_owned());
        let (last_counts, members) = (Value::Null, BTreeMap::new());
        Ok(Self { stream, protocol, last_counts, members })
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn try_send(&mut self, frame: &Value) -> Result<(), tungstenite::Error> {
        self.stream.send(Message::text(frame.to_string())).await
    }

    /// What is below the protocol.
    pub(crate) fn tcp(&mut self) -> &mut TcpStream {
        match self.stream.get_mut() {
            MaybeTlsStream::Plain(stream) => stream,
            _ => panic!("tests speak without TLS"),
        }
    }

    async fn message(&mut self) -> Message {
        let message = tokio::time::timeout(HANG, self.stream.next())
            .await
            .expect("the server says something");
        message.expect("the stream goes on").unwrap()
    }

    /// The next frame, but for those that come at any time, or not at all: of presence and typing, and of rooms
    /// that this socket does not hear.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let frame = self.next_of_all().await;
            let kind = frame["type"].as_str();
            if !matches!(kind, Some("rooms" | "counts" | "presence" | "typing")) {
                return frame;
            }
        }
    }

    /// The next frame, whatever it tells.
    pub(crate) async fn next_of_all(&mut self) -> Value {
        loop {
            match self.message().await {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    match frame["type"].as_str() {
                        Some("counts") => self.last_counts = frame.clone(),
                        Some("presence") => self.note_members(&frame),
                        _ => {}
                    }
                    return frame;
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next frame of that type, whatever comes before.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next_of_all().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Waits until so many people are said to be online, unless that was the last that was said.
    pub(crate) async fn counts(&mut self, signed_in: u64) -> Value {
        while self.last_counts["signed_in"] != signed_in {
            self.until("counts").await;
        }
        self.last_counts.clone()
    }

    fn note_members(&mut self, frame: &Value) {
        let ids = |name: &str| {
            let ids = frame[name].as_array().unwrap().clone();
            ids.into_iter().map(|id| id.as_str().unwrap().to_owned())
        };
        let room = frame["room_id"].as_str().unwrap();
        let members = self.members.entry(room.to_owned()).or_default();
        members.extend(ids("online"));
        for gone in ids("offline") {
            members.remove(&gone);
        }
    }

    /// Whether exactly these people of a room are online, as far as that was said.
    pub(crate) fn knows_online(&self, room: &str, expected: &[&str]) -> bool {
        let members = self.members.get(room).into_iter().flatten();
        members.eq(expected)
    }

    /// Waits until exactly these people of a room are said to be online.
    pub(crate) async fn online(&mut self, room: &str, expected: &[&str]) {
        while !self.knows_online(room, expected) {
            self.until("presence").await;
        }
    }

    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        let frame = self.next().await;
        assert_eq!(frame["type"], kind, "{frame}");
        frame
    }

    /// The contents of the next events.
    pub(crate) async fn contents(&mut self, count: usize) -> Vec<String> {
        let mut contents = Vec::new();
        while contents.len() < count {
            let frame = self.next().await;
            // Whether the archive is as far as a slow reader needs it is a matter of moments.
            if frame["type"] != "behind" {
                assert_eq!(frame["type"], "event", "{frame}");
                contents.push(frame["event"]["content"].as_str().unwrap().to_owned());
            }
        }
        contents
    }

    /// Code and reason with which the server closes, whatever it says before.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let closing = async {
            loop {
                if let Message::Close(frame) = self.message().await {
                    let frame = frame.unwrap();
                    return (frame.code.into(), frame.reason.to_string());
                }
            }
        };
        // A server that pings would otherwise keep it waiting for ever.
        tokio::time::timeout(HANG, closing).await.expect("the server closes")
    }

    /// Subscribes the lobby and returns what `resumed` says, with the events before it.
    pub(crate) async fn subscribe(&mut self, cursor: Option<&str>) -> (Vec<Value>, Value) {
        self.subscribe_to("lobby", cursor).await
    }

    /// The same with any room.
    pub(crate) async fn subscribe_to(
        &mut self,
        room: &str,
        cursor: Option<&str>,
    ) -> (Vec<Value>, Value) {
        self.send(&json!({ "type": "subscribe", "rooms": { room: cursor } })).await;
        let mut events = Vec::new();
        loop {
            let frame = self.next().await;
            match frame["type"].as_str() {
                Some("event") => events.push(frame),
                Some("resumed") => return (events, frame),
                Some("behind") => {}
                _ => panic!("{frame}"),
            }
        }
    }
}
