//! `./dev test`: every suite on real servers, counted.

mod cargo;
mod counted;
mod go;
mod lint;
mod servers;
mod tally;

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;
use tokio::time::Instant;

use crate::console::say;
use crate::install::{self, Need};
use cargo::Build;
use servers::{Run, Servers};
use tally::Tally;

/// A suite by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    Lint,
    Process,
    Tokens,
    Session,
    Proto,
    Connector,
    Chat,
    Dex,
    Chart,
    Images,
    E2e,
    Devstack,
    Bench,
    FaultsShort,
    /// Half an hour: only when it is named.
    Faults,
    /// A Kubernetes cluster, which takes ten minutes to compile once: only when it is named.
    Cluster,
}

impl Suite {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The package whose tests it runs.
    fn package(self) -> Option<&'static str> {
        match self {
            Self::Lint
            | Self::Dex
            | Self::Chart
            | Self::Images
            | Self::FaultsShort
            | Self::Faults
            | Self::Cluster => None,
            Self::Process => Some("service-process"),
            Self::Tokens => Some("dex-tokens"),
            Self::Session => Some("dex-session"),
            Self::Proto => Some("auth-proto"),
            Self::Connector => Some("auth-connector"),
            Self::Chat => Some("chat-api"),
            Self::E2e => Some("e2e"),
            Self::Devstack => Some("devstack"),
            Self::Bench => Some("bench"),
        }
    }

    /// What has to be installed for it.
    fn needs(self) -> &'static [Need] {
        match self {
            // The cluster's program installs what it needs itself, where one can run.
            Self::Process | Self::Tokens | Self::Session | Self::Bench | Self::Cluster => &[],
            Self::Chart => &[Need::ApiServer],
            Self::Lint => &[Need::Postgres, Need::Dex, Need::CargoDeny, Need::CargoShear],
            Self::Images => &[Need::Images],
            Self::Proto => &[Need::Protoc],
            Self::Connector => &[Need::Postgres, Need::Mail],
            Self::Chat => &[Need::Kafka, Need::MongoDb, Need::Browser, Need::Kcat],
            Self::Dex => &[Need::Protoc, Need::Dex, Need::Postgres],
            Self::E2e => &[
                Need::Postgres,
                Need::Kafka,
                Need::MongoDb,
                Need::Mail,
                Need::Dex,
                Need::Browser,
                Need::Kcat,
                Need::Schemathesis,
            ],
            Self::FaultsShort | Self::Faults => {
                &[Need::Postgres, Need::Kafka, Need::MongoDb, Need::Dex, Need::FakeTime]
            }
            Self::Devstack => &[
                Need::Postgres,
                Need::Kafka,
                Need::MongoDb,
                Need::Mail,
                Need::Dex,
                Need::CargoShear,
            ],
        }
    }

    /// The servers it shares with the others. Some start their own.
    fn servers(self) -> impl Iterator<Item = Need> {
        let shared = [Need::Postgres, Need::Kafka, Need::MongoDb];
        let own = [Self::Devstack, Self::FaultsShort, Self::Faults, Self::Cluster];
        let has_own = own.contains(&self);
        let needs = if has_own { &[] } else { self.needs() };
        needs.iter().copied().filter(move |need| shared.contains(need))
    }
}

/// Runs suites, all but the long ones when none is named; succeeds when nothing failed.
pub(crate) async fn run(mut suites: Vec<Suite>) -> Result<ExitCode> {
    if suites.is_empty() {
        let all = Suite::value_variants().iter().copied();
        suites = all.filter(|suite| !matches!(suite, Suite::Faults | Suite::Cluster)).collect();
    }
    let needs: BTreeSet<Need> = suites.iter().flat_map(|suite| suite.needs()).copied().collect();
    let shared: BTreeSet<Need> = suites.iter().flat_map(|suite| suite.servers()).collect();

    let run = Run::begin()?;
    let build = Build::all(&run).await?;
    install::ensure(&needs.into_iter().collect::<Vec<_>>()).await?;
    let servers = Servers::start(&run, &shared).await?;

    let mut total = Tally::default();
    for suite in suites {
        say(format!("── {}", suite.name()));
        let start = Instant::now();
        let mut tally = match (suite, suite.package()) {
            (_, Some(package)) => build.test(package, &run, &servers).await?,
            (Suite::Lint, None) => lint::run(&build, &run, &servers).await?,
            (Suite::FaultsShort, None) => {
                counted::run("faults", &["--short"], &run, &servers).await?
            }
            (Suite::Faults | Suite::Cluster, None) => {
                counted::run(&suite.name(), &[], &run, &servers).await?
            }
            (Suite::Chart, None) => go::chart(&run, &servers).await?,
            (Suite::Images, None) => go::test("images", &[], &run, &servers).await?,
            (_, None) => go::test("dex", &[], &run, &servers).await?,
        };
        if tally == Tally::default() {
            say("no test ran: that counts as failed");
            tally.failed = 1;
        }
        say(format!("{}: {tally} in {:.1} s", suite.name(), start.elapsed().as_secs_f32()));
        total += tally;
    }
    servers.stop().await;
    drop(run);
    // Alone on the last line, for people and for whoever counts.
    say(total.to_string());
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
