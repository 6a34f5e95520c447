//! Runs the program at its most talkative and searches what it says.

use devstack::issuer::Issuer;
use devstack::mail::Speech;
use serde_json::json;

use crate::setup::pages::code;
use crate::setup::postman::{Inbox, dex};
use crate::setup::program::Program;
use crate::setup::signed::{Person, long_code, sub};
use crate::setup::{Database, PASSWORD, keys};

#[tokio::test(flavor = "multi_thread")]
async fn no_token_password_code_name_number_or_address_is_logged_or_counted_or_in_the_trail() {
    let (database, inbox) = (Database::with_people().await, Inbox::open(Speech::Plain).await);
    let issuer = Issuer::start().await.unwrap();
    let log = tempfile::NamedTempFile::new().unwrap();
    let files = tempfile::tempdir().unwrap();
    let port = devstack::ports::free().expect("a port");
    let mut command = database.command(&["serve"]);
    command
        .env("LOG_LEVEL", "trace")
        .env("CODE_KEY_FILE", &keys().code_key)
        .env("ACCOUNTS_PUBLIC_URL", "http://localhost:5559/accounts")
        .env("ACCOUNTS_APP_URL", "http://localhost:5173/")
        .env("ACCOUNTS_LISTEN", format!("127.0.0.1:{port}"))
        .env("ACCOUNTS_SEARCH_GROUPS", "staff")
        .env("DEX_ISSUER_URL", issuer.url())
        .envs(dex(&files))
        .envs(inbox.settings())
        .stderr(log.reopen().unwrap());
    let program = Program::start_as("accounts,worker", &mut command).await;
    let id = sqlx::query_scalar("select id from users where username_key = 'alice'")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    let token = |ahead: i64| {
        let now = chrono::Utc::now().timestamp() + ahead;
        let claims = json!({
            "sub": sub(id, "local-postgres"), "aud": "accounts", "iat": now, "exp": now + 900,
        });
        issuer.sign(claims).unwrap()
    };
    let first = token(-1);
    let address = ([127, 0, 0, 1], port).into();
    let alice = Person::with(address, &first);
    alice.patch("/me", json!({"full_name": "Canary Bird", "phone": "+4912233445566"})).await.done();
    alice.get("/users?name=canary").await.done();
    alice.change_password("canary of no password", "x").await.is(403, "wrong-password");
    let flow = alice.begin_email("canary@example.com", PASSWORD).await;
    let typed = code(&inbox.has(1).await[0]);
    alice.confirm_email(&flow, "canary-code").await.is(422, "wrong-code");
    alice.confirm_email(&flow, &typed).await.done();
    let undo = inbox
        .has(2)
        .await
        .iter()
        .find(|mail| mail.text.contains("to have this address back"))
        .map(long_code);
    let undo = undo.expect("a way back");
    // Later than the second in which the sessions ended.
    let second = token(2);
    let again = Person::with(address, &second);
    again.change_password(PASSWORD, "another canary of a password").await.done();
    database.audited("account.password_changed", None).await;
    let metrics = program.metrics().await;
    program.stop().await;
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(log.contains("the accounts pages are served"), "{log}");
    let trail: Vec<String> = sqlx::query_scalar("select audit_events::text from audit_events")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    let trail = trail.join("\n");
    let bare = [typed.replace('-', ""), undo.replace('-', "")];
    let secrets = [
        "canary",
        "Canary",
        "12233445566",
        PASSWORD,
        &flow,
        &typed,
        &undo,
        &bare[0],
        &bare[1],
        &first,
        &second,
        "$2b$",
    ];
    for secret in secrets {
        for (place, text) in [("log", &log), ("metrics", &metrics), ("trail", &trail)] {
            assert!(!text.contains(secret), "{secret} in the {place}");
        }
    }
}
