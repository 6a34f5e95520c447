use nix::sys::signal::Signal;

use crate::service::Service;

#[tokio::test]
async fn readiness_follows_conditions_and_ends_with_the_stop_while_liveness_stays() {
    let service = Service::start("slow");
    let body = service.until("/ready", 200).await;
    let report: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(report["conditions"]["worker"]["met"], true, "{body}");

    service.signal(Signal::SIGTERM);
    let body = service.until("/ready", 503).await;
    let report: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(report["stopping"], true, "{body}");
    assert_eq!(service.get("/live").await.0, 200);
}

#[tokio::test]
async fn metrics_are_exposed_in_the_prometheus_format() {
    let service = Service::start("orderly");
    service.until("/ready", 200).await;
    let (status, body) = service.get("/metrics").await;
    assert_eq!(status, 200);
    assert!(body.contains("# TYPE example_starts_total counter"), "{body}");
    assert!(body.contains("example_starts_total 1"), "{body}");
}

#[tokio::test]
async fn a_taken_admin_port_is_an_error_that_names_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = service_process::admin::Admin::bind(address).unwrap_err();
    assert!(format!("{error:#}").contains(&address.to_string()), "{error:#}");
}
