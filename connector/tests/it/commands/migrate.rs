//! `migrate`: the tables, the partitions of the trail, which the worker makes too, and the role of
//! the services

use auth_connector::store::Store;
use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgPool};
use url::Url;
use uuid::Uuid;

use crate::setup::{Connector, Database, PASSWORD, role, text};

fn store(dsn: &str) -> Store {
    Store::open(&dsn.to_owned().into()).expect("a DSN")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

async fn partitions(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'audit_events'::regclass
         order by 1",
    )
    .fetch_all(pool)
    .await
    .expect("the partitions are read")
}

async fn add_event(pool: &PgPool, time: &str) -> String {
    sqlx::query_scalar(
        "insert into audit_events (id, at, event, connector_id, request_id)
         values ($1, $2, 'test', '', '') returning tableoid::regclass::text",
    )
    .bind(Uuid::nil())
    .bind(at(time))
    .fetch_one(pool)
    .await
    .expect("the trail takes it")
}

/// A database whose trail has no partition but the last resort.
async fn without_partitions() -> Database {
    let database = Database::create().await;
    for name in partitions(&database.pool).await {
        if name != "audit_events_default" {
            let drop = AssertSqlSafe(format!("drop table {name}"));
            sqlx::query(drop).execute(&database.pool).await.expect("dropped");
        }
    }
    database
}

#[tokio::test]
async fn migrate_makes_this_month_and_three_ahead() {
    let database = Database::create().await;
    let made = partitions(&database.pool).await;
    assert_eq!(made.len(), 5, "{made:?}: four months and the last resort");
    let backlog = store(&database.dsn).backlog(Utc::now()).await.unwrap();
    assert!(backlog.partitions_ahead >= 2, "{backlog:?}: three, or the month has just changed");
}

#[tokio::test]
async fn months_are_those_of_utc_and_follow_each_other_over_the_year() {
    let database = without_partitions().await;
    let store = store(&database.dsn);
    let names = ["2031_11", "2031_12", "2032_01", "2032_02"].map(|m| format!("audit_events_{m}"));
    let mut expected = names.to_vec();
    expected.push("audit_events_default".to_owned());
    for _ in 0..2 {
        store.make_audit_partitions(at("2031-11-30T23:59:59Z")).await.unwrap();
        assert_eq!(partitions(&database.pool).await, expected);
    }
    for (time, month) in [
        ("2031-11-01T00:00:00Z", 0),
        ("2031-11-30T23:59:59.999999Z", 0),
        ("2031-12-01T00:00:00Z", 1),
        ("2032-02-29T23:59:59Z", 3),
    ] {
        assert_eq!(add_event(&database.pool, time).await, names[month], "{time}");
    }
    assert_eq!(add_event(&database.pool, "2032-03-01T00:00:00Z").await, "audit_events_default");
}

#[tokio::test]
async fn a_month_that_has_begun_in_the_last_resort_stays_there() {
    let database = without_partitions().await;
    let store = store(&database.dsn);
    for time in ["2031-05-31T23:59:59Z", "2031-07-01T00:00:00Z"] {
        assert_eq!(add_event(&database.pool, time).await, "audit_events_default");
    }
    store.make_audit_partitions(at("2031-05-31T12:00:00Z")).await.unwrap();
    let made = partitions(&database.pool).await;
    assert_eq!(made, ["audit_events_2031_06", "audit_events_2031_08", "audit_events_default"]);
    assert_eq!(add_event(&database.pool, "2031-07-02T00:00:00Z").await, "audit_events_default");
    let backlog = store.backlog(at("2031-05-31T12:00:00Z")).await.unwrap();
    assert_eq!(backlog.partitions_ahead, 2);
}

#[tokio::test]
async fn two_at_once_do_not_collide() {
    let database = without_partitions().await;
    let makers: Vec<_> = (0..8)
        .map(|_| {
            let store = store(&database.dsn);
            tokio::spawn(
                async move { store.make_audit_partitions(at("2031-01-01T00:00:00Z")).await },
            )
        })
        .collect();
    for maker in makers {
        maker.await.unwrap().unwrap();
    }
    assert_eq!(partitions(&database.pool).await.len(), 5);
}

#[tokio::test]
async fn the_service_role_can_do_everything_but_change_the_trail() {
    let database = Database::with_people().await;
    let (name, dsn) = role(&database).await;
    for _ in 0..2 {
        let output = database.command(&["migrate", "--service-role", &name]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
    }

    let connector = Connector::start(&dsn).await;
    assert!(connector.login("alice", PASSWORD).await.valid_password);
    assert!(!connector.login("alice", "wrong").await.valid_password);
    database.audited("login.ok", None).await;

    let restricted = PgPool::connect(&dsn).await.unwrap();
    let month: String = partitions(&database.pool).await.remove(0);
    for statement in [
        "update audit_events set event = 'login.ok'",
        "delete from audit_events",
        "truncate audit_events",
        "drop table audit_events",
        "delete from audit_events_default",
        "alter table audit_events detach partition audit_events_default",
        "create table mine (id integer)",
        &format!("delete from {month}"),
        &format!("insert into {month} select * from audit_events"),
    ] {
        let refused = sqlx::query(AssertSqlSafe(statement)).execute(&restricted).await;
        let code = refused.expect_err(statement).into_database_error().expect(statement);
        assert_eq!(code.code().as_deref(), Some("42501"), "{statement}: {code}");
    }
    let lines: i64 = sqlx::query_scalar("select count(*) from audit_events")
        .fetch_one(&restricted)
        .await
        .expect("it may read");
    assert!(lines > 0);

    // What the worker does.
    let (store, far) = (store(&dsn), at("2031-01-01T00:00:00Z"));
    store.make_audit_partitions(far).await.unwrap();
    assert!(partitions(&database.pool).await.contains(&"audit_events_2031_04".to_owned()));
    store.sweep_guard(far, 10).await.unwrap();
    store.sweep_networks(far, 10).await.unwrap();
    store.sweep_tickets(far, 10).await.unwrap();
    store.sweep_due_work(far, 10).await.unwrap();
    store.sweep_flows(far, 10).await.unwrap();
    store.sweep_mail_budgets(far, 10).await.unwrap();
    store.sweep_invitations(far, 10).await.unwrap();
    store.backlog(far).await.unwrap();
    store.claim_revocation(far, far).await.unwrap();
}

#[tokio::test]
async fn only_the_services_may_have_partitions_made() {
    let database = Database::create().await;
    let (_, dsn) = role(&database).await;
    let stranger = PgPool::connect(&dsn).await.unwrap();
    let refused = sqlx::query("select make_audit_partitions(now())").execute(&stranger).await;
    let code = refused.expect_err("refused").into_database_error().expect("by the database");
    assert_eq!(code.code().as_deref(), Some("42501"), "{code}");
}

#[tokio::test]
async fn a_role_that_is_missing_or_from_which_nothing_could_be_kept_is_named() {
    let database = Database::create().await;
    let owner: Url = database.dsn.parse().unwrap();
    for (role, reason) in [("no-such-role", "there is no such role"), (owner.username(), "owns")] {
        let output = database.command(&["migrate", "--service-role", role]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert!(text(&output).contains("SERVICE_ROLE"), "{}", text(&output));
        assert!(text(&output).contains(reason), "{}", text(&output));
    }
}

#[tokio::test]
async fn a_role_that_may_not_create_the_extension_is_told_what_to_do_and_goes_on_when_it_is_there()
{
    let made = Database::create().await;
    let (name, mut dsn) = role(&made).await;
    let admin = devstack::shared::postgres_dsn().expect("a server");
    let empty = devstack::name::unique("connector");
    let empty = devstack::postgres::create_database(&admin, &empty).await.expect("a database");
    let pool = PgPool::connect(&empty).await.expect("the database answers");
    let quoted = name.replace('"', "\"\"");
    let grant = format!("grant usage, create on schema public to \"{quoted}\"");
    sqlx::query(AssertSqlSafe(grant)).execute(&pool).await.expect("granted");
    let path = Url::parse(&empty).expect("a URL").path().to_owned();
    let mut url = Url::parse(&dsn).expect("a URL");
    url.set_path(&path);
    dsn = url.into();
    let migrate =
        || made.command(&["migrate"]).env("POSTGRES_DSN", &dsn).output().expect("it runs");
    let refused = migrate();
    assert!(!refused.status.success(), "{}", text(&refused));
    let told = text(&refused);
    assert!(told.contains("may not create the extension pg_trgm"), "{told}");
    assert!(told.contains("grant create on database"), "{told}");
    sqlx::query("create extension pg_trgm").execute(&pool).await.expect("a superuser may");
    let done = migrate();
    assert!(done.status.success(), "{}", text(&done));
}
