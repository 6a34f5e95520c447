//! Writing accounts from a seed file, all or none.

use chrono::{DateTime, Utc};
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use super::sessions::end_sessions;
use super::{Store, StoreError};
use crate::account::{Email, UserName};
use crate::password::Credential;

/// Serialises seed runs, so that two at once make no duplicates and none fails.
const SEED_LOCK: i64 = 0x6c61_7365_6564;

/// An account as a seed file describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The login name. It also tells which account a row means.
    pub username: UserName,
    /// The e-mail address.
    pub email: Option<Email>,
    /// Whether the address counts as proved.
    pub email_verified: bool,
    /// The display name.
    pub full_name: String,
    /// Whether the account may be used; `None` leaves that as it is, and lets a new one be used.
    pub is_active: Option<bool>,
    /// All groups of the account.
    pub groups: Vec<String>,
}

/// What writing an account changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There was no such account.
    Created,
    /// It differed.
    Updated,
    /// Nothing was written.
    None,
}

/// The password of an account that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewPassword {
    /// The account has a password, which stays.
    Kept,
    /// The account has no password yet.
    Missing,
}

/// Writes accounts; nothing is visible to others before [`commit`](Self::commit).
#[derive(Debug)]
pub struct SeedTransaction<'a> {
    transaction: Transaction<'a, Postgres>,
}

impl Store {
    /// Begins to write accounts. Waits for another run to end.
    pub async fn begin_seed(&self) -> Result<SeedTransaction<'_>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("select pg_advisory_xact_lock($1)", SEED_LOCK)
            .execute(&mut *transaction)
            .await?;
        Ok(SeedTransaction { transaction })
    }
}

impl SeedTransaction<'_> {
    /// Creates the account or makes it what `account` says. An account that may not be used any more
    /// has its sessions ended. `fresh_id` becomes the id of what is new: of the account, or of the
    /// wish to end sessions.
    pub async fn put(
        &mut self,
        account: &NewAccount,
        fresh_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(Uuid, Change, NewPassword), StoreError> {
        let before = sqlx::query!(
            r#"
            select users.id, is_active, credentials.user_id is not null as "has_password!"
            from users left join credentials on credentials.user_id = users.id
            where username_key = $1
            "#,
            account.username.key()
        )
        .fetch_optional(&mut *self.transaction)
        .await?;
        let (id, password) = match &before {
            Some(row) if row.has_password => (row.id, NewPassword::Kept),
            Some(row) => (row.id, NewPassword::Missing),
            None => (fresh_id, NewPassword::Missing),
        };

        let rows = self.put_user(account, id, now).await? + self.put_groups(account, id).await?;
        if before.as_ref().is_some_and(|row| row.is_active) && account.is_active == Some(false) {
            end_sessions(&mut self.transaction, id.into(), fresh_id, now).await?;
        }
        let change = match (before, rows) {
            (None, _) => Change::Created,
            (Some(_), 0) => Change::None,
            (Some(_), _) => Change::Updated,
        };
        Ok((id, change, password))
    }

    /// Gives the account its first password.
    pub async fn put_password(
        &mut self,
        id: Uuid,
        credential: &Credential,
        must_change: bool,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            r#"
            insert into credentials (user_id, scheme, password_hash, pepper_id, must_change, set_at)
            values ($1, $2, $3, $4, $5, $6)
            "#,
            id,
            credential.scheme(),
            credential.hash(),
            credential.pepper_id(),
            must_change,
            now
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Makes everything visible.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await.map_err(Into::into)
    }

    /// Undoes everything.
    pub async fn roll_back(self) -> Result<(), StoreError> {
        self.transaction.rollback().await.map_err(Into::into)
    }

    async fn put_user(
        &mut self,
        account: &NewAccount,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let written = sqlx::query!(
            r#"
            insert into users (id, username, username_key, email, email_key, email_verified,
                               full_name, is_active, created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6, $7,
                    coalesce($8, (select is_active from users where username_key = $3), true), $9, $9)
            on conflict (username_key) do update set
                username = excluded.username,
                email = excluded.email,
                email_key = excluded.email_key,
                email_verified = excluded.email_verified,
                full_name = excluded.full_name,
                is_active = excluded.is_active,
                updated_at = excluded.updated_at
            where (users.username, users.email, users.email_verified, users.full_name, users.is_active)
                  is distinct from
                  (excluded.username, excluded.email, excluded.email_verified, excluded.full_name,
                   excluded.is_active)
            "#,
            id,
            account.username.as_str(),
            account.username.key(),
            account.email.as_ref().map(Email::as_str),
            account.email.as_ref().map(Email::key),
            account.email_verified,
            account.full_name,
            account.is_active,
            now
        )
        .execute(&mut *self.transaction)
        .await
        .map_err(taken)?;
        Ok(written.rows_affected())
    }

    async fn put_groups(&mut self, account: &NewAccount, id: Uuid) -> Result<u64, StoreError> {
        let gone = sqlx::query!(
            "delete from user_groups where user_id = $1 and group_name <> all ($2)",
            id,
            &account.groups
        )
        .execute(&mut *self.transaction)
        .await?;
        let new = sqlx::query!(
            r#"
            insert into user_groups (user_id, group_name)
            select $1, group_name from unnest($2::text[]) as named (group_name)
            on conflict do nothing
            "#,
            id,
            &account.groups
        )
        .execute(&mut *self.transaction)
        .await?;
        Ok(gone.rows_affected() + new.rows_affected())
    }
}

fn taken(error: sqlx::Error) -> StoreError {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    if constraint == Some("users_email_key_key") {
        return StoreError::Taken { field: "email" };
    }
    error.into()
}
