//! Removes what nobody will read again.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::lockout::{KNOWN_FOR_DAYS, MEMORY};
use crate::store::{Store, StoreError};

/// How often. What is left over waits for the next time.
pub(super) const EVERY: Duration = Duration::from_secs(30);

/// The rows of one table that one sweep removes at most, so that it takes well below the second and
/// a half that a step may take. 10,000 in 30 s are 333 a second; each stranger's row took a hash,
/// of which a core computes 12 a second: that many need 28 cores that do nothing else.
const ROWS: i64 = 10_000;

/// How much longer failures stay than they count. A charge that nobody settled becomes a failure 30 s
/// after it was made; the rest of the minute is for clocks that differ.
const FAILURES: TimeDelta = TimeDelta::minutes(1);

/// A ticket is kept for a day after its end, for those who ask what became of it.
const TICKETS: TimeDelta = TimeDelta::days(1);

/// Due work goes when it is over; the minute is for clocks that differ.
const DUE_WORK: TimeDelta = TimeDelta::minutes(1);

/// Flows, invitations and undos go when they are over; the minute is for clocks that differ.
const FLOWS: TimeDelta = TimeDelta::minutes(1);

/// Sweeps once.
pub(super) async fn sweep(store: &Store, now: DateTime<Utc>) -> Result<(), StoreError> {
    // Networks first: with them go the failures that were counted apart for them.
    store.sweep_networks(now - TimeDelta::days(KNOWN_FOR_DAYS.into()), ROWS).await?;
    store.sweep_guard(now - MEMORY - FAILURES, ROWS).await?;
    store.sweep_tickets(now - TICKETS, ROWS).await?;
    store.sweep_due_work(now - DUE_WORK, ROWS).await?;
    store.sweep_flows(now - FLOWS, ROWS).await?;
    store.sweep_mail_budgets(now, ROWS).await?;
    store.sweep_invitations(now - FLOWS, ROWS).await?;
    store.sweep_undos(now - FLOWS, ROWS).await?;
    Ok(())
}
