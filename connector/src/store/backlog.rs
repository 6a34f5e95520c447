//! What waits to be done.

use chrono::{DateTime, Utc};

use super::partitions::MONTHS_AHEAD;
use super::{Store, StoreError, in_time};

/// What waits to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// When the oldest wish to end sessions at Dex was made.
    pub oldest_revocation: Option<DateTime<Utc>>,
    /// When the oldest mail was put into the outbox.
    pub oldest_mail: Option<DateTime<Utc>>,
    /// How many of the coming three months have a partition of the audit trail.
    pub partitions_ahead: i32,
}

impl Store {
    /// What waits to be done at this moment.
    pub async fn backlog(&self, now: DateTime<Utc>) -> Result<Backlog, StoreError> {
        in_time(
            sqlx::query_as!(
                Backlog,
                r#"
                select (select min(requested_at) from revocations) as oldest_revocation,
                       (select min(created_at) from outbox) as oldest_mail,
                       (select count(to_regclass(to_char(
                            date_trunc('month', $1 at time zone 'UTC') + make_interval(months => ahead),
                            '"public.audit_events_"YYYY_MM')))
                        from generate_series(1, $2::integer) as ahead)::integer as "partitions_ahead!"
                "#,
                now,
                MONTHS_AHEAD
            )
            .fetch_one(&self.pool),
        )
        .await
    }
}
