//! Charges, failures and known networks. Every statement is exact under any number of replicas: it
//! locks the one row it changes and looks at that row as it is then.

use chrono::{DateTime, Utc};
use service_process::network::Network;
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::interval::interval;
use super::step::{in_time, to_the_end};
use super::unit_of_work::UnitOfWork;
use crate::account::{AccountId, LoginName};
use crate::audit::Entry;
use crate::due::{MailKind, WorkKind};
use crate::lockout::{
    Budget, CHARGE_LIFE, Charge, GuardKey, History, KNOWN_FOR_DAYS, KNOWN_NETWORKS, MEMORY,
};

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

    /// Turns a charge into a failure, and has its owner told: that the account is closed, if the number of
    /// failures is then one of `locks`; that the password has to be changed, if so. `ids` are those of the
    /// two mails. Tells whether it closed the account; `false` as well when the charge was settled before.
    ///
    /// One statement: however slow the database is, no row stays locked between two of them.
    pub async fn settle_failure(
        &self,
        charge: &Charge,
        (account, must_change): (Option<AccountId>, bool),
        (locks, [locked, renew]): (&[i32], [Uuid; 2]),
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let row = to_the_end(
            sqlx::query!(
                r#"
                with settled as (
                    update login_guard as guard set (failures, last_failure_at, pending) = (
                        select now.failures + 1, greatest(now.last_failure_at, $4), now.pending
                        from guard_at($4, $5, case when network = $6::text::cidr then $7::interval end,
                                      guard.failures, guard.last_failure_at,
                                      array(select row(id, at)::guard_charge
                                            from unnest(guard.pending) where id <> $3)) as now)
                    where guard_key = $1 and network = $2::text::cidr
                      and exists (select from unnest(pending) where id = $3)
                    returning failures = any ($8) as locks
                )
                select locks as "locks!",
                       case when locks then post_mail($9, $10, $11, $4, $12, $13) end as locked,
                       case when $14 then post_mail($15, $10, $16, $4, $12, $17) end as must_change
                from settled
                "#,
                charge.guard_key.as_bytes(),
                network_of(charge.budget),
                charge.id,
                now,
                interval(CHARGE_LIFE),
                ANYWHERE,
                interval(MEMORY),
                locks,
                WorkKind::Mail(MailKind::AccountLocked).name(),
                account.map(Uuid::from),
                locked,
                interval(MailKind::LIFE),
                MailKind::AccountLocked.enough_for().map(interval),
                must_change,
                WorkKind::Mail(MailKind::MustChange).name(),
                renew,
                MailKind::MustChange.enough_for().map(interval)
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(row.is_some_and(|row| row.locks))
    }

    /// Turns charges of strangers that outlived their life into failures, of as many rows as there are
    /// `ids`, and has the owners told whose accounts that closed: the number of failures passed one of
    /// `locks`. Yields whom they were counted for, and the account if there is one.
    ///
    /// Admission takes them for failures anyway; this is for those who want to know. So it looks only
    /// at rows that were charged in the last minutes, of which an index tells.
    pub async fn settle_expired(
        &self,
        locks: &[i32],
        ids: &[Uuid],
        now: DateTime<Utc>,
    ) -> Result<Vec<(GuardKey, Option<AccountId>)>, StoreError> {
        let rows = to_the_end(
            sqlx::query!(
                r#"
                with expired as (
                    select guard.guard_key, guard.network, guard.failures as before, now.*
                    from login_guard as guard,
                         guard_at($1, $2, $3, guard.failures, guard.last_failure_at, guard.pending)
                             as now
                    where guard.network = $4::text::cidr and guard.pending <> '{}'
                      and guard.last_charge_at between $1::timestamptz - make_interval(mins => $5)
                                                   and $1::timestamptz - $2::interval
                    limit cardinality($6::uuid[])
                    for update of guard skip locked
                ), settled as (
                    update login_guard as guard
                    set (failures, last_failure_at, pending) =
                        (expired.failures, expired.last_failure_at, expired.pending)
                    from expired
                    where guard.guard_key = expired.guard_key and guard.network = expired.network
                    returning guard.guard_key, expired.before, guard.failures as after
                ), closed as (
                    select settled.guard_key, users.id as account, row_number() over () as number
                    from settled left join users on users.guard_key = settled.guard_key
                    where exists (select from unnest($7::integer[]) as lock
                                  where lock > before and lock <= after)
                )
                select guard_key as "guard_key!", account as "account?",
                       post_mail($8, account, ($6::uuid[])[number], $1, $9, $10) as told
                from closed
                "#,
                now,
                interval(CHARGE_LIFE),
                interval(MEMORY),
                ANYWHERE,
                NOTICED_WITHIN_MINUTES,
                ids,
                locks,
                WorkKind::Mail(MailKind::AccountLocked).name(),
                interval(MailKind::LIFE),
                MailKind::AccountLocked.enough_for().map(interval)
            )
            .fetch_all(&self.pool),
        )
        .await?;
        let closed = rows.into_iter().filter_map(|row| {
            let guard_key = GuardKey::try_from(row.guard_key.as_slice()).ok()?;
            Some((guard_key, row.account.map(Into::into)))
        });
        Ok(closed.collect())
    }

    /// Takes a charge away, and with it the failures of the network, if there is one, which now has a
    /// success: it is remembered, and the one that was used longest ago is forgotten when there are too
    /// many. The owner has mail written, with this id, if the network is news: it was not known, and the
    /// account is not one that nobody ever used.
    ///
    /// One statement: however slow the database is, no row stays locked between two of them.
    pub async fn settle_success(
        &self,
        charge: &Charge,
        (account, network): (AccountId, Option<Network>),
        mail: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        to_the_end(
            sqlx::query!(
                r#"
                with settled as (
                    update login_guard set
                        pending = array(select row(id, at)::guard_charge from unnest(pending)
                                        where id <> $3),
                        failures = case when network = $4::text::cidr then 0 else failures end,
                        last_failure_at =
                            case when network = $4::text::cidr then null else last_failure_at end
                    where guard_key = $1 and network in ($2::text::cidr, $4::text::cidr)
                ), used as (
                    insert into known_networks (user_id, network, last_success_at)
                    select $5::uuid, $4::text::cidr, $6::timestamptz where $4 is not null
                    on conflict (user_id, network)
                    do update set last_success_at = excluded.last_success_at
                ), forgotten as (
                    delete from known_networks where user_id = $5 and network in (
                        select network from known_networks
                        where user_id = $5 and network <> $4::text::cidr
                        order by last_success_at desc offset $7 - 1)
                )
                -- As it was before this statement. Who comes back after a long time is known from nowhere.
                select post_mail($9, $5, $10, $6, $11, $12) as told
                where $4 is not null
                  and not exists (select from known_networks
                                  where user_id = $5 and network = $4::text::cidr)
                  and (exists (select from known_networks where user_id = $5)
                       or exists (select from users where id = $5
                                  and created_at < $6 - make_interval(days => $8)))
                "#,
                charge.guard_key.as_bytes(),
                network_of(charge.budget),
                charge.id,
                network.map(|network| network.to_string()),
                Uuid::from(account),
                now,
                i32::try_from(KNOWN_NETWORKS).unwrap_or(i32::MAX),
                KNOWN_FOR_DAYS,
                WorkKind::Mail(MailKind::NewNetwork).name(),
                mail,
                interval(MailKind::LIFE),
                MailKind::NewNetwork.enough_for().map(interval)
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(())
    }
}

impl UnitOfWork {
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
