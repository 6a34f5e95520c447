//! What a client knows of the lobby: what it was shown, and every event since, by the rules of
//! docs/API.md.

use std::collections::BTreeMap;

use chat_api::message::{Change, Cursor, Position};
use serde_json::Value;

use crate::setup::{Replica, Setup};

/// The messages by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KnownRoom {
    pub(crate) messages: BTreeMap<String, KnownMessage>,
}

/// A message as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownMessage {
    pub(crate) content: Option<String>,
    edited_at: Option<String>,
    deleted_at: Option<String>,
    reply_to: Option<String>,
    pinned: bool,
    /// How many react with each emoji, and whether this person does.
    pub(crate) reactions: BTreeMap<String, (u64, bool)>,
    /// Events up to here are in.
    upto: Position,
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn position(cursor: &Value) -> Position {
    Cursor::parse(cursor.as_str().unwrap()).unwrap().position
}

impl KnownRoom {
    /// The whole history of the lobby, page by page, and up to where it goes.
    pub(crate) async fn fetch(replica: &Replica, token: &str) -> (Self, String) {
        let (mut room, mut next) = (Self::default(), Some("/v1/messages?limit=20".to_owned()));
        let mut complete = None;
        while let Some(path) = next {
            let response = replica.get(token, &path).await;
            assert_eq!(response.status(), 200);
            let header = |name| {
                let value = response.headers().get(name)?;
                Some(value.to_str().unwrap().to_owned())
            };
            complete = complete.or(header("x-cursor"));
            next = header("link")
                .map(|link| link.strip_prefix('<').unwrap().split_once('>').unwrap().0.to_owned());
            let page: Vec<Value> = response.json().await.unwrap();
            for message in &page {
                room.show(message);
            }
        }
        (room, complete.unwrap())
    }

    /// Takes in a message that was shown.
    fn show(&mut self, message: &Value) {
        let reactions = message["reactions"].as_array().into_iter().flatten();
        let reaction = |one: &Value| {
            let count = one["count"].as_u64().unwrap();
            (text(&one["emoji"]).unwrap(), (count, one["mine"].as_bool().unwrap()))
        };
        let shown = message.get("changed").unwrap_or(&message["cursor"]);
        let known = KnownMessage {
            content: text(&message["content"]),
            edited_at: text(&message["edited_at"]),
            deleted_at: text(&message["deleted_at"]),
            reply_to: text(&message["reply_to"]),
            pinned: message["pinned"].as_bool().unwrap_or(false),
            reactions: reactions.map(reaction).collect(),
            upto: position(shown),
        };
        self.messages.insert(text(&message["message_id"]).unwrap(), known);
    }

    /// Takes in what was heard, as the person with that id.
    pub(crate) fn hear(&mut self, frame: &Value, me: &str) {
        let (event, at) = (&frame["event"], position(&frame["cur"]));
        let id = |field: &str| text(&event[field]).unwrap();
        if event["type"] == "message" {
            self.messages.entry(id("message_id")).or_insert_with(|| KnownMessage {
                content: text(&event["content"]),
                edited_at: None,
                deleted_at: None,
                reply_to: text(&event["reply_to"]),
                pinned: false,
                reactions: BTreeMap::new(),
                upto: at,
            });
            return;
        }
        let Some(known) = self.messages.get_mut(&id("ref")) else { return };
        if at <= known.upto {
            return;
        }
        known.upto = at;
        if known.deleted_at.is_some() {
            return;
        }
        match event["type"].as_str().unwrap() {
            "edit" => {
                (known.content, known.edited_at) =
                    (text(&event["content"]), text(&event["timestamp"]));
            }
            "delete" => {
                (known.content, known.edited_at, known.pinned) = (None, None, false);
                known.deleted_at = text(&event["timestamp"]);
                known.reactions.clear();
            }
            "pin" => known.pinned = event["on"].as_bool().unwrap(),
            "react" => known.react(&id("emoji"), event["on"] == true, event["user_id"] == me),
            other => panic!("{other}"),
        }
    }
}

impl KnownMessage {
    fn react(&mut self, emoji: &str, on: bool, is_mine: bool) {
        let all: u64 = self.reactions.values().map(|(count, _)| count).sum();
        let (most, kinds) = (Change::REACTIONS_MAX as u64, Change::EMOJI_MAX);
        let is_full = !self.reactions.contains_key(emoji) && self.reactions.len() >= kinds;
        if on && (all >= most || is_full) {
            return;
        }
        let (count, mine) = self.reactions.entry(emoji.to_owned()).or_default();
        *count = if on { *count + 1 } else { count.saturating_sub(1) };
        *mine = if is_mine { on } else { *mine };
        self.reactions.retain(|_, (count, _)| *count > 0);
    }
}

/// The cursor before everything in the lobby.
pub(crate) fn beginning() -> String {
    let (partition, position) = (Setup::lobby_partition(), Position::BEFORE_ALL);
    Cursor { partition, position }.to_string()
}
