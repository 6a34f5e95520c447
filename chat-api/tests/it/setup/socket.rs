//! A WebSocket client.

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
        Ok(Self { stream, protocol })
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

    /// The next frame, but for what is told of rooms that this socket does not hear.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let frame = self.next_of_all().await;
            if frame["type"] != "rooms" {
                return frame;
            }
        }
    }

    /// The next frame, whatever it tells.
    pub(crate) async fn next_of_all(&mut self) -> Value {
        loop {
            match self.message().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
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
