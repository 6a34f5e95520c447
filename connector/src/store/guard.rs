//! Charges, failures and known networks. Every statement is exact under any number of replicas: it
//! locks the one row it changes and looks at that row as it is then.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use sqlx::types::Uuid;
use tracing::error;

use super::{Candidate, Store, StoreError, in_time, interval, to_the_end};
use crate::account::{AccountId, Identity, LoginName};
use crate::guard::{
    Budget, CHARGE_LIFE, Charge, GuardKey, History, KNOWN_NETWORKS, MEMORY, Table, Whom,
};
use crate::network::Network;
use crate::password::{Cost, Credential, InvalidHash};

/// The network of everybody: the row of strangers.
pub(super) const ANYWHERE: &str = "::/0";

/// How long a network stays known after its last success, in days.
pub(super) const KNOWN_FOR_DAYS: i32 = 90;

/// Within how many minutes an expired charge is noticed, if at all: ten looks.
const NOTICED_WITHIN_MINUTES: i32 = 5;

/// What a try to charge an attempt yielded.
#[derive(Debug)]
pub struct Reserved {
    /// Whom it is counted for.
    pub guard_key: GuardKey,
    /// Whether the account is known from the network.
    pub known: bool,
    /// Where it was charged; `None` when it was not.
    pub budget: Option<Budget>,
    /// The account with its groups, if there is one.
    pub candidate: Option<Candidate>,
    /// The highest cost among all stored hashes; `None` without any.
    pub highest_cost: Option<Cost>,
}

/// A connection to the accounts database, for a statement of which it must be known whether it was
/// sent.
#[derive(Debug)]
pub struct Connection(PoolConnection<Postgres>);

impl Store {
    /// A connection. As long as there is none, nothing was sent.
    pub async fn connection(&self) -> Result<Connection, StoreError> {
        in_time(self.pool.acquire()).await.map(Connection)
    }
}

impl Connection {
    /// Resolves a name and charges the attempt in one round trip: to the known network if the account
    /// has one there with room, else to strangers. Not given up before 30 s: until the database has
    /// answered, nobody knows whether there is a charge.
    #[expect(clippy::too_many_lines, reason = "one statement, which cannot be cut")]
    pub async fn reserve(
        &mut self,
        whom: &Whom,
        charge: Uuid,
        now: DateTime<Utc>,
        (strangers, known_network): (&Table, u32),
    ) -> Result<Reserved, StoreError> {
        let network = whom.network.map(|network| network.to_string());
        let known_limit = i32::try_from(known_network).unwrap_or(i32::MAX);
        let answer = to_the_end(
            sqlx::query!(
                r#"
                with account as (
                    select users.id, username, full_name, email, email_verified, is_active,
                           auth_epoch, guard_key, scheme, password_hash, pepper_id, must_change
                    from users left join credentials on credentials.user_id = users.id
                    where username_key = $1 or email_key = $1
                ), whom as (
                    select coalesce((select guard_key from account), $2) as guard_key,
                           exists (
                               select from account join known_networks on user_id = account.id
                               where network = $3::text::cidr
                                 and last_success_at > $5::timestamptz - make_interval(days => $6)
                           ) as known
                ), pair as (
                    insert into login_guard as guard (guard_key, network, pending, last_charge_at)
                    select guard_key, $3::text::cidr, array[row($4::uuid, $5)::guard_charge], $5
                    from whom where known
                    on conflict (guard_key, network) do update
                    set (failures, last_failure_at, pending, last_charge_at) = (
                        select now.failures, now.last_failure_at, now.pending || excluded.pending, $5
                        from guard_at($5, $7, null, guard.failures, guard.last_failure_at,
                                      guard.pending) as now)
                    where (
                        select now.failures + cardinality(now.pending) < $9
                        from guard_at($5, $7, null, guard.failures, guard.last_failure_at,
                                      guard.pending) as now)
                    returning 1
                ), strangers as (
                    insert into login_guard as guard (guard_key, network, pending, last_charge_at)
                    select guard_key, $12::text::cidr, array[row($4, $5)::guard_charge], $5
                    from whom where not $13 and not exists (select from pair)
                    on conflict (guard_key, network) do update
                    set (failures, last_failure_at, pending, last_charge_at) = (
                        select now.failures, now.last_failure_at, now.pending || excluded.pending, $5
                        from guard_at($5, $7, $8, guard.failures, guard.last_failure_at,
                                      guard.pending) as now)
                    where (
                        select now.failures + cardinality(now.pending) < limits[step]
                           -- Without a pause the clocks of replicas need not agree.
                           and (pauses[step] = 0 or
                                $5 >= now.last_failure_at + make_interval(secs => pauses[step]))
                        from guard_at($5, $7, $8, guard.failures, guard.last_failure_at,
                                      guard.pending) as now,
                             (select $10::integer[] as limits, $11::integer[] as pauses) as ladder,
                             least(now.failures + 1, cardinality(limits)) as step)
                    returning 1
                )
                select whom.guard_key as "guard_key!", known as "known!",
                       exists (select from pair) as "charged_to_known!",
                       exists (select from strangers) as "charged_to_strangers!",
                       account.id as "id?", username, full_name as "full_name?",
                       email, email_verified as "email_verified?", is_active as "is_active?",
                       auth_epoch as "auth_epoch?", scheme as "scheme?",
                       password_hash as "password_hash?", pepper_id, must_change as "must_change?",
                       array(select group_name from user_groups where user_id = account.id
                             order by group_name collate "C") as "groups!",
                       (select max(substring(password_hash from 5 for 2) collate "C")
                        from credentials) as highest_cost
                from whom left join account on true
                "#,
                whom.name.as_ref().map(LoginName::key),
                whom.name_key.as_bytes(),
                network,
                charge,
                now,
                KNOWN_FOR_DAYS,
                interval(CHARGE_LIFE),
                interval(MEMORY),
                known_limit,
                &strangers.limits,
                &strangers.pauses,
                ANYWHERE,
                whom.known_only,
            )
            .fetch_one(&mut *self.0),
        )
        .await;
        if matches!(answer, Err(StoreError::TimedOut)) {
            // The pool would wait for the answer, and the next attempt take one more from the others.
            self.0.close_on_drop();
        }
        let row = answer?;
        let budget = match (row.charged_to_known, whom.network) {
            (true, Some(network)) => Some(Budget::Known(network)),
            _ => row.charged_to_strangers.then_some(Budget::Strangers),
        };
        let guard_key = GuardKey::try_from(row.guard_key.as_slice()).map_err(|_| {
            StoreError::Corrupt { what: "guard key", account: row.id.unwrap_or_default() }
        })?;
        let candidate = match (row.id, row.full_name, row.auth_epoch) {
            (Some(id), Some(full_name), Some(auth_epoch)) => Some(Candidate {
                is_active: row.is_active.unwrap_or(false),
                must_change: row.must_change.unwrap_or(false),
                credential: row.scheme.zip(row.password_hash).and_then(|(scheme, hash)| {
                    usable(id, Credential::parse(scheme, &hash, row.pepper_id.as_deref()))
                }),
                identity: Identity {
                    id: id.into(),
                    username: row.username,
                    full_name,
                    email: row.email,
                    email_verified: row.email_verified.unwrap_or(false),
                    groups: row.groups,
                    auth_epoch,
                },
            }),
            _ => None,
        };
        let highest_cost = row.highest_cost.and_then(|digits| Cost::parse(&digits).ok());
        Ok(Reserved { guard_key, known: row.known, budget, candidate, highest_cost })
    }
}

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

    /// Turns a charge into a failure and tells how many there are in a row then; `None` when the
    /// charge was settled before.
    pub async fn settle_failure(
        &self,
        charge: &Charge,
        now: DateTime<Utc>,
    ) -> Result<Option<u32>, StoreError> {
        let failures = to_the_end(
            sqlx::query_scalar!(
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
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(failures.and_then(|failures| u32::try_from(failures).ok()))
    }

    /// Turns charges of strangers that outlived their life into failures. Yields whom they were counted
    /// for, the account if there is one, and the failures before and after.
    ///
    /// Admission takes them for failures anyway; this is for those who want to know. So it looks only
    /// at rows that were charged in the last minutes, of which an index tells.
    pub async fn settle_expired(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Vec<(GuardKey, Option<AccountId>, RangeInclusive<u32>)>, StoreError> {
        let rows = in_time(
            sqlx::query!(
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
            .fetch_all(&self.pool),
        )
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
        &self,
        charge: &Charge,
        network: Option<Network>,
    ) -> Result<(), StoreError> {
        let network = network.map(|network| network.to_string());
        to_the_end(
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
            .execute(&self.pool),
        )
        .await?;
        Ok(())
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

    /// Remembers that the account was logged in to from this network, and forgets the one that was
    /// used longest ago when there are too many.
    pub async fn know_network(
        &self,
        account: AccountId,
        network: Network,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        to_the_end(
            sqlx::query!(
                r#"
                with used as (
                    insert into known_networks (user_id, network, last_success_at)
                    values ($1, $2::text::cidr, $3)
                    on conflict (user_id, network)
                    do update set last_success_at = excluded.last_success_at
                )
                delete from known_networks where user_id = $1 and network in (
                    select network from known_networks
                    where user_id = $1 and network <> $2::text::cidr
                    order by last_success_at desc offset $4 - 1)
                "#,
                Uuid::from(account),
                network.to_string(),
                now,
                i32::try_from(KNOWN_NETWORKS).unwrap_or(i32::MAX)
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(())
    }
}

fn network_of(budget: Budget) -> String {
    match budget {
        Budget::Strangers => ANYWHERE.to_owned(),
        Budget::Known(network) => network.to_string(),
    }
}

/// A stored password that cannot be one opens nothing: whoever tries it is refused like anybody else.
fn usable(account: Uuid, credential: Result<Credential, InvalidHash>) -> Option<Credential> {
    credential
        .inspect_err(|fault| error!(%account, %fault, "the stored password is not usable"))
        .ok()
}
