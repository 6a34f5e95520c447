//! How fast one person may speak

use chat_api::rate::Rate;
use futures_util::future::join_all;
use serde_json::json;

use crate::setup::{Setup, assert_problem, eventually};

/// Far more than a burst, and than what comes back while they are sent.
const MANY: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn who_says_too_much_is_told_and_others_are_not() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.rate = Rate::SENDS).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let sends = (0..MANY).map(|_| replica.post(&ada, &json!({ "content": "me" })).send());
    let (mut said, mut refused) = (0, 0);
    for response in join_all(sends).await {
        let response = response.unwrap();
        if response.status() == 202 {
            said += 1;
            continue;
        }
        assert_eq!(response.headers()["retry-after"], "1");
        assert_problem(response, 429, "rate-limited").await;
        refused += 1;
    }
    assert!(said >= 20 && refused > 0, "{said} of {MANY} were said");
    replica.say(&bob, "you").await;
    assert_eq!(setup.stored_count(said + 1).await.len(), said + 1, "what was refused is not said");
    eventually("she may speak again", async || {
        let response = replica.post(&ada, &json!({ "content": "me" })).send().await.unwrap();
        (response.status() == 202).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_requests_count_together() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.rate = Rate::SENDS).await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    for number in 0..MANY {
        let reference = number.to_string();
        socket
            .send(&json!({ "type": "send", "ref": reference, "room_id": "lobby", "content": "me" }))
            .await;
    }
    let mut refused = 0;
    for _ in 0..MANY {
        let answer = socket.next().await;
        if answer["type"] == "nack" {
            assert_eq!(answer["code"], "rate-limited");
            refused += 1;
        }
    }
    assert!(refused > 0);
    // Fewer than a burst, and more than comes back in a second.
    let requests = (0..15).map(|_| replica.post(&token, &json!({ "content": "me" })).send());
    let mut responses = join_all(requests).await.into_iter();
    let is_refused = |response: Result<reqwest::Response, _>| response.unwrap().status() == 429;
    assert!(responses.any(is_refused), "the socket used up the burst");
}
