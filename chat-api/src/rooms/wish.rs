//! What people ask for of each other's memberships, as a command about what is there.

use crate::message::{Standing, UserId};

use super::command::{Command, Role};
use super::state::RoomState;

/// What is asked for of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomWish {
    /// Something about the room itself.
    Room(Command),
    /// Somebody is to be something to it.
    Put {
        /// Who.
        person: UserId,
        /// What. Without it at least a member.
        to_be: Option<ToBe>,
        /// Who follows as an owner, if one steps down.
        successor: Option<UserId>,
    },
    /// Somebody is to be nothing to it any more: neither in it nor kept out.
    End {
        /// Who.
        person: UserId,
        /// Who follows as an owner, if one leaves.
        successor: Option<UserId>,
    },
}

/// What somebody is to be to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToBe {
    /// In it, as that.
    In(Role),
    /// Kept out; in a direct room not heard.
    Banned,
}

impl RoomWish {
    /// Whether it is about a membership.
    #[must_use]
    pub fn is_of_member(&self) -> bool {
        !matches!(self, Self::Room(_))
    }

    /// What is to be done for it where the room is like that.
    #[must_use]
    pub fn command(&self, state: &RoomState, by: &UserId) -> Command {
        match self {
            Self::Room(command) => command.clone(),
            Self::Put { person, to_be: Some(ToBe::Banned), .. } => Command::Ban(person.clone()),
            Self::Put { person, to_be: Some(ToBe::In(role)), successor }
                if *role == Role::Owner || is_in(state, person) =>
            {
                let (person, successor) = (person.clone(), successor.clone());
                Command::SetRole { person, role: *role, successor }
            }
            Self::Put { person, .. } if person == by => Command::Join,
            Self::Put { person, .. } => Command::Invite(person.clone()),
            Self::End { person, successor } if person == by => {
                Command::Leave { successor: successor.clone() }
            }
            Self::End { person, .. } => match state.standing(person) {
                Some(Standing::Banned | Standing::Blocked) => Command::Unban(person.clone()),
                _ => Command::Remove(person.clone()),
            },
        }
    }
}

fn is_in(state: &RoomState, person: &UserId) -> bool {
    state.standing(person).is_some_and(Standing::is_in)
}

#[cfg(test)]
#[path = "wish_tests.rs"]
mod tests;
