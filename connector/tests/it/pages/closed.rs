//! The pages where nobody may sign up

use auth_connector::flow::FlowToken;
use reqwest::StatusCode;
use serde_json::json;
use service_process::sources::Sources;

use crate::setup::pages::Pages;

const SIGN_UP: &str = "/accounts/sign-up";
const ADA: &str = "ada@example.com";

#[tokio::test(flavor = "multi_thread")]
async fn where_sign_up_is_closed_nobody_makes_an_account_and_the_rest_goes_on() {
    let pages = Pages::without_mail(&["--accounts-sign-up", "closed"]).await;
    let browser = pages.browser();
    assert_eq!(browser.get(SIGN_UP).await.status, StatusCode::FORBIDDEN);
    let told = browser.post(SIGN_UP, &[("email", ADA)]).await;
    assert_eq!(told.status, StatusCode::FORBIDDEN);
    assert!(told.body.contains("People cannot sign up here"), "{}", told.body);
    let flow = json!({"purpose": "sign_up", "email": ADA});
    let refused = browser.json("/accounts/v1/flows", flow).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("urn:problem-type:accounts:sign-up-closed"), "{}", refused.body);
    assert_eq!(pages.number("select count(*) from account_flows").await, 0);

    // Nor by a flow of the time when it was open.
    let token = FlowToken::new(Sources::system());
    sqlx::query(
        "insert into account_flows (id, token_hash, purpose, email, email_key, language, code,
                                    proved_at, expires_at)
         values (gen_random_uuid(), $1, 'sign_up', $2, $2, 'en', 1, now(), now() + interval '1 h')",
    )
    .bind(&token.hash()[..])
    .bind(ADA)
    .execute(&pages.database.pool)
    .await
    .unwrap();
    browser.set_cookie(Some(format!("__Host-Http-accounts-flow={}", token.expose())));
    let (finish, flow) = ("/accounts/sign-up/finish", token.of_form());
    assert_eq!(browser.get(finish).await.status, StatusCode::FORBIDDEN);
    let fields = [("flow", &*flow), ("full_name", "Ada"), ("password", "an engine that weaves")];
    let late = browser.post(finish, &fields).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN, "{}", late.body);
    assert_eq!(pages.number("select count(*) from users where email_key like 'ada%'").await, 0);

    browser.post("/accounts/reset", &[("email", "alice@example.com")]).await.leads_to();
}
