//! A small service for this crate's tests: `service BEHAVIOUR`, which prints its admin port.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use service_process::admin::{Admin, Readiness};
use service_process::lifecycle::{self, Lifecycle};
use service_process::telemetry::{TRACED, TelemetryArgs};
use service_process::{cli, telemetry, trace_context};
use tracing::{info, info_span};

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    telemetry: TelemetryArgs,
    #[arg(long, env = "BEHAVIOUR", value_enum)]
    behaviour: Behaviour,
    /// The remote span that what it does is a part of.
    #[arg(long, env = "TRACEPARENT")]
    traceparent: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Behaviour {
    /// Finishes when it is asked to.
    Orderly,
    /// Finishes only at the hard token.
    Slow,
    /// Blocks a thread for ever when it is asked to.
    Stuck,
    /// Its worker fails after the first scrape of `/ready`.
    Failing,
    /// Its worker panics at once.
    Panicking,
}

fn main() -> ExitCode {
    match cli::parse_or_exit::<Cli>() {
        Ok(cli) => lifecycle::run(serve(cli)),
        Err(code) => code,
    }
}

async fn serve(cli: Cli) -> ExitCode {
    telemetry::init(&cli.telemetry);
    work(cli.traceparent.as_deref());
    let lifecycle = Lifecycle::new(match cli.behaviour {
        Behaviour::Slow | Behaviour::Stuck => Duration::from_mins(5),
        _ => Duration::from_secs(5),
    });
    let tasks = lifecycle.tasks();

    let readiness = Readiness::new();
    let condition = readiness.condition("worker");
    let admin = Admin::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    eprintln!("admin {}", admin.local_addr());
    admin.serve(&tasks, readiness);

    let worker = tasks.clone();
    tasks.worker("worker", async move {
        match cli.behaviour {
            Behaviour::Failing => anyhow::bail!("the disk is full"),
            Behaviour::Panicking => panic!("a broken invariant of what somebody typed: canary"),
            Behaviour::Orderly | Behaviour::Slow | Behaviour::Stuck => condition.met(),
        }
        metrics::counter!("example_starts_total").increment(1);
        worker.stopping().cancelled().await;
        match cli.behaviour {
            Behaviour::Slow => worker.aborting().cancelled().await,
            Behaviour::Stuck => tokio::task::spawn_blocking(block).await?,
            _ => {}
        }
        Ok(())
    });
    lifecycle.run_until_stopped().await
}

fn block() {
    loop {
        thread::park();
    }
}

/// Does something in a span of its own, in one of a library's, and says what a call would carry.
fn work(traceparent: Option<&str>) {
    let span = info_span!(target: TRACED, "work", otel.kind = "server", answer = 42);
    trace_context::adopt(&span, traceparent.map(|value| ("Traceparent", value)));
    span.in_scope(|| {
        info!(secret = "an event", "working");
        info_span!("a library's").in_scope(|| {});
    });
    eprintln!("carries {:?}", trace_context::headers_of(&span));
}
