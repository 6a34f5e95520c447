//! The lockout ladder: a pure function of what happened and the time.
//!
//! Failures in a row close an account to strangers for longer and longer: nothing here knows where
//! they are counted.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

/// How long a pending charge lives. The longest attempt takes 8 s, which is when Dex gives up; a
/// charge that is older was held by a process that crashed, and counts as a failure.
pub const CHARGE_LIFE: TimeDelta = TimeDelta::seconds(30);

/// After how long without a failure strangers begin anew.
pub const MEMORY: TimeDelta = TimeDelta::hours(24);

/// NIST SP 800-63B-4 §3.2.2: no more than 100 failed attempts in a row on one account.
const MOST_FAILURES: u32 = 100;

/// How many networks of an account are known at most. Each has failures of its own to spend.
pub const KNOWN_NETWORKS: u32 = 8;

/// How long a network stays known after its last success, in days.
pub const KNOWN_FOR_DAYS: i32 = 90;

/// What closes an account, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    /// Failures of strangers that close the account for the first time.
    pub first_at: u32,
    /// Further failures that close it again.
    pub step: u32,
    /// Failures after which it stays closed.
    pub closed_at: u32,
    /// How long it is closed the first time; each time twice as long as before.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// Failures after which a known network counts as a stranger.
    pub known_network: u32,
}

/// Settings that do not make a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidLockout {
    /// The first step is above the last.
    #[error("LOCKOUT_FAILURES must not exceed LOCKOUT_CLOSED_AFTER")]
    Order,
    /// The first pause is longer than the longest.
    #[error("LOCKOUT_FIRST_PAUSE must not exceed LOCKOUT_LONGEST_PAUSE")]
    Pauses,
    /// More guesses than the standard allows.
    #[error(
        "LOCKOUT_CLOSED_AFTER + {KNOWN_NETWORKS} × LOCKOUT_KNOWN_NETWORK_FAILURES must not exceed \
         {MOST_FAILURES} (NIST SP 800-63B-4 §3.2.2)"
    )]
    TooMany,
}

/// What was counted for an account, from anywhere or from one network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Failures in a row.
    pub failures: u32,
    /// When the last of them was.
    pub last_failure_at: Option<DateTime<Utc>>,
    /// When each attempt began that has not ended.
    pub pending: Vec<DateTime<Utc>>,
}

/// Whether another attempt may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes; this many more may be under way at once.
    Open(u32),
    /// Not before some that are under way have ended.
    Busy,
    /// Not before this time, when a pause ends.
    Paused(DateTime<Utc>),
    /// Not before it is opened, or a day has passed without a failure.
    Closed,
}

/// The rules of one row as tables over its failures, for the statements that admit and settle charges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Up to how many failures and pending charges the next is admitted, after 0, 1, 2 … failures.
    pub limits: Vec<i32>,
    /// How many seconds nothing is admitted after the last of 0, 1, 2 … failures.
    pub pauses: Vec<i32>,
    /// The failures that close the account.
    pub locks: Vec<i32>,
}

impl Lockout {
    /// Checks that the settings make a ladder, and one that the standard allows.
    pub fn checked(self) -> Result<Self, InvalidLockout> {
        if self.first_at > self.closed_at {
            return Err(InvalidLockout::Order);
        }
        if self.first_pause > self.longest_pause {
            return Err(InvalidLockout::Pauses);
        }
        if self.closed_at.saturating_add(self.known_network.saturating_mul(KNOWN_NETWORKS))
            > MOST_FAILURES
        {
            return Err(InvalidLockout::TooMany);
        }
        Ok(self)
    }

    /// The pause that the failure with this number begins; zero when it begins none.
    #[must_use]
    pub fn pause_after(&self, failures: u32) -> Duration {
        match failures.checked_sub(self.first_at) {
            Some(more) if more % self.step == 0 => {
                let doubled = 1u32.checked_shl(more / self.step).unwrap_or(u32::MAX);
                self.first_pause.saturating_mul(doubled).min(self.longest_pause)
            }
            _ => Duration::ZERO,
        }
    }

    /// How many failures and pending attempts there may be before the next pause, after this many
    /// failures.
    #[must_use]
    pub fn limit_after(&self, failures: u32) -> u32 {
        if failures < self.first_at {
            return self.first_at;
        }
        let steps = (failures - self.first_at) / self.step + 1;
        (self.first_at + steps * self.step).min(self.closed_at)
    }

    /// Whether the failure with this number closes the account to strangers, for a while or for good.
    #[must_use]
    pub fn locks(&self, failures: u32) -> bool {
        !self.pause_after(failures).is_zero() || failures == self.closed_at
    }

    /// Whether strangers may attempt.
    #[must_use]
    pub fn verdict(&self, history: &History, now: DateTime<Utc>) -> Verdict {
        let History { failures, last_failure_at, pending } = history.at(now, Some(MEMORY));
        if failures >= self.closed_at {
            return Verdict::Closed;
        }
        let pause = self.pause_after(failures);
        match last_failure_at.map(|last| last + pause) {
            Some(opens) if !pause.is_zero() && now < opens => Verdict::Paused(opens),
            _ => room(self.limit_after(failures) - failures, pending.len()),
        }
    }

    /// Whether a known network may attempt as such.
    #[must_use]
    pub fn known_verdict(&self, history: &History, now: DateTime<Utc>) -> Verdict {
        let History { failures, pending, .. } = history.at(now, None);
        match self.known_network.checked_sub(failures) {
            None | Some(0) => Verdict::Closed,
            Some(left) => room(left, pending.len()),
        }
    }

    /// The rules for strangers.
    #[must_use]
    pub fn table(&self) -> Table {
        let whole = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let seconds = |pause: Duration| i32::try_from(pause.as_secs()).unwrap_or(i32::MAX);
        Table {
            limits: (0..=self.closed_at).map(|n| whole(self.limit_after(n))).collect(),
            pauses: (0..=self.closed_at).map(|n| seconds(self.pause_after(n))).collect(),
            locks: (0..=self.closed_at).filter(|n| self.locks(*n)).map(whole).collect(),
        }
    }
}

fn room(left: u32, pending: usize) -> Verdict {
    match left.checked_sub(u32::try_from(pending).unwrap_or(u32::MAX)) {
        None | Some(0) => Verdict::Busy,
        Some(room) => Verdict::Open(room),
    }
}

impl History {
    /// What it amounts to at this time: a charge that outlived its life is a failure, and failures
    /// are forgotten when the last is older than `memory`; without one never. The store's function
    /// `guard_at` says the same.
    #[must_use]
    pub fn at(&self, now: DateTime<Utc>, memory: Option<TimeDelta>) -> Self {
        let (expired, alive): (Vec<_>, Vec<_>) =
            self.pending.iter().copied().partition(|begun| *begun <= now - CHARGE_LIFE);
        let last_expired = expired.iter().max().map(|begun| *begun + CHARGE_LIFE);
        let last_failure_at = self.last_failure_at.max(last_expired);
        let forgotten = matches!((last_failure_at, memory),
            (Some(last), Some(memory)) if last <= now - memory);
        if forgotten {
            return Self { failures: 0, last_failure_at: None, pending: alive };
        }
        let expired = u32::try_from(expired.len()).unwrap_or(u32::MAX);
        Self { failures: self.failures.saturating_add(expired), last_failure_at, pending: alive }
    }
}

#[cfg(test)]
#[path = "ladder_tests.rs"]
mod tests;
