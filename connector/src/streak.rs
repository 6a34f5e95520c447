//! A row of failures, of which the first is worth a line of the log: what anybody can have happen again and again
//! must not fill it. Metrics count them all.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether something fails, and goes on failing.
#[derive(Debug, Default)]
pub struct Streak(AtomicBool);

impl Streak {
    /// It failed once more. `true`: for the first time in a row.
    pub fn fails(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    /// It succeeded.
    pub fn ends(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
