//! Accounts in large numbers, written by SQL: thousands of them may share one hash.

use anyhow::{Context as _, Result};
use sqlx::PgPool;

/// Accounts `PREFIX-000001` and so on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Imported<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) count: u32,
    pub(crate) active: bool,
}

/// What the passwords of all imported accounts are.
pub(crate) const PASSWORD: &str = "a password that many share";

/// The bcrypt cost of the hash that they share.
pub(crate) const COST: u32 = 10;

impl Imported<'_> {
    /// Writes the accounts, with a hash as other programs make it.
    pub(crate) async fn write(self, pool: &PgPool) -> Result<()> {
        let hash = bcrypt::hash(PASSWORD, COST)?;
        sqlx::query(
            "with made as (
                 insert into users (id, username, username_key, email, email_key, is_active)
                 select gen_random_uuid(), name, name, name || '@example.com',
                        name || '@example.com', $3
                 from generate_series(1, $2) as n, format('%s-%s', $1, lpad(n::text, 6, '0')) as name
                 returning id)
             insert into credentials (user_id, scheme, password_hash) select id, 1, $4 from made",
        )
        .bind(self.prefix)
        .bind(i32::try_from(self.count)?)
        .bind(self.active)
        .bind(hash)
        .execute(pool)
        .await
        .context("the accounts cannot be imported")?;
        // As after an hour of service: the planner knows the tables.
        sqlx::query("analyze").execute(pool).await?;
        Ok(())
    }
}

/// The name of the `n`th, counted from 1.
pub(crate) fn name(prefix: &str, n: u32) -> String {
    format!("{prefix}-{n:06}")
}
