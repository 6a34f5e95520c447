//! The trace that a record belongs to: W3C Trace Context in its headers.

use std::ffi::CStr;

use rdkafka::message::{BorrowedMessage, Header, OwnedHeaders};
use service_process::{telemetry, trace_context};
use tracing::Span;

const PARENT: &CStr = c"traceparent";
const STATE: &CStr = c"tracestate";
/// The replica that wrote the record.
const ORIGIN: &str = "origin";

/// More than the recommendation asks anybody to pass on (W3C Trace Context §3.3.1.5).
const MAX_BYTES: usize = 1024;

/// What a record says of its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    parent: String,
    state: Option<String>,
}

impl Trace {
    /// What the headers of a record say, if they do and somebody wants to know. Whether it is
    /// well-formed is up to whoever adopts it.
    pub(super) fn of(record: &mut BorrowedMessage<'_>) -> Option<Self> {
        if !telemetry::spans_are_exported() {
            return None;
        }
        Some(Self { parent: text(record, PARENT)?, state: text(record, STATE) })
    }

    /// Makes a span a child of the one in which the record was appended. Call it before the span is
    /// entered.
    #[must_use]
    pub fn continued_by(&self, span: Span) -> Span {
        let state = self.state.as_deref().map(|state| ("tracestate", state));
        trace_context::adopt(
            &span,
            [("traceparent", self.parent.as_str())].into_iter().chain(state),
        );
        span
    }
}

fn text(record: &mut BorrowedMessage<'_>, name: &CStr) -> Option<String> {
    let value = kafka_native::header(record, name).filter(|value| value.len() <= MAX_BYTES)?;
    str::from_utf8(value).ok().map(str::to_owned)
}

/// The headers of a record that a replica of that name appends in the current span. None if there is
/// nothing to say.
pub(super) fn headers(origin: Option<&str>) -> Option<OwnedHeaders> {
    let exported = telemetry::spans_are_exported();
    let trace = if exported { trace_context::headers_of(&Span::current()) } else { Vec::new() };
    let trace = trace.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    origin.map(|origin| (ORIGIN, origin)).into_iter().chain(trace).fold(
        None,
        |headers: Option<OwnedHeaders>, (key, value)| {
            let header = Header { key, value: Some(value) };
            Some(headers.unwrap_or_default().insert(header))
        },
    )
}
