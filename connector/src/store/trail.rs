//! Reading the audit trail.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::step::in_time;
use crate::account::AccountId;

/// One line of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the columns of audit_events, see docs/LOGGING.md")]
pub struct Line {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub event: String,
    pub reason: Option<String>,
    pub user_id: Option<Uuid>,
    pub username: Option<String>,
    pub remote_ip: Option<String>,
    pub request_id: String,
    pub connector_id: String,
    pub count: i32,
}

/// Which lines are wanted; all of what is given must hold.
#[derive(Debug, Clone, Default)]
pub struct TrailQuery {
    /// One of these events; any when there is none.
    pub events: Vec<String>,
    /// With this reason; any when there is none.
    pub reason: Option<String>,
    /// About this account; about anybody when there is none.
    pub account: Option<AccountId>,
    /// From an address in this network, as PostgreSQL reads it.
    pub network: Option<String>,
    /// Not before this time.
    pub since: Option<DateTime<Utc>>,
    /// The most lines to read: the last ones.
    pub limit: u32,
}

impl Store {
    /// The last lines that are wanted, oldest first.
    pub async fn trail(&self, wanted: &TrailQuery) -> Result<Vec<Line>, StoreError> {
        let mut lines = in_time(
            sqlx::query_as!(
                Line,
                r#"
                select audit.id, at, event, reason, user_id, username,
                       host(remote_ip) as remote_ip, request_id, connector_id, count
                from audit_events as audit left join users on users.id = audit.user_id
                where (cardinality($1::text[]) = 0 or event = any ($1))
                  and ($2::text is null or reason = $2)
                  and ($3::uuid is null or user_id = $3)
                  and ($4::text is null or remote_ip <<= $4::text::cidr)
                  and ($5::timestamptz is null or at >= $5)
                order by at desc, audit.id desc limit $6
                "#,
                &wanted.events,
                wanted.reason,
                wanted.account.map(Uuid::from),
                wanted.network,
                wanted.since,
                i64::from(wanted.limit)
            )
            .fetch_all(&self.pool),
        )
        .await?;
        lines.reverse();
        Ok(lines)
    }
}
