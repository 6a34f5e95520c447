//! The flow: whose it is, how long it is good, and that it leads to one place

use chrono::{TimeDelta, Utc};
use dex_session::{ClientSettings, SignInError};
use serde_json::json;
use service_process::sources::Sources;

use crate::setup::{KEYS, SUBJECT, Setup, begin, client, settings};

#[tokio::test]
async fn who_is_let_in_at_the_issuer_is_signed_in_and_goes_where_they_wanted() {
    let setup = Setup::start().await;
    let begun = setup.begin().await;
    let asked = |name: &str| begun.asked[name].as_str();
    assert!(begun.location.starts_with(&format!("{}/auth?", setup.issuer.url())));
    assert_eq!(asked("response_type"), "code");
    assert_eq!(asked("client_id"), "accounts");
    assert_eq!(asked("redirect_uri"), "https://chat.example/accounts/callback");
    assert_eq!(asked("scope"), "openid");
    assert_eq!(asked("code_challenge_method"), "S256");
    let iat = Utc::now().timestamp();
    let query = setup.let_in(&begun, "c1", &json!({ "iat": iat }));
    let signed_in = setup.finish(&begun.cookie, &query).await.unwrap();
    assert_eq!(signed_in.subject, SUBJECT);
    assert_eq!(signed_in.issued_at.timestamp(), iat);
    assert_eq!(signed_in.return_to.as_str(), "/accounts/activity");
}

#[tokio::test]
async fn a_task_of_its_own_may_sign_somebody_in() {
    let setup = Setup::start().await;
    let task = tokio::spawn(async move {
        let begun = setup.begin().await;
        let query = setup.let_in(&begun, "c1", &json!({}));
        setup.finish(&begun.cookie, &query).await.is_ok()
    });
    assert!(task.await.unwrap());
}

#[tokio::test]
async fn state_and_verifier_are_the_browser_s_alone() {
    let setup = Setup::start().await;
    let begun = setup.begin().await;
    for hidden in ["state", "nonce"] {
        assert!(!begun.cookie.contains(&begun.asked[hidden]));
    }
    let again = setup.begin().await;
    for name in ["state", "nonce", "code_challenge"] {
        assert_ne!(begun.asked[name], again.asked[name], "{name}");
    }
}

#[tokio::test]
async fn what_comes_back_without_its_flow_signs_nobody_in() {
    let setup = Setup::start().await;
    let begun = setup.begin().await;
    let query = setup.let_in(&begun, "c1", &json!({}));
    let none = setup.sign_in.finish(None, &query, Sources::system()).await;
    assert!(matches!(none, Err(SignInError::NoFlow)), "{none:?}");
    for cookie in
        ["", "k1.AAAA", "k2.AAAA", &begun.cookie[..40], &begun.cookie.replace("k1.", "k2.")]
    {
        let refused = setup.finish(cookie, &query).await;
        assert!(matches!(refused, Err(SignInError::NoFlow)), "{cookie}: {refused:?}");
    }
    // The code was asked for nothing by then.
    setup.finish(&begun.cookie, &query).await.unwrap();
}

#[tokio::test]
async fn a_flow_of_another_browser_or_tab_signs_nobody_in() {
    let setup = Setup::start().await;
    let (victim, attacker) = (setup.begin().await, setup.begin().await);
    let query = setup.let_in(&attacker, "c1", &json!({}));
    let refused = setup.finish(&victim.cookie, &query).await;
    assert!(matches!(refused, Err(SignInError::OtherFlow)), "{refused:?}");
    // Even with the victim's state, the attacker's code needs the attacker's verifier.
    let query = format!("code=c1&state={}", victim.asked["state"]);
    let refused = setup.finish(&victim.cookie, &query).await;
    assert!(matches!(refused, Err(SignInError::CodeRefused)), "{refused:?}");
}

#[tokio::test]
async fn a_callback_that_is_sent_twice_signs_in_once() {
    let setup = Setup::start().await;
    let begun = setup.begin().await;
    let query = setup.let_in(&begun, "c1", &json!({}));
    setup.finish(&begun.cookie, &query).await.unwrap();
    let again = setup.finish(&begun.cookie, &query).await;
    assert!(matches!(again, Err(SignInError::CodeRefused)), "{again:?}");
}

#[tokio::test]
async fn a_flow_is_good_for_an_hour() {
    let setup = Setup::start().await;
    let begun = setup.begin().await;
    let query = setup.let_in(&begun, "c1", &json!({}));
    let later = Sources { now: || Utc::now() + TimeDelta::minutes(60), ..Sources::system() };
    let late = setup.sign_in.finish(Some(&begun.cookie), &query, later).await;
    assert!(matches!(late, Err(SignInError::Expired)), "{late:?}");
    let soon = Sources { now: || Utc::now() + TimeDelta::minutes(14), ..Sources::system() };
    setup.sign_in.finish(Some(&begun.cookie), &query, soon).await.unwrap();
}

#[tokio::test]
async fn a_flow_goes_on_while_keys_are_replaced_and_ends_when_its_key_is_gone() {
    let setup = Setup::start().await;
    let other = "k2:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=";
    let replaced = client(settings(setup.issuer.url()), &format!("{other}\n{KEYS}"));
    let gone = client(settings(setup.issuer.url()), other);
    let begun = setup.begin().await;
    let query = setup.let_in(&begun, "c1", &json!({}));
    let refused = gone.finish(Some(&begun.cookie), &query, Sources::system()).await;
    assert!(matches!(refused, Err(SignInError::NoFlow)), "{refused:?}");
    replaced.finish(Some(&begun.cookie), &query, Sources::system()).await.unwrap();
}

#[tokio::test]
async fn a_flow_of_another_client_is_none() {
    let setup = Setup::start().await;
    let other = ClientSettings { client_id: "chat-web".into(), ..settings(setup.issuer.url()) };
    let other = begin(&client(other, KEYS)).await;
    let refused =
        setup.finish(&other.cookie, &format!("code=c1&state={}", other.asked["state"])).await;
    assert!(matches!(refused, Err(SignInError::NoFlow)), "{refused:?}");
}
