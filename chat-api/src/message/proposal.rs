//! Records that change who may do what in a room, if what they were judged on still stands.
//!
//! A replica judges a call where it has read to, which may be behind. What it appends is therefore a
//! proposal: it names the places of what it was judged [`On`], and counts if nothing of that has changed
//! since. It also says all that becomes of it, so that whoever reads it compares and assigns, and
//! evaluates no rule.

use serde::{Deserialize, Serialize};

use super::{Kind, Position, RoomName, UserId};

/// A change of a room or of a membership, and what it was judged on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Proposal {
    /// What has to be so still.
    pub on: On,
    /// What is then changed.
    #[serde(flatten)]
    pub change: Proposed,
}

/// The places of the last records that counted and changed what a proposal was judged on;
/// [`Position::BEFORE_ALL`] if there was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct On {
    /// Of the room: what it is and who owns it.
    pub room: Position,
    /// Of the membership of whoever did it. An act of the system has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Position>,
    /// Of the membership of the other person it is about ([`Proposed::other`]), if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Position>,
}

/// What a proposal changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Proposed {
    /// The room.
    Room(RoomChange),
    /// Somebody's membership.
    Member(MemberChange),
}

/// What is changed of a room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum RoomChange {
    /// It is there, and whoever did it is its owner.
    Create {
        /// Who may find and join it.
        #[serde(rename = "kind")]
        visibility: Visibility,
        /// What it is called.
        name: RoomName,
    },
    /// It is there, for whoever did it and one more person. Nobody owns it.
    CreateDirect {
        /// The other person.
        #[serde(rename = "subject")]
        with: UserId,
    },
    /// It is another way from here on.
    Set(Settings),
    /// It is gone, for good.
    Delete,
}

/// Who may find and join a room that is not a direct one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everybody, and guests may read it.
    Public,
    /// Nobody: members invite others.
    Group,
}

/// What is set anew of a room; the rest stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Settings {
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<RoomName>,
    /// Who may find and join it.
    #[serde(rename = "kind", default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// Whether it is only read from here on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// What becomes of a membership.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MemberChange {
    /// What is done.
    pub act: MemberAct,
    /// Whom it is done to; with acts on oneself whoever did it.
    pub subject: UserId,
    /// Who is an owner from here on because the subject goes or steps down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<UserId>,
    /// Whether the room is archived by it: nobody owns it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archives: bool,
    /// Whether owners change by it, or the room: then proposals that were judged before do not count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moves_room: bool,
}

/// What can be done to a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberAct {
    /// One becomes a member of a public room.
    Join,
    /// A member makes somebody a member.
    Invite,
    /// One is no member any more.
    Leave,
    /// An owner, or the system, ends somebody's membership.
    Remove,
    /// An owner makes a member an owner.
    Promote,
    /// An owner makes an owner a member, or steps down.
    Demote,
    /// An owner keeps somebody out.
    Ban,
    /// An owner does so no longer.
    Unban,
    /// One of the two of a direct room wants to hear nothing of the other.
    Block,
    /// One of the two does again.
    Unblock,
}

/// Who hears nothing of a room that comes after some event of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ended {
    /// Whoever it was done to.
    Person(UserId),
    /// Whoever was not in the room then.
    Strangers,
    /// All.
    Everybody,
}

/// What somebody is to a room that knows of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Was there, and may come back.
    Left,
    /// Reads and speaks.
    Member,
    /// And decides about the room.
    Owner,
    /// Is kept out.
    Banned,
    /// Is there still, in a direct room whose other member wants to hear nothing.
    Blocked,
}

impl Standing {
    /// Whether the person is in the room.
    #[must_use]
    pub fn is_in(self) -> bool {
        matches!(self, Self::Member | Self::Owner | Self::Blocked)
    }
}

impl MemberAct {
    /// What its subject is afterwards.
    #[must_use]
    pub fn standing(self) -> Standing {
        match self {
            Self::Join | Self::Invite | Self::Demote | Self::Unblock => Standing::Member,
            Self::Leave | Self::Remove | Self::Unban => Standing::Left,
            Self::Promote => Standing::Owner,
            Self::Ban => Standing::Banned,
            Self::Block => Standing::Blocked,
        }
    }
}

impl Proposed {
    /// Which of the kinds of records it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Room(_) => Kind::Room,
            Self::Member(_) => Kind::Member,
        }
    }

    /// The other person whose membership it was judged on: of who goes the successor, if there is one.
    #[must_use]
    pub fn other(&self) -> Option<&UserId> {
        match self {
            Self::Room(RoomChange::CreateDirect { with }) => Some(with),
            Self::Room(_) => None,
            Self::Member(change) => Some(change.successor.as_ref().unwrap_or(&change.subject)),
        }
    }

    /// The person it is done to.
    #[must_use]
    pub fn subject(&self) -> Option<&UserId> {
        match self {
            Self::Room(RoomChange::CreateDirect { with }) => Some(with),
            Self::Room(_) => None,
            Self::Member(change) => Some(&change.subject),
        }
    }

    /// Who hears nothing more of the room once it counts.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        match self {
            Self::Member(change) if !change.act.standing().is_in() => {
                Some(Ended::Person(change.subject.clone()))
            }
            Self::Room(RoomChange::Delete) => Some(Ended::Everybody),
            Self::Room(RoomChange::Set(Settings {
                visibility: Some(Visibility::Group), ..
            })) => Some(Ended::Strangers),
            Self::Member(_) | Self::Room(_) => None,
        }
    }
}
