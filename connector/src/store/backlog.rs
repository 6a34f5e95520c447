//! What waits to be done.

use chrono::{DateTime, Utc};

use super::Store;
use super::due::names;
use super::error::StoreError;
use super::partitions::MONTHS_AHEAD;
use super::step::in_time;
use crate::due::WorkKind;

/// What waits to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Since when Dex is to forget sessions that it still has.
    pub oldest_revocation: Option<DateTime<Utc>>,
    /// Since when mail waits to be sent.
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
                select (select min(created_at) from due_work
                        where kind = $3 and finished_at is null) as oldest_revocation,
                       (select min(created_at) from due_work
                        where kind = any ($4) and finished_at is null) as oldest_mail,
                       (select count(to_regclass(to_char(
                            date_trunc('month', $1 at time zone 'UTC') + make_interval(months => ahead),
                            '"public.audit_events_"YYYY_MM')))
                        from generate_series(1, $2::integer) as ahead)::integer as "partitions_ahead!"
                "#,
                now,
                MONTHS_AHEAD,
                WorkKind::Revocation.name(),
                &names(&WorkKind::MAIL)
            )
            .fetch_one(&self.pool),
        )
        .await
    }
}
