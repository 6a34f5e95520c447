//! The mail server: how it is spoken to, and which settings of it are refused.

use auth_connector::account::AccountId;
use auth_connector::due::MailKind;
use auth_connector::mail::{Encryption, Language, Occasion, SendError, Smtp, SmtpSettings, letter};
use auth_connector::store::Store;
use chrono::DateTime;
use devstack::mail::Speech;
use service_process::sources::Sources;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::setup::postman::{FROM, Inbox, Postman, checked};
use crate::setup::{Database, eventually};

/// A database with a mail to Alice.
async fn with_mail() -> Database {
    let database = Database::with_people().await;
    let store = Store::open(&database.dsn.clone().into()).expect("a DSN");
    let alice: Uuid = sqlx::query_scalar("select id from users where username_key = 'alice'")
        .fetch_one(&database.pool)
        .await
        .expect("she is there");
    let (alice, ids) = (AccountId::from(alice), Sources::system());
    let (kind, now) = (MailKind::NewNetwork, (ids.now)());
    let post = store.settle(async |unit| unit.post(kind, Some(alice), ids.id(now), now).await);
    post.await.expect("it is posted");
    database
}

async fn failed(database: &Database) -> bool {
    sqlx::query_scalar("select exists (select from due_work where failures > 0)")
        .fetch_one(&database.pool)
        .await
        .expect("due work is read")
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_is_sent_by_starttls_or_by_tls_with_user_and_password() {
    for (speech, encryption) in [(Speech::Starttls, "starttls"), (Speech::Tls, "implicit")] {
        let database = with_mail().await;
        let inbox = Inbox::open(speech).await;
        let mut settings = inbox.settings();
        settings.push(("SMTP_ENCRYPTION", encryption.to_owned()));
        let _postman = Postman::start(&database, &settings).await;
        inbox.has(1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_wrong_sends_nothing_and_its_file_is_read_again() {
    let database = with_mail().await;
    let inbox = Inbox::open(Speech::Starttls).await;
    let password = inbox.files().join("our-password");
    std::fs::write(&password, "canary-password\n").unwrap();
    let mut settings = inbox.settings();
    settings.push(("SMTP_PASSWORD_FILE", password.to_str().unwrap().to_owned()));
    let _postman = Postman::start(&database, &settings).await;
    eventually("it is refused", async || failed(&database).await.then_some(())).await;
    assert!(inbox.mails().await.is_empty());
    std::fs::write(&password, devstack::mail::PASSWORD).unwrap();
    sqlx::query("update due_work set due_at = now()").execute(&database.pool).await.unwrap();
    inbox.has(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_authority_or_without_starttls_gets_no_mail() {
    let database = with_mail().await;
    let (ours, other) = (Inbox::open(Speech::Starttls).await, Inbox::open(Speech::Starttls).await);
    let mut settings = ours.settings();
    let ca = other.sink.secured().expect("it has TLS").ca.to_str().unwrap().to_owned();
    settings.push(("SMTP_CA_FILE", ca));
    let postman = Postman::start(&database, &settings).await;
    eventually("it is not believed", async || failed(&database).await.then_some(())).await;
    drop(postman);
    assert!(ours.mails().await.is_empty());

    let database = with_mail().await;
    let plain = Inbox::open(Speech::Plain).await;
    let mut settings = plain.settings();
    settings.push(("SMTP_ENCRYPTION", "starttls".to_owned()));
    let _postman = Postman::start(&database, &settings).await;
    eventually("it is not trusted", async || failed(&database).await.then_some(())).await;
    assert!(plain.mails().await.is_empty());
}

/// With time that passes by itself as soon as nobody does anything.
#[tokio::test(start_paused = true)]
async fn a_peer_that_accepts_and_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let settings = SmtpSettings {
        server: ("127.0.0.1".to_owned(), port),
        encryption: Encryption::None,
        ca: None,
        login: None,
        from: FROM.parse().unwrap(),
    };
    let sender = Smtp::open(settings).unwrap().sender().unwrap();
    let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let occasion = Occasion { kind: MailKind::NewNetwork, at, service: "Chat" };
    let letter = letter(Language::En, occasion);
    let peer = async {
        let (mut connection, _) = silent.accept().await.unwrap();
        let mut said = Vec::new();
        connection.read_to_end(&mut said).await.unwrap();
        said
    };
    let sending = sender.send(&letter, "alice@example.com", Uuid::nil(), at);
    let (sent, _) = tokio::join!(sending, peer);
    assert!(matches!(sent, Err(SendError::TimedOut)), "{sent:?}");
}

#[test]
fn settings_that_cannot_be_used_are_refused_before_anything_starts() {
    let address = ("SMTP_ADDRESS", "127.0.0.1:1");
    let from = ("MAIL_FROM", FROM);
    let user = ("SMTP_USER", "accounts");
    let password = ("SMTP_PASSWORD_FILE", "/dev/null");
    let (code, text) = checked(&[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("is not sent"), "{text}");
    let (code, text) = checked(&[address, from]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("from Chat by 127.0.0.1:1 with STARTTLS"), "{text}");
    for (settings, said) in [
        (&[address][..], "--mail-from"),
        (&[address, from, user], "SMTP_PASSWORD_FILE"),
        (&[address, from, password], "SMTP_USER"),
        (&[address, from, user, password], "it is empty"),
        (&[address, from, user, password, ("SMTP_ENCRYPTION", "none")], "SMTP_ENCRYPTION"),
        (&[address, from, ("SMTP_CA_FILE", "/nowhere")], "SMTP_CA_FILE"),
        (&[address, from, ("SMTP_CA_FILE", "/dev/null")], "SMTP_CA_FILE"),
        (&[("SMTP_ADDRESS", "mail.example")], "--smtp-address"),
        (&[address, ("MAIL_FROM", "Chat <a@b.example>\r\nBcc: c@d.example")], "--mail-from"),
        (&[address, ("MAIL_FROM", "nobody")], "--mail-from"),
        (&[("MAIL_LANGUAGE", "fr")], "--mail-language"),
        (&[("CODE_KEY_FILE", "/dev/null")], "CODE_KEY_FILE"),
    ] {
        let (code, text) = checked(settings);
        assert_eq!(code, Some(64), "{settings:?}: {text}");
        assert!(text.contains(said), "{settings:?}: {text}");
    }
}
