//! What somebody might do wrong.

use super::super::{Phase, RoomState};
use crate::message::{Position, Proposal, Proposed, RoomChange, Standing};

/// A mistake to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    None,
    /// A reader does not compare one of the positions.
    RoomIgnored,
    ActorIgnored,
    SubjectIgnored,
    /// A reader asks the rules, and not the positions.
    RuleInReader,
    /// A reader compares, and then asks the rules as its own release has them.
    OwnRuleBeside,
    /// What counts leaves its subject where it was.
    SubjectStays,
    /// What changes owners leaves the room where it was.
    OwnersStay,
    /// Who has left is forgotten, and with them the place of that.
    LeftForgotten,
    /// A deleted room is forgotten.
    TombstoneForgotten,
    /// Who follows is not what the record was judged on.
    SuccessorIgnored,
    /// A reader leaves a room open that the record archives.
    LeftOpen,
    /// The archive decides again what it reads again.
    DecidedAgain,
    /// The archive keeps its place, and forgets in a crash what it decided last.
    TornBatch,
    /// The archive decides about a record by its subject alone: whoever did it is not looked up.
    ActorNotLookedUp,
    /// Room and members are read at different times.
    LoadedApart,
    /// A removal that is void ends a subscription.
    VoidEnds,
    /// So does one from before the subscription, though its subject has come back since.
    OldEnds,
}

impl Mistake {
    pub(super) const ALL: [Self; 17] = [
        Self::RoomIgnored,
        Self::ActorIgnored,
        Self::SubjectIgnored,
        Self::RuleInReader,
        Self::OwnRuleBeside,
        Self::SubjectStays,
        Self::OwnersStay,
        Self::LeftForgotten,
        Self::TombstoneForgotten,
        Self::SuccessorIgnored,
        Self::LeftOpen,
        Self::DecidedAgain,
        Self::TornBatch,
        Self::ActorNotLookedUp,
        Self::LoadedApart,
        Self::VoidEnds,
        Self::OldEnds,
    ];

    /// What it does to a proposal that is made.
    pub(super) fn of_judge(self, state: &RoomState, proposal: &mut Proposal) {
        let Proposed::Member(change) = &mut proposal.change else { return };
        match self {
            Self::OwnersStay => change.moves_room = false,
            Self::SuccessorIgnored if change.successor.is_some() => {
                // As if only who goes mattered: a reader then finds whatever it compares with.
                proposal.on.subject = Some(state.position(&change.subject));
            }
            _ => {}
        }
    }

    /// What it does to a proposal that is read: what is not compared is as good as right.
    pub(super) fn of_reader(self, state: &RoomState, proposal: &mut Proposal, signer: Position) {
        let other = proposal.change.other().map(|person| state.position(person));
        let names_successor =
            matches!(&proposal.change, Proposed::Member(change) if change.successor.is_some());
        match self {
            Self::RoomIgnored => proposal.on.room = state.at(),
            Self::ActorIgnored => proposal.on.actor = proposal.on.actor.map(|_| signer),
            Self::SubjectIgnored => proposal.on.subject = other,
            Self::SuccessorIgnored if names_successor => proposal.on.subject = other,
            Self::LeftOpen => {
                if let Proposed::Member(change) = &mut proposal.change {
                    change.archives = false;
                }
            }
            _ => {}
        }
    }

    /// What it does to a room after a proposal that counts.
    pub(super) fn of_state(self, before: &RoomState, proposal: &Proposal, after: &mut RoomState) {
        match (self, &proposal.change) {
            (Self::SubjectStays, Proposed::Member(change)) => {
                let standing = change.act.standing();
                after.set(&change.subject, standing, before.position(&change.subject));
            }
            (Self::LeftForgotten, Proposed::Member(change))
                if change.act.standing() == Standing::Left =>
            {
                after.set(&change.subject, Standing::Left, Position::BEFORE_ALL);
            }
            (Self::TombstoneForgotten, Proposed::Room(RoomChange::Delete)) => {
                debug_assert_eq!(after.room().map(|room| room.phase), Some(Phase::Deleted));
                *after = RoomState::default();
            }
            _ => {}
        }
    }
}
