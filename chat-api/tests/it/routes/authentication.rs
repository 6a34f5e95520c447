//! Who is let in: on every route and socket, by which token

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::setup::socket::{Socket, request};
use crate::setup::{Setup, assert_problem};

/// The token as if another key had signed it. Which one is looked at before the signature is.
fn named(token: &str, kid: &str) -> String {
    let header = json!({ "alg": "RS256", "kid": kid }).to_string();
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_in_150_groups_is_let_in_everywhere() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let groups: Vec<_> = (0..150).map(|n| format!("{n:0>128}")).collect();
    let token = setup.issuer.token_with("ada", &json!({ "groups": groups }));
    assert!(token.len() > 26_000, "{}", token.len());

    let url = replica.url("/v1/messages");
    let listed = replica.http.get(url).bearer_auth(&token).send().await.unwrap();
    assert_eq!(listed.status(), 200);
    Socket::connect(&replica, Some(&token)).await.expect("ready").await;
    let mut offered = request(&replica);
    let protocols = format!("chat.v1, bearer.{token}").parse().unwrap();
    offered.headers_mut().insert("sec-websocket-protocol", protocols);
    Socket::open(offered).await.unwrap().expect("ready").await;
    let mut socket = Socket::connect(&replica, None).await;
    socket.send(&json!({ "type": "auth", "token": token })).await;
    socket.expect("ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_new_key_is_put_off_while_keys_may_not_be_searched_for() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let ask = async |token: &str| {
        let url = replica.url("/v1/messages");
        replica.http.get(url).bearer_auth(token).send().await.unwrap()
    };
    assert_eq!(ask(&token).await.status(), 200);
    // A stranger's, made up: it is searched for, and refused.
    assert_eq!(ask(&named(&token, "made-up")).await.status(), 401);
    let new = named(&token, "new");
    let answer = ask(&new).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "5");
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["type"], "urn:problem-type:chat:keys-unavailable");
    let mut socket = Socket::connect(&replica, Some(&new)).await;
    assert_eq!(socket.closed().await.0, 1013);
    assert_eq!(ask(&named(&token, "made-up")).await.status(), 401, "and that one still is");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_a_valid_token() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    for (method, token, name) in [
        ("GET", None, "missing-token"),
        ("POST", None, "missing-token"),
        ("GET", Some("nonsense".to_owned()), "invalid-token"),
        ("POST", Some(setup.issuer.token_until("ada", -60)), "invalid-token"),
        (
            "POST",
            Some(setup.issuer.token_with("ada", &json!({ "aud": "other-app" }))),
            "invalid-token",
        ),
    ] {
        let request = replica.http.request(method.parse().unwrap(), replica.url("/v1/messages"));
        let request = request.json(&json!({ "content": "hi" }));
        let request = match &token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        let problem = assert_problem(response, 401, name).await;
        if let Some(token) = token {
            assert!(!problem.to_string().contains(&token));
        }
    }
    // RFC 9110 §11.1: the scheme's case does not count.
    let request = replica.http.get(replica.url("/v1/messages"));
    let token = format!("bearer {}", setup.issuer.token("ada"));
    assert_eq!(request.header("authorization", token).send().await.unwrap().status(), 200);
}
