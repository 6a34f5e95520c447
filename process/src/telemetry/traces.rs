//! Traces: our spans, sent to an OpenTelemetry collector.
//!
//! Spans wait in a bounded queue for a thread that sends them. When the collector is away or slow
//! they are lost, and nothing else: no call waits for it or fails.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::Uri;
use axum::http::uri::Scheme;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};
use tracing::{Level, Subscriber, info, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::registry::LookupSpan;

/// The target of spans that are exported: `info_span!(target: TRACED, …)`. All others, and all
/// events, stay here, so that no library's field leaves the process by accident.
pub const TRACED: &str = "traced";

/// How long a stop waits for the last spans. A collector in the same network takes milliseconds.
const LONGEST_FLUSH: Duration = Duration::from_secs(2);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Where spans are sent, and how many.
#[derive(Debug, Clone, Args)]
pub struct TraceArgs {
    /// OpenTelemetry collector that spans are sent to by OTLP over gRPC, for example `http://collector:4317`. There are no traces without it.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_parser = parse_endpoint)]
    pub otel_exporter_otlp_endpoint: Option<String>,

    /// What the service is called in traces; the program's name if left out.
    #[arg(long, env = "OTEL_SERVICE_NAME", value_parser = NonEmptyStringValueParser::new())]
    pub otel_service_name: Option<String>,

    /// Share of the traces beginning here that is recorded, 0 to 1. A trace that began elsewhere is recorded if it is recorded there.
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", default_value = "0.1", value_parser = parse_ratio)]
    pub otel_traces_sampler_arg: f64,
}

fn parse_endpoint(text: &str) -> Result<String, String> {
    // TLS ends at a collector beside the service, as is usual; so there is no second set of roots.
    let usable = |uri: &Uri| uri.scheme() == Some(&Scheme::HTTP) && uri.host().is_some();
    match text.parse() {
        Ok(uri) if usable(&uri) => Ok(text.to_owned()),
        _ => Err("expected http://host:port".to_owned()),
    }
}

fn parse_ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

/// Makes the sender of spans, if there is an endpoint. Must be called inside the runtime.
pub(super) fn provider(args: &TraceArgs) -> Result<Option<SdkTracerProvider>, ExporterBuildError> {
    let Some(endpoint) = &args.otel_exporter_otlp_endpoint else {
        return Ok(None);
    };
    let exporter =
        opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let name = args.otel_service_name.clone().unwrap_or_else(program_name);
    let share = Sampler::TraceIdRatioBased(args.otel_traces_sampler_arg);
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name(name).build())
        .with_sampler(Sampler::ParentBased(Box::new(share)))
        .with_batch_exporter(Reporting { exporter, failing: AtomicBool::new(false) })
        .build();
    Ok(Some(provider))
}

/// Turns spans with the target [`TRACED`] into spans of this provider.
pub(super) fn layer<S>(provider: &SdkTracerProvider) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
        // Only the fields that the span itself names.
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        // Asked each time, because a decision that was remembered can be that about another span
        // (tokio-rs/tracing#2519).
        .with_filter(dynamic_filter_fn(|metadata, _| {
            metadata.is_span() && metadata.target() == TRACED && *metadata.level() <= Level::INFO
        }))
}

/// Remembers the provider that is in use, for the flush.
pub(super) fn in_use(provider: SdkTracerProvider) {
    // Set once: `init` comes here only when it opened the log, which can be done once.
    let _ = PROVIDER.set(provider);
}

/// Whether spans are sent anywhere. What they would be made of need not be looked for otherwise.
#[must_use]
pub fn spans_are_exported() -> bool {
    PROVIDER.get().is_some()
}

/// Sends the spans that wait, for at most [`LONGEST_FLUSH`]. None are sent afterwards.
pub(crate) async fn flush() {
    let Some(provider) = PROVIDER.get() else { return };
    let flush = || provider.shutdown_with_timeout(LONGEST_FLUSH).map_err(|fault| fault.to_string());
    let flushed = tokio::task::spawn_blocking(flush).await;
    if let Err(error) = flushed.unwrap_or_else(|panic| Err(panic.to_string())) {
        warn!(error, "the last spans were not sent");
    }
}

fn program_name() -> String {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(|path| path.file_name());
    name.map_or_else(|| "unknown_service".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// An exporter that says when spans begin to be lost, and when they are no longer.
#[derive(Debug)]
struct Reporting<E> {
    exporter: E,
    failing: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for Reporting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.exporter.export(batch).await;
        let failed_before = self.failing.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Err(error) if !failed_before => warn!(%error, "the collector takes no spans"),
            Ok(()) if failed_before => info!("the collector takes spans again"),
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
