//! What one pass over listeners has read.

use super::frames::{Frames, PIECE};
use super::markers::MarkerFrames;
use super::ring::Page;
use crate::message::Position;

/// What one pass over the listeners of one room has read last: most of them are at the same place, and
/// share it. It lives no longer than the pass, so that the next one reads what was put in an event's place
/// meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Memo {
    budget: usize,
    last: Option<(Frames, Position)>,
    markers: Option<MarkerFrames>,
    /// How many events were put on lines in this pass.
    pub events: u64,
    /// And their bytes.
    pub bytes: usize,
}

impl Default for Memo {
    fn default() -> Self {
        Self::new(PIECE)
    }
}

impl Memo {
    /// A pass that takes so many bytes at once.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { budget, last: None, markers: None, events: 0, bytes: 0 }
    }

    /// What there is from a place on, and the end of the partition when it was read.
    pub fn read<E>(
        &mut self,
        from: Position,
        read: impl FnOnce(usize) -> Result<Page, E>,
    ) -> Result<(Frames, Position), E> {
        if let Some((frames, head)) = &self.last
            && frames.from == from
        {
            return Ok((frames.clone(), *head));
        }
        let page = read(self.budget)?;
        let frames = Frames::join(from, &page.entries, page.next);
        Ok(self.last.insert((frames, page.head)).clone())
    }

    /// The markers after a number: most listeners were told up to the same one.
    pub fn markers(&mut self, after: u64, read: impl FnOnce() -> MarkerFrames) -> MarkerFrames {
        if let Some(markers) = self.markers.as_ref().filter(|markers| markers.after == after) {
            return markers.clone();
        }
        self.markers.insert(read()).clone()
    }
}

#[cfg(test)]
impl Memo {
    /// Takes what was read last for what lies at another place.
    pub(crate) fn pretend(&mut self, from: Position) {
        if let Some((frames, _)) = &mut self.last {
            frames.from = from;
        }
    }
}
