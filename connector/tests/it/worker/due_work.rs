//! What is to be done later: once for each purpose, while it is worth doing, and moved from where it
//! stood before.

use auth_connector::account::AccountId;
use auth_connector::audit::{Entry, Event};
use auth_connector::due::{MailKind, WorkKind};
use auth_connector::store::Store;
use chrono::{DateTime, TimeDelta, Utc};
use service_process::sources::Sources;
use sqlx::PgPool;
use uuid::Uuid;

use crate::setup::postman::Postman;
use crate::setup::{Database, eventually};

/// A database with Alice, its store, and her account.
async fn scene() -> (Database, Store, AccountId) {
    let database = Database::with_people().await;
    let store = Store::open(&database.dsn.clone().into()).expect("a DSN");
    let alice: Uuid = sqlx::query_scalar("select id from users where username_key = 'alice'")
        .fetch_one(&database.pool)
        .await
        .expect("she is there");
    (database, store, alice.into())
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).expect("a time")
}

async fn post(store: &Store, kind: MailKind, account: Option<AccountId>, now: DateTime<Utc>) {
    let id = Sources::system().id(now);
    store.settle(async |unit| unit.post(kind, account, id, now).await).await.expect("it is posted");
}

async fn mails(pool: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from due_work where kind like 'mail.%'")
        .fetch_one(pool)
        .await
        .expect("due work is read")
}

#[tokio::test]
async fn of_one_kind_of_mail_an_account_has_one_until_it_was_sent_and_a_while_has_passed() {
    let (database, store, alice) = scene().await;
    let post = async |kind, minutes| {
        let now = start() + TimeDelta::minutes(minutes);
        self::post(&store, kind, Some(alice), now).await;
    };
    let claim = async |minutes| {
        let now = start() + TimeDelta::minutes(minutes);
        store.claim(&WorkKind::MAIL, now, now + TimeDelta::minutes(1)).await.unwrap()
    };
    post(MailKind::MustChange, 0).await;
    post(MailKind::MustChange, 90).await;
    assert_eq!(mails(&database.pool).await, 1, "one waits already");
    let work = claim(91).await.expect("it is due");
    assert_eq!(work.kind, WorkKind::Mail(MailKind::MustChange));
    assert_eq!((work.account, work.created_at, work.failures), (Some(alice), start(), 0));

    let done = Entry::of_account(Uuid::new_v4(), start(), Event::SessionsEnded, alice);
    assert!(store.finish(work.id, &done).await.unwrap());
    assert!(!store.finish(work.id, &done).await.unwrap(), "once");
    post(MailKind::MustChange, 59).await;
    assert_eq!(claim(120).await, None, "one was asked for within the hour");
    post(MailKind::MustChange, 60).await;
    assert!(claim(120).await.is_some(), "an hour has passed");
    post(MailKind::AccountLocked, 60).await;
    assert_eq!(mails(&database.pool).await, 2, "each kind counts for itself");
    self::post(&store, MailKind::AccountLocked, None, start()).await;
    assert_eq!(mails(&database.pool).await, 2, "nobody gets none");
    for minutes in [61, 61] {
        post(MailKind::PasswordChanged, minutes).await;
    }
    assert_eq!(mails(&database.pool).await, 4, "of this every cause has its own");
}

#[tokio::test]
async fn what_is_not_done_while_it_is_worth_doing_is_claimed_by_nobody() {
    let (_database, store, alice) = scene().await;
    let (start, day) = (start(), TimeDelta::hours(24));
    post(&store, MailKind::AccountLocked, Some(alice), start).await;
    let claim = async |now: DateTime<Utc>| store.claim(&WorkKind::MAIL, now, now).await.unwrap();
    assert!(claim(start + day - TimeDelta::seconds(1)).await.is_some());
    assert_eq!(claim(start + day).await, None, "dead");
    post(&store, MailKind::AccountLocked, Some(alice), start + day).await;
    assert!(claim(start + day).await.is_some(), "another takes its place");
}

#[tokio::test]
async fn a_deleted_account_gets_no_mail() {
    let (database, store, alice) = scene().await;
    post(&store, MailKind::MustChange, Some(alice), start()).await;
    let entry = Entry::of_account(Uuid::new_v4(), start(), Event::AccountDeleted, alice);
    assert!(store.delete(alice, Uuid::new_v4(), &entry).await.unwrap());
    assert_eq!(mails(&database.pool).await, 0);
    let due = start() + TimeDelta::minutes(1);
    assert!(store.claim_revocation(due, due).await.unwrap().is_some(), "its sessions end");
}

#[tokio::test]
async fn sessions_that_were_to_end_before_the_upgrade_end_after_it_and_old_mail_does_not_go_out() {
    let admin = devstack::shared::postgres_dsn().expect("a server");
    let name = devstack::name::unique("upgrade");
    let dsn = devstack::postgres::create_database(&admin, &name).await.expect("a database");
    let pool = PgPool::connect(&dsn).await.expect("the database answers");
    for migration in [
        include_str!("../../../../migrations/0001_accounts.sql"),
        include_str!("../../../../migrations/0002_guard.sql"),
        include_str!("../../../../migrations/0003_partitions.sql"),
        "insert into users (id, username, username_key)
         values ('00000000-0000-0000-0000-000000000001', 'a', 'a');
         insert into revocations
         values (gen_random_uuid(), '00000000-0000-0000-0000-000000000001', '2026-01-01T00:00:00Z',
                 3, '2026-01-02T00:00:00Z');
         insert into outbox
         values (gen_random_uuid(), 'must_change', '00000000-0000-0000-0000-000000000001',
                 '2026-01-01T00:00:00Z')",
        include_str!("../../../../migrations/0004_due_work_and_names.sql"),
    ] {
        sqlx::raw_sql(migration).execute(&pool).await.expect("it is carried out");
    }
    let store = Store::open(&dsn.into()).expect("a DSN");
    let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
    let (due, before) = (at("2026-01-02T00:00:00Z"), at("2026-01-01T23:59:59Z"));
    assert_eq!(store.claim_revocation(before, due).await.unwrap(), None);
    let revocation = store.claim_revocation(due, due).await.unwrap().expect("it is due");
    assert_eq!(revocation.account, Uuid::from_u128(1).into());
    assert_eq!((revocation.requested_at, revocation.failures), (at("2026-01-01T00:00:00Z"), 3));
    assert_eq!(mails(&pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_leaves_in_order_although_the_database_lets_it_wait_for_ever() {
    let database = Database::with_people().await;
    let mut held = database.pool.begin().await.unwrap();
    sqlx::query("lock table due_work").execute(&mut *held).await.unwrap();
    let postman = Postman::start(&database, &[]).await;
    eventually("its work waits", async || (database.waiting().await > 0).then_some(())).await;
    postman.stop().await;
    held.rollback().await.unwrap();
}
