//! gRPC health and readiness, while the database is away

use std::time::Duration;

use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

use crate::setup::{Connector, Database, PASSWORD, PEOPLE, attempt, eventually, text};

async fn health(connector: &Connector) -> ServingStatus {
    let service = auth_connector::grpc::SERVICE_NAME.to_owned();
    let request = HealthCheckRequest { service };
    let answer = HealthClient::new(connector.channel()).check(request).await;
    answer.expect("health answers").into_inner().status()
}

async fn ready(connector: &Connector) -> u16 {
    let url = format!("http://{}/ready", connector.admin);
    reqwest::get(url).await.expect("the admin port answers").status().as_u16()
}

async fn until(connector: &Connector, status: ServingStatus, readiness: u16) {
    eventually(&format!("{status:?}"), async || {
        (health(connector).await == status && ready(connector).await == readiness).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_the_database_logins_are_unavailable_with_a_time_to_retry_until_it_is_back() {
    let state = tempfile::tempdir().unwrap();
    let server = devstack::postgres::Server::start_private(state.path()).await.unwrap();
    let database = Database::at(server.dsn().to_owned()).await;
    let seeded = database.seed(PEOPLE, &["--allow-plain-passwords"]);
    assert!(seeded.status.success(), "{}", text(&seeded));
    let connector = Connector::start(&database.dsn).await;
    until(&connector, ServingStatus::Serving, 200).await;

    database.pool.close().await;
    server.stop().await;
    let status = connector.client().login(attempt("alice", PASSWORD)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    let retry = status.get_details_retry_info().expect("a time to retry").retry_delay;
    assert!(retry.is_some_and(|delay| delay > Duration::ZERO), "{retry:?}");
    assert!(!status.message().contains("postgres"), "{status}");
    until(&connector, ServingStatus::NotServing, 503).await;

    server.start().await.unwrap();
    until(&connector, ServingStatus::Serving, 200).await;
    assert!(connector.login("alice", PASSWORD).await.valid_password);

    server.freeze();
    let status = connector.client().login(attempt("alice", PASSWORD)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "frozen: {status}");
    server.thaw();
    until(&connector, ServingStatus::Serving, 200).await;
    assert!(connector.login("alice", PASSWORD).await.valid_password);
}
