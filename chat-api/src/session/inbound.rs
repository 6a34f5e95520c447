//! What a client may ask for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::Session;
use super::authenticated::AuthenticatedSession;
use super::completed::Completed;
use super::end::End;
use super::feed::{Beginning, Feed};
use super::place::Place;
use super::subscription::{ROOMS_MAX, Subscription, Waits};
use crate::auth::{self, AuthError, Caller};
use crate::hub::Listener as _;
use crate::ingest::{Accepted, SendError};
use crate::message::{Cursor, Draft, IdempotencyKey, RawDraft, RoomId};
use crate::refusal::Refusal;
use crate::rooms::Access;
use crate::typing::UnknownRoom;
use crate::ws::close::Close;
use crate::ws::frame::{self, Inbound, Outbound};

/// A name that is repeated in an answer, in bytes: as long as a room's may be. A frame that names a
/// longer one could be larger than the one in which it came.
const REPEATED_MAX: usize = 64;
/// How long a cursor that is ahead of this replica is waited for: it may come from another one.
const AHEAD: Duration = Duration::from_secs(2);

impl Session {
    /// Lets in whoever the token names.
    pub(super) async fn enter(&mut self, token: &str) -> Result<AuthenticatedSession, End> {
        let caller = auth::authenticate(&self.service.verifier, token).await;
        let caller = caller.map_err(|error| match error {
            AuthError::Token(dex_tokens::TokenError::Unavailable) => {
                End::Close(Close::TryAgainLater, error.to_string())
            }
            _ => End::Close(Close::BadToken, error.to_string()),
        })?;
        self.seat.belongs_to(&caller.author.user_id);
        self.welcome(caller).await
    }

    /// Goes on with a fresh token of the same person.
    pub(super) async fn renew(
        &mut self,
        authenticated: &mut AuthenticatedSession,
        token: &str,
    ) -> Result<(), End> {
        match auth::authenticate(&self.service.verifier, token).await {
            Ok(fresh) if fresh.author.user_id == authenticated.caller.author.user_id => {
                *authenticated = self.welcome(fresh).await?;
                Ok(())
            }
            Ok(_) => Err(End::Close(Close::BadToken, "the token is somebody else's".to_owned())),
            // The token that is in use still passes; the client may try again until it does not.
            Err(error @ AuthError::Token(dex_tokens::TokenError::Unavailable)) => {
                let detail = error.to_string();
                self.say(&Outbound::Error {
                    code: "keys-unavailable",
                    detail: &detail,
                    room_id: None,
                })
                .await
            }
            Err(error) => Err(End::Close(Close::BadToken, error.to_string())),
        }
    }

    async fn welcome(&mut self, caller: Caller) -> Result<AuthenticatedSession, End> {
        let user_id = &caller.author.user_id;
        // With a fresh token somebody may have another name.
        self.visit = Some(self.service.presence.enter(&caller.author));
        self.say(&Outbound::Ready { user_id, expires_at: caller.expires_at }).await?;
        Ok(AuthenticatedSession::new(&self.service, caller))
    }

    pub(super) async fn handle(&mut self, caller: &Caller, frame: Inbound) -> Result<(), End> {
        match frame {
            Inbound::Auth(_) => Ok(()),
            Inbound::Subscribe(rooms) => self.subscribe(caller, rooms).await,
            Inbound::Unsubscribe(rooms) => {
                self.rooms
                    .retain(|heard| !rooms.iter().any(|name| name == heard.feed.room.as_str()));
                Ok(())
            }
            Inbound::Send(send) => self.append(caller, send).await,
            Inbound::Typing(room) => self.type_in(caller, &room).await,
            Inbound::Ping => self.say(&Outbound::Pong).await,
        }
    }

    async fn subscribe(
        &mut self,
        caller: &Caller,
        rooms: BTreeMap<String, Option<String>>,
    ) -> Result<(), End> {
        if rooms.len() > ROOMS_MAX {
            let detail = "a frame names 128 rooms at most: none of these is subscribed";
            return self
                .say(&Outbound::Error { code: "too-many-rooms", detail, room_id: None })
                .await;
        }
        for (name, cursor) in rooms {
            let may_read = |room: &RoomId| Access::of(room, &caller.author.user_id).may_read();
            let Some(room) = RoomId::parse(&name).ok().filter(may_read) else {
                let unknown = Refusal::UNKNOWN_ROOM;
                self.complain(unknown.frame_code(), &unknown.to_string(), &name).await?;
                continue;
            };
            let cursor = cursor.map(|text| Cursor::parse(&text)).transpose();
            let Ok(cursor) = cursor else {
                self.complain("bad-cursor", "this is not a cursor", &name).await?;
                continue;
            };
            let heard = self.rooms.iter().any(|subscription| subscription.feed.room == room);
            if self.rooms.len() >= ROOMS_MAX && !heard {
                self.complain("too-many-rooms", "a socket hears 128 rooms at most", &name).await?;
                continue;
            }
            self.listen(caller, room, cursor).await?;
        }
        Ok(())
    }

    async fn listen(
        &mut self,
        caller: &Caller,
        room: RoomId,
        cursor: Option<Cursor>,
    ) -> Result<(), End> {
        let (hub, partition) = (Arc::clone(&self.service.hub), self.service.partitioner.of(&room));
        self.rooms.retain(|subscription| subscription.feed.room != room);
        let head = hub.head(partition);
        let place = Place::new(cursor.map(|cursor| cursor.position), head);
        let is_foreign = |cursor: Cursor| {
            cursor.partition != partition || hub.is_beyond(partition, cursor.position)
        };
        if cursor.is_some_and(is_foreign) {
            return self.reset(partition, &room).await;
        }
        let waits =
            if place.next() > head { Waits::Log(Instant::now() + AHEAD) } else { Waits::Events };
        // Nothing is read of what is ahead of the log, and it must not be put off: it may lie in no log.
        let reads_again =
            cursor.is_some() && waits == Waits::Events && !self.reading.is_first(&room);
        let is_held = reads_again && self.service.reads.admit(&caller.author.user_id).is_err();
        let person = caller.author.user_id.clone();
        let beginning = Beginning { partition, room, person, place, since: head };
        let (line, wake) = (Arc::clone(&self.line), Arc::clone(self.seat.wake()));
        let feed = Arc::new(Feed::new(beginning, Arc::clone(&hub), line, wake));
        feed.hold(is_held);
        // From here on sweeps may be first; whatever was there before, this task reads.
        let listening = hub.listen(partition, &feed.room, Arc::clone(&feed) as _);
        self.rooms.push(Subscription::new(Arc::clone(&feed), listening, waits));
        if feed.room.as_str() == RoomId::LOBBY {
            // The lobby is everybody's, and so are these.
            let presence = &self.service.presence;
            if !feed.offer(&presence.notice()) {
                presence.note_missed();
            }
        }
        if is_held {
            return self.postpone(self.rooms.len() - 1).await;
        }
        Ok(())
    }

    /// Somebody types. What comes too often is nobody's mistake: it is passed over.
    async fn type_in(&mut self, caller: &Caller, name: &str) -> Result<(), End> {
        let room = RoomId::parse(name).ok();
        match room.map(|room| self.service.typing.say(&caller.author, &room)) {
            Some(Ok(())) => Ok(()),
            Some(Err(UnknownRoom)) | None => {
                let unknown = Refusal::UNKNOWN_ROOM;
                self.complain(unknown.frame_code(), &unknown.to_string(), name).await
            }
        }
    }

    async fn append(&mut self, caller: &Caller, send: frame::Send) -> Result<(), End> {
        let frame::Send { reference, room_id, content, reply_to, key } = send;
        let key = key.as_deref().map(IdempotencyKey::parse).transpose();
        let (content, reply_to) = (Ok(content), Ok(reply_to));
        let raw = RawDraft { room_id: Some(room_id), content, reply_to, key };
        let draft = match Draft::parse(raw) {
            Ok(draft) => draft,
            Err(error) => return self.send(Message::Text(nack(&reference, &error.into()))).await,
        };
        let (service, author) = (Arc::clone(&self.service), caller.author.clone());
        let answer = async move {
            let accepted = service.ingest.send(&author, draft).await;
            Completed::Send(answer(&reference, accepted))
        };
        self.sends += 1;
        self.work.push(answer.boxed());
        Ok(())
    }

    async fn complain(&mut self, code: &str, detail: &str, room: &str) -> Result<(), End> {
        let room_id = (room.len() <= REPEATED_MAX).then_some(room);
        self.say(&Outbound::Error { code, detail, room_id }).await
    }
}

fn answer(reference: &str, accepted: Result<Accepted, SendError>) -> Utf8Bytes {
    match accepted {
        Ok(Accepted { message_id, cursor }) => {
            Outbound::Ack { r#ref: reference, message_id, cursor }.encode()
        }
        Err(error) => nack(reference, &error.into()),
    }
}

fn nack(reference: &str, refusal: &Refusal) -> Utf8Bytes {
    let (code, detail) = (refusal.frame_code(), refusal.to_string());
    let message_id = refusal.possible_message();
    Outbound::Nack { r#ref: reference, code, detail: &detail, message_id }.encode()
}
