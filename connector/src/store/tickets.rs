//! One-time tickets.

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::step::in_time;
use crate::account::AccountId;
use crate::network::Network;

impl Store {
    /// Uses a ticket up, and tells whether it was good: made for this account and this network, not
    /// expired and not used before. Of many at once one succeeds. Without account or network it does
    /// the same work, and none is good.
    pub async fn redeem_ticket(
        &self,
        ticket: &str,
        account: Option<AccountId>,
        network: Option<Network>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let done = in_time(
            sqlx::query!(
                r#"
                update login_tickets set used_at = $4
                where ticket_hash = $1 and user_id = $2 and network = $3::text::cidr
                  and used_at is null and expires_at > $4
                "#,
                &Sha256::digest(ticket)[..],
                account.map(Uuid::from),
                network.map(|network| network.to_string()),
                now
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
