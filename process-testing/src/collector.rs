//! The far end of traces: an OTLP receiver that remembers what it is sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
pub use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// A running receiver. It ends with the runtime that it was started in.
pub struct Collector {
    /// Its address, as `OTEL_EXPORTER_OTLP_ENDPOINT` takes it.
    pub endpoint: String,
    received: Received,
}

/// Spans, each with the service that sent it.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<Vec<(String, Span)>>>);

impl Collector {
    /// Starts one at a free port. Must be called inside a runtime.
    #[must_use]
    pub fn start() -> Self {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let connections = TcpIncoming::bind(any_port).expect("a free port");
        let endpoint = format!("http://{}", connections.local_addr().expect("an address"));
        let received = Received::default();
        let service = TraceServiceServer::new(received.clone());
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(connections));
        Self { endpoint, received }
    }

    /// What came so far: service and span.
    #[must_use]
    pub fn spans(&self) -> Vec<(String, Span)> {
        self.received.0.lock().expect("no panic under it").clone()
    }
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(
        &self,
        call: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for of_service in call.into_inner().resource_spans {
            let resource = of_service.resource.unwrap_or_default();
            let service = attribute(&resource.attributes, "service.name").expect("a name");
            let spans = of_service.scope_spans.into_iter().flat_map(|scope| scope.spans);
            let mut received = self.0.lock().expect("no panic under it");
            received.extend(spans.map(|span| (service.clone(), span)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// The value of an attribute, if it is text.
#[must_use]
pub fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match &found.value {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) => Some(text.clone()),
        _ => None,
    }
}

/// An id as `traceparent` writes it.
#[must_use]
pub fn hex(id: &[u8]) -> String {
    let digits = id.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(|digit| char::from_digit(digit.into(), 16).expect("a digit")).collect()
}
