//! What operators ask about accounts, and what they change.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::types::Uuid;

use super::{Store, StoreError, in_time};
use crate::account::{AccountId, LoginName};
use crate::guard::GuardKey;

/// One account in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is named for what it is")]
pub struct Listed {
    pub id: Uuid,
    pub username: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub full_name: String,
    pub is_active: bool,
    pub groups: Vec<String>,
    pub last_login_at: Option<DateTime<Utc>>,
}

/// Which accounts a list has.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    /// Those in this group.
    pub group: Option<&'a str>,
    /// Those that are disabled.
    pub disabled: bool,
    /// Those whose user name's key comes after this one.
    pub after: Option<&'a LoginName>,
    /// At most so many.
    pub limit: u32,
}

/// What is stored of an account's password, but for the hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is named for what it is")]
pub struct PasswordFacts {
    pub scheme: i16,
    pub cost: Option<String>,
    pub pepper_id: Option<String>,
    pub must_change: bool,
    pub set_at: DateTime<Utc>,
}

impl Store {
    /// The account with this user name, e-mail address or id.
    pub async fn find(&self, text: &str) -> Result<Option<AccountId>, StoreError> {
        let name = LoginName::parse(text).ok();
        let id = AccountId::parse(text).ok();
        let found = in_time(
            sqlx::query_scalar!(
                "select id from users where username_key = $1 or email_key = $1 or id = $2",
                name.as_ref().map(LoginName::key),
                id.map(Uuid::from)
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(found.map(Into::into))
    }

    /// Accounts in the order of their user names.
    pub async fn list(&self, filter: &Filter<'_>) -> Result<Vec<Listed>, StoreError> {
        in_time(
            sqlx::query_as!(
                Listed,
                r#"
                select id, username, email, email_verified, full_name, is_active,
                       array(select group_name from user_groups where user_id = users.id
                             order by group_name collate "C") as "groups!",
                       (select max(last_success_at) from known_networks where user_id = users.id)
                           as last_login_at
                from users
                where ($1::text is null or exists (
                          select from user_groups where user_id = users.id and group_name = $1))
                  and (not $2 or not is_active)
                  and ($3::text is null or username_key > $3)
                order by username_key limit $4
                "#,
                filter.group,
                filter.disabled,
                filter.after.map(LoginName::key),
                i64::from(filter.limit)
            )
            .fetch_all(&self.pool),
        )
        .await
    }

    /// One account as a list has it.
    pub async fn listed(&self, id: AccountId) -> Result<Option<Listed>, StoreError> {
        in_time(
            sqlx::query_as!(
                Listed,
                r#"
                select id, username, email, email_verified, full_name, is_active,
                       array(select group_name from user_groups where user_id = users.id
                             order by group_name collate "C") as "groups!",
                       (select max(last_success_at) from known_networks where user_id = users.id)
                           as last_login_at
                from users where id = $1
                "#,
                Uuid::from(id)
            )
            .fetch_optional(&self.pool),
        )
        .await
    }

    /// What the guard counts the account's attempts under.
    pub async fn guard_key(&self, id: AccountId) -> Result<Option<GuardKey>, StoreError> {
        let key = in_time(
            sqlx::query_scalar!("select guard_key from users where id = $1", Uuid::from(id))
                .fetch_optional(&self.pool),
        )
        .await?;
        Ok(key.and_then(|key| key.try_into().ok()))
    }

    /// The account's password, but for its hash.
    pub async fn password_facts(&self, id: AccountId) -> Result<Option<PasswordFacts>, StoreError> {
        in_time(
            sqlx::query_as!(
                PasswordFacts,
                r#"
                select scheme, substring(password_hash from 5 for 2) as cost, pepper_id, must_change,
                       set_at
                from credentials where user_id = $1
                "#,
                Uuid::from(id)
            )
            .fetch_optional(&self.pool),
        )
        .await
    }

    /// The networks from which the account is known, the last used first, with their failures.
    pub async fn known_networks(
        &self,
        id: AccountId,
    ) -> Result<Vec<(String, DateTime<Utc>, i32)>, StoreError> {
        let rows = in_time(
            sqlx::query!(
                r#"
                select known.network::text as "network!", last_success_at,
                       coalesce(failures, 0) as "failures!"
                from known_networks as known join users on users.id = known.user_id
                left join login_guard as guard
                    on guard.guard_key = users.guard_key and guard.network = known.network
                where users.id = $1 order by last_success_at desc
                "#,
                Uuid::from(id)
            )
            .fetch_all(&self.pool),
        )
        .await?;
        Ok(rows.into_iter().map(|row| (row.network, row.last_success_at, row.failures)).collect())
    }

    /// How many wishes to end sessions Dex is yet to fulfil.
    pub async fn pending_revocations(&self, id: AccountId) -> Result<i64, StoreError> {
        in_time(
            sqlx::query_scalar!(
                r#"select count(*) as "count!" from revocations where user_id = $1"#,
                Uuid::from(id)
            )
            .fetch_one(&self.pool),
        )
        .await
    }

    /// Forgets all failures of an account, those of known networks too. `false`: there were none.
    pub async fn unlock(&self, id: AccountId) -> Result<bool, StoreError> {
        let opened = in_time(
            sqlx::query!(
                r#"
                update login_guard set failures = 0, last_failure_at = null
                where guard_key = (select guard_key from users where id = $1)
                  and (failures > 0 or last_failure_at is not null)
                "#,
                Uuid::from(id)
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(opened.rows_affected() > 0)
    }

    /// Puts an account into groups and takes it out of others. `false`: nothing was written.
    pub async fn change_groups(
        &self,
        id: AccountId,
        add: &[String],
        remove: &[String],
    ) -> Result<bool, StoreError> {
        let changed = in_time(
            sqlx::query_scalar!(
                r#"
                with gone as (
                    delete from user_groups where user_id = $1 and group_name = any ($3) returning 1
                ), new as (
                    insert into user_groups (user_id, group_name)
                    select $1, group_name from unnest($2::text[]) as named (group_name)
                    on conflict do nothing returning 1
                )
                select (select count(*) from gone) + (select count(*) from new) as "changed!"
                "#,
                Uuid::from(id),
                add,
                remove
            )
            .fetch_one(&self.pool),
        )
        .await?;
        Ok(changed > 0)
    }
}
