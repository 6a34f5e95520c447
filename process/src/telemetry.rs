//! Logs on standard error, and the registry of metrics.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use clap::{Args, ValueEnum};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// How much is logged, and in which form.
#[derive(Debug, Clone, Args)]
pub struct TelemetryArgs {
    /// What is logged: a level (error, warn, info, debug, trace) or a list of `target=level`.
    #[arg(long, env = "LOG_LEVEL", default_value = "info", value_parser = parse_level)]
    pub log_level: String,

    /// The form of a log line.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Readable)]
    pub log_format: LogFormat,
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
    // `EnvFilter` takes any bare word for a target, so a mistyped level would switch logs off.
    let bare_word_is_level = text
        .split(',')
        .filter(|part| !part.contains(['=', '[']))
        .all(|part| part.trim().parse::<tracing::level_filters::LevelFilter>().is_ok());
    if !bare_word_is_level {
        return Err("expected error, warn, info, debug, trace, off or target=level".to_owned());
    }
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Opens the log of this process. Later calls change nothing.
pub fn init(args: &TelemetryArgs) {
    let lines = tracing_subscriber::fmt()
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(EnvFilter::new(&args.log_level))
        .with_writer(std::io::stderr);
    // A second call finds the log open: that is what the caller wants.
    let _ = match args.log_format {
        LogFormat::Readable => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}

/// The metrics of this process, in the Prometheus text format. Opens the registry on first use.
///
/// # Panics
/// When another library has claimed the process's metrics, which is a fault of the program.
#[must_use]
pub fn metrics() -> PrometheusHandle {
    static REGISTRY: OnceLock<PrometheusHandle> = OnceLock::new();
    let open =
        || PrometheusBuilder::new().install_recorder().expect("nothing else records metrics");
    REGISTRY.get_or_init(open).clone()
}
