//! The statement that resolves a name and charges the attempt. It is exact under any number of replicas:
//! it locks the one row it changes and looks at that row as it is then.

use chrono::{DateTime, Utc};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use sqlx::types::Uuid;
use tracing::error;

use super::Store;
use super::error::StoreError;
use super::guard::ANYWHERE;
use super::interval::interval;
use super::login::Candidate;
use super::step::{in_time, to_the_end};
use crate::account::{Identity, LoginName};
use crate::lockout::{Budget, CHARGE_LIFE, ChargeRequest, GuardKey, KNOWN_FOR_DAYS, MEMORY, Table};
use crate::password::{Cost, Credential, InvalidHash};

/// Where a name led, and where the attempt was charged.
#[derive(Debug)]
pub struct Resolved {
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
pub struct ChargeConnection(PoolConnection<Postgres>);

impl Store {
    /// A connection. As long as there is none, nothing was sent.
    pub async fn connection(&self) -> Result<ChargeConnection, StoreError> {
        in_time(self.pool.acquire()).await.map(ChargeConnection)
    }
}

impl ChargeConnection {
    /// Resolves a name and charges the attempt in one round trip: among the failures of its network if
    /// the account is known from there and that has attempts left, otherwise among those of strangers.
    /// Not given up before 30 s: until the database has answered, nobody knows whether there is a
    /// charge.
    #[expect(clippy::too_many_lines, reason = "one statement, which cannot be cut")]
    pub async fn reserve(
        &mut self,
        request: &ChargeRequest,
        charge: Uuid,
        now: DateTime<Utc>,
        (strangers, known_network): (&Table, u32),
    ) -> Result<Resolved, StoreError> {
        let network = request.network.map(|network| network.to_string());
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
                request.name.as_ref().map(LoginName::key),
                request.name_key.as_bytes(),
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
                request.known_only,
            )
            .fetch_one(&mut *self.0),
        )
        .await;
        if matches!(answer, Err(StoreError::TimedOut)) {
            // The pool would wait for the answer, and the next attempt take one more from the others.
            self.0.close_on_drop();
        }
        let row = answer?;
        let budget = match (row.charged_to_known, request.network) {
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
        Ok(Resolved { guard_key, known: row.known, budget, candidate, highest_cost })
    }
}

/// A stored password that cannot be one opens nothing: whoever tries it is refused like anybody else.
fn usable(account: Uuid, credential: Result<Credential, InvalidHash>) -> Option<Credential> {
    credential
        .inspect_err(|fault| error!(%account, %fault, "the stored password is not usable"))
        .ok()
}
