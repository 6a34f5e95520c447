use std::process::ExitStatus;

use nix::sys::signal::Signal;

use crate::service::Service;

#[tokio::test]
async fn sigterm_and_sigint_end_an_orderly_service_with_success() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let service = Service::start("orderly");
        service.until("/ready", 200).await;
        service.signal(signal);
        let (status, log) = service.ended();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(log.contains("stopped"), "{log}");
    }
}

/// How a service ends that is asked to a second time while it stops, and what it logged.
async fn asked_twice(behaviour: &str) -> (ExitStatus, String) {
    let service = Service::start(behaviour);
    service.until("/ready", 200).await;
    service.signal(Signal::SIGTERM);
    service.until("/ready", 503).await;
    service.signal(Signal::SIGTERM);
    service.ended()
}

#[tokio::test]
async fn a_second_signal_ends_a_slow_service_at_once() {
    let (status, log) = asked_twice("slow").await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("leaving now"), "{log}");
}

#[tokio::test]
async fn a_thread_that_is_blocked_for_ever_does_not_keep_the_process() {
    let (status, log) = asked_twice("stuck").await;
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("leaving with unfinished tasks"), "{log}");
}

#[test]
fn a_failed_worker_stops_the_process_with_its_reason() {
    let (status, log) = Service::start("failing").ended();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("the disk is full"), "{log}");
}

#[test]
fn a_panicking_worker_stops_the_process() {
    let (status, log) = Service::start("panicking").ended();
    assert!(log.contains("service.rs:65:") && !log.contains("canary"), "{log}");
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("worker died"), "{log}");
}
