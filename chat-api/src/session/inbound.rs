//! What a client may ask for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes};
use futures_util::FutureExt as _;

use super::{End, Session, Subscription, bad_frame};
use crate::auth::Caller;
use crate::ingest::{self, SendError};
use crate::message::{Content, ContentError, Cursor, Draft, IdempotencyKey, Position, RoomId};
use crate::ws::frame::{self, Inbound, Outbound};

/// Rooms that one socket hears.
const ROOMS_MAX: usize = 128;
/// A cursor of another replica may be a moment ahead of this one; beyond that it is not of this log.
const AHEAD: Duration = Duration::from_secs(2);

impl Session {
    pub(super) async fn handle(&mut self, caller: &Caller, frame: Inbound) -> Result<(), End> {
        match frame {
            Inbound::Auth(_) => Ok(()),
            Inbound::Subscribe(rooms) => self.subscribe(rooms).await,
            Inbound::Unsubscribe(rooms) => {
                self.rooms.retain(|room, _| !rooms.iter().any(|name| name == room.as_str()));
                Ok(())
            }
            Inbound::Send(send) => self.say(caller, send).await,
            Inbound::Ping => self.send(Message::Text(Outbound::Pong.encode())).await,
        }
    }

    async fn subscribe(&mut self, rooms: BTreeMap<String, Option<String>>) -> Result<(), End> {
        if rooms.len() > ROOMS_MAX {
            return Err(bad_frame("too many rooms"));
        }
        for (name, cursor) in rooms {
            let room = RoomId::parse(&name).ok().filter(ingest::is_open_to_all);
            let Some(room) = room else {
                self.complain("unknown-room", "there is no such room", &name).await?;
                continue;
            };
            let cursor = cursor.map(|text| Cursor::parse(&text)).transpose();
            let Ok(cursor) = cursor else {
                self.complain("bad-cursor", "this is not a cursor", &name).await?;
                continue;
            };
            if self.rooms.len() >= ROOMS_MAX && !self.rooms.contains_key(&room) {
                self.complain("too-many-rooms", "a socket hears 128 rooms at most", &name).await?;
                continue;
            }
            self.listen(room, cursor).await?;
        }
        Ok(())
    }

    async fn listen(&mut self, room: RoomId, cursor: Option<Cursor>) -> Result<(), End> {
        let (hub, partition) = (Arc::clone(&self.service.hub), self.service.partitioner.of(&room));
        if let Some(cursor) = cursor {
            let caught_up = hub.reached(partition, cursor.position.next());
            let known = cursor.partition == partition
                && tokio::time::timeout(AHEAD, caught_up).await.is_ok();
            if !known {
                self.rooms.remove(&room);
                let oldest = Cursor { partition, position: Position::BEFORE_ALL };
                let reset = Outbound::Reset { room_id: &room, oldest };
                return self.send(Message::Text(reset.encode())).await;
            }
        }
        // On the list before the head is read: what comes in between wakes.
        let listening = hub.listen(partition, &room, &self.waker);
        let head = hub.head(partition);
        let next = cursor.map_or(head, |cursor| cursor.position.next());
        let subscription =
            Subscription { next, upto: Some(head.previous()), _listening: listening };
        self.rooms.insert(room, subscription);
        Ok(())
    }

    async fn say(&mut self, caller: &Caller, send: frame::Send) -> Result<(), End> {
        let frame::Send { reference, room_id, content, key } = send;
        let Ok(room_id) = RoomId::parse(&room_id) else {
            let detail = SendError::UnknownRoom.to_string();
            return self.refuse(&reference, "unknown-room", &detail).await;
        };
        let content = match Content::parse(&content) {
            Ok(content) => content,
            Err(error) => {
                return self.refuse(&reference, content_code(error), &error.to_string()).await;
            }
        };
        let key = match key.as_deref().map(IdempotencyKey::parse).transpose() {
            Ok(key) => key,
            Err(error) => return self.refuse(&reference, "invalid-key", &error.to_string()).await,
        };
        let (service, author) = (Arc::clone(&self.service), caller.author.clone());
        let answer = async move {
            let accepted = service.ingest.send(&author, Draft { room_id, content, key }).await;
            answer(&reference, accepted)
        };
        self.sends.push(answer.boxed());
        Ok(())
    }

    async fn refuse(&mut self, reference: &str, code: &str, detail: &str) -> Result<(), End> {
        let nack = Outbound::Nack { r#ref: reference, code, detail, message_id: None };
        self.send(Message::Text(nack.encode())).await
    }

    async fn complain(&mut self, code: &str, detail: &str, room: &str) -> Result<(), End> {
        let error = Outbound::Error { code, detail, room_id: Some(room) };
        self.send(Message::Text(error.encode())).await
    }
}

/// The code of a content that is refused, as in the types of problems.
fn content_code(error: ContentError) -> &'static str {
    match error {
        ContentError::Empty => "empty-content",
        ContentError::TooLarge => "content-too-large",
        ContentError::Unstorable => "unstorable-content",
    }
}

fn answer(reference: &str, accepted: Result<ingest::Accepted, SendError>) -> Utf8Bytes {
    match accepted {
        Ok(ingest::Accepted { message_id, cursor }) => {
            Outbound::Ack { r#ref: reference, message_id, cursor }.encode()
        }
        Err(error) => {
            let (code, detail) = error.explain();
            let message_id = error.possible_message();
            Outbound::Nack { r#ref: reference, code, detail, message_id }.encode()
        }
    }
}
