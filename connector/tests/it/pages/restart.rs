//! The pages after a crash of their process

use devstack::mail::Speech;

use crate::setup::pages::{Browser, code};
use crate::setup::postman::{Inbox, Postman};
use crate::setup::program::Program;
use crate::setup::{Database, keys};

/// A process with pages at this port.
async fn pages(database: &Database, port: u16) -> Program {
    let mut command = database.command(&["serve"]);
    command
        .env("CODE_KEY_FILE", &keys().code_key)
        .env("ACCOUNTS_PUBLIC_URL", "http://localhost:5559/accounts")
        .env("ACCOUNTS_LISTEN", format!("127.0.0.1:{port}"));
    Program::start_as("accounts", &mut command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_goes_on_whenever_its_process_was_killed() {
    let (database, inbox) = (Database::with_people().await, Inbox::open(Speech::Plain).await);
    let postman = Postman::start(&database, &inbox.settings()).await;
    let port = devstack::ports::free().expect("a port");
    let browser = Browser::at(([127, 0, 0, 1], port).into());

    let process = pages(&database, port).await;
    browser.post("/accounts/sign-up", &[("email", "ada@example.com")]).await.leads_to();
    drop(process);
    let process = pages(&database, port).await;
    let code = code(&inbox.has(1).await[0]);
    browser.submit("/accounts/confirm", &[("code", &code)]).await.leads_to();
    drop(process);
    let _process = pages(&database, port).await;
    let fields = [("full_name", "Ada"), ("password", "an engine that weaves")];
    let made = browser.submit("/accounts/sign-up/finish", &fields).await;
    assert_eq!(made.status, 200, "{}", made.body);
    database.audited("account.signed_up", None).await;
    postman.stop().await;
}
