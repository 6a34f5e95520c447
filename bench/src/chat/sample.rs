//! What a message looks like on its way: taken from one that was really sent, so that ceilings and
//! peers carry the same bytes, whatever chat-api makes of a message.

use anyhow::{Context as _, Result};
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};

use super::site::{Place, Replica, Site};
use crate::wire::dialect::Dialect;
use crate::wire::http::{Pool, post};
use crate::wire::listeners::mark;
use crate::wire::socket::{Path, open_many};

/// Where messages are posted.
pub(super) const MESSAGES: &str = "/v1/messages";

/// A line of a chat: about a hundred bytes of content.
const LINE: &str =
    "Shall we meet at the harbour at a quarter past eight, or is that too early for you both?";

/// The number of a message that belongs to no measurement.
const NONE: u32 = 99_999_999;

/// One message in each of its forms.
pub(super) struct Sample {
    /// The value of its record.
    envelope: Value,
    /// The frame that listeners get.
    event: String,
    /// What the archive keeps.
    document: Document,
    /// The partition it stands in, which is that of the room.
    pub(super) partition: i32,
}

/// The content of the `n`th message of a measurement.
pub(super) fn content(n: u32) -> String {
    format!("{} {LINE}", mark(n))
}

/// The body of the request that sends some content.
pub(super) fn body(content: &str) -> String {
    json!({ "content": content }).to_string()
}

/// The request that sends the `n`th message.
pub(super) fn request(n: u32, token: &str) -> Vec<u8> {
    post(MESSAGES, Some(token), &body(&content(n)))
}

impl Sample {
    /// Sends one and looks at it.
    pub(super) async fn take(site: &Site, place: &Place, replica: &Replica) -> Result<Self> {
        let tokens = &site.tokens[..1];
        let sockets = open_many(1, replica.address, Dialect::Chat, tokens, Path::Loopback).await?;
        let mut socket = sockets.into_iter().next().context("one socket was opened")?;
        let pool = Pool::open(replica.address, 1).await?;
        pool.ask(&request(NONE, &tokens[0]), 202).await?;
        let event = socket.wait_for(&mark(NONE)).await?.to_string();
        let envelope = serde_json::from_str::<Value>(&event)?["event"].take();
        site.archived_all(place, 1).await?;
        let document = site.messages(place).find_one(doc! {}).await?.context("it is archived")?;
        let partition = document.get_i32("partition").context("a document has its partition")?;
        Ok(Self { envelope, event, document, partition })
    }

    /// The value of its record, as JSON text.
    pub(super) fn envelope(&self) -> String {
        self.envelope.to_string()
    }

    /// What the archive keeps.
    pub(super) fn document(&self) -> &Document {
        &self.document
    }

    /// A frame as listeners get it, of the `n`th message: what peers pass on.
    pub(super) fn event(&self, n: u32) -> String {
        self.event.replace(&mark(NONE), &mark(n))
    }
}
