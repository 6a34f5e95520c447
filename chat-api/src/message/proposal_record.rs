//! Proposals as records: the kinds `room` and `member`.

use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};

use super::{
    Kind, MemberChange, MessageId, On, Proposal, Proposed, RoomChange, RoomId, UserId, UserName,
};

/// A proposal as it is written, with what every record says.
#[derive(Serialize)]
pub(super) struct WrittenProposal<'a> {
    pub(super) v: u64,
    pub(super) r#type: &'static str,
    /// Whoever does not understand it knows nothing certain of the room from here on.
    pub(super) critical: bool,
    pub(super) message_id: MessageId,
    pub(super) room_id: &'a RoomId,
    pub(super) user_id: &'a UserId,
    pub(super) user_name: &'a UserName,
    pub(super) timestamp: DateTime<Utc>,
    #[serde(flatten)]
    pub(super) proposal: &'a Proposal,
}

#[derive(Deserialize)]
struct ReadProposal<T> {
    on: On,
    #[serde(flatten)]
    change: T,
}

impl Proposal {
    /// The proposal of a JSON object of its fields, as [`Serialize`] writes it, of a record of that kind
    /// that was signed by somebody. None if it is of a later release.
    #[must_use]
    pub fn read(kind: Kind, json: &[u8], signer: &UserId) -> Option<Self> {
        read(kind, json, signer).ok()
    }
}

/// Reads what a record of that kind proposes, which was signed by somebody.
pub(super) fn read(
    kind: Kind,
    value: &[u8],
    signer: &UserId,
) -> Result<Proposal, serde_json::Error> {
    if kind == Kind::Room {
        let (on, change) = parts::<RoomChange>(value)?;
        return Ok(Proposal { on, change: Proposed::Room(change) });
    }
    let (on, change) = parts::<MemberChange>(value)?;
    // Two people are compared, so whoever names a third is one of the two.
    if change.successor.is_some() && (on.actor.is_none() || change.subject != *signer) {
        return Err(serde_json::Error::custom("a successor of somebody else"));
    }
    Ok(Proposal { on, change: Proposed::Member(change) })
}

fn parts<T: DeserializeOwned>(value: &[u8]) -> Result<(On, T), serde_json::Error> {
    let ReadProposal { on, change } = serde_json::from_slice(value)?;
    Ok((on, change))
}

#[cfg(test)]
#[path = "proposal_record_tests.rs"]
mod tests;
