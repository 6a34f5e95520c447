//! An event as the hub holds it.

use tokio_tungstenite::tungstenite::Bytes;

use crate::message::{
    Cursor, Ended, Envelope, Event, Kind, MessageId, Partition, Position, RoomId,
};
use crate::ws::frame;

/// What an entry costs beside its frame, in bytes: itself behind a counted pointer (128), what counts
/// those who send its frame (32), its places in the ring and in the index of rooms (32). Not counted is
/// what the buffer of the frame has left: it was made about as long as the text.
const OVERHEAD: usize = 192;

/// An event as it goes over the wire, made once for all its receivers. It is never changed: what is to be
/// sent in its place is another entry.
///
/// There is one frame for every dialect of sockets. Those beside `chat.v1` carry its text as it is,
/// behind a head that names the receiver's own subscription and what [`Meta`] tells, so that head cannot
/// be shared. The event itself is not kept: every text would be held twice.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in its partition.
    pub position: Position,
    /// The room whose listeners get it.
    pub room: RoomId,
    /// What it is, for those who do not read its frame.
    pub meta: Meta,
    frame: Bytes,
}

/// What an event is, without its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The id of its record.
    pub id: MessageId,
    /// The kind of its record.
    pub kind: Kind,
    /// The message it was done to, if it was done to one.
    pub target: Option<MessageId>,
    /// Who hears nothing of the room that comes after it.
    pub ends: Option<Ended>,
}

impl Meta {
    fn of(envelope: &Envelope) -> Self {
        let Envelope { message_id, body, .. } = envelope;
        Self {
            id: *message_id,
            kind: body.kind(),
            target: body.change().map(|change| change.target.message_id),
            ends: body.proposal().and_then(|proposal| proposal.change.ended()),
        }
    }

    /// Whether it is a message, or was done to it.
    #[must_use]
    pub fn is_about(&self, message: MessageId) -> bool {
        self.id == message || self.target == Some(message)
    }
}

impl Entry {
    /// The entry of an event. `previous` is the position of the room's event before it, if that is known.
    #[must_use]
    pub fn of(event: &Event, previous: Option<Position>) -> Self {
        let Event { partition, position, envelope } = event;
        let previous = previous.map(|position| Cursor { partition: *partition, position });
        let meta = Meta::of(envelope);
        let frame = frame::event(event, previous);
        Self { position: *position, room: envelope.room_id.clone(), meta, frame }
    }

    /// The entry of a proposal that changes nothing, or of which that is not known yet: it keeps the place,
    /// and nobody is sent anything.
    #[must_use]
    pub fn silent(event: &Event) -> Self {
        let Event { position, envelope, .. } = event;
        let meta = Meta { ends: None, ..Meta::of(envelope) };
        Self::new(*position, envelope.room_id.clone(), meta, Bytes::new())
    }

    /// Whether nothing is sent for it.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.frame.is_empty()
    }

    /// An entry with a frame that was made otherwise.
    #[must_use]
    pub fn new(position: Position, room: RoomId, meta: Meta, frame: Bytes) -> Self {
        Self { position, room, meta, frame }
    }

    /// The same without what was said, to be sent in its place. None if nothing was, or is any more.
    #[must_use]
    pub fn blank(&self, partition: Partition) -> Option<Self> {
        // The event is not kept beside its frame, and few are ever asked for.
        let (envelope, previous) = frame::of_event(&self.frame)?;
        envelope.body.content()?;
        let body = envelope.body.blank();
        let event =
            Event { partition, position: self.position, envelope: Envelope { body, ..envelope } };
        let frame = frame::event(&event, previous);
        Some(Self::new(self.position, self.room.clone(), self.meta.clone(), frame))
    }

    /// What is sent, with the header of its frame.
    #[must_use]
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// What it takes of a ring, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        Self::bytes_of(self.frame.len())
    }

    /// What an entry takes of a ring whose frame has that many bytes.
    #[must_use]
    pub fn bytes_of(frame: usize) -> usize {
        frame + OVERHEAD
    }
}
