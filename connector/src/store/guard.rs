//! Charges, failures and known networks. Every statement is exact under any number of replicas: it
//! locks the one row it changes and looks at that row as it is then.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::interval::interval;
use super::step::{in_time, to_the_end};
use super::unit_of_work::UnitOfWork;
use crate::account::{AccountId, LoginName};
use crate::audit::Entry;
use crate::lockout::{
    Budget, CHARGE_LIFE, Charge, GuardKey, History, KNOWN_FOR_DAYS, KNOWN_NETWORKS, MEMORY,
};
use crate::network::Network;

/// The network of everybody: the row of strangers.
pub(super) const ANYWHERE: &str = "::/0";

/// Within how many minutes an expired charge is noticed, if at all: ten looks.
const NOTICED_WITHIN_MINUTES: i32 = 5;

impl Store {
    /// What was counted so far.
    pub async fn history(
        &self,
        guard_key: &GuardKey,
        budget: Budget,
    ) -> Result<History, StoreError> {
        let row = in_time(
            sqlx::query!(
                r#"
                select failures, last_failure_at,
                       array(select at from unnest(pending)) as "pending!"
                from login_guard where guard_key = $1 and network = $2::text::cidr
                "#,
                guard_key.as_bytes(),
                network_of(budget)
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(row.map_or_else(History::default, |row| History {
            failures: u32::try_from(row.failures).unwrap_or(0),
            last_failure_at: row.last_failure_at,
            pending: row.pending,
        }))
    }

    /// Takes a charge away, and tells whether it was there. It is looked for under `guard_key` and, if
    /// there is a name, under the account that has it: who does not know where it was charged need not.
    pub async fn release(
        &self,
        charge: Uuid,
        guard_key: &GuardKey,
        name: Option<&LoginName>,
    ) -> Result<bool, StoreError> {
        let released = to_the_end(
            sqlx::query!(
                r#"
                update login_guard
                set pending = array(select row(id, at)::guard_charge from unnest(pending) where id <> $1)
                where guard_key in ($2, (select users.guard_key from users
                                         where username_key = $3 or email_key = $3))
                  and exists (select from unnest(pending) where id = $1)
                "#,
                charge,
                guard_key.as_bytes(),
                name.map(LoginName::key)
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(released.rows_affected() > 0)
    }

    /// [`UnitOfWork::unlock`], alone.
    pub async fn unlock(&self, id: AccountId, entry: &Entry) -> Result<bool, StoreError> {
        in_time(async {
            let mut unit = self.begin().await?;
            let opened = unit.unlock(id, entry).await?;
            unit.commit().await.map(|()| opened)
        })
        .await
    }
}

impl UnitOfWork {
    /// Turns a charge into a failure and tells how many there are in a row then; `None` when the
    /// charge was settled before.
    pub async fn settle_failure(
        &mut self,
        charge: &Charge,
        now: DateTime<Utc>,
    ) -> Result<Option<u32>, StoreError> {
        let failures = sqlx::query_scalar!(
            r#"
            update login_guard as guard set (failures, last_failure_at, pending) = (
                select now.failures + 1, greatest(now.last_failure_at, $4), now.pending
                from guard_at($4, $5, case when network = $6::text::cidr then $7::interval end,
                              guard.failures, guard.last_failure_at,
                              array(select row(id, at)::guard_charge from unnest(guard.pending)
                                    where id <> $3)) as now)
            where guard_key = $1 and network = $2::text::cidr
              and exists (select from unnest(pending) where id = $3)
            returning failures
            "#,
            charge.guard_key.as_bytes(),
            network_of(charge.budget),
            charge.id,
            now,
            interval(CHARGE_LIFE),
            ANYWHERE,
            interval(MEMORY)
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(failures.and_then(|failures| u32::try_from(failures).ok()))
    }

    /// Turns charges of strangers that outlived their life into failures. Yields whom they were counted
    /// for, the account if there is one, and the failures before and after.
    ///
    /// Admission takes them for failures anyway; this is for those who want to know. So it looks only
    /// at rows that were charged in the last minutes, of which an index tells.
    pub async fn settle_expired(
        &mut self,
        now: DateTime<Utc>,
    ) -> Result<Vec<(GuardKey, Option<AccountId>, RangeInclusive<u32>)>, StoreError> {
        let rows = sqlx::query!(
                r#"
            with expired as (
                select guard.guard_key, guard.network, guard.failures as before, now.*
                from login_guard as guard,
                     guard_at($1, $2, $3, guard.failures, guard.last_failure_at, guard.pending) as now
                where guard.network = $4::text::cidr and guard.pending <> '{}'
                  and guard.last_charge_at between $1::timestamptz - make_interval(mins => $5)
                                               and $1::timestamptz - $2::interval
                for update of guard skip locked
            )
            update login_guard as guard
            set (failures, last_failure_at, pending) =
                (expired.failures, expired.last_failure_at, expired.pending)
            from expired
            where guard.guard_key = expired.guard_key and guard.network = expired.network
            returning guard.guard_key as "guard_key!", expired.before as "before!",
                      guard.failures as "after!",
                      (select id from users where users.guard_key = guard.guard_key) as account
            "#,
                now,
                interval(CHARGE_LIFE),
                interval(MEMORY),
                ANYWHERE,
                NOTICED_WITHIN_MINUTES
            )
        .fetch_all(self.connection())
        .await?;
        let count = |number: i32| u32::try_from(number).unwrap_or(0);
        let settled = rows.into_iter().filter_map(|row| {
            let guard_key = GuardKey::try_from(row.guard_key.as_slice()).ok()?;
            Some((guard_key, row.account.map(Into::into), count(row.before)..=count(row.after)))
        });
        Ok(settled.collect())
    }

    /// Takes a charge away, and with it the failures of `network`, which now has a success.
    pub async fn settle_success(
        &mut self,
        charge: &Charge,
        network: Option<Network>,
    ) -> Result<(), StoreError> {
        let network = network.map(|network| network.to_string());
        sqlx::query!(
                r#"
            update login_guard set
                pending = array(select row(id, at)::guard_charge from unnest(pending) where id <> $3),
                failures = case when network = $4::text::cidr then 0 else failures end,
                last_failure_at =
                    case when network = $4::text::cidr then null else last_failure_at end
            where guard_key = $1 and network in ($2::text::cidr, $4::text::cidr)
            "#,
                charge.guard_key.as_bytes(),
                network_of(charge.budget),
                charge.id,
                network
            )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Remembers that the account was logged in to from this network, and forgets the one that was
    /// used longest ago when there are too many. Tells whether that is news to its owner: the network was
    /// not known, and the account is not one that nobody ever used.
    pub async fn remember_network(
        &mut self,
        account: AccountId,
        network: Network,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let news = sqlx::query_scalar!(
            r#"
            with used as (
                insert into known_networks (user_id, network, last_success_at)
                values ($1, $2::text::cidr, $3)
                on conflict (user_id, network)
                do update set last_success_at = excluded.last_success_at
            ), forgotten as (
                delete from known_networks where user_id = $1 and network in (
                    select network from known_networks
                    where user_id = $1 and network <> $2::text::cidr
                    order by last_success_at desc offset $4 - 1)
            )
            -- As it was before this statement. Who comes back after a long time is known from nowhere.
            select not exists (select from known_networks
                               where user_id = $1 and network = $2::text::cidr)
               and (exists (select from known_networks where user_id = $1)
                    or exists (select from users where id = $1
                               and created_at < $3::timestamptz - make_interval(days => $5))) as "news!"
            "#,
            Uuid::from(account),
            network.to_string(),
            now,
            i32::try_from(KNOWN_NETWORKS).unwrap_or(i32::MAX),
            KNOWN_FOR_DAYS
        )
        .fetch_one(self.connection())
        .await?;
        Ok(news)
    }

    /// Forgets all failures of an account, those of known networks too, and what became a failure
    /// because its process died. Attempts under way stay. `false`: there were none, and nothing was
    /// written.
    pub async fn unlock(&mut self, id: AccountId, entry: &Entry) -> Result<bool, StoreError> {
        let opened = sqlx::query!(
            r#"
            update login_guard as guard set (failures, last_failure_at, pending) = (
                select 0, null::timestamptz, now.pending
                from guard_at($2, $3, null, guard.failures, guard.last_failure_at,
                              guard.pending) as now)
            where guard_key = (select guard_key from users where id = $1)
              and (select now.failures > 0
                   from guard_at($2, $3, null, guard.failures, guard.last_failure_at,
                                 guard.pending) as now)
            "#,
            Uuid::from(id),
            entry.at,
            interval(CHARGE_LIFE)
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        self.record_change(opened, entry).await
    }
}

fn network_of(budget: Budget) -> String {
    match budget {
        Budget::Strangers => ANYWHERE.to_owned(),
        Budget::Known(network) => network.to_string(),
    }
}
