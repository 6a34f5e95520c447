//! What is asked and changed of an account by its owner, who is signed in.

use chrono::{DateTime, Utc};
use service_process::network::Network;
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::step::in_time;
use super::unit_of_work::UnitOfWork;
use crate::account::{AccountId, Phone, PhoneChange};
use crate::audit::Entry;

/// An account as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is named for what it is")]
pub struct Profile {
    pub username: Option<String>,
    pub full_name: String,
    pub email: Option<String>,
    pub email_verified: bool,
    /// Nobody has proved it.
    pub phone: Option<String>,
    /// Sorted.
    pub groups: Vec<String>,
}

/// An account that nobody else changes until the unit of work ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its address.
    pub email: Option<String>,
    /// When its sessions were last ended, if ever.
    pub sessions_ended_at: Option<DateTime<Utc>>,
}

/// What its owner changes of an account; what is `None` stays.
#[derive(Debug, Clone)]
pub struct ProfileChange {
    /// Another display name.
    pub full_name: Option<String>,
    /// Another telephone number, or none.
    pub phone: PhoneChange<Phone>,
}

impl Store {
    /// The groups of an account, if it may be used and whoever signed in to it at that time is still signed in. Dex
    /// dates tokens by whole seconds, downwards: one of the second in which sessions ended may be from before.
    pub async fn signed_in(
        &self,
        account: AccountId,
        issued_at: DateTime<Utc>,
    ) -> Result<Option<Vec<String>>, StoreError> {
        in_time(
            sqlx::query_scalar!(
                r#"
                select array(select group_name from user_groups where user_id = users.id
                             order by group_name collate "C") as "groups!"
                from users
                where id = $1 and is_active
                  and (sessions_ended_at is null or sessions_ended_at < $2)
                "#,
                Uuid::from(account),
                issued_at
            )
            .fetch_optional(&self.pool),
        )
        .await
    }

    /// The account as its owner sees it.
    pub async fn profile(&self, account: AccountId) -> Result<Option<Profile>, StoreError> {
        in_time(
            sqlx::query_as!(
                Profile,
                r#"
                select username, full_name, email, email_verified, phone,
                       array(select group_name from user_groups where user_id = users.id
                             order by group_name collate "C") as "groups!"
                from users where id = $1
                "#,
                Uuid::from(account)
            )
            .fetch_optional(&self.pool),
        )
        .await
    }
}

impl UnitOfWork {
    /// Keeps everybody else from changing an account, if it may be used and whoever signed in to it at that time is
    /// still signed in.
    pub async fn hold(
        &mut self,
        account: AccountId,
        issued_at: DateTime<Utc>,
    ) -> Result<Option<Held>, StoreError> {
        let held = sqlx::query_as!(
            Held,
            r#"
            select email, sessions_ended_at from users
            where id = $1 and is_active
              and (sessions_ended_at is null or sessions_ended_at < $2)
            for update
            "#,
            Uuid::from(account),
            issued_at
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(held)
    }

    /// Changes what its owner says of an account. `false`: it is so already, and nothing was written.
    pub async fn change_profile(
        &mut self,
        account: AccountId,
        change: &ProfileChange,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        let phone = match &change.phone {
            PhoneChange::Is(phone) => Some(phone.as_str()),
            PhoneChange::Stays | PhoneChange::Goes => None,
        };
        let changed = sqlx::query!(
            r#"
            update users
            set full_name = coalesce($2, full_name),
                phone = case when $3 then $4 else phone end, updated_at = $5
            where id = $1 and (full_name <> coalesce($2, full_name)
                               or $3 and phone is distinct from $4)
            "#,
            Uuid::from(account),
            change.full_name,
            change.phone != PhoneChange::Stays,
            phone,
            entry.at
        )
        .execute(self.connection())
        .await?;
        self.record_change(changed.rows_affected(), entry).await
    }

    /// Forgets that an account is known from a network. `false`: it is not, and nothing was written.
    pub async fn forget_network(
        &mut self,
        account: AccountId,
        network: Network,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        let forgotten = sqlx::query!(
            "delete from known_networks where user_id = $1 and network = $2::text::cidr",
            Uuid::from(account),
            network.to_string()
        )
        .execute(self.connection())
        .await?;
        self.record_change(forgotten.rows_affected(), entry).await
    }
}
