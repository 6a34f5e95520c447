//! Logs on standard error, traces, and the registry that metrics are recorded in.

mod traces;

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use clap::{Args, ValueEnum};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::error;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

pub(crate) use traces::flush;
pub use traces::{TRACED, TraceArgs, spans_are_exported};

/// Upper bounds of what is timed, in seconds: from an answer out of memory (1 ms) to the longest
/// that a caller waits (Dex gives a login 8 s), each about twice the one before.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0];
/// Upper bounds of how many records there are in a batch: the largest batch is one of 1,000.
const RECORDS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0];

/// What is logged, in which form, and where spans go.
#[derive(Debug, Clone, Args)]
pub struct TelemetryArgs {
    /// What is logged: a level (error, warn, info, debug, trace) or a list of `target=level`.
    #[arg(long, env = "LOG_LEVEL", default_value = "info", value_parser = parse_level)]
    pub log_level: String,

    /// The form of a log line.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Readable)]
    pub log_format: LogFormat,

    /// Traces.
    #[command(flatten)]
    pub traces: TraceArgs,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line of text for people.
    Readable,
    /// One JSON object per line for machines.
    Json,
}

fn parse_level(text: &str) -> Result<String, String> {
    let parts: Vec<_> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    // `EnvFilter` takes any bare word for a target, so a mistyped level would switch logs off; and of
    // no word at all it makes `error`.
    let bare_word_is_level = parts
        .iter()
        .filter(|part| !part.contains(['=', '[']))
        .all(|part| part.parse::<tracing::level_filters::LevelFilter>().is_ok());
    if parts.is_empty() || !bare_word_is_level {
        return Err("expected error, warn, info, debug, trace, off or target=level".to_owned());
    }
    let text = parts.join(",");
    EnvFilter::try_new(&text).map(|_| text).map_err(|error| error.to_string())
}

/// Opens the log of this process, and its traces if they are asked for. Later calls change nothing.
///
/// # Panics
/// Outside of a runtime when traces are asked for: their sender lives in it.
pub fn init(args: &TelemetryArgs) {
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = match args.log_format {
        LogFormat::Readable => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let provider = traces::provider(&args.traces);
    let spans = provider.as_ref().ok().and_then(Option::as_ref).map(traces::layer);
    // One filter before both, not one on each: a layer's own filter forgets lines after a library
    // has asked whether a level is on, as sqlx does (tokio-rs/tracing#2519).
    let filter = match spans {
        // A quiet log quiets no traces.
        Some(_) => EnvFilter::new(format!("{},{TRACED}=info", args.log_level)),
        None => EnvFilter::new(&args.log_level),
    };
    let opened = tracing_subscriber::registry().with(spans).with(filter).with(lines).try_init();
    match provider {
        // A second call finds the log open: that is what the caller wants.
        _ if opened.is_err() => {}
        Ok(Some(provider)) => traces::in_use(provider),
        Ok(None) => {}
        Err(error) => error!(%error, "there are no traces: OTEL_EXPORTER_OTLP_… is not usable"),
    }
}

/// The metrics of this process, in the Prometheus text format. Opens the registry on first use.
///
/// # Panics
/// When another library has claimed the process's metrics, which is a fault of the program.
#[must_use]
pub fn metrics() -> PrometheusHandle {
    static REGISTRY: OnceLock<PrometheusHandle> = OnceLock::new();
    let open = || {
        PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .expect("there are buckets")
            .set_buckets_for_metric(Matcher::Suffix("_records".to_owned()), &RECORDS)
            .expect("there are buckets")
            .install_recorder()
            .expect("nothing else records metrics")
    };
    REGISTRY.get_or_init(open).clone()
}
