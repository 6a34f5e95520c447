//! What somebody might do wrong, as it looks from outside.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

use super::super::Pace;
use crate::presence::record::{Boot, Record, Told};

/// A mistake to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    None,
    /// What is missing before a record is not noticed.
    GapIgnored,
    /// A part of a snapshot is taken for all of it.
    PartIsWhole,
    /// Who went stays.
    LeftForgotten,
    /// A new life counts on from the old one.
    LivesMixed,
    /// Silence is not noticed.
    NeverExpires,
    /// Whoever loses the last connection is offline at once.
    NoGrace,
    /// The end of one of several connections is the end of all.
    OneDevice,
    /// No snapshot comes after the first ones.
    OnlyChanges,
}

thread_local! {
    static HEARD: Cell<u64> = const { Cell::new(0) };
    static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
}

impl Mistake {
    pub(super) const ALL: [Self; 8] = [
        Self::GapIgnored,
        Self::PartIsWhole,
        Self::LeftForgotten,
        Self::LivesMixed,
        Self::NeverExpires,
        Self::NoGrace,
        Self::OneDevice,
        Self::OnlyChanges,
    ];

    /// What it does to the pace of whoever tells.
    pub(super) fn of_pace(self, pace: Pace) -> Pace {
        // Runs on one thread come one after another.
        HEARD.set(0);
        BEGUN.set(None);
        if self == Self::NoGrace { Pace { grace: Duration::ZERO, ..pace } } else { pace }
    }

    /// What it does to the time of whoever hears.
    pub(super) fn of_time(self, now: Instant) -> Instant {
        if self != Self::NeverExpires {
            return now;
        }
        let begun = BEGUN.get().unwrap_or(now);
        BEGUN.set(Some(begun));
        begun
    }

    /// What it does to a record that is heard.
    pub(super) fn of_record(self, mut record: Record) -> Record {
        match self {
            Self::GapIgnored => {
                record.seq = HEARD.get();
                HEARD.set(record.seq + 1);
            }
            Self::LivesMixed => record.boot = Boot::new(uuid::Uuid::from_u128(1)),
            Self::PartIsWhole => {
                if let Told::Snapshot { chunk, of, .. } = &mut record.told {
                    (*chunk, *of) = (0, 1);
                }
            }
            Self::LeftForgotten => {
                if let Told::Delta { left, .. } = &mut record.told {
                    left.clear();
                }
            }
            _ => {}
        }
        record
    }
}
