//! Lengths of time, in PostgreSQL.

use chrono::TimeDelta;
use sqlx::postgres::types::PgInterval;

/// A length of time as PostgreSQL takes it.
pub(super) fn interval(length: TimeDelta) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: length.num_microseconds().unwrap_or(i64::MAX) }
}
