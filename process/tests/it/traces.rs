use nix::sys::signal::Signal;
use service_process_testing::collector::{Collector, hex};

use crate::service::{Service, command};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// Runs an orderly service to its end; returns its log.
async fn run(variables: &[(&str, &str)]) -> String {
    let service = Service::start_with("orderly", variables);
    service.until("/ready", 200).await;
    service.signal(Signal::SIGTERM);
    let (status, log) = tokio::task::spawn_blocking(|| service.ended()).await.expect("its end");
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("stopped"), "{log}");
    log
}

#[tokio::test]
async fn a_span_reaches_the_collector_as_a_child_of_the_remote_one_and_nothing_else_does() {
    let collector = Collector::start();
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let log = run(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint),
        // Recorded because the remote one is, whatever the share of those that begin here.
        ("OTEL_TRACES_SAMPLER_ARG", "0"),
        // What is logged does not decide what is traced.
        ("LOG_LEVEL", "service_process=info"),
        ("TRACEPARENT", &traceparent),
    ])
    .await;

    let spans = collector.spans();
    let [(service, span)] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((service.as_str(), span.name.as_str()), ("service", "work"));
    assert_eq!(hex(&span.trace_id), TRACE);
    assert_eq!(hex(&span.parent_span_id), PARENT);
    let fields: Vec<_> = span.attributes.iter().map(|field| field.key.as_str()).collect();
    assert_eq!(fields, ["answer"], "{span:?}");
    assert!(span.events.is_empty(), "{span:?}");

    let carried = format!("00-{TRACE}-{}-01", hex(&span.span_id));
    assert!(log.contains(&carried), "what a call carries names the span: {log}");
}

#[tokio::test]
async fn a_malformed_traceparent_is_ignored() {
    for traceparent in [
        "",
        "00",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-\u{fe0f}-b7ad6b7169203331-01",
    ] {
        let collector = Collector::start();
        run(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint),
            ("OTEL_TRACES_SAMPLER_ARG", "1"),
            ("OTEL_SERVICE_NAME", "another name"),
            ("TRACEPARENT", traceparent),
        ])
        .await;
        let spans = collector.spans();
        let [(service, span)] = spans.as_slice() else { panic!("{traceparent}: {spans:?}") };
        assert_eq!(service, "another name");
        assert!(span.parent_span_id.is_empty(), "{traceparent}: {span:?}");
        assert_ne!(hex(&span.trace_id), TRACE, "{traceparent}");
    }
}

#[tokio::test]
async fn a_trace_that_is_not_recorded_elsewhere_is_not_recorded_here() {
    let collector = Collector::start();
    let traceparent = format!("00-{TRACE}-{PARENT}-00");
    let log = run(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint),
        ("OTEL_TRACES_SAMPLER_ARG", "1"),
        ("TRACEPARENT", &traceparent),
    ])
    .await;
    assert_eq!(collector.spans(), []);
    assert!(log.contains(&format!("00-{TRACE}-")), "calls still carry the trace: {log}");
}

#[tokio::test]
async fn without_a_collector_a_service_runs_and_stops_in_order() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let hanging = format!("http://{}", silent.local_addr().unwrap());
    for endpoint in [&closed, &hanging] {
        let log =
            run(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_TRACES_SAMPLER_ARG", "1")])
                .await;
        // Which of them depends on whether the exporter gave up before the stop.
        let told = ["the collector takes no spans", "the last spans were not sent"];
        assert!(told.iter().any(|told| log.contains(told)), "{log}");
    }
}

#[tokio::test]
async fn traces_are_off_without_an_endpoint() {
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let log = run(&[("TRACEPARENT", &traceparent)]).await;
    assert!(log.contains("carries []"), "{log}");
}

#[tokio::test]
async fn an_empty_variable_is_as_one_that_is_not_set() {
    // That it stops is told at the level of information, which is logged unless less is asked for.
    for (variable, value) in [
        ("LOG_LEVEL", ""),
        ("LOG_LEVEL", " info ,"),
        ("LOG_FORMAT", ""),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        ("OTEL_SERVICE_NAME", ""),
        ("OTEL_TRACES_SAMPLER_ARG", ""),
    ] {
        let log = run(&[(variable, value)]).await;
        assert!(log.contains("INFO") && log.contains("carries []"), "{variable}={value}: {log}");
    }
}

#[test]
fn unusable_settings_exit_64_and_name_the_option() {
    for (variable, value, option) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "--otel-exporter-otlp-endpoint"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4317", "--otel-exporter-otlp-endpoint"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.1", "--otel-traces-sampler-arg"),
        ("OTEL_TRACES_SAMPLER_ARG", "NaN", "--otel-traces-sampler-arg"),
        ("LOG_LEVEL", ",", "--log-level"),
        ("LOG_LEVEL", "loud", "--log-level"),
    ] {
        let mut service = command();
        let output = service.args(["--behaviour", "orderly"]).env(variable, value).output();
        let output = output.expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{variable}={value}: {text}");
        assert!(text.contains(option), "{variable}={value}: {text}");
    }
}
