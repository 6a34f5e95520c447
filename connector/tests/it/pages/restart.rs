//! The pages after a crash of their process

use devstack::mail::Speech;

use crate::setup::door::{Door, WAITS};
use crate::setup::pages::{Browser, code};
use crate::setup::postman::{Inbox, Postman};
use crate::setup::program::Program;
use crate::setup::{Database, eventually, keys};

const FINISH: &str = "/accounts/sign-up/finish";
const PASSWORD: &str = "an engine that weaves";

/// A process with pages at this port, which lead back to logins.
async fn pages(database: &Database, port: u16, door: &Door) -> Program {
    let mut command = database.command(&["serve"]);
    command
        .env("CODE_KEY_FILE", &keys().code_key)
        .env("ACCOUNTS_PUBLIC_URL", "http://localhost:5559/accounts")
        .env("ACCOUNTS_APP_URL", "http://localhost:5173/")
        .env("DEX_ISSUER_URL", &door.issuer)
        .env("ACCOUNTS_LISTEN", format!("127.0.0.1:{port}"));
    Program::start_as("accounts", &mut command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_goes_on_whenever_its_process_was_killed() {
    let (database, inbox) = (Database::with_people().await, Inbox::open(Speech::Plain).await);
    let postman = Postman::start(&database, &inbox.settings()).await;
    let (port, door) = (devstack::ports::free().expect("a port"), Door::open().await);
    let first = format!("/accounts/sign-up?state={WAITS}");
    let browser = Browser::at(([127, 0, 0, 1], port).into());

    let process = pages(&database, port, &door).await;
    browser.post(&first, &[("email", "ada@example.com")]).await.leads_to();
    drop(process);
    let process = pages(&database, port, &door).await;
    let code = code(&inbox.has(1).await[0]);
    browser.submit("/accounts/confirm", &[("code", &code)]).await.leads_to();
    drop(process);
    let process = pages(&database, port, &door).await;
    let flow = browser.get(FINISH).await.flow();
    let visitor = Browser::at(([127, 0, 0, 1], port).into());
    visitor.set_cookie(browser.cookie());
    let mut held = database.pool.begin().await.unwrap();
    sqlx::query("lock table users in share mode").execute(&mut *held).await.unwrap();
    let visit = tokio::spawn(async move {
        let fields = [("flow", flow.as_str()), ("full_name", "Ada"), ("password", PASSWORD)];
        visitor.post(FINISH, &fields).await
    });
    let waits = async || (database.waiting().await > 0).then_some(());
    eventually("the account is about to be made", waits).await;
    visit.abort();
    drop(process);
    held.rollback().await.unwrap();
    let _process = pages(&database, port, &door).await;
    let fields = [("full_name", "Ada"), ("password", PASSWORD)];
    let made = browser.submit(FINISH, &fields).await;
    assert_eq!(made.status, 200, "{}", made.body);
    assert!(made.body.contains(" id=\"hand-over\""), "it knows where it began: {}", made.body);
    database.audited("account.signed_up", None).await;
    postman.stop().await;
}
