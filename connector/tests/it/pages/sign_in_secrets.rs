//! Runs the program at its most talkative and searches what it says of a sign-in

use serde_json::json;

use crate::setup::program::Program;
use crate::setup::seats::{FLOW, Guest, SESSION, Seats};
use crate::setup::{keys, utf8};

#[tokio::test(flavor = "multi_thread")]
async fn no_code_state_cookie_secret_or_token_of_a_sign_in_is_logged_or_counted() {
    let seats = Seats::open().await;
    let sub = seats.subject("alice").await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let port = devstack::ports::free().expect("a port");
    let secret = seats.file("secret", devstack::issuer::CLIENT_SECRET);
    let mut command = seats.pages.database.command(&["serve"]);
    command
        .env("LOG_LEVEL", "trace")
        .env("CODE_KEY_FILE", &keys().code_key)
        .env("ACCOUNTS_PUBLIC_URL", "http://localhost:5559/accounts")
        .env("ACCOUNTS_APP_URL", "http://localhost:5173/")
        .env("ACCOUNTS_LISTEN", format!("127.0.0.1:{port}"))
        .env("DEX_ISSUER_URL", seats.issuer.url())
        .env("ACCOUNTS_CLIENT_SECRET_FILE", utf8(&secret))
        .env("ACCOUNTS_SESSION_KEY_FILE", utf8(&keys().session_keys))
        .stderr(log.reopen().unwrap());
    let program = Program::start_as("accounts", &mut command).await;
    let guest = Guest::at(([127, 0, 0, 1], port).into());

    let callback = seats.let_in(&guest, "/accounts/sign-in", json!({ "sub": sub })).await;
    let flow = guest.cookie(FLOW).expect("a flow");
    guest.get(&callback).await.leads_to();
    let session = guest.cookie(SESSION).expect("a session");
    assert!(guest.get("/accounts/profile").await.is_inside());
    let wrong = seats
        .let_in(&guest, "/accounts/sign-in", json!({ "sub": sub, "nonce": "canary-nonce" }))
        .await;
    assert_eq!(guest.get(&wrong).await.status.as_u16(), 400);
    let metrics = program.metrics().await;
    program.stop().await;

    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(log.contains("nobody can sign in to the accounts pages"), "{log}");
    let parts = [&callback, &wrong].map(|query| query.split(['=', '&']).map(str::to_owned));
    let sent: Vec<String> = parts.into_iter().flatten().filter(|part| part.len() > 20).collect();
    assert_eq!(sent.len(), 6, "path, code and state of both: {sent:?}");
    let key = std::fs::read_to_string(&keys().session_keys).unwrap();
    let key = key.trim().split_once(':').expect("a key").1.to_owned();
    let others = [flow, session, key, "client secret".into(), "Alice".into(), "canary".into()];
    // An ID token begins like this.
    let others = others.into_iter().chain(["eyJ".to_owned()]);
    for secret in sent.into_iter().filter(|part| !part.starts_with('/')).chain(others) {
        for (place, text) in [("log", &log), ("metrics", &metrics)] {
            assert!(!text.contains(&secret), "{secret} in the {place}");
        }
    }
}
