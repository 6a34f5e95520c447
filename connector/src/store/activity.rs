//! What the trail says of one account, for its owner.

use chrono::{DateTime, Utc};
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::step::in_time;
use crate::account::AccountId;

/// A line of the trail as the owner of the account sees it: not why somebody was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of audit_events, see docs/LOGGING.md")]
pub struct Happened {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub event: String,
    pub remote_ip: Option<String>,
    pub count: i32,
}

impl Store {
    /// What happened to an account before this line, if one is given, the last first; of these events, at most `limit`.
    pub async fn activity(
        &self,
        account: AccountId,
        events: &[String],
        before: Option<(DateTime<Utc>, Uuid)>,
        limit: u32,
    ) -> Result<Vec<Happened>, StoreError> {
        let (before_at, before_id) = before.unzip();
        in_time(
            sqlx::query_as!(
                Happened,
                r#"
                select id, at, event, host(remote_ip) as remote_ip, count
                from audit_events
                where user_id = $1 and event = any ($2)
                  and ($3::timestamptz is null or at <= $3 and (at, id) < ($3, $4::uuid))
                order by at desc, id desc limit $5
                "#,
                Uuid::from(account),
                events,
                before_at,
                before_id,
                i64::from(limit)
            )
            .fetch_all(&self.pool),
        )
        .await
    }
}
