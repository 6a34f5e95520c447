//! What anybody can have happen as often as they like, and the log

use reqwest::StatusCode;

use crate::setup::program::Program;
use crate::setup::seats::Guest;
use crate::setup::{Database, keys, utf8};

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_signed_in_again_and_again_is_counted_and_leaves_one_line_in_the_log() {
    let database = Database::with_people().await;
    let files = tempfile::tempdir().unwrap();
    let (log, secret) = (tempfile::NamedTempFile::new().unwrap(), files.path().join("secret"));
    std::fs::write(&secret, devstack::issuer::CLIENT_SECRET).unwrap();
    let [port, nowhere] = [0, 1].map(|_| devstack::ports::free().expect("a port"));
    let mut command = database.command(&["serve"]);
    command
        .env("LOG_LEVEL", "info")
        .env("CODE_KEY_FILE", &keys().code_key)
        .env("ACCOUNTS_PUBLIC_URL", "http://localhost:5559/accounts")
        .env("ACCOUNTS_APP_URL", "http://localhost:5173/")
        .env("ACCOUNTS_LISTEN", format!("127.0.0.1:{port}"))
        .env("DEX_ISSUER_URL", format!("http://127.0.0.1:{nowhere}/dex"))
        .env("ACCOUNTS_CLIENT_SECRET_FILE", utf8(&secret))
        .env("ACCOUNTS_SESSION_KEY_FILE", utf8(&keys().session_keys))
        .stderr(log.reopen().unwrap());
    let program = Program::start_as("accounts", &mut command).await;
    let guest = Guest::at(([127, 0, 0, 1], port).into());
    for _ in 0..20 {
        let told = guest.get("/accounts/sign-in").await;
        assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE, "{}", told.body);
        let told = guest.get("/accounts/callback?code=canary&state=canary").await;
        assert_eq!(told.status, StatusCode::BAD_REQUEST, "{}", told.body);
    }
    let metrics = program.metrics().await;
    for outcome in ["unavailable", "no_flow"] {
        let counted = format!("accounts_sign_ins_total{{outcome=\"{outcome}\"}} 20");
        assert!(metrics.contains(&counted), "{metrics}");
    }
    program.stop().await;
    let log = std::fs::read_to_string(log.path()).unwrap();
    let lines = log.lines().filter(|line| line.contains("sign in to the accounts pages"));
    assert_eq!(lines.count(), 1, "{log}");
}
