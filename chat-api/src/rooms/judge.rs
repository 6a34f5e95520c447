//! Every rule of rooms and memberships: who may do what, and what becomes of it.
//!
//! Nothing else evaluates a rule. A rule may look at whatever a proposal names in its `on`, and at nothing
//! else: at what the room is and how many own it (`room` moves with both), and at what actor and other
//! person are. Then whatever counts was right where it counts, though it was judged elsewhere. The one
//! exception is the number of members, which joins at the same time may exceed.

use crate::message::{
    MemberAct, MemberChange, On, Proposal, Proposed, RoomChange, RoomId, Settings, Standing, UserId,
};

use super::command::{Actor, Command, Refused, Role};
use super::direct;
use super::state::{Phase, Room, RoomKind, RoomState};

/// The most people in a room: each costs every replica that has it loaded 32 bytes.
pub const MEMBERS_MAX: u32 = 10_000;

/// Judges what somebody wants to do, and says what to append for it.
pub fn judge(
    state: &RoomState,
    id: &RoomId,
    command: &Command,
    actor: Actor<'_>,
) -> Result<Proposal, Refused> {
    let (change, actor) = match actor {
        Actor::Person(person) => {
            let case = Case { state, id, person };
            (case.judge(command)?, Some(person))
        }
        Actor::System => (Proposed::Member(by_system(state, command)?), None),
    };
    let on = On {
        room: state.at(),
        actor: actor.map(|person| state.position(person)),
        subject: change.other().map(|person| state.position(person)),
    };
    Ok(Proposal { on, change })
}

/// The system ends memberships, of whatever kind and in whatever room.
fn by_system(state: &RoomState, command: &Command) -> Result<MemberChange, Refused> {
    let Command::Remove(subject) = command else { return Err(Refused::NotAllowed) };
    let room = there(state)?;
    let standing = state.standing(subject).filter(|standing| standing.is_in());
    let is_owner = match standing {
        Some(standing) => standing == Standing::Owner,
        None => return Err(Refused::Already),
    };
    // Alone, nobody speaks in a direct room.
    let leaves_nobody = room.kind == RoomKind::Direct || (is_owner && state.owners() == 1);
    let archives = leaves_nobody && room.phase == Phase::Open;
    let moves_room = is_owner || archives;
    let (act, subject) = (MemberAct::Remove, subject.clone());
    Ok(MemberChange { act, subject, successor: None, archives, moves_room })
}

/// The room, if it was made and is not deleted.
fn there(state: &RoomState) -> Result<&Room, Refused> {
    let is_there = |room: &&Room| room.phase != Phase::Deleted;
    state.room().filter(is_there).ok_or(Refused::NoRoom)
}

/// A person who wants something of a room.
struct Case<'a> {
    state: &'a RoomState,
    id: &'a RoomId,
    person: &'a UserId,
}

impl Case<'_> {
    fn judge(&self, command: &Command) -> Result<Proposed, Refused> {
        match command {
            Command::Create { visibility, name } => {
                self.is_new()?;
                let (visibility, name) = (*visibility, name.clone());
                return Ok(Proposed::Room(RoomChange::Create { visibility, name }));
            }
            Command::CreateDirect(with) => {
                if direct::room_of(self.person, with).as_ref() != Some(self.id) {
                    return Err(Refused::WrongPair);
                }
                self.is_new()?;
                return Ok(Proposed::Room(RoomChange::CreateDirect { with: with.clone() }));
            }
            _ => {}
        }
        let room = self.seen()?;
        if room.kind == RoomKind::Direct {
            return self.in_direct(room, command).map(Proposed::Member);
        }
        let change = match command {
            // Handled above.
            Command::Create { .. } | Command::CreateDirect(_) => return Err(Refused::Already),
            Command::Change(wanted) => return self.set(room, wanted).map(Proposed::Room),
            Command::Delete => {
                self.owns()?;
                return Ok(Proposed::Room(RoomChange::Delete));
            }
            Command::Join => self.join(room)?,
            Command::Invite(subject) => self.invite(room, subject)?,
            Command::Leave { successor } => self.leave(room, successor.as_ref())?,
            Command::Remove(subject) => self.remove(room, subject)?,
            Command::SetRole { person, role, successor } if person == self.person => {
                self.step_down(room, *role, successor.as_ref())?
            }
            Command::SetRole { person, role, successor } => {
                if successor.is_some() {
                    return Err(Refused::Successor);
                }
                self.set_role(room, person, *role)?
            }
            Command::Ban(subject) => self.ban(room, subject)?,
            Command::Unban(subject) => self.unban(room, subject)?,
        };
        Ok(Proposed::Member(change))
    }

    fn is_new(&self) -> Result<(), Refused> {
        match self.state.room() {
            // It is always there, and has no members.
            None if self.id.as_str() == RoomId::LOBBY => Err(Refused::Already),
            None => Ok(()),
            Some(room) if room.phase == Phase::Deleted => Err(Refused::NoRoom),
            Some(_) => Err(Refused::Already),
        }
    }

    /// The room, if this person may know of it.
    fn seen(&self) -> Result<&Room, Refused> {
        let room = there(self.state)?;
        if room.kind == RoomKind::Public || self.is_in() { Ok(room) } else { Err(Refused::NoRoom) }
    }

    fn standing(&self) -> Option<Standing> {
        self.state.standing(self.person)
    }

    fn is_in(&self) -> bool {
        self.standing().is_some_and(Standing::is_in)
    }

    fn owns(&self) -> Result<(), Refused> {
        if self.standing() == Some(Standing::Owner) { Ok(()) } else { Err(Refused::NotAllowed) }
    }

    /// What is common to whatever owners do to others.
    fn owns_open(&self, room: &Room, subject: &UserId) -> Result<Option<Standing>, Refused> {
        self.owns()?;
        if subject == self.person {
            return Err(Refused::Oneself);
        }
        open(room)?;
        Ok(self.state.standing(subject))
    }

    fn set(&self, room: &Room, wanted: &Settings) -> Result<RoomChange, Refused> {
        self.owns()?;
        let is_archived = room.phase == Phase::Archived;
        let new = Settings {
            name: wanted.name.clone().filter(|name| room.name.as_ref() != Some(name)),
            visibility: wanted.visibility.filter(|wanted| RoomKind::from(*wanted) != room.kind),
            archived: wanted.archived.filter(|wanted| *wanted != is_archived),
        };
        if new == Settings::default() {
            return Err(Refused::Already);
        }
        if new.archived != Some(false) {
            open(room)?;
        }
        Ok(RoomChange::Set(new))
    }

    fn join(&self, room: &Room) -> Result<MemberChange, Refused> {
        match self.standing() {
            Some(standing) if standing.is_in() => return Err(Refused::Already),
            Some(Standing::Banned) => return Err(Refused::NotAllowed),
            _ => {}
        }
        open(room)?;
        self.has_room()?;
        Ok(plain(MemberAct::Join, self.person))
    }

    fn invite(&self, room: &Room, subject: &UserId) -> Result<MemberChange, Refused> {
        if !self.is_in() {
            return Err(Refused::NotAllowed);
        }
        match self.state.standing(subject) {
            Some(standing) if standing.is_in() => return Err(Refused::Already),
            Some(Standing::Banned) => return Err(Refused::Banned),
            _ => {}
        }
        open(room)?;
        self.has_room()?;
        Ok(plain(MemberAct::Invite, subject))
    }

    /// Whoever is in a room may leave it, archived or not.
    fn leave(&self, room: &Room, successor: Option<&UserId>) -> Result<MemberChange, Refused> {
        match self.standing() {
            Some(Standing::Owner) => self.give_up(MemberAct::Leave, room, successor),
            Some(standing) if standing.is_in() => match successor {
                None => Ok(plain(MemberAct::Leave, self.person)),
                Some(_) => Err(Refused::Successor),
            },
            _ => Err(Refused::Already),
        }
    }

    fn step_down(
        &self,
        room: &Room,
        role: Role,
        successor: Option<&UserId>,
    ) -> Result<MemberChange, Refused> {
        match (self.standing(), role) {
            (Some(Standing::Owner), Role::Member) => {
                open(room)?;
                self.give_up(MemberAct::Demote, room, successor)
            }
            (Some(Standing::Owner), Role::Owner) | (Some(Standing::Member), Role::Member) => {
                Err(Refused::Already)
            }
            _ => Err(Refused::NotAllowed),
        }
    }

    /// An owner owns no more. Without an owner nobody could change anything: somebody follows, or the room
    /// is archived.
    fn give_up(
        &self,
        act: MemberAct,
        room: &Room,
        successor: Option<&UserId>,
    ) -> Result<MemberChange, Refused> {
        if let Some(successor) = successor
            && self.state.standing(successor) != Some(Standing::Member)
        {
            return Err(Refused::Successor);
        }
        let is_last = self.state.owners() == 1 && successor.is_none();
        Ok(MemberChange {
            act,
            subject: self.person.clone(),
            successor: successor.cloned(),
            archives: is_last && room.phase == Phase::Open,
            moves_room: true,
        })
    }

    fn remove(&self, room: &Room, subject: &UserId) -> Result<MemberChange, Refused> {
        match self.owns_open(room, subject)? {
            Some(standing) if standing.is_in() => {
                Ok(of_owner(MemberAct::Remove, subject, standing))
            }
            _ => Err(Refused::Already),
        }
    }

    fn set_role(&self, room: &Room, subject: &UserId, role: Role) -> Result<MemberChange, Refused> {
        let act = match (self.owns_open(room, subject)?, role) {
            (Some(Standing::Member), Role::Owner) => MemberAct::Promote,
            (Some(Standing::Owner), Role::Member) => MemberAct::Demote,
            (Some(Standing::Member | Standing::Owner), _) => return Err(Refused::Already),
            _ => return Err(Refused::NotInRoom),
        };
        Ok(MemberChange { moves_room: true, ..plain(act, subject) })
    }

    fn ban(&self, room: &Room, subject: &UserId) -> Result<MemberChange, Refused> {
        match self.owns_open(room, subject)? {
            Some(Standing::Banned) => Err(Refused::Already),
            standing => Ok(of_owner(MemberAct::Ban, subject, standing.unwrap_or(Standing::Left))),
        }
    }

    fn unban(&self, room: &Room, subject: &UserId) -> Result<MemberChange, Refused> {
        match self.owns_open(room, subject)? {
            Some(Standing::Banned) => Ok(plain(MemberAct::Unban, subject)),
            _ => Err(Refused::Already),
        }
    }

    /// Whoever is in a direct room may say that they want to hear nothing of the other, also if the other
    /// has said so before.
    fn in_direct(&self, room: &Room, command: &Command) -> Result<MemberChange, Refused> {
        let (subject, act, from) = match command {
            Command::Ban(subject) => (subject, MemberAct::Block, Standing::Member),
            Command::Unban(subject) => (subject, MemberAct::Unblock, Standing::Blocked),
            _ => return Err(Refused::Direct),
        };
        if subject == self.person {
            return Err(Refused::Oneself);
        }
        match self.state.standing(subject) {
            Some(standing) if standing == from => {}
            Some(standing) if standing.is_in() => return Err(Refused::Already),
            _ => return Err(Refused::NotInRoom),
        }
        open(room)?;
        Ok(plain(act, subject))
    }

    fn has_room(&self) -> Result<(), Refused> {
        if self.state.members() < MEMBERS_MAX { Ok(()) } else { Err(Refused::Full) }
    }
}

fn open(room: &Room) -> Result<(), Refused> {
    if room.phase == Phase::Open { Ok(()) } else { Err(Refused::Archived) }
}

/// A change that nobody but its subject has to do with.
fn plain(act: MemberAct, subject: &UserId) -> MemberChange {
    let subject = subject.clone();
    MemberChange { act, subject, successor: None, archives: false, moves_room: false }
}

/// What an owner does to somebody who may be another one.
fn of_owner(act: MemberAct, subject: &UserId, standing: Standing) -> MemberChange {
    MemberChange { moves_room: standing == Standing::Owner, ..plain(act, subject) }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
