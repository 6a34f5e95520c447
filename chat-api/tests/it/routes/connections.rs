//! Connections at the public port, and what is left for others

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use service_process_testing::crowd::Crowd;

use crate::setup::socket::{Socket, request};
use crate::setup::{Replica, Setup, eventually};

const MANY: usize = 10_000;

async fn is_counted(replica: &Replica, metric: &str) {
    let line = format!("{metric} ");
    eventually(metric, async || {
        let metrics = replica.metrics().await;
        let value = metrics.lines().find_map(|text| text.strip_prefix(&line)?.parse::<f64>().ok());
        value.filter(|value| *value > 0.0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_who_say_nothing_leave_the_admin_port_and_those_who_speak_alone() {
    let setup = Setup::new().await;
    let replica = setup
        .replica_with(|config| {
            config.listener.connections = MANY + 100;
            config.listener.head = Duration::from_secs(20);
        })
        .await;
    let token = setup.issuer.token("ada");
    let mut crowd = Crowd::gather(replica.address, MANY, "PRI * HTTP/").await;
    replica.say(&token, "among many").await;
    assert_eq!(replica.readiness().await["ready"], true);
    crowd.until_ended(MANY).await;
    is_counted(&replica, r#"http_connections_cut_total{port="public",why="slow_head"}"#).await;
    drop(crowd);
    replica.say(&token, "after many").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_for_whom_there_is_no_place_are_closed_at_once_and_counted() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.listener.connections = 50).await;
    let token = setup.issuer.token("ada");
    let mut crowd = Crowd::gather(replica.address, MANY, "").await;
    assert_eq!(replica.readiness().await["ready"], true, "the admin port has places of its own");
    is_counted(&replica, r#"http_connections_refused_total{port="public"}"#).await;
    crowd.until_ended(MANY - 50).await;
    drop(crowd);
    eventually("there is a place again", async || {
        let sent = replica.post(&token, &json!({ "content": "hi" })).send().await;
        sent.ok().filter(|response| response.status() == 202)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_keeps_its_place_among_the_connections_until_it_is_closed() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.listener.connections = 3).await;
    let token = setup.issuer.token("ada");
    let mut sockets = Vec::new();
    // One place may still be that of the client which asked for readiness.
    while let Ok(socket) = Socket::open(request(&replica)).await {
        sockets.push(socket);
        assert!(sockets.len() <= 3, "more sockets than places");
    }
    assert!(sockets.len() >= 2);
    drop(sockets);
    eventually("there is a place again", async || {
        let mut request = request(&replica);
        let bearer = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let mut socket = Socket::open(request).await.ok()?;
        socket.expect("ready").await;
        Some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_are_ended_and_a_stop_does_not_wait_for_them() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.listener.stall = Duration::from_secs(2)).await;
    // So many that the systems on both sides do not hold them.
    let asked = "GET /v1/openapi.json HTTP/1.1\r\nHost: chat.example\r\n\r\n".repeat(1_000);
    let mut readers = Crowd::gather(replica.address, 5, &asked).await;
    is_counted(&replica, r#"http_connections_cut_total{port="public",why="stalled"}"#).await;
    readers.until_ended(5).await;

    let _readers = Crowd::gather(replica.address, 5, &asked).await;
    assert_eq!(replica.stop().await, ExitCode::SUCCESS);
}
