//! What signing in and going on ask of an account: its state, and a fresh hash for an old one.

use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::step::{in_time, to_the_end};
use crate::account::{AccountId, Identity};
use crate::due::WorkKind;
use crate::password::Credential;

/// An account that a login name leads to.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The account with its groups.
    pub identity: Identity,
    /// Whether it may be used.
    pub is_active: bool,
    /// Whether its password has to be changed before it opens anything.
    pub must_change: bool,
    /// Its password, if it has one.
    pub credential: Option<Credential>,
}

/// Whether an account may go on, and who it is.
#[derive(Debug, Clone)]
pub struct AccountStatus {
    /// The account with its groups.
    pub identity: Identity,
    /// Whether it may be used.
    pub is_active: bool,
    /// Whether Dex is yet to forget sessions of it.
    pub revocation_pending: bool,
}

impl Store {
    /// Replaces a stored password by a fresh hash of it, unless it was replaced since it was read;
    /// tells whether it did.
    pub async fn upgrade_password(
        &self,
        account: AccountId,
        stored: &Credential,
        fresh: &Credential,
    ) -> Result<bool, StoreError> {
        let done = in_time(
            sqlx::query!(
                r#"
                update credentials set scheme = $3, password_hash = $4, pepper_id = $5
                where user_id = $1 and password_hash = $2
                "#,
                Uuid::from(account),
                stored.hash(),
                fresh.scheme(),
                fresh.hash(),
                fresh.pepper_id()
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// How the account with this id stands. Not given up before 30 s: whoever waits less long leaves it
    /// to a task.
    pub async fn account_status(&self, id: AccountId) -> Result<Option<AccountStatus>, StoreError> {
        let row = to_the_end(
            sqlx::query!(
                r#"
                select id, username, full_name, email, email_verified, is_active, auth_epoch,
                       exists (select from due_work
                               where user_id = users.id and kind = $2 and finished_at is null)
                           as "revocation_pending!",
                       array(select group_name from user_groups where user_id = users.id
                             order by group_name collate "C") as "groups!"
                from users where id = $1
                "#,
                Uuid::from(id),
                WorkKind::Revocation.name()
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(row.map(|row| AccountStatus {
            is_active: row.is_active,
            revocation_pending: row.revocation_pending,
            identity: Identity {
                id: row.id.into(),
                username: row.username,
                full_name: row.full_name,
                email: row.email,
                email_verified: row.email_verified,
                groups: row.groups,
                auth_epoch: row.auth_epoch,
            },
        }))
    }
}
