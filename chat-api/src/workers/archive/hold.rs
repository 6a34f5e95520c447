//! Why a partition of the share is not read on.

use std::time::Duration;

use tokio::time::Instant;

use crate::message::{Head, Position};

/// Why a partition is not read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Its progress lies outside the log, here.
    Lost { at: Position },
    /// The dead letters did not take one of its records. It is tried again.
    DeadLetters { until: Instant, wait: Duration },
    /// MongoDB does not take what came of one of its proposals. It is read again then.
    Refused { until: Instant },
}

/// A record of a later release, before which a partition ends.
#[derive(Debug, Clone)]
pub(super) struct NewerAt {
    pub(super) position: Position,
    pub(super) head: Head,
}
