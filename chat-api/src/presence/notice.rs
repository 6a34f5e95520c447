//! How many are online, as a frame that is made once for all who are told.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_tungstenite::tungstenite::Bytes;

use super::core::Counts;
use crate::hub::{Offer, Told};
use crate::message::UserId;
use crate::ws::frame::Outbound;

/// The last counts that anybody was told.
#[derive(Default)]
pub(super) struct LastNotice(Mutex<Option<(Counts, Arc<CountsNotice>)>>);

/// How many are online.
#[derive(Debug, PartialEq, Eq)]
pub struct CountsNotice {
    frame: Bytes,
    /// Which counts these are, from 1 on.
    version: u64,
}

impl CountsNotice {
    /// Which counts these are: later ones have a greater version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }
}

impl Offer for CountsNotice {
    fn to(&self, _: Option<&UserId>, known: u64) -> Option<Told> {
        let (frames, version) = (self.frame.clone(), self.version);
        (known < version).then_some(Told { frames, version, has_more: false })
    }
}

impl LastNotice {
    /// What is told of these counts: the same as before if they are the same.
    pub(super) fn of(&self, counts: Counts) -> Arc<CountsNotice> {
        // It is replaced whole.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let version = match &*last {
            Some((known, notice)) if *known == counts => return Arc::clone(notice),
            Some((_, notice)) => notice.version + 1,
            None => 1,
        };
        let Counts { signed_in, guests } = counts;
        let frame = Outbound::Counts { signed_in, guests }.framed();
        let notice = Arc::new(CountsNotice { frame, version });
        *last = Some((counts, Arc::clone(&notice)));
        notice
    }
}
