//! `/accounts/v1`

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::setup::pages::Pages;

const NEW: &str = "an engine that weaves";

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_its_password_replaced_and_it_is_opened_by_calls() {
    let pages = Pages::open().await;
    let script = pages.browser();
    let email = "ada@example.com";
    for (count, purpose, end, fields) in [
        (
            1,
            "sign_up",
            "/accounts/v1/sign-up",
            json!({"full_name": "Ada", "password": "the first of two passwords"}),
        ),
        (2, "reset", "/accounts/v1/reset", json!({"password": NEW})),
        (3, "unlock", "/accounts/v1/unlock", json!({})),
    ] {
        let flow = json!({"purpose": purpose, "email": email});
        let begun = script.json("/accounts/v1/flows", flow).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.body);
        let code = pages.code(count).await;
        let wrong = script.json("/accounts/v1/flows/confirm", json!({"code": "0000-0000"})).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        let problem = body(&wrong.body);
        assert_eq!(problem["type"], "urn:problem-type:accounts:wrong-code");
        assert_eq!(wrong.headers["content-type"], "application/problem+json");
        let proved = script.json("/accounts/v1/flows/confirm", json!({"code": code})).await;
        assert_eq!(body(&proved.body), json!({"email": email, "next": purpose}));
        let ended = script.json(end, fields).await;
        assert!(ended.status.is_success(), "{}", ended.body);
        assert_eq!(script.cookie(), None);
    }
    assert!(pages.lets_in(email, NEW).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_scripts_of_our_own_pages_are_heard() {
    let pages = Pages::without_mail(&[]).await;
    let flow = json!({"purpose": "sign_up", "email": "ada@example.com"}).to_string();
    let simple = pages.browser();
    let refused = simple.raw("/accounts/v1/flows", "application/json", flow.clone().into()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "a form could send that");
    let mut foreign = pages.browser();
    foreign.headers.insert("origin", "https://evil.example".parse().unwrap());
    let refused = foreign.json("/accounts/v1/flows", body(&flow)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(body(&refused.body)["type"], "urn:problem-type:accounts:foreign-origin");
    assert_eq!(pages.number("select count(*) from account_flows").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_description_does_not_have_is_refused() {
    let pages = Pages::without_mail(&[]).await;
    let script = pages.browser();
    for (path, fields, status) in [
        ("flows", json!({"purpose": "close", "email": "a@b.example"}), 400),
        ("flows", json!({"purpose": "reset"}), 400),
        ("flows", json!({"purpose": "reset", "email": "a@b.example", "admin": true}), 400),
        ("flows", json!({"purpose": "reset", "email": "nobody"}), 422),
        ("flows/confirm", json!({"code": "0000-0000"}), 410),
        ("sign-up", json!({"full_name": "Ada", "password": NEW}), 410),
        ("reset", json!({"password": NEW}), 410),
        ("unlock", json!({}), 410),
        ("nothing", json!({}), 404),
    ] {
        let refused = script.json(&format!("/accounts/v1/{path}"), fields).await;
        assert_eq!(refused.status.as_u16(), status, "{path}: {}", refused.body);
        assert_eq!(refused.headers["content-type"], "application/problem+json", "{path}");
    }
    let resent = script.json("/accounts/v1/flows/resend", json!({})).await;
    assert_eq!(resent.status, StatusCode::GONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_has_every_call() {
    let pages = Pages::without_mail(&[]).await;
    let shown = pages.browser().get("/accounts/v1/openapi.json").await;
    let described = body(&shown.body);
    let paths: Vec<_> = described["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        paths,
        [
            "/flows",
            "/flows/confirm",
            "/flows/invitation",
            "/flows/resend",
            "/reset",
            "/sign-up",
            "/unlock",
        ]
    );
}
