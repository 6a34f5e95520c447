//! What is seen of a call from outside: a span and a duration.

use tokio::time::Instant;
use tonic::{Code, Response, Status};
use tracing::{Instrument as _, Span};

use crate::audit::Origin;
use crate::metrics::GRPC_CALL;

/// How a call that was answered ended, as its span says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// As was asked for.
    Ok,
    /// No, for a reason that is about the person.
    Refused,
}

/// Says where the call came from. Neither the name nor the address: only the trail has the latter.
pub(super) fn record_origin(origin: &Origin) {
    Span::current()
        .record("request_id", origin.request_id.as_str())
        .record("connector_id", origin.connector_id.as_str());
}

/// Runs a call in its span and takes its time.
pub(super) async fn observed<T>(
    call: &'static str,
    span: Span,
    work: impl Future<Output = Result<(T, Ended), Status>>,
) -> Result<Response<T>, Status> {
    // What it stays when the caller goes away first.
    let end = ("abandoned", Code::Cancelled);
    let mut running = Running { call, span: span.clone(), begun: Instant::now(), end };
    let done = work.instrument(span).await;
    running.end = match &done {
        Ok((_, Ended::Ok)) => ("ok", Code::Ok),
        Ok((_, Ended::Refused)) => ("refused", Code::Ok),
        Err(status) => (class(status.code()), status.code()),
    };
    done.map(|(answer, _)| Response::new(answer))
}

struct Running {
    call: &'static str,
    span: Span,
    begun: Instant,
    end: (&'static str, Code),
}

impl Drop for Running {
    fn drop(&mut self) {
        let (outcome, code) = self.end;
        self.span.record("outcome", outcome);
        if matches!(outcome, "unavailable" | "failed") {
            self.span.record("otel.status_code", "ERROR");
        }
        metrics::histogram!(GRPC_CALL, "call" => self.call, "code" => name(code))
            .record(self.begun.elapsed().as_secs_f64());
    }
}

fn class(code: Code) -> &'static str {
    match code {
        Code::PermissionDenied | Code::FailedPrecondition => "refused",
        Code::InvalidArgument => "invalid",
        Code::ResourceExhausted => "throttled",
        Code::Unavailable => "unavailable",
        _ => "failed",
    }
}

/// The code's name in the specification of gRPC.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::Unavailable => "UNAVAILABLE",
        _ => "OTHER",
    }
}
