//! The guard on a real database, step by step beside the ladder it is to follow.

use std::collections::HashMap;
use std::time::Duration;

use auth_connector::account::{AccountId, LoginName};
use auth_connector::guard::{Guard, NoCharge};
use auth_connector::lockout::{
    Budget, Charge, ChargeRequest, GuardKey, History, Lockout, MEMORY, Verdict,
};
use auth_connector::store::Store;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use service_process::lifecycle::{Lifecycle, Tasks};
use service_process::network::Network;
use service_process::sources::Sources;
use tokio::time::Instant;
use uuid::Uuid;

use crate::setup::Database;

const SYSTEM: Sources = Sources::system();

fn ladder() -> Lockout {
    Lockout {
        first_at: 4,
        step: 2,
        closed_at: 10,
        first_pause: Duration::from_mins(1),
        longest_pause: Duration::from_secs(200),
        known_network: 3,
    }
}

fn network(n: u8) -> Network {
    Network::of([198, 51, 100, n].into())
}

/// The rows as the ladder says they must be.
#[derive(Default)]
struct Model {
    strangers: History,
    known: HashMap<u8, History>,
}

impl Model {
    fn history(&mut self, budget: Budget, from: u8) -> (&mut History, Option<TimeDelta>) {
        match budget {
            Budget::Strangers => (&mut self.strangers, Some(MEMORY)),
            Budget::Known(_) => (self.known.entry(from).or_default(), None),
        }
    }

    fn expected(&mut self, from: u8, known: bool, now: DateTime<Utc>) -> Result<bool, NoCharge> {
        let own = self.known.entry(from).or_default();
        let own = if known { ladder().known_verdict(own, now) } else { Verdict::Closed };
        match (own, ladder().verdict(&self.strangers, now)) {
            (Verdict::Open(_), _) => Ok(true),
            (_, Verdict::Open(_)) => Ok(false),
            (Verdict::Busy, _) | (_, Verdict::Busy) => Err(NoCharge::Busy),
            _ => Err(NoCharge::Locked),
        }
    }
}

struct Siege {
    guard: Guard,
    tasks: Tasks,
    account: AccountId,
    model: Model,
    known: Vec<u8>,
    under_way: Vec<(Charge, u8, DateTime<Utc>)>,
    refused: u32,
}

impl Siege {
    async fn reserve(&mut self, from: u8, now: DateTime<Utc>) {
        let name =
            LoginName::parse(if from.is_multiple_of(2) { "alice" } else { "alice@example.com" });
        let name = name.expect("a name");
        let request = ChargeRequest {
            name: Some(name),
            name_key: [0_u8; 32].into(),
            network: Some(network(from)),
            known_only: false,
        };
        let known = self.known.contains(&from);
        let expected = self.model.expected(from, known, now);
        let id = Uuid::new_v4();
        // No time to wait: whether others stand in the way is told at once.
        let reserved = self
            .guard
            .reserve(&self.tasks, &request, (id, now), Some(Instant::now()))
            .await
            .expect("the database answers");
        match (reserved.charge, expected) {
            (Ok(held), Ok(to_known)) => {
                let charge = held.into_charge();
                assert_eq!(matches!(charge.budget, Budget::Known(_)), to_known, "{charge:?}");
                let (history, memory) = self.model.history(charge.budget, from);
                *history = history.at(now, memory);
                history.pending.push(now);
                self.under_way.push((charge, from, now));
            }
            (found, expected) => {
                assert_eq!(found.map(drop), expected.map(drop));
                self.refused += 1;
            }
        }
    }

    async fn end(&mut self, index: usize, how: u32, now: DateTime<Utc>) {
        let (charge, from, begun) = self.under_way.swap_remove(index);
        let (history, memory) = self.model.history(charge.budget, from);
        if let Some(place) = history.pending.iter().position(|at| *at == begun) {
            history.pending.swap_remove(place);
        }
        match how {
            0 => {
                self.guard
                    .succeeded(&charge, (self.account, Some(network(from))), SYSTEM, now)
                    .await
                    .expect("the database answers");
                self.model.known.entry(from).or_default().failures = 0;
                self.model.known.entry(from).or_default().last_failure_at = None;
                if !self.known.contains(&from) {
                    self.known.push(from);
                }
            }
            1 => assert!(self.guard.released(&charge).await.expect("the database answers")),
            _ => {
                *history = history.at(now, memory);
                history.failures += 1;
                history.last_failure_at = history.last_failure_at.max(Some(now));
                let whose = (Some(self.account), false);
                self.guard.failed(&charge, whose, SYSTEM, now).await.expect("the database answers");
            }
        }
    }
}

/// The statement that admits a charge computes what the ladder says, whatever came before.
#[tokio::test]
async fn the_database_admits_what_the_ladder_admits() {
    let mut random = StdRng::seed_from_u64(41);
    let (mut refused, mut locked) = (0, 0);
    let database = Database::with_people().await;
    let store = Store::open(&database.dsn.clone().into()).unwrap();
    let account: Uuid = sqlx::query_scalar("select id from users where username_key = 'alice'")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    let lifecycle = Lifecycle::new(Duration::from_secs(10));
    for _ in 0..40 {
        sqlx::query("truncate login_guard, known_networks").execute(&database.pool).await.unwrap();
        let mut siege = Siege {
            guard: Guard::new(store.clone(), ladder()),
            tasks: lifecycle.tasks(),
            account: account.into(),
            model: Model::default(),
            known: Vec::new(),
            under_way: Vec::new(),
            refused: 0,
        };
        let mut now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        for _ in 0..60 {
            // Now and then half a minute, the life of a charge, or a day, the memory, goes by.
            now += TimeDelta::milliseconds(match random.random_range(0..30) {
                0 => 31_000,
                1 => 86_400_000,
                _ => random.random_range(1..9_000),
            });
            // What outlived its life is settled no more: its process is gone.
            siege.under_way.retain(|(_, _, begun)| *begun > now - TimeDelta::seconds(30));
            match random.random_range(0..10) {
                0..6 => siege.reserve(random.random_range(1..4), now).await,
                _ if !siege.under_way.is_empty() => {
                    let index = random.random_range(0..siege.under_way.len());
                    siege.end(index, random.random_range(0..6), now).await;
                }
                _ => {}
            }
            for budget in [Budget::Strangers, Budget::Known(network(1))] {
                let key: GuardKey = guard_key(&database).await;
                let stored = store.history(&key, budget).await.unwrap();
                let (modelled, memory) = siege.model.history(budget, 1);
                let modelled = modelled.at(now, memory);
                assert_eq!(rounded(stored.at(now, memory)), rounded(modelled.clone()));
                locked += u32::from(modelled.failures >= 4);
            }
        }
        refused += siege.refused;
    }
    assert!(refused > 100 && locked > 100, "locks were reached: {refused}, {locked}");
}

/// By milliseconds: the guard adds the time that it took to the time that it was given.
fn rounded(mut history: History) -> History {
    let millis =
        |at: DateTime<Utc>| at.duration_trunc(TimeDelta::milliseconds(1)).expect("a time in range");
    history.pending = history.pending.into_iter().map(millis).collect();
    history.pending.sort();
    history.last_failure_at = history.last_failure_at.map(millis);
    history
}

async fn guard_key(database: &Database) -> GuardKey {
    let key: Vec<u8> =
        sqlx::query_scalar("select guard_key from users where username_key = 'alice'")
            .fetch_one(&database.pool)
            .await
            .expect("the database answers");
    GuardKey::try_from(key.as_slice()).expect("32 bytes")
}

#[tokio::test]
async fn eight_networks_are_known_and_the_one_used_longest_ago_goes() {
    let database = Database::with_people().await;
    let store = Store::open(&database.dsn.clone().into()).unwrap();
    let account: Uuid = sqlx::query_scalar("select id from users where username_key = 'alice'")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    let start = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let guard = Guard::new(store, ladder());
    let guard_key = guard_key(&database).await;
    for (second, n) in (0..).zip([1, 2, 3, 4, 5, 6, 7, 8, 1, 9, 10]) {
        let at = start + TimeDelta::seconds(second);
        let charge = Charge { id: Uuid::new_v4(), guard_key, budget: Budget::Strangers };
        let who = (account.into(), Some(network(n)));
        guard.succeeded(&charge, who, SYSTEM, at).await.unwrap();
    }
    let mut known: Vec<String> = sqlx::query_scalar("select network::text from known_networks")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    known.sort();
    let mut expected = [1, 4, 5, 6, 7, 8, 9, 10].map(|n| network(n).to_string());
    expected.sort();
    assert_eq!(known, expected);
}

#[tokio::test]
async fn of_many_at_once_one_redeems_a_ticket() {
    use sha2::{Digest as _, Sha256};

    let database = Database::with_people().await;
    let store = Store::open(&database.dsn.clone().into()).unwrap();
    let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let account: Uuid = sqlx::query_scalar(
        "insert into login_tickets (ticket_hash, user_id, network, expires_at)
         select $1, id, '198.51.100.1/32', $2 from users where username_key = 'alice' returning user_id",
    )
    .bind(&Sha256::digest("lat1_ticket")[..])
    .bind(now + TimeDelta::seconds(60))
    .fetch_one(&database.pool)
    .await
    .unwrap();
    let redeem = async |ticket, account: Uuid, from, at| {
        store.redeem_ticket(ticket, Some(account.into()), Some(network(from)), at).await.unwrap()
    };
    assert!(!redeem("lat1_other", account, 1, now).await, "another ticket");
    assert!(!redeem("lat1_ticket", Uuid::new_v4(), 1, now).await, "another account");
    assert!(!redeem("lat1_ticket", account, 2, now).await, "another network");
    assert!(!redeem("lat1_ticket", account, 1, now + TimeDelta::seconds(60)).await, "expired");
    let tries = (0..20).map(|_| redeem("lat1_ticket", account, 1, now));
    let redeemed = futures_util::future::join_all(tries).await;
    assert_eq!(redeemed.into_iter().filter(|good| *good).count(), 1);
}
