//! The lockout over the wire, on real replicas.

use auth_proto::connector::v1::LoginResponse;
use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use tonic::transport::Channel;

use crate::setup::replica::{Replica, from_elsewhere};
use crate::setup::{Database, PASSWORD, attempt, eventually};

/// Limits that let the guard alone decide.
const ONLY_THE_GUARD: [(&str, &str); 4] = [
    ("LIMIT_NAME_PER_MINUTE", "1000000"),
    ("LIMIT_NETWORK_PER_MINUTE", "1000000"),
    ("LIMIT_NETWORK_BURST", "1000000"),
    // The first pause outlasts the test on any machine.
    ("LOCKOUT_FIRST_PAUSE", "3600"),
];

/// A thousand guesses, 200 at once, by both names of the account, spread over these replicas. Those
/// that a killed replica held fail.
async fn guess(
    replicas: &[PasswordConnectorClient<Channel>],
    guesses: std::ops::Range<u32>,
    at_once: usize,
) {
    let turns = std::sync::Arc::new(tokio::sync::Semaphore::new(at_once));
    let mut under_way = tokio::task::JoinSet::new();
    for n in guesses {
        let name = if n % 2 == 0 { "alice" } else { "ALICE@example.com" };
        let request = from_elsewhere(name, &format!("guess number {n}"), n);
        let mut client = replicas[n as usize % replicas.len()].clone();
        let turn = turns.clone().acquire_owned().await.expect("never closed");
        under_way.spawn(async move {
            let answer = client.login(request).await;
            drop(turn);
            answer
        });
    }
    while let Some(answer) = under_way.join_next().await {
        if let Ok(answer) = answer.expect("no panic") {
            assert_eq!(answer.into_inner(), LoginResponse::default(), "no guess is right");
        }
    }
}

/// How many guesses were verified, as the trail has it.
async fn verified(database: &Database) -> i64 {
    sqlx::query_scalar(
        "select coalesce(sum(count), 0) from audit_events
         where event = 'login.fail' and reason = 'wrong_password'",
    )
    .fetch_one(&database.pool)
    .await
    .expect("the database answers")
}

async fn failures(database: &Database) -> Option<i32> {
    sqlx::query_scalar("select failures from login_guard where network = '::/0'")
        .fetch_optional(&database.pool)
        .await
        .expect("the database answers")
}

/// Failures of strangers on Alice's account, and attempts that are under way.
async fn spent(database: &Database) -> Option<i32> {
    sqlx::query_scalar(
        "select failures + cardinality(pending) from login_guard where network = '::/0'",
    )
    .fetch_optional(&database.pool)
    .await
    .expect("the database answers")
}

/// Guesses on until as many are spent as there are: on a busy machine many are turned away unheard, and
/// what they were charged is taken back.
async fn guess_the_rest(database: &Database, replicas: &[PasswordConnectorClient<Channel>]) {
    let further = std::sync::atomic::AtomicU32::new(10_000);
    eventually("all guesses are spent", async || {
        if spent(database).await >= Some(10) {
            return Some(());
        }
        let first = further.fetch_add(10, std::sync::atomic::Ordering::Relaxed);
        guess(replicas, first..first + 10, 2).await;
        None
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_guesses_on_three_replicas_exactly_ten_are_verified_before_the_first_lock() {
    let database = Database::with_people().await;
    let replicas = Replica::start_three(&database, &ONLY_THE_GUARD).await;
    let clients = replicas.each_ref().map(Replica::client);
    guess(&clients, 0..1000, 200).await;
    guess_the_rest(&database, &clients).await;

    let locked = database.audited("account.locked", None).await;
    assert!(locked.user_id.is_some());
    assert_eq!(failures(&database).await, Some(10));
    // The trail is written beside the answers.
    eventually("ten lines", async || (verified(&database).await >= 10).then_some(())).await;
    assert_eq!(verified(&database).await, 10);
    let mut hashed = 0.0;
    for replica in &replicas {
        hashed += replica.verifications().await;
    }
    assert!((hashed - 10.0).abs() < f64::EPSILON, "{hashed} passwords were looked at");
    let locks: i64 =
        sqlx::query_scalar("select count(*) from audit_events where event = 'account.locked'")
            .fetch_one(&database.pool)
            .await
            .unwrap();
    assert_eq!(locks, 1);
    let mails: i64 =
        sqlx::query_scalar("select count(*) from due_work where kind = 'mail.account_locked'")
            .fetch_one(&database.pool)
            .await
            .unwrap();
    assert_eq!(mails, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_killed_gives_no_guess_away() {
    let database = Database::with_people().await;
    let [mut dying, b, c] = Replica::start_three(&database, &ONLY_THE_GUARD).await;
    let guessing = [dying.client(), b.client(), c.client()];
    let death = async {
        eventually("guesses are under way", async || {
            (dying.verifications().await > 0.0).then_some(())
        })
        .await;
        dying.kill();
    };
    tokio::join!(guess(&guessing, 0..400, 100), death);
    guess_the_rest(&database, &[b.client(), c.client()]).await;
    // What the killed one held is still charged: pending now, failures when its life is over.
    assert_eq!(spent(&database).await, Some(10));
    assert!(verified(&database).await <= 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_identical_logins_at_once_succeed_with_three_verifications_at_most() {
    let database = Database::with_people().await;
    let replica = Replica::start(&database, &[]).await;
    let logins = (0..50).map(|_| replica.login(attempt("alice", PASSWORD)));
    for answer in futures_util::future::join_all(logins).await {
        assert!(answer.unwrap().valid_password);
    }
    let verified = replica.verifications().await;
    assert!((1.0..=3.0).contains(&verified), "{verified}");
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_survive_a_restart() {
    let database = Database::with_people().await;
    let replica = Replica::start(&database, &ONLY_THE_GUARD).await;
    // On a busy machine some are turned away unverified.
    let mut sent = 0;
    while failures(&database).await.unwrap_or(0) < 10 {
        guess(&[replica.client()], sent..sent + 5, 5).await;
        sent += 5;
    }
    replica.stop().await;
    let replica = Replica::start(&database, &ONLY_THE_GUARD).await;
    let answer = replica.login(from_elsewhere("alice", PASSWORD, 77)).await.unwrap();
    assert_eq!(answer, LoginResponse::default(), "the right password does not open it");
    database.audited("login.fail", Some("locked")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_belong_to_nobody_lock_as_accounts_do() {
    let database = Database::with_people().await;
    let replica = Replica::start(&database, &ONLY_THE_GUARD).await;
    for n in 0..12 {
        let request = from_elsewhere("nobody at all", &format!("guess {n}"), n);
        assert_eq!(replica.login(request).await.unwrap(), LoginResponse::default());
    }
    assert_eq!(database.audited("account.locked", None).await.user_id, None);
    assert_eq!(failures(&database).await, Some(10));
    database.audited("login.fail", Some("locked")).await;
    let kept: Vec<(String,)> = sqlx::query_as("select login_guard::text from login_guard")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    assert!(!format!("{kept:?}").contains("nobody"), "what was typed is not kept");
}
