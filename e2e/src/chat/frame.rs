//! The frames of subprotocol `chat.v1`, as a client writes and reads them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a client says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "described with the API")]
pub enum Outgoing<'a> {
    Auth {
        token: &'a str,
    },
    #[serde(rename = "auth")]
    Guest {
        guest: bool,
    },
    Subscribe {
        rooms: BTreeMap<&'a str, Option<&'a str>>,
    },
    Send {
        r#ref: &'a str,
        room_id: &'a str,
        content: &'a str,
        key: &'a str,
    },
    Typing {
        room_id: &'a str,
    },
    Ping,
}

/// What the server says, as far as a client needs it.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "described with the API")]
pub enum Incoming {
    Ready {},
    Ack {
        r#ref: String,
        message_id: Uuid,
        cursor: Option<String>,
    },
    Nack {
        r#ref: String,
        code: String,
    },
    Event {
        room_id: String,
        cur: String,
        prev: Option<String>,
        event: Envelope,
    },
    Resumed {
        room_id: String,
        upto: String,
    },
    Reset {
        room_id: String,
        oldest: String,
    },
    Behind {},
    AuthExpiring {},
    /// The replica leaves in this many milliseconds.
    Drain {
        after: u64,
    },
    Pong,
    /// How many are online. It comes at any time.
    Counts {
        signed_in: u64,
        guests: u64,
    },
    /// Somebody else types.
    Typing {
        room_id: String,
        user_id: String,
    },
    Error {
        code: String,
        detail: String,
    },
    /// A frame that this client does not know: later servers may say more.
    #[serde(other)]
    Unknown,
}

/// The part of an envelope that the reference client needs.
#[derive(Debug, Deserialize)]
pub struct Envelope {
    /// The message's id.
    pub message_id: Uuid,
}

impl Outgoing<'_> {
    /// The text of the frame.
    ///
    /// # Panics
    /// Never: a frame is plain data with text keys.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a frame is plain data with text keys")
    }
}

#[cfg(test)]
mod tests {
    use super::{Incoming, Outgoing};

    fn parse(text: &str) -> Incoming {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn frames_are_written_as_documented() {
        let rooms = [("lobby", None), ("a", Some("x"))].into();
        let text = Outgoing::Subscribe { rooms }.text();
        assert_eq!(text, r#"{"type":"subscribe","rooms":{"a":"x","lobby":null}}"#);
        assert_eq!(Outgoing::Ping.text(), r#"{"type":"ping"}"#);
        let typing = Outgoing::Typing { room_id: "lobby" };
        assert_eq!(typing.text(), r#"{"type":"typing","room_id":"lobby"}"#);
        assert_eq!(Outgoing::Guest { guest: true }.text(), r#"{"type":"auth","guest":true}"#);
    }

    #[test]
    fn frames_are_read_and_what_a_later_server_adds_is_passed_over() {
        let event = parse(
            r#"{"type":"event","room_id":"lobby","cur":"c","later":1,
                "event":{"v":1,"message_id":"019ab1c4-91f2-7b60-8a47-d1c02be9a7f0"}}"#,
        );
        assert!(matches!(event, Incoming::Event { cur, prev: None, .. } if cur == "c"));
        assert!(matches!(parse(r#"{"type":"drain","after":700}"#), Incoming::Drain { after: 700 }));
        let expiring = parse(r#"{"type":"auth_expiring","expires_at":"2026-11-22T08:30:00Z"}"#);
        assert!(matches!(expiring, Incoming::AuthExpiring {}));
        let behind = parse(r#"{"type":"behind","room_id":"lobby","retry":250}"#);
        assert!(matches!(behind, Incoming::Behind {}));
        let counts = parse(r#"{"type":"counts","signed_in":3,"guests":1}"#);
        assert!(matches!(counts, Incoming::Counts { signed_in: 3, guests: 1 }));
        let typing = parse(r#"{"type":"typing","room_id":"a","user_id":"b","user_name":"B"}"#);
        assert!(matches!(typing, Incoming::Typing { user_id, .. } if user_id == "b"));
        assert!(matches!(parse(r#"{"type":"later","room_id":"a"}"#), Incoming::Unknown));
    }
}
