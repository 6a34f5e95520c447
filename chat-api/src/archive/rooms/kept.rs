//! A room as the archive has kept it, and what a batch makes of it.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};

use super::batch::Proposed;
use crate::message::{MessageId, Position, Standing, UserId};
use crate::rooms::{RoomState, Verdict};

/// As much of a room as some proposals need: what it is, and whom they concern.
pub(super) struct Kept {
    pub(super) state: RoomState,
    /// The last proposal that was decided about.
    pub(super) upto: Position,
    /// Those of the proposals that were decided about under another place.
    pub(super) decided: HashSet<MessageId>,
}

/// What is to be written.
pub(super) struct Outcome<'a> {
    pub(super) verdicts: Vec<(&'a Proposed, Verdict)>,
    /// Whoever is something else now, and since when.
    pub(super) people: BTreeMap<&'a UserId, Membership>,
}

/// What somebody is to a room, and since which record, which was made then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) standing: Standing,
    pub(super) at: Position,
    pub(super) since: DateTime<Utc>,
}

/// Whom a proposal concerns.
pub(super) fn concerned(proposed: &Proposed) -> impl Iterator<Item = &UserId> {
    let change = &proposed.proposal.change;
    let signer = &proposed.event.envelope.user_id;
    [Some(signer), change.other(), change.subject()].into_iter().flatten()
}

impl Kept {
    /// Decides about proposals of the room, in the log's order. `None` if that was done before.
    pub(super) fn decide<'a>(&mut self, proposals: &[&'a Proposed]) -> Option<Outcome<'a>> {
        let before = self.upto;
        let mut outcome = Outcome { verdicts: Vec::new(), people: BTreeMap::new() };
        for proposed in proposals.iter().copied() {
            let (event, envelope) = (&proposed.event, &proposed.event.envelope);
            if event.position <= self.upto {
                continue;
            }
            self.upto = event.position;
            if !self.decided.insert(envelope.message_id) {
                continue;
            }
            let (signer, proposal) = (&envelope.user_id, &proposed.proposal);
            let verdict = self.state.decide(event.position, signer, proposal);
            outcome.verdicts.push((proposed, verdict));
            if verdict == Verdict::Void {
                continue;
            }
            for person in concerned(proposed) {
                // Nobody is in a room that is deleted, and what was known of them does no harm.
                let is_changed = self.state.position(person) == event.position;
                if let Some(standing) = self.state.standing(person).filter(|_| is_changed) {
                    let (at, since) = (event.position, envelope.timestamp);
                    outcome.people.insert(person, Membership { standing, at, since });
                }
            }
        }
        (self.upto > before).then_some(outcome)
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
