//! How many are online, as a frame that is made once for all who are told.

use std::sync::{Arc, Mutex, PoisonError};

use super::core::Counts;
use crate::hub::Offer;
use crate::ws::frame::Outbound;

/// The last counts that anybody was told.
#[derive(Default)]
pub(super) struct CountsNotice(Mutex<Option<(Counts, u64, Arc<Offer>)>>);

impl CountsNotice {
    /// What is told of these counts: the same as before if they are the same.
    pub(super) fn of(&self, counts: Counts) -> Arc<Offer> {
        // It is replaced whole.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let version = match &*last {
            Some((known, _, offer)) if *known == counts => return Arc::clone(offer),
            Some((_, version, _)) => version + 1,
            None => 1,
        };
        let Counts { signed_in, guests } = counts;
        let frame = Outbound::Counts { signed_in, guests }.framed();
        let offer = Arc::new(Offer::state(frame, version));
        *last = Some((counts, version, Arc::clone(&offer)));
        offer
    }
}
