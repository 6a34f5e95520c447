//! A database that is slow, or whose answers are lost: right passwords fail for the moment and are
//! never counted against anybody.

use std::sync::Arc;
use std::time::Duration;

use auth_connector::account::LoginName;
use auth_connector::core::Core;
use auth_connector::guard::retry_until_done;
use auth_connector::lockout::{Charge, ChargeRequest};
use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use service_process::network::Network;
use sqlx::PgPool;
use tonic::Code;
use uuid::Uuid;

use crate::setup::between::Between;
use crate::setup::login_path::{Path, start};
use crate::setup::replica::from_elsewhere;
use crate::setup::{Connector, Database, PASSWORD, attempt, eventually};

const FIVE_SECONDS: Duration = Duration::from_secs(5);

/// From now on PostgreSQL takes 5 s for a statement that does this to the guard's table.
async fn slow_down(database: &Database, statements: &str) {
    for sql in [
        "create function take_five() returns trigger language plpgsql
         as $$ begin perform pg_sleep(5); return new; end $$"
            .to_owned(),
        format!(
            "create trigger slow before {statements} on login_guard
             for each row execute function take_five()"
        ),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&database.pool).await.expect("a trigger");
    }
}

/// What is counted as failures and what is under way, on all accounts.
async fn counted(pool: &PgPool) -> (i64, i64) {
    sqlx::query_as(
        "select coalesce(sum(failures), 0)::bigint, coalesce(sum(cardinality(pending)), 0)::bigint
         from login_guard",
    )
    .fetch_one(pool)
    .await
    .expect("the database answers")
}

/// Alice is let in as soon as the database is as quick as it was.
async fn let_in(connector: &Connector, password: &str) {
    let answer = eventually("an answer", async || {
        connector.client().login(attempt("alice", password)).await.ok()
    });
    assert!(answer.await.into_inner().valid_password);
}

/// Waits until nothing is under way; nothing must become a failure meanwhile.
async fn all_taken_back(pool: &PgPool) {
    eventually("nothing is under way", async || {
        let (failures, pending) = counted(pool).await;
        assert_eq!(failures, 0, "a right password became a failure");
        (pending == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_five_seconds_makes_no_failure_of_a_right_password() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    slow_down(&database, "insert or update").await;
    let logins = (0..4).map(|n| {
        let name = ["alice", "bob"][n as usize % 2];
        let password = [PASSWORD, "another long enough password"][n as usize % 2];
        let mut client = connector.client();
        async move { client.login(from_elsewhere(name, password, n)).await }
    });
    for answer in join_all(logins).await {
        let status = answer.expect_err("the database is too slow");
        assert_eq!(status.code(), Code::Unavailable, "{status}");
    }
    // What was sent is carried out all the same.
    eventually("a charge is made", async || (counted(&database.pool).await.1 > 0).then_some(()))
        .await;
    all_taken_back(&database.pool).await;
    sqlx::query("drop trigger slow on login_guard").execute(&database.pool).await.unwrap();
    let_in(&connector, PASSWORD).await;
    assert_eq!(counted(&database.pool).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_password_whose_success_is_slow_to_count_is_right_all_the_same() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    // The first attempt on a name inserts its row; settling updates it.
    slow_down(&database, "update").await;
    assert!(connector.login("alice", PASSWORD).await.valid_password);
    database.audited("login.ok", None).await;
    all_taken_back(&database.pool).await;
    let known: i64 = sqlx::query_scalar("select count(*) from known_networks")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(known, 1, "the success was counted in the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_whose_answer_is_lost_is_taken_back() {
    let database = Database::with_people().await;
    let between = Between::open(&database).await;
    let connector = Arc::new(Connector::start(&between.dsn).await);
    slow_down(&database, "insert or update").await;
    let caller = Arc::clone(&connector);
    let login = tokio::spawn(async move {
        caller.client().login(from_elsewhere("Alice@example.com", PASSWORD, 1)).await
    });
    eventually("the statement is under way", async || {
        let under_way: bool = sqlx::query_scalar(
            "select exists (select from pg_stat_activity
             where datname = current_database() and wait_event = 'PgSleep')",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap();
        under_way.then_some(())
    })
    .await;
    between.answers.send_replace(false);
    eventually("the charge is made", async || (counted(&database.pool).await.1 > 0).then_some(()))
        .await;
    sqlx::query("drop trigger slow on login_guard").execute(&database.pool).await.unwrap();
    let status = login.await.unwrap().expect_err("the answer is kept back");
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    between.cut();
    between.answers.send_replace(true);
    all_taken_back(&database.pool).await;
    let_in(&connector, PASSWORD).await;
}

fn elsewhere() -> Network {
    Network::of([198, 51, 100, 1].into())
}

/// Asks the guard to let an attempt in, from a network that no account is known from.
async fn charged(core: &Core, name: &str, now: DateTime<Utc>) -> Charge {
    let request = ChargeRequest {
        name: LoginName::parse(name).ok(),
        name_key: [0; 32].into(),
        network: Some(elsewhere()),
        known_only: false,
    };
    let reserved = core.guard.reserve(&core.tasks, &request, (Uuid::new_v4(), now), None).await;
    reserved.expect("it is quick").charge.expect("it is let in").into_charge()
}

async fn account(pool: &PgPool, name: &str) -> Uuid {
    sqlx::query_scalar("select id from users where username_key = $1")
        .bind(name)
        .fetch_one(pool)
        .await
        .expect("there is one")
}

/// Whose owners are told of what.
async fn told(pool: &PgPool) -> Vec<(String, String)> {
    sqlx::query_as(
        "select username_key, kind from due_work join users on users.id = user_id order by 1, 2",
    )
    .fetch_all(pool)
    .await
    .expect("due work is read")
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_under_way_are_settled_and_told_by_a_database_that_takes_five_seconds() {
    let database = Database::with_people().await;
    let between = Between::open(&database).await;
    let (_path, core) = Path::on(&between.dsn, &["--lockout-failures", "3"]).await;
    let core = &core;
    let (alice, other) =
        (account(&database.pool, "alice").await, account(&database.pool, "nohash").await);
    sqlx::query("insert into known_networks values ($1, '192.0.2.1/32', $2)")
        .bind(other)
        .bind(start())
        .execute(&database.pool)
        .await
        .unwrap();
    let charges = ["alice", "alice", "alice", "nohash"].map(|name| charged(core, name, start()));
    let mut wrong = join_all(charges).await;
    let right = wrong.pop().expect("four");

    between.delay.send_replace(FIVE_SECONDS);
    let whose = (Some(alice.into()), false);
    let failures = wrong.iter().map(|charge| {
        let fail = move || core.guard.failed(charge, whose, core.sources, start());
        retry_until_done(&core.tasks, "a failure", fail)
    });
    let who = (other.into(), Some(elsewhere()));
    let succeed = || core.guard.succeeded(&right, who, core.sources, start());
    let success = retry_until_done(&core.tasks, "a success", succeed);
    let (closed, success) = tokio::join!(join_all(failures), success);
    assert_eq!(success, Some(()));
    let count = |which| closed.iter().filter(|closed| **closed == which).count();
    assert_eq!([Some(true), Some(false), None].map(count), [1, 2, 0], "one closed the account");
    assert_eq!(counted(&database.pool).await, (3, 0));
    let expected = [("alice", "mail.account_locked"), ("nohash", "mail.new_network")];
    assert_eq!(told(&database.pool).await, expected.map(|(who, what)| (who.into(), what.into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_held_is_told_by_a_database_that_takes_five_seconds() {
    let database = Database::with_people().await;
    let between = Between::open(&database).await;
    let (_path, core) = Path::on(&between.dsn, &["--lockout-failures", "1"]).await;
    // So does a name that nobody has; there is nobody to tell.
    for name in ["alice", "nohash", "nobody"] {
        charged(&core, name, start()).await;
    }
    between.delay.send_replace(FIVE_SECONDS);
    let later = start() + TimeDelta::minutes(1);
    // A round may find no connection in time; there is a next one.
    let settle = || core.guard.settle_expired(core.sources, later);
    let closed = retry_until_done(&core.tasks, "a round", settle).await.expect("it is settled");
    assert_eq!(closed.len(), 3);
    assert_eq!(counted(&database.pool).await, (3, 0));
    let expected = ["alice", "nohash"].map(|who| (who.into(), "mail.account_locked".into()));
    assert_eq!(told(&database.pool).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_hang_up_at_any_point_leave_no_charge_and_no_failure() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    for n in 0..60 {
        let mut client = connector.client();
        let login =
            tokio::spawn(async move { client.login(from_elsewhere("alice", PASSWORD, n)).await });
        // Later each time, from the first byte of the connection to the padding.
        tokio::time::sleep(std::time::Duration::from_millis(u64::from(n) * 3)).await;
        login.abort();
    }
    all_taken_back(&database.pool).await;
    let_in(&connector, PASSWORD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_used_up_by_a_login_whose_groups_cannot_be_read() {
    use sha2::{Digest as _, Sha256};

    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let ticket = "lat1_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
    sqlx::query(
        "insert into login_tickets (ticket_hash, user_id, network, expires_at)
         select $1, id, '203.0.113.7/32', now() + interval '1 hour' from users
         where username_key = 'alice'",
    )
    .bind(&Sha256::digest(ticket)[..])
    .execute(&database.pool)
    .await
    .unwrap();
    let mut held = database.pool.begin().await.unwrap();
    sqlx::query("lock table user_groups").execute(&mut *held).await.unwrap();
    let status =
        connector.client().login(attempt("alice", ticket)).await.expect_err("groups are kept");
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    held.rollback().await.unwrap();
    all_taken_back(&database.pool).await;
    // The ticket is still good.
    let_in(&connector, ticket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_the_trail_wait_for_the_database_and_none_is_lost_or_doubled() {
    let database = Database::with_people().await;
    let program =
        crate::setup::program::Program::start(&mut database.command(&["serve", "--insecure"]))
            .await;
    eventually("it is ready", async || program.is_ready().await.then_some(())).await;
    let mut held = database.pool.begin().await.unwrap();
    sqlx::query("lock table audit_events").execute(&mut *held).await.unwrap();
    let channel = program.channel();
    for n in 0..5 {
        let mut client = PasswordConnectorClient::new(channel.clone());
        let answer = client.login(from_elsewhere("alice", PASSWORD, n)).await.unwrap();
        assert!(answer.into_inner().valid_password, "the trail changes no outcome");
    }
    // Longer than a step may take, and than two tries.
    eventually("a line has waited for five seconds", async || {
        let waits: bool = sqlx::query_scalar(
            "select exists (select from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'
               and clock_timestamp() - query_start > interval '5 seconds')",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap();
        waits.then_some(())
    })
    .await;
    assert_eq!(database.waiting().await, 1, "the trail takes one connection");
    held.rollback().await.unwrap();
    let lines = async || -> i64 {
        sqlx::query_scalar("select count(*) from audit_events where event = 'login.ok'")
            .fetch_one(&database.pool)
            .await
            .unwrap()
    };
    eventually("all lines", async || (lines().await >= 5).then_some(())).await;
    let metrics = program.metrics().await;
    let lost = metrics.lines().find(|line| line.starts_with("audit_failures_total "));
    assert!(lost.is_none_or(|lost| lost.ends_with(" 0")), "{lost:?}");
    program.stop().await;
    assert_eq!(lines().await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_the_database_does_not_take_before_the_process_leaves_are_told() {
    let database = Database::with_people().await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = database.command(&["serve", "--insecure"]);
    command.stderr(log.reopen().unwrap());
    let program = crate::setup::program::Program::start(&mut command).await;
    eventually("it is ready", async || program.is_ready().await.then_some(())).await;
    let mut held = database.pool.begin().await.unwrap();
    sqlx::query("lock table audit_events").execute(&mut *held).await.unwrap();
    for n in 0..5 {
        let mut client = PasswordConnectorClient::new(program.channel());
        let answer = client.login(from_elsewhere("alice", PASSWORD, n)).await.unwrap();
        assert!(answer.into_inner().valid_password, "the trail changes no outcome");
    }
    program.stop().await;
    let log = std::fs::read_to_string(log.path()).unwrap();
    let told = log.lines().filter(|line| line.contains("audit line lost")).count();
    assert_eq!(told, 5, "{log}");
    held.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_leaves_in_order_although_a_charge_is_under_way_for_ever() {
    let database = Database::with_people().await;
    let program =
        crate::setup::program::Program::start(&mut database.command(&["serve", "--insecure"]))
            .await;
    eventually("it is ready", async || program.is_ready().await.then_some(())).await;
    let mut held = database.pool.begin().await.unwrap();
    sqlx::query("lock table login_guard").execute(&mut *held).await.unwrap();
    let mut client = PasswordConnectorClient::new(program.channel());
    let answer = client.login(from_elsewhere("alice", PASSWORD, 1)).await;
    let status = answer.expect_err("the database does not answer");
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    program.stop().await;
    held.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_leaves_in_order_although_its_sweep_waits_for_ever() {
    let database = Database::with_people().await;
    let mut held = database.pool.begin().await.unwrap();
    // The sweep begins with the process.
    sqlx::query("lock table login_guard").execute(&mut *held).await.unwrap();
    let program =
        crate::setup::program::Program::start(&mut database.command(&["serve", "--insecure"]))
            .await;
    eventually("it is ready", async || program.is_ready().await.then_some(())).await;
    eventually("the sweep waits", async || (database.waiting().await > 0).then_some(())).await;
    program.stop().await;
    held.rollback().await.unwrap();
}
