//! What each server speaks over its sockets.

use http::Request;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use anyhow::Result;

/// The room that everybody listens to unless there are many.
pub(crate) const ROOM: &str = "lobby";

/// A protocol on top of WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `chat.v1` of chat-api.
    Chat,
    /// The JSON protocol of Centrifuge.
    Centrifuge,
    /// Nothing but text, as in Bun's guide.
    Bun,
    /// Socket.IO 5 in Engine.IO 4.
    SocketIo,
}

/// One exchange on the way into the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// What the client says, if it begins.
    pub(crate) says: Option<String>,
    /// What the server's answer holds.
    pub(crate) awaits: &'static str,
}

impl Dialect {
    /// The handshake of whoever goes to that room.
    pub(crate) fn request(
        self,
        address: &str,
        room: &str,
        token: Option<&str>,
    ) -> Result<Request<()>> {
        let path = match self {
            Self::Chat => "/v1/ws".to_owned(),
            Self::Centrifuge => "/connection/websocket".to_owned(),
            Self::Bun => format!("/?room={room}"),
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket".to_owned(),
        };
        let mut request = format!("ws://{address}{path}").into_client_request()?;
        if self == Self::Chat {
            request.headers_mut().insert("sec-websocket-protocol", "chat.v1".parse()?);
        }
        if let Some(token) = token {
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
        }
        Ok(request)
    }

    /// The way into a room.
    pub(crate) fn steps(self, room: &str) -> Vec<Step> {
        let step = |says: Option<String>, awaits| Step { says, awaits };
        match self {
            Self::Chat => vec![
                step(None, "\"type\":\"ready\""),
                step(Some(subscribe_to(room, None)), "\"type\":\"resumed\""),
            ],
            Self::Centrifuge => vec![
                step(Some(r#"{"id":1,"connect":{}}"#.to_owned()), "\"id\":1"),
                step(Some(format!(r#"{{"id":2,"subscribe":{{"channel":"{room}"}}}}"#)), "\"id\":2"),
            ],
            Self::Bun => vec![step(None, "joined")],
            Self::SocketIo => vec![
                step(None, "0{"),
                step(Some("40".to_owned()), "40{"),
                // With an acknowledgement, number 0.
                step(Some(format!(r#"420["join","{room}"]"#)), "430["),
            ],
        }
    }

    /// The answer to a frame that asks whether anybody is there; WebSocket's own pings are answered
    /// elsewhere.
    pub(crate) fn pong(self, frame: &str) -> Option<&'static str> {
        match (self, frame) {
            (Self::Centrifuge, "{}") => Some("{}"),
            (Self::SocketIo, "2") => Some("3"),
            _ => None,
        }
    }
}

/// chat-api's `subscribe`: to what comes after a cursor, or to what comes from now on.
pub(crate) fn subscribe(cursor: Option<&str>) -> String {
    subscribe_to(ROOM, cursor)
}

/// The same of another room.
pub(crate) fn subscribe_to(room: &str, cursor: Option<&str>) -> String {
    let cursor = cursor.map_or("null".to_owned(), |cursor| format!("\"{cursor}\""));
    format!(r#"{{"type":"subscribe","rooms":{{"{room}":{cursor}}}}}"#)
}
