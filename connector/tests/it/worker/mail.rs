//! Mail on its way to its reader: what it says, that none is lost, and where it does not go.

use std::time::Duration;

use auth_connector::account::AccountId;
use auth_connector::due::MailKind;
use auth_connector::store::Store;
use devstack::mail::Speech;
use service_process::sources::Sources;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::setup::login_path::Path;
use crate::setup::postman::{FROM, Inbox, Postman};
use crate::setup::{Database, eventually};

/// Alice's database, and mail to her of these kinds.
async fn with_mail(kinds: &[MailKind]) -> Database {
    let database = Database::with_people().await;
    post(&database, kinds).await;
    database
}

async fn post(database: &Database, kinds: &[MailKind]) {
    let store = Store::open(&database.dsn.clone().into()).expect("a DSN");
    let alice: Uuid = sqlx::query_scalar("select id from users where username_key = 'alice'")
        .fetch_one(&database.pool)
        .await
        .expect("she is there");
    let (alice, ids) = (AccountId::from(alice), Sources::system());
    for kind in kinds {
        let now = (ids.now)();
        let post = store.settle(async |unit| unit.post(*kind, Some(alice), ids.id(now), now).await);
        post.await.expect("it is posted");
    }
}

/// The most failures that a mail has had.
async fn failed(database: &Database) -> i32 {
    sqlx::query_scalar("select coalesce(max(failures), 0) from due_work")
        .fetch_one(&database.pool)
        .await
        .expect("due work is read")
}

/// Whoever has claimed mail has had it for so long that it is anybody's.
async fn let_claims_end(database: &Database) {
    sqlx::query("update due_work set due_at = now() - interval '1 s'")
        .execute(&database.pool)
        .await
        .expect("due work is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_told_by_a_mail_with_text_and_html_to_the_owner_alone() {
    let database = Database::with_people().await;
    let path = Path::open(&database, &["--lockout-failures", "1"]).await;
    let inbox = Inbox::open(Speech::Plain).await;
    let postman = Postman::start(&database, &inbox.settings()).await;
    let now = (Sources::system().now)();
    path.attempt("alice", "canary-of-a-guess", [192, 0, 2, 1], now).await.unwrap();

    let [mail] = inbox.has(1).await.try_into().expect("one mail");
    assert_eq!(mail.subject, "Chat: too many failed attempts to sign in");
    let to: Vec<_> = mail.envelope.to.iter().map(|to| to.address.as_str()).collect();
    assert_eq!(to, ["Alice@example.com"]);
    assert_eq!(mail.envelope.from.address, "no-reply@chat.example");
    assert_eq!(mail.headers["from"], FROM);
    assert_eq!(mail.headers["auto-submitted"], "auto-generated");
    let time = now.format("%Y-%m-%d %H:%M UTC").to_string();
    for body in [&mail.text, &mail.html] {
        assert!(body.contains(&time), "{body}");
        assert!(!body.contains("canary") && !body.contains("Archer"), "{body}");
    }
    assert!(mail.html.contains("<p>"), "{}", mail.html);
    let sent = database.audited("mail.sent", Some("account_locked")).await;
    assert!(sent.user_id.is_some());
    eventually("it is counted", async || {
        let line = "mails_total{kind=\"account_locked\",outcome=\"sent\"} 1";
        postman.metrics().await.contains(line).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_mail_server_is_away_nothing_is_lost_and_all_of_it_comes_later() {
    let kinds = [MailKind::AccountLocked, MailKind::MustChange, MailKind::PasswordChanged];
    let database = with_mail(&kinds).await;
    let inbox = Inbox::open(Speech::Plain).await;
    inbox.sink.kill().await;
    let mut settings = inbox.settings();
    settings.push(("MAIL_LANGUAGE", "de".to_owned()));
    let _postman = Postman::start(&database, &settings).await;
    eventually("tries in vain", async || (failed(&database).await > 0).then_some(())).await;
    inbox.sink.start().await.expect("it starts again");
    let_claims_end(&database).await;
    let mut subjects: Vec<_> = inbox.has(3).await.into_iter().map(|mail| mail.subject).collect();
    subjects.sort();
    let expected = [
        "Chat: Ihr Passwort muss geändert werden",
        "Chat: Ihr Passwort wurde geändert",
        "Chat: zu viele Fehlversuche beim Anmelden",
    ];
    assert_eq!(subjects, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_had_in_hand_when_it_was_killed_is_sent_by_another() {
    let database = with_mail(&[MailKind::MustChange]).await;
    // A mail server that takes the connection and says nothing: the worker is between taking and sending.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let settings = [
        ("SMTP_ADDRESS", address),
        ("SMTP_ENCRYPTION", "none".to_owned()),
        ("MAIL_FROM", FROM.to_owned()),
    ];
    let mut first = Postman::start(&database, &settings).await;
    let _connection = silent.accept().await.unwrap();
    first.kill();
    assert_eq!(failed(&database).await, 0, "it knew nothing of a failure");

    let inbox = Inbox::open(Speech::Plain).await;
    let _second = Postman::start(&database, &inbox.settings()).await;
    let_claims_end(&database).await;
    let [mail] = inbox.has(1).await.try_into().expect("one mail");
    database.audited("mail.sent", Some("must_change")).await;

    // Another died after the server's word and before its own note.
    sqlx::query("update due_work set finished_at = null").execute(&database.pool).await.unwrap();
    let_claims_end(&database).await;
    let [_, again] = inbox.has(2).await.try_into().expect("at least once");
    assert_eq!(again.headers["message-id"], mail.headers["message-id"], "it is the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn four_mails_are_sent_at_once() {
    let kinds = [
        MailKind::AccountLocked,
        MailKind::MustChange,
        MailKind::PasswordChanged,
        MailKind::NewNetwork,
    ];
    let database = with_mail(&kinds).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = [
        ("SMTP_ADDRESS", silent.local_addr().unwrap().to_string()),
        ("SMTP_ENCRYPTION", "none".to_owned()),
        ("MAIL_FROM", FROM.to_owned()),
    ];
    let postman = Postman::start(&database, &settings).await;
    let mut connections = Vec::new();
    let hang = std::time::Duration::from_secs(20);
    for _ in &kinds {
        let connection = tokio::time::timeout(hang, silent.accept()).await;
        connections.push(connection.expect("one for each mail, before any of them is given up"));
    }
    postman.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_says_nothing_does_not_hold_up_a_stop_and_the_mail_stays() {
    let database = with_mail(&[MailKind::MustChange]).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = [
        ("SMTP_ADDRESS", silent.local_addr().unwrap().to_string()),
        ("SMTP_ENCRYPTION", "none".to_owned()),
        ("MAIL_FROM", FROM.to_owned()),
    ];
    let postman = Postman::start(&database, &settings).await;
    let _connection = silent.accept().await.unwrap();
    postman.stop().await;
    let inbox = Inbox::open(Speech::Plain).await;
    let _another = Postman::start(&database, &inbox.settings()).await;
    let_claims_end(&database).await;
    inbox.has(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_nobody_sent_for_a_day_is_dead_and_the_trail_says_so() {
    let database = with_mail(&[MailKind::NewNetwork, MailKind::PasswordChanged]).await;
    sqlx::query("update due_work set expires_at = now() where kind = 'mail.password_changed'")
        .execute(&database.pool)
        .await
        .unwrap();
    // Without a mail server: it is buried all the same.
    let _postman = Postman::start(&database, &[]).await;
    let dead = database.audited("mail.dead", Some("password_changed")).await;
    assert!(dead.user_id.is_some());
    let left: Vec<String> =
        sqlx::query_scalar("select kind from due_work where finished_at is null")
            .fetch_all(&database.pool)
            .await
            .unwrap();
    assert_eq!(left, ["mail.new_network"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_breaks_lines_gets_no_mail_and_nobody_else_does() {
    let database = with_mail(&[MailKind::PasswordChanged]).await;
    for address in ["alice@example.com\r\nBcc: eve@evil.example", "alice\n@example.com", ""] {
        sqlx::query("update users set email = $1 where username_key = 'alice'")
            .bind(address)
            .execute(&database.pool)
            .await
            .unwrap();
        post(&database, &[MailKind::PasswordChanged]).await;
    }
    let inbox = Inbox::open(Speech::Plain).await;
    let _postman = Postman::start(&database, &inbox.settings()).await;
    let dead = async || -> i64 {
        sqlx::query_scalar("select count(*) from audit_events where event = 'mail.dead'")
            .fetch_one(&database.pool)
            .await
            .unwrap()
    };
    eventually("all are dead", async || (dead().await == 4).then_some(())).await;
    assert!(inbox.mails().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_the_server_does_not_take_is_tried_again_and_does_not_hold_up_the_others() {
    for (address, speech) in
        [("refused@example.com", Speech::Plain), ("m\u{fc}ller@example.com", Speech::Ascii)]
    {
        let database = Database::with_people().await;
        // They were due first; one a second would take minutes.
        sqlx::query(
            "insert into due_work (id, kind, user_id, address, created_at, due_at, expires_at)
             select gen_random_uuid(), 'mail.email_changed', id, $1, now(),
                    now() - interval '1 h', now() + interval '1 h'
             from users, generate_series(1, 90) where username_key = 'alice'",
        )
        .bind(address)
        .execute(&database.pool)
        .await
        .unwrap();
        post(&database, &[MailKind::PasswordChanged]).await;
        let inbox = Inbox::open(speech).await;
        let _postman = Postman::start(&database, &inbox.settings()).await;
        let [mail] = inbox.has(1).await.try_into().expect("one mail");
        assert_eq!(mail.envelope.to[0].address, "Alice@example.com");
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from due_work where failures > 0 and finished_at is null",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap();
        assert_eq!(waiting, 90, "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_the_server_refuses_for_good_is_tried_four_times_with_ten_minutes_between() {
    let database = Database::with_people().await;
    sqlx::query(
        "insert into due_work (id, kind, user_id, address, created_at, due_at, expires_at, failures)
         select gen_random_uuid(), 'mail.email_changed', id, 'refused@example.com', now(), now(),
                now() + interval '1 day', failures
         from users, generate_series(0, 3) as failures where username_key = 'alice'",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let inbox = Inbox::open(Speech::Plain).await;
    let _postman = Postman::start(&database, &inbox.settings()).await;
    let dead = database.audited("mail.dead", Some("email_changed")).await;
    assert!(dead.user_id.is_some());
    let waiting = eventually("the others are refused", async || {
        let waiting: Vec<(i32, bool)> = sqlx::query_as(
            "select failures, due_at between now() + interval '9 min' and now() + interval '10 min'
             from due_work where finished_at is null and due_at > now() + interval '2 min'
             order by failures",
        )
        .fetch_all(&database.pool)
        .await
        .unwrap();
        (waiting.len() == 3).then_some(waiting)
    });
    assert_eq!(waiting.await, [(1, true), (2, true), (3, true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_call_themselves_is_in_no_mail() {
    let database = with_mail(&[MailKind::NewNetwork]).await;
    sqlx::query(
        "update users set full_name = E'canary\r\nBcc: eve@evil.example', username = 'canary'
         where username_key = 'alice'",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let inbox = Inbox::open(Speech::Plain).await;
    let _postman = Postman::start(&database, &inbox.settings()).await;
    let [mail] = inbox.has(1).await.try_into().expect("one mail");
    assert_eq!(mail.envelope.to.len(), 1);
    let everything = format!("{mail:?}");
    assert!(!everything.contains("canary") && !everything.contains("evil"), "{everything}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_send_each_mail_once() {
    let database = with_mail(&[MailKind::PasswordChanged; 10]).await;
    let inbox = Inbox::open(Speech::Plain).await;
    let workers = [
        Postman::start(&database, &inbox.settings()).await,
        Postman::start(&database, &inbox.settings()).await,
    ];
    eventually("all are sent", async || {
        let left: i64 =
            sqlx::query_scalar("select count(*) from due_work where finished_at is null")
                .fetch_one(&database.pool)
                .await
                .unwrap();
        (left == 0).then_some(())
    })
    .await;
    for worker in workers {
        tokio::time::timeout(Duration::from_secs(20), worker.stop()).await.expect("it stops");
    }
    assert_eq!(inbox.mails().await.len(), 10);
}
