//! What people want of rooms and memberships.
//!
//! It is judged by what this replica has read, appended, and read back: only where it stands in the log it
//! is known whether it counts. Where something came between, it is judged anew.

use tokio::time::timeout;

use super::Ingest;
use super::error::SendError;
use super::waits::READ_BACK;
use super::writes::NewKind;
use crate::archive::Members;
use crate::hub::Known;
use crate::lookup::LookupError;
use crate::message::{
    Author, Cursor, Envelope, MemberAct, MemberChange, MessageId, Proposal, Proposed, RoomChange,
    RoomId,
};
use crate::room_loader::RoomError;
use crate::rooms::{Actor, Refused, RoomWish, Verdict, judge};

/// The most rooms that one person is in.
const ROOMS_MAX: u64 = 1_000;
/// How often something is judged that is overtaken each time.
const ATTEMPTS: usize = 3;

/// What became of what somebody wants of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is so from this place on.
    Applied(Cursor),
    /// It was so already; nothing came into the log.
    Already,
    /// It stands in the log under this id, and whether it counts was not read in time.
    Enqueued(MessageId),
}

impl Ingest {
    /// Does something to a room or a membership, for a person who may.
    pub async fn propose(
        &self,
        author: &Author,
        room: &RoomId,
        wish: &RoomWish,
    ) -> Result<Settled, SendError> {
        let outcome = self.judge_and_settle(author, room, wish).await;
        self.sends.count(match &outcome {
            Ok(Settled::Applied(_)) => "accepted",
            Ok(Settled::Already) => "unchanged",
            Ok(Settled::Enqueued(_)) => "enqueued",
            Err(error) => error.class(),
        });
        outcome
    }

    async fn judge_and_settle(
        &self,
        author: &Author,
        room: &RoomId,
        wish: &RoomWish,
    ) -> Result<Settled, SendError> {
        let kind = if wish.is_of_member() { NewKind::Member } else { NewKind::Room };
        if !self.writes.allow(kind) {
            return Err(SendError::NotOpenYet(kind));
        }
        if !self.rates.admits(&author.user_id) {
            return Err(SendError::TooFast);
        }
        for _ in 0..ATTEMPTS {
            let proposal = match self.judge(author, room, wish).await? {
                Ok(proposal) => {
                    self.has_room_for(author, &proposal).await?;
                    proposal
                }
                Err(Refused::Already) => return Ok(Settled::Already),
                Err(Refused::NoRoom) => return Err(SendError::UnknownRoom),
                Err(refused) => return Err(SendError::Room(refused)),
            };
            if let Ok(settled) = self.append(author, room, proposal).await? {
                return Ok(settled);
            }
        }
        Err(SendError::Overtaken)
    }

    /// Judges by what is known of the room here.
    async fn judge(
        &self,
        author: &Author,
        room: &RoomId,
        wish: &RoomWish,
    ) -> Result<Result<Proposal, Refused>, RoomError> {
        let partition = self.partitioner.of(room);
        // Loads it, if it is not known.
        self.rooms.access(room, &author.user_id).await?;
        self.hub.room(partition, room, |known| match known {
            Known::Room(state) => {
                let command = wish.command(state, &author.user_id);
                Ok(judge(state, room, &command, Actor::Person(&author.user_id)))
            }
            // It is always there, and nobody's.
            Known::Lobby => Ok(Err(Refused::NotAllowed)),
            Known::NotLoaded => Err(RoomError::Busy),
            Known::Unloaded => Err(RoomError::Unloaded),
        })
    }

    /// Whether one more room is one too many: for whoever makes it today, or for whoever is in it then. It is
    /// judged by what is stored, so joins at the same moment may exceed it by a few.
    async fn has_room_for(&self, author: &Author, proposal: &Proposal) -> Result<(), SendError> {
        let maker = &author.user_id;
        let members = match &proposal.change {
            Proposed::Room(RoomChange::Create { .. }) => vec![maker],
            Proposed::Room(RoomChange::CreateDirect { with }) => vec![maker, with],
            Proposed::Member(MemberChange {
                act: MemberAct::Join | MemberAct::Invite,
                subject,
                ..
            }) => {
                vec![subject]
            }
            Proposed::Room(_) | Proposed::Member(_) => return Ok(()),
        };
        let reader = self.reads.admit(maker).map_err(|_| SendError::TooFast)?;
        for member in members {
            let rooms = Members::of(&reader).count_rooms(member, ROOMS_MAX).await;
            if rooms.map_err(LookupError::from)? >= ROOMS_MAX {
                return Err(SendError::TooManyRooms);
            }
        }
        let is_made = matches!(proposal.change, Proposed::Room(RoomChange::Create { .. }));
        if is_made && !self.rooms_made.admits(maker) {
            return Err(SendError::RoomQuota);
        }
        Ok(())
    }

    /// Appends a proposal, and reads whether it counts.
    async fn append(
        &self,
        author: &Author,
        room: &RoomId,
        proposal: Proposal,
    ) -> Result<Result<Settled, Overtaken>, SendError> {
        let partition = self.partitioner.of(room);
        let envelope = Envelope::propose(
            room.clone(),
            proposal,
            author,
            (self.sources.now)(),
            (self.sources.random)(),
        );
        let message_id = envelope.message_id;
        let appended = self.producer.append(partition, &envelope).await;
        appended.map_err(|error| SendError::Log { message_id, error })?;
        let read = async {
            let read = self.hub.appeared(partition, message_id).await;
            // Its id is known a moment before it is decided about.
            self.hub.reached(partition, read.position.next()).await;
            read.position
        };
        let read = timeout(READ_BACK, read).await;
        let Ok(position) = read else { return Ok(Ok(Settled::Enqueued(message_id))) };
        let cursor = Cursor { partition, position };
        Ok(match self.hub.verdict(partition, position) {
            Some(Verdict::Accepted) => Ok(Settled::Applied(cursor)),
            Some(Verdict::Void) => Err(Overtaken),
            None => Ok(Settled::Enqueued(message_id)),
        })
    }
}

/// Something that changed what it was judged on came between.
struct Overtaken;
