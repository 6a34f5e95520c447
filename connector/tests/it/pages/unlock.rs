//! `/accounts/unlock`

use reqwest::StatusCode;

use crate::setup::PASSWORD;
use crate::setup::pages::Pages;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_strangers_closed_is_opened_by_a_code_and_its_sessions_stay() {
    let pages = Pages::open().await;
    pages.close_alice().await;
    assert!(!pages.lets_in("alice", PASSWORD).await);
    let browser = pages.browser();
    let begun = browser.post("/accounts/unlock", &[("email", "alice@example.com")]).await;
    assert_eq!(begun.leads_to(), "/accounts/confirm");
    let code = pages.code(1).await;
    let proved = browser.submit("/accounts/confirm", &[("code", &code)]).await;
    let finish = proved.leads_to();
    assert_eq!(finish, "/accounts/unlock/finish");
    assert!(!pages.lets_in("alice", PASSWORD).await, "the code alone changes nothing");
    // Nor is it worth more than was asked for.
    let flow = browser.get(finish).await.flow();
    let fields = [("flow", flow.as_str()), ("password", "an engine that weaves")];
    let reset = browser.post("/accounts/reset/finish", &fields).await;
    assert_eq!(reset.status, StatusCode::CONFLICT);

    let opened = browser.submit(finish, &[]).await;
    assert_eq!(opened.status, StatusCode::OK, "{}", opened.body);
    assert_eq!(browser.cookie(), None);
    assert!(pages.lets_in("alice", PASSWORD).await);
    let line = pages.database.audited("account.unlocked", None).await;
    assert_eq!(line.remote_ip.as_deref(), Some("127.0.0.1"));
    let epoch = "select auth_epoch from users where username_key = 'alice'";
    assert_eq!(pages.number(epoch).await, 0);
    let again = browser.post(finish, &[("flow", &flow)]).await;
    assert_eq!(again.status, StatusCode::GONE, "it is used up");
}
