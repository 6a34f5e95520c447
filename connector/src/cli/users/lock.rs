//! What the lockout says, in words and for machines.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::lockout::{History, Lockout, MEMORY, Verdict};
use service_process::output::time;

/// Whether attempts are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct LockStatus {
    state: &'static str,
    failures: u32,
    /// When a pause ends; `None` without one.
    until: Option<DateTime<Utc>>,
}

impl LockStatus {
    /// What strangers meet.
    pub(super) fn of_strangers(lockout: &Lockout, history: &History, now: DateTime<Utc>) -> Self {
        Self::new(lockout.verdict(history, now), history, now, Some(MEMORY))
    }

    /// What a known network meets: closed means that it counts as a stranger.
    pub(super) fn of_known(lockout: &Lockout, history: &History, now: DateTime<Utc>) -> Self {
        Self::new(lockout.known_verdict(history, now), history, now, None)
    }

    fn new(
        verdict: Verdict,
        history: &History,
        now: DateTime<Utc>,
        memory: Option<TimeDelta>,
    ) -> Self {
        let (state, until) = match verdict {
            Verdict::Open(_) => ("open", None),
            Verdict::Busy => ("busy", None),
            Verdict::Paused(until) => ("paused", Some(until)),
            Verdict::Closed => ("closed", None),
        };
        Self { state, failures: history.at(now, memory).failures, until }
    }

    /// Whether nobody is let in, however few are under way.
    pub(super) fn is_shut(&self) -> bool {
        matches!(self.state, "paused" | "closed")
    }

    /// Until when nobody is let in; empty when somebody is.
    pub(super) fn locked_until(&self) -> String {
        match self.until {
            Some(until) => time(until),
            None if self.is_shut() => "unlocked".to_owned(),
            None => String::new(),
        }
    }
}

impl fmt::Display for LockStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, failures, until } = self;
        match until {
            Some(until) => write!(f, "{state} until {}, {failures} failures", time(*until)),
            None => write!(f, "{state}, {failures} failures"),
        }
    }
}
