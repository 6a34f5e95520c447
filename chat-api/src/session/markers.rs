//! How far this socket's person has read: said by the socket, and told to it.

use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::Session;
use super::authenticated::Owner;
use super::completed::Completed;
use super::end::End;
use crate::message::{Cursor, RoomId};
use crate::refusal::Refusal;
use crate::visitor::Visitor;
use crate::ws::frame::{Outbound, Read};

impl Session {
    /// Notes up to where a room was read. Nothing answers that but a refusal.
    pub(super) async fn mark(
        &mut self,
        owner: &Owner,
        Read { room_id, cursor }: Read,
    ) -> Result<(), End> {
        let Owner::Person(caller) = owner else { return self.complain_of_guest(&room_id).await };
        let Ok(room) = RoomId::parse(&room_id) else {
            return self.complain_of_room(&room_id).await;
        };
        let Ok(cursor) = Cursor::parse(&cursor) else {
            return self.complain("bad-cursor", "this is not a cursor", &room_id).await;
        };
        let (service, author) = (Arc::clone(&self.service), caller.author.clone());
        let marked = async move {
            let marked = service.ingest.mark(&author, &room, cursor).await;
            Completed::Read(marked.err().map(|error| refused(&room, &error.into())))
        };
        self.sends += 1;
        self.work.push(marked.boxed());
        Ok(())
    }

    /// Says up to where this person has read rooms, on this device or another, of which not everybody is
    /// told how far the others are.
    pub(super) async fn tell_own_markers(&mut self, visitor: &Visitor) -> Result<(), End> {
        let Some(person) = visitor.person() else { return Ok(()) };
        for (room, position) in self.seat.take_markers() {
            let heard = self.rooms.iter().find(|subscription| subscription.feed.room == room);
            let Some(partition) = heard.map(|subscription| subscription.feed.partition) else {
                continue;
            };
            let cursor = Cursor { partition, position };
            self.say(&Outbound::Marker { room_id: &room, user_id: person, cursor }).await?;
        }
        Ok(())
    }
}

fn refused(room: &RoomId, refusal: &Refusal) -> Utf8Bytes {
    let (code, detail) = (refusal.frame_code(), refusal.to_string());
    Outbound::Error { code, detail: &detail, room_id: Some(room.as_str()) }.encode()
}
