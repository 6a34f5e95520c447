//! What an issuer, or whoever sends a browser here, answers instead of a code

use dex_session::{
    ClientSettings, DexError, InvalidClient, ReturnPath, Sealer, SignIn, SignInError,
};
use serde_json::json;
use service_process::sources::Sources;

use crate::setup::{KEYS, Setup, client, settings};

#[tokio::test]
async fn an_answer_that_is_none_of_the_issuer_s_is_refused() {
    let setup = Setup::start().await;
    let begun = setup.begin().await;
    let state = &begun.asked["state"];
    for query in [
        String::new(),
        "code=c1".into(),
        format!("state={state}"),
        format!("code=c1&code=c2&state={state}"),
        format!("code=c1&state=x&state={state}"),
        format!("code=c1&error=access_denied&state={state}"),
        format!("error=a&error=b&state={state}"),
        format!("code={}&state={state}", "c".repeat(5000)),
    ] {
        let refused = setup.finish(&begun.cookie, &query).await;
        assert!(matches!(refused, Err(SignInError::Malformed)), "{query:.60}: {refused:?}");
    }
    let refused = setup.finish(&begun.cookie, &format!("error=access_denied&state={state}")).await;
    assert!(matches!(refused, Err(SignInError::Denied)), "{refused:?}");
    let refused = setup.finish(&begun.cookie, "error=access_denied&state=another").await;
    assert!(matches!(refused, Err(SignInError::OtherFlow)), "{refused:?}");
}

#[tokio::test]
async fn a_code_that_the_issuer_does_not_know_is_refused() {
    let setup = Setup::start().await;
    let begun = setup.begin().await;
    let refused =
        setup.finish(&begun.cookie, &format!("code=x&state={}", begun.asked["state"])).await;
    assert!(matches!(refused, Err(SignInError::CodeRefused)), "{refused:?}");
}

#[tokio::test]
async fn a_wrong_client_secret_is_a_fault_of_ours() {
    let mut setup = Setup::start().await;
    let wrong = ClientSettings { client_secret: "wrong".into(), ..settings(setup.issuer.url()) };
    setup.sign_in = client(wrong, KEYS);
    let begun = setup.begin().await;
    let query = setup.let_in(&begun, "c1", &json!({}));
    let refused = setup.finish(&begun.cookie, &query).await.unwrap_err();
    assert!(matches!(refused, SignInError::Unavailable(_)), "{refused:?}");
    assert!(refused.to_string().contains("does not know the client"), "{refused}");
}

#[tokio::test]
async fn an_issuer_that_is_away_or_is_another_one_begins_nothing() {
    let path = || ReturnPath::parse("/").unwrap();
    let nobody = client(settings("http://127.0.0.1:1/dex"), KEYS);
    let refused = nobody.begin(path(), Sources::system()).await;
    assert!(matches!(refused, Err(DexError::Request(_))), "{refused:?}");

    let setup = Setup::start().await;
    let named = ClientSettings {
        discovery: Some(setup.issuer.url().to_owned()),
        ..settings("http://chat.example/dex")
    };
    let refused = client(named, KEYS).begin(path(), Sources::system()).await;
    assert!(matches!(refused, Err(DexError::Answer(_))), "{refused:?}");
}

#[test]
fn settings_that_sign_nobody_in_are_refused() {
    let with = |change: fn(&mut ClientSettings)| {
        let mut settings = settings("https://chat.example/dex");
        change(&mut settings);
        SignIn::new(settings, Sealer::parse(KEYS).unwrap()).err()
    };
    assert!(with(|_| {}).is_none());
    assert!(matches!(with(|s| s.issuer = "dex".into()), Some(InvalidClient::Issuer)));
    assert!(matches!(with(|s| s.issuer = "https://u@dex/".into()), Some(InvalidClient::Issuer)));
    let discovery = with(|s| s.discovery = Some("ftp://dex/".into()));
    assert!(matches!(discovery, Some(InvalidClient::Discovery)));
    let redirect = with(|s| s.redirect_uri = "/callback".into());
    assert!(matches!(redirect, Some(InvalidClient::RedirectUri)));
    assert!(matches!(with(|s| s.client_id = String::new()), Some(InvalidClient::ClientId)));
    let secret = with(|s| s.client_secret = String::new().into());
    assert!(matches!(secret, Some(InvalidClient::ClientSecret)));
}

#[test]
fn no_secret_is_shown() {
    let shown = format!("{:?}", client(settings("https://chat.example/dex"), KEYS));
    assert!(!shown.contains("secret") && shown.contains("accounts"), "{shown}");
}
