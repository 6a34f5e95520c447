//! Many equal lines of the trail as few: whoever guesses on must not fill the database.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;
use service_process::network::Network;

use crate::lockout::GuardKey;

/// How long lines are counted together.
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// How many lines of a window are written one by one: enough to see the whole way of a person who
/// is locked out (10 failures) and comes back.
const MOST_LINES: u32 = 20;

/// About 120 bytes each, so 24 MB. The longest idle one makes room for another.
const MOST_WINDOWS: NonZeroUsize = NonZeroUsize::new(200_000).expect("not 0");

/// Whose lines are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FoldKey {
    /// Whom the attempts are counted for, also when the name belongs to nobody.
    pub guard_key: GuardKey,
    /// Where they come from; `None` when nobody can tell.
    pub network: Option<Network>,
}

/// Whether a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// It gets a line of its own.
    Write,
    /// It is counted, and comes out of [`AuditFold::drain`] with others.
    Fold,
}

/// Counts lines by key: the first 20 of an hour are written, the others become one with their
/// number. Per replica.
#[derive(Debug)]
pub struct AuditFold(Mutex<Counts>);

#[derive(Debug)]
struct Counts {
    open: LruCache<FoldKey, Window>,
    /// What windows that are no longer open had folded, until the next drain. To add an entry, an
    /// attacker needs more than 20 attempts that the guard counted, or one on a window that was
    /// open before: between two drains it stays in the order of the open ones.
    ended: Vec<(FoldKey, u32)>,
}

#[derive(Debug)]
struct Window {
    began: DateTime<Utc>,
    lines: u32,
}

impl AuditFold {
    /// Nothing is counted yet.
    #[must_use]
    pub fn new() -> Self {
        let open = LruCache::sparse(MOST_WINDOWS);
        Self(Mutex::new(Counts { open, ended: Vec::new() }))
    }

    /// Counts a line. The first one of a key opens its window.
    #[must_use]
    pub fn note(&self, key: FoldKey, now: DateTime<Utc>) -> Note {
        let mut counts = self.lock();
        if let Some(window) = counts.open.get_mut(&key).filter(|window| !window.is_over(now)) {
            window.lines = window.lines.saturating_add(1);
            return if window.lines <= MOST_LINES { Note::Write } else { Note::Fold };
        }
        // What is pushed out is the key's window before this one, or the longest idle of another.
        let pushed_out = counts.open.push(key, Window { began: now, lines: 1 });
        counts.ended.extend(pushed_out.and_then(|(key, window)| window.folded(key)));
        Note::Write
    }

    /// The keys of the windows that ended, and how many lines each of them folded. Each count is
    /// given once. At a stop, [`DateTime::MAX_UTC`] ends every window.
    #[must_use]
    pub fn drain(&self, now: DateTime<Utc>) -> Vec<(FoldKey, u32)> {
        let mut counts = self.lock();
        let Counts { open, ended } = &mut *counts;
        open.retain(|key, window| {
            let is_over = window.is_over(now);
            if is_over {
                ended.extend(window.folded(*key));
            }
            !is_over
        });
        std::mem::take(ended)
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // No step under the lock can leave half a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for AuditFold {
    fn default() -> Self {
        Self::new()
    }
}

impl Window {
    fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.began + WINDOW <= now
    }

    fn folded(&self, key: FoldKey) -> Option<(FoldKey, u32)> {
        let folded = self.lines.saturating_sub(MOST_LINES);
        (folded > 0).then_some((key, folded))
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
