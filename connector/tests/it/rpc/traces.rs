//! Runs the real program with a collector beside it.

use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use auth_proto::connector::v1::{PromptRequest, RefreshRequest};
use service_process_testing::collector::{Collector, Span, attribute, hex};
use tonic::metadata::MetadataValue;
use tonic::{Code, Request};

use crate::setup::program::Program;
use crate::setup::{Database, PASSWORD, attempt, origin};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn traced<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let parent = MetadataValue::try_from(parent).expect("ASCII");
    request.metadata_mut().insert("traceparent", parent);
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_a_span_of_the_callers_trace_and_a_duration_without_a_name_or_an_address() {
    let database = Database::with_people().await;
    let collector = Collector::start();
    let mut command = database.command(&["serve", "--insecure"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint);
    let program = Program::start(&mut command).await;
    let mut client = PasswordConnectorClient::new(program.channel());

    client.prompt(traced(PromptRequest {})).await.unwrap();
    let granted = client.login(traced(attempt("alice", PASSWORD))).await.unwrap().into_inner();
    let identity = granted.identity.unwrap();
    client.login(traced(attempt("canary-name", "canary-password"))).await.unwrap();
    let refresh = RefreshRequest {
        user_id: identity.user_id.clone(),
        connector_data: Vec::new(),
        scopes: None,
        origin: Some(origin()),
        of_code: false,
    };
    let broken = RefreshRequest { user_id: "canary-id".to_owned(), ..refresh.clone() };
    client.refresh(traced(broken)).await.unwrap_err();
    let denied = client.refresh(traced(refresh)).await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);

    let metrics = program.metrics().await;
    for series in [
        "grpc_call_seconds_count{call=\"prompt\",code=\"OK\"} 1",
        "grpc_call_seconds_count{call=\"login\",code=\"OK\"} 2",
        "grpc_call_seconds_count{call=\"refresh\",code=\"INVALID_ARGUMENT\"} 1",
        "grpc_call_seconds_count{call=\"refresh\",code=\"PERMISSION_DENIED\"} 1",
        "grpc_call_seconds_bucket{call=\"login\",code=\"OK\",le=\"+Inf\"} 2",
        "# HELP grpc_call_seconds How long a call took",
        "# TYPE audit_failures_total counter",
        "\naudit_failures_total 0\n",
    ] {
        assert!(metrics.contains(series), "{series} in {metrics}");
    }
    drop(client);
    program.stop().await;

    let spans = collector.spans();
    let seen: Vec<_> = spans.iter().map(|(_, span)| shown(span)).collect();
    let known = ("request-1", "local-postgres");
    assert_eq!(
        seen,
        [
            ("prompt", "ok", ("", "")),
            ("login", "ok", known),
            ("login", "refused", known),
            ("refresh", "invalid", known),
            ("refresh", "refused", known),
        ]
        .map(|(name, outcome, (request, connector))| {
            [name, outcome, request, connector].map(str::to_owned)
        })
    );
    for (service, span) in &spans {
        assert_eq!(service, "auth-connector");
        assert_eq!(hex(&span.trace_id), TRACE, "{span:?}");
        assert_eq!(hex(&span.parent_span_id), PARENT, "{span:?}");
    }
    let all = format!("{spans:?}");
    for secret in ["canary", "alice", PASSWORD, "203.0.113.7", &identity.user_id] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

fn shown(span: &Span) -> [String; 4] {
    let field = |key| attribute(&span.attributes, key).unwrap_or_default();
    [span.name.clone(), field("outcome"), field("request_id"), field("connector_id")]
}
