//! Reading accounts.

use sqlx::types::Uuid;

use super::{Store, StoreError, in_time};
use crate::account::{AccountId, Identity, LoginName};
use crate::password::Credential;

/// An account that a login name leads to.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The account, groups not read.
    pub identity: Identity,
    /// Whether it may be used.
    pub is_active: bool,
    /// What is stored of its password, if it has one.
    pub password: Option<Credential>,
}

impl Store {
    /// The account with this user name or e-mail address.
    pub async fn candidate(&self, name: &LoginName) -> Result<Option<Candidate>, StoreError> {
        let row = in_time(
            sqlx::query!(
                r#"
                select users.id, username, full_name, email, email_verified, is_active, auth_epoch,
                       scheme as "scheme?", password_hash as "password_hash?", pepper_id
                from users left join credentials on credentials.user_id = users.id
                where username_key = $1 or email_key = $1
                "#,
                name.key()
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        let Some(row) = row else { return Ok(None) };
        let password = row
            .scheme
            .zip(row.password_hash)
            .map(|(scheme, hash)| Credential::parse(scheme, &hash, row.pepper_id.as_deref()));
        Ok(Some(Candidate {
            password: password
                .transpose()
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

    /// The account with this id, groups not read, and whether it may be used.
    pub async fn account(&self, id: AccountId) -> Result<Option<(Identity, bool)>, StoreError> {
        let row = in_time(
            sqlx::query!(
                r#"
                select id, username, full_name, email, email_verified, is_active, auth_epoch
                from users where id = $1
                "#,
                Uuid::from(id)
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(row.map(|row| {
            let identity = Identity {
                id: row.id.into(),
                username: row.username,
                full_name: row.full_name,
                email: row.email,
                email_verified: row.email_verified,
                groups: Vec::new(),
                auth_epoch: row.auth_epoch,
            };
            (identity, row.is_active)
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
