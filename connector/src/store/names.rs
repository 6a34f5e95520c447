//! Names that were stored by earlier versions, which made other keys of them.

use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::step::to_the_end;
use crate::account::{AccountId, LoginName};

/// A stored name that cannot be found by how it is written any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable {
    /// The account that it belongs to.
    pub account: AccountId,
    /// `username` or `email`.
    pub field: &'static str,
}

impl Store {
    /// Gives every stored name the key that it is looked up by today, and yields those for which that
    /// cannot be done: what they are spelt like is somebody else's, or cannot be a name. A second run
    /// changes nothing.
    pub async fn renew_keys(&self) -> Result<Vec<Unreachable>, StoreError> {
        // A key of ASCII characters alone is the same by every version.
        let rows = to_the_end(
            sqlx::query!(
                r#"
                select id, username, username_key, email, email_key from users
                where octet_length(username_key) <> char_length(username_key)
                   or octet_length(email_key) <> char_length(email_key)
                "#
            )
            .fetch_all(&self.pool),
        )
        .await?;
        let mut unreachable = Vec::new();
        for row in rows {
            let account = AccountId::from(row.id);
            let username = row.username.as_deref().zip(row.username_key.as_deref());
            let email = row.email.as_deref().zip(row.email_key.as_deref());
            if !self.renew_key(row.id, "username", username).await? {
                unreachable.push(Unreachable { account, field: "username" });
            }
            if !self.renew_key(row.id, "email", email).await? {
                unreachable.push(Unreachable { account, field: "email" });
            }
        }
        Ok(unreachable)
    }

    /// Whether the name can be found by how it is written.
    async fn renew_key(
        &self,
        id: Uuid,
        field: &'static str,
        name: Option<(&str, &str)>,
    ) -> Result<bool, StoreError> {
        let Some((written, key)) = name else { return Ok(true) };
        let Ok(today) = LoginName::parse(written) else { return Ok(false) };
        if today.key() == key {
            return Ok(true);
        }
        let email = (field == "email").then_some(today.key());
        let username = (field == "username").then_some(today.key());
        let renewed = to_the_end(
            sqlx::query!(
                r#"
                update users set username_key = coalesce($2, username_key),
                                 email_key = coalesce($3, email_key)
                where id = $1 and not exists (
                    select from users as other where other.username_key = $2 or other.email_key = $3)
                "#,
                id,
                username,
                email
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(renewed.rows_affected() > 0)
    }
}
