//! What operators ask about accounts, and what they change.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::guard::ANYWHERE;
use super::step::in_time;
use super::unit_of_work::UnitOfWork;
use crate::account::{AccountId, LoginName};
use crate::audit::Entry;
use crate::lockout::{History, KNOWN_FOR_DAYS};

/// One account in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each field is named for what it is")]
pub struct Listed {
    pub id: Uuid,
    pub username: Option<String>,
    /// What it is listed by: the key of its user name, or of its address if it has none.
    #[serde(skip)]
    pub name_key: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub full_name: String,
    pub is_active: bool,
    pub auth_epoch: i64,
    pub groups: Vec<String>,
    pub last_login_at: Option<DateTime<Utc>>,
    /// Failures and pending attempts of strangers.
    #[serde(skip)]
    pub history: History,
}

/// Which accounts a list has; all of what is given must hold.
#[derive(Debug, Clone, Default)]
pub struct AccountFilter<'a> {
    /// Only this one, if there is one.
    pub id: Option<AccountId>,
    /// Only those in this group, if there is one.
    pub group: Option<&'a str>,
    /// Only those that are disabled.
    pub disabled: bool,
    /// Only those with at least this many attempts of strangers that failed or are under way.
    pub attempts: u32,
    /// Only those that are listed after this key of a name.
    pub after: Option<&'a str>,
    /// The most accounts to list.
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

/// A network from which an account is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownNetwork {
    /// The network, as PostgreSQL writes a `cidr`.
    pub network: String,
    /// When the account was last logged in to from there.
    pub last_success_at: DateTime<Utc>,
    /// The attempts from there that failed since then or are under way.
    pub history: History,
}

impl Store {
    /// The account with this id, user name or e-mail address. An id is nobody else's user name: people
    /// may choose theirs, and could choose what looks like the id of somebody else.
    pub async fn find(&self, text: &str) -> Result<Option<AccountId>, StoreError> {
        let name = LoginName::parse(text).ok();
        let id = AccountId::parse(text).ok();
        let found = in_time(
            sqlx::query_scalar!(
                r#"
                select id from users where username_key = $1 or email_key = $1 or id = $2
                order by id = $2 desc limit 1
                "#,
                name.as_ref().map(LoginName::key),
                id.map(Uuid::from)
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(found.map(Into::into))
    }

    /// Accounts in the order of their user names; those without one by their addresses.
    pub async fn list(&self, filter: &AccountFilter<'_>) -> Result<Vec<Listed>, StoreError> {
        let rows = in_time(
            sqlx::query!(
                r#"
                select users.id, username, coalesce(username_key, email_key) as "name_key!", email,
                       email_verified, full_name, is_active, auth_epoch,
                       array(select group_name from user_groups where user_id = users.id
                             order by group_name collate "C") as "groups!",
                       (select max(last_success_at) from known_networks where user_id = users.id)
                           as last_login_at,
                       coalesce(failures, 0) as "failures!", last_failure_at,
                       array(select at from unnest(pending)) as "pending!"
                from users left join login_guard as guard
                    on guard.guard_key = users.guard_key and guard.network = $1::text::cidr
                where ($2::uuid is null or users.id = $2)
                  and ($3::text is null or exists (
                          select from user_groups where user_id = users.id and group_name = $3))
                  and (not $4 or not is_active)
                  and coalesce(failures + cardinality(pending), 0) >= $5
                  and ($6::text is null or coalesce(username_key, email_key) > $6)
                order by coalesce(username_key, email_key) limit $7
                "#,
                ANYWHERE,
                filter.id.map(Uuid::from),
                filter.group,
                filter.disabled,
                i32::try_from(filter.attempts).unwrap_or(i32::MAX),
                filter.after,
                i64::from(filter.limit)
            )
            .fetch_all(&self.pool),
        )
        .await?;
        let listed = rows.into_iter().map(|row| Listed {
            id: row.id,
            username: row.username,
            name_key: row.name_key,
            email: row.email,
            email_verified: row.email_verified,
            full_name: row.full_name,
            is_active: row.is_active,
            auth_epoch: row.auth_epoch,
            groups: row.groups,
            last_login_at: row.last_login_at,
            history: history(row.failures, row.last_failure_at, row.pending),
        });
        Ok(listed.collect())
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

    /// The networks from which the account is known at this time, the last used first.
    pub async fn known_networks(
        &self,
        id: AccountId,
        now: DateTime<Utc>,
    ) -> Result<Vec<KnownNetwork>, StoreError> {
        let rows = in_time(
            sqlx::query!(
                r#"
                select known.network::text as "network!", last_success_at,
                       coalesce(failures, 0) as "failures!", last_failure_at as "last_failure_at?",
                       array(select at from unnest(pending)) as "pending!"
                from known_networks as known join users on users.id = known.user_id
                left join login_guard as guard
                    on guard.guard_key = users.guard_key and guard.network = known.network
                where users.id = $1
                  and last_success_at > $2::timestamptz - make_interval(days => $3)
                order by last_success_at desc
                "#,
                Uuid::from(id),
                now,
                KNOWN_FOR_DAYS
            )
            .fetch_all(&self.pool),
        )
        .await?;
        let known = rows.into_iter().map(|row| KnownNetwork {
            network: row.network,
            last_success_at: row.last_success_at,
            history: history(row.failures, row.last_failure_at, row.pending),
        });
        Ok(known.collect())
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

impl UnitOfWork {
    /// Puts an account into groups and takes it out of others. `false`: nothing was written.
    pub async fn change_groups(
        &mut self,
        id: AccountId,
        (add, remove): (&[String], &[String]),
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        let changed = sqlx::query_scalar!(
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
        .fetch_one(self.connection())
        .await?;
        self.record_change(changed.unsigned_abs(), entry).await
    }
}

impl Store {
    /// [`UnitOfWork::change_groups`], alone.
    pub async fn change_groups(
        &self,
        id: AccountId,
        groups: (&[String], &[String]),
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        in_time(async {
            let mut unit = self.begin().await?;
            let changed = unit.change_groups(id, groups, entry).await?;
            unit.commit().await.map(|()| changed)
        })
        .await
    }
}

fn history(
    failures: i32,
    last_failure_at: Option<DateTime<Utc>>,
    pending: Vec<DateTime<Utc>>,
) -> History {
    History { failures: u32::try_from(failures).unwrap_or(0), last_failure_at, pending }
}
