use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: (&str, &str) =
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

/// What a call would carry that is made under these headers.
fn passed_on(headers: &[(&str, &str)]) -> HeaderMap {
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let spans = tracing_opentelemetry::layer().with_tracer(tracer);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(spans), || {
        let span = info_span!("call");
        adopt(&span, headers.iter().copied());
        let mut written = HeaderMap::new();
        write_headers(&span, &mut written);
        written
    })
}

fn trace(headers: &HeaderMap) -> &str {
    let parent = headers["traceparent"].to_str().unwrap();
    parent.split('-').nth(1).unwrap()
}

#[test]
fn a_call_carries_the_trace_it_came_in_with_and_a_span_of_its_own() {
    let carried = passed_on(&[PARENT]);
    assert_eq!(trace(&carried), TRACE);
    assert_ne!(carried["traceparent"], PARENT.1);
    assert!(!carried.contains_key("tracestate"), "{carried:?}");
}

#[test]
fn a_state_in_several_lines_is_one_list() {
    let carried = passed_on(&[PARENT, ("tracestate", "a=1"), ("tracestate", "b=2")]);
    assert_eq!(carried["tracestate"], "a=1,b=2");
}

#[test]
fn names_are_read_in_any_case() {
    assert_eq!(trace(&passed_on(&[("TraceParent", PARENT.1)])), TRACE);
}

#[test]
fn two_parents_are_none() {
    assert_ne!(trace(&passed_on(&[PARENT, PARENT])), TRACE);
}

#[test]
fn nothing_is_carried_when_traces_are_off() {
    let mut headers = HeaderMap::new();
    write_headers(&info_span!("call"), &mut headers);
    assert!(headers.is_empty(), "{headers:?}");
}
