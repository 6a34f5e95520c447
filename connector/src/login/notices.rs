//! An account that was closed: a line of the trail, and a metric. Its owner's mail is written with what
//! closed it.

use chrono::{DateTime, Utc};

use crate::audit::{Event, Origin, Subject};
use crate::core::Core;
use crate::metrics::ACCOUNT_LOCKS;

/// The account, or the name, is closed to strangers from now on.
pub(super) fn account_locked(core: &Core, subject: Subject, now: DateTime<Utc>) {
    metrics::counter!(ACCOUNT_LOCKS).increment(1);
    core.trail.record(Event::AccountLocked, subject, Origin::default(), now);
}
