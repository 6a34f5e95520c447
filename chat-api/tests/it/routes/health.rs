//! Health, readiness and metrics

use serde_json::json;

use crate::setup::program::Alone;
use crate::setup::socket::{Socket, request_at};
use crate::setup::{Setup, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_metrics_tell_what_happens() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    assert_eq!(replica.http.get(replica.url("/v1/healthz")).send().await.unwrap().status(), 200);
    assert_eq!(replica.http.get(replica.url("/v1/readyz")).send().await.unwrap().status(), 200);
    assert_eq!(replica.readiness().await["ready"], true);

    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;
    replica.say(&token, "hi").await;
    socket.contents(1).await;
    setup.stored_count(1).await;
    let metrics = replica.metrics().await;
    for name in [
        "chat_sends_total{outcome=\"accepted\"}",
        "chat_appends_total{class=\"appended\"}",
        "chat_append_seconds_count",
        "chat_appends_in_flight",
        "chat_breaker_state{topic=\"messages\",partition=\"0\"} 0",
        "chat_connections",
        "chat_events_delivered_total",
        "chat_fanout_records_total{outcome=\"new\"}",
        "chat_archive_batches_total",
        "chat_archive_documents_total",
        "chat_archive_lag_seconds",
    ] {
        assert!(metrics.contains(name), "{name} is missing in\n{metrics}");
    }
}

/// In a process of its own: in that of the tests the registry is open as soon as one replica has run.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_looked_up_before_the_process_runs_is_counted_too() {
    let setup = Setup::new().await;
    let alone = Alone::start(&setup);
    let token = setup.issuer.token("ada");
    alone
        .shows(&[
            "chat_breaker_state{topic=\"messages\",partition=\"0\"} 0",
            "chat_events_delivered_total 0",
        ])
        .await;
    let mut socket = eventually("sockets are let in", async || {
        let mut request = request_at(alone.address);
        let bearer = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        Socket::open(request).await.ok()
    })
    .await;
    socket.expect("ready").await;
    socket.subscribe(None).await;
    let url = format!("http://{}/v1/messages", alone.address);
    let said = alone.http.post(url).bearer_auth(&token).json(&json!({ "content": "hi" }));
    assert_eq!(said.send().await.unwrap().status(), 202);
    socket.contents(1).await;
    alone.shows(&["chat_events_delivered_total 1"]).await;
}
