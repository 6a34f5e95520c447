//! The one timer of a session.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// Wakes at the earliest of several moments. A moment that moves away is noticed when the earlier one
/// comes: setting a timer costs more than waking once too often, and every frame moves a moment.
pub(super) struct Timer {
    sleep: Pin<Box<Sleep>>,
}

impl Timer {
    /// A timer that first wakes then.
    #[must_use]
    pub(super) fn new(first: Instant) -> Self {
        Self { sleep: Box::pin(sleep_until(first)) }
    }

    /// Ready at `moment` or earlier.
    pub(super) fn poll(&mut self, moment: Instant, context: &mut Context<'_>) -> Poll<()> {
        if moment < self.sleep.deadline() || self.sleep.is_elapsed() {
            self.sleep.as_mut().reset(moment);
        }
        self.sleep.as_mut().poll(context)
    }
}
