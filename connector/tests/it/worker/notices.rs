//! What the owner of an account is told of, and that it is written with what it tells of.

use sqlx::PgPool;

use crate::setup::login_path::{Path, start};
use crate::setup::{Database, PASSWORD, PEOPLE, eventually, text};

const HOME: [u8; 4] = [192, 0, 2, 1];
const ELSEWHERE: [u8; 4] = [198, 51, 100, 1];

/// Kind and, if it is not the account's, address of each mail that waits.
async fn waiting(pool: &PgPool) -> Vec<(String, Option<String>)> {
    sqlx::query_as("select kind, address from due_work where kind like 'mail.%' order by id")
        .fetch_all(pool)
        .await
        .expect("due work is read")
}

async fn failures(pool: &PgPool) -> Option<i32> {
    sqlx::query_scalar("select max(failures) from login_guard")
        .fetch_one(pool)
        .await
        .expect("the guard is read")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_locks_is_not_counted_unless_its_mail_is_written() {
    let database = Database::with_people().await;
    let path = Path::open(&database, &["--lockout-failures", "1"]).await;
    sqlx::raw_sql(
        "create function refuse() returns trigger language plpgsql as
             $$ begin raise exception 'not now' using errcode = '57014'; end $$;
         create trigger refuse before insert on due_work for each row execute function refuse();",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    path.attempt("alice", "a guess", HOME, start()).await.unwrap();
    assert_eq!(failures(&database.pool).await, Some(0));
    sqlx::query("drop trigger refuse on due_work").execute(&database.pool).await.unwrap();
    eventually("the failure is counted", async || {
        (failures(&database.pool).await == Some(1)).then_some(())
    })
    .await;
    let told = [("mail.account_locked".to_owned(), None)];
    assert_eq!(waiting(&database.pool).await, told, "with its mail");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_from_a_network_that_is_not_known_is_told_but_not_the_first_time() {
    let database = Database::with_people().await;
    let path = Path::open(&database, &[]).await;
    let mails = async || waiting(&database.pool).await.len();
    let sign_in = async |from| {
        path.attempt("alice", PASSWORD, from, start()).await.unwrap();
    };
    sign_in(HOME).await;
    assert_eq!(mails().await, 0, "the account is new");
    sign_in(HOME).await;
    assert_eq!(mails().await, 0, "it is known there");
    sign_in(ELSEWHERE).await;
    assert_eq!(waiting(&database.pool).await, [("mail.new_network".to_owned(), None)]);

    sqlx::raw_sql("delete from due_work; delete from known_networks")
        .execute(&database.pool)
        .await
        .unwrap();
    sqlx::query("update users set created_at = $1")
        .bind(start() - chrono::TimeDelta::days(91))
        .execute(&database.pool)
        .await
        .unwrap();
    sign_in(HOME).await;
    assert_eq!(mails().await, 1, "nobody was there for three months");
}

#[tokio::test]
async fn a_new_password_is_told_to_the_owner_and_a_new_address_to_the_one_before() {
    let database = Database::with_people().await;
    assert_eq!(waiting(&database.pool).await, [], "new accounts are no news");
    let password = PEOPLE.replace("password: correct horse", "password: incorrect horse");
    let address = PEOPLE.replace("Alice@Example.com", "alice@example.org");
    for (yaml, options, told) in [
        (&password, &["--allow-plain-passwords", "--force-passwords"][..], None),
        (&address, &["--allow-plain-passwords"], Some("Alice@example.com".to_owned())),
    ] {
        let output = database.seed(yaml, options);
        assert!(output.status.success(), "{}", text(&output));
        let alice = "user_id = (select id from users where username_key = 'alice')";
        let query = sqlx::AssertSqlSafe(format!(
            "delete from due_work where kind like 'mail.%' and {alice} returning kind, address"
        ));
        let mails: Vec<(String, Option<String>)> =
            sqlx::query_as(query).fetch_all(&database.pool).await.unwrap();
        let kind = if told.is_some() { "mail.email_changed" } else { "mail.password_changed" };
        assert_eq!(mails, [(kind.to_owned(), told)]);
    }
}
