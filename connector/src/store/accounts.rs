//! Reading accounts.

use sqlx::types::Uuid;

use super::{Store, StoreError, in_time};
use crate::account::{AccountId, Identity, LoginName};
use crate::password::StoredHash;

/// An account that a login name leads to.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The account, groups not read.
    pub identity: Identity,
    /// Whether it may be used.
    pub is_active: bool,
    /// The hash of its password, if it has one.
    pub password: Option<StoredHash>,
}

/// Whether an account may go on, and who it is.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The account, groups not read.
    pub identity: Identity,
    /// Whether it may be used.
    pub is_active: bool,
    /// Whether Dex is yet to forget sessions of it.
    pub revocation_pending: bool,
}

impl Store {
    /// The account with this user name or e-mail address.
    pub async fn candidate(&self, name: &LoginName) -> Result<Option<Candidate>, StoreError> {
        let row = in_time(
            sqlx::query!(
                r#"
                select users.id, username, full_name, email, email_verified, is_active, auth_epoch,
                       password_hash as "password_hash?"
                from users left join credentials on credentials.user_id = users.id
                where username_key = $1 or email_key = $1
                "#,
                name.key()
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        let Some(row) = row else { return Ok(None) };
        let password = row.password_hash.as_deref().map(StoredHash::parse).transpose();
        Ok(Some(Candidate {
            password: password
                .map_err(|_| StoreError::Corrupt { what: "password hash", account: row.id })?,
            is_active: row.is_active,
            identity: Identity {
                id: row.id.into(),
                username: row.username,
                full_name: row.full_name,
                email: row.email,
                email_verified: row.email_verified,
                groups: Vec::new(),
                auth_epoch: row.auth_epoch,
            },
        }))
    }

    /// How the account with this id stands.
    pub async fn standing(&self, id: AccountId) -> Result<Option<Standing>, StoreError> {
        let row = in_time(
            sqlx::query!(
                r#"
                select id, username, full_name, email, email_verified, is_active, auth_epoch,
                       exists (select from revocations where user_id = users.id) as "revocation_pending!"
                from users where id = $1
                "#,
                Uuid::from(id)
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(row.map(|row| Standing {
            is_active: row.is_active,
            revocation_pending: row.revocation_pending,
            identity: Identity {
                id: row.id.into(),
                username: row.username,
                full_name: row.full_name,
                email: row.email,
                email_verified: row.email_verified,
                groups: Vec::new(),
                auth_epoch: row.auth_epoch,
            },
        }))
    }

    /// The account's groups, sorted by name.
    pub async fn groups(&self, id: AccountId) -> Result<Vec<String>, StoreError> {
        in_time(
            sqlx::query_scalar!(
                r#"select group_name from user_groups where user_id = $1 order by group_name collate "C""#,
                Uuid::from(id)
            )
            .fetch_all(&self.pool),
        )
        .await
    }
}
