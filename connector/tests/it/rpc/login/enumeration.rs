//! Nothing but time could tell a name that has an account from one that has none; time is the
//! benchmark's business.

use std::fmt::Write as _;

use auth_proto::connector::v1::LoginResponse;

use crate::setup::replica::{Replica, from_elsewhere};
use crate::setup::{Database, eventually, text};

/// bcrypt of `abc` at cost 10.
const SOME_HASH: &str = "$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi";

const PAIRS: u32 = 100;

/// Rows of the guard, and lines of the trail without what is for operators alone.
type Traces = (Vec<(i32, i32, i64)>, Vec<(String, i32, i64)>);

/// What attempts left behind.
async fn traces(database: &Database) -> Traces {
    let guard = sqlx::query_as(
        "select failures, cardinality(pending), count(*) from login_guard group by 1, 2",
    );
    let trail =
        sqlx::query_as("select event, count, count(*) from audit_events group by 1, 2 order by 1");
    (
        guard.fetch_all(&database.pool).await.expect("the guard is read"),
        trail.fetch_all(&database.pool).await.expect("the trail is read"),
    )
}

/// Guesses once at each of these names, and tells all that can be seen from outside and inside.
async fn guesses(
    database: &Database,
    replica: &Replica,
    name: impl Fn(u32) -> String,
) -> (Vec<String>, Traces, f64) {
    sqlx::query("truncate login_guard, audit_events").execute(&database.pool).await.expect("empty");
    let before = replica.verifications().await;
    let mut answers = Vec::new();
    for n in 0..PAIRS {
        let request = from_elsewhere(&name(n), "a guess", n);
        let answer = replica.client().login(request).await.expect("an answer");
        let mut metadata = answer.metadata().clone();
        metadata.remove("date");
        let answer: LoginResponse = answer.into_inner();
        answers.push(format!("{metadata:?} {answer:?}"));
    }
    eventually("every line of the trail", async || {
        let lines: i64 = sqlx::query_scalar("select count(*) from audit_events")
            .fetch_one(&database.pool)
            .await
            .expect("the trail is read");
        (lines >= i64::from(PAIRS)).then_some(())
    })
    .await;
    (answers, traces(database).await, replica.verifications().await - before)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_names_with_an_account_and_without_are_answered_hashed_and_counted_alike() {
    let mut people = String::from("users:\n");
    for n in 0..PAIRS {
        let _ = writeln!(people, "  - {{ username: person{n}, password_hash: {SOME_HASH} }}");
    }
    let database = Database::create().await;
    let seeded = database.seed(&people, &[]);
    assert!(seeded.status.success(), "{}", text(&seeded));
    let replica = Replica::start(&database, &[]).await;
    let known = guesses(&database, &replica, |n| format!("person{n}")).await;
    let unknown = guesses(&database, &replica, |n| format!("nobody{n}")).await;
    assert_eq!(known.0, unknown.0, "what is answered");
    assert_eq!(known.1, unknown.1, "what is left behind");
    assert!((known.2 - f64::from(PAIRS)).abs() < 0.5, "each was hashed: {}", known.2);
    assert!((unknown.2 - f64::from(PAIRS)).abs() < 0.5, "each was hashed: {}", unknown.2);
}
