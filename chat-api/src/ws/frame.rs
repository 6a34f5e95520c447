//! The frames of subprotocol `chat.v1`: JSON objects in text frames, each with its `type`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};

use super::framing::{framed, text};
use super::notes::{Activity, Added, Removed};
use crate::message::{
    self, Content, Cursor, Envelope, Event, FieldError, Fields, MessageId, ReadValue, RoomId,
    UserId, UserName,
};

/// The one subprotocol that is spoken (`Sec-WebSocket-Protocol`, RFC 6455 §1.9).
pub const SUBPROTOCOL: &str = "chat.v1";
/// The largest frame and message that is read, like the body of a request. No frame that is written is
/// larger.
pub const MAX_BYTES: usize = Content::MAX_JSON_BYTES;
/// A `ref` is the client's own and comes back to it; longer ones are refused.
const REF_MAX: usize = 64;

/// What a client says.
#[derive(Debug)]
pub enum Inbound {
    /// The first frame of a socket without a token; later a fresh token of the same person.
    Auth(Credentials),
    /// Rooms and the cursors to go on from; without one only what is said from now on.
    Subscribe(BTreeMap<String, Option<String>>),
    /// Rooms to hear no more of.
    Unsubscribe(Vec<String>),
    /// Something to be said.
    Send(Send),
    /// How far a room was read.
    Read(Read),
    /// Somebody types in this room.
    Typing(String),
    /// Asks for a `pong`.
    Ping,
}

/// Who somebody is.
#[derive(Debug)]
pub enum Credentials {
    /// The person of this token.
    Token(String),
    /// Nobody in particular.
    Guest,
}

/// Something to be said. Room, content and key are still to be parsed: a mistake in them is answered,
/// not punished.
#[derive(Debug)]
pub struct Send {
    /// Comes back in `ack` or `nack`.
    pub reference: String,
    /// The name of the room to say it in.
    pub room_id: String,
    /// The text.
    pub content: String,
    /// The id of the message that it answers, if it answers one.
    pub reply_to: Option<String>,
    /// The sender's own name for it, if it may be sent again.
    pub key: Option<String>,
}

/// How far a room was read: its name and a cursor, both still to be parsed.
#[derive(Debug)]
pub struct Read {
    /// The name of the room.
    pub room_id: String,
    /// The last place that was read.
    pub cursor: String,
}

/// A frame that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Not the object it should be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A type that is not known.
    #[error("unknown frame type")]
    Type,
    /// An `auth` that says two things.
    #[error("a guest has no token")]
    GuestWithToken,
    /// A `ref` that cannot come back.
    #[error("ref is longer than {REF_MAX} bytes, or holds U+0000 or half of a surrogate pair")]
    Reference,
}

impl Inbound {
    /// Parses a text frame.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let mut fields = Fields::parse(text.as_bytes())?;
        let kind = fields.text("type")?;
        let known: &[&str] = match kind.as_str() {
            "auth" => &["token", "guest"],
            "subscribe" | "unsubscribe" => &["rooms"],
            "send" => &["ref", "room_id", "content", "reply_to", "key"],
            "read" => &["room_id", "cursor"],
            "typing" => &["room_id"],
            "ping" => &[],
            _ => return Err(FrameError::Type),
        };
        fields.only(known)?;
        Ok(match kind.as_str() {
            "auth" => Self::Auth(credentials(&mut fields)?),
            "subscribe" => Self::Subscribe(cursors(fields.object("rooms")?)?),
            "unsubscribe" => Self::Unsubscribe(fields.texts("rooms")?),
            "send" => Self::Send(Send {
                reference: reference(fields.text("ref")?)?,
                room_id: fields.text("room_id")?,
                content: fields.text("content")?,
                reply_to: fields.optional_text("reply_to")?,
                key: fields.optional_text("key")?,
            }),
            "read" => Self::Read(Read {
                room_id: fields.text("room_id")?,
                cursor: fields.text("cursor")?,
            }),
            "typing" => Self::Typing(fields.text("room_id")?),
            _ => Self::Ping,
        })
    }
}

fn credentials(fields: &mut Fields) -> Result<Credentials, FrameError> {
    match (fields.optional_text("token")?, fields.optional_bool("guest")?.unwrap_or_default()) {
        (Some(token), false) => Ok(Credentials::Token(token)),
        (None, true) => Ok(Credentials::Guest),
        (Some(_), true) => Err(FrameError::GuestWithToken),
        (None, false) => Err(FieldError::Missing("token").into()),
    }
}

fn reference(text: String) -> Result<String, FrameError> {
    let comes_back = text.len() <= REF_MAX && !text.contains('\0');
    if comes_back { Ok(text) } else { Err(FrameError::Reference) }
}

fn cursors(
    rooms: serde_json::Map<String, Value>,
) -> Result<BTreeMap<String, Option<String>>, FieldError> {
    let cursor = |(room, value)| match value {
        Value::Null => Ok((room, None)),
        Value::String(cursor) => Ok((room, Some(cursor))),
        _ => Err(FieldError::WrongType { field: "rooms", expected: "cursors or null" }),
    };
    rooms.into_iter().map(cursor).collect()
}

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Outbound<'a> {
    /// The person is known; everything else may begin.
    Ready {
        /// The subject of the token.
        user_id: &'a UserId,
        /// Until when, without a fresh token.
        expires_at: DateTime<Utc>,
    },
    /// A guest is let in.
    #[serde(rename = "ready")]
    Welcome {
        /// Always `true`.
        guest: bool,
    },
    /// A `send` stands in the log.
    Ack {
        /// The `ref` of the `send` that is answered.
        r#ref: &'a str,
        /// The id it got.
        message_id: MessageId,
        /// Its place; left out when the log did not tell.
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<Cursor>,
    },
    /// A `send` was not acknowledged.
    Nack {
        /// The `ref` of the `send` that is answered.
        r#ref: &'a str,
        /// What happened, for programs.
        code: &'a str,
        /// What happened, for people.
        detail: &'a str,
        /// The id it has if the outcome is unknown.
        #[serde(skip_serializing_if = "Option::is_none")]
        message_id: Option<MessageId>,
    },
    /// Something was said.
    Event {
        /// The room in which it was said.
        room_id: &'a RoomId,
        /// Its place in the room's order.
        cur: Cursor,
        /// The place of the room's event before it, if known.
        #[serde(skip_serializing_if = "Option::is_none")]
        prev: Option<Cursor>,
        /// The record, as it stands in the log.
        event: &'a Envelope,
    },
    /// Somebody has read a room.
    Marker {
        /// The room.
        room_id: &'a RoomId,
        /// Who has read it.
        user_id: &'a UserId,
        /// The last place that they have read.
        cursor: Cursor,
    },
    /// Everything of a subscribed room up to this cursor was sent.
    Resumed {
        /// The room that was subscribed.
        room_id: &'a RoomId,
        /// At least the end of the log when it was subscribed, and no less than the last event.
        upto: Cursor,
    },
    /// The cursor of a subscription is of no use: of another partition or beyond the log. The room
    /// is not subscribed.
    Reset {
        /// The room that is not subscribed.
        room_id: &'a RoomId,
        /// Everything there is comes after this cursor.
        oldest: Cursor,
    },
    /// A resume waits for the archive, which is behind or away: the events come later.
    Behind {
        /// The room whose events come later.
        room_id: &'a RoomId,
        /// When the archive is asked again, in milliseconds.
        retry: u64,
    },
    /// What the person is to know of rooms that the socket does not hear.
    Rooms {
        /// Rooms that the person came into.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        added: &'a [Added],
        /// Rooms that the person went out of.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        removed: &'a [Removed],
        /// Rooms in which something was said.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        activity: &'a [Activity],
    },
    /// Somebody types.
    Typing {
        /// The room.
        room_id: &'a RoomId,
        /// Who.
        user_id: &'a UserId,
        /// The name of that person.
        user_name: &'a UserName,
    },
    /// Members of a room came online or went offline.
    Presence {
        /// The room.
        room_id: &'a RoomId,
        /// Who is online now.
        online: &'a [&'a UserId],
        /// Who is offline now.
        offline: &'a [&'a UserId],
    },
    /// How many are online in the whole system.
    Counts {
        /// People, however many sockets each has.
        signed_in: usize,
        /// Sockets of guests.
        guests: u64,
    },
    /// The token will expire; `auth` with a fresh one keeps the socket.
    AuthExpiring {
        /// When the token in use expires.
        expires_at: DateTime<Utc>,
    },
    /// This replica is leaving.
    Drain {
        /// When it closes this socket, in milliseconds. The client may go before.
        after: u64,
    },
    /// The answer to `ping`.
    Pong,
    /// Something in a frame could not be done.
    Error {
        /// What happened, for programs.
        code: &'a str,
        /// What happened, for people.
        detail: &'a str,
        /// The room it is about.
        #[serde(skip_serializing_if = "Option::is_none")]
        room_id: Option<&'a str>,
    },
}

impl Outbound<'_> {
    /// The text of the frame.
    ///
    /// # Panics
    /// Never: a frame is plain data with text keys.
    #[must_use]
    pub fn encode(&self) -> Utf8Bytes {
        serde_json::to_string(self).expect("a frame is plain data with text keys").into()
    }

    /// The frame as it goes over the wire, with its header.
    ///
    /// # Panics
    /// Never: a frame is plain data with text keys.
    #[must_use]
    pub fn framed(&self) -> Bytes {
        /// Names of fields, and two cursors.
        const AROUND: usize = 128;
        let texts = match self {
            Self::Event { room_id, event, .. } => room_id.as_str().len() + event.json_bytes(),
            _ => 0,
        };
        framed(AROUND + texts, |frame| {
            serde_json::to_writer(frame, self).expect("a frame is plain data with text keys");
        })
    }
}

/// An event as every receiver gets it, with the header of its frame.
#[must_use]
pub fn event(event: &Event, previous: Option<Cursor>) -> Bytes {
    let envelope = &event.envelope;
    let frame = Outbound::Event {
        room_id: &envelope.room_id,
        cur: event.cursor(),
        prev: previous,
        event: envelope,
    };
    frame.framed()
}

/// The event of a frame that [`event`] made, and the place of the one before it. None of one that has no
/// text any more.
#[must_use]
pub fn of_event(frame: &[u8]) -> Option<(Envelope, Option<Cursor>)> {
    #[derive(Deserialize)]
    struct Read {
        prev: Option<String>,
        event: Value,
    }
    let Read { prev, event } = serde_json::from_slice(text(frame)?).ok()?;
    let previous = prev.map(|prev| Cursor::parse(&prev)).transpose().ok()?;
    match message::read(event.to_string().as_bytes(), None).ok()? {
        ReadValue::Known(envelope) => Some((envelope, previous)),
        ReadValue::Newer(_) => None,
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
