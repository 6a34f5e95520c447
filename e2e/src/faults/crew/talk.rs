//! How people speak.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How people speak.
#[derive(Clone, Debug)]
pub struct Talk {
    /// How many speak; the others listen.
    pub speakers: usize,
    /// What each waits between two messages. A person may send ten a second at a replica.
    pub pace: Duration,
    /// The size of a message in bytes.
    pub size: usize,
}

impl Talk {
    /// Short messages, as many as one may send.
    #[must_use]
    pub fn lively(speakers: usize) -> Self {
        Self { speakers, pace: Duration::from_millis(110), size: 40 }
    }
}

/// What all speakers share.
pub(super) struct Speech<'a> {
    pub(super) talk: &'a Talk,
    /// How many messages are still to be said.
    budget: AtomicU64,
}

impl<'a> Speech<'a> {
    pub(super) fn new(talk: &'a Talk, messages: u64) -> Self {
        Self { talk, budget: AtomicU64::new(messages) }
    }

    /// The next message's number, if there is to be one.
    pub(super) fn take(&self) -> Option<u64> {
        let less = |left: u64| left.checked_sub(1);
        self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok()
    }

    /// Nobody says anything more.
    pub(super) fn end(&self) {
        self.budget.store(0, Ordering::Relaxed);
    }
}
