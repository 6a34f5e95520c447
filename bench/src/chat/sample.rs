//! What a message looks like on its way: taken from one that was really sent, so that ceilings and
//! peers carry the same bytes, whatever chat-api makes of a message.

use anyhow::{Context as _, Result};
use mongodb::bson::Document;
use serde_json::{Value, json};

use crate::wire::dialect::ROOM;
use crate::wire::http::post;
use crate::wire::listeners::mark;

/// Where messages are posted.
pub(crate) const MESSAGES: &str = "/v1/messages";

/// A line of a chat: about a hundred bytes of content.
const LINE: &str =
    "Shall we meet at the harbour at a quarter past eight, or is that too early for you both?";

/// The number of a message that belongs to no measurement.
pub(crate) const NONE: u32 = 99_999_999;

/// One message in each of its forms.
pub(crate) struct Sample {
    /// The value of its record.
    envelope: Value,
    /// The frame that listeners get.
    event: String,
    /// What the archive keeps.
    document: Document,
    /// The partition it stands in, which is that of the room.
    pub(crate) partition: i32,
}

/// The content of the `n`th message of a measurement.
pub(crate) fn content(n: u32) -> String {
    format!("{} {LINE}", mark(n))
}

/// The body of the request that sends some content.
pub(crate) fn body(content: &str) -> String {
    json!({ "content": content }).to_string()
}

/// The request that sends the `n`th message, with a content of that many bytes.
pub(crate) fn long_request(n: u32, token: &str, bytes: usize) -> Vec<u8> {
    let mark = mark(n);
    let rest = "x".repeat(bytes.saturating_sub(mark.len()));
    post(MESSAGES, Some(token), &body(&(mark + &rest)))
}

/// The request that sends the `n`th message.
pub(crate) fn request(n: u32, token: &str) -> Vec<u8> {
    post(MESSAGES, Some(token), &body(&content(n)))
}

/// The same to another room than that of all.
pub(crate) fn request_to(room: &str, n: u32, token: &str) -> Vec<u8> {
    let body = json!({ "content": content(n), "room_id": room });
    post(MESSAGES, Some(token), &body.to_string())
}

impl Sample {
    /// One of the number [`NONE`]: the frame that a listener got, and what was archived.
    pub(crate) fn new(event: String, document: Document) -> Result<Self> {
        let envelope = serde_json::from_str::<Value>(&event)?["event"].take();
        let partition = document.get_i32("partition").context("a document has its partition")?;
        Ok(Self { envelope, event, document, partition })
    }

    /// The value of its record, as JSON text.
    pub(crate) fn envelope(&self) -> String {
        self.envelope.to_string()
    }

    /// What the archive keeps.
    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// A frame as listeners get it, of the `n`th message: what peers pass on.
    pub(crate) fn event(&self, n: u32) -> String {
        self.event.replace(&mark(NONE), &mark(n))
    }

    /// The same in another room.
    pub(crate) fn event_in(&self, room: &str, n: u32) -> String {
        let [all, room] = [ROOM, room].map(|room| format!("\"{room}\""));
        self.event(n).replace(&all, &room)
    }
}
