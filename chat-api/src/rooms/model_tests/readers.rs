//! Who else reads the log: the archive, in pieces, and whoever hears the room.

use super::{Mistake, Model, Record, Walk, at, judge};
use crate::message::{Ended, MemberAct, Position, Proposed, Standing, UserId};
use crate::rooms::{RoomState, Verdict};

/// What the archive has of a room: written in one transaction.
#[derive(Clone)]
struct Kept {
    state: RoomState,
    /// The last record that was decided about.
    upto: Position,
    verdicts: Vec<(Position, Verdict)>,
}

impl Model {
    /// One reader's step, as a release with the mistake does it.
    pub(super) fn read(&self, state: &mut RoomState, at: Position, record: &Record) -> Verdict {
        let (wish, signer) = (&self.wishes[record.wish], self.signer(record));
        let mut proposal = record.proposal.clone();
        self.mistake.of_reader(state, &mut proposal, state.position(signer));
        if self.mistake == Mistake::RuleInReader {
            match judge(state, &self.id, &wish.command, self.actor(record.wish)) {
                Ok(judged) => proposal.on = judged.on,
                Err(_) => return Verdict::Void,
            }
        }
        let before = state.clone();
        let verdict = state.decide(at, signer, &proposal);
        if verdict == Verdict::Accepted {
            self.mistake.of_state(&before, &proposal, state);
        }
        verdict
    }

    pub(super) fn check_readers(&self, walk: &Walk) -> Result<(), String> {
        self.check_archive(walk)?;
        self.check_hearing(walk)
    }

    /// The archive is killed before the last record, and reads again from any place before. Killed
    /// earlier it would have come here as it did in the logs that were walked before this one. Whoever
    /// loads the room from what it has kept goes on from there likewise.
    fn check_archive(&self, walk: &Walk) -> Result<(), String> {
        let end = walk.log.len();
        let verdicts: Vec<_> = (0..end).map(|place| (at(place), walk.verdicts[place])).collect();
        let mut kept = self.kept(walk, end - 1);
        for again in (0..end).rev() {
            for place in again..end {
                self.take(&mut kept, place, &walk.log[place]);
            }
            if kept.verdicts != verdicts {
                return Err(format!("the archive decides otherwise, from {again} on"));
            }
            if !self.is_same(&kept.state, &walk.states[end]) {
                return Err(format!("the archive has another room, from {again} on"));
            }
        }
        Ok(())
    }

    /// What the archive has kept of so many records.
    fn kept(&self, walk: &Walk, count: usize) -> Kept {
        let mut state = walk.states[count].clone();
        if self.mistake == Mistake::LoadedApart {
            // The members as they are one record later.
            let later = &walk.states[count + 1];
            for person in &self.people {
                if let Some(standing) = later.standing(person) {
                    state.set(person, standing, later.position(person));
                }
            }
        }
        let mut verdicts: Vec<_> =
            (0..count).map(|place| (at(place), walk.verdicts[place])).collect();
        if self.mistake == Mistake::TornBatch {
            verdicts.pop();
        }
        let upto = count.checked_sub(1).map_or(Position::FIRST, at);
        Kept { state, upto, verdicts }
    }

    /// The archive reads a record: it looks up whom that concerns, and nobody else.
    fn take(&self, kept: &mut Kept, place: usize, record: &Record) {
        let position = at(place);
        if position <= kept.upto && self.mistake != Mistake::DecidedAgain {
            return;
        }
        let change = &record.proposal.change;
        let mut concerned: Vec<&UserId> =
            change.other().into_iter().chain(change.subject()).collect();
        if self.mistake != Mistake::ActorNotLookedUp {
            concerned.push(self.signer(record));
        }
        let mut known = RoomState::restored(kept.state.at(), kept.state.room().cloned());
        for person in concerned {
            if let Some(standing) = kept.state.standing(person) {
                known.set(person, standing, kept.state.position(person));
            }
        }
        let verdict = match self.mistake {
            // Rules need the whole room.
            Mistake::RuleInReader => self.read(&mut kept.state, position, record),
            // This release lets nobody invite any more; the one that wrote the record did.
            Mistake::OwnRuleBeside if is_invitation(record) => Verdict::Void,
            _ => {
                let verdict = self.read(&mut known, position, record);
                if verdict == Verdict::Accepted {
                    kept.state = self.written(&kept.state, &known);
                }
                verdict
            }
        };
        kept.upto = position;
        kept.verdicts.retain(|(decided, _)| *decided != position);
        kept.verdicts.push((position, verdict));
        kept.verdicts.sort_by_key(|(decided, _)| *decided);
    }

    fn written(&self, before: &RoomState, known: &RoomState) -> RoomState {
        let mut state = RoomState::restored(known.at(), known.room().cloned());
        if !known.is_there() {
            return state;
        }
        for person in &self.people {
            let from = if known.standing(person).is_some() { known } else { before };
            if let Some(standing) = from.standing(person) {
                state.set(person, standing, from.position(person));
            }
        }
        state
    }

    fn is_same(&self, one: &RoomState, other: &RoomState) -> bool {
        one.at() == other.at()
            && one.room() == other.room()
            && self.people.iter().all(|person| {
                one.standing(person) == other.standing(person)
                    && one.position(person) == other.position(person)
            })
    }

    /// Whoever hears the room was in it at the place of a check. The stream ends with the first record
    /// after that which counts and says so: exactly where they are out.
    fn check_hearing(&self, walk: &Walk) -> Result<(), String> {
        let end = walk.log.len();
        for person in &self.people {
            let is_in =
                |count: usize| walk.states[count].standing(person).is_some_and(Standing::is_in);
            for checked in (0..end).filter(|count| is_in(*count)) {
                let from = if self.mistake == Mistake::OldEnds { 0 } else { checked };
                let ends = |place: &usize| {
                    let counts = walk.verdicts[*place] == Verdict::Accepted
                        || self.mistake == Mistake::VoidEnds;
                    counts
                        && walk.log[*place].proposal.change.ended()
                            == Some(Ended::Person(person.clone()))
                };
                let ended = (from..end).find(ends);
                // Where the room is deleted everybody's stream ends, by that.
                let out = (checked..end).find(|place| !is_in(place + 1));
                let out = out.filter(|place| walk.states[place + 1].is_there());
                if ended != out {
                    return Err(format!("{person} hears up to {ended:?} and not {out:?}"));
                }
            }
        }
        Ok(())
    }
}

fn is_invitation(record: &Record) -> bool {
    matches!(&record.proposal.change, Proposed::Member(change) if change.act == MemberAct::Invite)
}
