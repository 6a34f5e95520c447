//! What counts: three comparisons, the same in every reader of the log.

use crate::message::{
    MemberChange, Position, Proposal, Proposed, RoomChange, Settings, Standing, UserId,
};

use super::state::{Phase, Room, RoomKind, RoomState};

/// Whether a proposal counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// All it was judged on stood where it stands in the log: the room is as it says from there on.
    Accepted,
    /// Something of that had changed: it changes nothing, now and whenever it comes again.
    Void,
}

impl RoomState {
    /// Decides about the next proposal of the room, by whoever did it, and changes the room if it counts.
    pub fn decide(&mut self, position: Position, actor: &UserId, proposal: &Proposal) -> Verdict {
        let Proposal { on, change } = proposal;
        let stands = on.room == self.at()
            && on.actor.is_none_or(|at| at == self.position(actor))
            && on.subject == change.other().map(|person| self.position(person));
        if !stands {
            return Verdict::Void;
        }
        match change {
            Proposed::Room(change) => self.apply(position, actor, change),
            Proposed::Member(change) => self.apply_to_member(position, change),
        }
        Verdict::Accepted
    }

    fn apply(&mut self, position: Position, actor: &UserId, change: &RoomChange) {
        match change {
            RoomChange::Create { visibility, name } => {
                let (kind, name) = (RoomKind::from(*visibility), Some(name.clone()));
                self.create(Room { kind, name, phase: Phase::Open });
                self.set(actor, Standing::Owner, position);
            }
            RoomChange::CreateDirect { with } => {
                self.create(Room { kind: RoomKind::Direct, name: None, phase: Phase::Open });
                self.set(actor, Standing::Member, position);
                self.set(with, Standing::Member, position);
            }
            RoomChange::Set(Settings { name, visibility, archived }) => self.change(|room| {
                if name.is_some() {
                    room.name.clone_from(name);
                }
                room.kind = visibility.map_or(room.kind, RoomKind::from);
                room.phase = match archived {
                    Some(true) => Phase::Archived,
                    Some(false) => Phase::Open,
                    None => room.phase,
                };
            }),
            RoomChange::Delete => {
                self.change(|room| room.phase = Phase::Deleted);
                self.clear();
            }
        }
        self.move_to(position);
    }

    fn apply_to_member(&mut self, position: Position, change: &MemberChange) {
        let MemberChange { act, subject, successor, archives, moves_room } = change;
        self.set(subject, act.standing(), position);
        if let Some(successor) = successor {
            self.set(successor, Standing::Owner, position);
        }
        if *archives {
            self.change(|room| room.phase = Phase::Archived);
        }
        if *moves_room {
            self.move_to(position);
        }
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
