//! Health, readiness and metrics

use crate::setup::Setup;

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
        "chat_breaker_state{partition=\"0\"} 0",
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
