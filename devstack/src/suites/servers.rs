//! What the suites of one run share: a directory, servers, their addresses.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::console::step;
use crate::install::Need;
use crate::program::Program;
use crate::{checkout, kafka, mongodb, postgres, postgres_folders};

/// The directory of one run, removed when it ends; a killed run's is removed by the next.
pub(crate) struct Run {
    dir: PathBuf,
    /// Locked while this run lives: how the next one knows.
    _claim: File,
}

impl Run {
    pub(crate) fn begin() -> Result<Self> {
        let home = checkout::state().join("test");
        for entry in fs::read_dir(&home).into_iter().flatten().flatten() {
            let left =
                File::open(entry.path().join("claim")).is_ok_and(|file| file.try_lock().is_ok());
            if left {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        postgres_folders::sweep();
        let dir = home.join(format!("run-{}", std::process::id()));
        fs::create_dir_all(dir.join("tmp"))
            .with_context(|| format!("{} cannot be made", dir.display()))?;
        let claim = File::create(dir.join("claim")).context("a run has a claim")?;
        claim.try_lock().context("a new run's claim is free")?;
        Ok(Self { dir, _claim: claim })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A log file of this run.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.dir.join("log").join(format!("{name}.log"))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
        let _ = self.dir.parent().map(fs::remove_dir);
        postgres_folders::sweep();
    }
}

/// The servers of one run, on free ports.
pub(crate) struct Servers {
    postgres: Option<postgres::Server>,
    kafka: Option<kafka::Broker>,
    mongodb: Option<mongodb::ReplicaSet>,
}

impl Servers {
    /// Starts those that are wanted.
    pub(crate) async fn start(run: &Run, wanted: &BTreeSet<Need>) -> Result<Self> {
        if wanted.is_empty() {
            return Ok(Self { postgres: None, kafka: None, mongodb: None });
        }
        let dir = run.dir();
        let wants = |need| wanted.contains(&need);
        let (postgres, kafka, mongodb) = step("start the servers", async {
            tokio::try_join!(
                started(wants(Need::Postgres), postgres::Server::start_private(dir)),
                started(wants(Need::Kafka), kafka::Broker::start_private(dir)),
                started(wants(Need::MongoDb), mongodb::ReplicaSet::start_private(dir)),
            )
        })
        .await?;
        Ok(Self { postgres, kafka, mongodb })
    }

    /// The superuser's DSN, when PostgreSQL was wanted.
    pub(crate) fn postgres_dsn(&self) -> Option<&str> {
        self.postgres.as_ref().map(postgres::Server::dsn)
    }

    /// Gives a test program the addresses of the servers and a directory of the run.
    pub(crate) fn surround(&self, program: Program, run: &Run) -> Program {
        let addresses = [
            ("POSTGRES_DSN", self.postgres_dsn()),
            ("KAFKA_BROKERS", self.kafka.as_ref().map(kafka::Broker::brokers)),
            ("MONGODB_URI", self.mongodb.as_ref().map(mongodb::ReplicaSet::uri)),
        ];
        let program = program
            .with_whole_env()
            // What a killed test leaves goes with the run.
            .env("TMPDIR", run.dir().join("tmp"))
            .env("RUST_BACKTRACE", "1");
        addresses.into_iter().fold(program, |program, (name, address)| match address {
            Some(address) => program.env(name, address),
            None => program.without_env(name),
        })
    }

    pub(crate) async fn stop(self) {
        if let Some(server) = &self.mongodb {
            server.stop().await;
        }
        if let Some(server) = &self.kafka {
            server.stop().await;
        }
        if let Some(server) = &self.postgres {
            server.stop().await;
        }
    }
}

async fn started<T>(wanted: bool, start: impl Future<Output = Result<T>>) -> Result<Option<T>> {
    if wanted { start.await.map(Some) } else { Ok(None) }
}
