//! Runs the program at its most talkative and searches what it says.

use devstack::mail::Speech;
use reqwest::StatusCode;

use crate::setup::door::{Door, WAITS};
use crate::setup::pages::{Browser, code};
use crate::setup::postman::{Inbox, dex};
use crate::setup::program::Program;
use crate::setup::{Database, keys};

const SIGN_UP: &str = "/accounts/sign-up";
const FINISH: &str = "/accounts/sign-up/finish";

#[tokio::test(flavor = "multi_thread")]
async fn no_address_name_code_cookie_or_password_is_logged_or_counted_or_in_the_trail() {
    let (database, inbox) = (Database::with_people().await, Inbox::open(Speech::Plain).await);
    let log = tempfile::NamedTempFile::new().unwrap();
    let files = tempfile::tempdir().unwrap();
    let (port, door) = (devstack::ports::free().expect("a port"), Door::open().await);
    let mut command = database.command(&["serve"]);
    command
        .env("LOG_LEVEL", "trace")
        .env("CODE_KEY_FILE", &keys().code_key)
        .env("ACCOUNTS_PUBLIC_URL", "http://localhost:5559/accounts")
        .env("ACCOUNTS_APP_URL", "http://localhost:5173/")
        .env("DEX_ISSUER_URL", &door.issuer)
        .env("ACCOUNTS_LISTEN", format!("127.0.0.1:{port}"))
        .envs(dex(&files))
        .envs(inbox.settings())
        .stderr(log.reopen().unwrap());
    let program = Program::start_as("accounts,worker", &mut command).await;
    let browser = Browser::at(([127, 0, 0, 1], port).into());

    let nonsense = browser.post(SIGN_UP, &[("email", "canary-of-no-address")]).await;
    assert_eq!(nonsense.status, StatusCode::UNPROCESSABLE_ENTITY);
    browser.post(SIGN_UP, &[("email", "canary@example.com")]).await.leads_to();
    let before = browser.cookie().expect("a flow");
    let first = code(&inbox.has(1).await[0]);
    let wrong = browser.submit("/accounts/confirm", &[("code", "canary-code")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    browser.submit("/accounts/confirm", &[("code", &first)]).await.leads_to();
    let after = browser.cookie().expect("a flow");
    for (password, status) in [("canary", 422), ("canary among passwords", 200)] {
        let fields = [("full_name", "Canary Bird"), ("password", password)];
        let answer = browser.submit(FINISH, &fields).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
    }
    database.audited("account.signed_up", None).await;

    let login = format!("state={WAITS}");
    let begin = serde_json::json!(
        {"purpose": "reset", "email": "canary@example.com", "hand_back": login}
    );
    browser.json("/accounts/v1/flows", begin).await;
    let second = code(&inbox.has(2).await[1]);
    browser.json("/accounts/v1/flows/confirm", serde_json::json!({"code": second})).await;
    let proved = browser.cookie().expect("a flow");
    let mut ticket = String::new();
    for (password, status) in [("canary", 422), ("another canary of a password", 200)] {
        let typed = serde_json::json!({"password": password});
        let answer = browser.json("/accounts/v1/reset", typed).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
        let told: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        ticket = told["hand_over"]["ticket"].as_str().unwrap_or_default().to_owned();
    }
    assert!(ticket.starts_with("lat1_"), "{ticket}");
    database.audited("account.password_reset", None).await;
    let metrics = program.metrics().await;
    program.stop().await;
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(log.contains("the accounts pages are served"), "{log}");

    let trail: Vec<String> = sqlx::query_scalar("select audit_events::text from audit_events")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    let trail = trail.join("\n");
    let key = std::fs::read_to_string(&keys().code_key).unwrap();
    let [before, after, proved] =
        [&before, &after, &proved].map(|pair| pair.split_once('=').expect("a pair").1);
    let bare = [&first, &second].map(|code| code.replace('-', ""));
    let codes = [first.as_str(), &second, &bare[0], &bare[1]];
    let others = ["canary", "Canary", before, after, proved, &ticket, WAITS, key.trim(), "$2b$"];
    for secret in codes.into_iter().chain(others) {
        for (place, text) in [("log", &log), ("metrics", &metrics), ("trail", &trail)] {
            assert!(!text.contains(secret), "{secret} in the {place}");
        }
    }
}
