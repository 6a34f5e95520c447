//! The tables of docs/CONFIGURATION.md, which both services have made and compared.

use clap::{CommandFactory as _, Parser};
use service_process::telemetry::TelemetryArgs;
use service_process_testing::reference::{compare, markdown};

#[derive(Parser)]
#[command(name = "example")]
enum Example {
    /// Works until told to stop.
    Serve {
        /// Where the store is.
        #[arg(long, env = "STORE_DSN", hide_env_values = true)]
        store_dsn: String,
        /// How much: a | b.
        #[arg(long, env = "SIZE", default_value_t = 7)]
        size: u8,
        #[command(flatten)]
        telemetry: TelemetryArgs,
    },
    /// Sees to the shelves.
    #[command(subcommand)]
    Shelves(Shelves),
}

#[derive(clap::Subcommand)]
enum Shelves {
    /// Counts them.
    Count {
        /// Where the store is.
        #[arg(long, env = "STORE_DSN", hide_env_values = true)]
        store_dsn: String,
        /// Take every shelf for empty.
        #[arg(long)]
        empty: bool,
    },
}

#[test]
fn every_command_and_every_option_stands_there_once() {
    let expected = "\
| command | does |
|---|---|
| `serve` | Works until told to stop. |
| `shelves count` | Counts them. |

| variable | option | default | meaning | commands |
|---|---|---|---|---|
| `STORE_DSN` | – | required | Where the store is. Secret: taken from the variable only. | all |
| `SIZE` | `--size` | `7` | How much: a \\| b. | `serve` |
| `LOG_LEVEL` | `--log-level` | `info` | What is logged: a level (error, warn, info, debug, trace) or a list of `target=level`. | `serve` |
| `LOG_FORMAT` | `--log-format` | `readable` | The form of a log line. One of `readable`, `json`. | `serve` |
| `OTEL_EXPORTER_OTLP_ENDPOINT` | `--otel-exporter-otlp-endpoint` | none | OpenTelemetry collector that spans are sent to by OTLP over gRPC, for example `http://collector:4317`. There are no traces without it. | `serve` |
| `OTEL_SERVICE_NAME` | `--otel-service-name` | none | What the service is called in traces; the program's name if left out. | `serve` |
| `OTEL_TRACES_SAMPLER_ARG` | `--otel-traces-sampler-arg` | `0.1` | Share of the traces beginning here that is recorded, 0 to 1. A trace that began elsewhere is recorded if it is recorded there. | `serve` |
| – | `--empty` | off | Take every shelf for empty. | `shelves count` |
";
    assert_eq!(markdown(&Example::command()), expected);
}

#[test]
fn a_document_that_differs_is_named_with_what_to_do() {
    let program = Example::command();
    let document = std::env::temp_dir().join(format!("reference-{}.md", std::process::id()));
    let with = |section: &str| {
        let text = format!("a\n<!-- example: begin -->\n{section}<!-- example: end -->\nb\n");
        std::fs::write(&document, text).unwrap();
        compare(&document, &program)
    };
    assert_eq!(with(&markdown(&program)), Ok(()));
    let error = with("old\n").unwrap_err();
    assert!(error.contains("UPDATE_DOCS=1") && error.contains("reference-"), "{error}");
    std::fs::write(&document, "no marks").unwrap();
    assert!(compare(&document, &program).unwrap_err().contains("example: begin"));
    std::fs::remove_file(document).unwrap();
}
