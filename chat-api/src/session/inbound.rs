//! What a client may ask for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::Session;
use super::authenticated::{AuthenticatedSession, Owner};
use super::completed::Completed;
use super::end::End;
use super::feed::{Beginning, Feed};
use super::place::Place;
use super::subscription::{ROOMS_MAX, Subscription, Waits};
use crate::hub::{Known, Listener as _};
use crate::ingest::{Accepted, SendError};
use crate::message::{Cursor, Draft, IdempotencyKey, RawDraft, RoomId};
use crate::refusal::Refusal;
use crate::rooms::{Access, Refused};
use crate::visitor::Visitor;
use crate::ws::frame::{self, Inbound, Outbound};

/// A name that is repeated in an answer, in bytes: as long as a room's may be. A frame that names a
/// longer one could be larger than the one in which it came.
const REPEATED_MAX: usize = 64;
/// How long a cursor that is ahead of this replica is waited for: it may come from another one.
const AHEAD: Duration = Duration::from_secs(2);

/// Why a room is not heard.
enum NotHeard {
    /// There is none for this visitor.
    Unknown,
    /// It is not known here yet.
    NotLoaded,
}

impl Session {
    pub(super) async fn handle(
        &mut self,
        authenticated: &AuthenticatedSession,
        frame: Inbound,
    ) -> Result<(), End> {
        match frame {
            Inbound::Auth(_) => Ok(()),
            Inbound::Subscribe(rooms) => self.subscribe(&authenticated.visitor, rooms).await,
            Inbound::Unsubscribe(rooms) => {
                self.leave(|room| rooms.iter().any(|name| name == room.as_str()));
                Ok(())
            }
            Inbound::Send(send) => self.append(&authenticated.owner, send).await,
            Inbound::Read(read) => self.mark(&authenticated.owner, read).await,
            Inbound::Typing(room) => self.type_in(&authenticated.owner, &room).await,
            Inbound::Ping => self.say(&Outbound::Pong).await,
        }
    }

    async fn subscribe(
        &mut self,
        visitor: &Visitor,
        rooms: BTreeMap<String, Option<String>>,
    ) -> Result<(), End> {
        if rooms.len() > ROOMS_MAX {
            let detail = "a frame names 128 rooms at most: none of these is subscribed";
            return self
                .say(&Outbound::Error { code: "too-many-rooms", detail, room_id: None })
                .await;
        }
        for (name, cursor) in rooms {
            let Ok(room) = RoomId::parse(&name) else {
                self.complain_of_room(&name).await?;
                continue;
            };
            let cursor = cursor.map(|text| Cursor::parse(&text)).transpose();
            let Ok(cursor) = cursor else {
                self.complain("bad-cursor", "this is not a cursor", &name).await?;
                continue;
            };
            self.leave(|heard| *heard == room);
            if self.rooms.len() + self.wanted.len() >= ROOMS_MAX {
                self.complain("too-many-rooms", "a socket hears 128 rooms at most", &name).await?;
                continue;
            }
            self.listen(visitor, room, cursor, false).await?;
        }
        Ok(())
    }

    /// Hears nothing more of rooms.
    fn leave(&mut self, is_left: impl Fn(&RoomId) -> bool) {
        self.rooms.retain(|subscription| !is_left(&subscription.feed.room));
        self.wanted.forget(is_left);
    }

    /// Hears a room from a cursor on, as soon as it is known: one that was just loaded is not loaded again
    /// at once.
    pub(super) async fn listen(
        &mut self,
        visitor: &Visitor,
        room: RoomId,
        cursor: Option<Cursor>,
        is_loaded: bool,
    ) -> Result<(), End> {
        let (hub, partition) = (Arc::clone(&self.service.hub), self.service.partitioner.of(&room));
        let head = hub.head(partition);
        let place = Place::new(cursor.map(|cursor| cursor.position), head);
        let person = visitor.person().cloned();
        let beginning = Beginning { partition, room: room.clone(), person, place };
        let (line, wake) = (Arc::clone(&self.line), Arc::clone(self.seat.wake()));
        let feed = Arc::new(Feed::new(beginning, Arc::clone(&hub), line, wake));
        // From here on sweeps may be first; whatever was there before, this task reads.
        feed.hold(true);
        let admit = |known: Known<'_>, head| match known {
            Known::NotLoaded => Err(NotHeard::NotLoaded),
            // That is told when it is read.
            Known::Unloaded => Ok(()),
            known => {
                let access = known.access(visitor.person());
                let may_read = access.is_some_and(Access::may_read);
                feed.admit(head);
                if may_read { Ok(()) } else { Err(NotHeard::Unknown) }
            }
        };
        let listening = match hub.listen(partition, &room, Arc::clone(&feed) as _, admit) {
            Ok(listening) => listening,
            Err(NotHeard::Unknown) => return self.complain_of_room(room.as_str()).await,
            Err(NotHeard::NotLoaded) if is_loaded => return self.want_later(room, cursor).await,
            Err(NotHeard::NotLoaded) => {
                self.want(visitor, room, cursor);
                return Ok(());
            }
        };
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
        let is_held = reads_again && self.service.reads.admit_visitor(visitor).is_err();
        feed.hold(is_held);
        let by_itself = self.notebook.as_ref().map(|book| book.notified().hear(&feed.room));
        let subscription = Subscription::new(Arc::clone(&feed), listening, by_itself, waits);
        self.rooms.push(subscription);
        self.tell_who_is_online(&feed);
        if is_held {
            return self.postpone(self.rooms.len() - 1).await;
        }
        Ok(())
    }

    /// Tells whoever begins to hear a room who is online: of the lobby how many at once, for that is
    /// everybody's; of another room with the next pass over it.
    fn tell_who_is_online(&self, feed: &Feed) {
        let presence = &self.service.presence;
        if feed.room.as_str() != RoomId::LOBBY {
            presence.note_hearer(&feed.room);
        } else if !feed.offer(&*presence.notice()) {
            presence.note_missed();
        }
    }

    /// Somebody types. The room may have to be loaded, as for a send, and counts as one until it is.
    async fn type_in(&mut self, owner: &Owner, name: &str) -> Result<(), End> {
        let Owner::Person(caller) = owner else { return self.complain_of_guest(name).await };
        let Ok(room) = RoomId::parse(name) else { return self.complain_of_room(name).await };
        let (service, author) = (Arc::clone(&self.service), caller.author.clone());
        let sign = async move {
            let taken = service.typing.say(&author, &room).await;
            Completed::Typing { room, taken }
        };
        self.sends += 1;
        self.work.push(sign.boxed());
        Ok(())
    }

    /// Says why a sign of typing is not taken. What comes too often is nobody's mistake: it is passed over.
    pub(super) async fn typed(
        &mut self,
        room: &RoomId,
        taken: Result<(), Refused>,
    ) -> Result<(), End> {
        self.sends -= 1;
        match taken {
            Ok(()) => Ok(()),
            Err(Refused::NoRoom) => self.complain_of_room(room.as_str()).await,
            Err(refused) => {
                let refusal = Refusal::from(SendError::Room(refused));
                self.complain(refusal.frame_code(), &refusal.to_string(), room.as_str()).await
            }
        }
    }

    async fn append(&mut self, owner: &Owner, send: frame::Send) -> Result<(), End> {
        let frame::Send { reference, room_id, content, reply_to, key } = send;
        let Owner::Person(caller) = owner else {
            return self.send(Message::Text(nack(&reference, &Refusal::Guest))).await;
        };
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

    /// Says that guests only read.
    pub(super) async fn complain_of_guest(&mut self, room: &str) -> Result<(), End> {
        self.complain(Refusal::Guest.frame_code(), &Refusal::Guest.to_string(), room).await
    }

    pub(super) async fn complain_of_room(&mut self, room: &str) -> Result<(), End> {
        let unknown = Refusal::UNKNOWN_ROOM;
        self.complain(unknown.frame_code(), &unknown.to_string(), room).await
    }

    pub(super) async fn complain(
        &mut self,
        code: &str,
        detail: &str,
        room: &str,
    ) -> Result<(), End> {
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
