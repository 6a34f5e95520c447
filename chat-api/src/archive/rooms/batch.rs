//! Proposals that are to be decided about.

use std::collections::BTreeMap;

use crate::message::{Body, Event, Proposal, RoomId};

/// Proposals in the log's order.
#[derive(Debug, Default)]
pub struct RoomBatch(Vec<Proposed>);

/// A proposal of a batch.
#[derive(Debug)]
pub(super) struct Proposed {
    /// Its number in the batch, from 0.
    pub(super) index: usize,
    pub(super) event: Event,
    pub(super) proposal: Proposal,
}

impl RoomBatch {
    /// The proposals of these events, in their order. Anything else is left out.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let proposals = events.into_iter().filter_map(|event| match &event.envelope.body {
            Body::Proposal(proposal) => Some((event.clone(), proposal.as_ref().clone())),
            Body::Message { .. } | Body::Change(_) => None,
        });
        let numbered = proposals.enumerate();
        Self(
            numbered
                .map(|(index, (event, proposal))| Proposed { index, event, proposal })
                .collect(),
        )
    }

    /// The number of proposals in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the batch has no proposal.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The proposals of each room, in the log's order.
    pub(super) fn rooms(&self) -> BTreeMap<&RoomId, Vec<&Proposed>> {
        let mut rooms: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for proposed in &self.0 {
            rooms.entry(&proposed.event.envelope.room_id).or_default().push(proposed);
        }
        rooms
    }
}
